"""Races for a month's limit and for a decision, each with what happens without its guard."""

import threading
from datetime import timedelta

import pytest
from sqlalchemy import text

from pointsbank.core.db import transaction
from pointsbank.ledger.verifying import offenders
from pointsbank.scoring import adjusting
from pointsbank.scoring.errors import AdjustmentDecided, AdjustmentMonthFull, NotEnoughMinutes
from pointsbank.scoring.lapsing import lapse_adjustments
from pointsbank.scoring.models import ADJUSTMENT_MONTH_POINTS_MAX, Adjustment
from pointsbank.scoring.queries import service_minutes_of
from tests.builders import a_score_entry, how_many
from tests.moments import NOON
from tests.racing import MEET_SECONDS_MAX, race, times
from tests.scoring.hands import ZONE, asked, balance, decided, month_of, some_hands, state_of

WEEK = timedelta(days=7)
ASKING = 8


def in_time(use_case):
    """Return a contestant that runs a use case in a transaction of its own."""

    def contestant():
        with transaction() as session:
            return use_case(session)

    return contestant


def asking_race(app, hands):
    """Let eight ask at once for 60 points each, where 300 are the most; return how many got
    it."""
    ask = in_time(lambda session: asked(session, hands, points=60))
    answers = race(app, times(ASKING, ask))
    refusals = [each for each in answers if isinstance(each, Exception)]
    return len(answers) - len(refusals), refusals


def test_of_many_who_ask_at_once_the_month_takes_what_it_holds(app, writing):
    with writing() as session:
        hands = some_hands(session)
    taken, refusals = asking_race(app, hands)
    assert taken == 5
    assert {type(each) for each in refusals} == {AdjustmentMonthFull}
    with writing() as session:
        assert month_of(session, hands.member_id) == (300, 0)
        assert how_many(session, Adjustment) == 5
        assert offenders(session) == []


@pytest.mark.engine("postgresql")
def test_control_without_the_guard_the_month_is_overdrawn(app, writing, monkeypatch):
    """Judge by a look at the sum first, as if the month's row did not guard itself."""
    everyone_has_looked = threading.Barrier(ASKING, timeout=MEET_SECONDS_MAX)

    def look_first(session, wanted, month):
        pending = text("SELECT COALESCE(SUM(points), 0) FROM adjustment WHERE member_id = :id")
        used = session.execute(pending, {"id": wanted.member_id}).scalar_one()
        everyone_has_looked.wait()
        if used + wanted.points > ADJUSTMENT_MONTH_POINTS_MAX:
            raise AdjustmentMonthFull(left=0)

    monkeypatch.setattr(adjusting, "_take_quota", look_first)
    with writing() as session:
        hands = some_hands(session)
    taken, refusals = asking_race(app, hands)
    assert (taken, refusals) == (ASKING, [])
    assert taken * 60 > ADJUSTMENT_MONTH_POINTS_MAX


def deciding_race(app, hands, found):
    deciders = [hands.secretary_id, hands.administrator_id] * 4
    return race(
        app,
        [
            in_time(lambda session, who=who, n=n: decided(session, found.id, who, n % 4 < 2))
            for n, who in enumerate(deciders)
        ],
    )


def test_of_many_who_decide_at_once_one_does(app, writing):
    with writing() as session:
        hands = some_hands(session)
        found = asked(session, hands)
    answers = deciding_race(app, hands, found)
    states = [each for each in answers if isinstance(each, str)]
    assert len(states) == 1
    assert {type(each) for each in answers if not isinstance(each, str)} == {AdjustmentDecided}
    with writing() as session:
        assert state_of(session, found.id) == states[0]
        paid = 20 if states == ["approved"] else 0
        assert balance(session, hands.member_id) == paid
        assert month_of(session, hands.member_id) == (paid, 0)
        assert offenders(session) == []


@pytest.mark.engine("postgresql")
def test_control_without_the_guard_two_decide(app, writing, monkeypatch):
    """Nothing but the guard asks whether it is decided: whoever comes later decides again."""
    unguarded = text(
        "UPDATE adjustment SET state = :state, decided_by_id = :decided_by_id,"
        " decided_at = now(), decision_reason = :reason WHERE id = :id"
        " RETURNING id, CAST(:now AS varchar) AS moment"
    )
    monkeypatch.setattr(adjusting, "DECIDE", unguarded)
    monkeypatch.setattr(adjusting, "_carry_out", lambda *_args, **_more: None)
    monkeypatch.setattr(adjusting, "give_quota_back", lambda *_args, **_more: None)
    with writing() as session:
        hands = some_hands(session)
        found = asked(session, hands)
    answers = deciding_race(app, hands, found)
    assert sorted(answers) == ["approved"] * 4 + ["refused"] * 4


def test_of_a_decision_and_the_lapse_one_wins(app, writing):
    with writing() as session:
        hands = some_hands(session)
        found = asked(session, hands)
    just_in_time = NOON + WEEK - timedelta(microseconds=1)
    late = NOON + WEEK
    answers = race(
        app,
        [
            in_time(
                lambda session: decided(session, found.id, hands.secretary_id, now=just_in_time)
            ),
            in_time(lambda session: lapse_adjustments(session, zone=ZONE, now=late, limit=9)),
        ]
        * 3,
    )
    lapsed = sum(each for each in answers[1::2])
    approved = answers[::2].count("approved")
    assert lapsed + approved == 1
    with writing() as session:
        assert state_of(session, found.id) == ("approved" if approved else "lapsed")
        assert month_of(session, hands.member_id) == (20 * approved, 0)
        assert balance(session, hands.member_id) == 20 * approved
        assert offenders(session) == []


def test_two_refunds_of_time_at_once_leave_nothing_below_zero(app, writing):
    with writing() as session:
        hands = some_hands(session)
        a_score_entry(session, hands.member_id, service_minutes=60)
        ids = [asked(session, hands, service_minutes=-60).id for _ in range(4)]
    answers = race(
        app,
        [
            in_time(lambda session, each=each: decided(session, each, hands.secretary_id))
            for each in ids
        ],
    )
    assert answers.count("approved") == 1
    assert sum(isinstance(each, NotEnoughMinutes) for each in answers) == 3
    with writing() as session:
        assert service_minutes_of(session, hands.member_id) == 0
