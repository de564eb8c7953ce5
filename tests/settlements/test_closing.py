"""A merchant's month is cut off once, and every transfer stands on exactly one line."""

from dataclasses import replace
from datetime import date, datetime, timedelta
from functools import partial
from threading import Event

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import IntegrityError

from pointsbank.core import clock
from pointsbank.core.calendar import read_period
from pointsbank.core.db import run, transaction
from pointsbank.core.errors import Refusal
from pointsbank.jobs.months import close_next
from pointsbank.jobs.running import run_slot
from pointsbank.jobs.table import Slot, job_named
from pointsbank.ledger.verifying import verify
from pointsbank.messages.models import Message
from pointsbank.rewards.redeeming import redeem_reward
from pointsbank.settlements import closing
from pointsbank.settlements.closing import close_through
from pointsbank.settlements.queries import lines_of, statement_of
from pointsbank.settlements.rules import RULES_OF_STATEMENTS
from tests.builders import SHANGHAI, a_merchant, a_reward, with_points
from tests.racing import MEET_SECONDS_MAX, meet_after, race, times
from tests.settlements.months import (
    CUT_OFF,
    NOVEMBER,
    SOON_AFTER,
    at,
    close,
    redeem,
    take_back,
)

UNIQUE = (
    ("statement", "uq_statement_merchant_id_month"),
    ("statement_line", "uq_statement_line_transfer_id"),
)


def offenders(session) -> list[str]:
    return [each.rule for each in verify(session, more=RULES_OF_STATEMENTS).offenders]


def test_a_month_holds_what_was_taken_and_given_back_in_it(counter, writing):
    first = redeem(counter, writing, "A1", at(11, 3))
    redeem(counter, writing, "A2", at(11, 30, 23))
    redeem(counter, writing, "A3", at(12, 1, 0))
    take_back(writing, first.id, at(11, 3, 18))
    with writing() as session:
        close(session, counter)
        found = statement_of(session, counter.merchant_id, "2026-11")
        lines = lines_of(session, found.id)
        assert offenders(session) == []
    assert [(line.no, line.kind, line.points, line.number) for line in lines] == [
        (1, "redemption", 20, "A1"),
        (2, "redemption", 20, "A2"),
        (3, "void", -20, "A1"),
    ]
    assert (found.redeemed_points, found.voided_points, found.net_points) == (40, 20, 20)
    # 20 points at the default of 1000 fen for 100.
    assert (found.amount_fen, found.state, found.line_count) == (200, "closed", 3)
    assert found.confirm_by == datetime(2026, 12, 6, tzinfo=SHANGHAI)
    assert found.pay_by == datetime(2026, 12, 16, tzinfo=SHANGHAI)


def test_a_repeat_changes_nothing_and_tells_nobody_twice(counter, writing):
    redeem(counter, writing, "A1", at(11, 3))
    with writing() as session:
        first = close(session, counter)
    redeem(counter, writing, "A2", at(12, 2))
    with writing() as session:
        assert close(session, counter, now=at(12, 20)) == first
        assert statement_of(session, counter.merchant_id, "2026-11").line_count == 1
        told = session.scalars(select(Message).where(Message.kind == "statement_closed")).all()
        assert [(each.member_id, each.facts["points"]) for each in told] == [
            (counter.clerk_id, 20)
        ]


def test_a_void_of_the_month_after_is_on_the_next_statement(counter, writing):
    done = redeem(counter, writing, "A1", at(11, 3))
    with writing() as session:
        close(session, counter)
    take_back(writing, done.id, at(12, 2))
    december = read_period("2026-12")
    with writing() as session:
        close(session, counter, december, december.ends_at(SHANGHAI))
        found = statement_of(session, counter.merchant_id, "2026-12")
        assert (found.redeemed_points, found.voided_points, found.amount_fen) == (0, 20, -200)
        assert offenders(session) == []


