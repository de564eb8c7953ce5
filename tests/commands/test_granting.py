"""The role that serves does all that the service does, and cannot change the past."""

import os
from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ProgrammingError

from pointsbank.app import create_app
from pointsbank.commands import main
from pointsbank.commands.granting import NEVER_CHANGED
from pointsbank.core import clock
from pointsbank.core.db import db, reading, run, transaction
from pointsbank.jobs.running import run_slot
from pointsbank.jobs.table import JOBS, slot_by_hand
from pointsbank.ledger.queries import balance_of, seal_state
from pointsbank.ledger.verifying import offenders
from tests.builders import a_member, points_for
from tests.databases import settings_for
from tests.moments import NOON
from tests.rewards.conftest import open_counter

REDEMPTIONS = "/api/v1/redemptions"
ZONE = ZoneInfo("Asia/Shanghai")
ROLE = f"pointsbank_serves_{os.getpid()}"


@pytest.fixture
def owned(create_database_from_template, databases):
    """A database whose owner migrated it, and a role that is to serve on it."""
    url = create_database_from_template()
    with databases.server.connect() as connection:
        connection.execute(f"CREATE ROLE {ROLE} LOGIN")
    owner = create_app(settings_for(url))
    yield url, owner
    dispose(owner)
    with databases.server.connect(make_url(url).database) as connection:
        connection.execute(f"DROP OWNED BY {ROLE}")
        connection.execute(f"DROP ROLE {ROLE}")


def dispose(app):
    with app.app_context():
        db.engine.dispose()


@pytest.fixture
def served(owned):
    """The service under the role, after the owner has granted what it needs."""
    url, owner = owned
    result = owner.test_cli_runner().invoke(main, ["migrate", "--app-role", ROLE])
    assert result.exit_code == 0, result.output
    assert f"{ROLE} may serve" in result.output
    again = owner.test_cli_runner().invoke(main, ["migrate", "--app-role", ROLE])
    assert again.exit_code == 0
    as_role = make_url(url).set(username=ROLE).render_as_string(hide_password=False)
    app = create_app(settings_for(as_role))
    yield app
    dispose(app)


def job(app, name, period=None):
    with app.app_context():
        slot = slot_by_hand(JOBS[name], period, clock.now(), ZONE)
        return run_slot(JOBS[name], slot, zone=ZONE)


@pytest.mark.engine("postgresql")
def test_the_role_does_all_that_the_service_does(served, engine_name):
    counter = open_counter(served)
    client = served.test_client()
    with served.app_context(), reading() as session:
        assert session.scalar(text("SELECT current_user")) == ROLE
    answer = client.post(
        REDEMPTIONS,
        json=counter.body(),
        headers={**counter.headers(), "Idempotency-Key": "one"},
    )
    assert answer.status_code == 201, answer.text
    answer = client.post(
        f"{REDEMPTIONS}/{answer.json['id']}/void",
        headers={**counter.headers(), "Idempotency-Key": "two"},
    )
    assert answer.status_code == 200, answer.text
    assert counter.points() == 100
    with served.app_context():

        def old_points(session):
            member = a_member(session)
            points_for(session, member, 7, "award:old", now=NOON - timedelta(days=800))
            return member

        member = run(old_points)
    assert job(served, "seal") == 4
    assert job(served, "expiry") == 1
    assert job(served, "rankings") is not None
    assert job(served, "reminders") is not None
    assert job(served, "seal") == 1
    assert job(served, "verify") == 0
    with served.app_context(), reading() as session:
        assert balance_of(session, f"member:{member}").posted == 0
        assert seal_state(session).waiting == 0
        assert offenders(session) == []
    assert served.test_client().get("/readyz").json["checks"]["ledger"] == "ok"


FORBIDDEN = [
    *(
        f"UPDATE {table} SET {column} = {column}"
        for table, column in (
            ("transfer", "points"),
            ("block", "count"),
            ("merchant_checkpoint", "balance"),
            ("audit_entry", "action"),
        )
    ),
    *(f"DELETE FROM {table}" for table in NEVER_CHANGED),
    *(f"TRUNCATE {table} CASCADE" for table in NEVER_CHANGED),
    "DROP TRIGGER transfer_is_never_changed ON transfer",
    "DROP TRIGGER block_is_never_changed ON block",
    "ALTER TABLE transfer DISABLE TRIGGER ALL",
    "SET session_replication_role = replica",
    "LOCK TABLE transfer IN SHARE MODE",
    "LOCK TABLE transfer IN ACCESS EXCLUSIVE MODE",
    "ALTER TABLE transfer DROP CONSTRAINT ck_transfer_points",
    "DROP TABLE transfer CASCADE",
    """CREATE OR REPLACE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql
       AS 'BEGIN RETURN NEW; END'""",
    "SELECT setval(pg_get_serial_sequence('transfer', 'id'), 1)",
    "UPDATE alembic_version SET version_num = '0001'",
    "CREATE TABLE elsewhere (id bigint)",
]


@pytest.mark.engine("postgresql")
def test_the_role_cannot_change_the_past(served, engine_name):
    """The right is missing, also before any trigger is asked."""
    for attempt in FORBIDDEN:
        refused = "permission denied|must be owner|permission denied to set parameter"
        with (
            pytest.raises(ProgrammingError, match=refused),
            served.app_context(),
            transaction() as session,
        ):
            session.execute(text(attempt))


@pytest.mark.engine("postgresql")
def test_a_role_that_nothing_can_be_withheld_from_is_refused(owned, databases, engine_name):
    _url, owner = owned
    typed = owner.test_cli_runner()
    owner_name = databases.server.url.username
    result = typed.invoke(main, ["migrate", "--app-role", owner_name])
    assert result.exit_code == 1
    assert "serve as another" in result.output
    with databases.server.connect() as connection:
        connection.execute(f"GRANT {owner_name} TO {ROLE}")
    result = typed.invoke(main, ["migrate", "--app-role", ROLE])
    assert result.exit_code == 1
    assert "serve as another" in result.output
    missing = typed.invoke(main, ["migrate", "--app-role", "nobody_of_this_name"])
    assert missing.exit_code == 1
    assert "CREATE ROLE nobody_of_this_name" in missing.output


@pytest.mark.engine("sqlite")
def test_sqlite_has_no_roles(app, engine_name):
    result = app.test_cli_runner().invoke(main, ["migrate", "--app-role", "anyone"])
    assert result.exit_code == 1
    assert "Only PostgreSQL has roles" in result.output
