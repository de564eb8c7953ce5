"""Reads of tasks, shifts and claims."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, exists, func, select
from sqlalchemy.orm import Session

from pointsbank.members.models import Member, Skill
from pointsbank.organizations.models import Organization
from pointsbank.organizations.queries import within
from pointsbank.tasks.errors import ShiftNotFound, TaskNotFound
from pointsbank.tasks.models import UNSEEN_STATES, Claim, Shift, ShiftRole, Task, TaskSkill


@dataclass(frozen=True)
class RoleLine:
    """A role of a shift; one without a name is the only one."""

    id: int
    shift_id: int
    name: str
    places: int
    claimed: int
    eligibility: dict[str, Any]
    waitlisted: int = 0

    @property
    def places_left(self) -> int:
        """How many places of the role are free."""
        return self.places - self.claimed


@dataclass(frozen=True)
class ShiftLine:
    """A shift as lists show it. handle is the random name that stands in codes."""

    id: int
    task_id: int
    handle: bytes
    starts_at: datetime
    ends_at: datetime
    places: int
    claimed: int
    place_name: str
    latitude: float | None
    longitude: float | None
    break_minutes: int
    series_id: int | None
    called_off_at: datetime | None
    waitlisted: int = 0
    roles: tuple[RoleLine, ...] = ()

    @property
    def planned_minutes(self) -> int:
        """How long the shift lasts."""
        return int((self.ends_at - self.starts_at).total_seconds()) // 60

    @property
    def places_left(self) -> int:
        """How many places are free."""
        return self.places - self.claimed


@dataclass(frozen=True)
class TaskLine:
    """A task with its shifts in the order of time."""

    id: int
    title: str
    kind: str
    state: str
    organization_id: int
    organization_code: str
    organization_name: str
    path: str
    organizer_id: int
    organizer_name: str
    scoring_item: str
    coefficient_percent: int
    meeting_kind: str | None
    summary: str
    risk_note: str
    risk_level: str
    insurance_ref: str | None
    contact_name: str | None
    contact_phone: str | None
    eligibility: dict[str, Any]
    claims_open_at: datetime | None
    claims_close_at: datetime | None
    submitted_at: datetime | None
    published_at: datetime | None
    shifts: tuple[ShiftLine, ...] = ()
    skills: tuple[str, ...] = ()

    @property
    def places(self) -> int:
        """How many places all its shifts have together."""
        return sum(shift.places for shift in self.shifts)


@dataclass(frozen=True)
class TaskFilter:
    """What a person looks for. near: latitude and longitude; it is used for this order only."""

    path: str | None = None
    kind: str | None = None
    starts_from: datetime | None = None
    starts_to: datetime | None = None
    near: tuple[float, float] | None = None
    home_path: str | None = None


SHIFT = (
    Shift.id,
    Shift.task_id,
    Shift.handle,
    Shift.starts_at,
    Shift.ends_at,
    Shift.places,
    Shift.claimed,
    Shift.place_name,
    Shift.latitude,
    Shift.longitude,
    Shift.break_minutes,
    Shift.series_id,
    Shift.called_off_at,
)
TASK = (
    Task.id,
    Task.title,
    Task.kind,
    Task.state,
    Task.organization_id,
    Organization.code.label("organization_code"),
    Organization.name.label("organization_name"),
    Organization.path,
    Task.organizer_id,
    Member.name.label("organizer_name"),
    Task.scoring_item,
    Task.coefficient_percent,
    Task.meeting_kind,
    Task.summary,
    Task.risk_note,
    Task.risk_level,
    Task.insurance_ref,
    Task.contact_name,
    Task.contact_phone,
    Task.eligibility,
    Task.claims_open_at,
    Task.claims_close_at,
    Task.submitted_at,
    Task.published_at,
)


def tasks_selected() -> Select[*tuple[Any, ...]]:
    """Return the statement whose rows are lines of tasks, still without their shifts."""
    return (
        select(*TASK)
        .join(Organization, Organization.id == Task.organization_id)
        .join(Member, Member.id == Task.organizer_id)
    )


def shift_lines(session: Session, condition: ColumnElement[bool]) -> list[ShiftLine]:
    """Return the shifts that fulfil a condition, in the order of time, with their waiting lines
    counted and without their roles."""
    waiting = (
        select(func.count(Claim.id))
        .where(Claim.shift_id == Shift.id, Claim.state == "waitlisted")
        .scalar_subquery()
    )
    rows = session.execute(
        select(*SHIFT, waiting.label("waitlisted"))
        .where(condition)
        .order_by(Shift.starts_at, Shift.id)
    )
    return [ShiftLine(**row._mapping) for row in rows]


def filled(session: Session, tasks: Sequence[TaskLine]) -> list[TaskLine]:
    """Return tasks with what lists leave out: the skills asked for and the shifts' roles."""
    roles = _roles_of(session, [shift.id for task in tasks for shift in task.shifts])
    skills = _skills_of(session, [task.id for task in tasks])
    return [
        replace(
            task,
            shifts=tuple(replace(each, roles=tuple(roles[each.id])) for each in task.shifts),
            skills=tuple(skills[task.id]),
        )
        for task in tasks
    ]


