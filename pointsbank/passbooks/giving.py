"""Gifts: points that one member of a household gives another."""

import hashlib
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from sqlalchemy import bindparam, select, text
from sqlalchemy.orm import Session

from pointsbank.core.actor import Actor
from pointsbank.core.audit import note
from pointsbank.core.calendar import local_day, local_month
from pointsbank.core.errors import KeyReused
from pointsbank.ledger.errors import NotEnoughPoints
from pointsbank.ledger.models import Transfer
from pointsbank.ledger.moving import Move, Moved, move, reverse_move
from pointsbank.ledger.queries import balance_of
from pointsbank.members.errors import MemberSuspended
from pointsbank.members.queries import household_of, member_of
from pointsbank.messages.service import tell, tell_each
from pointsbank.organizations.queries import in_scope
from pointsbank.passbooks.errors import (
    GiftMonthFull,
    GiftNotFound,
    GiftToOneself,
    NotOfHousehold,
    OwnGift,
    ReceivedPoints,
)
from pointsbank.passbooks.gifts import entries_of, month_left
from pointsbank.passbooks.models import GIFT_MONTH_POINTS_MAX, Gift
from pointsbank.passbooks.policy import giftable_points
from pointsbank.passbooks.queries import account_code

# Printed in the books; a statement on paper carries them as they are.
OUT_REASON = "转赠给家人"
IN_REASON = "家人转赠"

# The row of giver and month is where two gifts at once meet, and where one waits for the other.
CHARGE_MONTH = text(
    """
    INSERT INTO gift_month (member_id, month, points) VALUES (:member_id, :month, :points)
    ON CONFLICT (member_id, month) DO UPDATE SET points = gift_month.points + :points
    WHERE gift_month.points + :points <= :most
    RETURNING points
    """
)

LOCK_MONTH = text(
    """
    SELECT 1 FROM gift_month WHERE member_id = :member_id AND month = :month FOR NO KEY UPDATE
    """
)

FREE_MONTH = text(
    """
    UPDATE gift_month SET points = points - :points
    WHERE member_id = :member_id AND month = :month
    """
)

# In the order of ids, as every move between two wallets takes them.
LOCK_BOOKS = text(
    """
    SELECT wallet.account_id FROM wallet JOIN account ON account.id = wallet.account_id
    WHERE account.code IN :codes
    ORDER BY wallet.account_id FOR NO KEY UPDATE OF wallet
    """
).bindparams(bindparam("codes", expanding=True))


@dataclass(frozen=True)
class Wish:
    """What a member wants to give, and the key under which a repeat is known.

    words: what the receiver reads with it; kept out of the ledger, which is shown to others.
    """

    giver_id: int
    receiver_id: int
    points: int
    words: str
    key: str

    def kept_key(self) -> str:
        """Return the key as the table keeps it: nobody else's can be the same."""
        return hashlib.sha256(f"{self.giver_id}:{self.key}".encode()).hexdigest()


@dataclass(frozen=True)
class Given:
    """A gift as it stands, and the giver's balance right after it."""

    id: int
    points: int
    balance_after: int
    is_replay: bool


def give(session: Session, wish: Wish, *, zone: ZoneInfo, now: datetime) -> Given:
    """Move points to another member of the giver's household; a repeat answers the same gift.

    The points keep the days on which they expire.
    Raises GiftToOneself, NotOfHousehold, MemberSuspended, GiftMonthFull, NotEnoughPoints,
    ReceivedPoints, KeyReused. Rule: docs/ledger.md, "Gifts and care funds".
    """
    standing = _standing(session, wish)
    if standing is not None:
        return standing
    judge_receiver(session, wish.giver_id, wish.receiver_id)
    month = local_month(now, zone)
    if not _charge_month(session, wish, month):
        # The room may have gone to this very request, sent a moment earlier.
        standing = _standing(session, wish)
        if standing is not None:
            return standing
        judge_month(session, wish.giver_id, wish.points, month)
        raise AssertionError(f"month {month} of member {wish.giver_id} has room and has not")
    gift = Gift(
        key=wish.kept_key(),
        giver_id=wish.giver_id,
        receiver_id=wish.receiver_id,
        points=wish.points,
        words=wish.words,
        given_at=now,
    )
    session.add(gift)
    session.flush()
    note(
        session,
        at=now,
        actor_id=wish.giver_id,
        action="give",
        subject=("gift", gift.id),
        receiver_id=wish.receiver_id,
        points=wish.points,
    )
    tell(
        session,
        key=f"gift:{gift.id}:received",
        member_id=wish.receiver_id,
        kind="gift_received",
        facts={"points": wish.points, "gift_id": gift.id},
        now=now,
    )
    lock_books(session, wish.giver_id, wish.receiver_id)
    judge_points(session, wish.giver_id, wish.points)
    moved = move(session, move_of(gift), now)
    return Given(gift.id, gift.points, moved.out.balance_after, is_replay=False)


