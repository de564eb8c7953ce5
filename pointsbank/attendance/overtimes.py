"""A shift that went on longer than planned: asked for by its lead, decided by somebody else."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import delete, insert, select, update
from sqlalchemy.orm import Session, aliased

from pointsbank.attendance.errors import (
    OvertimeDecided,
    OvertimeNotFound,
    OvertimeOutOfBounds,
    OwnOvertime,
    SettledBefore,
)
from pointsbank.attendance.models import Attendance, Overtime
from pointsbank.core.actor import Actor
from pointsbank.core.audit import note
from pointsbank.members.models import Member
from pointsbank.members.queries import role_holders_over
from pointsbank.messages.service import tell, tell_each
from pointsbank.organizations.models import Organization
from pointsbank.organizations.queries import within
from pointsbank.tasks.claiming import locked_shift
from pointsbank.tasks.errors import NotOpen
from pointsbank.tasks.models import Shift, Task
from pointsbank.tasks.queries import TaskLine, shift_of

# Rule: docs/scoring.md, "From time to points": longer than this is a shift of its own.
OVERTIME_HOURS_MAX = 4
# Who decides, within their scope.
DECIDERS = ("administrator", "secretary")


@dataclass(frozen=True)
class OvertimeFile:
    """Overtime as it was asked for and decided; names are full, doors mask them."""

    shift_id: int
    until: datetime
    reason: str
    state: str
    asked_by_id: int
    asked_by: str
    asked_at: datetime
    decided_by: str | None
    decided_at: datetime | None
    title: str
    starts_at: datetime
    ends_at: datetime
    path: str

    @property
    def minutes(self) -> int:
        """How much longer than planned."""
        return int((self.until - self.ends_at).total_seconds()) // 60


Asker, Decider = aliased(Member), aliased(Member)
# Built once: every settlement asks it.
FILES = (
    select(
        Overtime.shift_id,
        Overtime.until,
        Overtime.reason,
        Overtime.state,
        Overtime.asked_by_id,
        Asker.name,
        Overtime.asked_at,
        Decider.name,
        Overtime.decided_at,
        Task.title,
        Shift.starts_at,
        Shift.ends_at,
        Organization.path,
    )
    .join(Shift, Shift.id == Overtime.shift_id)
    .join(Task, Task.id == Shift.task_id)
    .join(Organization, Organization.id == Task.organization_id)
    .join(Asker, Asker.id == Overtime.asked_by_id)
    .outerjoin(Decider, Decider.id == Overtime.decided_by_id)
    .order_by(Overtime.asked_at, Overtime.shift_id)
)


def overtime_files(
    session: Session, *, shift_id: int | None = None, pending_under: Sequence[str] | None = None
) -> list[OvertimeFile]:
    """Return the overtime of one shift, or what waits for a decision under these paths."""
    statement = FILES
    if shift_id is not None:
        statement = statement.where(Overtime.shift_id == shift_id)
    if pending_under is not None:
        statement = statement.where(
            Overtime.state == "pending", within(Organization.path, pending_under)
        )
    rows: Iterable[Any] = session.execute(statement)
    return [OvertimeFile(*row) for row in rows]


def overtime_of(session: Session, shift_id: int) -> OvertimeFile | None:
    """Return the overtime of a shift, None when nobody asked for any."""
    return next(iter(overtime_files(session, shift_id=shift_id)), None)


def overtime_in_scope(session: Session, shift_id: int, paths: Sequence[str]) -> OvertimeFile:
    """Return the overtime of a shift under one of these paths.

    Raises OvertimeNotFound, for a foreign one as for one that nobody asked for.
    """
    found = overtime_of(session, shift_id)
    if found is None or not any(found.path.startswith(path) for path in paths):
        raise OvertimeNotFound
    return found


def ask_overtime(
    session: Session,
    *,
    shift_id: int,
    actor: Actor,
    until: datetime,
    reason: str,
    now: datetime,
) -> OvertimeFile:
    """Ask that time up to a moment after the shift's end counts, and tell who decides.

    Asking again before the decision, or after a refusal, takes the place of what was asked.
    Raises ShiftNotFound, NotOpen, OvertimeOutOfBounds, OvertimeDecided, SettledBefore.
    """
    shift, task = shift_of(session, shift_id, actor.paths("organizer"))
    if task.state != "open" or shift.called_off_at is not None:
        raise NotOpen
    latest = shift.ends_at + timedelta(hours=OVERTIME_HOURS_MAX)
    if not shift.ends_at < until <= latest:
        raise OvertimeOutOfBounds(hours=OVERTIME_HOURS_MAX)
    locked_shift(session, shift_id)
    standing = overtime_of(session, shift_id)
    if standing is not None and standing.state == "approved":
        raise OvertimeDecided
    check_unsettled(session, shift_id)
    session.execute(delete(Overtime).where(Overtime.shift_id == shift_id))
    session.execute(
        insert(Overtime).values(
            shift_id=shift_id,
            until=until,
            reason=reason,
            state="pending",
            asked_by_id=actor.member_id,
            asked_at=now,
        )
    )
    minutes = int((until - shift.ends_at).total_seconds()) // 60
    note(
        session,
        at=now,
        actor_id=actor.member_id,
        action="overtime_asked",
        subject=("shift", shift_id),
        minutes=minutes,
    )
    _tell_deciders(session, task, shift_id, actor.member_id, minutes, now)
    return overtime_in_scope(session, shift_id, actor.paths("organizer"))


def _tell_deciders(
    session: Session, task: TaskLine, shift_id: int, asker_id: int, minutes: int, now: datetime
) -> None:
    """Tell the secretaries over the shift; the administrators where nobody is secretary."""
    deciders: list[int] = []
    for role in ("secretary", "administrator"):
        deciders = [
            each for each in role_holders_over(session, task.path, [role]) if each != asker_id
        ]
        if deciders:
            break
    tell_each(
        session,
        key=f"overtime:{shift_id}:{int(now.timestamp())}:asked",
        member_ids=deciders,
        kind="overtime_asked",
        facts={"shift_id": shift_id, "title": task.title, "minutes": minutes},
        now=now,
    )


def withdraw_overtime(session: Session, *, shift_id: int, actor: Actor, now: datetime) -> None:
    """Take back what was asked for and not decided; a repeat changes nothing.

    Raises ShiftNotFound, OvertimeDecided.
    """
    shift_of(session, shift_id, actor.paths("organizer"))
    locked_shift(session, shift_id)
    standing = overtime_of(session, shift_id)
    if standing is None:
        return
    if standing.state != "pending":
        raise OvertimeDecided
    session.execute(delete(Overtime).where(Overtime.shift_id == shift_id))
    note(
        session,
        at=now,
        actor_id=actor.member_id,
        action="overtime_withdrawn",
        subject=("shift", shift_id),
    )


def decide_overtime(
    session: Session, *, shift_id: int, actor: Actor, is_approved: bool, now: datetime
) -> OvertimeFile:
    """Approve or refuse overtime, as its second person and before the shift is settled.

    Raises OvertimeNotFound for a foreign one as for an unknown one, OwnOvertime,
    OvertimeDecided, SettledBefore.
    """
    paths = actor.paths(*DECIDERS)
    found = overtime_in_scope(session, shift_id, paths)
    if found.asked_by_id == actor.member_id:
        raise OwnOvertime
    locked_shift(session, shift_id)
    check_unsettled(session, shift_id)
    state = "approved" if is_approved else "refused"
    decided = session.execute(
        update(Overtime)
        .where(
            Overtime.shift_id == shift_id,
            Overtime.state == "pending",
            Overtime.asked_by_id != actor.member_id,
        )
        .values(state=state, decided_by_id=actor.member_id, decided_at=now)
        .returning(Overtime.shift_id)
    ).first()
    if decided is None:
        raise OvertimeDecided
    note(
        session,
        at=now,
        actor_id=actor.member_id,
        action=f"overtime_{state}",
        subject=("shift", shift_id),
        minutes=found.minutes,
    )
    tell(
        session,
        key=f"overtime:{shift_id}:{int(found.asked_at.timestamp())}:{state}",
        member_id=found.asked_by_id,
        kind="overtime_approved" if state == "approved" else "overtime_refused",
        facts={"shift_id": shift_id, "title": found.title, "minutes": found.minutes},
        now=now,
    )
    return overtime_in_scope(session, shift_id, paths)


def check_unsettled(session: Session, shift_id: int) -> None:
    """Let something go on that must come before a shift is settled.

    Raises SettledBefore.
    """
    settled = session.scalar(
        select(Attendance.id)
        .where(Attendance.shift_id == shift_id, Attendance.settled_at.is_not(None))
        .limit(1)
    )
    if settled is not None:
        raise SettledBefore
