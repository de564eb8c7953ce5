"""What a work unit reads of its members who serve at home: sums of a quarter, by consent."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import and_, case, func, or_, select
from sqlalchemy.orm import Session, aliased

from pointsbank.core.calendar import Period
from pointsbank.members.dual_queries import WORK_UNIT, Community, WorkUnit, seen_from
from pointsbank.members.models import DualComment, DualRegistration, Member
from pointsbank.organizations.models import Organization
from pointsbank.rankings.reports_errors import NoUnitSheet
from pointsbank.scoring.models import ScoreEntry

# Rule: research/domain.md 2.2, 双报到: so long, or so often, in a calendar year. It is printed
# beside what was done; nobody is judged by it.
AIM_MINUTES = 50 * 60
AIM_TIMES = 2
UNITS_SHOWN_MAX = 300


@dataclass(frozen=True)
class UnitLine:
    """One person who agreed to be named.

    tasks: pieces of work. year_*: since January, through the quarter's end. Only what was done
    while the registration stood counts.
    """

    registration_id: int
    name: str
    community: str
    from_on: date
    until_on: date | None
    minutes: int
    tasks: int
    year_minutes: int
    year_tasks: int
    comment: str


@dataclass(frozen=True)
class UnitSheet:
    """A work unit's quarter: those who are named, and how many did not agree to be."""

    code: str
    name: str
    period: Period
    lines: list[UnitLine]
    unnamed: int

    @property
    def minutes(self) -> int:
        """The service time of all who are named."""
        return sum(line.minutes for line in self.lines)

    @property
    def tasks(self) -> int:
        """The pieces of work of all who are named."""
        return sum(line.tasks for line in self.lines)


@dataclass(frozen=True)
class UnitChoice:
    """A work unit with people registered in the quarter."""

    code: str
    name: str
    people: int


def units_with_people(
    session: Session, paths: Sequence[str], period: Period
) -> list[UnitChoice]:
    """Return the units of which somebody was registered in a quarter, seen from paths."""
    rows = session.execute(
        select(WorkUnit.code, WorkUnit.name, func.count().label("people"))
        .select_from(DualRegistration)
        .join(WorkUnit, WorkUnit.id == DualRegistration.work_unit_id)
        .join(Community, Community.id == DualRegistration.community_id)
        .where(seen_from(paths), stood_in(period))
        .group_by(WorkUnit.code, WorkUnit.name)
        .order_by(WorkUnit.code)
        .limit(UNITS_SHOWN_MAX)
    )
    return [UnitChoice(*row) for row in rows]


def unit_sheet(
    session: Session,
    *,
    code: str,
    paths: Sequence[str],
    period: Period,
    registration_id: int | None = None,
) -> UnitSheet:
    """Return a work unit's quarter: to the unit all of it, to a community its own people.

    registration_id: that person's line alone. Who did not agree to be named is counted without
    hours, so that no difference of sums tells of them.
    Raises NoUnitSheet where nobody was registered, or nobody that is seen from these paths.
    """
    unit = session.execute(
        select(Organization.id, Organization.name).where(
            Organization.code == code, Organization.kind == WORK_UNIT
        )
    ).first()
    if unit is None:
        raise NoUnitSheet
    wanted = [
        DualRegistration.work_unit_id == unit.id,
        seen_from(paths),
        stood_in(period),
    ]
    if registration_id is not None:
        wanted += [
            DualRegistration.id == registration_id,
            DualRegistration.named_at.is_not(None),
        ]
    rows = list(session.execute(_rows(period, wanted)))
    if not rows:
        raise NoUnitSheet
    lines = [_line(row) for row in rows if row.is_named]
    return UnitSheet(code, unit.name, period, lines, unnamed=len(rows) - len(lines))


def stood_in(period: Period) -> Any:
    """Return the condition that a registration stood on at least one day of a period."""
    return and_(
        DualRegistration.from_on < period.end_on,
        or_(
            DualRegistration.until_on.is_(None),
            and_(
                DualRegistration.until_on > period.first_on,
                DualRegistration.until_on > DualRegistration.from_on,
            ),
        ),
    )


def _line(row: Any) -> UnitLine:
    return UnitLine(
        registration_id=row.id,
        name=row.name,
        community=row.community,
        from_on=row.from_on,
        until_on=row.until_on,
        minutes=int(row.minutes),
        tasks=int(row.tasks),
        year_minutes=int(row.year_minutes),
        year_tasks=int(row.year_tasks),
        comment=row.comment,
    )


def _piece() -> Any:
    """Return what an entry adds to the number of pieces of work: one, none, or one less."""
    # What was taken back takes one piece of work back; a correction by hand is none.
    is_rejected = or_(
        ScoreEntry.cause.like("reject:%"), ScoreEntry.cause.like("lift:late_entry:%")
    )
    is_by_hand = ScoreEntry.cause.like("adjust:%")
    return case(
        (and_(ScoreEntry.service_minutes > 0, ~is_by_hand), 1),
        (and_(ScoreEntry.service_minutes < 0, is_rejected), -1),
        else_=0,
    )


def _rows(period: Period, wanted: Sequence[Any]) -> Any:
    """Return the statement of a sheet: one row a registration, with its sums."""
    of_quarter = ScoreEntry.earned_on >= period.first_on
    piece = _piece()
    sums = (
        select(
            DualRegistration.id,
            *(
                func.coalesce(func.sum(each), 0).label(name)
                for name, each in (
                    ("minutes", case((of_quarter, ScoreEntry.service_minutes), else_=0)),
                    ("tasks", case((of_quarter, piece), else_=0)),
                    ("year_minutes", ScoreEntry.service_minutes),
                    ("year_tasks", piece),
                )
            ),
        )
        .join(Community, Community.id == DualRegistration.community_id)
        .join(WorkUnit, WorkUnit.id == DualRegistration.work_unit_id)
        .outerjoin(
            ScoreEntry,
            and_(
                ScoreEntry.member_id == DualRegistration.member_id,
                ScoreEntry.earned_on >= date(period.first_on.year, 1, 1),
                ScoreEntry.earned_on < period.end_on,
                ScoreEntry.earned_on >= DualRegistration.from_on,
                or_(
                    DualRegistration.until_on.is_(None),
                    ScoreEntry.earned_on < DualRegistration.until_on,
                ),
            ),
        )
        .where(*wanted)
        .group_by(DualRegistration.id)
        .subquery()
    )
    home = aliased(Organization)
    return (
        select(
            DualRegistration.named_at.is_not(None).label("is_named"),
            DualRegistration.id,
            Member.name,
            home.name.label("community"),
            DualRegistration.from_on,
            DualRegistration.until_on,
            sums.c.minutes,
            sums.c.tasks,
            sums.c.year_minutes,
            sums.c.year_tasks,
            func.coalesce(DualComment.comment, "").label("comment"),
        )
        .join(sums, sums.c.id == DualRegistration.id)
        .join(Member, Member.id == DualRegistration.member_id)
        .join(home, home.id == DualRegistration.community_id)
        .outerjoin(
            DualComment,
            and_(
                DualComment.registration_id == DualRegistration.id,
                DualComment.period == period.name,
            ),
        )
        .order_by(home.code, Member.volunteer_no, DualRegistration.id)
    )