@pytest.mark.parametrize("month", ["2026-11", "2026-12", "2027-02", "2028-02"])
def test_the_last_moment_of_a_month_is_its_own_and_the_next_is_not(counter, writing, month):
    """Also at the end of a year, of a February and of a leap day; months are the district's."""
    ending = read_period(month)
    cut_at = ending.ends_at(SHANGHAI)
    assert (cut_at + timedelta(hours=8)).strftime("%d %H") == "01 00"
    with writing() as session:
        with_points(session, counter.member_id, 100, expires_on=date(2029, 12, 31))
    redeem(counter, writing, "A1", cut_at - timedelta(microseconds=1))
    redeem(counter, writing, "A2", cut_at)
    following = read_period(f"{ending.end_on:%Y-%m}")
    for period, number in ((ending, "A1"), (following, "A2")):
        with writing() as session:
            made = close(session, counter, period, period.ends_at(SHANGHAI))
            assert [line.number for line in lines_of(session, made)] == [number]


def test_a_running_month_is_not_cut_off(counter, writing):
    redeem(counter, writing, "A1", at(11, 3))
    with pytest.raises(Refusal) as refused, writing() as session:
        close(session, counter, now=CUT_OFF - timedelta(seconds=1))
    assert refused.value.code == "month_not_over"


def test_a_month_without_anything_has_no_statement(counter, writing):
    with writing() as session:
        assert close(session, counter) is None
        assert statement_of(session, counter.merchant_id, "2026-11") is None
        assert close_next(session, "2026-11", SHANGHAI, SOON_AFTER) == 0


def test_what_was_committed_after_the_cut_off_is_named_and_comes_next(counter, writing):
    redeem(counter, writing, "A1", at(11, 3))
    with writing() as session:
        close(session, counter)
    redeem(counter, writing, "A2", at(11, 30, 23))
    with writing() as session:
        assert offenders(session) == ["what a merchant took before a cut-off is on a line"]
    december = read_period("2026-12")
    with writing() as session:
        close(session, counter, december, december.ends_at(SHANGHAI))
        assert offenders(session) == []


def test_a_scheduler_that_was_down_makes_each_month_for_itself(counter, writing):
    for number, moment in (("A1", at(9, 30)), ("A2", at(11, 3)), ("A3", at(11, 4))):
        redeem(counter, writing, number, moment)
    with writing() as session:
        made = close_through(
            session,
            merchant_id=counter.merchant_id,
            month=NOVEMBER,
            zone=SHANGHAI,
            now=SOON_AFTER,
        )
        assert made == 2
        counts = [
            found and found.line_count
            for month in ("2026-09", "2026-10", "2026-11")
            for found in [statement_of(session, counter.merchant_id, month)]
        ]
        assert counts == [1, None, 2]
        assert close_next(session, "2026-11", SHANGHAI, SOON_AFTER) == 0
        assert offenders(session) == []


def cutting_off(counter):
    """Return a contestant who cuts off the counter's November."""

    def contestant():
        with transaction() as session:
            return close(session, counter)

    return contestant


def test_two_who_cut_off_at_once_make_one_statement(counter, writing, app):
    redeem(counter, writing, "A1", at(11, 3))
    made = race(app, times(4, cutting_off(counter)))
    assert len(set(made)) == 1
    with writing() as session:
        assert session.scalar(text("SELECT COUNT(*) FROM statement_line")) == 1


def without_lock(monkeypatch, number: int) -> None:
    """Let so many look for what is unsettled before anybody has made a statement of it."""
    monkeypatch.setattr(closing, "lock_merchant", lambda _session, _merchant_id: None)
    meet_after(monkeypatch, closing, "unsettled", number)


@pytest.mark.engine("postgresql")
def test_without_the_lock_who_comes_second_breaks(counter, writing, app, monkeypatch):
    """The control: only that a month has one statement stops the others, as a fault."""
    redeem(counter, writing, "A1", at(11, 3))
    without_lock(monkeypatch, 3)
    made = race(app, times(3, cutting_off(counter)))
    assert sum(isinstance(answer, IntegrityError) for answer in made) == 2, made


