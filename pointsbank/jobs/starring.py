"""What comes of notices about stars: awarded once they are locked, corrected when one was
upheld."""

from datetime import datetime
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from pointsbank.certificates.awarding import CHECK_DIGITS, settle_next_notice
from pointsbank.core.keys import draw_number
from pointsbank.jobs.occasions import Step, every_minutes

# A notice is locked by the day; whoever waits for a star reads of it within this time.
STARS_MINUTES = 10

due_stars = every_minutes(STARS_MINUTES)


def work_stars(session: Session, _period: str, zone: ZoneInfo, now: datetime) -> Step:
    """Settle one notice that has ended or must be corrected."""
    count = settle_next_notice(
        session, draw=lambda: draw_number(CHECK_DIGITS), zone=zone, now=now
    )
    return Step(count, is_last=count == 0)
