"""The decision about an attendance that waits: by somebody who had no hand in it, once."""

from datetime import datetime
from zoneinfo import ZoneInfo

from sqlalchemy import bindparam, text
from sqlalchemy.orm import Session

from pointsbank.attendance.alerting import REVIEWING_ROLES
from pointsbank.attendance.review_errors import (
    OwnReview,
    ReviewDecided,
    ReviewNoteMissing,
)
from pointsbank.attendance.reviews import ReviewFile, review_of
from pointsbank.attendance.settling import settle_shift
from pointsbank.core.actor import Actor
from pointsbank.core.audit import note
from pointsbank.core.db import Moment
from pointsbank.messages.service import tell
from pointsbank.tasks.claiming import locked_shift

# Of two reviewers at once exactly one finds it waiting; all rows of the person go together.
DECIDE = text(
    """
    UPDATE attendance
    SET review_state = :state, reviewed_by_id = :actor_id, reviewed_at = :now,
        review_note = :note
    WHERE shift_id = :shift_id AND member_id = :member_id AND review_state = 'waiting'
    RETURNING id
    """
).bindparams(bindparam("now", type_=Moment()))


def decide_review(
    session: Session,
    *,
    attendance_id: int,
    actor: Actor,
    is_approved: bool,
    reason: str,
    zone: ZoneInfo,
    now: datetime,
) -> ReviewFile:
    """Let an attendance count or not, as its second person, and return what became of it.

    What is approved is awarded at once by settling the shift again, or goes on waiting where
    something else holds it (the month's issue budget). What is refused stays held, and the
    person is told. Raises ReviewNotFound, OwnReview, ReviewNoteMissing, ReviewDecided.
    """
    paths = actor.paths(*REVIEWING_ROLES)
    found = review_of(session, attendance_id, paths)
    if found.state != "waiting":
        raise ReviewDecided(state=found.state)
    if actor.member_id in found.involved:
        raise OwnReview
    if not is_approved and not reason:
        raise ReviewNoteMissing
    # First of all locks, as everywhere: settling takes it again.
    locked_shift(session, found.shift_id)
    state = "approved" if is_approved else "refused"
    values = {
        "state": state,
        "actor_id": actor.member_id,
        "now": now,
        "note": reason or None,
        "shift_id": found.shift_id,
        "member_id": found.member_id,
    }
    if not session.execute(DECIDE, values).all():
        raise ReviewDecided(state=review_of(session, attendance_id, paths).state)
    session.expire_all()
    note(
        session,
        at=now,
        actor_id=actor.member_id,
        action=f"attendance_{state}",
        subject=("attendance", attendance_id),
        score=found.score,
    )
    if is_approved:
        settle_shift(
            session,
            shift_id=found.shift_id,
            actor_id=actor.member_id,
            paths=paths,
            zone=zone,
            now=now,
            only=(found.member_id,),
        )
    tell(
        session,
        key=f"attendance:{attendance_id}:{state}",
        member_id=found.member_id,
        kind="attendance_approved" if state == "approved" else "attendance_refused",
        facts={
            "attendance_id": attendance_id,
            "title": found.title,
            "starts_at": found.starts_at.isoformat(),
        },
        now=now,
    )
    return review_of(session, attendance_id, paths)
