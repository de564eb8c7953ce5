"""Pure rules of budgets: months, how much of one is used, when to warn."""

from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from pointsbank.budgets.errors import NotAMonth
from pointsbank.core.calendar import Period, UnknownPeriod, local_month, read_period

# Administrators are told when this share of a month's budget is issued.
WARN_PERCENT = 80
MONTHS_A_YEAR = 12

NO_LIMIT, ROOM, NEARLY, FULL = "no_limit", "room", "nearly", "full"


@dataclass(frozen=True)
class Budget:
    """A month of an issuing organization: points issued, and the limit when there is one."""

    issued: int
    points_max: int | None

    @property
    def left(self) -> int | None:
        """How many points may still be issued; None without a limit."""
        return None if self.points_max is None else self.points_max - self.issued

    @property
    def percent(self) -> int | None:
        """The used share in whole per cent, rounded down: 100 only when nothing is left."""
        if self.points_max is None:
            return None
        return 100 * self.issued // self.points_max if self.points_max else 100

    @property
    def state(self) -> str:
        """One of no_limit, room, nearly (80 % and more) and full."""
        if self.percent is None:
            return NO_LIMIT
        if not self.left:
            return FULL
        return NEARLY if self.percent >= WARN_PERCENT else ROOM


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
