"""What the job `reminders` tells of the calendar: a year whose holidays nobody has loaded."""

from datetime import datetime
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from pointsbank.core.calendar import local_day
from pointsbank.members.queries import role_holders_over
from pointsbank.messages.service import tell_each
from pointsbank.organizations.queries import organizations_at
from pointsbank.organizations.workdays import year_to_load


def tell_of_missing_year(session: Session, now: datetime, zone: ZoneInfo) -> int:
    """Tell who may load it that a year's holidays are missing; return how many are told.

    From 1 December on the next year's, later the running one's. Each is told once a year, and
    nobody once it is known.
    """
    missing = year_to_load(session, local_day(now, zone))
    if missing is None:
        return 0
    return tell_each(
        session,
        key=f"calendar_missing:{missing}",
        member_ids=calendar_keepers(session),
        kind="calendar_missing",
        # As text: a year is written without a comma.
        facts={"year": str(missing)},
        now=now,
    )


def calendar_keepers(session: Session) -> set[int]:
    """Return who administers everything, or the one top of the tree."""
    tops = organizations_at(session, ["/"])
    whole = ["/", *(top.path for top in tops if len(tops) == 1)]
    return {
        member_id
        for path in whole
        for member_id in role_holders_over(session, path, ("administrator",))
    }
