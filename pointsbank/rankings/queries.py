"""Reads of the rankings: standings with their rank within what was asked for."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, false, func, or_, select, true
from sqlalchemy.orm import Session

from pointsbank.core.text import masked_name
from pointsbank.members.models import Member
from pointsbank.organizations.models import Organization
from pointsbank.organizations.queries import OrganizationNode, organizations_at, within
from pointsbank.rankings.models import (
    COUNTED_KINDS,
    MEASURE_COLUMNS,
    BranchStanding,
    MemberStanding,
    RollUp,
    StandingCount,
)
from pointsbank.scoring.models import CATEGORIES
from pointsbank.scoring.tables import DEFAULT_TABLE

ROWS_AT_ONCE = 500
# Where people live, next to where they belong.
GRID_KINDS = ("grid", "micro_grid", "building")
CATEGORY_ORDER = {category: place for place, category in enumerate(CATEGORIES)}


@dataclass(frozen=True)
class AsOf:
    """When a period was last rolled up, and by which version of the standard."""

    moment: datetime
    standard_version: int


@dataclass(frozen=True)
class Ranked:
    """One row of a ranking: a member, or an organization; scores are in hundredths.

    name is masked for a member. rank: None for who is exempt. table_name: which of the
    standard's tables counted. member_count and active_count are a branch's.
    """

    rank: int | None
    is_tied: bool
    id: int
    name: str
    code: str
    place: str
    evaluation_hundredths: int
    points_earned: int
    service_minutes: int
    parts: list[dict[str, Any]]
    table_name: str = DEFAULT_TABLE
    is_exempt: bool = False
    member_count: int | None = None
    active_count: int | None = None


@dataclass(frozen=True)
class Above:
    """The next better value of a measure within the same scope, and the rank that it has."""

    rank: int
    value: int


def as_of(session: Session, period: str) -> AsOf | None:
    """Return when the period was rolled up, None when it never was."""
    row = session.execute(
        select(RollUp.as_of, RollUp.standard_version).where(RollUp.period == period)
    ).first()
    return AsOf(row.as_of, row.standard_version) if row else None


def rolled_up_periods(session: Session) -> list[str]:
    """Return the periods that have a roll-up, the latest first."""
    return list(session.scalars(select(RollUp.period).order_by(RollUp.period.desc())))


@dataclass(frozen=True)
class Scope:
    """Among whom people are ranked, and by what; none of the places lies in another.

    measure: one of models.MEASURES.
    """

    period: str
    measure: str
    places: tuple[OrganizationNode, ...]

    @property
    def value(self) -> Any:
        """The column of a member's standing that counts."""
        return getattr(MemberStanding, MEASURE_COLUMNS[self.measure])


def scope_of(
    session: Session, *, period: str, paths: tuple[str, ...], measure: str = "evaluation"
) -> Scope:
    """Return the scope of these paths; one that lies under another adds nothing to it."""
    outer = {
        path
        for path in paths
        if not any(path != other and path.startswith(other) for other in paths)
    }
    return Scope(period, measure, tuple(organizations_at(session, outer)))


def count_above(session: Session, scope: Scope, value: int) -> int:
    """Return how many members of a scope have more than this; a rank is one more."""
    return _count(session, scope, scope.value > value, StandingCount.value > value)


def count_with(session: Session, scope: Scope, value: int) -> int:
    """Return how many members of a scope have exactly this."""
    return _count(session, scope, scope.value == value, StandingCount.value == value)


def count_ranked(session: Session, scope: Scope) -> int:
    """Return how many members of a scope have a rank; who is exempt has none."""
    return _count(session, scope, true(), true())


def _count(
    session: Session,
    scope: Scope,
    of_rows: ColumnElement[bool],
    of_counts: ColumnElement[bool],
) -> int:
    """Count by value where that is kept, which are hundreds of rows, and else by member."""
    counted, others = _split(scope)
    total = 0
    if counted:
        total += int(
            session.scalar(
                select(func.coalesce(func.sum(StandingCount.members), 0)).where(
                    StandingCount.period == scope.period,
                    StandingCount.organization_id.in_([node.id for node in counted]),
                    StandingCount.measure == scope.measure,
                    of_counts,
                )
            )
            or 0
        )
    if others:
        total += int(
            session.scalar(
                select(func.count())
                .select_from(MemberStanding)
                .where(
                    MemberStanding.period == scope.period,
                    MemberStanding.is_exempt.is_(False),
                    _inside(others),
                    *_outside(counted),
                    of_rows,
                )
            )
            or 0
        )
    return total


def _split(scope: Scope) -> tuple[list[OrganizationNode], list[OrganizationNode]]:
    counted = [node for node in scope.places if node.kind in COUNTED_KINDS]
    return counted, [node for node in scope.places if node.kind not in COUNTED_KINDS]


