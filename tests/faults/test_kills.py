"""Clients over HTTP who retry, while workers, backends and servers are killed."""

import dataclasses

import pytest

from proving.client import Record
from proving.controls import CONTROLS, run_control
from proving.district import District
from proving.faults import Round, ground, run_round
from proving.reader import errors_of
from proving.verdict import Kept, compare

# Twenty in all. A worker or a service that starts again costs seconds of the processor, a
# backend next to nothing. make prove does a thousand (proving/faults.py, DECKS).
FAULTS = {
    "sqlite": ("worker", "worker", "service", "worker", "worker"),
    "postgresql": ("backend", "postgres", "worker", "backend", "backend")
    + ("postgres", "backend", "service", "backend", "postgres")
    + ("backend", "backend", "worker", "backend", "postgres"),
}
ANSWERS_BETWEEN = 10
ACKNOWLEDGED_MIN = 50


@pytest.mark.slow
def test_nothing_told_is_lost_and_nothing_is_done_twice(engine_name, dice):
    asked = Round(
        engine_name, str(dice.random()), FAULTS[engine_name], answers_between=ANSWERS_BETWEEN
    )
    with ground(engine_name) as place:
        outcome = run_round(place, asked)
    assert (outcome.lost, outcome.doubled, outcome.wrong) == ([], [], []), outcome
    assert sum(outcome.faults.values()) == len(asked.faults)
    assert outcome.acknowledged >= ACKNOWLEDGED_MIN
    assert outcome.reads > 0


@pytest.mark.slow
@pytest.mark.engine("sqlite")
def test_without_a_key_retries_are_served_twice(engine_name, dice):
    """Control A: nothing need be killed, answers that are lost on the way are enough."""
    control = dataclasses.replace(
        CONTROLS[0], faults=(), lost_answers=0.3, answers_first=ACKNOWLEDGED_MIN
    )
    assert run_control(control, str(dice.random()), print)["is_found"]


TOWN = District([], frozenset({"member:1", "member:2"}), 100)
READ = [
    ("member:1", 5, 0),
    ("member:2", 7, 7),
    ("=wallets", 12, 0),
    ("=shops", 3, 0),
    ("=handed over", 3, 0),
    ("=goods", 100, 0),
]


@pytest.mark.parametrize(
    ("place", "row", "error"),
    [
        (0, ("member:9", 5, 0), "unexpected account member:9"),
        (0, ("member:1", None, 0), "missing balance of member:1"),
        (0, ("member:1", 6, 0), "wrong total"),
        (0, ("member:1", -5, 0), "negative"),
        (1, ("member:2", 7, 8), "negative"),
        (4, ("=handed over", 4, 0), "wrong total"),
        (5, ("=goods", 99, 0), "wrong total"),
    ],
)
def test_each_error_of_a_read_is_seen(place, row, error):
    assert errors_of(READ, TOWN) == []
    wrong = [row if index == place else right for index, right in enumerate(READ)]
    assert any(found.startswith(error) for found in errors_of(wrong, TOWN))


# A redemption that was told and is kept: what the records and the tables say of it.
SENT = {"order": 1, "state": "sent", "key": "k1"}
TOLD = {"order": 1, "state": "ok", "redemption": 7, "number": "N7", "points": 4, "key": "k1"}
KEPT = Kept(
    redemptions={7: (7, "N7", "completed", 4, 70)},
    transfers={"redeem:N7": (70, 4)},
    by_key={"k1": 7},
    awards={},
)
GONE = dataclasses.replace(KEPT, redemptions={}, transfers={}, by_key={})
TWICE = Kept(
    redemptions={**KEPT.redemptions, 8: (8, "N8", "completed", 4, 80)},
    transfers={**KEPT.transfers, "redeem:N8": (80, 4)},
    by_key={"k1": 7, "k2": 8},
    awards={},
)


def compared(folder, kept, *events):
    record = Record(folder / "record-c0.jsonl")
    record.write(order=1, state="begun", kind="redeem", member=3)
    for event in events:
        record.write(**event)
    record.close()
    return compare(folder, kept)


def test_what_was_told_and_is_kept_is_right(tmp_path):
    verdict = compared(tmp_path, KEPT, SENT, TOLD)
    assert (verdict.lost, verdict.doubled, verdict.wrong) == ([], [], [])
    assert verdict.acknowledged == 1


@pytest.mark.parametrize(
    "kept",
    [GONE, dataclasses.replace(KEPT, transfers={}), dataclasses.replace(KEPT, redemptions={})],
)
def test_what_was_told_and_is_not_kept_is_lost(tmp_path, kept):
    assert compared(tmp_path, kept, SENT, TOLD).lost == ["redemption N7"]


def test_one_order_kept_under_two_keys_is_doubled(tmp_path):
    verdict = compared(tmp_path, TWICE, SENT, SENT | {"key": "k2"}, TOLD)
    assert len(verdict.doubled) == 1
    assert verdict.wrong == []


def test_what_was_refused_and_kept_is_wrong(tmp_path):
    refused = {"order": 1, "state": "fail", "code": "out_of_stock"}
    assert "refused and kept" in compared(tmp_path, KEPT, SENT, refused).wrong[0]


def test_what_nobody_asked_for_is_wrong(tmp_path):
    wrong = compared(tmp_path, TWICE, SENT, TOLD).wrong
    assert wrong == ["nobody sent the key k2", "nobody asked for redemption 8"]


def test_what_stayed_unknown_is_kept_once_or_not_at_all(tmp_path):
    verdict = compared(tmp_path, KEPT, SENT)
    assert (verdict.wrong, verdict.unknown_done) == ([], 1)
    (tmp_path / "record-c0.jsonl").unlink()
    verdict = compared(tmp_path, GONE, SENT)
    assert (verdict.wrong, verdict.unknown_done) == ([], 0)