def judge_receiver(session: Session, giver_id: int, receiver_id: int) -> None:
    """Let a receiver pass who is another active member of the giver's household.

    Raises GiftToOneself, NotOfHousehold, MemberSuspended.
    """
    if giver_id == receiver_id:
        raise GiftToOneself
    household = household_of(session, giver_id)
    if household is None or receiver_id not in household.member_ids:
        raise NotOfHousehold
    if member_of(session, receiver_id).state != "active":
        raise MemberSuspended


def judge_points(session: Session, giver_id: int, points: int) -> None:
    """Let points pass that are available and were earned.

    Raises NotEnoughPoints, ReceivedPoints.
    """
    available = balance_of(session, account_code(giver_id)).available
    if points > available:
        raise NotEnoughPoints(available=available, needed=points)
    giftable = giftable_points(entries_of(session, giver_id), available)
    if points > giftable:
        raise ReceivedPoints(giftable=giftable)


def judge_month(session: Session, giver_id: int, points: int, month: str) -> None:
    """Let points pass that fit into the month.

    Raises GiftMonthFull.
    """
    left = month_left(session, giver_id, month)
    if points > left:
        raise GiftMonthFull(left=left, limit=GIFT_MONTH_POINTS_MAX)


def lock_books(session: Session, giver_id: int, receiver_id: int) -> None:
    """Lock both wallets to the end: what is read of the giver's book then still holds.

    On SQLite there is one writer at a time.
    """
    if session.get_bind().dialect.name == "postgresql":
        codes = [account_code(giver_id), account_code(receiver_id)]
        session.execute(LOCK_BOOKS, {"codes": codes})


def take_gift_back(
    session: Session,
    *,
    gift_id: int,
    actor: Actor,
    reason: str,
    zone: ZoneInfo,
    now: datetime,
) -> Moved:
    """Reverse both rows of a gift, and free its points of the giver's month.

    A repeat answers the reversal that stands. Both people belong to the administrator's scope.
    Raises GiftNotFound for a foreign gift as for an unknown one, OwnGift, and NotEnoughPoints
    when the receiver has spent the points.
    """
    gift = session.get(Gift, gift_id)
    paths = actor.paths("administrator")
    people = [gift.giver_id, gift.receiver_id] if gift else []
    if gift is None or not all(
        in_scope(member_of(session, each).path, paths) for each in people
    ):
        raise GiftNotFound
    if actor.member_id in people:
        raise OwnGift
    month = {"member_id": gift.giver_id, "month": local_month(gift.given_at, zone)}
    # First, as giving does, so that neither waits for the other with half of the locks.
    if session.get_bind().dialect.name == "postgresql":
        session.execute(LOCK_MONTH, month)
    moved = reverse_move(
        session,
        key=f"gift:{gift_id}",
        reversal_key=f"gift_reversal:{gift_id}",
        reason=reason,
        actor_id=actor.member_id,
        today=local_day(now, zone),
        now=now,
    )
    if not moved.out.is_replay:
        session.execute(FREE_MONTH, {**month, "points": gift.points})
        note(
            session,
            at=now,
            actor_id=actor.member_id,
            action="take_back",
            subject=("gift", gift_id),
            points=gift.points,
        )
        tell_each(
            session,
            key=f"gift:{gift_id}:taken_back",
            member_ids=people,
            kind="gift_taken_back",
            facts={"points": gift.points, "gift_id": gift_id},
            now=now,
        )
    return moved


def _standing(session: Session, wish: Wish) -> Given | None:
    """Return the gift this key already names, None when it names nothing yet."""
    gift = session.scalar(select(Gift).where(Gift.key == wish.kept_key()))
    if gift is None:
        return None
    sent = (wish.receiver_id, wish.points, wish.words)
    if (gift.receiver_id, gift.points, gift.words) != sent:
        raise KeyReused
    after = session.scalar(
        select(Transfer.wallet_after).where(Transfer.key == f"gift:{gift.id}:out")
    )
    return Given(gift.id, gift.points, after or 0, is_replay=True)


def _charge_month(session: Session, wish: Wish, month: str) -> bool:
    """Count the points against the giver's month; False when they do not fit into it."""
    if wish.points < 1:
        raise ValueError(f"a gift of {wish.points} points")
    if wish.points > GIFT_MONTH_POINTS_MAX:
        return False
    values = {
        "member_id": wish.giver_id,
        "month": month,
        "points": wish.points,
        "most": GIFT_MONTH_POINTS_MAX,
    }
    return session.execute(CHARGE_MONTH, values).first() is not None


def move_of(gift: Gift) -> Move:
    """Return what a gift moves in the ledger."""
    return Move(
        key=f"gift:{gift.id}",
        source=account_code(gift.giver_id),
        target=account_code(gift.receiver_id),
        points=gift.points,
        occurred_at=gift.given_at,
        kind_out="gift_out",
        kind_in="gift_in",
        reason_out=OUT_REASON,
        reason_in=IN_REASON,
        actor_id=gift.giver_id,
    )
