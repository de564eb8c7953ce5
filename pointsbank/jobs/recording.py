"""The record of runs: the row by which an occasion matters once, and how each job stands."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import bindparam, delete, select, text, update
from sqlalchemy.orm import Session

from pointsbank.core.db import Moment
from pointsbank.jobs.models import FAULT_LENGTH_MAX, JobRun, JobState
from pointsbank.jobs.occasions import Job, Slot

RETRY_MINUTES = 5

# Of several at once one inserts; on PostgreSQL the others wait here until that one has
# committed. A run that failed may be tried again.
CLAIM = text(
    """
    INSERT INTO job_run (job, period, state, due_at, started_at, failures)
    VALUES (:job, :key, 'running', :due_at, :now, 0)
    ON CONFLICT (job, period) DO UPDATE SET state = 'running'
        WHERE job_run.state = 'failed'
    RETURNING id
    """
).bindparams(bindparam("due_at", type_=Moment()), bindparam("now", type_=Moment()))

FAIL = text(
    """
    INSERT INTO job_run (job, period, state, due_at, started_at, finished_at, milliseconds,
        holder, failures, fault, failing_since, failed_at)
    VALUES (:job, :key, 'failed', :due_at, :started_at, :now, :milliseconds,
        :holder, 1, :fault, :now, :now)
    ON CONFLICT (job, period) DO UPDATE
        SET started_at = excluded.started_at, finished_at = excluded.finished_at,
            milliseconds = excluded.milliseconds, holder = excluded.holder,
            failures = job_run.failures + 1, fault = excluded.fault,
            failed_at = excluded.failed_at
        WHERE job_run.state = 'failed'
    """
).bindparams(*(bindparam(name, type_=Moment()) for name in ("due_at", "started_at", "now")))

STATE_FAILS = text(
    """
    INSERT INTO job_state (job, failing_since, failures_in_row, failures)
    VALUES (:job, :now, 1, 1)
    ON CONFLICT (job) DO UPDATE
        SET failing_since = COALESCE(job_state.failing_since, excluded.failing_since),
            failures_in_row = job_state.failures_in_row + 1,
            failures = job_state.failures + 1
    """
).bindparams(bindparam("now", type_=Moment()))

STATE_RUNS = text(
    """
    INSERT INTO job_state
        (job, running_since, running_period, running_holder, failures_in_row, failures)
    VALUES (:job, :now, :key, :holder, 0, 0)
    ON CONFLICT (job) DO UPDATE
        SET running_since = excluded.running_since, running_period = excluded.running_period,
            running_holder = excluded.running_holder
    """
).bindparams(bindparam("now", type_=Moment()))


@dataclass(frozen=True)
class Attempt:
    """One try of one occasion: who runs it, and since when."""

    job: Job
    slot: Slot
    holder: str
    started_at: datetime


def claim_slot(session: Session, job: Job, slot: Slot, now: datetime) -> int | None:
    """Claim an occasion for the running transaction; None when it is done already."""
    values = {"job": job.name, "key": slot.key, "due_at": slot.due_at, "now": now}
    return session.execute(CLAIM, values).scalar()


def waiting(session: Session, job: Job, slots: list[Slot], now: datetime) -> list[Slot]:
    """Return the occasions still to be done: never begun, or failed a while ago."""
    if not slots:
        return []
    rows = session.execute(
        select(JobRun.period, JobRun.state, JobRun.failed_at).where(
            JobRun.job == job.name, JobRun.period.in_([slot.key for slot in slots])
        )
    )
    retry_at = now - timedelta(minutes=RETRY_MINUTES)
    resting = {row.period for row in rows if row.state != "failed" or row.failed_at > retry_at}
    return [slot for slot in slots if slot.key not in resting]


def keep_as_done(
    session: Session, run_id: int, attempt: Attempt, count: int, now: datetime
) -> None:
    """Keep an occasion as done with all that its steps did; the job fails no more."""
    kept = attempt.job.kept
    session.execute(
        update(JobRun)
        .where(JobRun.id == run_id)
        .values(
            state="done",
            started_at=attempt.started_at,
            finished_at=now,
            milliseconds=milliseconds_between(attempt.started_at, now),
            count=count,
            holder=attempt.holder,
            kept_until=None if kept is None else now + kept,
        )
    )
    session.execute(
        update(JobState)
        .where(JobState.job == attempt.job.name, JobState.failing_since.is_not(None))
        .values(failing_since=None, failures_in_row=0)
    )


def put_back(session: Session, run_id: int) -> None:
    """Leave an occasion as it was before it was claimed: not begun, or failed."""
    session.execute(delete(JobRun).where(JobRun.id == run_id, JobRun.failures == 0))
    session.execute(update(JobRun).where(JobRun.id == run_id).values(state="failed"))


def keep_failure(session: Session, attempt: Attempt, fault: Exception, now: datetime) -> None:
    """Keep that it failed, by the kind of fault alone: a message may hold what people typed."""
    session.execute(
        FAIL,
        {
            "job": attempt.job.name,
            "key": attempt.slot.key,
            "due_at": attempt.slot.due_at,
            "started_at": attempt.started_at,
            "now": now,
            "milliseconds": milliseconds_between(attempt.started_at, now),
            "holder": attempt.holder,
            "fault": type(fault).__name__[:FAULT_LENGTH_MAX],
        },
    )
    session.execute(STATE_FAILS, {"job": attempt.job.name, "now": now})


def note_running(session: Session, attempt: Attempt) -> None:
    """Let others see that a scheduler is at work on this, before its first transaction ends."""
    session.execute(
        STATE_RUNS,
        {
            "job": attempt.job.name,
            "key": attempt.slot.key,
            "holder": attempt.holder,
            "now": attempt.started_at,
        },
    )


def note_ended(session: Session, attempt: Attempt) -> None:
    """Take that sign away; one that another scheduler set since is left alone."""
    session.execute(
        update(JobState)
        .where(JobState.job == attempt.job.name, JobState.running_holder == attempt.holder)
        .values(running_since=None, running_period=None, running_holder=None)
    )


def forget_old_runs(session: Session, now: datetime) -> None:
    """Remove the rows of runs that were done so long ago that they are due no more."""
    session.execute(delete(JobRun).where(JobRun.state == "done", JobRun.kept_until < now))


def milliseconds_between(earlier: datetime, later: datetime) -> int:
    """Return how long it took; 0 when the clock was set back meanwhile."""
    return max(0, int((later - earlier).total_seconds() * 1000))