def _inside(places: Sequence[OrganizationNode]) -> ColumnElement[bool]:
    """Return the SQL condition that a standing counts at or under these places.

    A grid has those who live in it; every other organization those who belong to it.
    """
    sides = []
    for column, chosen in (
        (MemberStanding.grid_id, [node.path for node in places if node.kind in GRID_KINDS]),
        (
            MemberStanding.organization_id,
            [node.path for node in places if node.kind not in GRID_KINDS],
        ),
    ):
        if chosen:
            under = select(Organization.id).where(within(Organization.path, chosen))
            sides.append(column.in_(under))
    return or_(*sides)


def _outside(places: Sequence[OrganizationNode]) -> list[ColumnElement[bool]]:
    """Return the SQL condition that a standing does not belong at or under these places.

    Whoever lives in a grid may belong to one of them, and is counted there.
    """
    if not places:
        return []
    under = select(Organization.id).where(
        within(Organization.path, [node.path for node in places])
    )
    return [MemberStanding.organization_id.not_in(under)]


def ranked_members(
    session: Session, scope: Scope, *, skip: int = 0, limit: int = 50
) -> list[Ranked]:
    """Return members in order of rank; equal values share one, and who is exempt has none."""
    rows = session.execute(_in_order(session, scope, skip, limit)).all()
    if not rows:
        return []
    before = count_above(session, scope, rows[0].ranked_value)
    ranks, ties = _ranks([row.ranked_value for row in rows], before, skip)
    return [
        _member(row, rank, is_tied=is_tied)
        for row, rank, is_tied in zip(rows[:limit], ranks, ties, strict=False)
    ]


def _in_order(session: Session, scope: Scope, skip: int, limit: int) -> Select[Any]:
    """Return the query of one more row than asked for, which tells whether the last is tied."""
    wanted = limit + 1
    statement = (
        _members(scope)
        .where(MemberStanding.is_exempt.is_(False), _scope_condition(scope))
        .order_by(scope.value.desc(), MemberStanding.member_id.desc())
        .offset(skip)
        .limit(wanted)
    )
    lowest = _value_reached(session, scope, skip + wanted)
    return statement if lowest is None else statement.where(scope.value >= lowest)


def _scope_condition(scope: Scope) -> ColumnElement[bool]:
    """Return what narrows standings, joined with their organization, to a scope.

    Of large places many rows are looked at one by one, so the row at hand decides.
    """
    counted, others = _split(scope)
    sides = [within(Organization.path, [node.path for node in counted])] if counted else []
    return or_(false(), *sides, *([_inside(others)] if others else []))


def _value_reached(session: Session, scope: Scope, count: int) -> int | None:
    """Return the value that so many members of one counted place have or exceed, if so many
    do."""
    counted, others = _split(scope)
    if others or len(counted) != 1:
        return None
    reached = (
        select(
            StandingCount.value,
            func.sum(StandingCount.members)
            .over(order_by=StandingCount.value.desc())
            .label("reached"),
        )
        .where(
            StandingCount.period == scope.period,
            StandingCount.organization_id == counted[0].id,
            StandingCount.measure == scope.measure,
        )
        .order_by(StandingCount.value.desc())
        .subquery()
    )
    found: int | None = session.scalar(
        select(reached.c.value)
        .where(reached.c.reached >= count)
        .order_by(reached.c.value.desc())
        .limit(1)
    )
    return found


def _ranks(values: list[int], above: int, skip: int) -> tuple[list[int], list[bool]]:
    """Return the rank of each value and whether it is shared, beginning behind so many rows."""
    ranks: list[int] = []
    for place, value in enumerate(values):
        if place and value == values[place - 1]:
            ranks.append(ranks[-1])
        else:
            ranks.append(skip + place + 1 if place else above + 1)
    ties = [
        value in values[max(0, place - 1) : place]
        or value in values[place + 1 : place + 2]
        or ranks[place] != skip + place + 1
        for place, value in enumerate(values)
    ]
    return ranks, ties


def member_ranked(session: Session, scope: Scope, member_id: int) -> Ranked | None:
    """Return one member's row with its rank in a scope; None without a standing in it."""
    row = session.execute(
        _members(scope).where(MemberStanding.member_id == member_id, _inside(scope.places))
    ).first()
    if row is None:
        return None
    if row.is_exempt:
        return _member(row, None, is_tied=False)
    rank = count_above(session, scope, row.ranked_value) + 1
    return _member(row, rank, is_tied=count_with(session, scope, row.ranked_value) > 1)


