"""Writes of plans: a task drafted with its shifts and their roles."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import insert
from sqlalchemy.orm import Session

from pointsbank.core.audit import note
from pointsbank.core.calendar import local_day
from pointsbank.organizations.queries import organization_by_code
from pointsbank.scoring.queries import standard_on
from pointsbank.tasks.errors import HalfAPosition, ShiftEndsBeforeStart, ShiftTooLong
from pointsbank.tasks.models import Shift, ShiftRole, Task

SHIFT_LASTS_MAX = timedelta(hours=24)


@dataclass(frozen=True)
class NewRole:
    """A role as the organizer plans it; a role without a name is the only one of its shift.

    eligibility: asked for beside what the task asks for, a tree as tasks/eligibility.py has it.
    """

    name: str
    places: int
    eligibility: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class NewShift:
    """A shift as the organizer plans it. handle: random bytes that the door drew.

    roles: none means one without a name that has all the places; the places of named ones sum
    up to the shift's, whatever was given for it.
    """

    starts_at: datetime
    ends_at: datetime
    places: int
    place_name: str
    handle: bytes
    latitude: float | None = None
    longitude: float | None = None
    break_minutes: int = 0
    roles: tuple[NewRole, ...] = ()

    @property
    def all_roles(self) -> tuple[NewRole, ...]:
        """The roles, or the one without a name."""
        return self.roles or (NewRole("", self.places),)


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
        check_shift(shift)
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
        add_shift(session, task_id, shift)
    note(
        session,
        at=now,
        actor_id=organizer_id,
        action="task_drafted",
        subject=("task", task_id),
        shifts=len(shifts),
    )
    return task_id


def add_shift(
    session: Session,
    task_id: int,
    shift: NewShift,
    *,
    series_id: int | None = None,
    occurs_on: date | None = None,
) -> int:
    """Add a shift with its roles to a task and return its id; its places are their sum.

    series_id, occurs_on: the series that makes it, and for which local day; both or none.
    """
    planned = {name: value for name, value in vars(shift).items() if name != "roles"}
    planned["places"] = sum(role.places for role in shift.all_roles)
    shift_id = session.execute(
        insert(Shift)
        .values(task_id=task_id, claimed=0, series_id=series_id, occurs_on=occurs_on, **planned)
        .returning(Shift.id)
    ).scalar_one()
    for role in shift.all_roles:
        session.execute(insert(ShiftRole).values(shift_id=shift_id, claimed=0, **vars(role)))
    return shift_id


def check_shift(shift: NewShift) -> None:
    """Accept a shift that can take place.

    Raises ShiftEndsBeforeStart, ShiftTooLong, HalfAPosition.
    """
    if shift.ends_at <= shift.starts_at:
        raise ShiftEndsBeforeStart
    if shift.ends_at - shift.starts_at > SHIFT_LASTS_MAX:
        raise ShiftTooLong
    if (shift.latitude is None) != (shift.longitude is None):
        raise HalfAPosition
