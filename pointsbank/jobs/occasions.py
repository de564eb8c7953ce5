"""What a job is, and the tools by which a job tells on which occasions it is due."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from pointsbank.core.calendar import local_day, quarter_of
from pointsbank.jobs.errors import DayNotOver

# A job of every minute leaves half a million rows a year; what was done so long ago matters to
# nobody.
RUNS_KEPT = timedelta(days=30)
# Of the steps of all jobs none takes a minute on a district's data (bench/).
MAY_TAKE = timedelta(minutes=10)

# By how many months a period has: its name, of a day in it.
PERIOD_NAMES: dict[int, Callable[[date], str]] = {
    1: lambda day: f"{day:%Y-%m}",
    3: lambda day: quarter_of(day).name,
    12: lambda day: f"{day:%Y}",
}


@dataclass(frozen=True)
class Slot:
    """One occasion of a job; key stands in job_run beside the job's name, unique there.

    due_at: when it came, by which lateness is told; None for one that somebody asked for.
    """

    key: str
    period: str
    due_at: datetime | None = field(default=None, compare=False)


@dataclass(frozen=True)
class Step:
    """What one transaction of a job did; after one that was not the last, the next goes on.

    errand: what is to be done once that transaction is over, outside of any, and counted too;
    whatever waits for others, such as a call to another service, goes there. The lease does not
    fence it, so it must be harmless when two schedulers do it at once.
    """

    count: int
    is_last: bool = True
    errand: Callable[[], int] | None = None


Due = Callable[[datetime, ZoneInfo], list[Slot]]
Work = Callable[[Session, str, ZoneInfo, datetime], Step]
PeriodNow = Callable[[datetime, ZoneInfo], str]


@dataclass(frozen=True)
class Job:
    """A job; due tells its occasions that may still be to do, the oldest of a series first.

    A job that works from its sources tells the newest occasion only, which covers older ones.
    One whose effect belongs to a period tells every period of its look-back, each of which
    matters once.
    kept: how long the row of a run stays, longer than its occasion is due; None: for ever, as
    of a job of periods, of which a few rows come a year. may_take: a run that goes on for
    longer is stuck.
    """

    name: str
    due: Due
    work: Work
    period_now: PeriodNow
    kept: timedelta | None = RUNS_KEPT
    may_take: timedelta = MAY_TAKE


def newest_day(now: datetime, zone: ZoneInfo, at: time) -> list[Slot]:
    """Return the newest local day on which it has been this time."""
    local = now.astimezone(zone)
    is_over = local.time() >= at
    day = local.date() if is_over else local.date() - timedelta(days=1)
    return [Slot(day.isoformat(), day.isoformat(), datetime.combine(day, at, zone))]


def daily(at: time) -> Due:
    """Return what makes a job due each local day at this time; the newest covers older ones."""

    def due(now: datetime, zone: ZoneInfo) -> list[Slot]:
        return newest_day(now, zone, at)

    return due


def every_minutes(minutes: int) -> Due:
    """Return what makes a job due so often; the newest occasion covers older ones.

    minutes: a divisor of 60.
    """

    def due(now: datetime, zone: ZoneInfo) -> list[Slot]:
        begun = round_begun(now, zone, minutes)
        moment = f"{begun:%Y-%m-%dT%H:%M}"
        return [Slot(moment, moment, begun)]

    return due


def round_begun(now: datetime, zone: ZoneInfo, minutes: int) -> datetime:
    """Return when the running round of so many minutes began, by the local clock."""
    local = now.astimezone(zone)
    return local.replace(minute=local.minute - local.minute % minutes, second=0, microsecond=0)


def periods_over(
    now: datetime, zone: ZoneInfo, *, months: Sequence[int], at: time, back: timedelta
) -> list[Slot]:
    """Return the months, quarters and years that ended within the look-back, oldest first.

    For a job whose effect belongs to a period: each is an occasion of its own, also those that
    were missed. months: how long the periods are, of 1, 3 and 12; of those that end together
    the shorter comes first. at: the local time of the first day after a period from which on it
    is due. back: how long it stays due; state its reason where the job is.
    """
    slots = []
    first = local_day(now, zone).replace(day=1)
    while (due_at := datetime.combine(first, at, zone)) > now - back:
        if due_at <= now:
            last = first - timedelta(days=1)
            names = (
                PERIOD_NAMES[m](last)
                for m in sorted(months, reverse=True)
                if last.month % m == 0
            )
            slots += [Slot(name, name, due_at) for name in names]
        first = (first - timedelta(days=1)).replace(day=1)
    return slots[::-1]


def today(now: datetime, zone: ZoneInfo) -> str:
    """Return the local day as a period: 2026-11-21."""
    return local_day(now, zone).isoformat()


def minute_now(now: datetime, zone: ZoneInfo) -> str:
    """Return the local minute as a period: 2026-11-21T12:00."""
    return f"{now.astimezone(zone):%Y-%m-%dT%H:%M}"


def read_day(text: str) -> date:
    """Read 2026-11-21.

    Raises DayNotOver.
    """
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise DayNotOver from error


def day_that_came(period: str, now: datetime, zone: ZoneInfo) -> date:
    """Read a day, today or before.

    Raises DayNotOver.
    """
    day = read_day(period)
    if day > local_day(now, zone):
        raise DayNotOver
    return day