def _roles_of(session: Session, shift_ids: Sequence[int]) -> dict[int, list[RoleLine]]:
    waiting = (
        select(func.count(Claim.id))
        .where(Claim.role_id == ShiftRole.id, Claim.state == "waitlisted")
        .scalar_subquery()
    )
    rows = session.execute(
        select(
            ShiftRole.id,
            ShiftRole.shift_id,
            ShiftRole.name,
            ShiftRole.places,
            ShiftRole.claimed,
            ShiftRole.eligibility,
            waiting.label("waitlisted"),
        )
        .where(ShiftRole.shift_id.in_(shift_ids))
        .order_by(ShiftRole.id)
    )
    found: dict[int, list[RoleLine]] = {shift_id: [] for shift_id in shift_ids}
    for row in rows:
        found[row.shift_id].append(RoleLine(*row))
    return found


def _with_shifts(
    session: Session, tasks: Sequence[TaskLine], condition: ColumnElement[bool] | None = None
) -> list[TaskLine]:
    ids = [task.id for task in tasks]
    wanted = Shift.task_id.in_(ids)
    lines = shift_lines(session, wanted if condition is None else and_(wanted, condition))
    by_task: dict[int, list[ShiftLine]] = {each: [] for each in ids}
    for line in lines:
        by_task[line.task_id].append(line)
    return [replace(task, shifts=tuple(by_task[task.id])) for task in tasks]


def _skills_of(session: Session, task_ids: Sequence[int]) -> dict[int, list[str]]:
    rows = session.execute(
        select(TaskSkill.task_id, Skill.code)
        .join(Skill, Skill.id == TaskSkill.skill_id)
        .where(TaskSkill.task_id.in_(task_ids))
        .order_by(Skill.id)
    )
    found: dict[int, list[str]] = {task_id: [] for task_id in task_ids}
    for row in rows:
        found[row.task_id].append(row.code)
    return found


def _free_shifts(now: datetime, wanted: TaskFilter) -> ColumnElement[bool]:
    conditions = [
        Shift.ends_at > now,
        Shift.claimed < Shift.places,
        Shift.called_off_at.is_(None),
    ]
    if wanted.starts_from is not None:
        conditions.append(Shift.starts_at >= wanted.starts_from)
    if wanted.starts_to is not None:
        conditions.append(Shift.starts_at < wanted.starts_to)
    return and_(*conditions)


def open_tasks(
    session: Session, *, now: datetime, wanted: TaskFilter, after: int = 0, limit: int = 50
) -> list[TaskLine]:
    """Return open tasks with their free shifts, the nearest or the soonest first.

    after: how many to pass over. One more than limit is never returned.
    """
    free = _free_shifts(now, wanted)
    first = (
        select(
            Shift.task_id,
            func.min(Shift.starts_at).label("starts_at"),
            func.min(_distance(wanted.near)).label("distance"),
        )
        .where(free)
        .group_by(Shift.task_id)
        .subquery()
    )
    statement = (
        tasks_selected().join(first, first.c.task_id == Task.id).where(Task.state == "open")
    )
    if wanted.path is not None:
        statement = statement.where(within(Organization.path, [wanted.path]))
    if wanted.kind is not None:
        statement = statement.where(Task.kind == wanted.kind)
    order: list[Any] = []
    if wanted.near is not None:
        order += [first.c.distance.is_(None), first.c.distance]
    if wanted.home_path is not None:
        order.append(~within(Organization.path, [wanted.home_path]))
    statement = statement.order_by(*order, first.c.starts_at, Task.id)
    rows = session.execute(statement.offset(after).limit(limit)).all()
    return _with_shifts(session, [TaskLine(*row) for row in rows], free)


