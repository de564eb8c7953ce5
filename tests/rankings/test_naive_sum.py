"""The roll-up against a naive sum of random histories: moves, rules, reversals, crashes."""

import pytest

from pointsbank.appraisals import deciding
from pointsbank.rankings import rolling_up, sources
from pointsbank.scoring.evaluating import ItemCaps
from proving.evaluation import world as worlds
from proving.evaluation.grounds import Histories
from proving.evaluation.steps import STEPS
from proving.machine import run_machine
from proving.sequences import drawn, failure

# What fits into twenty seconds; `make prove` takes a quarter of a million steps.
OPERATIONS = {"sqlite": 400, "postgresql": 100}
STEPS_EACH = 50
CHUNK = 120
HISTORIES_MAX = 8


@pytest.fixture
def histories(databases, engine_name):
    made = Histories(lambda: databases.for_one_test(engine_name)[0])
    yield made
    made.dispose()


@pytest.mark.slow
def test_the_roll_up_equals_a_naive_sum(histories, engine_name):
    taken = run_machine(histories, OPERATIONS[engine_name], STEPS_EACH)
    assert taken >= OPERATIONS[engine_name]


@pytest.mark.slow
@pytest.mark.parametrize("seed", ["history 1", "history 2"])
def test_a_drawn_history_is_counted_as_the_naive_sum_says(histories, seed, engine_name):
    length = CHUNK if engine_name == "sqlite" else CHUNK // 3
    assert failure(histories, drawn(STEPS, seed, length)) is None


def caps_left_out(monkeypatch):
    """Items have no caps of their own."""
    monkeypatch.setattr(
        rolling_up, "caps_for", lambda *_: dict.fromkeys(sources.caps_for(*_), ItemCaps())
    )


def papers_unseen(monkeypatch):
    """Exemptions and vetoes leave no row for the roll-up."""
    monkeypatch.setattr(deciding, "note_change", lambda *_, **__: None)


def reversals_unseen(monkeypatch):
    """What the ledger takes back stays earned."""
    monkeypatch.setattr(worlds, "lower_score", lambda *_, **__: None)


# What each is told by; one of so many histories shows it.
CONTROLS = {
    caps_left_out: "standings of",
    papers_unseen: "standings of",
    reversals_unseen: "standings of",
}


@pytest.mark.slow
@pytest.mark.engine("sqlite")
@pytest.mark.parametrize(("weaken", "said"), CONTROLS.items())
def test_control_a_weakened_roll_up_is_found(histories, monkeypatch, weaken, said):
    weaken(monkeypatch)
    for number in range(HISTORIES_MAX):
        found = failure(histories, drawn(STEPS, f"control {number}", CHUNK))
        if found is not None:
            assert said in found[0]
            return
    raise AssertionError(f"{HISTORIES_MAX} histories went as the naive sum says")
