"""Voiding a redemption, or some pieces of it: points, stock and bounds go back, once.

On its own day the clerk who made it takes it back alone. Otherwise one administrator asks and
another agrees.
"""

from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import bindparam, insert, select, text, update
from sqlalchemy.orm import Session

from pointsbank.core.actor import Actor
from pointsbank.core.audit import note
from pointsbank.core.db import Moment
from pointsbank.ledger.models import Transfer
from pointsbank.ledger.posting import Posted
from pointsbank.ledger.service import reversal_under, reverse
from pointsbank.members.queries import role_holders_over
from pointsbank.messages.service import tell_each
from pointsbank.rewards.bounds import Share, give_back
from pointsbank.rewards.errors import (
    NotForOneself,
    NothingLeftToVoid,
    OwnVoid,
    RedemptionNotFound,
    VoidDiffers,
    VoidNotAllowed,
    VoidNotAsked,
)
from pointsbank.rewards.models import RedemptionVoid
from pointsbank.rewards.policy import may_offer, may_take_points, may_void
from pointsbank.rewards.queries import RedemptionLine, redemption_of
from pointsbank.rewards.redeeming import reason_of

# The guard: of any number of voids at once only so many change the row as pieces are left.
VOID = text(
    """
    UPDATE redemption
    SET voided_quantity = voided_quantity + :quantity,
        state = CASE WHEN voided_quantity + :quantity = quantity THEN 'voided' ELSE state END,
        voided_at = CASE WHEN voided_quantity + :quantity = quantity THEN :now END,
        voided_by_id = CASE WHEN voided_quantity + :quantity = quantity THEN :actor_id END,
        void_reason = CASE WHEN voided_quantity + :quantity = quantity THEN :reason END
    WHERE id = :id AND state = 'completed' AND voided_quantity + :quantity <= quantity
    RETURNING voided_quantity
    """
).bindparams(bindparam("now", type_=Moment()))

# Written as it is: whoever comes later finds the row locked, and then decided.
CLAIM = text(
    """
    UPDATE redemption_void SET asked_at = asked_at WHERE id = :id AND decision IS NULL
    RETURNING id
    """
)


@dataclass(frozen=True)
class Voiding:
    """Who takes back how many pieces and why; quantity: None for all that are left."""

    actor: Actor
    reason: str | None
    quantity: int | None
    today: date
    now: datetime


@dataclass(frozen=True)
class Voided:
    """A redemption after a void, or after one was asked for, and the balance right after it."""

    redemption: RedemptionLine
    balance_after: int
    is_asked: bool = False


def void_redemption(
    session: Session,
    *,
    redemption_id: int,
    actor: Actor,
    reason: str | None,
    today: date,
    now: datetime,
    quantity: int | None = None,
) -> Voided:
    """Take a redemption back, or so many pieces of it; or ask for that, or agree to it.

    quantity: all that are left when not given; then a repeat changes nothing and answers the
    same. Whoever agrees gives the number that was asked for, or none.
    Raises RedemptionNotFound for a foreign one as for an unknown one, VoidNotAllowed,
    NotForOneself, NothingLeftToVoid, VoidDiffers, and AlreadyReversed when the ledger took
    points back beside it.
    """
    found = _to_void(session, redemption_id, actor, today)
    voiding = Voiding(actor, reason, quantity, today, now)
    is_own_day = (
        may_take_points(actor, found.merchant_id)
        and found.clerk_id == actor.member_id
        and found.redeemed_on == today
    )
    if found.state == "voided" and quantity is None:
        return _standing(session, found)
    if is_own_day:
        return _void_alone(session, found, voiding)
    asked = void_asked_of(session, redemption_id)
    if asked is None:
        return _ask(session, found, voiding)
    if quantity not in (None, asked.quantity):
        raise VoidDiffers(quantity=asked.quantity)
    if asked.asked_by_id == actor.member_id:
        return Voided(found, found.balance_after or 0, is_asked=True)
    return _agree(session, found, asked, voiding)


