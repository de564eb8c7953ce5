"""A run matters once: one row, one output, whoever else runs at the same time."""

import threading
from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import select, update

from pointsbank.core import clock
from pointsbank.core.errors import Invalid
from pointsbank.jobs.leasing import take_lease
from pointsbank.jobs.models import JobRun
from pointsbank.jobs.occasions import Step
from pointsbank.jobs.recording import RETRY_MINUTES, waiting
from pointsbank.jobs.running import run_slot
from tests.jobs.occasions import SLOT, a_job, times_worked

ZONE = ZoneInfo("Asia/Shanghai")


def runs(session):
    return [
        (row.job, row.period, row.state)
        for row in session.scalars(select(JobRun).order_by(JobRun.id))
    ]


def at_once(app, count, act):
    """Let so many threads act as near to one moment as can be; return what they returned."""
    start = threading.Barrier(count)
    found = []

    def one():
        start.wait()
        with app.app_context():
            found.append(act())

    threads = [threading.Thread(target=one) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return found


def test_a_run_is_recorded_with_its_output(app, writing):
    with app.app_context():
        assert run_slot(a_job(), SLOT, zone=ZONE) == 1
    with writing() as session:
        assert runs(session) == [("test", SLOT.key, "done")]
        assert times_worked(session) == 1


def test_a_second_run_does_nothing(app, writing):
    with app.app_context():
        run_slot(a_job(), SLOT, zone=ZONE)
        assert run_slot(a_job(), SLOT, zone=ZONE) is None
    with writing() as session:
        assert times_worked(session) == 1


def test_of_four_at_once_one_works(app, writing):
    job = a_job()
    for _ in range(5):
        found = at_once(app, 4, lambda: run_slot(job, SLOT, zone=ZONE))
    with writing() as session:
        assert times_worked(session) == 1
        assert runs(session) == [("test", SLOT.key, "done")]
    assert found == [None] * 4


def test_without_the_claim_all_four_work(app, writing):
    """The negative control: it is the row that makes the work matter once."""

    def claim_nothing(_session, _job, _slot, _now):
        return 0

    found = at_once(app, 4, lambda: run_slot(a_job(), SLOT, zone=ZONE, claim=claim_nothing))
    with writing() as session:
        assert times_worked(session) == 4
    assert found == [1] * 4


def test_a_failure_leaves_no_output_and_is_recorded_and_told(app, writing, caplog):
    def break_down(_session, _period, _zone, _now):
        raise ZeroDivisionError("a message that may hold anything")

    with app.app_context(), pytest.raises(ZeroDivisionError):
        run_slot(a_job(break_down), SLOT, zone=ZONE)
    with writing() as session:
        assert times_worked(session) == 0
        assert runs(session) == [("test", SLOT.key, "failed")]
        assert session.scalar(select(JobRun.fault)) == "ZeroDivisionError"
    assert [(record.levelname, record.msg["event"]) for record in caplog.records] == [
        ("ERROR", "job_failed")
    ]


def test_what_failed_is_tried_again_after_a_while(app, writing):
    def break_down(_session, _period, _zone, _now):
        raise ZeroDivisionError

    job, now = a_job(), clock.now()
    with app.app_context(), pytest.raises(ZeroDivisionError):
        run_slot(a_job(break_down), SLOT, zone=ZONE)
    with writing() as session:
        assert not waiting(session, job, [SLOT], now)
        assert waiting(session, job, [SLOT], now + timedelta(minutes=RETRY_MINUTES + 1))
    with app.app_context():
        assert run_slot(job, SLOT, zone=ZONE) == 1
    with writing() as session:
        assert runs(session) == [("test", SLOT.key, "done")]
        assert not waiting(session, job, [SLOT], now + timedelta(days=1))


def test_work_in_steps_is_done_only_with_the_last(app, writing):
    states = []

    def in_three_steps(session, _period, _zone, _now):
        states.append(times_worked(session))
        return Step(10, is_last=len(states) == 3)

    with app.app_context():
        assert run_slot(a_job(in_three_steps), SLOT, zone=ZONE) == 30
    assert states == [1, 2, 3]
    with writing() as session:
        assert runs(session) == [("test", SLOT.key, "done")]


def test_a_step_that_fails_keeps_the_steps_before_it(app, writing):
    def second_breaks(session, _period, _zone, _now):
        if times_worked(session) == 2:
            raise ZeroDivisionError
        return Step(1, is_last=False)

    with app.app_context(), pytest.raises(ZeroDivisionError):
        run_slot(a_job(second_breaks), SLOT, zone=ZONE)
    with writing() as session:
        assert times_worked(session) == 1
        assert runs(session) == [("test", SLOT.key, "failed")]


def test_a_period_that_is_none_is_refused_and_not_recorded(app, writing):
    def refuse(_session, _period, _zone, _now):
        raise Invalid

    with app.app_context(), pytest.raises(Invalid):
        run_slot(a_job(refuse), SLOT, zone=ZONE)
    with writing() as session:
        assert runs(session) == []


def test_work_of_a_tenure_that_has_ended_is_undone(app, writing):
    with writing() as session:
        assert take_lease(session, holder="first", now=clock.now())

    def is_overtaken(session, _period, _zone, now):
        # As if this scheduler had stood still for an hour, and another had taken the lease.
        session.execute(update(JobRun).values(started_at=now))
        return Step(1)

    with writing() as session:
        assert take_lease(session, holder="second", now=clock.now() + timedelta(hours=1))
    with app.app_context():
        assert run_slot(a_job(is_overtaken), SLOT, zone=ZONE, holder="first") is None
    with writing() as session:
        assert times_worked(session) == 0
        assert runs(session) == []
    with app.app_context():
        assert run_slot(a_job(), SLOT, zone=ZONE, holder="second") == 1
