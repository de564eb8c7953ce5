"""Runs jobs: each step is one transaction that holds the row by which the run matters once.

What waits for other services is no step but a step's errand, which runs between transactions.
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import structlog
from sqlalchemy import bindparam, delete, select, text, update
from sqlalchemy.orm import Session

from pointsbank.core import clock
from pointsbank.core.db import Moment, run, transaction
from pointsbank.core.errors import Invalid
from pointsbank.jobs.errors import LeaseLost
from pointsbank.jobs.leasing import hold_fast
from pointsbank.jobs.models import JobRun
from pointsbank.jobs.table import Job, Slot, Step

RETRY_MINUTES = 5
SUMMARY_LENGTH_MAX = 200

# Of several at once one inserts; on PostgreSQL the others wait here until that one has
# committed. A run that failed may be tried again.
CLAIM = text(
    """
    INSERT INTO job_run (job, period, state, started_at) VALUES (:job, :key, 'running', :now)
    ON CONFLICT (job, period) DO UPDATE
        SET state = 'running', started_at = excluded.started_at, finished_at = NULL,
            summary = NULL
        WHERE job_run.state = 'failed'
    RETURNING id
    """
).bindparams(bindparam("now", type_=Moment()))

FAIL = text(
    """
    INSERT INTO job_run (job, period, state, started_at, finished_at, summary)
    VALUES (:job, :key, 'failed', :started_at, :now, :summary)
    ON CONFLICT (job, period) DO UPDATE
        SET started_at = excluded.started_at, finished_at = excluded.finished_at,
            summary = excluded.summary
        WHERE job_run.state = 'failed'
    """
).bindparams(bindparam("started_at", type_=Moment()), bindparam("now", type_=Moment()))

Claim = Callable[[Session, Job, Slot, datetime], int | None]

logger = structlog.get_logger()


def claim_slot(session: Session, job: Job, slot: Slot, now: datetime) -> int | None:
    """Claim an occasion for the running transaction; None when it is done already."""
    values = {"job": job.name, "key": slot.key, "now": now}
    return session.execute(CLAIM, values).scalar()


def is_waiting(session: Session, job: Job, slot: Slot, now: datetime) -> bool:
    """Tell whether an occasion is still to be done: never begun, or failed a while ago."""
    row = session.execute(
        select(JobRun.state, JobRun.finished_at).where(
            JobRun.job == job.name, JobRun.period == slot.key
        )
    ).first()
    if row is None:
        return True
    retry_at = now - timedelta(minutes=RETRY_MINUTES)
    return row.state == "failed" and (row.finished_at is None or row.finished_at <= retry_at)


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
    started_at = clock.now()
    total = 0
    is_finished = False
    try:
        while not is_finished:
            step = run(lambda session: _one_step(session, job, slot, zone, holder, claim))
            if step is None:
                logger.info("job_was_done", job=job.name, slot=slot.key)
                return None
            total += step.count
            is_finished = step.is_last
            if step.errand is not None:
                total += _errand_done(step, job, slot, holder, claim)
    except LeaseLost:
        logger.warning("job_lost_its_lease", job=job.name, slot=slot.key)
        return None
    except Invalid:
        # The period that was asked for is none of this job's: nothing began.
        raise
    except Exception as fault:
        _record_failure(job, slot, started_at, fault)
        logger.error("job_failed", job=job.name, slot=slot.key, exc_info=fault)
        raise
    seconds = (clock.now() - started_at).total_seconds()
    logger.info("job_done", job=job.name, slot=slot.key, count=total, seconds=round(seconds, 2))
    return total


def _one_step(
    session: Session, job: Job, slot: Slot, zone: ZoneInfo, holder: str | None, claim: Claim
) -> Step | None:
    """Do one step: the occasion is claimed first and kept as done only with the last step."""
    now = clock.now()
    run_id = claim(session, job, slot, now)
    if run_id is None:
        return None
    step = job.work(session, slot.period, zone, now)
    if step.is_last and step.errand is None:
        _keep_as_done(session, run_id, step.count)
    else:
        session.execute(delete(JobRun).where(JobRun.id == run_id))
    if holder is not None:
        hold_fast(session, holder=holder, now=clock.now())
    return step


def _errand_done(step: Step, job: Job, slot: Slot, holder: str | None, claim: Claim) -> int:
    """Do a step's errand outside of any transaction and return how many things it did.

    The occasion is kept as done afterwards, when the errand was the last that was to be done:
    one that is cut short leaves no row, and the occasion is still to be done.
    """
    if step.errand is None:
        return 0
    count = step.errand()

    def keep(session: Session) -> None:
        run_id = claim(session, job, slot, clock.now())
        if run_id is not None:
            _keep_as_done(session, run_id, count)
        if holder is not None:
            hold_fast(session, holder=holder, now=clock.now())

    if step.is_last:
        run(keep)
    return count


def _keep_as_done(session: Session, run_id: int, count: int) -> None:
    session.execute(
        update(JobRun)
        .where(JobRun.id == run_id)
        .values(state="done", finished_at=clock.now(), summary=f"last step: {count}")
    )


def _record_failure(job: Job, slot: Slot, started_at: datetime, fault: Exception) -> None:
    """Keep that it failed, by the kind of fault alone: a message may hold what people typed."""
    with transaction() as session:
        session.execute(
            FAIL,
            {
                "job": job.name,
                "key": slot.key,
                "started_at": started_at,
                "now": clock.now(),
                "summary": type(fault).__name__[:SUMMARY_LENGTH_MAX],
            },
        )
