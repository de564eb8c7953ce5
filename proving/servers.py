"""The real service and a durable PostgreSQL, made to be killed and started again."""

import os
import random
import signal
import subprocess
import sys
import time
import urllib.request
from contextlib import suppress
from pathlib import Path

import psycopg

from pointsbank.core.settings import ROOT
from tests.postgres import DURABLE_SETTINGS, Cluster, NoPostgres, Server

START_SECONDS_MAX = 90
STOP_SECONDS_MAX = 20
WORKERS = 2
SECRET_KEY = "a key for proofs only, of fair length too"
# Smaller than a district's, so that a start and a recovery cost little.
POSTGRES_SETTINGS = DURABLE_SETTINGS | {"shared_buffers": "64MB", "max_wal_size": "256MB"}
# Control B: what was answered is written to disk up to three of these later.
CARELESS_SETTINGS = POSTGRES_SETTINGS | {
    "synchronous_commit": "off",
    "wal_writer_delay": "2s",
}


class Database:
    """A PostgreSQL with one database in it."""

    def __init__(self, shelf: Path, settings: dict[str, str]) -> None:
        self.cluster = Cluster(shelf, settings)
        self.url = self.server.create_database("pointsbank")

    @property
    def server(self) -> Server:
        """Where it is reached."""
        return self.cluster.server

    def kill_a_backend(self, dice: random.Random) -> bool:
        """Kill -9 the process behind one of the service's connections; PostgreSQL then ends
        all the others and recovers. Return False when there was none, or nothing answers.
        """
        try:
            with self.server.connect("postgres") as connection:
                pids = connection.execute(
                    "SELECT pid FROM pg_stat_activity WHERE backend_type = 'client backend'"
                    " AND datname = 'bank'"
                ).fetchall()
            if not pids:
                return False
            os.kill(dice.choice(sorted(pids))[0], signal.SIGKILL)
        except (psycopg.Error, ProcessLookupError):
            return False
        return True

    def stop_and_start(self) -> None:
        """Stop at once, as a power button of the process, and start again."""
        self.cluster.stop_at_once()
        self.restart_until_it_answers()

    def restart_until_it_answers(self) -> None:
        """Start; processes of the old server may stand in the way for a moment."""
        deadline = time.monotonic() + START_SECONDS_MAX
        while True:
            try:
                self.cluster.start()
                return
            except NoPostgres:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.1)


class Service:
    """`pointsbank serve` with two workers, in a process group of its own."""

    def __init__(self, database_url: str, port: int, shelf: Path, **more: str) -> None:
        self.port = port
        self.log = shelf / "service.log"
        self._shelf = shelf
        self._environment = {
            **os.environ,
            "POINTSBANK_DATABASE_URL": database_url,
            "POINTSBANK_SECRET_KEY": SECRET_KEY,
            "POINTSBANK_ENVIRONMENT": "test",
            "POINTSBANK_LOG_LEVEL": "WARNING",
            "POINTSBANK_ARGON2_CHEAP": "1",
            **more,
        }
        self.start()

    def start(self) -> None:
        """Start the first process; it refuses when the database is away, and is started again.

        Return when a worker answers.
        """
        deadline = time.monotonic() + START_SECONDS_MAX
        while not self._has_started(deadline):
            if time.monotonic() > deadline:
                raise RuntimeError(f"the service did not start:\n{self.log_end()}")

    def _has_started(self, deadline: float) -> bool:
        with self.log.open("a") as output:
            self._process = subprocess.Popen(
                # On a leash: it ends with the proof, however that ends.
                [sys.executable, str(ROOT / "tests" / "leash.py"), str(self._shelf)]
                + [sys.executable, "-m", "pointsbank", "serve", "--port", str(self.port)]
                + ["--workers", str(WORKERS)],
                cwd=ROOT,
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
        while self._process.poll() is None and time.monotonic() < deadline:
            try:
                urllib.request.urlopen(
                    f"http://127.0.0.1:{self.port}/healthz", timeout=5
                ).close()
                return True
            except OSError:
                time.sleep(0.05)
        return False

    def log_end(self) -> str:
        """Return the last of what the service said."""
        return self.log.read_text()[-4000:]

    def workers(self) -> list[int]:
        """Return the processes that answer requests, those being started included."""
        leashed = children_of(self._process.pid)
        return sorted(
            pid
            for first in leashed
            for pid in children_of(first)
            if b"spawn_main" in command_of(pid)
        )

    def kill_a_worker(self, dice: random.Random) -> bool:
        """Kill -9 one worker; return False when there was none."""
        workers = self.workers()
        if not workers:
            return False
        try:
            os.kill(dice.choice(workers), signal.SIGKILL)
        except ProcessLookupError:
            return False
        return True

    def kill_and_start(self) -> None:
        """Kill -9 all processes of the service at one moment, and start it again."""
        self.kill()
        self.start()

    def kill(self) -> None:
        """Kill -9 the whole process group."""
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()

    def stop(self) -> None:
        """Tell it to stop, and wait."""
        self._process.terminate()
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(STOP_SECONDS_MAX)
        self.kill()


def children_of(pid: int) -> list[int]:
    """Return the living children of a process."""
    try:
        text = Path(f"/proc/{pid}/task/{pid}/children").read_text()
    except OSError:
        return []
    return [int(word) for word in text.split()]


def command_of(pid: int) -> bytes:
    """Return how a process was called, nothing when it is gone."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""
