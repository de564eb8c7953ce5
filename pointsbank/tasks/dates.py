"""One shift of an open task changed by itself: another time, place or number of places."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import select, union, update
from sqlalchemy.orm import Session

from pointsbank.core.audit import note
from pointsbank.messages.service import tell_each
from pointsbank.tasks.claiming import free_place, locked_shift, take_place
from pointsbank.tasks.drafting import NewRole, NewShift, check_shift
from pointsbank.tasks.errors import NotOpen, RoleNotFound, ShiftInThePast
from pointsbank.tasks.models import Claim, Invitation, Shift, ShiftRole
from pointsbank.tasks.publishing import APPROVAL_PLACES
from pointsbank.tasks.queries import RoleLine, ShiftLine, TaskLine
from pointsbank.tasks.recurring import check_approval
from pointsbank.tasks.series_errors import DateCalledOff, DateUnderWay, PlacesBelowClaims
from pointsbank.tasks.series_queries import whole_shift_of

# What people have to know of before they set out.
TOLD_OF = ("starts_at", "ends_at", "place_name", "latitude", "longitude")


@dataclass(frozen=True)
class DateChange:
    """What is to change of one date; None keeps what stands. places: by the role's id.

    A position is given as a pair or not at all.
    """

    starts_at: datetime | None = None
    ends_at: datetime | None = None
    place_name: str | None = None
    position: tuple[float, float] | None = None
    break_minutes: int | None = None
    places: Mapping[int, int] = field(default_factory=dict)


def change_date(
    session: Session,
    *,
    shift_id: int,
    change: DateChange,
    actor_id: int,
    paths: Sequence[str],
    now: datetime,
) -> bool:
    """Change one date before it begins; return False when nothing is other than before.

    Claims stay, in their order; whoever has one, waits or is asked to come is told of another
    time or place. New places go to those who wait. A date of a series is from then on passed
    over by changes of the whole.
    Raises ShiftNotFound, NotOpen, DateCalledOff, DateUnderWay, ShiftInThePast, RoleNotFound,
    PlacesBelowClaims, ApprovalMissing, and what check_shift raises.
    """
    locked = locked_shift(session, shift_id)
    shift, task = whole_shift_of(session, shift_id, paths)
    _demand_changeable(shift, task, now)
    planned = _planned(shift, change)
    if planned.starts_at <= now:
        raise ShiftInThePast("A date cannot be moved into the past.")
    check_shift(session, planned)
    if planned.columns["places"] > max(shift.places, APPROVAL_PLACES):
        check_approval(session, locked.task_id, planned.columns["places"])
    changed = [
        name
        for name, value in planned.columns.items()
        if name != "handle" and value != getattr(shift, name)
    ]
    moved_roles = _change_places(session, shift, change.places, now)
    if not changed and not moved_roles:
        return False
    values = {name: planned.columns[name] for name in changed}
    session.execute(
        update(Shift)
        .where(Shift.id == shift_id)
        .values(is_detached=shift.series_id is not None, **values)
    )
    if set(changed) & set(TOLD_OF):
        _tell_people(session, task, shift, planned, now)
    note(
        session,
        at=now,
        actor_id=actor_id,
        action="date_changed",
        subject=("shift", shift_id),
        fields=sorted(changed),
    )
    return True


def _demand_changeable(shift: ShiftLine, task: TaskLine, now: datetime) -> None:
    if task.state != "open":
        raise NotOpen
    if shift.called_off_at is not None:
        raise DateCalledOff
    if shift.starts_at <= now:
        raise DateUnderWay


def _planned(shift: ShiftLine, change: DateChange) -> NewShift:
    """Return the shift as it will be."""
    if not set(change.places) <= {role.id for role in shift.roles}:
        raise RoleNotFound
    position = change.position or (shift.latitude, shift.longitude)
    return NewShift(
        starts_at=change.starts_at or shift.starts_at,
        ends_at=change.ends_at or shift.ends_at,
        places=shift.places,
        place_name=change.place_name or shift.place_name,
        handle=shift.handle,
        latitude=position[0],
        longitude=position[1],
        break_minutes=shift.break_minutes
        if change.break_minutes is None
        else change.break_minutes,
        roles=tuple(
            NewRole(role.name, change.places.get(role.id, role.places), role.eligibility)
            for role in shift.roles
        ),
    )


def _change_places(
    session: Session, shift: ShiftLine, places: Mapping[int, int], now: datetime
) -> bool:
    """Give the roles so many places; new ones go to the line. Tell whether any changed.

    Raises PlacesBelowClaims.
    """
    roles = [role for role in shift.roles if places.get(role.id, role.places) != role.places]
    for role in roles:
        if places[role.id] < role.claimed:
            raise PlacesBelowClaims(claimed=role.claimed)
        session.execute(
            update(ShiftRole).where(ShiftRole.id == role.id).values(places=places[role.id])
        )
    if roles:
        grown = sum(places[role.id] - role.places for role in roles)
        session.execute(
            update(Shift).where(Shift.id == shift.id).values(places=shift.places + grown)
        )
    for role in roles:
        _let_move_up(session, shift.id, role, places[role.id] - role.claimed, now)
    return bool(roles)


def _let_move_up(
    session: Session, shift_id: int, role: RoleLine, free: int, now: datetime
) -> None:
    """Let as many of a role's line move up as there are free places."""
    for _ in range(min(free, role.waitlisted)):
        if take_place(session, shift_id, role.id):
            free_place(session, shift_id, role.id, now)


def _tell_people(
    session: Session, task: TaskLine, shift: ShiftLine, planned: NewShift, now: datetime
) -> None:
    people = session.scalars(
        union(
            select(Claim.member_id).where(
                Claim.shift_id == shift.id, Claim.state != "withdrawn"
            ),
            select(Invitation.member_id).where(
                Invitation.shift_id == shift.id, Invitation.state == "open"
            ),
        )
    ).all()
    facts: dict[str, Any] = {
        "task_id": task.id,
        "shift": shift.id,
        "title": task.title,
        "was_at": shift.starts_at.isoformat(),
        "starts_at": planned.starts_at.isoformat(),
        "place": planned.place_name,
    }
    tell_each(
        session,
        key=f"shift:{shift.id}:changed:{now.isoformat()}",
        member_ids=people,
        kind="date_changed",
        facts=facts,
        now=now,
    )
