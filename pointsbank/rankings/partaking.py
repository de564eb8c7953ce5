"""What a dashboard counts of a period: who took part where, months, the share by hand, gaps."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import String, and_, case, cast, exists, extract, func, literal, or_, select
from sqlalchemy.orm import Session, aliased

from pointsbank.attendance.models import Attendance, Scan
from pointsbank.core.calendar import Period
from pointsbank.members.models import Belonging, Member
from pointsbank.organizations.models import Organization
from pointsbank.organizations.queries import within
from pointsbank.rankings.sources import covers, last_day
from pointsbank.scoring.models import ScoreEntry
from pointsbank.tasks.models import Shift, Task

# What somebody did; a deduction is nothing that they took part in.
DEDUCTION = "deduction"
GRID_KINDS = ("grid", "micro_grid")
MEETING = "meeting"
# Causes of adjustments and of late entries, and of what took late entries back.
BY_HAND = ("adjust:%", "late_entry:%", "lift:late_entry:%")
STILL_OPEN = ("present", "left")


@dataclass(frozen=True)
class PlacePart:
    """An organization or a grid: its members on the period's last day, and who took part."""

    code: str
    name: str
    members: int
    active: int

    @property
    def percent(self) -> int:
        """The share that took part, in whole percent; 0 without members."""
        return (200 * self.active + self.members) // (2 * self.members) if self.members else 0


@dataclass(frozen=True)
class MonthPart:
    """One month: what was earned in it, and how many people took part."""

    minutes: int = 0
    points: int = 0
    people: int = 0


@dataclass(frozen=True)
class Entered:
    """Points and minutes of a period by how they were entered.

    typed_*: attendance that stands on a typed member number. adjusted_*: approved adjustments
    and late entries, whichever their sign. all_*: these and everything that was scanned. net_*:
    what is left of all with the signs of adjustments.
    """

    all_points: int
    all_minutes: int
    net_points: int
    net_minutes: int
    typed_points: int
    typed_minutes: int
    adjusted_points: int
    adjusted_minutes: int

    @property
    def points_percent(self) -> int:
        """The share of points by hand, in whole percent, rounded up: one of a thousand is 1."""
        return _share(self.typed_points + self.adjusted_points, self.all_points)

    @property
    def minutes_percent(self) -> int:
        """The share of service time by hand, in whole percent, rounded up."""
        return _share(self.typed_minutes + self.adjusted_minutes, self.all_minutes)


@dataclass(frozen=True)
class Gaps:
    """What a period's figures do not hold yet, of shifts that are over: meetings by themselves.

    unsettled: there is a list, and nobody has settled it.
    """

    meetings_without_list: int
    shifts_without_list: int
    shifts_unsettled: int


def parts_by_branch(session: Session, paths: Sequence[str], period: Period) -> list[PlacePart]:
    """Return the organizations that members belong to, those with the smallest share first."""
    return _parts(session, paths, period, Belonging.organization_id)


def parts_by_grid(session: Session, paths: Sequence[str], period: Period) -> list[PlacePart]:
    """Return the grids under these paths, those with the smallest share first.

    A grid in which no member is recorded is there as well, with none.
    """
    found = {each.code: each for each in _parts(session, paths, period, Belonging.grid_id)}
    for code, name in session.execute(
        select(Organization.code, Organization.name).where(
            Organization.kind.in_(GRID_KINDS), within(Organization.path, paths)
        )
    ):
        found.setdefault(code, PlacePart(code, name, 0, 0))
    return sorted(found.values(), key=_order)


def _parts(
    session: Session, paths: Sequence[str], period: Period, place_id: Any
) -> list[PlacePart]:
    home, place = aliased(Organization), aliased(Organization)
    active = _took_part(period).subquery()
    rows = session.execute(
        select(
            place.code,
            place.name,
            func.count().label("members"),
            func.count(active.c.member_id).label("active"),
        )
        .select_from(Belonging)
        .join(Member, Member.id == Belonging.member_id)
        .join(home, home.id == Belonging.organization_id)
        .join(place, place.id == place_id)
        .outerjoin(active, active.c.member_id == Member.id)
        .where(
            Member.state == "active",
            covers(Belonging, last_day(period)),
            within(home.path, paths),
        )
        .group_by(place.code, place.name)
    )
    return sorted((PlacePart(*row) for row in rows), key=_order)


def _order(part: PlacePart) -> tuple[bool, int, str]:
    return (part.members == 0, part.percent, part.code)


def _took_part(period: Period) -> Any:
    """Return who did something in a period that was not taken back."""
    return (
        select(ScoreEntry.member_id)
        .where(
            ScoreEntry.earned_on >= period.first_on,
            ScoreEntry.earned_on < period.end_on,
            ScoreEntry.category != DEDUCTION,
        )
        .group_by(ScoreEntry.member_id)
        .having(_is_something())
    )


def _is_something() -> Any:
    return or_(
        func.sum(ScoreEntry.service_minutes) > 0,
        func.sum(ScoreEntry.points) > 0,
        func.sum(ScoreEntry.evaluation_hundredths) > 0,
    )


