"""Steps in time: seconds, days and the ends of months pass; jobs run, or not."""

from datetime import datetime, time, timedelta

from proving.marketplace.deck import step
from proving.marketplace.shelf import first_after, month_of
from proving.marketplace.world import World
from tests.builders import SHANGHAI

NIGHTLY = ("contracts", "expiry")
# Of thirty leaps, up to which number they go to each of the moments of leap_from.
LEAPS = (14, 18, 20, 23, 26, 28, 29)


@step(8, seconds=(1, 600))
def wait(world: World, seconds: int) -> None:
    """Let time pass."""
    world.move(world.now + timedelta(seconds=seconds))


@step(9, far=(0, 29))
def leap(world: World, far: int) -> None:
    """Go on to a morning, to just before a month's end or just after it, or far ahead."""
    leap_to = next(no for no, most in enumerate(LEAPS) if far <= most)
    world.move(leap_from(world.now.astimezone(SHANGHAI), leap_to))


def leap_from(now: datetime, far: int) -> datetime:
    """Return the moment to which a leap goes; it is never before the one it comes from."""
    morning = datetime.combine(now.date() + timedelta(days=1), time(9), SHANGHAI)
    next_month = datetime.combine(first_after(month_of(now.date())), time(), SHANGHAI)
    ends = (
        morning,
        morning + timedelta(days=2),
        morning + timedelta(days=7),
        next_month - timedelta(seconds=30),
        next_month + timedelta(minutes=20),
        next_month + timedelta(days=5, minutes=1),
        morning + timedelta(days=120),
    )
    return max(now, ends[far])


@step(5)
def each_minute(world: World) -> None:
    """Let the jobs of a minute run."""
    world.job("confirmations")
    world.job("orders")


@step(4)
def each_night(world: World) -> None:
    """Let the jobs of a night run."""
    for name in NIGHTLY:
        world.job(name)


@step(2, which=(0, 2))
def one_job(world: World, which: int) -> None:
    """Let one job run without the others, as when they failed."""
    world.job(("contracts", "expiry", "confirmations")[which])
