"""A job in trouble is told once, and once more when it is well again."""

from datetime import datetime
from zoneinfo import ZoneInfo

import structlog
from sqlalchemy import bindparam, select, text
from sqlalchemy.orm import Session

from pointsbank.core.db import Moment
from pointsbank.jobs.leasing import hold_fast
from pointsbank.jobs.occasions import Job
from pointsbank.jobs.watching import (
    FAILURES_OF_TROUBLE,
    LATE_AFTER,
    Standing,
    standing_of,
)
from pointsbank.members.queries import role_holders_over
from pointsbank.messages.service import tell_each
from pointsbank.organizations.models import Organization

SET_TROUBLE = text(
    """
    INSERT INTO job_state (job, failures_in_row, failures, trouble, trouble_since)
    VALUES (:job, 0, 0, :trouble, :since)
    ON CONFLICT (job) DO UPDATE
        SET trouble = excluded.trouble, trouble_since = excluded.trouble_since
    """
).bindparams(bindparam("since", type_=Moment()))

logger = structlog.get_logger()


def watch_jobs(
    session: Session,
    jobs: list[Job],
    *,
    holder: str,
    leading_since: datetime,
    zone: ZoneInfo,
    now: datetime,
) -> None:
    """Tell of each job that got into trouble or out of it since the last look.

    leading_since: nothing counts as late before this tenure had time for it. Raises LeaseLost.
    """
    for job in jobs:
        standing = standing_of(session, job, now, zone)
        trouble = trouble_of(standing, leading_since, now)
        if trouble == standing.trouble:
            continue
        # An incident that changes its kind stays the same one: it was told.
        since = (standing.trouble_since or now) if trouble else None
        session.execute(SET_TROUBLE, {"job": job.name, "trouble": trouble, "since": since})
        if trouble and standing.trouble:
            continue
        _tell(session, standing, trouble, now)
    hold_fast(session, holder=holder, now=now)


def trouble_of(standing: Standing, leading_since: datetime, now: datetime) -> str | None:
    """Return what of a job's state people have to be told of."""
    if standing.state == "stuck":
        return "stuck"
    if standing.failures_in_row >= FAILURES_OF_TROUBLE:
        return "failing"
    # Until it has succeeded, one more failure is no sign of being well.
    if standing.trouble == "failing" and standing.failures_in_row:
        return "failing"
    if standing.late_since is None or standing.state in ("resting", "working"):
        return None
    is_late = now - max(standing.late_since, leading_since) > LATE_AFTER
    return "late" if is_late else None


def _tell(session: Session, standing: Standing, trouble: str | None, now: datetime) -> None:
    """Tell administrators and the log."""
    if trouble:
        kind, began = f"job_{trouble}", now
        logger.error("job_in_trouble", job=standing.name, trouble=trouble)
    else:
        kind, began = "job_well", standing.trouble_since or now
        logger.warning("job_well_again", job=standing.name)
    tell_each(
        session,
        key=f"{kind}:{standing.name}:{now:%Y%m%d%H%M%S}",
        member_ids=administrators_of_all(session),
        kind=kind,
        facts={"job": standing.name, "began_at": began.isoformat()},
        now=now,
    )


def administrators_of_all(session: Session) -> set[int]:
    """Return who administers everything, or a whole tree of organizations."""
    tops = session.scalars(
        select(Organization.path).where(Organization.parent_id.is_(None))
    ).all()
    return {
        member
        for path in ("/", *tops)
        for member in role_holders_over(session, path, ("administrator",))
    }
