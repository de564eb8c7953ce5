"""What an operator asks: whether it lives, is ready, and what it counts."""

from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.exc import OperationalError

from pointsbank.app import operations
from pointsbank.core import clock
from pointsbank.jobs.leasing import take_lease
from pointsbank.jobs.models import JobState
from pointsbank.jobs.recording import Attempt, claim_slot, keep_as_done
from pointsbank.jobs.table import JOBS
from pointsbank.ledger.sealing import seal
from pointsbank.ledger.verifying import Offender, Verified, record
from pointsbank.rankings.checking import keep_check
from tests.builders import a_member, points_for
from tests.jobs.test_table import ZONE


def ready(client):
    answer = client.get("/readyz")
    return answer.status_code, answer.json["checks"]


def test_a_service_lives(client):
    assert client.get("/healthz").json == {"status": "ok"}


def test_a_scheduler_that_never_ran_is_told_and_is_no_fault(client):
    status, checks = ready(client)
    assert status == 200
    assert checks["database"] == checks["migrations"] == "ok"
    assert checks["scheduler"].startswith("has not run yet")


def test_a_scheduler_that_runs_is_ok_and_one_that_stands_still_is_a_fault(client, writing):
    with writing() as session:
        take_lease(session, holder="one", now=clock.now())
    status, checks = ready(client)
    assert (status, checks["scheduler"]) == (200, "ok")
    with writing() as session:
        take_lease(session, holder="one", now=clock.now() - timedelta(minutes=10))
    status, checks = ready(client)
    assert status == 503
    assert checks["scheduler"].startswith("stands still")


def test_a_database_that_is_behind_is_a_fault(client, writing):
    with writing() as session:
        newest = session.execute(text("SELECT version_num FROM alembic_version")).scalar_one()
        session.execute(text("UPDATE alembic_version SET version_num = '0001'"))
    status, checks = ready(client)
    with writing() as session:
        session.execute(text("UPDATE alembic_version SET version_num = :n"), {"n": newest})
    assert status == 503
    assert checks["migrations"] == "run pointsbank migrate"


def verified(writing, *, offenders=0, hours_ago=0):
    """Keep a verification with so many offenders, so many hours old."""
    moment = clock.now() - timedelta(hours=hours_ago)
    with writing() as session:
        record(
            session,
            Verified(
                rules=1,
                transfers=5,
                sealed=5,
                count=offenders,
                offenders=[Offender("a rule", f"transfer {n}") for n in range(offenders)],
            ),
            started_at=moment,
            finished_at=moment,
        )


def test_a_ledger_that_was_never_verified_is_told_and_is_no_fault(client):
    status, checks = ready(client)
    assert status == 200
    assert checks["ledger"].startswith("not verified yet")


def test_a_wrong_ledger_is_a_fault_until_it_is_found_right(client, writing):
    verified(writing, offenders=3)
    status, checks = ready(client)
    assert status == 503
    assert checks["ledger"] == "wrong: 3 offenders; run pointsbank ledger verify"
    verified(writing)
    assert ready(client)[0] == 200
    assert ready(client)[1]["ledger"] == "ok"


def test_an_old_verification_is_told_while_somebody_should_make_new_ones(client, writing):
    verified(writing, hours_ago=49)
    assert ready(client)[1]["ledger"] == "ok"
    with writing() as session:
        take_lease(session, holder="one", now=clock.now())
    status, checks = ready(client)
    assert status == 200
    assert checks["ledger"].startswith("last verified 49 hours ago")


def figure(client, name):
    lines = client.get("/metrics").get_data(as_text=True).splitlines()
    values = [line.split(" ")[1] for line in lines if line.startswith(f"{name} ")]
    return float(values[0]) if values else None


def test_figures_of_the_ledger_come_from_the_database(client, writing):
    assert figure(client, "pointsbank_ledger_offenders") is None
    assert figure(client, "pointsbank_ledger_unsealed_transfers") == 0
    with writing() as session:
        member = a_member(session)
        points_for(session, member, 5, "award:1")
        points_for(session, member, 5, "award:2")
        seal(session, now=clock.now(), salt=bytes(32))
        points_for(session, member, 5, "award:3")
    verified(writing, offenders=2)
    assert figure(client, "pointsbank_ledger_offenders") == 2
    told = figure(client, "pointsbank_ledger_verified_timestamp_seconds")
    assert abs(told - clock.now().timestamp()) < 60
    assert figure(client, "pointsbank_ledger_sealed_block") == 1
    assert figure(client, "pointsbank_ledger_sealed_transfers") == 2
    assert figure(client, "pointsbank_ledger_unsealed_transfers") == 1


