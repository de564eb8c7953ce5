"""Reads of claims: a person's own, their place in line, who else goes."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, bindparam, func, or_, select
from sqlalchemy.orm import Session

from pointsbank.members.models import Member
from pointsbank.tasks.models import Claim, Shift, ShiftRole, Task
from pointsbank.tasks.queries import ShiftLine, TaskLine, shift_lines, tasks_selected

# A person with more claims at once than this knows it without being told.
OVERLAPS_MAX = 5


@dataclass(frozen=True)
class Overlap:
    """Another shift that the person has a claim on, at the same time."""

    title: str
    starts_at: datetime
    ends_at: datetime


@dataclass(frozen=True)
class ClaimLine:
    """A claim with the shift and the task it is on; position is the place in the role's waiting
    line, from 1.

    role_name: empty where the shift has only one role. accept_by: until when somebody who moved
    up keeps the place without saying so.
    """

    id: int
    state: str
    position: int | None
    member_id: int
    role_id: int
    role_name: str
    claimed_at: datetime
    promoted_at: datetime | None
    accept_by: datetime | None
    shift: ShiftLine
    task: TaskLine


def position_of(session: Session, shift_id: int, queue_no: int) -> int:
    """Return the place in its role's waiting line, from 1, of the claim with this queue
    number."""
    own = Claim.__table__.alias("own")
    return int(
        session.scalar(
            select(func.count(Claim.id))
            .join(own, own.c.role_id == Claim.role_id)
            .where(
                own.c.shift_id == shift_id,
                own.c.queue_no == queue_no,
                Claim.state == "waitlisted",
                Claim.queue_no <= queue_no,
            )
        )
        or 0
    )


# Built once: it is asked at every claim, and building it costs more than asking.
OVERLAPS = (
    select(Task.title, Shift.starts_at, Shift.ends_at)
    .join(Shift, Shift.task_id == Task.id)
    .join(Claim, Claim.shift_id == Shift.id)
    .where(
        Claim.member_id == bindparam("member_id"),
        Claim.state != "withdrawn",
        Shift.id != bindparam("shift_id"),
        Shift.starts_at < bindparam("ends_at"),
        Shift.ends_at > bindparam("starts_at"),
        Shift.called_off_at.is_(None),
        Task.state == "open",
    )
    .order_by(Shift.starts_at, Shift.id)
    .limit(OVERLAPS_MAX)
)


def overlaps_of(
    session: Session, member_id: int, shift_id: int, starts_at: datetime, ends_at: datetime
) -> tuple[Overlap, ...]:
    """Return the other shifts on which a member has a claim within this span, the soonest
    first."""
    span = {"starts_at": starts_at, "ends_at": ends_at}
    rows = session.execute(OVERLAPS, {"member_id": member_id, "shift_id": shift_id, **span})
    return tuple(Overlap(*row) for row in rows)


def claims_of(
    session: Session,
    member_id: int,
    *,
    before_id: int | None = None,
    limit: int = 50,
    shift_ids: Sequence[int] | None = None,
    claim_id: int | None = None,
    with_called_off: bool = False,
) -> list[ClaimLine]:
    """Return a member's living claims, newest first, each with its shift and task.

    with_called_off: those too that ended because the work does not take place.
    """
    ahead = Claim.__table__.alias("ahead")
    position = (
        select(func.count(ahead.c.id))
        .where(
            ahead.c.role_id == Claim.role_id,
            ahead.c.state == "waitlisted",
            ahead.c.queue_no <= Claim.queue_no,
        )
        .scalar_subquery()
    )
    statement = (
        select(Claim, position.label("position"), ShiftRole.name.label("role_name"))
        .join(ShiftRole, ShiftRole.id == Claim.role_id)
        .where(Claim.member_id == member_id, _is_shown(with_called_off))
    )
    if before_id is not None:
        statement = statement.where(Claim.id < before_id)
    if claim_id is not None:
        statement = statement.where(Claim.id == claim_id)
    if shift_ids is not None:
        statement = statement.where(Claim.shift_id.in_(shift_ids))
    rows = session.execute(statement.order_by(Claim.id.desc()).limit(limit)).all()
    shifts = {
        line.id: line
        for line in shift_lines(session, Shift.id.in_([row.Claim.shift_id for row in rows]))
    }
    tasks = {
        row.id: TaskLine(*row)
        for row in session.execute(
            tasks_selected().where(Task.id.in_({shift.task_id for shift in shifts.values()}))
        )
    }
    return [
        ClaimLine(
            claim.id,
            claim.state,
            int(place) if claim.state == "waitlisted" else None,
            claim.member_id,
            claim.role_id,
            role_name,
            claim.claimed_at,
            claim.promoted_at,
            claim.accept_by,
            shifts[claim.shift_id],
            tasks[shifts[claim.shift_id].task_id],
        )
        for claim, place, role_name in rows
    ]


def told_in_time(session: Session, claim_id: int) -> bool:
    """Tell whether a claim that ended let nobody down."""
    return session.scalar(select(Claim.told_in_time).where(Claim.id == claim_id)) is not False


def has_claim(session: Session, task_id: int, member_id: int) -> bool:
    """Tell whether a member has a living claim on any shift of a task."""
    found = session.scalar(
        select(Claim.id)
        .join(Shift, Shift.id == Claim.shift_id)
        .where(
            Shift.task_id == task_id,
            Claim.member_id == member_id,
            Claim.state != "withdrawn",
        )
        .limit(1)
    )
    return found is not None


def _is_shown(with_called_off: bool) -> ColumnElement[bool]:
    lives = Claim.state != "withdrawn"
    return or_(lives, Claim.withdrawal == "task_called_off") if with_called_off else lives


def claimed_names(session: Session, shift_id: int, limit: int = 12) -> list[str]:
    """Return the names of the first people on a shift; pages mask them."""
    return list(
        session.scalars(
            select(Member.name)
            .join(Claim, Claim.member_id == Member.id)
            .where(Claim.shift_id == shift_id, Claim.state == "claimed")
            .order_by(Claim.queue_no)
            .limit(limit)
        )
    )


def claim_states(session: Session, member_id: int, shift_ids: Sequence[int]) -> dict[int, str]:
    """Return the state of a member's claim on each of these shifts they have one on."""
    rows = session.execute(
        select(Claim.shift_id, Claim.state).where(
            Claim.member_id == member_id,
            Claim.shift_id.in_(shift_ids),
            Claim.state != "withdrawn",
        )
    )
    return {row.shift_id: row.state for row in rows}