def every_ranked(
    session: Session, *, of: str, scope: Scope, paths: tuple[str, ...]
) -> Iterator[Ranked]:
    """Yield a whole ranking of members or branches, a few hundred rows in memory at a time."""
    if of != "members":
        yield from ranked_branches(session, scope=scope, paths=paths, limit=None)
        return
    rows = session.execute(
        _members(scope)
        .where(MemberStanding.is_exempt.is_(False), _scope_condition(scope))
        .order_by(scope.value.desc(), MemberStanding.member_id.desc()),
        execution_options={"yield_per": ROWS_AT_ONCE},
    )
    rank, last = 0, None
    for place, row in enumerate(rows, start=1):
        rank, last = (rank if row.ranked_value == last else place), row.ranked_value
        yield _member(row, rank, is_tied=False)


def next_above(session: Session, scope: Scope, value: int) -> Above | None:
    """Return the next higher value in a scope with its rank, None above the best."""
    counted, others = _split(scope)
    found = []
    if counted:
        found.append(
            session.scalar(
                select(func.min(StandingCount.value)).where(
                    StandingCount.period == scope.period,
                    StandingCount.organization_id.in_([node.id for node in counted]),
                    StandingCount.measure == scope.measure,
                    StandingCount.value > value,
                )
            )
        )
    if others:
        found.append(
            session.scalar(
                select(func.min(scope.value)).where(
                    MemberStanding.period == scope.period,
                    MemberStanding.is_exempt.is_(False),
                    _inside(others),
                    scope.value > value,
                )
            )
        )
    known = [each for each in found if each is not None]
    if not known:
        return None
    return Above(count_above(session, scope, min(known)) + 1, min(known))


def tied_name(session: Session, scope: Scope, *, value: int, but_not: int) -> str | None:
    """Return the masked name of one member with the same value, None when nobody has it."""
    name = session.scalar(
        select(Member.name)
        .join(MemberStanding, MemberStanding.member_id == Member.id)
        .join(Organization, Organization.id == MemberStanding.organization_id)
        .where(
            MemberStanding.period == scope.period,
            MemberStanding.is_exempt.is_(False),
            scope.value == value,
            MemberStanding.member_id != but_not,
            _scope_condition(scope),
        )
        .order_by(MemberStanding.member_id)
        .limit(1)
    )
    return masked_name(name) if name else None


def ranked_branches(
    session: Session,
    *,
    scope: Scope,
    paths: tuple[str, ...],
    skip: int = 0,
    limit: int | None = 50,
) -> list[Ranked]:
    """Return the organizations that members belong to by rank; equal values share one."""
    ranked = _branches(scope, paths).subquery()
    statement = select(ranked).order_by(ranked.c.rank, ranked.c.id).offset(skip).limit(limit)
    return [_branch(row) for row in session.execute(statement)]


def count_branches(session: Session, *, period: str, paths: tuple[str, ...]) -> int:
    """Return how many organizations have a standing under these paths."""
    return session.execute(
        select(func.count())
        .select_from(BranchStanding)
        .join(Organization, Organization.id == BranchStanding.organization_id)
        .where(BranchStanding.period == period, within(Organization.path, paths))
    ).scalar_one()


def in_order(parts: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return parts in the order in which the standard names their categories."""
    return sorted(parts, key=lambda part: CATEGORY_ORDER.get(part["category"], len(CATEGORIES)))


def _members(scope: Scope) -> Select[Any]:
    standing = MemberStanding
    return (
        select(
            Member.id,
            Member.name,
            Member.volunteer_no,
            Organization.name.label("place"),
            standing.is_exempt,
            standing.table_name,
            standing.evaluation_hundredths,
            standing.points_earned,
            standing.service_minutes,
            standing.parts,
            scope.value.label("ranked_value"),
        )
        .join(Member, Member.id == standing.member_id)
        .join(Organization, Organization.id == standing.organization_id)
        .where(standing.period == scope.period)
    )


def _member(row: Any, rank: int | None, *, is_tied: bool) -> Ranked:
    return Ranked(
        rank=rank,
        is_tied=is_tied,
        id=row.id,
        name=masked_name(row.name),
        code=row.volunteer_no,
        place=row.place,
        evaluation_hundredths=row.evaluation_hundredths,
        points_earned=row.points_earned,
        service_minutes=row.service_minutes,
        parts=in_order(row.parts),
        table_name=row.table_name,
        is_exempt=row.is_exempt,
    )


def _branches(scope: Scope, paths: tuple[str, ...]) -> Select[Any]:
    standing = BranchStanding
    value = getattr(standing, MEASURE_COLUMNS[scope.measure])
    columns: tuple[Any, ...] = (
        func.rank().over(order_by=value.desc()).label("rank"),
        func.count().over(partition_by=value).label("same"),
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
    return (
        select(*columns)
        .join(Organization, Organization.id == standing.organization_id)
        .where(standing.period == scope.period, within(Organization.path, paths))
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


def value_of(row: Ranked, measure: str) -> int:
    """Return what a row is ranked by."""
    return int(getattr(row, MEASURE_COLUMNS[measure]))
