"""The deck of steps, and whom and what their numbers mean in the small marketplace."""

from collections.abc import Sequence
from typing import Any, TypeVar

from proving.marketplace.world import ADMINISTRATORS, BUYERS, CLERKS, World
from proving.sequences import Deck, Step

T = TypeVar("T")

STEPS: Deck = {}
ANY = (0, 999)
FLAG = (0, 1)
# Most of what is done is done by who may do it, to what was begun last.
SOME = 8
LATE = 4


def step(weight: int, **numbers: tuple[int, int]) -> Any:
    """Add a step to the list."""

    def add(function: Step) -> Step:
        STEPS[function.__name__] = (weight, function, numbers)
        return function

    return add


def late(things: Sequence[T], which: int, wanted: Sequence[int] = ()) -> int | None:
    """Return the number of one of the last of those that are wanted, or now and then of any.

    Returns None when there is nothing, and mostly when none is wanted.
    """
    if not things or (not wanted and which % LATE):
        return None
    if wanted and which % SOME:
        last = list(wanted)[-LATE:]
        return last[which % len(last)]
    return which % len(things)


def buyer(who: int) -> int:
    """Return somebody who has points."""
    return BUYERS[who % len(BUYERS)]


def clerk_at(merchant: int, who: int) -> int:
    """Return a clerk, nearly always one of this merchant."""
    own = [each for each, merchants in CLERKS.items() if merchant in merchants]
    everyone = list(CLERKS)
    return own[who % len(own)] if who % SOME else everyone[who % len(everyone)]


def administrator(who: int) -> int:
    """Return one of the administrators."""
    return ADMINISTRATORS[who % len(ADMINISTRATORS)]


def reward_like(world: World, which: int, *kinds: str) -> int:
    """Return a reward, nearly always of one of these kinds."""
    rewards = world.model.rewards
    fitting = [
        no
        for no, each in enumerate(rewards)
        if each.kind in kinds and not each.is_for_others and not each.stars
    ]
    if fitting and which % SOME:
        return fitting[which % len(fitting)]
    return which % len(rewards)


def merchant_for(world: World, reward: int, which: int) -> int:
    """Return at which merchant it is asked for: nearly always the reward's own."""
    own = world.model.rewards[reward].merchant
    return own if which % SOME else which // SOME % len(world.model.merchants)
