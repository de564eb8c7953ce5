"""Two people at one notice at once, and a person and the clock: each with its control."""

import threading
from datetime import timedelta
from functools import partial

import pytest
from sqlalchemy import func, select

from pointsbank.core.db import run
from pointsbank.core.errors import Refusal
from pointsbank.notices import answering, drafting, objecting, reviewing, timekeeping
from pointsbank.notices.answering import answer_objection, decide_objection
from pointsbank.notices.drafting import replace_notice
from pointsbank.notices.models import Notice, Objection
from pointsbank.notices.objecting import NewObjection, raise_objection
from pointsbank.notices.objection_errors import (
    NoticeNotOpen,
    NoticeReviewed,
    ObjectionDecided,
)
from pointsbank.notices.queries import how_it_stands, undecided_objections
from pointsbank.notices.reviewing import review_notice
from pointsbank.notices.timekeeping import keep_time
from tests.builders import SHANGHAI, a_member
from tests.notices.boards import FACTS, MONDAY, TITLE, a_board, a_draft, at, grades
from tests.racing import MEET_SECONDS_MAX, forget_guard, forget_lock, meet_after, race

LAST = MONDAY + timedelta(days=7)
AFTER = LAST + timedelta(days=1)
WANTED = NewObjection("不对", "", 1)


@pytest.fixture
def board(writing):
    with writing() as session:
        return a_board(session)


@pytest.fixture
def draft(writing, board):
    with writing() as session:
        return a_draft(session, board)


def reviewer(board, notice_id, member_id):
    return partial(
        run,
        partial(
            review_notice,
            notice_id=notice_id,
            actor=board.actor(member_id),
            today=MONDAY,
            now=at(MONDAY),
        ),
    )


@pytest.fixture
def reviewers(board, draft):
    return [reviewer(board, draft, each) for each in (board.committee, board.second)]


@pytest.fixture
def shown(writing, board, draft, app):
    with app.app_context():
        reviewer(board, draft, board.committee)()
    return draft


@pytest.fixture
def objector(writing):
    with writing() as session:
        return a_member(session, "周大爷")


def objecting_on(notice_id, member_id, day):
    return partial(
        run,
        partial(
            raise_objection,
            notice_id=notice_id,
            by=member_id,
            wanted=WANTED,
            today=day,
            now=at(day, 23),
        ),
    )


def clock_on(day):
    return partial(run, partial(keep_time, today=day, zone=SHANGHAI, now=at(day, 1)))


def test_of_two_reviewers_at_once_one_opens_it(app, reviewers):
    answers = race(app, reviewers)
    assert sorted(type(each).__name__ for each in answers) == ["NoticeReviewed", "Reviewed"]


@pytest.mark.engine("postgresql")
def test_without_the_lock_it_is_opened_twice(app, reviewers, monkeypatch):
    """The control: both read a draft."""
    forget_lock(monkeypatch, drafting, Notice.id)
    meet_after(monkeypatch, reviewing, "people_in", 2)
    answers = race(app, reviewers)
    assert not [each for each in answers if isinstance(each, NoticeReviewed)]


def left(writing, notice_id):
    with writing() as session:
        return how_it_stands(session, notice_id).state, undecided_objections(session, notice_id)


def test_an_objection_of_the_last_second_and_the_lock_exclude_each_other(
    app, writing, shown, objector
):
    answers = race(app, [objecting_on(shown, objector, LAST), clock_on(AFTER)])
    if isinstance(answers[0], NoticeNotOpen):
        assert left(writing, shown) == ("locked", 0)
    else:
        assert left(writing, shown) == ("open", 1)


@pytest.mark.engine("postgresql")
def test_without_the_lock_a_notice_becomes_final_over_an_objection(
    app, writing, shown, objector, monkeypatch
):
    """The control: the clock has counted before the objection is written, and locks after."""
    forget_lock(monkeypatch, drafting, Notice.id)
    counted, written = threading.Event(), threading.Event()
    count, take = timekeeping.undecided_objections, objecting.people_in

    def count_first(*given):
        found = count(*given)
        counted.set()
        assert written.wait(MEET_SECONDS_MAX)
        return found

    def after_the_count(*given):
        assert counted.wait(MEET_SECONDS_MAX)
        return take(*given)

    monkeypatch.setattr(timekeeping, "undecided_objections", count_first)
    monkeypatch.setattr(objecting, "people_in", after_the_count)

    def object_then_tell():
        try:
            return objecting_on(shown, objector, LAST)()
        finally:
            written.set()

    answers = race(app, [object_then_tell, clock_on(AFTER)])
    assert not [each for each in answers if isinstance(each, Exception)], answers
    assert left(writing, shown) == ("locked", 1)


