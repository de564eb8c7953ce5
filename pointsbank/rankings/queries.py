"""Reads of the rankings: standings with their rank within what was asked for."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from pointsbank.core.text import masked_name
from pointsbank.members.models import Member
from pointsbank.organizations.models import Organization
from pointsbank.organizations.queries import within
from pointsbank.rankings.models import BranchStanding, MemberStanding, RollUp
from pointsbank.scoring.models import CATEGORIES

ROWS_AT_ONCE = 500
CATEGORY_ORDER = {category: place for place, category in enumerate(CATEGORIES)}


@dataclass(frozen=True)
class AsOf:
    """When a period was last rolled up, and by which version of the standard."""

    moment: datetime
    standard_version: int


@dataclass(frozen=True)
class Ranked:
    """One row of a ranking: a member, or an organization; scores are in hundredths.

    name is masked for a member. member_count and active_count are a branch's.
    """

    rank: int
    is_tied: bool
    id: int
    name: str
    code: str
    place: str
    evaluation_hundredths: int
    points_earned: int
    service_minutes: int
    parts: list[dict[str, Any]]
    member_count: int | None = None
    active_count: int | None = None


@dataclass(frozen=True)
class Above:
    """The next better score within the same scope, and the rank that it has."""

    rank: int
    evaluation_hundredths: int


def as_of(session: Session, period: str) -> AsOf | None:
    """Return when the period was rolled up, None when it never was."""
    row = session.execute(
        select(RollUp.as_of, RollUp.standard_version).where(RollUp.period == period)
    ).first()
    return AsOf(row.as_of, row.standard_version) if row else None


def rolled_up_periods(session: Session) -> list[str]:
    """Return the periods that have a roll-up, the latest first."""
    return list(session.scalars(select(RollUp.period).order_by(RollUp.period.desc())))


def ranked_members(
    session: Session,
    *,
    period: str,
    paths: tuple[str, ...],
    member_id: int | None = None,
    skip: int = 0,
    limit: int = 50,
) -> list[Ranked]:
    """Return members in order of rank among those under these paths; equal scores share one.

    member_id: that member's row alone, with the rank it has among all of them.
    """
    ranked = _members(period, paths).subquery()
    statement = select(ranked).order_by(ranked.c.rank, ranked.c.id).offset(skip).limit(limit)
    if member_id is not None:
        statement = statement.where(ranked.c.id == member_id)
    return [_member(row) for row in session.execute(statement)]


def ranked_branches(
    session: Session, *, period: str, paths: tuple[str, ...], skip: int = 0, limit: int = 50
) -> list[Ranked]:
    """Return the organizations that members belong to by rank; equal scores share one."""
    ranked = _branches(period, paths).subquery()
    statement = select(ranked).order_by(ranked.c.rank, ranked.c.id).offset(skip).limit(limit)
    return [_branch(row) for row in session.execute(statement)]


def every_ranked(
    session: Session, *, of: str, period: str, paths: tuple[str, ...]
) -> Iterator[Ranked]:
    """Yield a whole ranking of members or branches, a few hundred rows in memory at a time."""
    rows_of, made = (_members, _member) if of == "members" else (_branches, _branch)
    ranked = rows_of(period, paths).subquery()
    rows = session.execute(
        select(ranked).order_by(ranked.c.rank, ranked.c.id),
        execution_options={"yield_per": ROWS_AT_ONCE},
    )
    for row in rows:
        yield made(row)


def standing_count(session: Session, *, period: str, paths: tuple[str, ...], of: str) -> int:
    """Return how many members or branches have a standing under these paths."""
    standing = MemberStanding if of == "members" else BranchStanding
    return session.execute(
        select(func.count())
        .select_from(standing)
        .join(Organization, Organization.id == standing.organization_id)
        .where(standing.period == period, within(Organization.path, paths))
    ).scalar_one()


def next_above(
    session: Session, *, period: str, paths: tuple[str, ...], evaluation_hundredths: int
) -> Above | None:
    """Return the next better score among members under these paths, None above the best."""
    ranked = _members(period, paths).subquery()
    row = session.execute(
        select(ranked.c.rank, ranked.c.evaluation_hundredths)
        .where(ranked.c.evaluation_hundredths > evaluation_hundredths)
        .order_by(ranked.c.evaluation_hundredths)
        .limit(1)
    ).first()
    return Above(row.rank, row.evaluation_hundredths) if row else None


def tied_name(
    session: Session, *, period: str, paths: tuple[str, ...], like: Ranked
) -> str | None:
    """Return the masked name of one member with the same score, None when nobody has it."""
    ranked = _members(period, paths).subquery()
    name = session.scalar(
        select(ranked.c.name)
        .where(
            ranked.c.evaluation_hundredths == like.evaluation_hundredths,
            ranked.c.id != like.id,
        )
        .order_by(ranked.c.id)
        .limit(1)
    )
    return masked_name(name) if name else None


def in_order(parts: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return parts in the order in which the standard names their categories."""
    return sorted(parts, key=lambda part: CATEGORY_ORDER.get(part["category"], len(CATEGORIES)))


def _members(period: str, paths: tuple[str, ...]) -> Select[Any]:
    standing = MemberStanding
    return (
        select(
            *_rank_columns(standing.evaluation_hundredths),
            Member.id,
            Member.name,
            Member.volunteer_no,
            Organization.name.label("place"),
            standing.evaluation_hundredths,
            standing.points_earned,
            standing.service_minutes,
            standing.parts,
        )
        .join(Member, Member.id == standing.member_id)
        .join(Organization, Organization.id == standing.organization_id)
        .where(standing.period == period, within(Organization.path, paths))
    )


def _member(row: Any) -> Ranked:
    return Ranked(
        rank=row.rank,
        is_tied=row.same > 1,
        id=row.id,
        name=masked_name(row.name),
        code=row.volunteer_no,
        place=row.place,
        evaluation_hundredths=row.evaluation_hundredths,
        points_earned=row.points_earned,
        service_minutes=row.service_minutes,
        parts=in_order(row.parts),
    )


def _branches(period: str, paths: tuple[str, ...]) -> Select[Any]:
    standing = BranchStanding
    return (
        select(
            *_rank_columns(standing.evaluation_hundredths),
            Organization.id,
            Organization.name,
            Organization.code,
            standing.evaluation_hundredths,
            standing.points_earned,
            standing.service_minutes,
            standing.member_count,
            standing.active_count,
            standing.parts,
        )
        .join(Organization, Organization.id == standing.organization_id)
        .where(standing.period == period, within(Organization.path, paths))
    )


def _branch(row: Any) -> Ranked:
    return Ranked(
        rank=row.rank,
        is_tied=row.same > 1,
        id=row.id,
        name=row.name,
        code=row.code,
        place=row.name,
        evaluation_hundredths=row.evaluation_hundredths,
        points_earned=row.points_earned,
        service_minutes=row.service_minutes,
        parts=in_order(row.parts),
        member_count=row.member_count,
        active_count=row.active_count,
    )


def _rank_columns(score: Any) -> tuple[Any, Any]:
    """Return the rank, shared by equal scores with a gap after them, and how many share it."""
    return (
        func.rank().over(order_by=score.desc()).label("rank"),
        func.count().over(partition_by=score).label("same"),
    )
