"""Long random sequences of steps, each known by its seed; one that fails is made short."""

import random
import traceback
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, Protocol

Drawn = tuple[str, dict[str, int]]
Step = Callable[..., None]
# How often each step is taken among a hundred or so, and the bounds of the numbers it reads.
Deck = dict[str, tuple[int, Step, dict[str, tuple[int, int]]]]


class World(Protocol):
    """Something small that exists twice, as a model and as the service keeps it."""

    def close(self) -> None:
        """Compare what is too much to be compared after each step."""


class Ground(Protocol):
    """Where worlds are made, and the steps that are taken in them."""

    deck: Deck

    def clean(self) -> AbstractContextManager[Any]:
        """Give a new world in a clean database."""


@dataclass(frozen=True)
class Complaint:
    """Why a sequence failed, at which of its steps, and the shortest one found that fails."""

    why: str
    at: int
    shortest: list[Drawn]


def drawn(deck: Deck, seed: str, length: int) -> list[Drawn]:
    """Draw so many steps; the same seed draws the same."""
    dice = random.Random(seed)
    names = list(deck)
    chosen = dice.choices(names, [deck[name][0] for name in names], k=length)
    return [
        (name, {word: dice.randint(*bounds) for word, bounds in deck[name][2].items()})
        for name in chosen
    ]


def failure(place: Ground, steps: Sequence[Drawn]) -> tuple[str, int] | None:
    """Play a sequence in a clean world; return what went wrong and at which step, if anything.

    Whatever is raised counts, not only disagreement: the ledger refuses, it does not fail.
    """
    at = 0
    with place.clean() as world:
        try:
            for at, step in enumerate(steps):  # noqa: B007  # told when a step fails
                name, numbers = step
                place.deck[name][1](world, **numbers)
            world.close()
        except Exception as error:  # noqa: BLE001  # it is the finding
            return "".join(traceback.format_exception_only(error)).strip(), at
    return None


def judged(place: Ground, steps: list[Drawn]) -> Complaint | None:
    """Play a sequence; when it fails, look for the shortest part of it that fails as well."""
    found = failure(place, steps)
    if found is None:
        return None
    why, at = found
    return Complaint(why, at, shortened(place, steps[: at + 1]))


def shortened(place: Ground, steps: list[Drawn]) -> list[Drawn]:
    """Leave out parts, from halves down to single steps, for as long as it still fails."""
    size = max(1, len(steps) // 2)
    while True:
        begin, before = 0, len(steps)
        while begin < len(steps):
            rest = steps[:begin] + steps[begin + size :]
            if failure(place, rest) is not None:
                steps = rest
            else:
                begin += size
        if size == 1 and len(steps) == before:
            return steps
        size = max(1, size // 2)
