"""The evaluator against the shared vectors, and the order in which it judges."""

import itertools
import json
from dataclasses import fields, replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from pointsbank.attendance.models import OCCURRENCES_MAX, RESULTS
from pointsbank.attendance.policy import (
    Case,
    Judgement,
    Rules,
    judge,
    metres_between,
    minutes_of_presence,
)
from tests.attendance.scene import ENDS, RULES, STARTS

VECTORS = json.loads((Path(__file__).parents[1] / "vectors" / "judge.json").read_text())
MOMENTS = {field.name for field in fields(Case) if "datetime" in str(field.type)}


def case_from(values: dict) -> Case:
    return Case(
        **{
            name: datetime.fromisoformat(value) if name in MOMENTS and value else value
            for name, value in values.items()
        }
    )


@pytest.mark.parametrize("vector", VECTORS["cases"], ids=lambda vector: vector["name"])
def test_the_vectors_hold(vector):
    judgement = judge(case_from(vector["case"]), Rules(**VECTORS["rules"]))
    expected = vector["expect"]
    assert {name: getattr(judgement, name) for name in expected} == expected


def test_the_vectors_reach_every_reason_and_act():
    reasons = {vector["expect"]["reason"] for vector in VECTORS["cases"]}
    assert reasons == {
        *("ok_in", "ok_out", "repeat_just_now", "waitlisted", "already_in", "already_out"),
        *("not_claimed", "full", "wrong_shift", "too_early", "too_late", "code_expired"),
        *("card_revoked", "bad_code", "bad_signature", "wrong_purpose", "not_member"),
        *("suspended", "no_permission", "no_shift", "called_off", "not_in", "settled"),
        *("not_eligible", "no_more_pairs", "wrong_digits", "digits_locked", "poster_waiting"),
    }
    acts = {vector["expect"]["act"] for vector in VECTORS["cases"]}
    assert acts == {"none", "check_in", "join", "wait", "check_out", "move_check_out"}


# Each step with what makes it refuse; a scan with all of them is told the first only.
LADDER = [
    ({"kind": "unknown"}, "bad_code"),
    ({"is_genuine": False}, "bad_signature"),
    ({"kind": "redemption"}, "wrong_purpose"),
    ({"is_fresh": False}, "code_expired"),
    ({"member_state": "suspended"}, "suspended"),
    ({"may_scan": False}, "no_permission"),
    ({"claim": None, "is_eligible": False}, "not_eligible"),
    ({"claim": None, "places_left": 1}, "not_claimed"),
    ({"at": STARTS - timedelta(hours=2)}, "too_early"),
    ({"claim": "waitlisted"}, "full"),
]


@pytest.mark.parametrize("step", range(len(LADDER)), ids=lambda step: LADDER[step][1])
def test_the_first_fault_is_the_one_that_is_told(step):
    changes: dict = {}
    for later, _ in reversed(LADDER[step:]):
        changes.update(later)
    case = Case(at=STARTS, kind="venue", claim="claimed", starts_at=STARTS, ends_at=ENDS)
    assert judge(replace(case, **changes), RULES).reason == LADDER[step][1]


def every_case():
    """Yield the product of what a scan can be, some thirty thousand cases."""
    gone = STARTS + timedelta(hours=1)
    marks = [
        (0, None, None),
        (1, None, None),
        (1, STARTS, None),
        (1, STARTS, gone),
        (3, STARTS, gone),
    ]
    switches = (False, True)
    moments = [
        STARTS - timedelta(hours=2),
        STARTS + timedelta(minutes=1),
        ENDS,
        ENDS + timedelta(hours=2),
    ]
    for (pairs, came, left), at, claim, free, direction, fits in itertools.product(
        marks, moments, (None, "claimed", "waitlisted"), (0, 2), ("in", "out", "auto"), switches
    ):
        for lead, phone, confirm, note, settled in itertools.product(switches, repeat=5):
            yield Case(
                at=at,
                kind="personal",
                claim=claim,
                places_left=free,
                is_eligible=fits,
                direction=direction,
                starts_at=STARTS,
                ends_at=ENDS,
                pairs=pairs,
                checked_in_at=came,
                checked_out_at=left,
                is_lead=lead,
                is_same_device=phone,
                confirm=confirm,
                has_note=note,
                is_settled=settled,
            )


def faults_of(case: Case, judgement: Judgement) -> list[str]:
    """Return which promises of the evaluator a judgement breaks."""
    comes = judgement.act in ("check_in", "join")
    promises = {
        "a result of three": judgement.result in RESULTS,
        "an effect only of ok": judgement.act == "none" or judgement.result == "ok",
        "in once": not comes
        or case.checked_in_at is None
        or (case.checked_out_at is not None and case.at >= case.checked_out_at),
        "no fourth time": not comes or case.pairs < OCCURRENCES_MAX,
        "nothing after settlement": not comes or case.pairs == 0 or not case.is_settled,
        "let in with a reason": judgement.act not in ("join", "wait")
        or case.is_eligible
        or (case.is_lead and case.has_note),
        "out after in": judgement.act != "check_out"
        or (case.checked_in_at is not None and case.checked_out_at is None),
        "moved only unsettled": judgement.act != "move_check_out" or not case.is_settled,
        "no place for who waits": judgement.act != "check_in" or case.claim == "claimed",
        "joins only where free": judgement.act != "join" or case.places_left > 0,
        "insisting only on a question": not judgement.may_confirm
        or judgement.result == "confirm",
    }
    return [promise for promise, is_kept in promises.items() if not is_kept]


def test_whatever_the_case_the_promises_are_kept():
    count = 0
    for case in every_case():
        count += 1
        assert faults_of(case, judge(case, RULES)) == [], case
    assert count == 23040


def test_insisting_goes_on_from_every_question_that_may_be_insisted_on():
    """The doors insist with the direction that the question showed."""
    for case in every_case():
        first = judge(replace(case, confirm=False, has_note=False), RULES)
        is_backwards = case.checked_in_at is not None and case.at < case.checked_in_at
        if first.result != "confirm" or not first.may_confirm or is_backwards:
            continue
        shown = first.direction or case.direction
        insisted = judge(replace(case, confirm=True, has_note=True, direction=shown), RULES)
        later = ("too_early", "too_late", "full", "settled", "no_more_pairs")
        assert insisted.reason != first.reason
        assert insisted.result == "ok" or insisted.reason in later, case
        is_there = case.checked_in_at is not None and case.checked_out_at is None
        # Insisting on a second check-in is leaving; everything else keeps its way.
        assert is_there or insisted.direction == first.direction, case


@pytest.mark.parametrize(
    ("came", "left", "minutes"),
    [
        (0, 150, 150),
        (-20, 150, 150),
        (10, 150, 140),
        (0, 200, 150),
        (0, 90, 90),
        (160, 170, 0),
        (-20, -10, 0),
    ],
)
def test_only_the_time_of_the_shift_counts(came, left, minutes):
    pair = (STARTS + timedelta(minutes=came), STARTS + timedelta(minutes=left))
    assert minutes_of_presence([pair], STARTS, ENDS) == minutes


@pytest.mark.parametrize(
    ("one", "other", "metres"),
    [
        ((37.87, 113.58), (37.87, 113.58), 0),
        ((37.87, 113.58), (37.88, 113.58), 1112),
        ((0.0, 179.999), (0.0, -179.999), 222),
        ((90.0, 0.0), (-90.0, 0.0), 20_015_087),
    ],
)
def test_distances_on_the_globe(one, other, metres):
    assert metres_between(one, other) == pytest.approx(metres, rel=0.01, abs=0.5)
