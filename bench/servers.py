"""Servers under measurement: PostgreSQL with everything durable on, and the service itself."""

import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bench.processes import cpu_seconds
from tests.postgres import Server, durable_server, find_binaries

ROOT = Path(__file__).resolve().parent.parent
SECRET_KEY = "a key for measurements only, of fair length"
START_SECONDS_MAX = 60
PGBENCH_SCALE = 20


def free_port() -> int:
    """Return a port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Postgres:
    """A PostgreSQL server of our own, with fsync and synchronous_commit on, and pgbench beside
    it.
    """

    def __init__(self, server: Server, pid: int) -> None:
        """Keep the server and the process all its backends descend from."""
        self.server = server
        self.pid = pid

    def cpu(self) -> float:
        """Return the CPU seconds of the server and all its backends so far."""
        return cpu_seconds(self.pid)

    def prepare_pgbench(self) -> None:
        """Make pgbench's own tables."""
        self.server.create_database("pgbench")
        self._pgbench("-i", "-q", "-s", str(PGBENCH_SCALE))

    def pgbench(self, seconds: float, script: str = "simple-update") -> tuple[float, float]:
        """Run pgbench with 8 clients, prepared; return transactions a second and CPU seconds
        each.

        script: simple-update is pgbench -N, tpcb-like its default. The CPU is the server's;
        pgbench's own is left out, as the load client's is for the service.
        """
        before = self.cpu()
        words = ["-b", script, "-c", "8", "-j", "2", "-M", "prepared", "-n"]
        text = self._pgbench(*words, "-T", str(round(seconds)))
        rate = re.search(r"tps = ([\d.]+)", text)
        done = re.search(r"actually processed: (\d+)", text)
        if rate is None or done is None:
            raise RuntimeError(f"pgbench said: {text}")
        return float(rate[1]), (self.cpu() - before) / int(done[1])

    def _pgbench(self, *words: str) -> str:
        url = self.server.url.set(database="pgbench", drivername="postgresql")
        done = subprocess.run(
            [
                str(find_binaries() / "pgbench"),
                *words,
                url.render_as_string(hide_password=False),
            ],
            check=True,
            capture_output=True,
            text=True,
        )
        return done.stdout


@contextmanager
def postgres(more: dict[str, str] | None = None) -> Iterator[Postgres]:
    """Start a durable PostgreSQL, with more settings if given, and stop it afterwards."""
    with durable_server(more) as (server, pid):
        made = Postgres(server, pid)
        made.prepare_pgbench()
        yield made


class Service:
    """The service as it is run: granian, two workers."""

    def __init__(self, port: int, pid: int) -> None:
        """Keep where it listens and the process its workers descend from."""
        self.port = port
        self.pid = pid

    def cpu(self) -> float:
        """Return the CPU seconds of the service and its workers so far."""
        return cpu_seconds(self.pid)


@contextmanager
def service(database_url: str, *, workers: int = 2, **more: str) -> Iterator[Service]:
    """Serve a migrated database until the block ends. more: of its environment."""
    port = free_port()
    log = Path(tempfile.mkstemp(prefix="pointsbank-bench-", suffix=".log")[1])
    with log.open("w") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "pointsbank", "serve", "--port", str(port)]
            + ["--workers", str(workers)],
            cwd=ROOT,
            env=environment(database_url) | more,
            stdout=output,
            stderr=output,
        )
    try:
        _wait_until_ready(port, process, log)
        yield Service(port, process.pid)
    finally:
        process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
    log.unlink()


def environment(database_url: str) -> dict[str, str]:
    """Return the environment of a service under measurement."""
    return {
        **os.environ,
        "POINTSBANK_DATABASE_URL": database_url,
        "POINTSBANK_SECRET_KEY": SECRET_KEY,
        "POINTSBANK_ENVIRONMENT": "production",
        "POINTSBANK_LOG_LEVEL": "INFO",
    }


def _wait_until_ready(port: int, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS_MAX
    while True:
        if process.poll() is not None or time.monotonic() > deadline:
            raise RuntimeError(f"the service did not start:\n{log.read_text()[-4000:]}")
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=1).close()
        except OSError:
            time.sleep(0.1)
        else:
            return


@contextmanager
def sqlite_file() -> Iterator[str]:
    """Give the URL of a SQLite file on the disk that the checkout stands on."""
    folder = Path(tempfile.mkdtemp(prefix="pointsbank-bench-", dir=ROOT / "bench" / "results"))
    try:
        yield f"sqlite:///{folder / 'bench.db'}"
    finally:
        shutil.rmtree(folder, ignore_errors=True)
