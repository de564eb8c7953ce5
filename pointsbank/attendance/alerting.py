"""Whoever may look at what waits for review is told that something does."""

from datetime import datetime

from sqlalchemy.orm import Session

from pointsbank.members.queries import role_holders_over
from pointsbank.messages.service import tell_each
from pointsbank.tasks.queries import ShiftLine, TaskLine

REVIEWING_ROLES = ("administrator", "secretary")


def tell_reviewers(
    session: Session, shift: ShiftLine, task: TaskLine, *, settled_by_id: int, now: datetime
) -> int:
    """Tell the secretaries over a shift, or the administrators where there is none, that
    attendances of it wait; each hears it once a shift. Return how many are new.
    """
    involved = {task.organizer_id, settled_by_id}
    others: set[int] = set()
    for role in ("secretary", "administrator"):
        others = set(role_holders_over(session, task.path, [role])) - involved
        if others:
            break
    return tell_each(
        session,
        key=f"shift:{shift.id}:review",
        member_ids=others,
        kind="attendance_to_review",
        facts={"title": task.title, "starts_at": shift.starts_at.isoformat()},
        now=now,
    )