def refuse_void(
    session: Session, *, redemption_id: int, actor: Actor, today: date, now: datetime
) -> RedemptionLine:
    """Let the second administrator refuse what the first asked for; nothing moves.

    Raises RedemptionNotFound, VoidNotAllowed, NotForOneself, VoidNotAsked, OwnVoid.
    """
    found = _to_void(session, redemption_id, actor, today)
    if not actor.oversees(found.path, "administrator"):
        raise VoidNotAllowed
    asked = void_asked_of(session, redemption_id)
    if asked is None:
        raise VoidNotAsked
    if asked.asked_by_id == actor.member_id:
        raise OwnVoid
    refused = session.execute(
        update(RedemptionVoid)
        .where(RedemptionVoid.id == asked.id, RedemptionVoid.decision.is_(None))
        .values(decision="refused", decided_by_id=actor.member_id, decided_at=now)
        .returning(RedemptionVoid.id)
        .execution_options(synchronize_session=False)
    ).first()
    if refused is None:
        raise VoidNotAsked
    _note(session, found, "refuse_void", actor, now, quantity=asked.quantity)
    return found


def void_asked_of(session: Session, redemption_id: int) -> RedemptionVoid | None:
    """Return the void that waits for a second administrator, None without one."""
    return session.scalars(
        select(RedemptionVoid).where(
            RedemptionVoid.redemption_id == redemption_id, RedemptionVoid.decision.is_(None)
        )
    ).first()


def _to_void(session: Session, redemption_id: int, actor: Actor, today: date) -> RedemptionLine:
    found = redemption_of(session, redemption_id)
    if not may_offer(actor, found.merchant_id, found.path):
        raise RedemptionNotFound
    if not may_void(
        actor,
        clerk_id=found.clerk_id,
        redeemed_on=found.redeemed_on,
        merchant_id=found.merchant_id,
        path=found.path,
        today=today,
    ):
        raise VoidNotAllowed
    if found.member_id == actor.member_id:
        raise NotForOneself
    if found.transfer_id is None:
        raise RedemptionNotFound
    return found


def _void_alone(session: Session, found: RedemptionLine, voiding: Voiding) -> Voided:
    """Take pieces back at once, and keep who did."""
    posted, quantity = _take_back(session, found, voiding)
    if posted is None:
        return _standing(session, redemption_of(session, found.id))
    session.execute(
        insert(RedemptionVoid).values(
            redemption_id=found.id,
            quantity=quantity,
            points=posted.points,
            reason=voiding.reason,
            needs_second=False,
            asked_by_id=voiding.actor.member_id,
            asked_at=voiding.now,
            decision="approved",
            decided_by_id=voiding.actor.member_id,
            decided_at=voiding.now,
            transfer_id=posted.id,
        )
    )
    return _after(session, found, posted)


