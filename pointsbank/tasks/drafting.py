"""Writes of plans: a task drafted with its shifts and their roles, and changed while it is a
draft."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import delete, insert, select, update
from sqlalchemy.orm import Session

from pointsbank.core.audit import note
from pointsbank.core.calendar import local_day
from pointsbank.members.models import Skill
from pointsbank.organizations.queries import organization_by_code
from pointsbank.scoring.models import Item
from pointsbank.scoring.policy import NO_COEFFICIENT
from pointsbank.scoring.queries import standard_on
from pointsbank.tasks.errors import (
    BadClaimWindow,
    BreakTooLong,
    CoefficientTooHigh,
    HalfAPosition,
    NotADraft,
    RolesUnclear,
    ShiftEndsBeforeStart,
    ShiftTooLong,
    TooManyPlaces,
    UnknownSkill,
)
from pointsbank.tasks.fitness import check_eligibility
from pointsbank.tasks.models import PLACES_MAX, Shift, ShiftRole, Task, TaskSkill
from pointsbank.tasks.queries import own_task

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

    @property
    def columns(self) -> dict[str, Any]:
        """What stands in the shift's own row; its places are the sum of its roles'."""
        planned = {name: value for name, value in vars(self).items() if name != "roles"}
        return {**planned, "places": sum(role.places for role in self.all_roles)}


@dataclass(frozen=True)
class Details:
    """What else a task says of itself.

    insurance_ref: number of the policy, needed to publish work of high risk. contact_*: for
    people with a claim. eligibility: a tree as tasks/eligibility.py has it. claims_open_at,
    claims_close_at: the window of claims, None for no bound. skills: codes it is searched by.
    coefficient_percent: what the item is multiplied by, such as 150 in an emergency.
    meeting_kind: which meeting it is, only for the kind meeting.
    """

    risk_level: str = "low"
    insurance_ref: str | None = None
    contact_name: str | None = None
    contact_phone: str | None = None
    eligibility: dict[str, Any] = field(default_factory=dict)
    claims_open_at: datetime | None = None
    claims_close_at: datetime | None = None
    skills: tuple[str, ...] = ()
    coefficient_percent: int = NO_COEFFICIENT
    meeting_kind: str | None = None

    @property
    def columns(self) -> dict[str, Any]:
        """What stands in the task's own row."""
        return {name: value for name, value in vars(self).items() if name != "skills"}


NO_DETAILS = Details()


def check_coefficient(item: Item, percent: int) -> None:
    """Let a task multiply an item within its bound only.

    Raises CoefficientTooHigh.
    """
    if percent > item.coefficient_percent_max:
        raise CoefficientTooHigh(most=item.coefficient_percent_max)


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
    details: Details = NO_DETAILS,
) -> int:
    """Draft a task with its shifts and return its id; only its organizers see it until it is
    published.

    paths: what the person organizes. zone: in which local days are counted.
    Raises OrganizationNotFound, UnknownScoringItem, CoefficientTooHigh, BadEligibility,
    BadClaimWindow, UnknownSkill, and what check_shift raises.
    """
    organization = organization_by_code(session, organization_code, paths)
    item = standard_on(session, local_day(now, zone)).task_item(scoring_item)
    check_coefficient(item, details.coefficient_percent)
    skill_ids = _checked(session, details, shifts)
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
            **details.columns,
        )
        .returning(Task.id)
    ).scalar_one()
    _ask_for_skills(session, task_id, skill_ids)
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


def change_draft(
    session: Session,
    *,
    task_id: int,
    title: str,
    kind: str,
    organization_code: str,
    scoring_item: str,
    summary: str,
    risk_note: str,
    shifts: Sequence[NewShift],
    actor_id: int,
    paths: Sequence[str],
    zone: ZoneInfo,
    now: datetime,
    details: Details = NO_DETAILS,
) -> None:
    """Let a draft say all this instead; who organizes it stays. A repeat changes nothing.

    Shifts that a series makes stay as they are; the others become these, in their order.
    Raises TaskNotFound, NotADraft, and what draft_task raises.
    """
    own_task(session, task_id, paths)
    organization = organization_by_code(session, organization_code, paths)
    item = standard_on(session, local_day(now, zone)).task_item(scoring_item)
    check_coefficient(item, details.coefficient_percent)
    skill_ids = _checked(session, details, shifts)
    changed = session.execute(
        update(Task)
        .where(Task.id == task_id, Task.state == "draft")
        .values(
            title=title,
            kind=kind,
            organization_id=organization.id,
            scoring_item=scoring_item,
            summary=summary,
            risk_note=risk_note,
            **details.columns,
        )
        .returning(Task.id)
    ).first()
    if changed is None:
        raise NotADraft
    session.execute(delete(TaskSkill).where(TaskSkill.task_id == task_id))
    _ask_for_skills(session, task_id, skill_ids)
    _replace_shifts(session, task_id, shifts)
    note(
        session,
        at=now,
        actor_id=actor_id,
        action="task_changed",
        subject=("task", task_id),
        shifts=len(shifts),
    )


