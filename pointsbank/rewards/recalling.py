"""Reminding people of borrowed tools: the day before, the day after, and a week after."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from pointsbank.core.calendar import local_day
from pointsbank.messages.service import tell
from pointsbank.rewards.loans_queries import loans_due

# Days after the due day from which each reminder is told; the latest that is due is told.
REMINDED_AFTER_DAYS = (7, 1, -1)


def tell_of_loans(session: Session, *, now: datetime, zone: ZoneInfo) -> int:
    """Tell people of tools that are due tomorrow or overdue; return how many were told.

    Each reminder of a loan is told once. Mornings that were missed are made good by the latest.
    """
    today = local_day(now, zone)
    told = 0
    for loan in loans_due(session, today + timedelta(days=1)):
        late = (today - loan.due_on).days
        stage = next(days for days in REMINDED_AFTER_DAYS if late >= days)
        told += tell(
            session,
            key=f"loan:{loan.id}:{stage}",
            member_id=loan.member_id,
            kind="tool_overdue" if stage > 0 else "tool_due",
            facts={"tool": loan.reward_name, "due_on": loan.due_on.isoformat()},
            now=now,
        )
    return told
