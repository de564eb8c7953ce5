"""Two people at once: two who confirm, one who confirms beside one who refuses, two who enter;
each with what happens without its guard."""

from functools import partial

import pytest

from pointsbank.appraisals import deciding, entering, meetings
from pointsbank.appraisals.errors import ExemptionStands, PaperDecided, PaperNotInForce
from pointsbank.appraisals.models import AppraisalMeeting, Deduction, Exemption
from pointsbank.appraisals.reading_queries import paper_of
from pointsbank.core.db import transaction
from pointsbank.members.models import Member
from tests.appraisals.committee_room import (
    a_room,
    appraisal,
    appraised,
    decided,
    deduction,
    entries,
    exemption,
    lifted,
)
from tests.builders import a_member, how_many, with_role
from tests.racing import forget_guard, forget_lock, loosened, meet_after, race

CLICKS = 6
PENDING = "state = 'pending'"


def alone(act):
    """Return a contestant with a transaction of its own."""

    def contestant():
        with transaction() as session:
            return act(session)

    return contestant


@pytest.fixture
def room(writing):
    with writing() as session:
        return a_room(session)


@pytest.fixture
def deciders(room, writing):
    """Four people who may decide."""
    with writing() as session:
        return [
            room.administrator_id,
            *(
                with_role(session, a_member(session), "secretary", room.branch_id)
                for _ in range(3)
            ),
        ]


def deciding_race(app, room, deciders, paper_id):
    """Let half of eight confirm and half refuse at once."""
    return race(
        app,
        [
            alone(
                lambda session, who=who, n=n: decided(
                    session, room, "deductions", paper_id, who, is_confirmed=n % 2 == 0
                )
            )
            for n, who in enumerate(deciders * 2)
        ],
    )


def test_of_many_who_decide_at_once_one_does(app, room, deciders, writing):
    with writing() as session:
        paper_id = deduction(session, room)
    answers = deciding_race(app, room, deciders, paper_id)
    states = [each for each in answers if isinstance(each, str)]
    assert len(states) == 1
    assert {type(each) for each in answers if not isinstance(each, str)} == {PaperDecided}
    with writing() as session:
        assert paper_of(session, "deductions", paper_id, ["/"]).state == states[0]
        assert len(entries(session, room.member_id)) == (states == ["confirmed"])


def test_control_without_the_guard_a_refused_deduction_counts(
    room, deciders, writing, monkeypatch
):
    """Let the state be asked by nobody: a second one decides, and contradicts the first.

    In this order, because the table itself refuses to let a counted one be refused.
    """
    loose = {
        **deciding.DECIDE,
        "deductions": loosened(deciding.DECIDE["deductions"], PENDING),
    }
    monkeypatch.setattr(deciding, "DECIDE", loose)
    with writing() as session:
        paper_id = deduction(session, room)
    answers = []
    for who, is_confirmed in zip(deciders, (False, True), strict=False):
        with writing() as session:
            made = decided(
                session, room, "deductions", paper_id, who, is_confirmed=is_confirmed
            )
            answers.append(made)
    assert answers == ["refused", "confirmed"]
    with writing() as session:
        assert len(entries(session, room.member_id)) == 1


def test_two_who_lift_at_once_take_it_away_once(app, room, deciders, writing):
    with writing() as session:
        paper_id = deduction(session, room)
        decided(session, room, "deductions", paper_id)
    answers = race(
        app,
        [
            alone(lambda session, who=who: lifted(session, room, "deductions", paper_id, who))
            for who in deciders
        ],
    )
    assert answers.count(None) == 1
    assert sum(type(each) is PaperNotInForce for each in answers) == 3
    with writing() as session:
        assert [entry[1] for entry in entries(session, room.member_id)] == [-500, 500]


def test_of_many_who_decide_an_appraisal_one_does(app, room, writing):
    with writing() as session:
        appraisal_id = appraisal(session, room)
    answers = race(
        app,
        [
            alone(lambda session, n=n: appraised(session, room, appraisal_id, n % 2 == 0))
            for n in range(6)
        ],
    )
    states = [each for each in answers if isinstance(each, str)]
    assert len(states) == 1
    with writing() as session:
        assert len(entries(session, room.member_id)) == (states == ["confirmed"])


def test_control_without_the_guard_an_appraisal_is_confirmed_and_refused(
    app, room, writing, monkeypatch
):
    forget_guard(monkeypatch, meetings, "DECIDE", PENDING)
    with writing() as session:
        appraisal_id = appraisal(session, room)
    answers = race(
        app,
        [
            alone(lambda session, n=n: appraised(session, room, appraisal_id, n % 2 == 0))
            for n in range(6)
        ],
    )
    assert len({each for each in answers if isinstance(each, str)}) == 2, answers


def entering_race(app, act):
    return race(app, [alone(act)] * CLICKS)


def test_a_double_click_enters_one_deduction_and_one_appraisal(app, room, writing):
    answers = entering_race(app, partial(deduction, room=room))
    assert len(set(answers)) == 1
    entering_race(app, partial(appraisal, room=room))
    with writing() as session:
        assert how_many(session, Deduction) == 1
        assert how_many(session, AppraisalMeeting) == 1


def test_two_who_enter_the_same_exemption_leave_one(app, room, deciders, writing):
    answers = race(
        app,
        [alone(lambda session, who=who: exemption(session, room, who)) for who in deciders],
    )
    assert sum(type(each) is ExemptionStands for each in answers) == 3
    with writing() as session:
        assert how_many(session, Exemption) == 1


@pytest.mark.engine("postgresql")
def test_control_without_the_lock_a_double_click_enters_more(app, room, writing, monkeypatch):
    forget_lock(monkeypatch, entering, Member.id)
    meet_after(monkeypatch, entering, "_same_that_waits", CLICKS)
    entering_race(app, partial(deduction, room=room))
    with writing() as session:
        assert how_many(session, Deduction) == CLICKS