def parts_by_month(
    session: Session, paths: Sequence[str], first_on: date, end_on: date
) -> dict[tuple[int, int], MonthPart]:
    """Return what each (year, month) brought to the organizations under these paths.

    It stays where the person belonged when it was earned, also after they move.
    """
    year, month = (extract(part, ScoreEntry.earned_on) for part in ("year", "month"))
    each = (
        select(
            year.label("year"),
            month.label("month"),
            func.sum(ScoreEntry.service_minutes).label("minutes"),
            func.sum(ScoreEntry.points).label("points"),
            case((_is_something(), 1), else_=0).label("took_part"),
        )
        .join(Organization, Organization.id == ScoreEntry.organization_id)
        .where(
            ScoreEntry.earned_on >= first_on,
            ScoreEntry.earned_on < end_on,
            ScoreEntry.category != DEDUCTION,
            within(Organization.path, paths),
        )
        .group_by(year, month, ScoreEntry.member_id)
        .subquery()
    )
    rows = session.execute(
        select(
            each.c.year,
            each.c.month,
            func.sum(each.c.minutes),
            func.sum(each.c.points),
            func.sum(each.c.took_part),
        ).group_by(each.c.year, each.c.month)
    )
    return {
        (int(row[0]), int(row[1])): MonthPart(int(row[2]), int(row[3]), int(row[4]))
        for row in rows
    }


def entered_in(
    session: Session, paths: Sequence[str], period: Period, zone: ZoneInfo
) -> Entered:
    """Return how the points and minutes of a period came in, under these paths."""
    by_hand = or_(*(ScoreEntry.cause.like(each) for each in BY_HAND))
    columns = (ScoreEntry.points, ScoreEntry.service_minutes)
    row = session.execute(
        select(
            *(func.coalesce(func.sum(case((by_hand, 0), else_=each)), 0) for each in columns),
            *(
                func.coalesce(func.sum(case((by_hand, func.abs(each)), else_=0)), 0)
                for each in columns
            ),
            *(func.coalesce(func.sum(each), 0) for each in columns),
        )
        .join(Organization, Organization.id == ScoreEntry.organization_id)
        .where(
            ScoreEntry.earned_on >= period.first_on,
            ScoreEntry.earned_on < period.end_on,
            within(Organization.path, paths),
        )
    ).one()
    worked_points, worked_minutes, adjusted_points, adjusted_minutes = map(int, row[:4])
    typed_points, typed_minutes = _typed(session, paths, period, zone)
    return Entered(
        all_points=worked_points + adjusted_points,
        all_minutes=worked_minutes + adjusted_minutes,
        net_points=int(row[4]),
        net_minutes=int(row[5]),
        typed_points=min(typed_points, worked_points),
        typed_minutes=min(typed_minutes, worked_minutes),
        adjusted_points=adjusted_points,
        adjusted_minutes=adjusted_minutes,
    )


def _typed(
    session: Session, paths: Sequence[str], period: Period, zone: ZoneInfo
) -> tuple[int, int]:
    """Return points and minutes of credited attendance whose member number was typed."""
    is_typed = exists().where(
        Scan.shift_id == Attendance.shift_id,
        Scan.member_id == Attendance.member_id,
        Scan.occurrence == Attendance.occurrence,
        Scan.counts,
        Scan.code_kind == "manual",
    )
    row = session.execute(
        select(
            func.coalesce(func.sum(ScoreEntry.points), 0),
            func.coalesce(func.sum(ScoreEntry.service_minutes), 0),
        )
        .join(Organization, Organization.id == ScoreEntry.organization_id)
        .where(
            ScoreEntry.earned_on >= period.first_on,
            ScoreEntry.earned_on < period.end_on,
            within(Organization.path, paths),
            ScoreEntry.cause.in_(
                select(literal("award:") + cast(Attendance.claim_id, String))
                .join(Shift, Shift.id == Attendance.shift_id)
                .where(
                    Attendance.state == "credited",
                    Shift.starts_at >= period.starts_at(zone),
                    Shift.starts_at < period.ends_at(zone),
                    is_typed,
                )
            ),
        )
    ).one()
    return int(row[0]), int(row[1])


def gaps_in(
    session: Session, paths: Sequence[str], period: Period, zone: ZoneInfo, now: datetime
) -> Gaps:
    """Return what the figures of a period do not hold yet, of shifts that are over by now."""
    listed = (
        select(
            Attendance.shift_id,
            func.max(case((Attendance.state.in_(("present", "left")), 1), else_=0)).label(
                "open"
            ),
        )
        .group_by(Attendance.shift_id)
        .subquery()
    )
    is_unlisted = listed.c.shift_id.is_(None)
    row = session.execute(
        select(
            *(
                func.coalesce(func.sum(case((condition, 1), else_=0)), 0)
                for condition in (
                    and_(is_unlisted, Task.kind == MEETING),
                    and_(is_unlisted, Task.kind != MEETING),
                    listed.c.open == 1,
                )
            )
        )
        .select_from(Shift)
        .join(Task, Task.id == Shift.task_id)
        .join(Organization, Organization.id == Task.organization_id)
        .outerjoin(listed, listed.c.shift_id == Shift.id)
        .where(
            Task.state == "open",
            Shift.called_off_at.is_(None),
            Shift.ends_at < now,
            Shift.starts_at >= period.starts_at(zone),
            Shift.starts_at < period.ends_at(zone),
            within(Organization.path, paths),
        )
    ).one()
    return Gaps(*(int(each) for each in row))


def _share(part: int, whole: int) -> int:
    return -(-100 * part // whole) if whole > 0 else 0
