"""What an operator asks: whether it lives, is ready, and what it counts."""

from datetime import timedelta

from sqlalchemy import text

from pointsbank.core import clock
from pointsbank.jobs.leasing import take_lease


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
    assert ready(client) == (200, {"database": "ok", "migrations": "ok", "scheduler": "ok"})
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


def test_figures_count_requests_by_route(client):
    client.get("/healthz")
    assert 'pointsbank_requests_total{method="GET",route="/healthz"' in client.get(
        "/metrics"
    ).get_data(as_text=True)
