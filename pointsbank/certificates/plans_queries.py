"""Reads of organizations' plans: one, those of a scope, what is delivered, who has stars."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, case, false, func, or_, select
from sqlalchemy.orm import Session

from pointsbank.certificates.models import MARKS_ALL, OrganizationStarPlan, PlanItem
from pointsbank.certificates.plans_errors import PlanNotFound
from pointsbank.core.actor import Actor
from pointsbank.core.text import masked_name
from pointsbank.members.models import Member
from pointsbank.organizations.models import Organization
from pointsbank.organizations.queries import within

READERS = ("administrator", "secretary", "auditor")


@dataclass(frozen=True)
class PlanItemLine:
    """One task of a plan; its owner's name is masked."""

    no: int
    task: str
    measures: str
    owner_id: int
    owner_name: str
    owner_no: str
    due_on: date
    marks: int
    delivered_on: date | None
    evidence: str
    self_marks: int | None
    reviewed_marks: int | None

    def is_overdue(self, today: date) -> bool:
        """Tell whether its day has gone by without it."""
        return self.delivered_on is None and self.due_on < today


@dataclass(frozen=True)
class PlanFile:
    """A plan with its sums; delivered: marks of the items that are delivered."""

    id: int
    organization_id: int
    organization_name: str
    path: str
    year: int
    state: str
    stars: int
    filed_by_id: int
    filed_at: datetime
    self_rated_by_id: int | None
    reviewed_by_id: int | None
    review: str
    notice_id: int | None
    awarded_on: date | None
    items: int
    items_delivered: int
    delivered: int
    self_marks: int
    reviewed_marks: int


@dataclass(frozen=True)
class StarredOrganization:
    """An organization that was awarded stars for a year."""

    id: int
    name: str
    stars: int
    awarded_on: date


@dataclass(frozen=True)
class Band:
    """Organizations between two marks, in the order of their names; stars: what it would be."""

    stars: int
    least: int
    most: int
    names: tuple[str, ...]


def _count_of_delivered() -> ColumnElement[int]:
    return func.count(PlanItem.delivered_on)


def _marks_of_delivered() -> ColumnElement[int]:
    """Return what is delivered: as it was reviewed, or as it was planned until then."""
    worth = func.coalesce(PlanItem.reviewed_marks, PlanItem.marks)
    return func.coalesce(
        func.sum(case((PlanItem.delivered_on.is_not(None), worth), else_=0)), 0
    )


def _plans() -> Select[*tuple[Any, ...]]:
    plan = OrganizationStarPlan
    return (
        select(
            plan.id,
            plan.organization_id,
            Organization.name.label("organization_name"),
            Organization.path,
            plan.year,
            plan.state,
            plan.stars,
            plan.filed_by_id,
            plan.filed_at,
            plan.self_rated_by_id,
            plan.reviewed_by_id,
            plan.review,
            plan.notice_id,
            plan.awarded_on,
            func.count(PlanItem.no).label("items"),
            _count_of_delivered().label("items_delivered"),
            _marks_of_delivered().label("delivered"),
            func.coalesce(func.sum(PlanItem.self_marks), 0).label("self_marks"),
            func.coalesce(func.sum(PlanItem.reviewed_marks), 0).label("reviewed_marks"),
        )
        .join(Organization, Organization.id == plan.organization_id)
        .join(PlanItem, PlanItem.plan_id == plan.id)
        .group_by(plan.id, Organization.name, Organization.path)
    )


def _file(row: Any) -> PlanFile:
    sums = ("items", "items_delivered", "delivered", "self_marks", "reviewed_marks")
    return PlanFile(**{**row._mapping, **{name: int(row._mapping[name]) for name in sums}})


def _readable(actor: Actor) -> ColumnElement[bool]:
    """Return the SQL condition that somebody may read a plan: it is within their scope, or one
    of its items is theirs."""
    own = select(PlanItem.plan_id).where(PlanItem.owner_id == actor.member_id)
    paths = actor.paths(*READERS)
    return or_(
        within(Organization.path, paths) if paths else false(),
        OrganizationStarPlan.id.in_(own),
    )


def plan_of(session: Session, plan_id: int, actor: Actor) -> PlanFile:
    """Return a plan within the actor's scope, or with an item of theirs.

    Raises PlanNotFound, for a foreign one as for an unknown one.
    """
    row = session.execute(
        _plans().where(OrganizationStarPlan.id == plan_id, _readable(actor))
    ).first()
    if row is None:
        raise PlanNotFound
    return _file(row)


