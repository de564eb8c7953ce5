"""Reads of shifts that somebody might want to claim: by time, kind, place, skill and words."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, and_, case, func, literal, or_, select
from sqlalchemy.orm import Session, aliased

from pointsbank.core.calendar import SATURDAY, midnight
from pointsbank.members.models import Member, MemberSkill
from pointsbank.organizations.models import Organization
from pointsbank.organizations.queries import within
from pointsbank.tasks.models import Claim, Shift, Task, TaskSkill

WHENS = ("today", "tomorrow", "week", "weekend")
ORDERS = ("soon", "home", "skills")
WORDS_MAX = 40
METRES_A_DEGREE = 111_195
DAYS_A_WEEK = 7


@dataclass(frozen=True)
class Search:
    """What a person looks for. home_paths: their own place first, then what stands above it.

    words: a part of the title. near: latitude and longitude, used for this order alone, and
    never kept. order: one of ORDERS, passed over when near is given.
    """

    member_id: int
    home_paths: tuple[str, ...] = ()
    path: str | None = None
    kind: str | None = None
    starts_from: datetime | None = None
    starts_to: datetime | None = None
    words: str = ""
    only_free: bool = True
    order: str = "soon"
    near: tuple[float, float] | None = None


@dataclass(frozen=True)
class FoundShift:
    """A shift that fits, with its task in short.

    distance: steps from the person's own place up the tree to what has the task, 0 for their
    own. skills: how many of the skills that the task asks for the person has told. state: of
    their own claim, empty without one.
    """

    id: int
    task_id: int
    title: str
    kind: str
    organization_code: str
    organization_name: str
    scoring_item: str
    coefficient_percent: int
    starts_at: datetime
    ends_at: datetime
    break_minutes: int
    place_name: str
    places: int
    claimed: int
    latitude: float | None
    longitude: float | None
    distance: int
    skills: int
    state: str

    @property
    def planned_minutes(self) -> int:
        """How long the shift lasts."""
        return int((self.ends_at - self.starts_at).total_seconds()) // 60

    @property
    def places_left(self) -> int:
        """How many places are free."""
        return self.places - self.claimed


def span_of(when: str, today: date, zone: ZoneInfo) -> tuple[datetime | None, datetime | None]:
    """Return the first moment of a span of days and the first one after it; None: unbounded.

    when: one of WHENS, or a day as 2026-11-21; anything else is no bound. The week ends with
    its Sunday; the weekend is the running one, or the next.
    """
    if when in ("today", "tomorrow"):
        first = today + timedelta(days=int(when == "tomorrow"))
        return midnight(first, zone), midnight(first + timedelta(days=1), zone)
    monday = today - timedelta(days=today.weekday())
    if when == "week":
        return midnight(today, zone), midnight(monday + timedelta(days=DAYS_A_WEEK), zone)
    if when == "weekend":
        first = max(today, monday + timedelta(days=SATURDAY))
        return midnight(first, zone), midnight(monday + timedelta(days=DAYS_A_WEEK), zone)
    try:
        day = date.fromisoformat(when)
        return midnight(day, zone), midnight(day + timedelta(days=1), zone)
    except (ValueError, OverflowError):
        return None, None


def home_of(session: Session, member_id: int) -> str:
    """Return the path of a person's own place: their grid, or else their organization."""
    grid = aliased(Organization)
    found = session.scalar(
        select(func.coalesce(grid.path, Organization.path))
        .select_from(Member)
        .join(Organization, Organization.id == Member.organization_id)
        .outerjoin(grid, grid.id == Member.grid_id)
        .where(Member.id == member_id)
    )
    return str(found or "/")


