"""Local days, working days and half-open evaluation periods."""

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from pointsbank.core.errors import Invalid

PERIOD_PATTERN = re.compile(
    r"(?P<year>20\d\d)(?:-(?:Q(?P<quarter>[1-4])|(?P<month>0[1-9]|1[0-2])))?"
)
SATURDAY = 5


class UnknownPeriod(Invalid):
    """A period is a year, a quarter or a month."""

    code = "unknown_period"
    message = "A period is written 2026, 2026-Q4 or 2026-11."


class NotAQuarter(Invalid):
    """Some sheets are made for quarters only."""

    code = "not_a_quarter"
    message = "A quarter is written 2026-Q4."


@dataclass(frozen=True)
class Period:
    """A half-open span of local days: first_on is in it, end_on is not."""

    name: str
    first_on: date
    end_on: date

    def starts_at(self, zone: ZoneInfo) -> datetime:
        """Return the first moment of the period, in UTC."""
        return midnight(self.first_on, zone)

    def ends_at(self, zone: ZoneInfo) -> datetime:
        """Return the first moment after the period, in UTC."""
        return midnight(self.end_on, zone)


def midnight(day: date, zone: ZoneInfo) -> datetime:
    """Return the moment a local day begins, in UTC."""
    return datetime.combine(day, time(), zone).astimezone(UTC)


def local_day(moment: datetime, zone: ZoneInfo) -> date:
    """Return the date on the wall calendar at this moment."""
    return moment.astimezone(zone).date()


def read_period(name: str) -> Period:
    """Read 2026, 2026-Q4 or 2026-11.

    Raises UnknownPeriod.
    """
    match = PERIOD_PATTERN.fullmatch(name)
    if match is None:
        raise UnknownPeriod(period=name[:20])
    year = int(match["year"])
    if match["quarter"]:
        first_month, months = 3 * int(match["quarter"]) - 2, 3
    elif match["month"]:
        first_month, months = int(match["month"]), 1
    else:
        first_month, months = 1, 12
    end_year, end_month = divmod(12 * year + first_month - 1 + months, 12)
    return Period(name, date(year, first_month, 1), date(end_year, end_month + 1, 1))


def read_quarter(name: str) -> Period:
    """Read 2026-Q4 and nothing else.

    Raises NotAQuarter.
    """
    match = PERIOD_PATTERN.fullmatch(name)
    if match is None or not match["quarter"]:
        raise NotAQuarter
    return read_period(name)


def quarter_of(day: date) -> Period:
    """Return the quarter that a local day falls in."""
    return read_period(f"{day.year}-Q{(day.month + 2) // 3}")


def quarter_before(period: Period) -> Period:
    """Return the quarter that ends where this period begins."""
    return quarter_of(period.first_on - timedelta(days=1))


def local_month(moment: datetime, zone: ZoneInfo) -> str:
    """Return the month on the wall calendar at this moment, as 2026-11."""
    return f"{local_day(moment, zone):%Y-%m}"


def end_of_next_year(day: date) -> date:
    """Return 31 December of the year after, on which points expire by default.

    The last day on which a new version of the rules may begin, too.
    """
    return date(day.year + 1, 12, 31)
