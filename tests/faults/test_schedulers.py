"""Four schedulers in processes of their own: each period once, whoever is killed or stopped."""

import pytest

from proving.model import clean_database
from proving.schedulers.contest import kill_leaders, stall_leader

# make prove kills fifty an engine (proving/schedulers/contest.py, KILLS).
KILLS = 4


@pytest.mark.slow
def test_each_period_is_done_once_though_every_leader_is_killed(engine_name, dice):
    with clean_database(engine_name) as url:
        outcome = kill_leaders(url, engine_name, str(dice.random()), KILLS)
    assert (outcome.doubled, outcome.lost) == ([], []), outcome
    assert outcome.leaders >= KILLS
    assert outcome.periods > 4 * KILLS


@pytest.mark.slow
def test_without_lease_and_with_the_row_apart_from_the_effect_doubles_are_seen(
    engine_name, dice
):
    """The control: nobody need be killed."""
    with clean_database(engine_name) as url:
        outcome = kill_leaders(
            url, engine_name, str(dice.random()), 1, "no lease, row after the effect"
        )
    assert outcome.doubled


@pytest.mark.slow
def test_what_a_stopped_leader_does_late_is_undone(engine_name, tmp_path):
    """On SQLite nobody works meanwhile: who stands still in a step holds the file."""
    with clean_database(engine_name) as url:
        assert stall_leader(url, tmp_path / "stall") == ([], [])


@pytest.mark.slow
@pytest.mark.engine("postgresql")
def test_without_the_fence_what_a_stopped_leader_does_late_is_kept_twice(engine_name, tmp_path):
    """The control: its step was begun under a lease that another has by now."""
    with clean_database(engine_name) as url:
        doubled, _ = stall_leader(url, tmp_path / "stall", "no fence")
    assert doubled
