"""Errands: what a step leaves to be done outside of any transaction, before the next step."""

from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import select

from pointsbank.core import clock
from pointsbank.core.db import db, run
from pointsbank.jobs.leasing import take_lease
from pointsbank.jobs.models import JobRun
from pointsbank.jobs.occasions import Step
from pointsbank.jobs.recording import waiting
from pointsbank.jobs.running import run_slot
from pointsbank.jobs.table import JOBS
from tests.jobs.occasions import SLOT, a_job, times_worked

ZONE = ZoneInfo("Asia/Shanghai")


def states(writing):
    with writing() as session:
        return session.scalars(select(JobRun.state)).all()


def test_an_errand_runs_outside_of_the_step_and_before_the_occasion_is_done(app, writing):
    seen = []

    def errand():
        assert not db.session().in_transaction()
        seen.append(run(lambda s: (times_worked(s), s.scalars(select(JobRun.state)).all())))
        return 5

    with app.app_context():
        assert run_slot(a_job(lambda *_: Step(1, errand=errand)), SLOT, zone=ZONE) == 6
        assert run_slot(a_job(lambda *_: Step(1, errand=errand)), SLOT, zone=ZONE) is None
    # The step's own work is kept by then; the occasion is not yet done.
    assert seen == [(1, [])]
    assert states(writing) == ["done"]


def test_an_errand_between_steps_runs_once_for_each(app, writing):
    done = []

    def work(session, _period, _zone, _now):
        worked = times_worked(session)
        return Step(1, is_last=worked == 3, errand=lambda: done.append(worked) or 10)

    with app.app_context():
        assert run_slot(a_job(work), SLOT, zone=ZONE) == 33
    assert done == [1, 2, 3]
    assert states(writing) == ["done"]


def test_an_errand_that_fails_leaves_the_occasion_to_be_done_again(app, writing):
    def break_down():
        raise ZeroDivisionError

    job = a_job(lambda *_: Step(1, errand=break_down))
    with app.app_context(), pytest.raises(ZeroDivisionError):
        run_slot(job, SLOT, zone=ZONE)
    assert states(writing) == ["failed"]
    with writing() as session:
        assert times_worked(session) == 1
        assert waiting(session, job, [SLOT], clock.now() + timedelta(minutes=6))
    with app.app_context():
        assert run_slot(a_job(lambda *_: Step(1, errand=lambda: 1)), SLOT, zone=ZONE) == 2
    assert states(writing) == ["done"]


def test_an_errand_cut_short_leaves_no_trace_of_being_done(app, writing):
    class Killed(BaseException):
        """As little caught as a signal is."""

    def cut_short():
        raise Killed

    with app.app_context(), pytest.raises(Killed):
        run_slot(a_job(lambda *_: Step(1, errand=cut_short)), SLOT, zone=ZONE)
    assert states(writing) == []


def test_a_tenure_lost_during_the_errand_does_not_keep_the_occasion(app, writing):
    with writing() as session:
        assert take_lease(session, holder="first", now=clock.now())

    def is_overtaken():
        later = clock.now() + timedelta(hours=1)
        run(lambda session: take_lease(session, holder="second", now=later))
        return 1

    job = a_job(lambda *_: Step(1, errand=is_overtaken))
    with app.app_context():
        assert run_slot(job, SLOT, zone=ZONE, holder="first") is None
    assert states(writing) == []


def test_webhooks_are_due_every_minute():
    (slot,) = JOBS["webhooks"].due(clock.now(), ZONE)
    (later,) = JOBS["webhooks"].due(clock.now() + timedelta(minutes=1), ZONE)
    assert slot.key != later.key
    assert JOBS["webhooks"].period_now(clock.now(), ZONE)[:10] == slot.period[:10]