def find_shifts(
    session: Session, search: Search, *, now: datetime, after: int = 0, limit: int = 20
) -> list[FoundShift]:
    """Return shifts of open tasks that are not over, in the order that was asked for.

    after: how many to pass over. One statement, however many there are.
    """
    distance = _steps(search.home_paths)
    skills = _shared_skills(search.member_id)
    state = (
        select(Claim.state)
        .where(
            Claim.shift_id == Shift.id,
            Claim.member_id == search.member_id,
            Claim.state != "withdrawn",
        )
        .scalar_subquery()
    )
    columns: tuple[Any, ...] = (
        Shift.id,
        Shift.task_id,
        Task.title,
        Task.kind,
        Organization.code,
        Organization.name,
        Task.scoring_item,
        Task.coefficient_percent,
        Shift.starts_at,
        Shift.ends_at,
        Shift.break_minutes,
        Shift.place_name,
        Shift.places,
        Shift.claimed,
        Shift.latitude,
        Shift.longitude,
        distance.label("distance"),
        skills.label("skills"),
        func.coalesce(state, "").label("state"),
    )
    rows = session.execute(
        select(*columns)
        .join(Task, Task.id == Shift.task_id)
        .join(Organization, Organization.id == Task.organization_id)
        .where(_fits(search, now))
        .order_by(*_order(search, distance, skills), Shift.starts_at, Shift.id)
        .offset(after)
        .limit(limit)
    )
    return [FoundShift(*row) for row in rows]


def count_shifts(session: Session, search: Search, *, now: datetime) -> int:
    """Return how many shifts fit."""
    found = session.scalar(
        select(func.count(Shift.id))
        .join(Task, Task.id == Shift.task_id)
        .join(Organization, Organization.id == Task.organization_id)
        .where(_fits(search, now))
    )
    return int(found or 0)


def _fits(search: Search, now: datetime) -> ColumnElement[bool]:
    conditions: list[ColumnElement[bool]] = [
        Task.state == "open",
        Shift.ends_at > now,
        Shift.called_off_at.is_(None),
    ]
    if search.only_free:
        conditions += [
            Shift.claimed < Shift.places,
            or_(Task.claims_close_at.is_(None), Task.claims_close_at > now),
        ]
    if search.kind is not None:
        conditions.append(Task.kind == search.kind)
    if search.path is not None:
        conditions.append(within(Organization.path, [search.path]))
    if search.starts_from is not None:
        conditions.append(Shift.starts_at >= search.starts_from)
    if search.starts_to is not None:
        conditions.append(Shift.starts_at < search.starts_to)
    if search.words:
        conditions.append(Task.title.icontains(search.words, autoescape=True))
    return and_(*conditions)


def _steps(home_paths: Sequence[str]) -> ColumnElement[int]:
    """Return how many steps up from the own place the one stands that has the task."""
    if not home_paths:
        return literal(0)
    return case(
        *((within(Organization.path, [path]), step) for step, path in enumerate(home_paths)),
        else_=len(home_paths),
    )


def _shared_skills(member_id: int) -> ColumnElement[int]:
    return (
        select(func.count(TaskSkill.skill_id))
        .join(MemberSkill, MemberSkill.skill_id == TaskSkill.skill_id)
        .where(TaskSkill.task_id == Task.id, MemberSkill.member_id == member_id)
        .scalar_subquery()
    )


def _order(
    search: Search, distance: ColumnElement[int], skills: ColumnElement[int]
) -> list[Any]:
    if search.near is not None:
        flat = _flat_distance(search.near)
        return [flat.is_(None), flat]
    if search.order == "home":
        return [distance]
    if search.order == "skills":
        return [skills.desc(), distance]
    return []


def _flat_distance(near: tuple[float, float]) -> ColumnElement[Any]:
    """Return a measure that grows with the distance: flat, which a district is."""
    latitude, longitude = near
    narrowing = math.cos(math.radians(latitude))
    north = Shift.latitude - latitude
    east = (Shift.longitude - longitude) * narrowing
    return north * north + east * east


def metres_between(near: tuple[float, float], shift: FoundShift) -> int | None:
    """Return the distance as the crow flies, None for a shift without a position."""
    if shift.latitude is None or shift.longitude is None:
        return None
    latitude, longitude = near
    north = shift.latitude - latitude
    east = (shift.longitude - longitude) * math.cos(math.radians(latitude))
    return round(math.hypot(north, east) * METRES_A_DEGREE)
