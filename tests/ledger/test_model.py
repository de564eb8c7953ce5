"""The ledger against a small model in plain Python, driven by Hypothesis, on both engines."""

import math
from contextlib import ExitStack

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule, run_state_machine_as_test

from pointsbank.ledger import service
from proving.places import Place, place
from proving.sequences import drawn, failure, judged
from proving.steps import STEPS
from proving.world import World

# 20,000 in all; a step on PostgreSQL takes twice as long.
OPERATIONS = {"sqlite": 18_000, "postgresql": 2_000}
STEPS_EACH = 100


class Machine(RuleBasedStateMachine):
    """Every step of proving/steps.py as a rule; the world compares both sides after each."""

    place: Place
    taken = 0

    def __init__(self) -> None:
        super().__init__()
        self.opened = ExitStack()
        self.world: World = self.opened.enter_context(self.place.clean())

    def teardown(self) -> None:
        with self.opened:
            self.world.close()


def as_rule(name):
    """Return a rule that takes one step with numbers that Hypothesis draws."""
    _, function, bounds = STEPS[name]

    def act(machine, **numbers):
        type(machine).taken += 1
        function(machine.world, **numbers)

    act.__name__ = name
    strategies = {word: st.integers(low, high) for word, (low, high) in bounds.items()}
    return rule(**strategies)(act)


@pytest.fixture
def clean_place(create_database_from_template):
    with place(create_database_from_template()) as made:
        yield made


@pytest.mark.slow
def test_the_ledger_behaves_as_the_model(clean_place, engine_name):
    rules = {name: as_rule(name) for name in STEPS}
    machine = type("LedgerHere", (Machine,), {"place": clean_place, "taken": 0, **rules})
    # Some examples are shorter than they may be, so that what is left is played again.
    while (left := OPERATIONS[engine_name] - machine.taken) > 0:
        run_state_machine_as_test(
            machine,
            settings=settings(
                max_examples=math.ceil(left / STEPS_EACH),
                stateful_step_count=STEPS_EACH,
                deadline=None,
                database=None,
                suppress_health_check=list(HealthCheck),
            ),
        )


@pytest.mark.engine("sqlite")
def test_what_differs_by_a_day_is_found_and_made_short(clean_place, monkeypatch):
    """Control: points that come back are good for a day less than the rule says."""
    monkeypatch.setattr(service, "RETURN_GRACE_DAYS", 29)
    steps = drawn("control", 300)
    found = judged(clean_place, steps)
    assert found is not None
    assert "lots: the ledger holds" in found.why
    assert len(found.shortest) < found.at / 2
    assert {"earn", "spend", "take_back"} <= {name for name, _ in found.shortest}
    assert failure(clean_place, found.shortest) is not None
    monkeypatch.undo()
    assert failure(clean_place, found.shortest) is None


def test_a_seed_draws_the_same_steps(dice):
    seed = str(dice.random())
    assert drawn(seed, 50) == drawn(seed, 50)
    assert drawn(seed, 50) != drawn(f"{seed}:", 50)
