"""Races for a star: two applications, two awards, two decisions, each with a control."""

import threading
from itertools import count

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from pointsbank.certificates import applying, awarding, revoking
from pointsbank.certificates.applying import withdraw_application
from pointsbank.certificates.awarding import award
from pointsbank.certificates.errors import (
    RevocationDecided,
    StarApplicationMoved,
    StarAppliedFor,
)
from pointsbank.certificates.models import StarApplication
from pointsbank.certificates.queries import application_of
from pointsbank.certificates.revoking import ask_revocation, decide_revocation
from pointsbank.core.db import run, transaction
from tests.builders import TODAY, how_many
from tests.certificates.starring import (
    a_home,
    administrator_of,
    an_applicant,
    an_award,
    applied,
    noticed,
    secretary_of,
    state_of,
)
from tests.moments import NOON
from tests.racing import MEET_SECONDS_MAX, forget_guard, meet_after, race, times

APPLICANTS = 6
DECISIONS = 6


def in_time(use_case):
    """Return a contestant that runs a use case in a transaction of its own."""

    def contestant():
        with transaction() as session:
            return use_case(session)

    return contestant


def applying_race(app, writing):
    """Let a member apply six times at once; return the answers and how many stand."""
    with writing() as session:
        member_id = an_applicant(session, a_home(session), 400)
    stars = count(0)

    def contestant():
        wanted = next(stars) % 2 + 1
        return run(lambda session: applied(session, member_id, wanted))

    answers = race(app, times(APPLICANTS, contestant))
    with writing() as session:
        return answers, how_many(session, StarApplication)


def test_of_many_applications_at_once_one_stands(app, writing):
    answers, stand = applying_race(app, writing)
    refusals = [each for each in answers if isinstance(each, Exception)]
    assert stand == 1
    assert {type(each) for each in refusals} == {StarAppliedFor}
    assert len(refusals) == APPLICANTS - 1


@pytest.mark.changes_schema
@pytest.mark.engine("postgresql")
def test_control_without_the_indexes_several_stand(app, writing, monkeypatch):
    with writing() as session:
        for name in ("alive", "open"):
            session.execute(text(f"DROP INDEX uq_star_application_{name}"))
    meet_after(monkeypatch, applying, "applications_of_member", APPLICANTS)
    _, stand = applying_race(app, writing)
    assert stand == APPLICANTS


def no_digits():
    return "0000"


def awarding_race(app, writing, draw=no_digits):
    """Let six applications be awarded at once; return the answers."""
    with writing() as session:
        home = a_home(session)
        ids = [applied(session, an_applicant(session, home, 100)) for _ in range(APPLICANTS)]
        noticed(session, home, ids)

    def awarded(application_id):
        def use_case(session):
            found = application_of(session, application_id, ["/"])
            return award(session, found, draw=draw, today=TODAY, now=NOON)

        return in_time(use_case)

    return race(app, [awarded(each) for each in ids])


def test_awards_at_once_have_different_numbers_without_a_gap(app, writing):
    answers = awarding_race(app, writing)
    assert sorted(answers) == [f"2026-{n:06d}-0000" for n in range(1, APPLICANTS + 1)]


@pytest.mark.engine("postgresql")
def test_control_numbers_by_a_look_at_the_highest_collide(app, writing, monkeypatch):
    look_first = text(
        "SELECT COUNT(number) + 1 FROM star_application WHERE CAST(:year AS bigint) > 0"
    )
    monkeypatch.setattr(awarding, "DRAW_NUMBER", look_first)
    everyone_has_looked = threading.Barrier(APPLICANTS, timeout=MEET_SECONDS_MAX)

    def wait_and_draw():
        everyone_has_looked.wait()
        return "0000"

    answers = awarding_race(app, writing, wait_and_draw)
    lost = [each for each in answers if isinstance(each, Exception)]
    assert {type(each) for each in lost} == {IntegrityError}
    assert len(lost) == APPLICANTS - 1


def same_award_race(app, writing):
    """Let one application be awarded and withdrawn by several at once."""
    with writing() as session:
        home = a_home(session)
        member_id = an_applicant(session, home, 100)
        application_id = applied(session, member_id)
        noticed(session, home, [application_id])

    def awarded(session):
        found = application_of(session, application_id, ["/"])
        return award(session, found, draw=no_digits, today=TODAY, now=NOON)

    def withdrawn(session):
        withdraw_application(
            session, member_id=member_id, application_id=application_id, now=NOON
        )
        return "withdrawn"

    answers = race(app, [in_time(awarded), in_time(withdrawn)] * 3)
    with writing() as session:
        return answers, state_of(session, application_id)


def test_of_an_award_and_a_withdrawal_one_happens(app, writing):
    answers, state = same_award_race(app, writing)
    numbers = [each for each in answers[::2] if isinstance(each, str)]
    withdrawals = answers[1::2]
    if state == "awarded":
        assert numbers == ["2026-000001-0000"]
        assert {type(each) for each in withdrawals} == {StarApplicationMoved}
    else:
        assert (state, numbers) == ("withdrawn", [])
        assert set(withdrawals) == {"withdrawn"}


def deciding_race(app, writing):
    """Let a revocation be confirmed and rejected by six at once; return the answers."""
    with writing() as session:
        home = a_home(session)
        application_id = an_award(session, home)
        revocation_id = ask_revocation(
            session,
            actor=secretary_of(session, home),
            application_id=application_id,
            reason="虚报时长",
            bar_years=1,
            now=NOON,
        )
        actor = administrator_of(session, home)

    def decided(is_confirmed):
        return in_time(
            lambda session: decide_revocation(
                session,
                actor=actor,
                revocation_id=revocation_id,
                is_confirmed=is_confirmed,
                reason="x",
                today=TODAY,
                now=NOON,
            )
        )

    answers = race(app, [decided(True), decided(False)] * (DECISIONS // 2))
    with writing() as session:
        return answers, state_of(session, application_id)


def test_of_decisions_at_once_one_counts(app, writing):
    answers, state = deciding_race(app, writing)
    states = [each for each in answers if isinstance(each, str)]
    assert len(states) == 1
    assert state == {"confirmed": "revoked", "rejected": "awarded"}[states[0]]
    refusals = {type(each) for each in answers if isinstance(each, Exception)}
    assert refusals == {RevocationDecided}


def test_control_without_the_guard_several_decide(app, writing, monkeypatch):
    forget_guard(monkeypatch, revoking, "DECIDE", "state = 'pending'")
    monkeypatch.setattr(revoking, "_carry_out", lambda *_given: None)
    answers, _ = deciding_race(app, writing)
    assert sum(isinstance(each, str) for each in answers) == DECISIONS
