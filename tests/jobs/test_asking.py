"""A run that is asked for: the scheduler does it once, and web workers never."""

from datetime import timedelta

import pytest
import time_machine
from sqlalchemy import func, select

from pointsbank.core.actor import Actor, Grant
from pointsbank.core.audit import AuditEntry
from pointsbank.core.db import transaction
from pointsbank.jobs import asking
from pointsbank.jobs.asking import ASKED_STAYS, ask_to_run, asked_slots, askers_of
from pointsbank.jobs.errors import JobAskedAlready, JobsForWhole
from pointsbank.jobs.models import JobRequest, JobRun, JobState
from pointsbank.jobs.scheduler import Tenure, keep_lease, run_due
from pointsbank.jobs.table import JOBS
from pointsbank.organizations.queries import organization_of
from tests.builders import a_member, an_organization
from tests.jobs.test_table import ZONE
from tests.moments import NOON
from tests.racing import forget_lock, meet_after, race, times

ASKERS = 4


@pytest.fixture
def travel():
    with time_machine.travel(NOON, tick=False) as traveller:
        yield traveller


@pytest.fixture
def administrator(writing):
    with writing() as session:
        return an_actor(session, "/")


def an_actor(session, path, role="administrator", **more):
    return Actor(a_member(session, **more), "某某", 0, 0, (Grant(role, path),))


def ask(session, actor, name="expiry", now=NOON):
    return ask_to_run(session, actor=actor, job=JOBS[name], now=now)


def test_the_scheduler_runs_what_was_asked_for_once(app, writing, travel, administrator):
    with writing() as session:
        request_id = ask(session, administrator)
        assert asking.asked_at(session, "expiry", NOON) == NOON
    tenure = Tenure()
    for _ in range(2):
        keep_lease(app, tenure)
        run_due(app, tenure)
    key = f"asked/{request_id}"
    with writing() as session:
        rows = session.execute(select(JobRun.job, JobRun.state).where(JobRun.period == key))
        assert [tuple(row) for row in rows] == [("expiry", "done")]
        assert asking.asked_at(session, "expiry", NOON) is None
        assert askers_of(session, [key, "2026-11-21"]) == {key: administrator.member_id}
        noted = session.scalars(select(AuditEntry).where(AuditEntry.action == "ask_for_job"))
        assert [each.actor_id for each in noted] == [administrator.member_id]
        # It may be asked for again afterwards.
        ask(session, administrator)


def test_who_asks_twice_is_told_that_it_was_asked_for(writing, administrator):
    with writing() as session:
        ask(session, administrator)
    with writing() as session, pytest.raises(JobAskedAlready):
        ask(session, administrator)
    with writing() as session:
        ask(session, administrator, "verify")


def test_what_fails_is_not_tried_again_by_itself(
    app, writing, travel, administrator, monkeypatch
):
    def break_down(*_args, **_more):
        raise ZeroDivisionError

    monkeypatch.setattr("pointsbank.jobs.nights.expire_points", break_down)
    with writing() as session:
        request_id = ask(session, administrator)
    tenure = Tenure()
    for _ in range(2):
        keep_lease(app, tenure)
        run_due(app, tenure)
        travel.shift(timedelta(minutes=10))
    with writing() as session:
        key = f"asked/{request_id}"
        assert session.scalar(select(JobRun.failures).where(JobRun.period == key)) == 1


def test_what_nobody_ran_for_a_day_is_forgotten(writing, administrator):
    with writing() as session:
        ask(session, administrator)
        later = NOON + ASKED_STAYS
        assert len(asked_slots(session, JOBS, later - timedelta(seconds=1), ZONE)) == 1
        assert asked_slots(session, JOBS, later, ZONE) == []
        ask(session, administrator, now=later)


def test_only_who_stands_over_everything_may_ask(writing):
    with writing() as session:
        district = an_organization(session, "140303", kind="district")
        street = an_organization(session, "140303009", kind="street", parent=district)
        whole, part = (
            an_actor(session, organization_of(session, place).path, organization_id=place)
            for place in (district, street)
        )
        auditor = an_actor(session, "/", "auditor", organization_id=district)
        ask(session, whole)
        for actor in (part, auditor):
            with pytest.raises(JobsForWhole):
                ask(session, actor)


def asking_at_once(app, administrator):
    def contestant():
        with transaction() as session:
            return ask(session, administrator)

    return race(app, times(ASKERS, contestant))


def requests(session):
    return session.scalar(select(func.count()).select_from(JobRequest))


def test_of_four_who_ask_at_once_one_is_taken(app, writing, administrator):
    found = asking_at_once(app, administrator)
    assert sum(isinstance(each, JobAskedAlready) for each in found) == ASKERS - 1, found
    with writing() as session:
        assert requests(session) == 1


@pytest.mark.engine("postgresql")
def test_without_the_lock_several_are_taken(app, writing, administrator, monkeypatch):
    """The control: all see that nobody asked; on SQLite one writer comes after the other."""
    with writing() as session:
        session.add(JobState(job="expiry"))
    forget_lock(monkeypatch, asking, JobState.job)
    monkeypatch.setattr(asking, "MAKE_STATE", select(func.pg_sleep(0)))
    meet_after(monkeypatch, asking, "asked_at", ASKERS)
    asking_at_once(app, administrator)
    with writing() as session:
        assert requests(session) == ASKERS