@pytest.fixture
def accepted(app, writing, board, shown, objector):
    """An objection that is being looked into."""
    with app.app_context():
        raised = objecting_on(shown, objector, MONDAY)()
    with writing() as session:
        answer_objection(
            session,
            objection_id=raised.id,
            actor=board.actor(board.committee),
            is_accepted=True,
            reason="",
            now=at(MONDAY),
        )
    return raised.id


@pytest.fixture
def deciders(board, accepted):
    return [
        partial(
            run,
            partial(
                decide_objection,
                objection_id=accepted,
                actor=board.actor(member_id),
                is_upheld=is_upheld,
                reason="查过了",
                now=at(MONDAY, 15),
            ),
        )
        for member_id, is_upheld in ((board.committee, True), (board.second, False))
    ]


def test_of_two_decisions_at_once_one_stands(app, writing, shown, accepted, deciders):
    answers = race(app, deciders)
    said = [each for each in answers if isinstance(each, str)]
    assert len(said) == 1, answers
    assert [type(each) for each in answers if each not in said] == [ObjectionDecided]
    expected = "contested" if said == ["upheld"] else "open"
    with writing() as session:
        assert session.scalar(select(Objection.state)) == said[0]
    assert left(writing, shown) == (expected, 0)


@pytest.mark.engine("postgresql")
def test_without_the_guard_both_decisions_are_taken(app, deciders, monkeypatch):
    """The control: whoever comes second writes over the first."""
    forget_guard(monkeypatch, answering, "DECIDE", "state = 'accepted'")
    assert sorted(race(app, deciders)) == ["rejected", "upheld"]


def replacing(board, notice_id):
    return partial(
        run,
        partial(
            replace_notice,
            notice_id=notice_id,
            lines=grades(*reversed(board.members)),
            facts=FACTS,
            title=TITLE,
            by_id=board.secretary,
            reason="更正",
            now=at(AFTER, 1),
        ),
    )


def test_a_correction_and_the_lock_exclude_each_other(app, writing, board, shown):
    answers = race(app, [replacing(board, shown), clock_on(AFTER)])
    with writing() as session:
        number = session.scalar(select(func.count()).select_from(Notice))
    if isinstance(answers[0], Refusal):
        assert (answers[0].code, number) == ("notice_not_alive", 1)
        assert left(writing, shown)[0] == "locked"
    else:
        assert (number, left(writing, shown)[0]) == (2, "replaced")


@pytest.mark.engine("postgresql")
def test_without_lock_and_guard_what_is_final_is_replaced(
    app, writing, board, shown, monkeypatch
):
    """The control: the correction has read an open notice when the clock makes it final."""
    forget_lock(monkeypatch, drafting, Notice.id)
    loose = "state IN ('draft', 'reviewed', 'open', 'contested')"
    forget_guard(monkeypatch, drafting, "REPLACE", loose)
    has_looked, is_final = threading.Event(), threading.Event()
    look = drafting.undecided_objections

    def look_and_wait(*given):
        found = look(*given)
        has_looked.set()
        assert is_final.wait(MEET_SECONDS_MAX)
        return found

    monkeypatch.setattr(drafting, "undecided_objections", look_and_wait)

    def lock_then_tell():
        assert has_looked.wait(MEET_SECONDS_MAX)
        try:
            return clock_on(AFTER)()
        finally:
            is_final.set()

    answers = race(app, [replacing(board, shown), lock_then_tell])
    # The table's own rule catches it: a replaced notice has no moment at which it became final.
    assert isinstance(answers[0], Exception)
    assert "ck_notice_locked" in str(answers[0])
    assert left(writing, shown)[0] == "locked"


@pytest.fixture
def drafters(board):
    def draft(session):
        return a_draft(session, board, subject="grades:of both")

    return [partial(run, draft)] * 2


def test_of_two_drafts_about_one_subject_one_stands(app, writing, drafters):
    answers = race(app, drafters)
    assert sorted(type(each).__name__ for each in answers) == ["NoticeAlive", "int"]
    with writing() as session:
        assert session.scalar(select(func.count()).select_from(Notice)) == 1
