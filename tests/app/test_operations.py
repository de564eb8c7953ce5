"""What an operator asks: whether it lives, is ready, and what it counts."""

from datetime import timedelta

from sqlalchemy import text
from sqlalchemy.exc import OperationalError

from pointsbank.app import operations
from pointsbank.core import clock
from pointsbank.jobs.leasing import take_lease
from pointsbank.ledger.sealing import seal
from pointsbank.ledger.verifying import Offender, Verified, record
from tests.builders import a_member, points_for


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
