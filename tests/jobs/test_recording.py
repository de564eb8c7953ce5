"""The record of runs: what each took, how it failed before, and how long it is kept."""

from dataclasses import replace
from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest
import time_machine
from sqlalchemy import select

from pointsbank.core.errors import Invalid
from pointsbank.jobs.leasing import take_lease
from pointsbank.jobs.models import JobRun, JobState
from pointsbank.jobs.occasions import Slot, Step
from pointsbank.jobs.recording import forget_old_runs
from pointsbank.jobs.running import BY_COMMAND, run_slot
from pointsbank.jobs.table import JOBS
from tests.jobs.occasions import SLOT, a_job
from tests.moments import NOON

ZONE = ZoneInfo("Asia/Shanghai")


@pytest.fixture
def travel():
    with time_machine.travel(NOON, tick=False) as traveller:
        yield traveller


@pytest.fixture
def leads(writing, travel):
    with writing() as session:
        assert take_lease(session, holder="first", now=NOON)


def break_down(_session, _period, _zone, _now):
    raise ZeroDivisionError("a message that may hold anything")


def test_a_run_keeps_how_long_it_took_what_it_did_and_who_ran_it(app, writing, travel, leads):
    def in_two_steps(_session, _period, _zone, now):
        travel.shift(timedelta(seconds=1.5))
        return Step(10, is_last=now > NOON)

    slot = replace(SLOT, due_at=NOON - timedelta(minutes=2))
    with app.app_context():
        assert run_slot(a_job(in_two_steps), slot, zone=ZONE, holder="first") == 20
    with writing() as session:
        row = session.scalar(select(JobRun))
        assert (row.started_at, row.finished_at) == (NOON, NOON + timedelta(seconds=3))
        assert (row.milliseconds, row.count, row.holder) == (3000, 20, "first")
        assert (row.due_at, row.failures, row.fault) == (slot.due_at, 0, None)


def test_a_run_by_hand_says_so(app, writing, travel):
    with app.app_context():
        run_slot(a_job(), SLOT, zone=ZONE)
    with writing() as session:
        assert session.scalar(select(JobRun.holder)) == BY_COMMAND
        assert session.scalar(select(JobState)) is None


def test_what_failed_before_it_was_done_stays_known(app, writing, travel, leads):
    for minutes in (0, 5):
        travel.move_to(NOON + timedelta(minutes=minutes))
        with app.app_context(), pytest.raises(ZeroDivisionError):
            run_slot(a_job(break_down), SLOT, zone=ZONE, holder="first")
    with writing() as session:
        state = session.scalar(select(JobState))
        assert (state.failing_since, state.failures_in_row, state.failures) == (NOON, 2, 2)
        assert state.running_since is None
    travel.shift(timedelta(minutes=5))
    with app.app_context():
        run_slot(a_job(), SLOT, zone=ZONE, holder="first")
    with writing() as session:
        row, state = session.scalar(select(JobRun)), session.scalar(select(JobState))
        assert (row.state, row.failures, row.fault) == ("done", 2, "ZeroDivisionError")
        assert (row.failing_since, row.failed_at) == (NOON, NOON + timedelta(minutes=5))
        assert (state.failing_since, state.failures_in_row, state.failures) == (None, 0, 2)


def test_steps_of_a_run_that_failed_before_leave_it_failed_until_the_last(app, writing, travel):
    seen = []

    def in_two_steps(session, _period, _zone, _now):
        seen.append(session.scalar(select(JobRun.failures)))
        if len(seen) == 2:
            raise KeyboardInterrupt
        return Step(1, is_last=len(seen) == 3)

    with app.app_context():
        with pytest.raises(ZeroDivisionError):
            run_slot(a_job(break_down), SLOT, zone=ZONE)
        with pytest.raises(KeyboardInterrupt):
            run_slot(a_job(in_two_steps), SLOT, zone=ZONE)
        with writing() as session:
            assert session.scalar(select(JobRun.state)) == "failed"
        assert run_slot(a_job(in_two_steps), SLOT, zone=ZONE) == 1
    assert seen == [1, 1, 1]


def test_a_running_job_is_seen_by_others_before_it_is_done(app, writing, travel, leads):
    seen = []

    def work(session, _period, _zone, _now):
        seen.append(session.execute(select(JobState.running_since, JobState.running_period)))
        return Step(1)

    with app.app_context():
        run_slot(a_job(work), SLOT, zone=ZONE, holder="first")
    assert [tuple(row) for row in seen[0]] == [(NOON, SLOT.period)]
    with writing() as session:
        assert session.scalar(select(JobState.running_since)) is None


def test_a_refusal_is_a_failure_when_a_scheduler_meets_it(app, writing, travel, leads):
    def refuse(_session, _period, _zone, _now):
        raise Invalid

    with app.app_context(), pytest.raises(Invalid):
        run_slot(a_job(refuse), SLOT, zone=ZONE, holder="first")
    with writing() as session:
        assert session.scalar(select(JobRun.state)) == "failed"


@pytest.mark.parametrize("kept", [timedelta(days=30), None])
def test_rows_are_forgotten_after_their_time_and_those_of_periods_never(
    app, writing, travel, kept
):
    with app.app_context():
        run_slot(replace(a_job(), kept=kept), SLOT, zone=ZONE)
        with pytest.raises(ZeroDivisionError):
            run_slot(a_job(break_down), Slot("failed", "failed"), zone=ZONE)
    with writing() as session:
        forget_old_runs(session, NOON + timedelta(days=30))
        assert len(session.scalars(select(JobRun)).all()) == 2
        forget_old_runs(session, NOON + timedelta(days=31))
        left = session.scalars(select(JobRun.period).order_by(JobRun.id)).all()
    assert left == (["failed"] if kept else [SLOT.period, "failed"])


@pytest.mark.parametrize("name", sorted(JOBS))
def test_no_row_is_forgotten_while_its_occasion_is_still_due(name):
    job = JOBS[name]
    if job.kept is None:
        return
    # A quarter of an hour before the end of a year: what is due longest is still due then.
    late = NOON.replace(month=12, day=31, hour=23, minute=45)
    for now in (late, NOON, NOON.replace(day=1, hour=0, minute=1)):
        for slot in job.due(now, ZONE):
            assert now - slot.due_at < job.kept
