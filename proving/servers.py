"""The real service and a durable PostgreSQL, made to be killed and started again."""

import os
import random
import signal
import subprocess
import sys
import threading
import time
import urllib.request
from contextlib import suppress
from pathlib import Path

import psycopg

from pointsbank.core.settings import ROOT
from tests.postgres import DURABLE_SETTINGS, Cluster, NoPostgres, Server

START_SECONDS_MAX = 90
STOP_SECONDS_MAX = 20
SUPERVISOR_SECONDS = 0.2
OLDEST = 0.75
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
    """`pointsbank serve` with two workers in a process group of its own, under a supervisor.

    As in production something starts it again when it ends: it refuses to start while the
    database is away, and Granian ends it when a worker dies twice within five seconds.
    """

    def __init__(self, database_url: str, port: int, shelf: Path, **more: str) -> None:
        self.port = port
        self.log = shelf / "service.log"
        self.started_again = 0
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
        self._over = threading.Event()
        self._turn = threading.Lock()
        self._process = self._spawn()
        self._supervisor = threading.Thread(target=self._supervise, daemon=True)
        self._supervisor.start()
        self.wait_until_it_answers()

    def _spawn(self) -> subprocess.Popen[bytes]:
        with self.log.open("a") as output:
            return subprocess.Popen(
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

    def _supervise(self) -> None:
        while not self._over.wait(SUPERVISOR_SECONDS):
            with self._turn:
                if self._process.poll() is not None:
                    self._kill_group()
                    self._process = self._spawn()
                    self.started_again += 1

    def wait_until_it_answers(self) -> None:
        """Return when a worker answers."""
        deadline = time.monotonic() + START_SECONDS_MAX
        while True:
            try:
                urllib.request.urlopen(
                    f"http://127.0.0.1:{self.port}/healthz", timeout=5
                ).close()
                return
            except OSError as error:
                if time.monotonic() > deadline:
                    raise RuntimeError(f"nobody answers:\n{self.log_end()}") from error
                time.sleep(0.05)

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
            # Mostly the one that has served longest: one that is only starting serves nobody,
            # and when it dies twice Granian ends the service, which is another fault.
            is_oldest = dice.random() < OLDEST
            os.kill(workers[0] if is_oldest else dice.choice(workers), signal.SIGKILL)
        except ProcessLookupError:
            return False
        return True

    def kill(self) -> None:
        """Kill -9 all processes of the service at one moment; the supervisor starts anew."""
        with self._turn:
            self._kill_group()
            self._process = self._spawn()

    def _kill_group(self) -> None:
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()

    def stop(self) -> None:
        """Tell it to stop, wait, and leave nothing behind."""
        self._over.set()
        self._supervisor.join()
        self._process.terminate()
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(STOP_SECONDS_MAX)
        self._kill_group()


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
