"""The real service in a process of its own, as it is served in production."""

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import fields
from pathlib import Path

from pointsbank.core.settings import ROOT, Settings

# Ten times what it takes: a machine that tests may do other things beside.
START_SECONDS_MAX = 180
STOP_SECONDS_MAX = 15
LOG_SHOWN_CHARACTERS = 4000
# As `pointsbank serve` has it; Granian's default of several hundred would wait for the pool.
THREADS = 16


class DidNotServe(Exception):
    """The service ended, or said nothing, before it answered."""


def free_port() -> int:
    """Return a port of this machine that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def environment_of(settings: Settings) -> dict[str, str]:
    """Return the variables from which the service reads these settings."""
    given = {f"POINTSBANK_{field.name.upper()}": field.name for field in fields(settings)}
    return {variable: str(getattr(settings, name)) for variable, name in given.items()}


@contextmanager
def serving(
    settings: Settings, shelf: Path, workers: int = 1, entry: str = "wsgi:app"
) -> Iterator[str]:
    """Serve on 127.0.0.1, at the port in the settings, until the block ends; yield its URL.

    entry: the WSGI application, as the server is told it.
    Raises DidNotServe with the end of its log.
    """
    url = f"http://127.0.0.1:{settings.port}"
    log = shelf / f"service-{settings.port}.log"
    granian = ["granian", "--interface", "wsgi", "--host", "127.0.0.1"]
    numbers = ["--port", settings.port, "--workers", workers, "--blocking-threads", THREADS]
    with log.open("w") as output:
        process = subprocess.Popen(
            [sys.executable, str(ROOT / "tests" / "leash.py"), str(shelf)]
            + [sys.executable, "-m", *granian, *map(str, numbers), entry],
            cwd=ROOT,
            env={**os.environ, **environment_of(settings)},
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    try:
        _wait_until_it_answers(f"{url}/healthz", process, log)
        yield url
    finally:
        process.terminate()
        try:
            process.wait(STOP_SECONDS_MAX)
        except subprocess.TimeoutExpired:
            kill_whole(process)


def kill_whole(process: subprocess.Popen) -> None:
    """Kill a command on a leash with all that it started: its leash alone would leave it."""
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def _wait_until_it_answers(url: str, process: subprocess.Popen, log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS_MAX
    while True:
        try:
            urllib.request.urlopen(url, timeout=5).close()
            return
        except (urllib.error.URLError, ConnectionError, TimeoutError) as error:
            if process.poll() is not None or time.monotonic() > deadline:
                raise DidNotServe(log.read_text()[-LOG_SHOWN_CHARACTERS:]) from error
            time.sleep(0.05)
