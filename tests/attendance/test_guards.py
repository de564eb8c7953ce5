"""Deciding at once: every guard holds on both engines, and taken away, the race shows.

The controls run on PostgreSQL: on SQLite writers take turns from their first read on, so there
is nothing to see between a read and a write of two of them.
"""

import threading
from datetime import timedelta

import pytest
from sqlalchemy import func, select, text

from pointsbank.attendance import differences, reviewing, settling, vouching
from pointsbank.attendance.differences import LEAVE_OUT, LET_IN, differences_of
from pointsbank.attendance.models import Attendance, CoSignature, ScanDifference
from pointsbank.attendance.review_errors import CannotVouch, DifferenceDecided, ReviewDecided
from pointsbank.core.audit import AuditEntry
from pointsbank.core.db import run, transaction
from pointsbank.ledger.queries import balance_of
from pointsbank.ledger.verifying import offenders
from tests.attendance.crowd import AFTER, a_reviewer, many_come
from tests.attendance.scene import ENDS, STARTS, actor_of, reason
from tests.attendance.test_differences import IN, settle_it, upload
from tests.attendance.test_reviewing import decide, doubtful, settle, waiting
from tests.builders import how_many
from tests.racing import MEET_SECONDS_MAX, race

__all__ = ["doubtful"]  # pytest finds fixtures by name

LEAVES_EARLY = STARTS + timedelta(minutes=100)
# As long as a settlement is held up for somebody whom its locks hold up in turn.
COMES_WITHIN_SECONDS = 1.5
BACK = LEAVES_EARLY + timedelta(minutes=1)


def noted(session, action):
    return session.scalar(
        select(func.count()).select_from(AuditEntry).where(AuditEntry.action == action)
    )


def unguarded(statement, condition):
    """Return the same statement without the condition that lets one of two win."""
    words = str(statement.text)
    assert condition in words
    kinds = {each.key: each for each in statement._bindparams.values()}
    return text(words.replace(condition, "")).bindparams(kinds["now"])


@pytest.fixture
def meet_instead_of_lock(monkeypatch):
    """Let two who decide wait for one another where they would have locked the shift."""

    def patch(module, number=2):
        meeting = threading.Barrier(number, timeout=MEET_SECONDS_MAX)
        monkeypatch.setattr(module, "locked_shift", lambda *_: meeting.wait())

    return patch


def sign(scene, actor):
    return run(
        lambda session: vouching.co_sign(
            session, shift_id=scene.shift_id, actor=actor, now=AFTER
        )
    )


def test_two_sign_at_once_and_the_organizer_cannot(app, scene, writing):
    people = many_come(scene, writing, 2, stay_until=ENDS)
    with writing() as session:
        signers = [actor_of(session, people[0]), a_reviewer(session), scene.organizer]
    answers = race(app, [lambda each=each: sign(scene, each) for each in signers])
    assert isinstance(answers[2], CannotVouch)
    assert not [each for each in answers[:2] if isinstance(each, Exception)], answers
    with writing() as session:
        signed = session.execute(select(CoSignature.member_id, CoSignature.people)).all()
        assert dict(map(tuple, signed)) == {each.member_id: 2 for each in signers[:2]}
        assert noted(session, "shift_co_signed") == 2


def sign_twice_with_one_more_between(app, scene, writing, monkeypatch):
    """Sign for two, and before that is written, on another device, for three."""
    people = many_come(scene, writing, 2, stay_until=ENDS)
    with writing() as session:
        signer = actor_of(session, people[0])
    counted, signed = threading.Event(), threading.Event()
    count, slow = vouching.people_come, threading.local()

    def count_slowly(session, shift_id):
        number = count(session, shift_id)
        if getattr(slow, "waits", False):
            slow.waits = False
            counted.set()
            assert signed.wait(MEET_SECONDS_MAX)
        return number

    monkeypatch.setattr(vouching, "people_come", count_slowly)

    def early():
        slow.waits = True
        return sign(scene, signer)

    def late():
        assert counted.wait(MEET_SECONDS_MAX)
        many_come(scene, writing, 1, stay_until=ENDS)
        try:
            return sign(scene, signer)
        finally:
            signed.set()

    answers = race(app, [early, late])
    assert not [each for each in answers if isinstance(each, Exception)], answers
    with writing() as session:
        return session.scalar(select(CoSignature.people))


@pytest.mark.engine("postgresql")
def test_the_signature_for_more_people_stands(app, scene, writing, monkeypatch):
    assert sign_twice_with_one_more_between(app, scene, writing, monkeypatch) == 3


@pytest.mark.engine("postgresql")
def test_without_the_guard_an_older_signature_takes_its_place(app, scene, writing, monkeypatch):
    careless = unguarded(vouching.SIGN, "WHERE co_signature.people < excluded.people")
    monkeypatch.setattr(vouching, "SIGN", careless)
    assert sign_twice_with_one_more_between(app, scene, writing, monkeypatch) == 2