def _ask(session: Session, found: RedemptionLine, voiding: Voiding) -> Voided:
    """Keep what one administrator asks for, and tell the others.

    Two who ask at once meet at the unique index; core.db.run tries the later one again, who
    then agrees.
    """
    quantity = _wanted(found, voiding)
    session.execute(
        insert(RedemptionVoid).values(
            redemption_id=found.id,
            quantity=quantity,
            points=quantity * (found.points // found.quantity),
            reason=voiding.reason,
            needs_second=True,
            asked_by_id=voiding.actor.member_id,
            asked_at=voiding.now,
        )
    )
    others = set(role_holders_over(session, found.path, ("administrator",)))
    tell_each(
        session,
        key=f"void:{found.id}:{voiding.now.isoformat()}",
        member_ids=others - {voiding.actor.member_id, found.member_id},
        kind="void_asked",
        facts={
            "redemption_id": found.id,
            "points": quantity * (found.points // found.quantity),
        },
        now=voiding.now,
    )
    _note(session, found, "ask_void", voiding.actor, voiding.now, quantity=quantity)
    return Voided(found, found.balance_after or 0, is_asked=True)


def _agree(
    session: Session, found: RedemptionLine, asked: RedemptionVoid, voiding: Voiding
) -> Voided:
    """Let the second administrator agree; of several at once one carries it out."""
    void_id, quantity = asked.id, asked.quantity
    if session.execute(CLAIM, {"id": void_id}).first() is None:
        return _decided(session, found, void_id)
    agreed = Voiding(
        voiding.actor, asked.reason or voiding.reason, quantity, voiding.today, voiding.now
    )
    posted, _ = _take_back(session, found, agreed)
    if posted is None:
        return _standing(session, redemption_of(session, found.id))
    session.execute(
        update(RedemptionVoid)
        .where(RedemptionVoid.id == void_id)
        .values(
            decision="approved",
            decided_by_id=voiding.actor.member_id,
            decided_at=voiding.now,
            transfer_id=posted.id,
            points=posted.points,
        )
        .execution_options(synchronize_session=False)
    )
    return _after(session, found, posted)


def _decided(session: Session, found: RedemptionLine, void_id: int) -> Voided:
    """Return what another second person decided a moment before.

    Raises VoidNotAsked when they refused.
    """
    session.expire_all()
    decided = session.get_one(RedemptionVoid, void_id)
    if decided.transfer_id is None:
        raise VoidNotAsked
    transfer = session.get_one(Transfer, decided.transfer_id)
    return Voided(redemption_of(session, found.id), transfer.wallet_after or 0)


def _wanted(found: RedemptionLine, voiding: Voiding) -> int:
    left = found.quantity - found.voided_quantity
    quantity = left if voiding.quantity is None else voiding.quantity
    if not 1 <= quantity <= left:
        raise NothingLeftToVoid(left=left)
    return quantity


def _take_back(
    session: Session, found: RedemptionLine, voiding: Voiding
) -> tuple[Posted | None, int]:
    """Return the reversal and how many pieces; none when all was taken back a moment before."""
    quantity = _wanted(found, voiding)
    values = {
        "id": found.id,
        "quantity": quantity,
        "now": voiding.now,
        "actor_id": voiding.actor.member_id,
        "reason": voiding.reason,
    }
    won = session.execute(VOID, values).first()
    if won is None:
        session.expire_all()
        standing = redemption_of(session, found.id)
        if standing.state == "voided" and voiding.quantity is None:
            return None, 0
        raise NothingLeftToVoid(left=standing.quantity - standing.voided_quantity)
    points = quantity * (found.points // found.quantity)
    share = Share(
        found.reward_id,
        found.merchant_id,
        found.member_id,
        quantity,
        points,
        found.period,
        found.redeemed_on,
    )
    give_back(session, share)
    is_last = won.voided_quantity == found.quantity
    _note(session, found, "void", voiding.actor, voiding.now, points=points, quantity=quantity)
    posted = reverse(
        session,
        transfer_id=found.transfer_id or 0,
        key=f"void:{found.id}" if is_last else f"void:{found.id}:{won.voided_quantity}",
        reason=reason_of(found.reward_name, quantity, found.merchant_name, found.reward_kind),
        actor_id=voiding.actor.member_id,
        today=voiding.today,
        now=voiding.now,
        # Some of them may have been reversed by hand: the last void returns what is left.
        points=None if is_last else points,
    )
    return posted, quantity


def _after(session: Session, found: RedemptionLine, posted: Posted) -> Voided:
    session.expire_all()
    return Voided(redemption_of(session, found.id), posted.balance_after)


def _standing(session: Session, found: RedemptionLine) -> Voided:
    """Return what the void answered that took the last pieces."""
    last = reversal_under(session, f"void:{found.id}", found.transfer_id or 0, None)
    return Voided(found, last.balance_after if last else found.balance_after or 0)


def _note(
    session: Session,
    found: RedemptionLine,
    action: str,
    actor: Actor,
    now: datetime,
    **facts: object,
) -> None:
    note(
        session,
        at=now,
        actor_id=actor.member_id,
        action=action,
        subject=("redemption", found.id),
        **facts,
    )
