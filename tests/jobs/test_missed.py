"""Periods missed while no scheduler ran: each is done on its own, oldest first, once."""

from datetime import datetime, time, timedelta

import pytest
import time_machine
from sqlalchemy import select

from pointsbank.jobs.models import JobRun
from pointsbank.jobs.months import SETTLES_BACK, due_settlement
from pointsbank.jobs.occasions import Job, Step, periods_over
from pointsbank.jobs.scheduler import Tenure, keep_lease, run_due
from tests.jobs.test_table import ZONE, at

BACK = timedelta(days=100)


def due(now, zone):
    return periods_over(now, zone, months=(1, 3), at=time(0, 30), back=BACK)


def due_newest(now, zone):
    """The control: as a job has it that works from its sources."""
    return due(now, zone)[-1:]


@pytest.fixture
def look(app, monkeypatch):
    """Let a scheduler look at these moments with one job; return the periods it worked on."""

    def at_moments(moments, due):
        worked = []

        def work(_session, period, _zone, _now):
            worked.append(period)
            return Step(1)

        job = Job("probe", due, work, lambda *_: "", kept=None)
        monkeypatch.setattr("pointsbank.jobs.scheduler.JOBS", {"probe": job})
        for moment in moments:
            with time_machine.travel(moment, tick=False):
                tenure = Tenure()
                keep_lease(app, tenure)
                run_due(app, tenure)
        return worked

    return at_moments


def daily(first, days, away=()):
    """Return noon of so many days, without those away."""
    noons = [at(first) + timedelta(days=n) for n in range(days)]
    return [noon for noon in noons if f"{noon:%m-%d}" not in away]


DOWN = ("09-29", "09-30", "10-01", "10-02", "10-03")


def test_five_days_down_over_a_quarters_end_lose_no_period(look, writing):
    before = ["2026-05", "2026-06", "2026-Q2", "2026-07"]
    worked = look(daily("2026-08-20T12:00", 60, away=DOWN), due)
    assert worked == [*before, "2026-08", "2026-09", "2026-Q3"]
    with writing() as session:
        rows = session.execute(select(JobRun.period, JobRun.state).order_by(JobRun.id)).all()
    assert [tuple(row) for row in rows] == [(period, "done") for period in worked]


def test_a_job_that_tells_its_newest_occasion_only_would_lose_one(look):
    """The control: so a job of periods must not be written."""
    worked = look(daily("2026-09-20T12:00", 30, away=DOWN), due_newest)
    assert "2026-Q3" in worked
    assert "2026-09" not in worked


def test_months_without_a_scheduler_are_made_good_as_far_as_the_look_back(look):
    """July is older than that: a job of periods says what becomes of such, or has none."""
    worked = look([at("2026-07-15T12:00"), at("2026-11-15T12:00")], due)
    assert worked[:4] == ["2026-04", "2026-05", "2026-06", "2026-Q2"]
    assert worked[4:] == ["2026-08", "2026-09", "2026-Q3", "2026-10"]


def test_a_clock_set_back_and_forward_again_does_nothing_twice(look):
    first = at("2026-10-01T00:40")
    moments = [
        *(first + timedelta(minutes=m) for m in (-20, 0, -60, -15, 0, 20)),
        *(first + timedelta(days=d) for d in (3, -1, 4)),
    ]
    worked = look(moments, due)
    assert len(worked) == len(set(worked))
    assert {"2026-09", "2026-Q3"} <= set(worked)


def test_each_month_of_the_look_back_is_settled_on_its_own():
    now = at("2026-11-05T12:00")
    months = [slot.period for slot in due_settlement(now, ZONE)]
    assert months == ["2026-07", "2026-08", "2026-09", "2026-10"]
    assert all(now - slot.due_at < SETTLES_BACK for slot in due_settlement(now, ZONE))
    assert [slot.period for slot in due_settlement(at("2026-11-01T00:14"), ZONE)][
        -1
    ] == "2026-09"
    assert [slot.period for slot in due_settlement(at("2026-11-01T00:15"), ZONE)][
        -1
    ] == "2026-10"


def test_what_is_due_is_told_with_when_it_came():
    (slot,) = due_newest(at("2026-10-03T12:00"), ZONE)
    assert slot.due_at == datetime(2026, 10, 1, 0, 30, tzinfo=ZONE)
