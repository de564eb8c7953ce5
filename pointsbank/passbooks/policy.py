"""Pure rules of the book: where a line came from, and how lines are gathered under months."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from pointsbank.core.calendar import local_day, midnight
from pointsbank.ledger.queries import Line

IN_KINDS = ("earn", "gift_in", "adjust_up")
OUT_KINDS = ("spend", "expire", "gift_out", "donate", "adjust_down")
# What most gifts and donations are; any other number can be typed.
POINTS_TO_CHOOSE = (10, 20, 50, 100, 200)
# What a reader may choose to see alone.
FILTERS = {"in": IN_KINDS, "out": OUT_KINDS, "reversal": ("reversal",)}
# The first word of a transfer's key, and what stands behind it.
SOURCES = {
    "award": "claim",
    "redeem": "redemption",
    "void": "void",
    "expire": "expiry",
    "dispute": "dispute",
    "adjust": "adjustment",
}
MOVES = ("gift", "donation")


@dataclass(frozen=True)
class ServiceTime:
    """A member's service time in minutes: all of it, and this calendar year's."""

    minutes: int
    year_minutes: int


# Service time lives in a room above this one; the app hands its query in (app.extensions).
FindServiceTime = Callable[[Session, int, date], ServiceTime]
# So do adjustments by hand: terms and values behind those of these lines, by transfer id.
FindWordsBehind = Callable[[Session, Sequence[Line]], dict[int, list[tuple[str, str]]]]


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
    if kind == "reversal":
        # What follows is the line that was taken back, which reverses_line names better.
        return {"kind": kind}
    # A move has two rows, donation:5:out and donation:5:in.
    number = rest.partition(":")[0] if kind in MOVES else rest
    return {"kind": kind, "id": int(number)} if number.isdecimal() else {"kind": kind}


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


@dataclass(frozen=True)
class Entry:
    """A line as far as giving is judged by it; points are above zero when they came in."""

    transfer_id: int
    kind: str
    points: int
    reverses_id: int | None = None


@dataclass
class Shares:
    """What a book holds: own is what was earned, given what was received as a gift."""

    own: int = 0
    given: int = 0


def shares_of(entries: Iterable[Entry]) -> Shares:
    """Replay a whole book from its first line and return what it holds of either share.

    Spending and donating take what was received first, everything else what was earned. What a
    line took comes back as the share it was taken from, the received part first.
    Rule: docs/ledger.md, "Gifts and care funds".
    """
    shares = Shares()
    taken: dict[int, int] = {}
    gifts: set[int] = set()
    for entry in entries:
        if entry.points > 0:
            given = _given_coming_in(entry, taken)
            shares.given += given
            shares.own += entry.points - given
            if entry.kind == "gift_in":
                gifts.add(entry.transfer_id)
        else:
            points = -entry.points
            is_given_first = entry.kind in ("spend", "donate") or entry.reverses_id in gifts
            given = min(shares.given, points) if is_given_first else points - shares.own
            given = max(0, given)
            taken[entry.transfer_id] = given
            shares.given -= given
            shares.own -= points - given
    return shares


def _given_coming_in(entry: Entry, taken: dict[int, int]) -> int:
    """Return how many of the points that come in were somebody's gift."""
    if entry.kind == "gift_in":
        return entry.points
    if entry.reverses_id is None:
        return 0
    given = min(taken.get(entry.reverses_id, 0), entry.points)
    taken[entry.reverses_id] = taken.get(entry.reverses_id, 0) - given
    return given


def giftable_points(entries: Iterable[Entry], available: int) -> int:
    """Return how many points may be given away: those earned, as far as they are available."""
    return max(0, min(shares_of(entries).own, available))
