"""A person says that they did not take part, and what was entered about them is taken back."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import update
from sqlalchemy.orm import Session

from pointsbank.attendance.errors import NotAttended
from pointsbank.attendance.models import Attendance
from pointsbank.attendance.settling import award_key
from pointsbank.attendance.sheet import SheetLine, sheet_lines
from pointsbank.core.audit import note as note_act
from pointsbank.ledger.errors import AlreadyReversed
from pointsbank.ledger.queries import balance_of
from pointsbank.ledger.service import reverse
from pointsbank.members.queries import member_of, role_holders_over
from pointsbank.messages.service import tell_each
from pointsbank.scoring.reversals import rejection_of
from pointsbank.scoring.service import negate_entry
from pointsbank.tasks.claiming import locked_shift
from pointsbank.tasks.errors import ShiftNotFound
from pointsbank.tasks.queries import ShiftLine, TaskLine, shift_of


@dataclass(frozen=True)
class Rejection:
    """What became of an entry that its person rejected.

    points_back: how many points were taken back. points_spent: how many could not be, because
    they are spent; an administrator was told.
    """

    points_back: int = 0
    points_spent: int = 0


def reject_attendance(
    session: Session,
    *,
    member_id: int,
    shift_id: int,
    note: str | None,
    today: date,
    now: datetime,
) -> Rejection:
    """Strike all of one's own comings to a shift: whoever is on its list says they were not
    there.

    Awarded points are reversed and the score entry negated; where the points are spent already
    the entry is negated all the same and the administrators are told. The organizer and the
    secretaries hear of it. A repeat changes nothing.
    Raises ShiftNotFound, NotAttended, and NotEnoughPoints when the points are spent at this
    very moment; a second try then finds them spent.
    """
    shift, task = shift_of(session, shift_id)
    locked_shift(session, shift_id)
    line = next(iter(sheet_lines(session, shift_id, member_ids=[member_id])), None)
    if line is None or not line.comings:
        raise NotAttended
    if not line.standing:
        return Rejection()
    _strike(session, line, note, now)
    rejection = Rejection()
    if any(coming.state == "credited" for coming in line.standing):
        cause = award_key(line)
        # The ledger first: an administrator who takes the same line back at this moment is
        # waited for there, and what they lowered is seen when the rest is negated.
        rejection = _take_back(session, line, task, today, now)
        negate_entry(session, cause=rejection_of(cause), of_cause=cause, now=now)
    note_act(
        session,
        at=now,
        actor_id=member_id,
        action="attendance_rejected",
        subject=("shift", shift_id),
        points=rejection.points_back,
        spent=rejection.points_spent,
    )
    _tell(session, line, shift, task, rejection, now)
    return rejection


def _strike(session: Session, line: SheetLine, why: str | None, now: datetime) -> None:
    for coming in line.standing:
        # Nobody needs to look any more at what its person says never was.
        waits = coming.review_state == "waiting"
        session.execute(
            update(Attendance)
            .where(Attendance.id == coming.id)
            .values(
                state="rejected",
                rejected_at=now,
                rejection_note=why,
                review_state="none" if waits else coming.review_state,
            )
        )


def _take_back(
    session: Session, line: SheetLine, task: TaskLine, today: date, now: datetime
) -> Rejection:
    awarded = next((each for each in line.standing if each.transfer_id is not None), None)
    if awarded is None or awarded.transfer_id is None:
        return Rejection()
    points = awarded.points or 0
    if balance_of(session, f"member:{line.member_id}").available < points:
        return Rejection(points_spent=points)
    try:
        posted = reverse(
            session,
            transfer_id=awarded.transfer_id,
            key=rejection_of(award_key(line)),
            reason=task.title,
            actor_id=line.member_id,
            today=today,
            now=now,
        )
    except AlreadyReversed:
        # An administrator took the line back before.
        return Rejection()
    return Rejection(points_back=posted.points)


def _tell(
    session: Session,
    line: SheetLine,
    shift: ShiftLine,
    task: TaskLine,
    rejection: Rejection,
    now: datetime,
) -> None:
    facts: dict[str, Any] = {
        "shift_id": shift.id,
        "title": task.title,
        "starts_at": shift.starts_at.isoformat(),
    }
    overseers = role_holders_over(session, task.path, ("secretary",))
    first = line.comings[0]
    # Only the organizer can open the shift's sheet.
    told = {
        "attendance_struck": {task.organizer_id},
        "attendance_struck_below": set(overseers) - {task.organizer_id},
    }
    for kind, member_ids in told.items():
        tell_each(
            session,
            key=f"attendance:{first.id}:{len(line.comings)}:rejected",
            member_ids=member_ids - {line.member_id},
            kind=kind,
            facts=facts,
            now=now,
        )
    if rejection.points_spent:
        path = member_of(session, line.member_id).path
        administrators = role_holders_over(session, path, ("administrator",))
        tell_each(
            session,
            key=f"attendance:{first.id}:{len(line.comings)}:spent",
            member_ids=set(administrators) - {line.member_id},
            kind="attendance_struck_spent",
            facts={**facts, "points": rejection.points_spent, "member_id": line.member_id},
            now=now,
        )


def own_line(
    session: Session, shift_id: int, member_id: int
) -> tuple[ShiftLine, TaskLine, SheetLine]:
    """Return a shift whose list one stands on, with one's own line.

    Raises NotAttended.
    """
    try:
        shift, task = shift_of(session, shift_id)
    except ShiftNotFound as error:
        raise NotAttended from error
    line = next(iter(sheet_lines(session, shift_id, member_ids=[member_id])), None)
    if line is None or not line.comings:
        raise NotAttended
    return shift, task, line
