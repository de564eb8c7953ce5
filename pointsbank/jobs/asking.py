"""Asking for a run: a row is left, and the scheduler, never a web worker, does the work."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import String, cast, func, literal, select, text
from sqlalchemy.orm import Session

from pointsbank.core.actor import Actor
from pointsbank.core.audit import note
from pointsbank.jobs.errors import JobAskedAlready, JobsForWhole
from pointsbank.jobs.models import JobRequest, JobRun, JobState
from pointsbank.jobs.occasions import Job, Slot
from pointsbank.organizations.queries import organizations_at

# Who asked has given up by then; a scheduler that starts later has no business with it.
ASKED_STAYS = timedelta(days=1)
ASKED = "asked/"

MAKE_STATE = text(
    """
    INSERT INTO job_state (job, failures_in_row, failures) VALUES (:job, 0, 0)
    ON CONFLICT (job) DO NOTHING
    """
)


# The key is composed in SQL as it is in asked_slots.
WAS_TRIED = (
    select(JobRun.id)
    .where(
        JobRun.job == JobRequest.job,
        JobRun.period == literal(ASKED).concat(cast(JobRequest.id, String)),
    )
    .exists()
)


def check_whole(session: Session, actor: Actor) -> None:
    """Let pass who administers everything: without an organization, or the tree's single top.

    Raises JobsForWhole.
    """
    paths = actor.paths("administrator")
    if "/" in paths:
        return
    tops = organizations_at(session, ("/",))
    if len(tops) != 1 or tops[0].path not in paths:
        raise JobsForWhole


def ask_to_run(session: Session, *, actor: Actor, job: Job, now: datetime) -> int:
    """Ask for a run now and return the request's id.

    Of two who ask at once the second is told so. Raises JobsForWhole, JobAskedAlready.
    """
    check_whole(session, actor)
    session.execute(MAKE_STATE, {"job": job.name})
    session.scalar(select(JobState.job).where(JobState.job == job.name).with_for_update())
    if asked_at(session, job.name, now) is not None:
        raise JobAskedAlready
    request = JobRequest(job=job.name, asked_by_id=actor.member_id, asked_at=now)
    session.add(request)
    session.flush()
    note(
        session,
        at=now,
        actor_id=actor.member_id,
        action="ask_for_job",
        subject=("job_request", request.id),
        job=job.name,
    )
    return request.id


def asked_at(session: Session, name: str, now: datetime) -> datetime | None:
    """Return when a run of this job was asked for that did not begin yet."""
    return session.scalar(
        select(func.min(JobRequest.asked_at)).where(
            JobRequest.job == name, JobRequest.asked_at > now - ASKED_STAYS, ~WAS_TRIED
        )
    )


def asked_slots(
    session: Session, jobs: dict[str, Job], now: datetime, zone: ZoneInfo
) -> list[tuple[Job, Slot]]:
    """Return the runs that were asked for and not tried yet, as occasions of their own.

    Each is tried once: who asked sees how it ended, and asks again.
    """
    found = session.execute(
        select(JobRequest.id, JobRequest.job, JobRequest.asked_at)
        .where(JobRequest.asked_at > now - ASKED_STAYS, ~WAS_TRIED)
        .order_by(JobRequest.id)
    )
    return [
        (job, Slot(f"{ASKED}{row.id}", job.period_now(now, zone), row.asked_at))
        for row in found
        for job in [jobs.get(row.job)]
        if job is not None
    ]


def askers_of(session: Session, keys: list[str]) -> dict[str, int]:
    """Return who asked for these runs, by their keys; others are left out."""
    ids = {int(key.removeprefix(ASKED)): key for key in keys if key.startswith(ASKED)}
    rows = session.execute(
        select(JobRequest.id, JobRequest.asked_by_id).where(JobRequest.id.in_(list(ids)))
    )
    return {ids[row.id]: row.asked_by_id for row in rows}
