"""What the other tests stand on: clean databases, real commits, and nothing left behind."""

import fcntl
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import datetime
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import create_engine, func, inspect, select, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from pointsbank.ledger.models import Account, Transfer
from tests.databases import TRUNCATE_BYTES_MIN, Databases, SchemaChanged
from tests.laws.tree import ROOT

Writing = Callable[[], AbstractContextManager[Session]]
END_SECONDS_MAX = 30

KILLED_SESSION = """
import os, signal, sys
from tests.postgres import server_for
from tests.shelf import Shelf
shelf = Shelf()
with server_for(shelf.folder).connect() as connection:
    connection.execute("SELECT 1")
print((shelf.folder / "server.json").read_text(), flush=True)
os.kill(os.getpid(), signal.SIGKILL)
"""


def counts(url: str) -> dict[str, int]:
    """Return how many rows each table holds."""
    engine = create_engine(url)
    try:
        with engine.connect() as connection:
            return {
                name: connection.scalar(text(f"SELECT count(*) FROM {name}")) or 0
                for name in inspect(connection).get_table_names()
            }
    finally:
        engine.dispose()


def a_transfer(session: Session, now: datetime, key: str) -> Transfer:
    """Move a point between two new accounts, past every service."""
    source = Account(kind="issue", code=f"issue:{key}")
    target = Account(kind="merchant", code=f"merchant:{key}")
    session.add_all([source, target])
    session.flush()
    transfer = Transfer(
        key=key,
        request_hash=b"h" * 32,
        kind="earn",
        source_id=source.id,
        target_id=target.id,
        points=1,
        occurred_at=now,
        recorded_at=now,
        reason="test",
    )
    session.add(transfer)
    session.flush()
    return transfer


def is_running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def ends(condition: Callable[[], bool]) -> bool:
    """Tell whether a condition comes to an end within a fair time."""
    deadline = time.monotonic() + END_SECONDS_MAX
    while condition() and time.monotonic() < deadline:
        time.sleep(0.05)
    return not condition()


def test_what_one_test_wrote_the_next_does_not_see(
    database_url: str, engine_name: str, databases: Databases, writing: Writing, now: datetime
) -> None:
    before = counts(database_url)
    with writing() as session:
        first_id = a_transfer(session, now, "first").id
    assert counts(database_url) == before | {
        "account": before["account"] + 2,
        "transfer": before["transfer"] + 1,
    }
    next_url, give_back = databases.for_one_test(engine_name)
    try:
        assert counts(next_url) == before
        engine = create_engine(next_url)
        with engine.begin() as connection, Session(connection) as session:
            assert a_transfer(session, now, "again").id == first_id
        engine.dispose()
    finally:
        give_back()


def test_a_table_that_grew_large_is_emptied_too(
    database_url: str, engine_name: str, databases: Databases, writing: Writing
) -> None:
    before = counts(database_url)
    rows = [
        {"code": f"merchant:{number}:{'x' * 60}"} for number in range(TRUNCATE_BYTES_MIN // 60)
    ]
    with writing() as session:
        session.execute(
            text("INSERT INTO account (kind, code) VALUES ('merchant', :code)"), rows
        )
    next_url, give_back = databases.for_one_test(engine_name)
    try:
        assert counts(next_url) == before
    finally:
        give_back()


@pytest.mark.parametrize("change", ["UPDATE transfer SET points = 2", "DELETE FROM transfer"])
def test_emptying_tables_leaves_the_triggers_in_force(
    engine_name: str, databases: Databases, writing: Writing, now: datetime, change: str
) -> None:
    with writing() as session:
        a_transfer(session, now, "kept")
    url, give_back = databases.for_one_test(engine_name)
    engine = create_engine(url)
    try:
        with engine.begin() as connection, Session(connection) as session:
            a_transfer(session, now, "kept")
        with pytest.raises(DBAPIError), engine.begin() as connection:
            connection.execute(text(change))
    finally:
        engine.dispose()
        give_back()


def test_commits_are_real(
    app: Flask, database_url: str, writing: Writing, now: datetime
) -> None:
    with writing() as session:
        a_transfer(session, now, "seen by others")
    other = create_engine(database_url)
    try:
        with other.connect() as connection:
            seen = connection.scalar(select(func.count()).select_from(Transfer))
        assert seen == 1
    finally:
        other.dispose()


def test_more_databases_come_from_the_same_template(
    database_url: str, create_database_from_template: Callable[[], str]
) -> None:
    made = [create_database_from_template() for _ in range(2)]
    assert len({database_url, *made}) == 3
    first = counts(database_url)
    for url in made:
        # Each by itself, so that a difference names its tables.
        assert counts(url) == first


@pytest.mark.engine("postgresql")
@pytest.mark.parametrize(
    ("change", "name"),
    [
        ("CREATE TABLE stray (id integer)", "relation stray"),
        ("DROP TRIGGER transfer_is_never_changed ON transfer", "trigger transfer_is_never_"),
        ("ALTER TABLE transfer DISABLE TRIGGER ALL", "trigger transfer_is_never_changed"),
        ("ALTER TABLE shift DROP CONSTRAINT uq_shift_series_id_occurs_on", "uq_shift_series"),
        ("ALTER TABLE transfer ADD COLUMN stray integer", "relation transfer"),
    ],
)
def test_a_test_that_changes_the_schema_is_named_and_harms_no_other(
    engine_name: str, databases: Databases, change: str, name: str
) -> None:
    url, give_back = databases.for_one_test(engine_name)
    before = counts(url)
    engine = create_engine(url)
    with engine.begin() as connection:
        connection.execute(text(change))
    engine.dispose()
    with pytest.raises(SchemaChanged, match=name):
        give_back()
    next_url, give_back = databases.for_one_test(engine_name)
    assert counts(next_url) == before
    give_back()


@pytest.mark.slow
def test_the_server_of_a_killed_session_stops_and_is_cleared_away() -> None:
    environment = {
        name: value
        for name, value in os.environ.items()
        if name != "POINTSBANK_TEST_DATABASE_URL"
    }
    killed = subprocess.run(
        [sys.executable, "-c", KILLED_SESSION],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
    )
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    server = json.loads(killed.stdout)
    folder = Path(server["folder"])
    assert ends(lambda: is_running(server["pid"]))
    assert ends(folder.exists)


def test_a_service_does_not_outlive_its_session(tmp_path: Path) -> None:
    leash = str(ROOT / "tests" / "leash.py")
    with (tmp_path / "alive.lock").open("a") as session:
        fcntl.flock(session, fcntl.LOCK_EX)
        service = subprocess.Popen(
            [sys.executable, leash, str(tmp_path), "sleep", "600"], start_new_session=True
        )
        with pytest.raises(subprocess.TimeoutExpired):
            service.wait(1)
    # The kernel lets go of the lock in the same way when its holder is killed.
    assert service.wait(END_SECONDS_MAX) == -signal.SIGTERM % 256
