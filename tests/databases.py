"""Databases for tests: built once a session by the real migrations, copied for every test."""

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
from flask import Flask
from flask_migrate import upgrade
from sqlalchemy.exc import OperationalError

from pointsbank.app import create_app
from pointsbank.core.db import db
from pointsbank.core.settings import Settings
from pointsbank.web import logs
from tests.postgres import Server, server_for
from tests.shelf import locked

ENGINES = ("sqlite", "postgresql")

# Deleting leaves dead rows behind; above this size a new empty file is the cheaper way.
TRUNCATE_BYTES_MIN = 512 * 1024

# What migrations make, each with what a hand may switch or rewrite.
SCHEMA_OBJECTS = """
    SELECT oid, 'relation ' || relname AS name, relnatts::text AS state FROM pg_class
    WHERE relnamespace = 'public'::regnamespace
    UNION ALL
    SELECT oid, 'constraint ' || conname, convalidated::text FROM pg_constraint
    WHERE connamespace = 'public'::regnamespace
    UNION ALL
    SELECT oid, 'trigger ' || tgname, tgenabled::text FROM pg_trigger WHERE NOT tgisinternal
    UNION ALL
    SELECT oid, 'function ' || proname, md5(prosrc) FROM pg_proc
    WHERE pronamespace = 'public'::regnamespace
"""
SCHEMA_SUM = f"""
    SELECT count(*), sum(oid::bigint), sum(hashtext(state)) FROM ({SCHEMA_OBJECTS}) AS object
"""


# Some settings of a process take turns; databases that one test has are not asked for again.
APPS_MAX = 4


class SchemaChanged(Exception):
    """A test changed the schema of the database that its process keeps for all tests."""


def settings_for(database_url: str) -> Settings:
    """Return settings of a service under test on this database."""
    return Settings(
        database_url=database_url,
        secret_key="a key that only tests know, of fair length",
        environment="test",
        argon2_cheap=True,
    )


_apps: dict[Settings, Flask] = {}
# The processes of PostgreSQL that serve the connections of _apps from one test to the next.
_kept_backends: set[int] = set()


def app_for(settings: Settings) -> Flask:
    """Return the one application of this process for these settings.

    Making it takes a tenth of a second, most of it for rules and the OpenAPI document. It keeps
    nothing between requests but its pool of connections.
    """
    app = _apps.pop(settings, None)
    if app is None:
        if len(_apps) == APPS_MAX:
            let_go(_apps.pop(next(iter(_apps))))
        app = create_app(settings)
    # The one that was asked for last is the last to go.
    _apps[settings] = app
    return app


def lent(app: Flask, *, keeps_connection: bool = False) -> Iterator[Flask]:
    """Give an application for one test, with its way of logging.

    Afterwards its connections are closed, but for the only one of an application that serves
    the next test on the same database of PostgreSQL: there a new one costs as much as a test.
    """
    settings: Settings = app.extensions["settings"]
    logs.configure(is_json=settings.is_production, level=settings.log_level)
    if keeps_connection:
        _make_as_new(app)
    yield app
    if not (keeps_connection and _keep_the_only_connection(app)):
        let_go(app)


def let_go(app: Flask) -> None:
    """Close an application's connections."""
    with app.app_context():
        for engine in db.engines.values():
            engine.dispose()


def let_all_go() -> None:
    """Close what is kept from test to test; at the end of the process."""
    while _apps:
        let_go(_apps.popitem()[1])


def _make_as_new(app: Flask) -> None:
    """Take back what the test before set on the connection; one that it killed is closed."""
    with app.app_context():
        if db.engine.pool.checkedin() == 0:
            return
        try:
            with db.engine.connect() as connection:
                connection.exec_driver_sql("RESET ALL")
                connection.exec_driver_sql("SELECT pg_advisory_unlock_all()")
                connection.commit()
        except OperationalError:
            db.engine.dispose()


def _keep_the_only_connection(app: Flask) -> bool:
    """Tell whether there is one connection, at rest, and remember who serves it."""
    with app.app_context():
        pool = db.engine.pool
        if (pool.checkedin(), pool.checkedout()) != (1, 0):
            return False
        with db.engine.connect() as connection:
            _kept_backends.add(connection.connection.driver_connection.info.backend_pid)
        return True


def migrate(database_url: str) -> None:
    """Bring a database to the newest migration, as `pointsbank migrate` does."""
    app = create_app(settings_for(database_url))
    with app.app_context():
        upgrade()
        for engine in db.engines.values():
            engine.dispose()


