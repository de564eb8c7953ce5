"""Reads of closed periods: versions with their lines, what came after, what changed."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Select, exists, func, not_, select
from sqlalchemy.orm import Session, aliased

from pointsbank.core.calendar import Period, read_period
from pointsbank.members.models import Member
from pointsbank.organizations.models import Organization
from pointsbank.organizations.queries import within
from pointsbank.rankings.errors import SnapshotNotFound
from pointsbank.rankings.freezing import Head, Line, digest_of
from pointsbank.rankings.models import PeriodCourse, Snapshot, SnapshotLine
from pointsbank.rankings.sources import Cut
from pointsbank.scoring.models import ScoreEntry, ScoringStandard
from pointsbank.scoring.tables import EvaluationTable, table_named

# What of a line must differ for the person themself to have changed, not only their rank.
OWN_FACTS = (
    "table_name",
    "is_exempt",
    "is_vetoed",
    "evaluation_hundredths",
    "points_earned",
    "service_minutes",
    "parts",
)


@dataclass(frozen=True)
class SnapshotFile:
    """One version of an organization's closed period."""

    id: int
    period: str
    organization_id: int
    organization_code: str
    organization_name: str
    path: str
    version: int
    standard_id: int
    standard_version: int
    cut_at: datetime
    entry_id: int
    entries: int
    sum_hundredths: int
    sum_points: int
    sum_minutes: int
    members: int
    digest: str
    reason: str
    objection_id: int | None
    made_by_id: int | None
    made_at: datetime

    @property
    def span(self) -> Period:
        """The days that it counts."""
        return read_period(self.period)

    @property
    def cut(self) -> Cut:
        """Which entries of its members it holds."""
        return Cut(self.cut_at, self.entry_id)


@dataclass(frozen=True)
class NamedLine:
    """A line with the full name of the person; doors mask it for who may not read it."""

    name: str
    line: Line


@dataclass(frozen=True)
class Change:
    """How one member's line differs between two versions; None: not in that version.

    is_own: something of theirs differs, not their rank alone. because_of: the ids of those
    whose own change put them past this person, or this person past them.
    """

    member_id: int
    before: Line | None
    after: Line | None
    is_own: bool
    because_of: tuple[int, ...]


@dataclass(frozen=True)
class Closed:
    """A closed period of an organization in a list: its newest version, and how far it is."""

    period: str
    organization_id: int
    organization_name: str
    version: int
    members: int
    notice_id: int | None
    archived_at: datetime | None


@dataclass(frozen=True)
class Frozen:
    """A member's line in the newest version of a closed period, and the table that counted."""

    period: str
    version: int
    organization_name: str
    path: str
    line: Line
    table: EvaluationTable

    @property
    def advised(self) -> str | None:
        """The grade that the rules advise; None for who is exempt, and for less than a year."""
        if self.line.is_exempt or not self.period.isdigit():
            return None
        return self.table.advised_grade(
            self.line.evaluation_hundredths, is_vetoed=self.line.is_vetoed
        )


def snapshot_of(
    session: Session, *, period: str, organization_id: int, version: int | None = None
) -> SnapshotFile:
    """Return one version of a closed period, the newest when not told which.

    Whoever asks must have seen to it that the organization is in scope. Raises
    SnapshotNotFound.
    """
    statement = _files().where(
        Snapshot.period == period, Snapshot.organization_id == organization_id
    )
    if version is not None:
        statement = statement.where(Snapshot.version == version)
    row = session.execute(statement.order_by(Snapshot.version.desc()).limit(1)).first()
    if row is None:
        raise SnapshotNotFound
    return SnapshotFile(*row)


def snapshot_with(session: Session, snapshot_id: int) -> SnapshotFile:
    """Return the version with this id.

    Raises SnapshotNotFound.
    """
    row = session.execute(_files().where(Snapshot.id == snapshot_id)).first()
    if row is None:
        raise SnapshotNotFound
    return SnapshotFile(*row)


def versions_of(session: Session, *, period: str, organization_id: int) -> list[SnapshotFile]:
    """Return every version of a closed period, the newest first; none while it is open."""
    rows = session.execute(
        _files()
        .where(Snapshot.period == period, Snapshot.organization_id == organization_id)
        .order_by(Snapshot.version.desc())
    )
    return [SnapshotFile(*row) for row in rows]