def _distance(near: tuple[float, float] | None) -> Any:
    """Return a measure that grows with the distance: flat, which a district is; null without a
    position."""
    if near is None:
        return Shift.latitude * 0
    latitude, longitude = near
    narrowing = math.cos(math.radians(latitude))
    north, east = Shift.latitude - latitude, (Shift.longitude - longitude) * narrowing
    return north * north + east * east


def count_open_tasks(session: Session, *, now: datetime, wanted: TaskFilter) -> int:
    """Return how many open tasks with free places there are."""
    statement = (
        select(func.count(Task.id))
        .join(Organization, Organization.id == Task.organization_id)
        .where(
            Task.state == "open",
            exists().where(Shift.task_id == Task.id, _free_shifts(now, wanted)),
        )
    )
    if wanted.path is not None:
        statement = statement.where(within(Organization.path, [wanted.path]))
    if wanted.kind is not None:
        statement = statement.where(Task.kind == wanted.kind)
    return int(session.scalar(statement) or 0)


def task_of(session: Session, task_id: int, paths: Sequence[str] = ()) -> TaskLine:
    """Return a task with all its shifts; one that is not published only to those whose scope
    (paths) covers it.

    Raises TaskNotFound.
    """
    row = session.execute(tasks_selected().where(Task.id == task_id)).first()
    if row is None:
        raise TaskNotFound
    task = TaskLine(*row)
    if task.state in UNSEEN_STATES and not any(task.path.startswith(path) for path in paths):
        raise TaskNotFound
    return filled(session, _with_shifts(session, [task]))[0]


def own_task(session: Session, task_id: int, paths: Sequence[str]) -> TaskLine:
    """Return a task under these paths, in any state.

    Raises TaskNotFound.
    """
    task = task_of(session, task_id, paths)
    if not any(task.path.startswith(path) for path in paths):
        raise TaskNotFound
    return task


def tasks_within(
    session: Session, paths: Sequence[str], *, before_id: int | None = None, limit: int = 50
) -> list[TaskLine]:
    """Return the tasks under these paths in every state, newest first."""
    statement = tasks_selected().where(within(Organization.path, paths))
    if before_id is not None:
        statement = statement.where(Task.id < before_id)
    rows = session.execute(statement.order_by(Task.id.desc()).limit(limit)).all()
    return _with_shifts(session, [TaskLine(*row) for row in rows])


def tasks_waiting(
    session: Session, paths: Sequence[str], *, limit: int = 50, after_id: int = 0
) -> list[TaskLine]:
    """Return the tasks under these paths that wait for approval, by their ids."""
    rows = session.execute(
        tasks_selected()
        .where(within(Organization.path, paths), Task.state == "submitted", Task.id > after_id)
        .order_by(Task.id)
        .limit(limit)
    ).all()
    return _with_shifts(session, [TaskLine(*row) for row in rows])


def tasks_under_way(
    session: Session,
    paths: Sequence[str],
    *,
    begins_by: datetime,
    ends_from: datetime,
    limit: int = 20,
) -> list[TaskLine]:
    """Return the open tasks under these paths with a shift in this span of time."""
    in_span = select(Shift.task_id).where(
        Shift.starts_at <= begins_by, Shift.ends_at >= ends_from
    )
    rows = session.execute(
        tasks_selected()
        .where(within(Organization.path, paths), Task.state == "open", Task.id.in_(in_span))
        .order_by(Task.id)
        .limit(limit)
    ).all()
    return _with_shifts(session, [TaskLine(*row) for row in rows])


def shift_of(
    session: Session, shift_id: int, paths: Sequence[str] | None = None
) -> tuple[ShiftLine, TaskLine]:
    """Return a shift and its task, if the task stands under one of these paths.

    paths: None for everyone's view, in which drafts do not exist.
    Raises ShiftNotFound, for a foreign one as for an unknown one.
    """
    lines = shift_lines(session, Shift.id == shift_id)
    if not lines:
        raise ShiftNotFound
    task = TaskLine(*session.execute(tasks_selected().where(Task.id == lines[0].task_id)).one())
    if paths is None and task.state in UNSEEN_STATES:
        raise ShiftNotFound
    if paths is not None and not any(task.path.startswith(path) for path in paths):
        raise ShiftNotFound
    return lines[0], task
