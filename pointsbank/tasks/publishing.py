"""Writes of what members see: a draft opened for claims, approved by a second person where many
come, changed while it is open, called off."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from pointsbank.core.audit import note
from pointsbank.members.queries import role_holders_over
from pointsbank.messages.service import tell, tell_each
from pointsbank.tasks.claiming import locked_shift
from pointsbank.tasks.errors import (
    InsuranceMissing,
    NotOpen,
    NotSubmitted,
    OwnTask,
    RiskNoteMissing,
    ShiftInThePast,
    ShiftNotFound,
)
from pointsbank.tasks.models import Claim, GroupClaim, Invitation, Shift, ShiftRole, Task
from pointsbank.tasks.queries import ShiftLine, TaskLine, own_task

# What so many people come to is looked at by a second person first.
APPROVAL_PLACES = 50
APPROVING_ROLES = ("administrator", "secretary")
# Help after a flood or a snowfall is called for while it is under way.
RUNNING_KIND = "mobilization"


@dataclass(frozen=True)
class Changes:
    """What an organizer changes of an open task; None keeps what stands, "" clears a contact.

    place_names: the meeting place by shift.
    """

    summary: str | None = None
    contact_name: str | None = None
    contact_phone: str | None = None
    place_names: Mapping[int, str] = field(default_factory=dict)


def publish_task(
    session: Session, *, task_id: int, actor_id: int, paths: Sequence[str], now: datetime
) -> None:
    """Open a draft for claims, or submit it for approval where all its shifts together have
    more than 50 places; a repeat changes nothing.

    Raises TaskNotFound, NotOpen for a task that was called off, ShiftInThePast,
    InsuranceMissing, RiskNoteMissing.
    """
    task = own_task(session, task_id, paths)
    if task.state in ("open", "submitted"):
        return
    if task.state != "draft":
        raise NotOpen
    _demand_publishable(task, now)
    needs_approval = task.places > APPROVAL_PLACES
    values: dict[str, Any] = (
        {"state": "submitted", "submitted_at": now}
        if needs_approval
        else {"state": "open", "published_at": now}
    )
    changed = session.execute(
        update(Task)
        .where(Task.id == task_id, Task.state == "draft")
        .values(needs_approval=needs_approval, **values)
        .returning(Task.organizer_id)
    ).first()
    if changed is None:
        return
    if needs_approval:
        _ask_for_approval(session, task, actor_id, now)
    action = "task_submitted" if needs_approval else "task_published"
    note(session, at=now, actor_id=actor_id, action=action, subject=("task", task_id))


def _demand_publishable(task: TaskLine, now: datetime) -> None:
    if any(_is_past(shift, task.kind, now) for shift in task.shifts):
        raise ShiftInThePast
    if task.risk_level == "high" and task.insurance_ref is None:
        raise InsuranceMissing
    if task.risk_level != "low" and not task.risk_note:
        raise RiskNoteMissing


def _is_past(shift: ShiftLine, kind: str, now: datetime) -> bool:
    if shift.called_off_at is not None:
        return False
    return (shift.ends_at if kind == RUNNING_KIND else shift.starts_at) <= now


def _ask_for_approval(session: Session, task: TaskLine, actor_id: int, now: datetime) -> None:
    approvers = set(role_holders_over(session, task.path, APPROVING_ROLES))
    tell_each(
        session,
        key=f"task:{task.id}:submitted:{now.isoformat()}",
        member_ids=approvers - {task.organizer_id, actor_id},
        kind="task_submitted",
        facts={"task_id": task.id, "title": task.title, "places": task.places},
        now=now,
    )


def approve_task(
    session: Session, *, task_id: int, actor_id: int, paths: Sequence[str], now: datetime
) -> None:
    """Open a submitted task for claims as its second person, and tell the organizer; a repeat
    changes nothing.

    paths: over which the person is administrator or secretary.
    Raises TaskNotFound, OwnTask, NotSubmitted, ShiftInThePast.
    """
    task = _to_decide(session, task_id, actor_id, paths)
    if task.state == "open":
        return
    _demand_publishable(task, now)
    values = {"state": "open", "approved_by_id": actor_id, "approved_at": now}
    _decide(session, task, {**values, "published_at": now})
    _answer(session, task, "task_approved", actor_id, now)


def send_back_task(
    session: Session,
    *,
    task_id: int,
    actor_id: int,
    paths: Sequence[str],
    reason: str,
    now: datetime,
) -> None:
    """Make a submitted task a draft again, with a reason that its organizer is told.

    Raises TaskNotFound, OwnTask, NotSubmitted.
    """
    task = _to_decide(session, task_id, actor_id, paths)
    _decide(session, task, {"state": "draft", "submitted_at": None})
    _answer(session, task, "task_sent_back", actor_id, now, reason=reason)


def _to_decide(session: Session, task_id: int, actor_id: int, paths: Sequence[str]) -> TaskLine:
    task = own_task(session, task_id, paths)
    if task.organizer_id == actor_id:
        raise OwnTask
    return task


def _decide(session: Session, task: TaskLine, values: Mapping[str, Any]) -> None:
    """Of several decisions exactly one finds the task waiting."""
    decided = session.execute(
        update(Task)
        .where(Task.id == task.id, Task.state == "submitted")
        .values(**values)
        .returning(Task.id)
    ).first()
    if decided is None:
        raise NotSubmitted


def _answer(
    session: Session, task: TaskLine, answer: str, actor_id: int, now: datetime, **facts: str
) -> None:
    tell(
        session,
        key=f"task:{task.id}:{answer}:{now.isoformat()}",
        member_id=task.organizer_id,
        kind=answer,
        facts={"task_id": task.id, "title": task.title, **facts},
        now=now,
    )
    subject = ("task", task.id)
    note(session, at=now, actor_id=actor_id, action=answer, subject=subject, **facts)


def change_open_task(
    session: Session,
    *,
    task_id: int,
    changes: Changes,
    actor_id: int,
    paths: Sequence[str],
    now: datetime,
) -> None:
    """Change what may change while people have places: words, contact, meeting place.

    Nobody loses a claim; whoever has one is told of another meeting place. The audit trail
    names the fields, not what stands in them.
    Raises TaskNotFound, NotOpen, ShiftNotFound.
    """
    task = own_task(session, task_id, paths)
    if task.state != "open":
        raise NotOpen
    wanted = {
        name: getattr(changes, name)
        for name in ("summary", "contact_name", "contact_phone")
        if getattr(changes, name) is not None
        and getattr(changes, name) != (getattr(task, name) or "")
    }
    if wanted:
        values = {name: wanted[name] or (None if name != "summary" else "") for name in wanted}
        session.execute(update(Task).where(Task.id == task_id).values(**values))
    moved = _change_places(session, task, changes.place_names, now)
    for shift_id in moved:
        note(
            session,
            at=now,
            actor_id=actor_id,
            action="shift_moved",
            subject=("shift", shift_id),
            fields=["place_name"],
        )
    if wanted or moved:
        note(
            session,
            at=now,
            actor_id=actor_id,
            action="open_task_changed",
            subject=("task", task_id),
            fields=sorted(wanted),
            moved_shifts=moved,
        )


def _change_places(
    session: Session, task: TaskLine, place_names: Mapping[int, str], now: datetime
) -> list[int]:
    """Move shifts to other meeting places, tell their people, and return which moved."""
    shifts = {shift.id: shift for shift in task.shifts}
    if not set(place_names) <= set(shifts):
        raise ShiftNotFound
    moved = [
        each for each in sorted(place_names) if place_names[each] != shifts[each].place_name
    ]
    for shift_id in moved:
        session.execute(
            update(Shift)
            .where(Shift.id == shift_id)
            # Changed by hand: changes of its series pass it over from now on.
            .values(place_name=place_names[shift_id], is_detached=Shift.series_id.is_not(None))
        )
        people = session.scalars(
            select(Claim.member_id).where(
                Claim.shift_id == shift_id, Claim.state != "withdrawn"
            )
        )
        tell_each(
            session,
            key=f"shift:{shift_id}:moved:{now.isoformat()}",
            member_ids=people,
            kind="shift_moved",
            facts=_shift_facts(task, shifts[shift_id]),
            now=now,
        )
    return moved


def _shift_facts(task: TaskLine, shift: ShiftLine) -> dict[str, Any]:
    return {
        "task_id": task.id,
        "shift": shift.id,
        "title": task.title,
        "starts_at": shift.starts_at.isoformat(),
    }


def call_off_task(
    session: Session,
    *,
    task_id: int,
    actor_id: int,
    paths: Sequence[str],
    reason: str,
    now: datetime,
) -> None:
    """Call a task off and tell everyone with a claim on a shift that is not over; what is over
    stays as it was. A repeat changes nothing.

    Raises TaskNotFound.
    """
    task = own_task(session, task_id, paths)
    to_come = [shift for shift in task.shifts if shift.ends_at > now]
    # Under the locks of all its shifts, so that no claim slips in between.
    for shift_id in sorted(shift.id for shift in task.shifts):
        locked_shift(session, shift_id)
    called_off = session.execute(
        update(Task)
        .where(Task.id == task_id, Task.state != "cancelled")
        .values(state="cancelled")
        .returning(Task.id)
    ).first()
    if called_off is None:
        return
    for shift in sorted(to_come, key=lambda shift: shift.id):
        people = withdraw_claims(session, shift.id, now)
        _tell_of_calling_off(session, task, shift, people, reason, now)
    note(
        session,
        at=now,
        actor_id=actor_id,
        action="task_called_off",
        subject=("task", task_id),
        reason=reason,
    )


def call_off_shift(
    session: Session,
    *,
    shift_id: int,
    actor_id: int,
    paths: Sequence[str],
    reason: str,
    now: datetime,
) -> None:
    """Call one shift off while its task goes on, and tell everyone with a claim on it; a
    repeat changes nothing.

    Raises ShiftNotFound, TaskNotFound, NotOpen for one that is over.
    """
    locked = locked_shift(session, shift_id)
    task = own_task(session, locked.task_id, paths)
    if locked.called_off_at is not None:
        return
    if locked.ends_at <= now:
        raise NotOpen
    session.execute(update(Shift).where(Shift.id == shift_id).values(called_off_at=now))
    shift = next(shift for shift in task.shifts if shift.id == shift_id)
    people = withdraw_claims(session, shift_id, now)
    _tell_of_calling_off(session, task, shift, people, reason, now)
    note(
        session,
        at=now,
        actor_id=actor_id,
        action="shift_called_off",
        subject=("shift", shift_id),
        reason=reason,
    )


def withdraw_claims(session: Session, shift_id: int, now: datetime) -> list[int]:
    """Withdraw every claim on a shift that does not take place, free its kept places, and
    return whose claims they were. The caller holds the lock of the shift."""
    people = session.scalars(
        update(Claim)
        .where(Claim.shift_id == shift_id, Claim.state != "withdrawn")
        .values(
            state="withdrawn", accept_by=None, withdrawn_at=now, withdrawal="task_called_off"
        )
        .returning(Claim.member_id)
    ).all()
    session.execute(
        update(GroupClaim)
        .where(GroupClaim.shift_id == shift_id, GroupClaim.released_at.is_(None))
        .values(released_at=now, taken=0)
    )
    session.execute(
        update(Invitation)
        .where(Invitation.shift_id == shift_id, Invitation.state == "open")
        .values(state="lapsed", answered_at=now)
    )
    session.execute(update(ShiftRole).where(ShiftRole.shift_id == shift_id).values(claimed=0))
    session.execute(update(Shift).where(Shift.id == shift_id).values(claimed=0))
    return list(people)


def _tell_of_calling_off(
    session: Session,
    task: TaskLine,
    shift: ShiftLine,
    people: Iterable[int],
    reason: str,
    now: datetime,
) -> None:
    facts = {**_shift_facts(task, shift), "reason": reason}
    tell_each(
        session,
        key=f"shift:{shift.id}:called_off",
        member_ids=people,
        kind="shift_called_off",
        facts=facts,
        now=now,
    )
