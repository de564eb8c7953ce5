"""Offers, orders, deals, voids, loans and statements against a small model in plain Python."""

import pytest
from sqlalchemy import text

from pointsbank.core.db import Moment
from pointsbank.rewards import bounds, ordering
from pointsbank.rewards.guarding import guarded
from pointsbank.settlements import closing
from proving.machine import run_machine
from proving.marketplace.grounds import Seasons
from proving.marketplace.steps import STEPS
from proving.sequences import drawn, failure, shortened

# What fits into twenty seconds; `make prove` takes two hundred thousand steps.
OPERATIONS = {"sqlite": 200, "postgresql": 50}
STEPS_EACH = 50
CHUNK = 150


@pytest.fixture
def seasons(databases, engine_name):
    made = Seasons(lambda: databases.for_one_test(engine_name)[0])
    yield made
    made.dispose()


@pytest.mark.slow
def test_the_marketplace_behaves_as_the_model(seasons, engine_name):
    taken = run_machine(seasons, OPERATIONS[engine_name], STEPS_EACH)
    assert taken >= OPERATIONS[engine_name]


# A month and more, with voids, loans and statements in it.
@pytest.mark.slow
@pytest.mark.engine("sqlite")
def test_a_drawn_season_goes_as_the_model_says(seasons):
    assert failure(seasons, drawn(STEPS, "season 1", CHUNK)) is None


def share_stays(monkeypatch):
    """What is taken back does not return to the share of its member."""
    monkeypatch.setattr(bounds, "RETURN_SHARE", text("SELECT 1"))


def hold_stays(monkeypatch):
    """What nobody fetched returns to the shelf, and its points stay held."""
    monkeypatch.setattr(ordering, "void_hold", lambda *_, **__: None)


def stock_stays(monkeypatch):
    """What is ordered is not taken from the shelf."""
    counting = "SET stock = stock - :quantity"
    statement = str(ordering.TAKE_PIECES.element)
    assert counting in statement
    taking = guarded(statement.replace(counting, "SET stock = stock"))
    monkeypatch.setattr(ordering, "TAKE_PIECES", taking.columns(valid_until=Moment()))


def voids_left_out(monkeypatch):
    """A statement takes up what was taken, and not what went back."""
    unsettled = closing.unsettled
    monkeypatch.setattr(
        closing, "unsettled", lambda *of: [e for e in unsettled(*of) if e.kind != "void"]
    )


# What each is told by; one of so many seasons shows it.
CONTROLS = {
    share_stays: "a share is what is had",
    hold_stays: "hold",
    stock_stays: "rewards: the ledger holds",
    voids_left_out: "statements: the ledger holds",
}
SEASONS_MAX = 8
FEW, SHORT = 30, 3


def first_found(seasons, length=CHUNK):
    """Return the steps after which the first of some seasons differs, and what is said then."""
    for number in range(SEASONS_MAX):
        steps = drawn(STEPS, f"control {number}", length)
        if found := failure(seasons, steps):
            why, at = found
            return steps[: at + 1], why
    raise AssertionError(f"{SEASONS_MAX} seasons went as the model says")


@pytest.mark.engine("sqlite")
@pytest.mark.parametrize(("weaken", "said"), CONTROLS.items())
def test_control_a_weakened_service_is_found(seasons, monkeypatch, weaken, said):
    weaken(monkeypatch)
    steps, why = first_found(seasons)
    assert said in why
    monkeypatch.undo()
    assert failure(seasons, steps) is None


@pytest.mark.engine("sqlite")
def test_control_what_is_found_is_made_short(seasons, monkeypatch):
    stock_stays(monkeypatch)
    steps, _ = first_found(seasons, FEW)
    shortest = [name for name, _ in shortened(seasons, steps)]
    assert shortest[-1] == "order"
    assert len(shortest) <= SHORT
