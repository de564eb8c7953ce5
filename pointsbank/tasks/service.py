"""Writes of tasks: draft, publish, call off, claim a place and give it up."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Row, func, insert, select, update
from sqlalchemy.orm import Session

from pointsbank.core.audit import note
from pointsbank.core.calendar import local_day
from pointsbank.organizations.queries import organization_by_code
from pointsbank.scoring.queries import standard_on
from pointsbank.tasks.errors import (
    ClaimNotFound,
    HalfAPosition,
    NotOpen,
    ShiftEndsBeforeStart,
    ShiftInThePast,
    ShiftNotFound,
    ShiftOver,
    ShiftTooLong,
    TaskNotFound,
)
from pointsbank.tasks.models import Claim, Shift, ShiftRole, Task
from pointsbank.tasks.queries import position_of, task_of

SHIFT_LASTS_MAX = timedelta(hours=24)


@dataclass(frozen=True)
class NewShift:
    """A shift as the organizer plans it. handle: random bytes that the door drew."""

    starts_at: datetime
    ends_at: datetime
    places: int
    place_name: str
    handle: bytes
    latitude: float | None = None
    longitude: float | None = None


@dataclass(frozen=True)
class ClaimHeld:
    """A claim as it stands; position is the place in the waiting line, from 1, None for a
    claimed place."""

    id: int
    state: str
    position: int | None


def draft_task(
    session: Session,
    *,
    title: str,
    kind: str,
    organization_code: str,
    scoring_item: str,
    summary: str,
    risk_note: str,
    shifts: Sequence[NewShift],
    organizer_id: int,
    paths: Sequence[str],
    zone: ZoneInfo,
    now: datetime,
) -> int:
    """Draft a task with its shifts and return its id; only its organizers see it until it is
    published.

    paths: what the person organizes. zone: in which local days are counted.
    Raises OrganizationNotFound, UnknownScoringItem, ShiftEndsBeforeStart, ShiftTooLong,
    HalfAPosition.
    """
    organization = organization_by_code(session, organization_code, paths)
    standard_on(session, local_day(now, zone)).item(scoring_item)
    for shift in shifts:
        _check_shift(shift)
    task_id = session.execute(
        insert(Task)
        .values(
            title=title,
            kind=kind,
            organization_id=organization.id,
            organizer_id=organizer_id,
            scoring_item=scoring_item,
            summary=summary,
            risk_note=risk_note,
            state="draft",
            drafted_at=now,
        )
        .returning(Task.id)
    ).scalar_one()
    for shift in shifts:
        _add_shift(session, task_id, shift)
    note(
        session,
        at=now,
        actor_id=organizer_id,
        action="task_drafted",
        subject=("task", task_id),
        shifts=len(shifts),
    )
    return task_id


def _add_shift(session: Session, task_id: int, shift: NewShift) -> int:
    """Add a shift with its roles and return its id; without named roles it has one."""
    shift_id = session.execute(
        insert(Shift).values(task_id=task_id, claimed=0, **vars(shift)).returning(Shift.id)
    ).scalar_one()
    session.execute(
        insert(ShiftRole).values(shift_id=shift_id, name="", places=shift.places, claimed=0)
    )
    return shift_id


def _check_shift(shift: NewShift) -> None:
    if shift.ends_at <= shift.starts_at:
        raise ShiftEndsBeforeStart
    if shift.ends_at - shift.starts_at > SHIFT_LASTS_MAX:
        raise ShiftTooLong
    if (shift.latitude is None) != (shift.longitude is None):
        raise HalfAPosition


def publish_task(
    session: Session, *, task_id: int, actor_id: int, paths: Sequence[str], now: datetime
) -> None:
    """Open a draft for claims; a repeat changes nothing.

    Raises TaskNotFound, NotOpen for a task that was called off, ShiftInThePast.
    """
    task = task_of(session, task_id, paths)
    check_scope(task.path, paths)
    if task.state == "open":
        return
    if task.state != "draft":
        raise NotOpen
    if any(shift.ends_at <= now for shift in task.shifts):
        raise ShiftInThePast
    session.execute(
        update(Task)
        .where(Task.id == task_id, Task.state == "draft")
        .values(state="open", published_at=now)
    )
    note(session, at=now, actor_id=actor_id, action="task_published", subject=("task", task_id))


def call_off_task(
    session: Session,
    *,
    task_id: int,
    actor_id: int,
    paths: Sequence[str],
    reason: str,
    now: datetime,
) -> None:
    """Call a task off; its claims stay as history and nothing more can be claimed. A repeat
    changes nothing.

    Raises TaskNotFound.
    """
    task = task_of(session, task_id, paths)
    check_scope(task.path, paths)
    called_off = session.execute(
        update(Task)
        .where(Task.id == task_id, Task.state != "cancelled")
        .values(state="cancelled")
        .returning(Task.id)
    ).first()
    if called_off is not None:
        note(
            session,
            at=now,
            actor_id=actor_id,
            action="task_called_off",
            subject=("task", task_id),
            reason=reason,
        )


def check_scope(path: str, paths: Sequence[str]) -> None:
    """Accept a task's path that stands under one of these.

    Raises TaskNotFound.
    """
    if not any(path.startswith(mine) for mine in paths):
        raise TaskNotFound


def locked_shift(session: Session, shift_id: int) -> Row[*tuple[Any, ...]]:
    """Lock a shift until the transaction ends and return it with its task's state.

    Everything that changes who has a place takes this lock first, so the queue has one order.
    Raises ShiftNotFound.
    """
    row = session.execute(
        select(Shift.id, Shift.starts_at, Shift.ends_at, Shift.places, Task.state)
        .join(Task, Task.id == Shift.task_id)
        .where(Shift.id == shift_id)
        .with_for_update(of=Shift)
    ).first()
    if row is None:
        raise ShiftNotFound
    return row


def claim_shift(session: Session, *, shift_id: int, member_id: int, now: datetime) -> ClaimHeld:
    """Claim a place on a shift for the person who asks, or a place in its waiting line when it
    is full.

    A repeat answers the claim already held.
    Raises ShiftNotFound (also for a draft), NotOpen, ShiftOver.
    """
    shift = locked_shift(session, shift_id)
    held = session.execute(
        select(Claim.id, Claim.state, Claim.queue_no).where(
            Claim.shift_id == shift_id,
            Claim.member_id == member_id,
            Claim.state != "withdrawn",
        )
    ).first()
    if held is not None:
        return _held(session, held.id, held.state, shift_id, held.queue_no)
    if shift.state == "draft":
        raise ShiftNotFound
    if shift.state != "open":
        raise NotOpen
    if shift.ends_at <= now:
        raise ShiftOver
    role_id = session.scalars(
        select(ShiftRole.id).where(ShiftRole.shift_id == shift_id).order_by(ShiftRole.id)
    ).first()
    state = "claimed" if take_place(session, shift_id, role_id) else "waitlisted"
    last = session.scalar(select(func.max(Claim.queue_no)).where(Claim.shift_id == shift_id))
    queue_no = (last or 0) + 1
    claim_id = session.execute(
        insert(Claim)
        .values(
            shift_id=shift_id,
            role_id=role_id,
            member_id=member_id,
            state=state,
            queue_no=queue_no,
            claimed_at=now,
        )
        .returning(Claim.id)
    ).scalar_one()
    return _held(session, claim_id, state, shift_id, queue_no)


def take_place(session: Session, shift_id: int, role_id: int | None) -> bool:
    """Count one more place of a role as taken, if one is free."""
    taken = session.execute(
        update(ShiftRole)
        .where(ShiftRole.id == role_id, ShiftRole.claimed < ShiftRole.places)
        .values(claimed=ShiftRole.claimed + 1)
        .returning(ShiftRole.id)
    ).first()
    if taken is None:
        return False
    session.execute(update(Shift).where(Shift.id == shift_id).values(claimed=Shift.claimed + 1))
    return True


def _free_place(session: Session, shift_id: int, role_id: int) -> None:
    """Count one place of a role less as taken."""
    session.execute(
        update(ShiftRole).where(ShiftRole.id == role_id).values(claimed=ShiftRole.claimed - 1)
    )
    session.execute(update(Shift).where(Shift.id == shift_id).values(claimed=Shift.claimed - 1))


def _held(
    session: Session, claim_id: int, state: str, shift_id: int, queue_no: int
) -> ClaimHeld:
    position = position_of(session, shift_id, queue_no) if state == "waitlisted" else None
    return ClaimHeld(claim_id, state, position)


def give_up_claim(
    session: Session, *, claim_id: int, member_id: int, now: datetime, reason: str | None = None
) -> None:
    """Give the person's own place up; the first in the waiting line moves up. A repeat changes
    nothing.

    Raises ClaimNotFound, for another's claim as for an unknown one, and ShiftOver.
    """
    claim = session.execute(
        select(Claim.shift_id, Claim.role_id).where(
            Claim.id == claim_id, Claim.member_id == member_id
        )
    ).first()
    if claim is None:
        raise ClaimNotFound
    shift = locked_shift(session, claim.shift_id)
    state = session.scalar(select(Claim.state).where(Claim.id == claim_id))
    if state == "withdrawn":
        return
    if shift.ends_at <= now:
        raise ShiftOver
    session.execute(
        update(Claim)
        .where(Claim.id == claim_id)
        .values(state="withdrawn", withdrawn_at=now, withdrawn_reason=reason)
    )
    if state == "claimed" and not _move_up(session, claim.role_id, now):
        _free_place(session, claim.shift_id, claim.role_id)


def _move_up(session: Session, role_id: int, now: datetime) -> bool:
    """Hand a place that was given up to the first in the waiting line, if there is one."""
    first = session.scalar(
        select(Claim.id)
        .where(Claim.role_id == role_id, Claim.state == "waitlisted")
        .order_by(Claim.queue_no)
        .limit(1)
    )
    if first is None:
        return False
    session.execute(
        update(Claim).where(Claim.id == first).values(state="claimed", promoted_at=now)
    )
    return True
