"""The step of the job `settlement`, on the first of a month: one merchant after another."""

from datetime import datetime
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from pointsbank.core.calendar import read_period
from pointsbank.settlements.closing import close_through, next_to_close
from pointsbank.settlements.errors import MonthNotOver


def close_next(session: Session, period: str, zone: ZoneInfo, now: datetime) -> int:
    """Cut off one merchant's months; return how many, 0 when none is left that holds something.

    period: a month that is over, as 2026-11. Raises UnknownPeriod, MonthNotOver.
    """
    month = read_period(period)
    if now < month.ends_at(zone):
        raise MonthNotOver
    merchant_id = next_to_close(session, month, zone)
    if merchant_id is None:
        return 0
    return close_through(session, merchant_id=merchant_id, month=month, zone=zone, now=now)