def _files() -> Select[*tuple[Any, ...]]:
    return (
        select(
            Snapshot.id,
            Snapshot.period,
            Snapshot.organization_id,
            Organization.code,
            Organization.name,
            Organization.path,
            Snapshot.version,
            Snapshot.standard_id,
            ScoringStandard.version.label("standard_version"),
            Snapshot.cut_at,
            Snapshot.entry_id,
            Snapshot.entries,
            Snapshot.sum_hundredths,
            Snapshot.sum_points,
            Snapshot.sum_minutes,
            Snapshot.members,
            Snapshot.digest,
            Snapshot.reason,
            Snapshot.objection_id,
            Snapshot.made_by_id,
            Snapshot.made_at,
        )
        .join(Organization, Organization.id == Snapshot.organization_id)
        .join(ScoringStandard, ScoringStandard.id == Snapshot.standard_id)
    )


def digest_again(session: Session, snapshot: SnapshotFile) -> str:
    """Return the digest that a version's own rows give: the kept one, unless somebody wrote."""
    head = Head(
        period=snapshot.period,
        organization_code=snapshot.organization_code,
        version=snapshot.version,
        standard_version=snapshot.standard_version,
        cut_at=snapshot.cut_at,
        entry_id=snapshot.entry_id,
        entries=snapshot.entries,
        sum_hundredths=snapshot.sum_hundredths,
        sum_points=snapshot.sum_points,
        sum_minutes=snapshot.sum_minutes,
        members=snapshot.members,
    )
    return digest_of(head, [each.line for each in lines_of(session, snapshot.id)])


def lines_of(session: Session, snapshot_id: int) -> list[NamedLine]:
    """Return a version's lines by rank, those without one last, then by volunteer number."""
    rows = session.execute(
        select(SnapshotLine, Member.name, Member.volunteer_no)
        .join(Member, Member.id == SnapshotLine.member_id)
        .where(SnapshotLine.snapshot_id == snapshot_id)
        .order_by(SnapshotLine.rank.is_(None), SnapshotLine.rank, Member.volunteer_no)
    )
    return [NamedLine(row.name, _line(row.SnapshotLine, row.volunteer_no)) for row in rows]


def line_of_member(session: Session, snapshot_id: int, member_id: int) -> Line | None:
    """Return one member's line of a version, None when they are not in it."""
    row = session.execute(
        select(SnapshotLine, Member.volunteer_no)
        .join(Member, Member.id == SnapshotLine.member_id)
        .where(SnapshotLine.snapshot_id == snapshot_id, SnapshotLine.member_id == member_id)
    ).first()
    return _line(row.SnapshotLine, row.volunteer_no) if row else None


def frozen_of_member(session: Session, member_id: int, *, limit: int) -> list[Frozen]:
    """Return a member's lines in the newest version of each closed period, the newest first.

    Who is in an older version and no longer in the newest has none.
    """
    newer = aliased(Snapshot)
    is_replaced = exists().where(
        newer.period == Snapshot.period,
        newer.organization_id == Snapshot.organization_id,
        newer.version > Snapshot.version,
    )
    rows = session.execute(
        select(
            SnapshotLine,
            Member.volunteer_no,
            Snapshot.period,
            Snapshot.version,
            Organization.name,
            Organization.path,
            ScoringStandard.evaluation_tables,
        )
        .join(Snapshot, Snapshot.id == SnapshotLine.snapshot_id)
        .join(Organization, Organization.id == Snapshot.organization_id)
        .join(ScoringStandard, ScoringStandard.id == Snapshot.standard_id)
        .join(Member, Member.id == SnapshotLine.member_id)
        .where(SnapshotLine.member_id == member_id, ~is_replaced)
        .order_by(Snapshot.period.desc(), Snapshot.organization_id)
        .limit(limit)
    )
    return [
        Frozen(
            period=row.period,
            version=row.version,
            organization_name=row.name,
            path=row.path,
            line=_line(row.SnapshotLine, row.volunteer_no),
            table=table_named(row.evaluation_tables, row.SnapshotLine.table_name),
        )
        for row in rows
    ]


def periods_closed(session: Session, names: Iterable[str]) -> set[str]:
    """Return which of these periods any organization has closed."""
    statement = select(Snapshot.period).where(Snapshot.period.in_(list(names))).distinct()
    return set(session.scalars(statement))


