"""Local months as budgets name them."""

from datetime import datetime
from zoneinfo import ZoneInfo

from pointsbank.budgets.errors import NotAMonth
from pointsbank.core.calendar import Period, UnknownPeriod, local_month, read_period

MONTHS_A_YEAR = 12


def read_month(name: str) -> Period:
    """Read 2026-11.

    Raises NotAMonth.
    """
    try:
        period = read_period(name)
    except UnknownPeriod as error:
        raise NotAMonth from error
    if period.name != f"{period.first_on:%Y-%m}":
        raise NotAMonth
    return period


def month_now(now: datetime, zone: ZoneInfo) -> Period:
    """Return the local month of this moment."""
    return read_period(local_month(now, zone))


def months_from(period: Period, count: int) -> Period:
    """Return the month so many months after this one, or before it when count is negative."""
    year, month = divmod(
        MONTHS_A_YEAR * period.first_on.year + period.first_on.month - 1 + count, MONTHS_A_YEAR
    )
    return read_period(f"{year}-{month + 1:02}")
