"""The deck of steps, and whom and what their numbers mean in the small world."""

from datetime import timedelta
from typing import Any

from proving.attendance.lines import Places
from proving.attendance.world import MOMENTS, VOLUNTEERS, World
from proving.sequences import Deck, Step

STEPS: Deck = {}
ANY = (0, 999)
FLAG = (0, 1)
WAYS = ("auto", "in", "out")
# An eighth of what is done is about the other shift, a quarter about anybody at all.
SOME = 8
OTHER = 4
NEAR_THE_END = timedelta(minutes=25)


def step(weight: int, **numbers: tuple[int, int]) -> Any:
    """Add a step to the list."""

    def add(function: Step) -> Step:
        STEPS[function.__name__] = (weight, function, numbers)
        return function

    return add


def place_of(world: World, who: int) -> tuple[int, Places]:
    """Return a shift: mostly the nearest one."""
    shift = world.shift if who % SOME else 1 - world.shift
    return shift, world.model.shifts[shift]


def either(world: World, which: int) -> tuple[int, Places]:
    """Return one of the shifts, as often the one as the other."""
    return which % 2, world.model.shifts[which % 2]


def somebody(world: World, who: int, shift: int) -> int:
    """Return a person: mostly one who has a place there, or is there."""
    places = world.model.shifts[shift]
    near = [
        each
        for each in world.model.members
        if places.living(each) is not None or world.model.sheets[shift, each].comings
    ]
    if world.now > places.ends_at - NEAR_THE_END:
        there = [each for each in near if not world.model.sheets[shift, each].has_left]
        near = there or near
    return near[who % len(near)] if near and who % OTHER else who % VOLUNTEERS


def way_of(world: World, way: int, shift: int, member: int) -> str:
    """Return in, out or automatic; mostly what makes sense for this person."""
    if way < len(WAYS):
        return WAYS[way]
    last, ends_at = world.model.sheets[shift, member].last, world.model.shifts[shift].ends_at
    is_there = last is not None and last.left_at is None
    return "out" if is_there and world.now > ends_at - NEAR_THE_END else "in"


def is_early(world: World, who: int) -> bool:
    """Tell whether it is too early for what mostly comes later; a few try all the same."""
    return world.now < MOMENTS[2] and who % SOME != 0


@step(4, seconds=(1, 900))
def wait(world: World, seconds: int) -> None:
    """Let time pass."""
    world.move(world.now + timedelta(seconds=seconds))


@step(16, far=(1, 2))
def leap(world: World, far: int) -> None:
    """Go on to where something happens again."""
    ahead = [each for each in MOMENTS if each > world.now][:far]
    world.move(ahead[-1] if ahead else world.now + timedelta(minutes=20))


@step(2, seconds=(1, 900))
def fall_back(world: World, seconds: int) -> None:
    """Set the server's clock back."""
    world.move(world.now - timedelta(seconds=seconds))