def _line(row: SnapshotLine, volunteer_no: str) -> Line:
    return Line(
        member_id=row.member_id,
        volunteer_no=volunteer_no,
        rank=row.rank,
        table_name=row.table_name,
        is_exempt=row.is_exempt,
        is_vetoed=row.is_vetoed,
        base_hundredths=row.base_hundredths,
        bonus_hundredths=row.bonus_hundredths,
        deduction_hundredths=row.deduction_hundredths,
        evaluation_hundredths=row.evaluation_hundredths,
        points_earned=row.points_earned,
        service_minutes=row.service_minutes,
        parts=row.parts,
    )


def came_after(session: Session, snapshot: SnapshotFile) -> int:
    """Return how many entries of its period its members got after a version was cut."""
    members = select(SnapshotLine.member_id).where(SnapshotLine.snapshot_id == snapshot.id)
    holds = snapshot.cut.holds()
    return (
        session.scalar(
            select(func.count())
            .select_from(ScoreEntry)
            .where(
                ScoreEntry.member_id.in_(members),
                ScoreEntry.earned_on >= snapshot.span.first_on,
                ScoreEntry.earned_on < snapshot.span.end_on,
                not_(holds[0] & holds[1]),
            )
        )
        or 0
    )


def closed_within(
    session: Session,
    paths: Sequence[str],
    *,
    period: str | None = None,
    skip: int = 0,
    limit: int = 50,
) -> list[Closed]:
    """Return the closed periods under these paths: the newest first, then by organization."""
    newest = (
        select(
            Snapshot.period,
            Snapshot.organization_id,
            Snapshot.version,
            Snapshot.members,
            func.row_number()
            .over(
                partition_by=(Snapshot.period, Snapshot.organization_id),
                order_by=Snapshot.version.desc(),
            )
            .label("place"),
        )
        .where(
            # Before they are numbered: a branch's list does not sort a district's periods.
            Snapshot.organization_id.in_(
                select(Organization.id).where(within(Organization.path, paths))
            ),
            *([Snapshot.period == period] if period else []),
        )
        .subquery()
    )
    rows = session.execute(
        select(
            newest.c.period,
            newest.c.organization_id,
            Organization.name,
            newest.c.version,
            newest.c.members,
            PeriodCourse.notice_id,
            PeriodCourse.archived_at,
        )
        .join(Organization, Organization.id == newest.c.organization_id)
        .outerjoin(
            PeriodCourse,
            (PeriodCourse.period == newest.c.period)
            & (PeriodCourse.organization_id == newest.c.organization_id),
        )
        .where(newest.c.place == 1)
        .order_by(newest.c.period.desc(), Organization.code)
        .offset(skip)
        .limit(limit)
    )
    return [Closed(*row) for row in rows]


def changes_between(before: Sequence[Line], after: Sequence[Line]) -> list[Change]:
    """Return the members whose line differs: whoever changed themself first, then by number."""
    old = {line.member_id: line for line in before}
    new = {line.member_id: line for line in after}
    own = [
        member_id
        for member_id in {**old, **new}
        if _own_facts(old.get(member_id)) != _own_facts(new.get(member_id))
    ]
    found = [
        Change(
            member_id=member_id,
            before=old.get(member_id),
            after=new.get(member_id),
            is_own=member_id in own,
            because_of=tuple(
                other
                for other in own
                if other != member_id
                and _order(old, other, member_id) != _order(new, other, member_id)
            ),
        )
        for member_id in {**old, **new}
        if old.get(member_id) != new.get(member_id)
    ]
    return sorted(found, key=lambda change: (not change.is_own, _number(change)))


def _own_facts(line: Line | None) -> dict[str, Any] | None:
    return {name: getattr(line, name) for name in OWN_FACTS} if line else None


def _order(lines: dict[int, Line], one: int, other: int) -> int:
    """Return -1, 0 or 1 as one stands behind, beside or before another; who has no rank is
    behind."""
    scores = [
        lines[each].evaluation_hundredths
        if each in lines and lines[each].rank is not None
        else -1
        for each in (one, other)
    ]
    return (scores[0] > scores[1]) - (scores[0] < scores[1])


def _number(change: Change) -> str:
    line = change.after or change.before
    return line.volunteer_no if line else ""
