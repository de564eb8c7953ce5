"""How jobs stand: fresh, late, failing, stuck or resting; told once, and all clear once."""

from dataclasses import replace
from datetime import timedelta

import pytest
import time_machine
from sqlalchemy import select

from pointsbank.core import clock
from pointsbank.jobs.foreseeing import next_slot
from pointsbank.jobs.models import JobState
from pointsbank.jobs.nights import due_expiry
from pointsbank.jobs.occasions import Job, Slot, Step, every_minutes
from pointsbank.jobs.recording import Attempt, note_running
from pointsbank.jobs.scheduler import Tenure, keep_lease, run_due, watch
from pointsbank.jobs.table import JOBS
from pointsbank.jobs.watching import LATE_AFTER, jobs_in_trouble, standing_of
from pointsbank.messages.models import Message
from tests.builders import a_member, with_role
from tests.jobs.test_table import ZONE, at
from tests.moments import NOON


@pytest.fixture
def travel():
    with time_machine.travel(NOON, tick=False) as traveller:
        yield traveller


class Watched:
    """A scheduler that leads, with one job of every ten minutes that can be told to fail."""

    def __init__(self, app, writing, travel, due):
        self.app, self.writing, self.travel = app, writing, travel
        self.breaks = False
        self.job = Job("probe", due, self._work, lambda *_: "")
        self.tenure = Tenure()

    def _work(self, _session, _period, _zone, _now):
        if self.breaks:
            raise ZeroDivisionError
        return Step(3)

    def after(self, minutes, is_run=True):
        """Let so much time pass, look, and return the job's state."""
        self.travel.shift(timedelta(minutes=minutes))
        keep_lease(self.app, self.tenure)
        if is_run:
            run_due(self.app, self.tenure)
        watch(self.app, self.tenure)
        return self.standing().state

    def standing(self, moment=None):
        with self.writing() as session:
            return standing_of(session, self.job, moment or clock.now(), ZONE)

    def told(self):
        with self.writing() as session:
            found = session.scalars(select(Message).order_by(Message.id)).all()
            return [(message.kind, message.facts["job"]) for message in found]


@pytest.fixture
def watched(app, writing, travel, monkeypatch):
    with writing() as session:
        with_role(session, a_member(session), "administrator")
        with_role(session, a_member(session), "auditor")
    made = Watched(app, writing, travel, every_minutes(10))
    monkeypatch.setattr("pointsbank.jobs.scheduler.JOBS", {"probe": made.job})
    return made


def test_a_job_that_ran_is_fresh_and_tells_its_next_run(watched):
    assert watched.standing().state == "never"
    assert watched.after(1) == "fresh"
    standing = watched.standing()
    assert standing.next_at == NOON + timedelta(minutes=10)
    assert (standing.last.lag_seconds, standing.last.count) == (60, 3)
    assert standing.late_since is None
    assert watched.told() == []


def test_failing_twice_is_told_once_and_being_well_again_once(watched, caplog):
    watched.after(0)
    watched.breaks = True
    assert watched.after(10) == "failing"
    assert watched.told() == []
    for _ in range(5):
        assert watched.after(10) == "failing"
    assert watched.told() == [("job_failing", "probe")]
    assert watched.standing().failures == 6
    with watched.writing() as session:
        assert [row.trouble for row in jobs_in_trouble(session)] == ["failing"]
    watched.breaks = False
    assert watched.after(10) == "fresh"
    assert watched.told() == [("job_failing", "probe"), ("job_well", "probe")]
    with watched.writing() as session:
        assert jobs_in_trouble(session) == []
    events = [each.msg["event"] for each in caplog.records if each.levelname == "ERROR"]
    assert events.count("job_in_trouble") == 1


def test_a_second_incident_is_told_again(watched):
    for _ in range(2):
        watched.breaks = True
        watched.after(10)
        watched.after(10)
        watched.breaks = False
        watched.after(10)
    assert [kind for kind, _ in watched.told()] == ["job_failing", "job_well"] * 2


def test_one_failure_that_the_next_try_mends_is_not_told(watched):
    watched.breaks = True
    watched.after(10)
    watched.breaks = False
    watched.after(10)
    assert watched.told() == []


