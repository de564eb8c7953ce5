"""One contender: the real scheduler in a process of its own, with a short lease and a probe."""

import logging
import os
import threading
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from typing import Any
from unittest.mock import patch
from zoneinfo import ZoneInfo

from flask import Flask

from pointsbank.app import create_app
from pointsbank.core import clock
from pointsbank.core.db import run
from pointsbank.jobs import leasing, running, scheduler
from pointsbank.jobs.occasions import Job, Slot
from pointsbank.jobs.recording import Attempt, claim_slot, keep_as_done
from proving.schedulers.probe import Probe, newest_only, periodic
from tests.databases import settings_for

LEASE_SECONDS = 1.2
RENEW_SECONDS = 0.2
LOOK_SECONDS = 0.1
# Between what a control does in two transactions: there a kill loses or doubles.
GAP_SECONDS = 0.3
WATCH_SECONDS = 0.5

JOBS: dict[str, Callable[[Probe], Job]] = {"periodic": periodic, "newest": newest_only}


@dataclass(frozen=True)
class Role:
    """What a contender is told: the database, the job, and which guard it goes without.

    weakened: "", or a word of WEAKENED.
    """

    database_url: str
    probe: Probe
    job: str = "periodic"
    weakened: str = ""


def contend(role: Role) -> None:
    """Be a scheduler until told to stop; end by oneself when whoever began all is gone."""
    logging.disable(logging.CRITICAL)
    threading.Thread(target=_end_with, args=(os.getppid(),), daemon=True).start()
    app = create_app(settings_for(role.database_url))
    job = JOBS[role.job](role.probe)
    with ExitStack() as stack:
        for module, name, value in (
            (leasing, "LEASE_SECONDS", LEASE_SECONDS),
            (scheduler, "RENEW_SECONDS", RENEW_SECONDS),
            (scheduler, "LOOK_SECONDS", LOOK_SECONDS),
            (scheduler, "JOBS", {job.name: job}),
            *WEAKENED.get(role.weakened, ()),
        ):
            stack.enter_context(patch.object(module, name, value))
        scheduler.serve_jobs(app)


def _end_with(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(WATCH_SECONDS)
    os._exit(1)


def everybody_leads(_app: Flask, tenure: scheduler.Tenure) -> None:
    """The lease as it were not there."""
    tenure.holder = tenure.holder or scheduler.draw_holder()


def in_two_transactions(
    job: Job, slot: Slot, *, zone: ZoneInfo, holder: str, is_row_first: bool
) -> None:
    """Run an occasion as a scheduler does that keeps its row apart from the effect."""

    def keep(session: Any) -> None:
        now = clock.now()
        run_id = claim_slot(session, job, slot, now)
        if run_id is not None:
            keep_as_done(session, run_id, Attempt(job, slot, holder, now), 1, now)

    def work_all(session: Any) -> None:
        while not job.work(session, slot.period, zone, clock.now()).is_last:
            pass

    first, second = (keep, work_all) if is_row_first else (work_all, keep)
    run(first)
    time.sleep(GAP_SECONDS)
    run(second)


ROW_FIRST = (scheduler, "run_slot", partial(in_two_transactions, is_row_first=True))
ROW_LAST = (scheduler, "run_slot", partial(in_two_transactions, is_row_first=False))
# Which guards a control goes without.
WEAKENED: dict[str, tuple[tuple[Any, str, Any], ...]] = {
    "no lease, row after the effect": (
        (scheduler, "keep_lease", everybody_leads),
        ROW_LAST,
    ),
    "row before the effect": (ROW_FIRST,),
    "row after the effect": (ROW_LAST,),
    "no fence": ((running, "hold_fast", lambda *_given, **_more: None),),
}