class Databases:
    """Hands out databases to the tests of one process."""

    def __init__(self, shelf: Path, prefix: str) -> None:
        self._shelf = shelf
        self._prefix = prefix
        self._made = 0
        self._own: WorkerDatabase | None = None

    @property
    def server(self) -> Server:
        """The session's PostgreSQL; started by whoever asks first."""
        return server_for(self._shelf)

    def for_one_test(self, engine_name: str) -> tuple[str, Callable[[], None]]:
        """Return the URL of a database as the migrations made it, and how to give it back."""
        if engine_name == "sqlite":
            # The same name for every test of this process, so that its application fits.
            return self._copy_of_template(f"{self._prefix}{os.getpid():x}")
        if self._own is None:
            name = f"{self._prefix}{os.getpid():x}"
            self._own = WorkerDatabase(self.server, name, self._postgres_template())
        self._own.restore()
        return self.server.url_of(self._own.name), self._own.demand_the_schema

    def are_kept_at(self, database_url: str) -> bool:
        """Tell whether the next tests get the database of this URL too, connections and all."""
        return self._own is not None and database_url == self.server.url_of(self._own.name)

    def copy(self, engine_name: str) -> tuple[str, Callable[[], None]]:
        """Return the URL of a new copy that nobody else touches, and how to remove it."""
        name = self._next_name()
        if engine_name == "sqlite":
            return self._copy_of_template(name)
        url = self.server.create_database(name, self._postgres_template())
        return url, lambda: self.server.drop_database(name)

    def empty(self, engine_name: str) -> tuple[str, Callable[[], None]]:
        """Return the URL of a database without any table, and how to remove it."""
        name = self._next_name()
        if engine_name == "sqlite":
            return self._sqlite(name)
        return self.server.create_database(name), lambda: self.server.drop_database(name)

    def filled(self, engine_name: str, name: str, fill: Callable[[str], None]) -> str:
        """Return the URL of a database that one process fills for all; tests only read it."""
        own = f"{self._prefix}{name}"

        def build() -> None:
            if engine_name == "sqlite":
                fill(self._copy_of_template(own)[0])
            else:
                fill(self.server.create_database(own, self._postgres_template()))

        self._once(f"{engine_name}.{name}", build)
        if engine_name == "sqlite":
            return self._sqlite(own)[0]
        return self.server.url_of(own)

    def close(self) -> None:
        """Leave the server."""
        let_all_go()
        if self._own is not None:
            self._own.close()

    def _next_name(self) -> str:
        self._made += 1
        return f"{self._prefix}{os.getpid():x}_{self._made}"

    def _sqlite(self, name: str) -> tuple[str, Callable[[], None]]:
        path = self._shelf / f"{name}.sqlite"

        def remove() -> None:
            for file in self._shelf.glob(f"{path.name}*"):
                file.unlink()

        return f"sqlite:///{path}", remove

    def _copy_of_template(self, name: str) -> tuple[str, Callable[[], None]]:
        url, remove = self._sqlite(name)
        # A write-ahead log that was left behind would be read into the fresh copy.
        remove()
        shutil.copyfile(self._sqlite_template(), self._shelf / f"{name}.sqlite")
        return url, remove

    def _sqlite_template(self) -> Path:
        template = self._shelf / "template.sqlite"
        self._once("sqlite", lambda: migrate(f"sqlite:///{template}"))
        return template

    def _postgres_template(self) -> str:
        template = f"{self._prefix}template"
        self._once("postgresql", lambda: migrate(self.server.create_database(template)))
        return template

    def _once(self, name: str, build: Callable[[], None]) -> None:
        """Build something in one process for all; what failed once is not tried again."""
        state = self._shelf / f"{name}.state"
        with locked(self._shelf / f"{name}.lock"):
            if not state.exists():
                state.write_text("Building it failed; the first test that asked shows why.")
                build()
                state.write_text("")
        if complaint := state.read_text():
            raise RuntimeError(complaint)