def decide_both_ways(app, scene, writing):
    """Let one lead let a scan in while another leaves it out; return their answers."""
    upload(app, scene, scene.stranger, STARTS, IN)
    with writing() as session:
        scan_id = differences_of(session, scene.shift_id)[0].scan_id

    def settle_as(decision):
        return run(lambda session: settle_it(session, scan_id, decision, scene.organizer))

    return race(app, [lambda: settle_as(LET_IN), lambda: settle_as(LEAVE_OUT)])


def test_a_difference_is_let_in_or_left_out_and_never_both(app, scene, writing):
    answers = decide_both_ways(app, scene, writing)
    refused = [each for each in answers if isinstance(each, DifferenceDecided)]
    assert len(refused) == 1, answers
    with writing() as session:
        decision = session.scalar(select(ScanDifference.decision))
        assert how_many(session, Attendance) == (1 if decision == LET_IN else 0)


@pytest.mark.engine("postgresql")
def test_without_the_guard_a_difference_is_let_in_and_left_out(
    app, scene, writing, monkeypatch, meet_instead_of_lock
):
    monkeypatch.setattr(
        differences, "DECIDE", unguarded(differences.DECIDE, "AND decision IS NULL")
    )
    meet_instead_of_lock(differences)
    answers = decide_both_ways(app, scene, writing)
    assert not [each for each in answers if isinstance(each, Exception)], answers
    with writing() as session:
        assert noted(session, "difference_let_in") == 1
        assert noted(session, "difference_leave_out") == 1


def approve_twice(app, doubtful, writing):
    _, secretary = doubtful
    with writing() as session:
        review = waiting(session, secretary)[0]
        both = [secretary, a_reviewer(session, "赵主任", "administrator")]
    answers = race(
        app,
        [
            lambda each=each: run(lambda session: decide(session, review.id, each))
            for each in both
        ],
    )
    return review.member_id, answers


def test_of_two_approvals_at_once_one_counts(app, doubtful, writing):
    member_id, answers = approve_twice(app, doubtful, writing)
    assert len([each for each in answers if isinstance(each, ReviewDecided)]) == 1, answers
    with writing() as session:
        assert balance_of(session, f"member:{member_id}").available == 25
        assert noted(session, "attendance_approved") == 1
        assert offenders(session) == []


@pytest.mark.engine("postgresql")
def test_without_the_guard_both_approvals_count(
    app, doubtful, writing, monkeypatch, meet_instead_of_lock
):
    monkeypatch.setattr(
        reviewing, "DECIDE", unguarded(reviewing.DECIDE, "AND review_state = 'waiting'")
    )
    meet_instead_of_lock(reviewing)
    _, answers = approve_twice(app, doubtful, writing)
    assert not [each for each in answers if isinstance(each, Exception)], answers
    with writing() as session:
        assert noted(session, "attendance_approved") == 2


def come_back_while_settling(app, scene, monkeypatch):
    """Let somebody come back after a settlement read the list and before it is written."""
    scene.check_in(STARTS)
    scene.check_out(LEAVES_EARLY)
    has_read, is_back = threading.Event(), threading.Event()
    read_lines, reads = settling.sheet_lines, []

    def read_slowly(session, *more):
        lines = read_lines(session, *more)
        reads.append(1)
        if len(reads) == 1:
            has_read.set()
            # Who is held up by the settlement comes back after it; nobody waits for that.
            is_back.wait(COMES_WITHIN_SECONDS)
        return lines

    def come_back():
        assert has_read.wait(MEET_SECONDS_MAX)
        code = scene.venue(BACK, "in")
        try:
            return scene.scan(scene.volunteer, code, BACK, direction="in", confirm=True)
        finally:
            is_back.set()

    def settle_now():
        with transaction() as session:
            return settle(session, scene)

    monkeypatch.setattr(settling, "sheet_lines", read_slowly)
    return race(app, [settle_now, come_back])


def states(session):
    rows = session.execute(
        select(Attendance.state, Attendance.settled_at.is_not(None)).order_by(
            Attendance.occurrence
        )
    )
    return [tuple(row) for row in rows]


def test_who_comes_back_during_the_settlement_is_told_that_it_is_settled(
    app, scene, writing, monkeypatch
):
    settled, came = come_back_while_settling(app, scene, monkeypatch)
    assert len(settled.awarded) == 1, settled
    assert reason(came) == ("refuse", "settled")
    with writing() as session:
        assert states(session) == [("credited", True)]
        assert offenders(session) == []


@pytest.mark.engine("postgresql")
def test_without_the_lock_a_coming_stands_that_no_settlement_knows(
    app, scene, writing, monkeypatch
):
    monkeypatch.setattr(settling, "_lock_comings", lambda *_: None)
    settled, came = come_back_while_settling(app, scene, monkeypatch)
    assert not isinstance(settled, Exception), settled
    assert reason(came) == ("ok", "ok_in")
    with writing() as session:
        assert states(session) == [("credited", True), ("present", False)]