def test_an_old_period_that_fails_is_trouble_though_newer_ones_are_done(
    app, writing, travel, monkeypatch, watched
):
    def due(_now, _zone):
        return [Slot("old", "old", NOON), Slot("new", "new", NOON + timedelta(minutes=1))]

    def work(_session, period, _zone, _now):
        if period == "old":
            raise ZeroDivisionError
        return Step(1)

    watched.job = Job("probe", due, work, lambda *_: "", kept=None)
    monkeypatch.setattr("pointsbank.jobs.scheduler.JOBS", {"probe": watched.job})
    watched.after(10)
    assert watched.after(10) == "failing"
    assert watched.told() == [("job_failing", "probe")]


def test_what_should_have_run_is_late_since_the_first_that_was_missed(watched):
    watched.after(1)
    late = LATE_AFTER.seconds // 60 + 12
    assert watched.after(late, is_run=False) == "late"
    assert watched.standing().late_since == NOON + timedelta(minutes=10)
    assert watched.told() == [("job_late", "probe")]
    assert watched.after(1) == "fresh"
    assert watched.told() == [("job_late", "probe"), ("job_well", "probe")]


def test_a_job_of_several_series_is_late_since_its_first_missed_occasion(watched, monkeypatch):
    """Its newest occasions are never older than a round, however long nothing was done."""

    def due(now, zone):
        rounds = every_minutes(10)(now, zone)
        return [*rounds, *(replace(slot, key=f"other/{slot.key}") for slot in rounds)]

    watched.job = replace(watched.job, due=due)
    monkeypatch.setattr("pointsbank.jobs.scheduler.JOBS", {"probe": watched.job})
    watched.after(1)
    assert watched.after(60, is_run=False) == "late"
    assert watched.standing().late_since == NOON + timedelta(minutes=10)


def test_after_days_without_a_scheduler_nothing_is_told_before_it_had_time(watched):
    watched.after(0)
    watched.travel.shift(timedelta(days=5))
    watched.tenure = Tenure()
    keep_lease(watched.app, watched.tenure)
    assert watched.standing().state == "late"
    watch(watched.app, watched.tenure)
    assert watched.told() == []
    assert watched.after(0) == "fresh"


def test_a_run_that_goes_on_for_too_long_is_stuck_while_its_scheduler_lives(watched):
    watched.after(0)
    with watched.writing() as session:
        attempt = Attempt(watched.job, Slot("x", "x"), watched.tenure.holder, NOON)
        note_running(session, attempt)
    assert watched.after(5, is_run=False) == "working"
    assert watched.after(6, is_run=False) == "stuck"
    assert watched.told() == [("job_stuck", "probe")]
    # The scheduler is gone: so is the run.
    assert watched.standing(NOON + timedelta(minutes=14)).state != "stuck"


def test_who_leads_no_more_tells_nothing(watched):
    watched.breaks = True
    watched.after(10)
    watched.after(10, is_run=False)
    watched.travel.shift(timedelta(minutes=10))
    other = Tenure()
    keep_lease(watched.app, other)
    run_due(watched.app, other)
    watch(watched.app, watched.tenure)
    assert watched.told() == []
    watch(watched.app, other)
    assert watched.told() == [("job_failing", "probe")]


def test_while_the_clock_is_set_back_a_job_rests_and_is_not_in_trouble(watched):
    watched.after(60)
    watched.travel.shift(timedelta(hours=-1))
    assert watched.standing().state == "resting"
    watch(watched.app, watched.tenure)
    assert watched.told() == []
    assert watched.after(70) == "fresh"


@pytest.mark.parametrize("name", sorted(JOBS))
def test_the_next_run_is_the_first_moment_something_new_is_due(name):
    job = JOBS[name]
    found = next_slot(job, NOON, ZONE)
    assert found is not None
    before = {slot.key for slot in job.due(found.due_at - timedelta(seconds=1), ZONE)}
    assert found.due_at > NOON
    assert found.key not in before
    assert found.key in {slot.key for slot in job.due(found.due_at, ZONE)}


def test_a_job_that_is_due_no_more_has_no_next_run():
    job = replace(JOBS["expiry"], due=lambda _now, _zone: [])
    assert next_slot(job, NOON, ZONE) is None
    assert next_slot(replace(job, due=due_expiry), at("2026-11-21T00:10"), ZONE).due_at == at(
        "2026-11-22T00:10"
    )


def test_rows_of_jobs_that_are_well_hold_no_trouble(watched):
    watched.after(10)
    with watched.writing() as session:
        state = session.scalar(select(JobState))
        assert (state.trouble, state.failing_since, state.running_since) == (None, None, None)
