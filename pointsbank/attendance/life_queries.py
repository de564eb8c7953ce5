"""What a branch held in a year of the three meetings and one lecture, and who took part."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from pointsbank.attendance.models import Attendance
from pointsbank.core.calendar import Period, local_day
from pointsbank.core.text import masked_name
from pointsbank.members.models import Member
from pointsbank.organizations.models import Organization
from pointsbank.organizations.queries import OrganizationNode
from pointsbank.tasks.models import MEETING_KINDS, Shift, Task

# Rule: docs/appraisals.md, "Organization life": the usual rhythm, so often in a year.
USUAL_A_YEAR = {
    "branch_assembly": 4,
    "committee": 12,
    "group": 12,
    "lecture": 4,
    "theme_day": 12,
}
OTHER = "other"
MONTHS_A_YEAR = 12
TOOK_PART = ("present", "left", "credited", "held")
PARTY_KINDS = ("party_member", "probationary_member")
# Years for which a page is made.
FIRST_YEAR, LAST_YEAR = 2020, 2099


@dataclass(frozen=True)
class Meeting:
    """One meeting that took place; took_part: how many were there."""

    shift_id: int
    title: str
    kind: str
    held_on: date
    took_part: int


@dataclass(frozen=True)
class Rhythm:
    """How often a kind was held; usual: how often it is by the day asked about."""

    kind: str
    held: int
    usual: int
    by_month: tuple[int, ...]

    @property
    def missing(self) -> int:
        """How many are missing by now, 0 where none is."""
        return max(0, self.usual - self.held)


@dataclass(frozen=True)
class Attendee:
    """A party member of the branch and how many of its meetings they were at; masked."""

    member_id: int
    display_name: str
    volunteer_no: str
    took_part: int


@dataclass(frozen=True)
class Life:
    """A branch's organization life of one year."""

    year: int
    rhythms: tuple[Rhythm, ...]
    meetings: tuple[Meeting, ...]
    attendees: tuple[Attendee, ...]


def life_of(
    session: Session,
    branch: OrganizationNode,
    period: Period,
    *,
    zone: ZoneInfo,
    today: date,
) -> Life:
    """Return what a branch and what is under it held in a year through today.

    Meetings are tasks of the kind meeting; one that was called off, or to which nobody came,
    was not held. Who took part stands in the attendance, by scan or by the lead's hand.
    """
    meetings, there = _meetings(session, branch, period, zone, today)
    kinds = [*MEETING_KINDS, *([OTHER] if any(m.kind == OTHER for m in meetings) else [])]
    counted = Counter(member_id for people in there.values() for member_id in people)
    rows = session.execute(
        select(Member.id, Member.name, Member.volunteer_no)
        .join(Organization, Organization.id == Member.organization_id)
        .where(
            Organization.path.startswith(branch.path, autoescape=True),
            Member.state == "active",
            Member.kind.in_(PARTY_KINDS),
        )
        .order_by(Member.volunteer_no)
    )
    return Life(
        year=period.first_on.year,
        rhythms=tuple(_rhythm(kind, meetings, period.first_on.year, today) for kind in kinds),
        meetings=tuple(meetings),
        attendees=tuple(
            Attendee(row.id, masked_name(row.name), row.volunteer_no, counted[row.id])
            for row in rows
        ),
    )


def _meetings(
    session: Session, branch: OrganizationNode, period: Period, zone: ZoneInfo, today: date
) -> tuple[list[Meeting], dict[int, set[int]]]:
    rows = session.execute(
        select(Shift.id, Shift.starts_at, Task.title, Task.meeting_kind)
        .join(Task, Task.id == Shift.task_id)
        .join(Organization, Organization.id == Task.organization_id)
        .where(
            Organization.path.startswith(branch.path, autoescape=True),
            Task.kind == "meeting",
            Task.state == "open",
            Shift.called_off_at.is_(None),
            Shift.starts_at >= period.starts_at(zone),
            Shift.starts_at < period.ends_at(zone),
        )
        .order_by(Shift.starts_at.desc(), Shift.id.desc())
    ).all()
    past = [row for row in rows if local_day(row.starts_at, zone) <= today]
    there = _people_at(session, [row.id for row in past])
    meetings = [
        Meeting(
            shift_id=row.id,
            title=row.title,
            kind=row.meeting_kind or OTHER,
            held_on=local_day(row.starts_at, zone),
            took_part=len(there[row.id]),
        )
        for row in past
        if there[row.id]
    ]
    return meetings, there


def _people_at(session: Session, shift_ids: Sequence[int]) -> dict[int, set[int]]:
    found: dict[int, set[int]] = defaultdict(set)
    rows = session.execute(
        select(Attendance.shift_id, Attendance.member_id).where(
            Attendance.shift_id.in_(shift_ids), Attendance.state.in_(TOOK_PART)
        )
    )
    for shift_id, member_id in rows:
        found[shift_id].add(member_id)
    return found


def _rhythm(kind: str, meetings: Sequence[Meeting], year: int, today: date) -> Rhythm:
    by_month = Counter(each.held_on.month for each in meetings if each.kind == kind)
    # Months that are over: of a year to come none, of one that is over all twelve.
    months = min(max(MONTHS_A_YEAR * (today.year - year) + today.month - 1, 0), MONTHS_A_YEAR)
    return Rhythm(
        kind=kind,
        held=sum(by_month.values()),
        usual=USUAL_A_YEAR.get(kind, 0) * months // MONTHS_A_YEAR,
        by_month=tuple(by_month[month] for month in range(1, MONTHS_A_YEAR + 1)),
    )
