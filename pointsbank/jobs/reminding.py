"""What the job `reminders` does each morning: a list of steps, to which rooms add theirs."""

from collections.abc import Callable
from datetime import datetime, time
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from pointsbank.certificates.urging import tell_of_overdue_items
from pointsbank.core.calendar import local_day
from pointsbank.jobs.calendars import tell_of_missing_year
from pointsbank.jobs.occasions import Step, daily, day_that_came
from pointsbank.notices.timekeeping import tell_of_objections
from pointsbank.passbooks.expiring import tell_of_expiry
from pointsbank.passbooks.urging import tell_of_overdue
from pointsbank.rewards.recalling import tell_of_loans
from pointsbank.rewards.shortage import tell_of_shortage
from pointsbank.rewards.telling import tell_of_vouchers
from pointsbank.scoring.lapsing import lapse_adjustments, tell_of_lapsing

# Rows of one batch stay locked until it is committed, so a morning's work goes in small ones.
REMINDING_BATCH = 500
# Late enough that nobody is woken by a telephone, early enough for the day's plans.
REMINDS_AT = time(8, 0)

due_reminders = daily(REMINDS_AT)

# Session, moment, time zone -> how many things were done; REMINDING_BATCH and more: there may
# be more to do. A step finds by itself what is still to do, so that it may run again at once.
Reminder = Callable[[Session, datetime, ZoneInfo], int]


def of_expiry(session: Session, now: datetime, zone: ZoneInfo) -> int:
    """Tell members what of their points expires soon."""
    return tell_of_expiry(session, today=local_day(now, zone), now=now, limit=REMINDING_BATCH)


def of_lapsed(session: Session, now: datetime, zone: ZoneInfo) -> int:
    """Let adjustments lapse that nobody decided in time."""
    return lapse_adjustments(session, zone=zone, now=now, limit=REMINDING_BATCH)


def of_lapsing(session: Session, now: datetime, _zone: ZoneInfo) -> int:
    """Tell those who decide adjustments which of them are about to lapse."""
    return tell_of_lapsing(session, now=now)


def of_disputes(session: Session, now: datetime, zone: ZoneInfo) -> int:
    """Tell those who answer disputes how many are overdue."""
    return tell_of_overdue(session, today=local_day(now, zone), now=now)


def of_few_rewards(session: Session, now: datetime, zone: ZoneInfo) -> int:
    """Tell administrators, once a week, which communities have too few rewards."""
    return tell_of_shortage(session, now=now, zone=zone)


def of_loans(session: Session, now: datetime, zone: ZoneInfo) -> int:
    """Tell people of borrowed tools that are due tomorrow or overdue."""
    return tell_of_loans(session, now=now, zone=zone)


def of_vouchers(session: Session, now: datetime, zone: ZoneInfo) -> int:
    """Tell people of vouchers that run out today or tomorrow."""
    return tell_of_vouchers(session, now=now, zone=zone, limit=REMINDING_BATCH)


def of_objections(session: Session, now: datetime, zone: ZoneInfo) -> int:
    """Tell those who answer objections to public notices what is due, and what is overdue."""
    return tell_of_objections(session, today=local_day(now, zone), now=now)


def of_plans(session: Session, now: datetime, zone: ZoneInfo) -> int:
    """Tell owners and secretaries of overdue items of their organizations' plans."""
    today = local_day(now, zone)
    return tell_of_overdue_items(session, today=today, now=now, limit=REMINDING_BATCH)


def of_calendar(session: Session, now: datetime, zone: ZoneInfo) -> int:
    """Tell administrators of everything of a year whose holidays are not loaded."""
    return tell_of_missing_year(session, now, zone)


REMINDERS: list[Reminder] = [
    of_lapsed,
    of_lapsing,
    of_expiry,
    of_disputes,
    of_objections,
    of_few_rewards,
    of_loans,
    of_vouchers,
    of_plans,
    of_calendar,
]


def work_reminders(session: Session, period: str, zone: ZoneInfo, now: datetime) -> Step:
    """Remind people of what is due at this moment, whichever morning was missed.

    Raises DayNotOver.
    """
    day_that_came(period, now, zone)
    count, is_last = remind(session, now, zone)
    return Step(count, is_last)


def remind(session: Session, now: datetime, zone: ZoneInfo) -> tuple[int, bool]:
    """Take every step once; return how many things were done, and whether none is left."""
    counts = [reminder(session, now, zone) for reminder in REMINDERS]
    return sum(counts), all(count < REMINDING_BATCH for count in counts)