def _checked(session: Session, details: Details, shifts: Iterable[NewShift]) -> list[int]:
    """Accept what can be, and return the ids of the skills asked for."""
    for shift in shifts:
        check_shift(session, shift)
    check_eligibility(session, details.eligibility)
    opens, closes = details.claims_open_at, details.claims_close_at
    if opens is not None and closes is not None and opens >= closes:
        raise BadClaimWindow
    wanted = set(details.skills)
    found = list(session.scalars(select(Skill.id).where(Skill.code.in_(wanted))))
    if len(found) != len(wanted):
        raise UnknownSkill
    return found


def _ask_for_skills(session: Session, task_id: int, skill_ids: Sequence[int]) -> None:
    if skill_ids:
        session.execute(
            insert(TaskSkill), [{"task_id": task_id, "skill_id": each} for each in skill_ids]
        )


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
    shift_id = session.execute(
        insert(Shift)
        .values(
            task_id=task_id,
            claimed=0,
            series_id=series_id,
            occurs_on=occurs_on,
            **shift.columns,
        )
        .returning(Shift.id)
    ).scalar_one()
    _add_roles(session, shift_id, shift)
    return shift_id


def _add_roles(session: Session, shift_id: int, shift: NewShift) -> None:
    for role in shift.all_roles:
        session.execute(insert(ShiftRole).values(shift_id=shift_id, claimed=0, **vars(role)))


def _replace_shifts(session: Session, task_id: int, shifts: Sequence[NewShift]) -> None:
    """Let a draft's own shifts become these: the first keep their rows and printed handles."""
    standing = session.scalars(
        select(Shift.id)
        .where(Shift.task_id == task_id, Shift.series_id.is_(None))
        .order_by(Shift.starts_at, Shift.id)
    ).all()
    session.execute(delete(ShiftRole).where(ShiftRole.shift_id.in_(standing)))
    for shift_id, shift in zip(standing, shifts, strict=False):
        columns = {name: value for name, value in shift.columns.items() if name != "handle"}
        session.execute(update(Shift).where(Shift.id == shift_id).values(**columns))
        _add_roles(session, shift_id, shift)
    session.execute(delete(Shift).where(Shift.id.in_(standing[len(shifts) :])))
    for shift in shifts[len(standing) :]:
        add_shift(session, task_id, shift)


def check_shift(session: Session, shift: NewShift) -> None:
    """Accept a shift that can take place, with roles that can be told apart.

    Raises ShiftEndsBeforeStart, ShiftTooLong, HalfAPosition, BreakTooLong, RolesUnclear,
    TooManyPlaces, BadEligibility.
    """
    if shift.ends_at <= shift.starts_at:
        raise ShiftEndsBeforeStart
    if shift.ends_at - shift.starts_at > SHIFT_LASTS_MAX:
        raise ShiftTooLong
    if timedelta(minutes=shift.break_minutes) >= shift.ends_at - shift.starts_at:
        raise BreakTooLong
    if (shift.latitude is None) != (shift.longitude is None):
        raise HalfAPosition
    check_roles(session, shift.all_roles)


def check_roles(session: Session, roles: Sequence[NewRole]) -> None:
    """Accept roles that can be told apart, and that are not too many people for one shift.

    Raises RolesUnclear, TooManyPlaces, BadEligibility.
    """
    names = [role.name for role in roles]
    if len(set(names)) < len(names) or (len(names) > 1 and "" in names):
        raise RolesUnclear
    if sum(role.places for role in roles) > PLACES_MAX:
        raise TooManyPlaces(most=PLACES_MAX)
    for role in roles:
        check_eligibility(session, role.eligibility)
