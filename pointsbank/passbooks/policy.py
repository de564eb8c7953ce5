"""Pure rules of the book: where a line came from, and how lines are gathered under months."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from pointsbank.core.calendar import local_day, midnight
from pointsbank.ledger.queries import Line

IN_KINDS = ("earn", "gift_in", "adjust_up")
OUT_KINDS = ("spend", "expire", "gift_out", "donate", "adjust_down")
# What a reader may choose to see alone.
FILTERS = {"in": IN_KINDS, "out": OUT_KINDS, "reversal": ("reversal",)}
# The first word of a transfer's key, and what stands behind it.
SOURCES = {"award": "claim", "redeem": "redemption", "void": "void", "expire": "expiry"}


@dataclass(frozen=True)
class ServiceTime:
    """A member's service time in minutes: all of it, and this calendar year's."""

    minutes: int
    year_minutes: int


# Service time lives in a room above this one; the app hands its query in (app.extensions).
FindServiceTime = Callable[[Session, int, date], ServiceTime]


@dataclass(frozen=True)
class Month:
    """A calendar month of the book, by the day on which its lines were written."""

    first_on: date
    lines: tuple[Line, ...]

    @property
    def carried(self) -> int:
        """The balance before the oldest of these lines."""
        return self.lines[-1].balance_after - self.lines[-1].points


def source_of(key: str) -> dict[str, str | int]:
    """Return where a line came from by its key: {"kind": "claim", "id": 17} for award:17."""
    word, _, rest = key.partition(":")
    kind = SOURCES.get(word, word)
    if kind == "expiry":
        return {"kind": kind, "on": rest.rpartition(":")[2]}
    if kind == "redemption":
        return {"kind": kind, "number": rest}
    return {"kind": kind, "id": int(rest)} if rest.isdecimal() else {"kind": kind}


def by_month(lines: Iterable[Line], zone: ZoneInfo) -> list[Month]:
    """Gather lines, newest first, under the months in which they were written."""
    found: dict[date, list[Line]] = {}
    for line in lines:
        on = local_day(line.recorded_at, zone)
        found.setdefault(date(on.year, on.month, 1), []).append(line)
    return [Month(first_on, tuple(of_month)) for first_on, of_month in found.items()]


def span_of_year(year: int, zone: ZoneInfo) -> tuple[datetime, datetime]:
    """Return the half-open span of a local calendar year."""
    return midnight(date(year, 1, 1), zone), midnight(date(year + 1, 1, 1), zone)