@pytest.fixture
def three_shops(counter, writing, monkeypatch):
    """November at three shops, on the first of December, and the job that settles it."""
    redeem(counter, writing, "A1", at(11, 3))
    for name in ("隔壁小店", "爱心超市"):
        with writing() as session:
            merchant_id = a_merchant(session, name)
            reward_id = a_reward(session, merchant_id)
        other = replace(counter, merchant_id=merchant_id, reward_id=reward_id)
        redeem(other, writing, name, at(11, 3))
    monkeypatch.setattr(clock, "now", lambda: SOON_AFTER)
    return partial(run_slot, job_named("settlement"), Slot("2026-11", "2026-11"), zone=SHANGHAI)


def settled(session):
    """Return how many statements, lines, messages and finished runs there are."""
    tables = ("statement", "statement_line", "message", "job_run WHERE state = 'done'")
    return [session.scalar(text(f"SELECT COUNT(*) FROM {table}")) for table in tables]


def test_schedulers_at_once_settle_each_shop_once(counter, writing, app, three_shops):
    told = race(app, times(4, three_shops))
    assert not [each for each in told if isinstance(each, Exception)], told
    with writing() as session:
        # Of the three only one has a clerk, who is told.
        assert settled(session) == [3, 3, 1, 1]
        assert offenders(session) == []


@pytest.mark.changes_schema
@pytest.mark.engine("postgresql")
def test_schedulers_without_any_guard_settle_a_month_twice(
    counter, writing, app, three_shops, monkeypatch
):
    """The control: nobody holds the occasion or the merchant, and the tables take it all."""
    with writing() as session:
        for table, name in UNIQUE:
            session.execute(text(f"ALTER TABLE {table} DROP CONSTRAINT {name}"))
    without_lock(monkeypatch, 2)
    assert race(app, times(2, partial(three_shops, claim=lambda *_given: 0))) == [3, 3]
    with writing() as session:
        statements, lines, *_ = settled(session)
        assert (statements, lines) == (6, 6)


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        (
            "UPDATE statement SET line_count = line_count + 1",
            "a statement's totals are those of its lines",
        ),
        (
            "UPDATE statement SET amount_fen = amount_fen + 1",
            "a statement's totals are those of its lines",
        ),
        (
            "UPDATE statement_line SET points = points + 1",
            "a statement's line is its transfer",
        ),
        (
            "DELETE FROM statement_line WHERE no = 2",
            "what a merchant took before a cut-off is on a line",
        ),
    ],
)
def test_whatever_is_changed_afterwards_is_named(counter, writing, change, rule):
    for number in ("A1", "A2"):
        redeem(counter, writing, number, at(11, 3))
    with writing() as session:
        close(session, counter)
        assert offenders(session) == []
    with writing() as session:
        session.execute(text(change))
    with writing() as session:
        assert rule in offenders(session)


@pytest.mark.engine("postgresql")
def test_a_cut_off_lets_the_counter_go_on(counter, writing, app, monkeypatch):
    """A deal refers to the merchant's row, and does not wait for whoever settles its month."""
    redeem(counter, writing, "A1", at(11, 3))
    code = counter.code(now=CUT_OFF)
    is_locked, is_dealt = Event(), Event()
    look = closing.unsettled

    def waits(session, *given):
        is_locked.set()
        assert is_dealt.wait(MEET_SECONDS_MAX), "the deal waited for the cut-off"
        return look(session, *given)

    monkeypatch.setattr(closing, "unsettled", waits)

    def deal():
        assert is_locked.wait(MEET_SECONDS_MAX)
        redeemed = run(
            lambda session: redeem_reward(
                session,
                counter.order(code),
                clerk_id=counter.clerk_id,
                number="A2",
                secret=counter.secret,
                today=CUT_OFF.astimezone(SHANGHAI).date(),
                now=CUT_OFF,
            )
        )
        is_dealt.set()
        return redeemed.number

    made = race(app, [partial(run, lambda session: close(session, counter)), deal])
    assert not [answer for answer in made if isinstance(answer, BaseException)], made
