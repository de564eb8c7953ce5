"""Runs jobs: each step is one transaction that holds the row by which the run matters once.

What waits for other services is no step but a step's errand, which runs between transactions.
"""

from collections.abc import Callable
from datetime import datetime
from functools import partial
from zoneinfo import ZoneInfo

import structlog
from sqlalchemy.orm import Session

from pointsbank.core import clock
from pointsbank.core.db import run
from pointsbank.core.errors import Invalid
from pointsbank.jobs.errors import LeaseLost
from pointsbank.jobs.leasing import free_when_frozen, hold_fast
from pointsbank.jobs.occasions import Job, Slot, Step
from pointsbank.jobs.recording import (
    Attempt,
    claim_slot,
    keep_as_done,
    keep_failure,
    milliseconds_between,
    note_ended,
    note_running,
    put_back,
)

# Who ran it, when no scheduler did.
BY_COMMAND = "command"

Claim = Callable[[Session, Job, Slot, datetime], int | None]

logger = structlog.get_logger()


def run_slot(
    job: Job,
    slot: Slot,
    *,
    zone: ZoneInfo,
    holder: str | None = None,
    claim: Claim = claim_slot,
) -> int | None:
    """Do a job for one occasion and return how many things it did, None if it was done before.

    holder: the tenure of the scheduler that runs it; its loss undoes the step at work and ends
    the run. A failure is recorded, logged and raised; it leaves no output, and the occasion can
    be done again.
    """
    attempt = Attempt(job, slot, holder or BY_COMMAND, clock.now())
    if holder is not None:
        run(lambda session: note_running(session, attempt))
    try:
        total = _all_steps(attempt, zone, holder is not None, claim)
    except LeaseLost:
        logger.warning("job_lost_its_lease", job=job.name, slot=slot.key)
        run(lambda session: note_ended(session, attempt))
        return None
    except Exception as fault:
        if isinstance(fault, Invalid) and holder is None:
            # The period that was asked for is none of this job's: nothing began.
            raise
        logger.error("job_failed", job=job.name, slot=slot.key, exc_info=fault)
        run(partial(_end_with, attempt=attempt, fault=fault))
        raise
    if total is None:
        logger.info("job_was_done", job=job.name, slot=slot.key)
        run(lambda session: note_ended(session, attempt))
        return None
    seconds = milliseconds_between(attempt.started_at, clock.now()) / 1000
    logger.info("job_done", job=job.name, slot=slot.key, count=total, seconds=round(seconds, 2))
    return total


def _all_steps(attempt: Attempt, zone: ZoneInfo, is_fenced: bool, claim: Claim) -> int | None:
    """Take one step after the other; return what all did, None if it was done before."""
    total = 0
    is_finished = False
    while not is_finished:
        step = run(
            partial(
                _one_step,
                attempt=attempt,
                zone=zone,
                is_fenced=is_fenced,
                claim=claim,
                so_far=total,
            )
        )
        if step is None:
            return None
        total += step.count
        is_finished = step.is_last
        if step.errand is not None:
            total += step.errand()
            if is_finished:
                run(
                    partial(
                        _keep_after_errand,
                        attempt=attempt,
                        is_fenced=is_fenced,
                        claim=claim,
                        count=total,
                    )
                )
    return total


def _one_step(
    session: Session,
    attempt: Attempt,
    zone: ZoneInfo,
    is_fenced: bool,
    claim: Claim,
    so_far: int,
) -> Step | None:
    """Do one step: the occasion is claimed first and kept as done only with the last step."""
    now = clock.now()
    run_id = claim(session, attempt.job, attempt.slot, now)
    if run_id is None:
        return None
    free_when_frozen(session)
    step = attempt.job.work(session, attempt.slot.period, zone, now)
    if step.is_last and step.errand is None:
        _close(session, run_id, attempt, so_far + step.count)
    else:
        put_back(session, run_id)
    _fence(session, attempt, is_fenced)
    return step


def _keep_after_errand(
    session: Session, attempt: Attempt, is_fenced: bool, claim: Claim, count: int
) -> None:
    """Keep the occasion as done, because the errand was the last that was to be done.

    One that is cut short leaves no row, and the occasion is still to be done.
    """
    run_id = claim(session, attempt.job, attempt.slot, clock.now())
    if run_id is not None:
        _close(session, run_id, attempt, count)
    _fence(session, attempt, is_fenced)


def _close(session: Session, run_id: int, attempt: Attempt, count: int) -> None:
    keep_as_done(session, run_id, attempt, count, clock.now())
    note_ended(session, attempt)


def _fence(session: Session, attempt: Attempt, is_fenced: bool) -> None:
    if is_fenced:
        hold_fast(session, holder=attempt.holder, now=clock.now())


def _end_with(session: Session, attempt: Attempt, fault: Exception) -> None:
    keep_failure(session, attempt, fault, clock.now())
    note_ended(session, attempt)
