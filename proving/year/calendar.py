"""The moments at which a simulated scheduler looks, and what happens to its clock."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

ZONE = ZoneInfo("Asia/Shanghai")
# After the night's jobs, and after those of the morning.
LOOKS = (time(0, 45), time(8, 5))
WORKS = (time(10, 0), time(17, 0))


@dataclass(frozen=True)
class Interruptions:
    """What an interrupted life meets; none of it in its twin.

    down: days on which no scheduler runs; people go on working. gone: days that the clock
    jumps over, as on a machine that was asleep; nobody works then, in the twin neither.
    forward, back: the days on which it jumps two hours ahead and one hour back, soon after
    midnight.
    """

    down: frozenset[date] = field(default_factory=frozenset)
    gone: frozenset[date] = field(default_factory=frozenset)
    forward: date | None = None
    back: date | None = None


def days_from(first: date, count: int) -> Iterator[date]:
    """Give so many days in order."""
    yield from (first + timedelta(days=n) for n in range(count))


def looks_on(day: date, met: Interruptions | None) -> list[datetime]:
    """Return when a scheduler looks on a day, in the order in which it does.

    met: none for the twin, which looks every day at the same times.
    """
    usual = [at(day, moment) for moment in LOOKS]
    if met is None:
        return usual
    if day in met.down or day in met.gone:
        return []
    if day == met.forward:
        # From 00:02 to 02:02: none of the night's moments was ever now.
        return [at(day, time(0, 2)), at(day, time(2, 2)), *usual[1:]]
    if day == met.back:
        # At 00:45 the clock is set to 23:45 of the day before; then the night comes again.
        again = [at(day, time(0, 45)) - timedelta(minutes=m) for m in (60, 50, 40, 25, 10, 0)]
        return [usual[0], *again, *usual[1:]]
    return usual


def works_on(day: date, gone: frozenset[date]) -> list[datetime]:
    """Return when people work on a day."""
    return [] if day in gone else [at(day, moment) for moment in WORKS]


def at(day: date, moment: time) -> datetime:
    """Return a local moment."""
    return datetime.combine(day, moment, ZONE)


def interruptions_of(first: date, count: int) -> Interruptions:
    """Return what a stretch of days meets: the year's end is where nobody looks for five days.

    The jumps come at the ends of other months, where a period could be lost or done twice.
    """
    days = list(days_from(first, count))
    ends = [day for day in days if (day + timedelta(days=1)).day == 1]
    new_years = [day for day in days if (day.month, day.day) == (1, 1)]
    middle = new_years[0] if new_years else days[count // 2]
    # Far from the year's end, and long enough before the last day to be made good.
    others = [end for end in ends if abs((end - middle).days) > 10 and end < days[-9]]
    down = frozenset(middle + timedelta(days=n) for n in (-2, -1, 0, 1, 2))
    gone_from = others[-1] if len(others) > 2 else days[-6]
    return Interruptions(
        down=down,
        gone=frozenset(gone_from + timedelta(days=n) for n in range(3)),
        forward=(others[0] + timedelta(days=1)) if others else days[3],
        back=(others[1] + timedelta(days=1)) if len(others) > 1 else days[6],
    )
