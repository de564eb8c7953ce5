"""Reads of attendances under review: one, those of a scope, and what each rests on."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session, aliased

from pointsbank.attendance.models import (
    Attendance,
    RollCall,
    RollCallAnswer,
    Scan,
)
from pointsbank.attendance.review_errors import ReviewNotFound
from pointsbank.attendance.weighing import Reason
from pointsbank.core.text import masked_name
from pointsbank.members.models import Member
from pointsbank.organizations.models import Organization
from pointsbank.organizations.queries import in_scope, within
from pointsbank.tasks.models import Shift, Task

DECIDED = ("approved", "refused")
# A person has a handful of scans at a shift; more than this are a machine's.
SCANS_SHOWN_MAX = 60


@dataclass(frozen=True)
class ReviewFile:
    """An attendance that somebody else looks at; every name is masked.

    All comings of the person at that shift are decided together; id is the first one's.
    """

    id: int
    shift_id: int
    title: str
    place_name: str
    starts_at: datetime
    ends_at: datetime
    organization_name: str
    path: str
    organizer_id: int
    organizer_name: str
    member_id: int
    display_name: str
    volunteer_no: str
    score: int
    reasons: tuple[Reason, ...]
    state: str
    attendance_state: str
    held_reason: str | None
    points: int | None
    service_minutes: int | None
    settled_by_id: int | None
    settled_by_name: str
    settled_at: datetime | None
    reviewed_by_id: int | None
    reviewed_by_name: str
    reviewed_at: datetime | None
    note: str | None

    @property
    def involved(self) -> frozenset[int]:
        """Who does not decide: the organizer, who settled, and the person themself."""
        return frozenset({self.organizer_id, self.member_id, self.settled_by_id or 0})


@dataclass(frozen=True)
class Stay:
    """One time of coming and going."""

    occurrence: int
    came_at: datetime | None
    left_at: datetime | None


@dataclass(frozen=True)
class ScanSeen:
    """One scan of the person at the shift, refused and undone ones too.

    by_name: who held the camera, masked; is_own: the person themself. device_people: how many
    people this phone scanned for themselves at this shift; 0 when no phone said its name.
    """

    id: int
    at: datetime
    recorded_at: datetime
    code_kind: str
    direction: str | None
    result: str
    reason: str
    counts: bool
    is_offline: bool
    is_undone: bool
    is_own: bool
    by_name: str
    device_people: int
    flags: tuple[str, ...]
    note: str | None


@dataclass(frozen=True)
class OtherShift:
    """Another shift at which the person stands as present at the same time."""

    title: str
    came_at: datetime
    left_at: datetime


@dataclass(frozen=True)
class Evidence:
    """What a review rests on; answers: what roll calls found of the person, in order."""

    stays: tuple[Stay, ...]
    scans: tuple[ScanSeen, ...]
    elsewhere: tuple[OtherShift, ...]
    answers: tuple[bool | None, ...]


def _files() -> Select[*tuple[Any, ...]]:
    member, organizer = aliased(Member), aliased(Member)
    settler, reviewer = aliased(Member), aliased(Member)
    return (
        select(
            Attendance.id,
            Attendance.shift_id,
            Task.title,
            Shift.place_name,
            Shift.starts_at,
            Shift.ends_at,
            Organization.name.label("organization_name"),
            Organization.path,
            Task.organizer_id,
            organizer.name.label("organizer_name"),
            Attendance.member_id,
            member.name.label("display_name"),
            member.volunteer_no,
            Attendance.review_score.label("score"),
            Attendance.review_reasons.label("reasons"),
            Attendance.review_state.label("state"),
            Attendance.state.label("attendance_state"),
            Attendance.held_reason,
            Attendance.points,
            Attendance.service_minutes,
            Attendance.settled_by_id,
            settler.name.label("settled_by_name"),
            Attendance.settled_at,
            Attendance.reviewed_by_id,
            reviewer.name.label("reviewed_by_name"),
            Attendance.reviewed_at,
            Attendance.review_note.label("note"),
        )
        .join(Shift, Shift.id == Attendance.shift_id)
        .join(Task, Task.id == Shift.task_id)
        .join(Organization, Organization.id == Task.organization_id)
        .join(member, member.id == Attendance.member_id)
        .join(organizer, organizer.id == Task.organizer_id)
        .outerjoin(settler, settler.id == Attendance.settled_by_id)
        .outerjoin(reviewer, reviewer.id == Attendance.reviewed_by_id)
        .where(Attendance.review_state != "none")
    )


NAMES = ("organizer_name", "display_name", "settled_by_name", "reviewed_by_name")


def _file(row: Any) -> ReviewFile:
    values = dict(row._mapping)
    for name in NAMES:
        values[name] = masked_name(values[name]) if values[name] else ""
    values["reasons"] = tuple(
        Reason(each["code"], each["weight"]) for each in values["reasons"] or ()
    )
    return ReviewFile(**values)


def review_of(session: Session, attendance_id: int, paths: Iterable[str]) -> ReviewFile:
    """Return a review of a shift under one of these paths.

    Raises ReviewNotFound, for a foreign one as for an unknown one.
    """
    row = session.execute(_files().where(Attendance.id == attendance_id)).first()
    if row is None or not in_scope(row.path, paths):
        raise ReviewNotFound
    return _file(row)


def own_review(session: Session, attendance_id: int, member_id: int) -> ReviewFile:
    """Return the review of one's own attendance.

    Raises ReviewNotFound, for another's as for an unknown one.
    """
    row = session.execute(
        _files().where(Attendance.id == attendance_id, Attendance.member_id == member_id)
    ).first()
    if row is None:
        raise ReviewNotFound
    return _file(row)


def reviews_within(
    session: Session,
    paths: Sequence[str],
    *,
    is_waiting: bool,
    after_id: int | None = None,
    limit: int = 50,
) -> list[ReviewFile]:
    """Return the reviews under these paths: those that wait from the oldest on, or those that
    are decided from the newest on."""
    statement = _files().where(within(Organization.path, paths)).limit(limit)
    if is_waiting:
        statement = statement.where(Attendance.review_state == "waiting")
        if after_id is not None:
            statement = statement.where(Attendance.id > after_id)
        return [_file(row) for row in session.execute(statement.order_by(Attendance.id))]
    statement = statement.where(Attendance.review_state.in_(DECIDED))
    if after_id is not None:
        statement = statement.where(Attendance.id < after_id)
    return [_file(row) for row in session.execute(statement.order_by(Attendance.id.desc()))]


def evidence_of(session: Session, found: ReviewFile) -> Evidence:
    """Return what speaks for and against an attendance: scans, hours elsewhere, roll calls."""
    return Evidence(
        tuple(_stays(session, found)),
        tuple(_scans(session, found)),
        tuple(_elsewhere(session, found)),
        tuple(_answers(session, found)),
    )


def _stays(session: Session, found: ReviewFile) -> Iterable[Stay]:
    rows = session.execute(
        select(Attendance.occurrence, Attendance.checked_in_at, Attendance.checked_out_at)
        .where(Attendance.shift_id == found.shift_id, Attendance.member_id == found.member_id)
        .order_by(Attendance.occurrence)
    )
    return (Stay(*row) for row in rows)


def _scans(session: Session, found: ReviewFile) -> Iterable[ScanSeen]:
    other = aliased(Scan)
    people = (
        select(func.count(other.member_id.distinct()))
        .where(
            other.device_id == Scan.device_id,
            other.shift_id == Scan.shift_id,
            other.code_kind == "venue",
            other.counts,
        )
        .scalar_subquery()
    )
    rows = session.execute(
        select(Scan, Member.name, people.label("people"))
        .join(Member, Member.id == Scan.actor_id)
        .where(Scan.shift_id == found.shift_id, Scan.member_id == found.member_id)
        .order_by(Scan.scanned_at, Scan.id)
        .limit(SCANS_SHOWN_MAX)
    )
    for scan, name, count in rows:
        yield ScanSeen(
            id=scan.id,
            at=scan.scanned_at,
            recorded_at=scan.recorded_at,
            code_kind=scan.code_kind,
            direction=scan.direction,
            result=scan.result,
            reason=scan.reason,
            counts=scan.counts,
            is_offline=scan.is_offline,
            is_undone=scan.undone_at is not None,
            is_own=scan.actor_id == scan.member_id,
            by_name=masked_name(name),
            device_people=int(count or 0) if scan.code_kind == "venue" else 0,
            flags=tuple(scan.flags or ()),
            note=scan.note,
        )


def _elsewhere(session: Session, found: ReviewFile) -> Iterable[OtherShift]:
    rows: Iterable[Any] = session.execute(
        select(Task.title, Attendance.checked_in_at, Attendance.checked_out_at)
        .join(Shift, Shift.id == Attendance.shift_id)
        .join(Task, Task.id == Shift.task_id)
        .where(
            Attendance.member_id == found.member_id,
            Attendance.shift_id != found.shift_id,
            Attendance.state != "rejected",
            Attendance.checked_in_at.is_not(None),
            Attendance.checked_out_at.is_not(None),
            Attendance.checked_in_at < found.ends_at,
            Attendance.checked_out_at > found.starts_at,
        )
        .order_by(Attendance.checked_in_at)
    )
    return (OtherShift(*row) for row in rows)


def _answers(session: Session, found: ReviewFile) -> Sequence[bool | None]:
    return session.scalars(
        select(RollCallAnswer.is_here)
        .join(RollCall, RollCall.id == RollCallAnswer.roll_call_id)
        .where(RollCall.shift_id == found.shift_id, RollCallAnswer.member_id == found.member_id)
        .order_by(RollCall.id)
    ).all()
