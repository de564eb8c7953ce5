"""The steps of the job `shift_reminders`, every ten minutes; reminding.py has the mornings."""

from datetime import datetime
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from pointsbank.jobs.occasions import Step, every_minutes
from pointsbank.tasks.groups import release_due_groups
from pointsbank.tasks.inviting import lapse_invitations
from pointsbank.tasks.reminding import remind_of_shifts, warn_of_unclaimed

REMINDING_BATCH = 500
# Each releases a shift's places one by one, and shifts stay locked until it is committed.
RELEASE_BATCH = 20
# So often shifts are looked at: a reminder comes at most so much later than its moment.
SHIFTS_MINUTES = 10

due_shift_reminders = every_minutes(SHIFTS_MINUTES)


def work_shift_reminders(
    session: Session, _period: str, _zone: ZoneInfo, now: datetime
) -> Step:
    """Remind people of shifts, warn organizers, close invitations and release groups."""
    count, is_last = look_ahead(session, now)
    return Step(count, is_last)


def look_ahead(session: Session, now: datetime) -> tuple[int, bool]:
    """Take every step once; return how many things were done, and whether none is left.

    Groups are released first, so that whoever moves up is told of it before being reminded.
    """
    lapsed = lapse_invitations(session, now=now, limit=REMINDING_BATCH)
    released = release_due_groups(session, now=now, limit=RELEASE_BATCH)
    reminded = remind_of_shifts(session, now=now, limit=REMINDING_BATCH)
    warned = warn_of_unclaimed(session, now=now, limit=REMINDING_BATCH)
    is_last = released < RELEASE_BATCH and max(lapsed, reminded, warned) < REMINDING_BATCH
    return lapsed + released + reminded + warned, is_last
