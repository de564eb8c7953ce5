"""The scheduler: a process of its own that keeps the lease and runs what is due.

What is due is asked of the table and of the record of runs, not remembered: whatever was missed
while no scheduler ran is made good by the first one that leads.
"""

import logging
import os
import signal
import socket
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from types import FrameType

import structlog
from apscheduler.schedulers.blocking import BlockingScheduler
from flask import Flask
from sqlalchemy.exc import SQLAlchemyError

from pointsbank.core import clock
from pointsbank.core.db import reading, run
from pointsbank.core.keys import draw_bytes
from pointsbank.core.settings import Settings
from pointsbank.jobs.alarming import watch_jobs
from pointsbank.jobs.asking import asked_slots
from pointsbank.jobs.errors import LeaseLost
from pointsbank.jobs.leasing import RENEW_SECONDS, give_up_lease, take_lease
from pointsbank.jobs.occasions import Job, Slot
from pointsbank.jobs.recording import waiting
from pointsbank.jobs.running import run_slot
from pointsbank.jobs.table import JOBS

LOOK_SECONDS = 20
WATCH_SECONDS = 60

logger = structlog.get_logger()


@dataclass
class Tenure:
    """Whether this process leads, and under which name."""

    holder: str | None = None
    since: datetime | None = None
    is_told_waiting: bool = False


def draw_holder() -> str:
    """Draw the name of a new tenure: host, process, and a part that never comes again."""
    return f"{socket.gethostname()[:40]}:{os.getpid()}:{draw_bytes(6).hex()}"


def keep_lease(app: Flask, tenure: Tenure) -> None:
    """Take or renew the lease; without it this process waits, and says so once.

    A database that is away costs nothing but time: the lease runs out by itself.
    """
    candidate = tenure.holder or draw_holder()
    try:
        with app.app_context():
            has_it = run(lambda s: take_lease(s, holder=candidate, now=clock.now()))
    except SQLAlchemyError as fault:
        logger.error("lease_not_renewed", kind=type(fault).__name__)
        return
    if has_it and tenure.holder is None:
        logger.info("scheduler_leads", holder=candidate)
        tenure.since = clock.now()
    if not has_it and not (tenure.is_told_waiting and tenure.holder is None):
        logger.warning("scheduler_waits")
    tenure.holder = candidate if has_it else None
    tenure.is_told_waiting = not has_it


def run_due(app: Flask, tenure: Tenure) -> None:
    """Run every job that is due and not done; one that fails does not keep others back."""
    if tenure.holder is None:
        return
    with app.app_context():
        for job, slot in waiting_slots(app):
            _run_safely(job, slot, app, tenure)


def waiting_slots(app: Flask) -> list[tuple[Job, Slot]]:
    """Return what is due now and not done."""
    settings: Settings = app.extensions["settings"]
    now = clock.now()
    due = [(job, job.due(now, settings.zone)) for job in JOBS.values()]
    try:
        with reading() as session:
            asked = asked_slots(session, JOBS, now, settings.zone)
            return asked + [
                (job, slot) for job, slots in due for slot in waiting(session, job, slots, now)
            ]
    except SQLAlchemyError as fault:
        logger.error("jobs_not_read", kind=type(fault).__name__)
        return []


def _run_safely(job: Job, slot: Slot, app: Flask, tenure: Tenure) -> None:
    settings: Settings = app.extensions["settings"]
    if tenure.holder is None:
        return
    try:
        run_slot(job, slot, zone=settings.zone, holder=tenure.holder)
    except Exception:  # noqa: BLE001 - recorded and logged where it happened; the scheduler goes on
        logger.warning("job_will_be_tried_again", job=job.name, slot=slot.key)


def watch(app: Flask, tenure: Tenure) -> None:
    """Tell of jobs in trouble; beside run_due, because a stuck one holds that up."""
    holder, since = tenure.holder, tenure.since
    if holder is None or since is None:
        return
    settings: Settings = app.extensions["settings"]
    act = partial(
        watch_jobs,
        jobs=list(JOBS.values()),
        holder=holder,
        leading_since=since,
        zone=settings.zone,
    )
    try:
        with app.app_context():
            run(lambda session: act(session, now=clock.now()))
    except (SQLAlchemyError, LeaseLost) as fault:
        logger.error("jobs_not_watched", kind=type(fault).__name__)


def make_scheduler(app: Flask, tenure: Tenure) -> BlockingScheduler:
    """Make the scheduler of one process; it runs nothing before it is started."""
    settings: Settings = app.extensions["settings"]
    scheduler = BlockingScheduler(
        timezone=settings.zone,
        job_defaults={"misfire_grace_time": None, "coalesce": True, "max_instances": 1},
    )
    tasks = (
        (RENEW_SECONDS, "keep_lease"),
        (LOOK_SECONDS, "run_due"),
        (WATCH_SECONDS, "watch"),
    )
    for seconds, task in tasks:
        scheduler.add_job(
            f"{__name__}:{task}", "interval", seconds=seconds, args=[app, tenure], id=task
        )
    return scheduler


def serve_jobs(app: Flask) -> None:
    """Run the scheduler until SIGTERM or SIGINT, then let what runs finish and leave."""
    # A look that takes long is no fault: the next one comes.
    logging.getLogger("apscheduler").setLevel(logging.ERROR)
    tenure = Tenure()
    scheduler = make_scheduler(app, tenure)

    def stop(_number: int, _frame: FrameType | None) -> None:
        raise SystemExit

    signal.signal(signal.SIGTERM, stop)
    try:
        keep_lease(app, tenure)
        run_due(app, tenure)
        scheduler.start()
    except (KeyboardInterrupt, SystemExit):
        logger.info("scheduler_stops")
    finally:
        if scheduler.running:
            scheduler.shutdown(wait=True)
        leave(app, tenure)


def leave(app: Flask, tenure: Tenure) -> None:
    """Give the lease up, so that another scheduler need not wait for it to run out."""
    holder = tenure.holder
    if holder is None:
        return
    tenure.holder = None
    with app.app_context():
        run(lambda session: give_up_lease(session, holder=holder, now=clock.now()))
