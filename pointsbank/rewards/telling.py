"""Telling people of what they set aside: it runs out soon, or is not handed over for now."""

from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import Date, TextClause, bindparam, text
from sqlalchemy.orm import Session

from pointsbank.core.calendar import local_day
from pointsbank.core.db import Moment
from pointsbank.messages.service import tell

# Told in the morning of the day before, so one has that day and the last one to go there.
ENDS_WITHIN_DAYS = 1

# The key is put together in the statement, so that only those are found who were not told yet.
UNTOLD = """
    SELECT placed.id, placed.member_id, placed.expires_at,
           reward.name AS reward_name, merchant.name AS shop_name
    FROM reward_order AS placed
    JOIN reward ON reward.id = placed.reward_id
    JOIN merchant ON merchant.id = placed.merchant_id
    WHERE placed.state = 'reserved' AND placed.way = 'voucher' AND placed.expires_at > :now
      AND NOT EXISTS (
          SELECT 1 FROM message WHERE message.key = :cause || CAST(placed.id AS varchar))
      AND {condition}
    ORDER BY placed.id
    LIMIT :limit
"""
STOPPED = """
    (merchant.state <> 'active'
     OR (merchant.takes_until IS NOT NULL AND merchant.takes_until < :today))
"""


def _untold(condition: str) -> TextClause:
    return text(UNTOLD.format(condition=condition)).bindparams(bindparam("now", type_=Moment()))


# Of what is not handed over for now people are told by tell_of_stopped alone.
ENDING = _untold(f"placed.expires_at < :until AND NOT {STOPPED}").bindparams(
    bindparam("until", type_=Moment()), bindparam("today", type_=Date())
)
AT_STOPPED = _untold(STOPPED).bindparams(bindparam("today", type_=Date()))


def tell_of_vouchers(session: Session, *, now: datetime, zone: ZoneInfo, limit: int) -> int:
    """Tell members of vouchers that run out today or tomorrow; return how many were told.

    Each voucher is told of once, under voucher_ends:{order}. limit: at most so many in this
    transaction.
    """
    today = local_day(now, zone)
    day_after = today + timedelta(days=ENDS_WITHIN_DAYS + 1)
    until = {"until": datetime.combine(day_after, time(), zone)}
    return _tell(session, ENDING, "voucher_ends", today=today, now=now, limit=limit, more=until)


def tell_of_stopped(session: Session, *, today: date, now: datetime, limit: int) -> int:
    """Tell members whose vouchers stand at a merchant that takes no points for now, once each;
    return how many were told.

    today: the local day. It is found here whichever way the merchant came to stop.
    """
    return _tell(session, AT_STOPPED, "order_stopped", today=today, now=now, limit=limit)


def _tell(
    session: Session,
    statement: TextClause,
    kind: str,
    *,
    today: date,
    now: datetime,
    limit: int,
    more: dict[str, datetime] | None = None,
) -> int:
    cause = f"{kind}:"
    values = {"cause": cause, "today": today, "now": now, "limit": limit, **(more or {})}
    found = session.execute(statement.columns(expires_at=Moment()), values).all()
    return sum(
        tell(
            session,
            key=f"{cause}{placed.id}",
            member_id=placed.member_id,
            kind=kind,
            facts={
                "order_id": placed.id,
                "reward": placed.reward_name,
                "shop": placed.shop_name,
                "ends_at": placed.expires_at.isoformat(),
            },
            now=now,
        )
        for placed in found
    )