def test_figures_come_also_without_a_database(client, monkeypatch):
    def gone(_session):
        raise OperationalError("SELECT", {}, Exception("gone"))

    monkeypatch.setattr(operations, "seal_state", gone)
    assert figure(client, "pointsbank_ledger_sealed_block") is None
    assert "pointsbank_requests_total" in client.get("/metrics").get_data(as_text=True)


def test_figures_count_requests_by_route(client):
    client.get("/healthz")
    assert 'pointsbank_requests_total{method="GET",route="/healthz"' in client.get(
        "/metrics"
    ).get_data(as_text=True)


def test_a_job_in_trouble_degrades_the_service_and_keeps_it_ready(client, writing):
    assert client.get("/readyz").json["status"] == "ok"
    with writing() as session:
        since = datetime(2026, 11, 21, 4, tzinfo=UTC)
        session.add(JobState(job="expiry", trouble="failing", trouble_since=since))
    answer = client.get("/readyz")
    assert (answer.status_code, answer.json["status"]) == (200, "degraded")
    assert answer.json["checks"]["jobs"] == (
        "in trouble: expiry (failing since 2026-11-21T04:00Z)"
    )
    assert figure(client, 'pointsbank_job_trouble{job="expiry",trouble="failing"}') == 1
    assert figure(client, 'pointsbank_job_trouble{job="expiry",trouble="late"}') == 0


def test_standings_that_differed_degrade_the_service_until_a_night_finds_none(client, writing):
    assert client.get("/readyz").json["checks"]["rankings"].startswith("not checked yet")
    assert figure(client, "pointsbank_rankings_disagreements") is None
    day = date(2026, 11, 20)
    with writing() as session:
        keep_check(session, day=day, compared=40, wrong=3, now=clock.now())
    for _ in range(2):
        answer = client.get("/readyz")
        assert (answer.status_code, answer.json["status"]) == (200, "degraded")
        assert answer.json["checks"]["rankings"] == (
            "standings differed: 3 of 40 on 2026-11-20; find out who wrote"
        )
        assert figure(client, "pointsbank_rankings_disagreements") == 3
        # The next try of that night finds them made anew, and what was found is not forgotten.
        with writing() as session:
            keep_check(session, day=day, compared=40, wrong=0, now=clock.now())
    with writing() as session:
        keep_check(session, day=day + timedelta(1), compared=41, wrong=0, now=clock.now())
    assert client.get("/readyz").json["status"] == "ok"
    assert client.get("/readyz").json["checks"]["rankings"] == "ok"
    assert figure(client, "pointsbank_rankings_disagreements") == 0
    assert figure(client, "pointsbank_rankings_compared") == 41
    assert figure(client, "pointsbank_rankings_checked_timestamp_seconds") > 0


@pytest.mark.usefixtures("at_noon")
def test_figures_of_each_job(client, writing):
    job = JOBS["expiry"]
    (slot,) = job.due(clock.now(), ZONE)
    assert figure(client, 'pointsbank_job_duration_seconds{job="expiry"}') is None
    assert figure(client, 'pointsbank_job_late_seconds{job="expiry"}') > 0
    started_at = slot.due_at + timedelta(seconds=90)
    with writing() as session:
        attempt = Attempt(job, slot, "host:1:abc", started_at)
        run_id = claim_slot(session, job, slot, started_at)
        keep_as_done(session, run_id, attempt, 7, started_at + timedelta(seconds=2.5))
    expected = {
        "last_run_timestamp_seconds": started_at.timestamp(),
        "last_success_timestamp_seconds": started_at.timestamp() + 2.5,
        "duration_seconds": 2.5,
        "rows": 7,
        "lag_seconds": 90,
        "late_seconds": 0,
        "next_run_timestamp_seconds": (slot.due_at + timedelta(days=1)).timestamp(),
        "failures_total": 0,
        "running_since_timestamp_seconds": 0,
    }
    found = {
        name: figure(client, f'pointsbank_job_{name}{{job="expiry"}}') for name in expected
    }
    assert found == expected
