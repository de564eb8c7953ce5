"""Hypothesis draws the steps that proving draws from seeds, and makes short what fails."""

import math
from contextlib import ExitStack
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule, run_state_machine_as_test

from proving.sequences import Deck, Ground

# A step that is taken so often in a hundred is one rule; a more frequent one is several.
WEIGHT_A_RULE = 8


class Machine(RuleBasedStateMachine):
    """Every step of a deck as a rule; the world compares both sides after each."""

    place: Ground
    taken = 0

    def __init__(self) -> None:
        super().__init__()
        self.opened = ExitStack()
        self.world = self.opened.enter_context(self.place.clean())

    def teardown(self) -> None:
        """Compare what is compared once a world."""
        with self.opened:
            self.world.close()


def as_rule(deck: Deck, name: str) -> Any:
    """Return a rule that takes one step with numbers that Hypothesis draws."""
    _, function, bounds = deck[name]

    def act(machine: Machine, **numbers: int) -> None:
        type(machine).taken += 1
        function(machine.world, **numbers)

    act.__name__ = name
    strategies = {word: st.integers(low, high) for word, (low, high) in bounds.items()}
    return rule(**strategies)(act)


def run_machine(place: Ground, operations: int, steps_each: int) -> int:
    """Take at least so many steps in worlds of so many each; return how many were taken."""
    rules = {
        f"{name}_{number}" if number else name: as_rule(place.deck, name)
        for name, (weight, _, _) in place.deck.items()
        for number in range(max(1, round(weight / WEIGHT_A_RULE)))
    }
    machine = type("MachineHere", (Machine,), {"place": place, "taken": 0, **rules})
    # Some examples are shorter than they may be, so that what is left is played again.
    while (left := operations - machine.taken) > 0:
        run_state_machine_as_test(
            machine,
            settings=settings(
                max_examples=math.ceil(left / steps_each),
                stateful_step_count=steps_each,
                deadline=None,
                database=None,
                suppress_health_check=list(HealthCheck),
            ),
        )
    return machine.taken
