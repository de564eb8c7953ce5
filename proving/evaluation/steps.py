"""What may happen: work and what takes it back, moves, rules, spending, and roll-ups."""

from datetime import date, timedelta
from typing import Any

from proving.evaluation.history import Span
from proving.evaluation.world import NAMES, PERIODS, VERSIONS, World
from proving.sequences import Deck, Step

STEPS: Deck = {}
WHO = (0, len(NAMES) - 1)
ANY = (0, 999)
PERIOD = (0, len(PERIODS) - 1)
# Earned or entered up to so many days ago: into the quarter before.
BACK = (0, 75)
ITEMS = ("volunteer_hour", "volunteer_hour", "night_patrol", "theme_day", "study_session")
REASONS = ("over_70", "long_illness", "mobile", "mobile")
FIRST_DAY = date(2026, 8, 2)


def step(weight: int, **numbers: tuple[int, int]) -> Any:
    """Add a step to the list."""

    def add(function: Step) -> Step:
        STEPS[function.__name__] = (weight, function, numbers)
        return function

    return add


def day_ago(world: World, back: int) -> date:
    """Return a day some days ago."""
    return max(FIRST_DAY, world.today - timedelta(days=back))


@step(24, who=WHO, which=ANY, back=BACK, size=(1, 8))
def work(world: World, who: int, which: int, back: int, size: int) -> None:
    """Settle work, most of it of these days, some entered late."""
    code = ITEMS[which % len(ITEMS)]
    day = day_ago(world, back if which % 3 else back % 5)
    rules = world.history.rules_on(day)
    if code not in rules.items:
        return
    is_party_duty = rules.items[code][0] in ("organization_life", "study")
    points = 0 if is_party_duty else size * 10
    world.award(who, code, day, size * 50, points, 0 if is_party_duty else size * 30)


@step(4, which=ANY)
def strike_out(world: World, which: int) -> None:
    """Strike an award out."""
    if world.awards:
        world.strike_out(which % len(world.awards))


@step(4, which=ANY, points=(1, 40))
def take_back(world: World, which: int, points: int) -> None:
    """Take points of an award back."""
    if world.awards:
        world.take_back(which % len(world.awards), points)


@step(5, who=WHO, points=(1, 30))
def spend(world: World, who: int, points: int) -> None:
    """Redeem something."""
    world.spend(who, points)


@step(3, who=WHO, back=BACK, size=(2, 20))
def deduct(world: World, who: int, back: int, size: int) -> None:
    """Confirm a deduction."""
    world.deduct(who, day_ago(world, back), size * 100)


@step(6, who=WHO, where=(0, 2), grid=(0, 2), back=BACK)
def move(world: World, who: int, where: int, grid: int, back: int) -> None:
    """Let somebody change branch or grid, in the middle of a period."""
    world.move(who, where, None if grid == 2 else grid, day_ago(world, back))


@step(4, who=WHO, which=ANY, back=BACK, length=(0, 90))
def exempt(world: World, who: int, which: int, back: int, length: int) -> None:
    """Confirm an exemption, for a time or for good."""
    begins = day_ago(world, back)
    ends = begins + timedelta(days=length) if length else None
    world.exempt(who, Span(REASONS[which % len(REASONS)], begins, ends))


@step(2, who=WHO)
def lift(world: World, who: int) -> None:
    """Lift somebody's exemptions."""
    world.lift(who)


@step(2, who=WHO, back=BACK)
def veto(world: World, who: int, back: int) -> None:
    """Confirm a veto."""
    world.veto(who, day_ago(world, back))


@step(2, who=WHO)
def suspend(world: World, who: int) -> None:
    """Stop an account or let it go on."""
    world.suspend(who)


@step(1, which=(0, len(VERSIONS) - 1), back=(-20, 20))
def publish(world: World, which: int, back: int) -> None:
    """Publish another version of the standard, in force from a day near by."""
    if len(world.history.versions) <= len(VERSIONS):
        world.publish(which, world.today - timedelta(days=back))


@step(8, days=(1, 9))
def pass_days(world: World, days: int) -> None:
    """Let days pass, so that weeks, months and the year end."""
    world.now += timedelta(days=days)


@step(14, which=PERIOD, size=(1, 40))
def roll_up(world: World, which: int, size: int) -> None:
    """Roll a period up to its end in steps of any size, and compare everything."""
    period = PERIODS[which]
    while not world.steps(period, 1, size):
        pass
    world.compare(period)


@step(8, which=PERIOD, size=(1, 6), most=(1, 3))
def roll_up_a_little(world: World, which: int, size: int, most: int) -> None:
    """Take a step or some of a roll-up, and leave the rest."""
    world.steps(PERIODS[which], most, size)


@step(6, which=PERIOD, size=(1, 40))
def crash(world: World, which: int, size: int) -> None:
    """Let a step die before its end."""
    world.crash(PERIODS[which], size)
