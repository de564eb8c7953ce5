"""Reads of gifts: one, those of a person, and how much is left to give."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, String, and_, cast, literal, or_, select
from sqlalchemy.orm import Session, aliased

from pointsbank.core.text import masked_name
from pointsbank.ledger.models import Account, Reversed, Transfer
from pointsbank.members.models import Member
from pointsbank.passbooks.errors import GiftNotFound
from pointsbank.passbooks.models import GIFT_MONTH_POINTS_MAX, Gift, GiftMonth
from pointsbank.passbooks.policy import Entry
from pointsbank.passbooks.queries import account_code


@dataclass(frozen=True)
class GiftLine:
    """A gift with masked names."""

    id: int
    giver_id: int
    giver_name: str
    receiver_id: int
    receiver_name: str
    points: int
    words: str
    given_at: datetime
    is_taken_back: bool


def entries_of(session: Session, member_id: int) -> list[Entry]:
    """Return a whole book in the order of its lines, as giving is judged by it."""
    rows = session.execute(
        select(
            Transfer.id,
            Transfer.kind,
            Transfer.points,
            Transfer.reverses_id,
            (Transfer.target_id == Transfer.wallet_id).label("is_in"),
        )
        .join(Account, Account.id == Transfer.wallet_id)
        .where(Account.code == account_code(member_id))
        .order_by(Transfer.wallet_seq)
    )
    return [
        Entry(row.id, row.kind, row.points if row.is_in else -row.points, row.reverses_id)
        for row in rows
    ]


def month_left(session: Session, member_id: int, month: str) -> int:
    """Return how many points a member may still give in a local month ("2026-11")."""
    given = session.scalar(
        select(GiftMonth.points).where(
            GiftMonth.member_id == member_id, GiftMonth.month == month
        )
    )
    return GIFT_MONTH_POINTS_MAX - (given or 0)


def gift_of(session: Session, gift_id: int) -> GiftLine:
    """Return one gift.

    Raises GiftNotFound.
    """
    found = _gifts(session, Gift.id == gift_id, limit=1)
    if not found:
        raise GiftNotFound
    return found[0]


def gifts_of(
    session: Session, member_id: int, *, before_id: int | None = None, limit: int = 50
) -> list[GiftLine]:
    """Return the gifts a member gave and received, newest first."""
    mine = or_(Gift.giver_id == member_id, Gift.receiver_id == member_id)
    condition = mine if before_id is None else and_(mine, Gift.id < before_id)
    return _gifts(session, condition, limit=limit)


def gifts_named(session: Session, ids: Iterable[int]) -> dict[int, GiftLine]:
    """Return these gifts by their ids, for the lines that print them."""
    wanted = set(ids)
    found = _gifts(session, Gift.id.in_(wanted), limit=len(wanted)) if wanted else []
    return {gift.id: gift for gift in found}


def _gifts(session: Session, condition: ColumnElement[bool], *, limit: int) -> list[GiftLine]:
    giver, receiver = aliased(Member), aliased(Member)
    rows = session.execute(
        select(
            Gift.id,
            Gift.giver_id,
            giver.name.label("giver_name"),
            Gift.receiver_id,
            receiver.name.label("receiver_name"),
            Gift.points,
            Gift.words,
            Gift.given_at,
            Reversed.transfer_id.label("reversed_id"),
        )
        .join(giver, giver.id == Gift.giver_id)
        .join(receiver, receiver.id == Gift.receiver_id)
        .outerjoin(Transfer, Transfer.key == literal("gift:") + cast(Gift.id, String) + ":out")
        .outerjoin(Reversed, Reversed.transfer_id == Transfer.id)
        .where(condition)
        .order_by(Gift.id.desc())
        .limit(limit)
    )
    return [
        GiftLine(
            id=row.id,
            giver_id=row.giver_id,
            giver_name=masked_name(row.giver_name),
            receiver_id=row.receiver_id,
            receiver_name=masked_name(row.receiver_name),
            points=row.points,
            words=row.words,
            given_at=row.given_at,
            is_taken_back=row.reversed_id is not None,
        )
        for row in rows
    ]
