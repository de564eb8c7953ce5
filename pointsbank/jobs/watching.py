"""How each job stands: its runs, what is late, and what is in trouble."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, Row, select
from sqlalchemy.orm import Session

from pointsbank.jobs.foreseeing import next_slot
from pointsbank.jobs.models import JobLease, JobRun, JobState
from pointsbank.jobs.occasions import Job

# A look comes every twenty seconds, and jobs wait for each other meanwhile: verifying may take
# minutes. What is later than this lacks a scheduler, or one that gets on.
LATE_AFTER = timedelta(minutes=15)
# Once may be a database that was away for a moment; the next try tells.
FAILURES_OF_TROUBLE = 2
# So far two machines' clocks may differ; more, and the clock was set back.
CLOCKS_DIFFER = timedelta(minutes=2)

STATES = ("fresh", "working", "never", "resting", "late", "failing", "stuck")

RUN: tuple[Any, ...] = (
    JobRun.period,
    JobRun.state,
    JobRun.due_at,
    JobRun.started_at,
    JobRun.finished_at,
    JobRun.milliseconds,
    JobRun.count,
    JobRun.holder,
    JobRun.failures,
    JobRun.fault,
    JobRun.failing_since,
    JobRun.failed_at,
)


@dataclass(frozen=True)
class RunLine:
    """One run as it was kept."""

    period: str
    state: str
    due_at: datetime | None
    started_at: datetime
    finished_at: datetime | None
    milliseconds: int | None
    count: int | None
    holder: str | None
    failures: int
    fault: str | None
    failing_since: datetime | None
    failed_at: datetime | None

    @property
    def lag_seconds(self) -> int | None:
        """How much later it began than it was due; None for one that somebody asked for."""
        if self.due_at is None:
            return None
        return max(0, int((self.started_at - self.due_at).total_seconds()))


@dataclass(frozen=True)
class Standing:
    """How a job stands. state: one of STATES, the worst first that holds.

    late_since: when the oldest occasion came that is still to be done. failures: all there ever
    were. trouble: what its administrators were told of, if it is not well yet.
    """

    name: str
    state: str
    last: RunLine | None
    last_done: RunLine | None
    late_since: datetime | None
    next_at: datetime | None
    running_since: datetime | None
    failing_since: datetime | None
    failures_in_row: int
    failures: int
    trouble: str | None
    trouble_since: datetime | None

    def late_seconds(self, now: datetime) -> int:
        """Return for how long something has been due, 0 when nothing is."""
        return (
            0
            if self.late_since is None
            else max(0, int((now - self.late_since).total_seconds()))
        )


def standing_of(session: Session, job: Job, now: datetime, zone: ZoneInfo) -> Standing:
    """Return how one job stands now."""
    state = session.get(JobState, job.name)
    runs = select(*RUN).where(JobRun.job == job.name).order_by(JobRun.started_at.desc())
    last = _line(session.execute(runs.limit(1)).first())
    done = last if last and last.state == "done" else None
    if done is None and last is not None:
        done = _line(session.execute(runs.where(JobRun.state == "done").limit(1)).first())
    running_since = _running_since(session, state, now)
    slots = {slot.key: slot for slot in job.due(now, zone)}
    rows = session.execute(
        select(*RUN).where(JobRun.job == job.name, JobRun.period.in_(list(slots)))
    ).all()
    failed = [row for row in rows if row.state == "failed"]
    left = set(slots) - {row.period for row in rows if row.state == "done"}
    late_since = _late_since(job, left, slots, done, now, zone)
    following = next_slot(job, now, zone)
    since = [row.failing_since for row in failed]
    if state is not None and state.failing_since is not None:
        since.append(state.failing_since)
    in_row = max(
        [row.failures for row in failed] + [state.failures_in_row if state else 0], default=0
    )
    return Standing(
        name=job.name,
        state=_word(job, now, last, running_since, late_since, in_row),
        last=last,
        last_done=done,
        late_since=late_since,
        next_at=following.due_at if following else None,
        running_since=running_since,
        failing_since=min(since, default=None),
        failures_in_row=in_row,
        failures=state.failures if state else 0,
        trouble=state.trouble if state else None,
        trouble_since=state.trouble_since if state else None,
    )


def runs_of(session: Session, name: str, *, limit: int) -> list[RunLine]:
    """Return the last runs of a job, the newest first."""
    found: Any = session.execute(
        select(*RUN)
        .where(JobRun.job == name)
        .order_by(JobRun.started_at.desc(), JobRun.id.desc())
        .limit(limit)
    )
    return [RunLine(*row) for row in found]


def failures_of(session: Session, name: str, *, limit: int) -> list[RunLine]:
    """Return the last occasions of a job that failed, also those that were done since."""
    found: Any = session.execute(
        select(*RUN)
        .where(JobRun.job == name, JobRun.failures > 0)
        .order_by(JobRun.failed_at.desc(), JobRun.id.desc())
        .limit(limit)
    )
    return [RunLine(*row) for row in found]


def jobs_in_trouble(session: Session | Connection) -> list[Row[Any]]:
    """Return which jobs are in trouble, which, and since when; the oldest first."""
    found: Any = session.execute(
        select(JobState.job, JobState.trouble, JobState.trouble_since)
        .where(JobState.trouble.is_not(None))
        .order_by(JobState.trouble_since, JobState.job)
    )
    return list(found)


def _line(row: Any) -> RunLine | None:
    return None if row is None else RunLine(*row)


def _running_since(session: Session, state: JobState | None, now: datetime) -> datetime | None:
    """Return since when a scheduler that still has the lease is at work on the job."""
    if state is None or state.running_since is None:
        return None
    lives = session.scalar(
        select(JobLease.holder).where(
            JobLease.holder == state.running_holder, JobLease.expires_at > now
        )
    )
    return state.running_since if lives else None


def _late_since(
    job: Job,
    left: set[str],
    slots: dict[str, Any],
    done: RunLine | None,
    now: datetime,
    zone: ZoneInfo,
) -> datetime | None:
    """Return when the oldest occasion came that is still to be done.

    A job that works from its sources tells only its newest occasions: late it is since the
    first one after its last success.
    """
    came = [slots[key].due_at for key in left if slots[key].due_at is not None]
    if not came:
        return None
    oldest: datetime = min(came)
    if job.kept is not None and done is not None and done.started_at < oldest:
        missed = next_slot(job, done.started_at, zone)
        if missed is not None and missed.due_at is not None and missed.due_at <= now:
            return min(oldest, missed.due_at)
    return oldest


def _word(
    job: Job,
    now: datetime,
    last: RunLine | None,
    running_since: datetime | None,
    late_since: datetime | None,
    failures_in_row: int,
) -> str:
    is_ahead = last is not None and last.started_at > now + CLOCKS_DIFFER
    said = (
        ("stuck", running_since is not None and now - running_since > job.may_take),
        ("failing", failures_in_row > 0),
        ("resting", is_ahead),
        ("working", running_since is not None),
        ("never", last is None),
        ("late", late_since is not None and now - late_since > LATE_AFTER),
    )
    return next((word for word, holds in said if holds), "fresh")
