"""The job `notices`, each night: notices open, are lengthened over holidays, become final."""

from datetime import datetime, time
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from pointsbank.core.calendar import local_day
from pointsbank.jobs.occasions import Step, daily, day_that_came
from pointsbank.notices.timekeeping import keep_time

# Objections of the last second of a day are committed by then.
NOTICES_AT = time(0, 40)

due_notices = daily(NOTICES_AT)


def work_notices(session: Session, period: str, zone: ZoneInfo, now: datetime) -> Step:
    """Bring every notice to this day, whichever nights were missed.

    Raises DayNotOver.
    """
    day_that_came(period, now, zone)
    return Step(keep_time(session, today=local_day(now, zone), zone=zone, now=now))
