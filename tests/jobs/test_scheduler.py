"""The scheduler: who leads runs what is due; others wait, and take over in time."""

from datetime import timedelta

import pytest
import time_machine
from sqlalchemy import select

from pointsbank.jobs.leasing import LEASE_SECONDS
from pointsbank.jobs.models import JobLease, JobRun
from pointsbank.jobs.scheduler import (
    LOOK_SECONDS,
    Tenure,
    keep_lease,
    leave,
    make_scheduler,
    run_due,
)
from pointsbank.jobs.table import JOBS
from tests.builders import a_member, a_score_entry
from tests.moments import NOON

RUNNING = ("2026-11", "2026-Q4", "2026", "spans")


@pytest.fixture
def travel():
    with time_machine.travel(NOON, tick=False) as traveller:
        yield traveller


@pytest.fixture(autouse=True)
def two_jobs(monkeypatch):
    """Let the scheduler know two of the jobs; when each job is due is tested with the table."""
    known = {name: JOBS[name] for name in ("rankings", "expiry")}
    monkeypatch.setattr("pointsbank.jobs.scheduler.JOBS", known)


def done(writing):
    with writing() as session:
        return {
            f"{row.job} {row.period}"
            for row in session.scalars(select(JobRun).where(JobRun.state == "done"))
        }


def test_the_one_who_leads_runs_what_is_due_once(app, writing, travel):
    with writing() as session:
        a_score_entry(session, a_member(session))
    tenure = Tenure()
    keep_lease(app, tenure)
    run_due(app, tenure)
    expected = {
        *(f"rankings {name}/2026-11-21T12:00" for name in RUNNING),
        "rankings over/2026-11-21",
        "expiry 2026-11-21",
    }
    assert done(writing) == expected
    run_due(app, tenure)
    assert done(writing) == expected
    travel.shift(timedelta(minutes=15))
    run_due(app, tenure)
    again = {f"rankings {name}/2026-11-21T12:15" for name in RUNNING}
    assert done(writing) == expected | again


def test_nights_missed_while_nothing_ran_are_made_good(app, writing, travel):
    tenure = Tenure()
    keep_lease(app, tenure)
    run_due(app, tenure)
    travel.move_to(NOON + timedelta(days=60))
    keep_lease(app, tenure)
    run_due(app, tenure)
    assert {"rankings over/2027-01-20", "expiry 2027-01-20"} <= done(writing)


def test_a_second_scheduler_waits_and_takes_over(app, writing, travel):
    first, second = Tenure(), Tenure()
    keep_lease(app, first)
    keep_lease(app, second)
    assert first.holder is not None
    assert second.holder is None
    run_due(app, second)
    assert done(writing) == set()
    travel.shift(timedelta(seconds=LEASE_SECONDS + 1))
    keep_lease(app, second)
    assert second.holder is not None
    # The first comes back to life: it learns that it leads no more, and its work is not kept.
    run_due(app, first)
    assert done(writing) == set()
    keep_lease(app, first)
    assert first.holder is None
    run_due(app, second)
    assert len(done(writing)) == len(RUNNING) + len(("over", "expiry"))


def test_who_leaves_lets_the_next_one_in_at_once(app, writing, travel):
    first, second = Tenure(), Tenure()
    keep_lease(app, first)
    leave(app, first)
    keep_lease(app, second)
    assert second.holder is not None
    with writing() as session:
        assert session.scalar(select(JobLease.holder)) == second.holder


def test_a_job_that_fails_does_not_keep_the_others_from_running(
    app, writing, travel, monkeypatch
):
    def break_down(*_args, **_more):
        raise ZeroDivisionError

    monkeypatch.setattr("pointsbank.jobs.rolling.roll_up_step", break_down)
    tenure = Tenure()
    keep_lease(app, tenure)
    run_due(app, tenure)
    assert done(writing) == {
        "expiry 2026-11-21",
        # Nobody made a span of days, and nothing was entered in a period that is over.
        "rankings spans/2026-11-21T12:00",
        "rankings over/2026-11-21",
    }
    with writing() as session:
        failed = session.scalars(select(JobRun).where(JobRun.state == "failed")).all()
    assert len(failed) == 3


def test_the_scheduler_is_set_so_that_nothing_is_dropped(app):
    scheduler = make_scheduler(app, Tenure())
    assert str(scheduler.timezone) == "Asia/Shanghai"
    defaults = scheduler._job_defaults
    assert defaults == {"misfire_grace_time": None, "coalesce": True, "max_instances": 1}
    tasks = {
        job.id: (job.func_ref, job.trigger.interval) for job, *_ in scheduler._pending_jobs
    }
    assert tasks["run_due"] == (
        "pointsbank.jobs.scheduler:run_due",
        timedelta(seconds=LOOK_SECONDS),
    )
    assert tasks["keep_lease"][0] == "pointsbank.jobs.scheduler:keep_lease"
