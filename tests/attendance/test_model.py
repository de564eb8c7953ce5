"""Claims, scans and awards against a small model in plain Python, driven by Hypothesis."""

import itertools

import pytest

from pointsbank.attendance import settling
from pointsbank.tasks import claiming
from proving.attendance.grounds import Afternoons
from proving.attendance.steps import STEPS
from proving.machine import run_machine
from proving.sequences import drawn, failure, judged

# What fits into twenty seconds; `make prove` takes a quarter of a million steps.
OPERATIONS = {"sqlite": 600, "postgresql": 300}
STEPS_EACH = 50
CHUNK = 150


@pytest.fixture
def afternoons(databases, engine_name):
    made = Afternoons(lambda: databases.for_one_test(engine_name)[0])
    yield made
    made.dispose()


@pytest.mark.slow
def test_attendance_behaves_as_the_model(afternoons, engine_name):
    taken = run_machine(afternoons, OPERATIONS[engine_name], STEPS_EACH)
    assert taken >= OPERATIONS[engine_name]


# Each seed is a whole afternoon and evening, with awards in it.
@pytest.mark.slow
@pytest.mark.parametrize("seed", ["day 1", "day 2"])
def test_a_drawn_day_goes_as_the_model_says(afternoons, seed):
    assert failure(afternoons, drawn(STEPS, seed, CHUNK)) is None


@pytest.mark.engine("sqlite")
def test_control_places_that_are_not_counted_are_found_and_made_short(afternoons, monkeypatch):
    monkeypatch.setattr(claiming, "take_place", lambda *_: True)
    found = judged(afternoons, drawn(STEPS, "control", CHUNK))
    assert found is not None
    assert "fewer counted than taken" in found.why
    assert len(found.shortest) <= 4
    monkeypatch.undo()
    assert failure(afternoons, found.shortest) is None


@pytest.mark.engine("sqlite")
def test_control_points_that_are_awarded_twice_are_found(afternoons, monkeypatch):
    """The award is guarded thrice: what is settled, who was credited, and the key."""
    numbers = itertools.count(1)
    key_of = settling.award_key
    monkeypatch.setattr(settling, "is_to_settle", lambda *_: True)
    monkeypatch.setattr(settling, "_further", lambda _: None)
    monkeypatch.setattr(settling, "award_key", lambda line: f"{key_of(line)}:{next(numbers)}")
    steps = drawn(STEPS, "twice 1", CHUNK)
    why, at = failure(afternoons, steps)
    assert "awards of" in why
    monkeypatch.undo()
    assert failure(afternoons, steps[: at + 1]) is None
