"""The two processes of a service, as an operator starts and stops them."""

import dataclasses
import os
import subprocess
import sys
import time
import urllib.request
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import select

from pointsbank.core import clock
from pointsbank.core.settings import ROOT
from pointsbank.jobs.models import JobLease, JobRun
from pointsbank.jobs.table import JOBS
from tests.builders import a_member, a_score_entry
from tests.serving import environment_of, free_port, kill_whole
from tests.shelf import VARIABLE as SHELF_VARIABLE

START_SECONDS_MAX = 180
STOP_SECONDS_MAX = 30
ANSWER_SECONDS_MAX = 30

pytestmark = pytest.mark.slow


@contextmanager
def running(settings, *words):
    """Run a command in a process of its own; at the end it is told to stop and must obey."""
    shelf = os.environ[SHELF_VARIABLE]
    log = Path(shelf) / f"{words[0]}-{settings.port}.log"
    with log.open("w") as output:
        process = subprocess.Popen(
            [sys.executable, str(ROOT / "tests" / "leash.py"), shelf]
            + [sys.executable, "-m", "pointsbank", *words],
            cwd=ROOT,
            env={**os.environ, **environment_of(settings)},
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    try:
        yield log
    finally:
        process.terminate()
        try:
            assert process.wait(STOP_SECONDS_MAX) == 0, log.read_text()
        except subprocess.TimeoutExpired:
            kill_whole(process)
            raise


def wait_until(is_so, log):
    """Wait until something is so; say what the process said when it never is."""
    deadline = time.monotonic() + START_SECONDS_MAX
    while not is_so():
        assert time.monotonic() < deadline, log.read_text()
        time.sleep(0.1)


def fetched(url):
    try:
        with urllib.request.urlopen(url, timeout=ANSWER_SECONDS_MAX) as answer:
            return answer.read().decode()
    except OSError:
        return ""


@pytest.mark.engine("sqlite")
def test_the_service_answers_with_all_its_workers_and_stops_when_told(settings):
    port = free_port()
    served = dataclasses.replace(settings, port=port)
    url = f"http://127.0.0.1:{port}"
    with running(served, "serve", "--workers", "2") as log:
        wait_until(lambda: fetched(f"{url}/healthz"), log)
        for _ in range(20):
            assert fetched(f"{url}/healthz")
        counted = next(
            float(line.rsplit(" ", 1)[1])
            for line in fetched(f"{url}/metrics").splitlines()
            if line.startswith("pointsbank_requests_total") and "/healthz" in line
        )
        # Whichever worker answers, the figures are of both together.
        assert counted >= 20
    assert fetched(f"{url}/healthz") == ""


def test_the_scheduler_does_what_is_due_and_leaves_the_lease_when_told(settings, writing):
    with writing() as session:
        a_score_entry(session, a_member(session), earned_on=clock.now().date())
    port = free_port()

    def has_done_all():
        with writing() as session:
            done = session.scalars(select(JobRun.job).where(JobRun.state == "done")).all()
        # The running quarter and the one before it.
        return set(done) == set(JOBS) and done.count("rankings") >= 2

    with running(dataclasses.replace(settings, port=port), "jobs") as log:
        wait_until(has_done_all, log)
        with writing() as session:
            assert session.scalar(select(JobLease.expires_at)) > clock.now()
    with writing() as session:
        assert session.scalar(select(JobLease.expires_at)) <= clock.now()
    assert "Traceback" not in log.read_text()