def plans_seen_by(
    session: Session,
    actor: Actor,
    *,
    year: int | None = None,
    before_id: int | None = None,
    limit: int = 50,
) -> list[PlanFile]:
    """Return the plans that somebody may read, the newest first.

    before_id: the id behind which to go on.
    """
    statement = (
        _plans().where(_readable(actor)).order_by(OrganizationStarPlan.id.desc()).limit(limit)
    )
    if year is not None:
        statement = statement.where(OrganizationStarPlan.year == year)
    if before_id is not None:
        statement = statement.where(OrganizationStarPlan.id < before_id)
    return [_file(row) for row in session.execute(statement)]


def plans_in_notice(session: Session, notice_id: int) -> list[PlanFile]:
    """Return the plans that are shown in a notice and not decided yet."""
    statement = (
        _plans()
        .where(
            OrganizationStarPlan.notice_id == notice_id,
            OrganizationStarPlan.state == "noticed",
        )
        .order_by(OrganizationStarPlan.id)
    )
    return [_file(row) for row in session.execute(statement)]


def items_of(session: Session, plan_id: int) -> list[PlanItemLine]:
    """Return the items of a plan in their order."""
    rows = session.execute(
        select(PlanItem, Member.name, Member.volunteer_no)
        .join(Member, Member.id == PlanItem.owner_id)
        .where(PlanItem.plan_id == plan_id)
        .order_by(PlanItem.no)
    )
    return [
        PlanItemLine(
            item.no,
            item.task,
            item.measures,
            item.owner_id,
            masked_name(name),
            volunteer_no,
            item.due_on,
            item.marks,
            item.delivered_on,
            item.evidence,
            item.self_marks,
            item.reviewed_marks,
        )
        for item, name, volunteer_no in rows
    ]


def delivered_score(session: Session, organization_id: int, year: int) -> int:
    """Return the marks, 0 to 100, of what an organization delivered of its plan of a year.

    As the review gave them, or as planned until it is reviewed; 0 without a plan.
    """
    marks = session.scalar(
        select(_marks_of_delivered())
        .select_from(PlanItem)
        .join(OrganizationStarPlan, OrganizationStarPlan.id == PlanItem.plan_id)
        .where(
            OrganizationStarPlan.organization_id == organization_id,
            OrganizationStarPlan.year == year,
            OrganizationStarPlan.state != "withdrawn",
        )
    )
    return int(marks or 0)


def delivered_bands(
    session: Session, paths: Sequence[str], year: int, levels: Mapping[int, int]
) -> tuple[list[Band], int]:
    """Return the organizations with a plan under these paths by bands of delivered marks, and
    how many are below the lowest band: those are counted and not named.
    """
    rows = session.execute(
        _plans().where(
            within(Organization.path, paths),
            OrganizationStarPlan.year == year,
            OrganizationStarPlan.state != "withdrawn",
        )
    )
    marks = [(row.organization_name, int(row.delivered)) for row in rows]
    bands, most = [], MARKS_ALL
    for stars, least in sorted(levels.items(), reverse=True):
        names = sorted(name for name, mine in marks if least <= mine <= most)
        bands.append(Band(stars, least, most, tuple(names)))
        most = least - 1
    return bands, sum(mine <= most for _, mine in marks)


def starred(session: Session, year: int) -> list[StarredOrganization]:
    """Return the organizations that were awarded stars for a year: the most stars first, and
    by name within."""
    rows = session.execute(
        select(
            Organization.id,
            Organization.name,
            OrganizationStarPlan.stars,
            OrganizationStarPlan.awarded_on,
        )
        .join(Organization, Organization.id == OrganizationStarPlan.organization_id)
        .where(OrganizationStarPlan.year == year, OrganizationStarPlan.state == "awarded")
        .order_by(OrganizationStarPlan.stars.desc(), Organization.name)
    )
    return [
        StarredOrganization(row.id, row.name, row.stars, row.awarded_on)
        for row in rows
        if row.awarded_on is not None
    ]


def starred_years(session: Session) -> list[int]:
    """Return the years for which organizations were awarded stars, the newest first."""
    return list(
        session.scalars(
            select(OrganizationStarPlan.year)
            .where(OrganizationStarPlan.state == "awarded")
            .distinct()
            .order_by(OrganizationStarPlan.year.desc())
        )
    )
