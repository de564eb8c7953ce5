"""The job `settlement`, on the first of a month: cuts months off, merchant after merchant."""

from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from pointsbank.core.calendar import read_period
from pointsbank.jobs.occasions import Slot, Step, periods_over
from pointsbank.settlements.closing import close_through, next_to_close
from pointsbank.settlements.errors import MonthNotOver

# Transactions that began before midnight are over by then.
SETTLES_AT = time(0, 15)
# No outage lasts longer than a quarter unnoticed; of what is older still, the oldest month of
# these makes every statement before it (close_through).
SETTLES_BACK = timedelta(days=100)


def due_settlement(now: datetime, zone: ZoneInfo) -> list[Slot]:
    """Return every month of the look-back whose cut-off has come, oldest first."""
    return periods_over(now, zone, months=(1,), at=SETTLES_AT, back=SETTLES_BACK)


def newest_month_over(now: datetime, zone: ZoneInfo) -> str:
    """Return the newest month whose cut-off has come, as 2026-11."""
    return due_settlement(now, zone)[-1].period


def work_settlement(session: Session, period: str, zone: ZoneInfo, now: datetime) -> Step:
    """Cut off the month of one merchant after the other.

    Raises UnknownPeriod, MonthNotOver.
    """
    count = close_next(session, period, zone, now)
    return Step(count, is_last=count == 0)


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
