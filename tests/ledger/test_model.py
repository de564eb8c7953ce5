"""The ledger against a small model in plain Python, driven by Hypothesis, on both engines."""

import pytest

from pointsbank.ledger import service
from proving.machine import run_machine
from proving.places import place
from proving.sequences import drawn, failure, judged
from proving.steps import STEPS

# 20,000 in all; a step on PostgreSQL takes twice as long.
OPERATIONS = {"sqlite": 18_000, "postgresql": 2_000}
STEPS_EACH = 100


@pytest.fixture
def clean_place(create_database_from_template):
    with place(create_database_from_template()) as made:
        yield made


@pytest.mark.slow
def test_the_ledger_behaves_as_the_model(clean_place, engine_name):
    taken = run_machine(clean_place, OPERATIONS[engine_name], STEPS_EACH)
    assert taken >= OPERATIONS[engine_name]


@pytest.mark.engine("sqlite")
def test_what_differs_by_a_day_is_found_and_made_short(clean_place, monkeypatch):
    """Control: points that come back are good for a day less than the rule says."""
    monkeypatch.setattr(service, "RETURN_GRACE_DAYS", 29)
    steps = drawn(STEPS, "control", 300)
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
    assert drawn(STEPS, seed, 50) == drawn(STEPS, seed, 50)
    assert drawn(STEPS, seed, 50) != drawn(STEPS, f"{seed}:", 50)
