"""A merchant's day as its counter closes it: once, with what was counted then.

Closing stops nothing: what is handed over or voided afterwards shows beside it.
"""

from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import Date, bindparam, func, select, text
from sqlalchemy.orm import Session

from pointsbank.core.actor import Actor
from pointsbank.core.audit import note
from pointsbank.core.db import Moment
from pointsbank.core.text import masked_name
from pointsbank.members.models import Member
from pointsbank.organizations.errors import MerchantNotFound
from pointsbank.rewards.errors import DayNotClosable, DealsWaiting
from pointsbank.rewards.models import Redemption, TillClosing
from pointsbank.rewards.policy import may_take_points
from pointsbank.rewards.queries import DayTotals, totals_on

# Of two who close at once the first is kept, and both are answered it.
CLOSE = text(
    """
    INSERT INTO till_closing (merchant_id, day, redemptions, points, voided, note,
                              closed_by_id, closed_at)
    VALUES (:merchant_id, :day, :redemptions, :points, :voided, :note, :closed_by_id, :now)
    ON CONFLICT (merchant_id, day) DO NOTHING
    RETURNING day
    """
).bindparams(bindparam("day", type_=Date()), bindparam("now", type_=Moment()))


@dataclass(frozen=True)
class Closing:
    """A closed day; closed_by is a masked name."""

    day: date
    totals: DayTotals
    closed_by: str
    closed_at: datetime
    note: str | None


def close_day(
    session: Session,
    *,
    actor: Actor,
    merchant_id: int,
    day: date,
    words: str | None,
    today: date,
    now: datetime,
) -> Closing:
    """Close a merchant's local day; a repeat changes nothing and answers the first closing.

    words: what the clerk leaves for the owner, such as what differed.
    Raises MerchantNotFound, DayNotClosable, DealsWaiting.
    """
    if not may_take_points(actor, merchant_id):
        raise MerchantNotFound
    if day > today:
        raise DayNotClosable
    standing = closing_of(session, merchant_id, day)
    if standing is not None:
        return standing
    waiting = session.scalar(
        select(func.count()).where(
            Redemption.merchant_id == merchant_id,
            Redemption.redeemed_on == day,
            Redemption.state == "waiting",
            Redemption.confirm_by > now,
        )
    )
    if waiting:
        raise DealsWaiting(number=waiting)
    totals = totals_on(session, merchant_id, day)
    values = {
        "merchant_id": merchant_id,
        "day": day,
        **vars(totals),
        "note": words,
        "closed_by_id": actor.member_id,
        "now": now,
    }
    if session.execute(CLOSE, values).first() is not None:
        note(
            session,
            at=now,
            actor_id=actor.member_id,
            action="close_till",
            subject=("merchant", merchant_id),
            day=day.isoformat(),
            points=totals.points,
        )
    closed = closing_of(session, merchant_id, day)
    assert closed is not None
    return closed


def closing_of(session: Session, merchant_id: int, day: date) -> Closing | None:
    """Return how a merchant's day was closed, None while it is open."""
    row = session.execute(
        select(TillClosing, Member.name)
        .join(Member, Member.id == TillClosing.closed_by_id)
        .where(TillClosing.merchant_id == merchant_id, TillClosing.day == day)
    ).first()
    if row is None:
        return None
    closing: TillClosing = row.TillClosing
    return Closing(
        closing.day,
        DayTotals(closing.redemptions, closing.points, closing.voided),
        masked_name(row.name),
        closing.closed_at,
        closing.note,
    )