class WorkerDatabase:
    """One process's database on PostgreSQL, brought back to the template's rows for every test.

    Emptying the tables that a test wrote to takes a quarter of the time of a fresh copy of the
    template, and whoever connected to it for the test before need not connect again.
    Tests that change the schema take a copy of their own: `@pytest.mark.changes_schema`.
    """

    def __init__(self, server: Server, name: str, template: str) -> None:
        self.name = name
        self._server = server
        self._template = template
        self._used = False
        self._make()

    def _make(self) -> None:
        self._server.create_database(self.name, self._template)
        self._connection = self._server.connect(self.name)
        # Passing by triggers makes a connection forget its plans, and those of the one that
        # reads are dear.
        self._writer = self._server.connect(self.name)
        tables = self._connection.execute(
            "SELECT quote_ident(relname) FROM pg_class"
            " WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace"
        )
        self._question = " UNION ALL ".join(
            f"SELECT '{name}', pg_relation_size('{name}'::regclass)"
            f" WHERE EXISTS (SELECT FROM {name})"
            for (name,) in tables
        )
        self._seed = {name: self._read(name) for name in self._filled()}
        self._seed_sums = self._read_seed_sums()
        self._sequences = self._read_sequences()
        self._schema = self._read_schema()
        self._schema_sum = self._connection.execute(SCHEMA_SUM).fetchone()

    def demand_the_schema(self) -> None:
        """See that the schema is as the migrations left it; a changed one is thrown away.

        Raises SchemaChanged, in the test that did it and not in one that comes later.
        """
        if self._connection.execute(SCHEMA_SUM).fetchone() == self._schema_sum:
            return
        changed = self._schema.symmetric_difference(self._read_schema())
        self.close()
        self._make()
        self._used = False
        names = sorted({name for _, name, _ in changed})
        raise SchemaChanged(f"mark this test changes_schema: {', '.join(names)}")

    def restore(self) -> None:
        """Bring every table and sequence back to what the migrations left."""
        if not self._used:
            self._used = True
            return
        self._dismiss_others()
        try:
            self._rewrite()
        except psycopg.errors.InsufficientPrivilege:
            # On a lent server we may be no superuser, and then triggers cannot be passed by.
            self.close()
            self._make()

    def close(self) -> None:
        """Close the connections that keep watch."""
        self._connection.close()
        self._writer.close()

    def _dismiss_others(self) -> None:
        """End connections that the test before left open: their locks would be waited for."""
        self._connection.execute(
            "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            " AND NOT (pid = ANY(%s) AND state = 'idle')",
            [[*_kept_backends, self._writer.info.backend_pid]],
        )

    def _rewrite(self) -> None:
        sums = self._read_seed_sums()
        written = {name for name in self._seed if sums[name] != self._seed_sums[name]}
        filled = self._filled()
        emptied = (filled.keys() - self._seed.keys()) | written
        large = [name for name in emptied if filled.get(name, 0) >= TRUNCATE_BYTES_MIN]
        steps = [f"DELETE FROM {name}" for name in emptied]
        if large:
            # With whatever refers to them; so each table that migrations fill is filled again.
            written = set(self._seed)
            steps = [f"DELETE FROM {name}" for name in emptied | written]
            steps.insert(0, f"TRUNCATE {', '.join(large)} CASCADE")
        steps += [
            f"SELECT setval('{name}', {first or 1}, {first is not None})"
            for name, first in self._sequences_moved()
        ]
        if not steps:
            return
        with self._writer.transaction():
            # Passes by foreign keys and by the triggers that keep transfers immutable.
            self._writer.execute("SET LOCAL session_replication_role = replica")
            self._writer.execute("; ".join(steps).encode())
            for name in written:
                with self._writer.cursor().copy(f"COPY {name} FROM STDIN") as copy:
                    copy.write(self._seed[name])

    def _sequences_moved(self) -> list[tuple[str, int | None]]:
        """Return the sequences that moved, each with its first value."""
        now = self._read_sequences()
        return [(name, first) for name, first in self._sequences.items() if now[name] != first]

    def _filled(self) -> dict[str, int]:
        """Return the tables that hold any row, each with its size in bytes."""
        return dict(self._connection.execute(self._question.encode()).fetchall())

    def _read(self, table: str) -> bytes:
        with self._connection.cursor().copy(f"COPY {table} TO STDOUT") as copy:
            return b"".join(bytes(part) for part in copy)

    def _read_seed_sums(self) -> dict[str, tuple[int, int]]:
        """Return for each table that migrations fill what tells whether a row differs."""
        question = " UNION ALL ".join(
            f"SELECT '{name}', count(*), sum(hashtextextended(it::text, 0)) FROM {name} AS it"
            for name in self._seed
        )
        rows = self._connection.execute(question.encode())
        return {name: (count, total) for name, count, total in rows}

    def _read_schema(self) -> set[tuple[int, str, str]]:
        return set(self._connection.execute(SCHEMA_OBJECTS))

    def _read_sequences(self) -> dict[str, int | None]:
        rows = self._connection.execute(
            "SELECT quote_ident(sequencename), last_value FROM pg_sequences"
            " WHERE schemaname = 'public'"
        )
        return dict(rows.fetchall())
