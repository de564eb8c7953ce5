"""What is answered while the database is busy, full, away, or lost on the way."""

import sqlite3
from contextlib import closing

import psycopg
import pytest
from sqlalchemy.exc import (
    DBAPIError,
    IntegrityError,
    InterfaceError,
    OperationalError,
    TimeoutError,
)

from pointsbank.app import create_app
from pointsbank.web.errors import AWAY, BUSY, FULL, LOST, outage_of
from tests.databases import settings_for

ANOTHER_SESSION = {"Authorization": "Bearer whoever-asks"}


def of_postgresql(state, *, is_lost=False):
    """Return PostgreSQL's error of this state as SQLAlchemy hands it on."""
    kind = psycopg.errors.lookup(state) if state else psycopg.OperationalError
    return OperationalError(
        "SELECT 1", {}, kind("as it was said"), connection_invalidated=is_lost
    )


def of_sqlite(name):
    """Return SQLite's error of this name."""
    said = sqlite3.OperationalError("as it was said")
    said.sqlite_errorname = name
    return OperationalError("SELECT 1", {}, said)


@pytest.mark.parametrize(
    ("error", "outage"),
    [
        (of_postgresql("53100"), FULL),
        (of_postgresql("57P03"), AWAY),
        (of_postgresql("08006"), AWAY),
        (of_postgresql(None), AWAY),
        (of_postgresql("55P03"), BUSY),
        (of_postgresql("53300"), BUSY),
        (of_postgresql("57P01", is_lost=True), LOST),
        (of_sqlite("SQLITE_FULL"), FULL),
        (of_sqlite("SQLITE_IOERR_WRITE"), FULL),
        (of_sqlite("SQLITE_BUSY_SNAPSHOT"), BUSY),
        (of_sqlite("SQLITE_CANTOPEN"), AWAY),
        (TimeoutError("no connection was free"), BUSY),
        (InterfaceError("SELECT 1", {}, psycopg.InterfaceError("closed")), AWAY),
        (IntegrityError("INSERT", {}, psycopg.errors.NotNullViolation("no")), None),
        (DBAPIError("SELECT 1", {}, psycopg.errors.InternalError_("no")), None),
    ],
)
def test_each_outage_is_told_apart(error, outage):
    assert outage_of(error) == outage


@pytest.fixture(
    params=[
        "sqlite:////nowhere/at/all.sqlite",
        "postgresql+psycopg://nobody@/none?host=/nowhere",
    ]
)
def client_without_database(request):
    return create_app(settings_for(request.param)).test_client()


def test_a_program_is_told_and_nothing_fails_in_the_telling(client_without_database):
    """The answer once asked the database for the language of whoever asks, and failed too."""
    answer = client_without_database.get("/api/v1/me", headers=ANOTHER_SESSION)
    assert answer.status_code == 503
    assert answer.content_type == "application/problem+json"
    assert answer.json["code"] == "database_away"
    assert answer.json["detail"].startswith("系统暂时连不上记录")
    assert int(answer.headers["Retry-After"]) > 0


def test_a_person_reads_a_page_with_the_same_sentence(client_without_database):
    client_without_database.set_cookie("pointsbank", "whoever-asks")
    page = client_without_database.get("/me")
    assert page.status_code == 503
    assert page.content_type.startswith("text/html")
    assert "系统暂时连不上记录" in page.text


@pytest.mark.engine("sqlite")
def test_who_waits_too_long_for_a_writer_is_told_to_try_again(app, settings, monkeypatch):
    """Another program holds SQLite's write lock, past all patience."""
    path = settings.database_url.removeprefix("sqlite:///")
    monkeypatch.setattr("pointsbank.core.db.BUSY_TIMEOUT_MS", 10)
    impatient = create_app(settings)
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        answer = impatient.test_client().post(
            "/api/v1/sessions", json={"phone": "19900000000", "password": "wrong password"}
        )
    assert (answer.status_code, answer.json["code"]) == (503, "busy")
