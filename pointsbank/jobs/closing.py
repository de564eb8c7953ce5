"""The job `closing`, each night: what is over is frozen, one organization after another."""

from datetime import datetime, time
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from pointsbank.core.calendar import Period
from pointsbank.jobs.occasions import Step, daily, day_that_came
from pointsbank.rankings.closing import close_period, next_to_close, periods_to_close
from pointsbank.rankings.grade_notices import finish_locked
from pointsbank.rankings.noticing import archive_locked

# What was recorded before midnight is committed by then, and notices are locked.
CLOSES_AT = time(0, 45)
# Entries wait for a moment while each of these is counted.
ORGANIZATIONS_BATCH = 10
LOCKED_BATCH = 50

due_closing = daily(CLOSES_AT)


def work_closing(session: Session, period: str, zone: ZoneInfo, now: datetime) -> Step:
    """Close what is over and not closed, the oldest first, whichever night was missed.

    Then archive the periods whose notice is locked, and make the grades final whose is. Raises
    DayNotOver, EntriesBusy.
    """
    day_that_came(period, now, zone)
    closed = 0
    for each in periods_to_close(session, zone=zone, now=now):
        closed += _close_some(session, each, ORGANIZATIONS_BATCH - closed, zone, now)
        if closed == ORGANIZATIONS_BATCH:
            return Step(closed, is_last=False)
    ended = archive_locked(session, now=now, limit=LOCKED_BATCH)
    ended += finish_locked(session, now=now, limit=LOCKED_BATCH)
    return Step(closed + ended, is_last=ended < LOCKED_BATCH)


def _close_some(
    session: Session, period: Period, most: int, zone: ZoneInfo, now: datetime
) -> int:
    """Close a period of so many organizations at most and return of how many."""
    for done in range(most):
        organization_id = next_to_close(session, period)
        if organization_id is None:
            return done
        close_period(
            session, organization_id=organization_id, period=period, zone=zone, now=now
        )
    return most
