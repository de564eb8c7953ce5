"""Reads of attendance: all that a scan is judged by in one statement, and the sheet of a
shift."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import JSON, Date, Row, TextualSelect, bindparam, func, select, text
from sqlalchemy.orm import Session

from pointsbank.attendance.models import Attendance, Pair, Scan
from pointsbank.core.db import Moment
from pointsbank.members.models import Member
from pointsbank.tasks.models import Shift, ShiftRole, Task

# One round trip for everything a scan is judged by. What is missing is null, so that one shape
# serves a code of nobody, a shift that does not exist and a person without a claim. The counts
# read the attendance of one shift only, and nobody waits while a place is free.
FIND_FACTS = """
    SELECT prior.id AS prior_id, prior.verdict AS prior_verdict,
           m.id AS member_id, m.name, m.state AS member_state,
           s.id AS shift_id, s.starts_at, s.ends_at, s.places, s.claimed, s.place_name,
           s.latitude, s.longitude, s.called_off_at, s.break_minutes,
           t.title, t.state AS task_state, t.organizer_id, o.path,
           c.id AS claim_id, c.state AS claim_state, c.queue_no, c.accept_by, c.missed_at,
           a.id AS attendance_id, a.occurrence AS pairs, a.state AS attendance_state,
           a.checked_in_at, a.checked_out_at, a.settled_at, a.flags, longer.until,
           i.id AS item_id, i.code, i.name AS item_name, i.name_zh, i.category, i.unit,
           i.points,
           i.evaluation_hundredths, i.counts_minutes, i.unit_minutes, i.share_min_percent,
           i.day_minutes_max, i.coefficient_percent_max, rules.rounding, t.coefficient_percent,
           (SELECT COUNT(DISTINCT came.member_id) FROM attendance AS came
            WHERE came.shift_id = s.id AND came.state <> 'rejected') AS arrived,
           (SELECT COUNT(*) FROM attendance AS here
            WHERE here.shift_id = s.id AND here.checked_out_at IS NULL
              AND here.state <> 'rejected') AS present,
           CASE WHEN s.claimed < s.places THEN 0 ELSE
               (SELECT COUNT(*) FROM claim AS line
                WHERE line.shift_id = s.id AND line.state = 'waitlisted') END AS waiting,
           (SELECT SUM(entry.service_minutes) FROM score_entry AS entry
            WHERE entry.member_id = m.id AND entry.earned_on = :today) AS minutes_today,
           (SELECT MIN(other.id) FROM scan AS other
            WHERE other.device_id = :device_id AND other.shift_id = s.id AND other.counts
              AND other.member_id <> m.id) AS other_on_device
    FROM (SELECT 1 AS one) AS base
    LEFT JOIN scan AS prior ON prior.actor_id = :actor_id AND prior.nonce = :nonce
    LEFT JOIN member AS m ON {who}
    LEFT JOIN shift AS s ON {where}
    LEFT JOIN task AS t ON t.id = s.task_id
    LEFT JOIN organization AS o ON o.id = t.organization_id
    LEFT JOIN claim AS c
        ON c.shift_id = s.id AND c.member_id = m.id AND c.state <> 'withdrawn'
    LEFT JOIN attendance AS a
        ON a.shift_id = s.id AND a.member_id = m.id AND a.occurrence =
            (SELECT MAX(last.occurrence) FROM attendance AS last
             WHERE last.shift_id = s.id AND last.member_id = m.id)
    LEFT JOIN overtime AS longer ON longer.shift_id = s.id AND longer.state = 'approved'
    LEFT JOIN scoring_standard AS rules
        ON rules.state = 'published' AND rules.valid_from =
            (SELECT MAX(valid_from) FROM scoring_standard
             WHERE state = 'published' AND valid_from <= :today)
    LEFT JOIN scoring_item AS i ON i.standard_id = rules.id AND i.code = t.scoring_item
"""
WHO = {"id": "m.id = :member_id", "handle": "m.handle = :member_handle"}
WHERE = {"id": "s.id = :shift_id", "handle": "s.handle = :shift_handle"}


def _facts_statement(who: str, where: str) -> TextualSelect:
    statement = text(FIND_FACTS.format(who=WHO[who], where=WHERE[where]))
    return statement.bindparams(
        bindparam("today", type_=Date()), bindparam("device_id", type_=Scan.device_id.type)
    ).columns(
        prior_verdict=JSON(),
        starts_at=Moment(),
        ends_at=Moment(),
        called_off_at=Moment(),
        accept_by=Moment(),
        until=Moment(),
        missed_at=Moment(),
        checked_in_at=Moment(),
        checked_out_at=Moment(),
        settled_at=Moment(),
        flags=JSON(),
    )


FACTS = {(who, where): _facts_statement(who, where) for who in WHO for where in WHERE}


@dataclass(frozen=True)
class Subject:
    """Whom and where a scan is about: each by id or by the handle in the code."""

    member_id: int | None = None
    member_handle: bytes | None = None
    shift_id: int | None = None
    shift_handle: bytes | None = None


def facts_of(
    session: Session,
    subject: Subject,
    *,
    actor_id: int,
    nonce: str,
    device_id: str | None,
    today: date,
) -> Row[Any]:
    """Return all that a scan is judged by, and the answer that its nonce already has, if it has
    one."""
    who = "handle" if subject.member_handle is not None else "id"
    where = "handle" if subject.shift_handle is not None else "id"
    return session.execute(
        FACTS[who, where],
        {
            **vars(subject),
            "actor_id": actor_id,
            "nonce": nonce,
            "device_id": device_id,
            "today": today,
        },
    ).one()


FIRST_MARK = text(
    """
    SELECT scan.scanned_at, scan.actor_id, scan.device_id, scan.member_id, member.name
    FROM scan JOIN member ON member.id = scan.actor_id
    WHERE scan.shift_id = :shift_id AND scan.member_id = :member_id
      AND scan.direction = :direction AND scan.occurrence = :occurrence AND scan.counts
    """
).columns(scanned_at=Moment())


def first_mark(
    session: Session, *, shift_id: int, member_id: int, direction: str, occurrence: int
) -> Row[Any] | None:
    """Return the scan by which somebody was checked in or out, with who made it."""
    return session.execute(
        FIRST_MARK,
        {
            "shift_id": shift_id,
            "member_id": member_id,
            "direction": direction,
            "occurrence": occurrence,
        },
    ).first()


def pairs_of(
    session: Session, shift_id: int, member_ids: Sequence[int]
) -> dict[int, list[Pair]]:
    """Return when each of these members came and left, in order, without what was rejected."""
    rows = session.execute(
        select(Attendance.member_id, Attendance.checked_in_at, Attendance.checked_out_at)
        .where(
            Attendance.shift_id == shift_id,
            Attendance.member_id.in_(member_ids),
            Attendance.state != "rejected",
        )
        .order_by(Attendance.member_id, Attendance.occurrence)
    )
    pairs: dict[int, list[Pair]] = {}
    for row in rows:
        pairs.setdefault(row.member_id, []).append((row.checked_in_at, row.checked_out_at))
    return pairs


def lock_attendance(session: Session, attendance_id: int) -> None:
    """Hold a row of attendance fast until the transaction ends."""
    session.execute(
        select(Attendance.id).where(Attendance.id == attendance_id).with_for_update()
    )


def trees_of(session: Session, shift_id: int) -> list[tuple[dict[str, Any], dict[str, Any]]]:
    """Return what the task and each role of a shift ask of people who join."""
    rows = session.execute(
        select(Task.eligibility, ShiftRole.eligibility)
        .join(Shift, Shift.id == ShiftRole.shift_id)
        .join(Task, Task.id == Shift.task_id)
        .where(ShiftRole.shift_id == shift_id)
        .order_by(ShiftRole.id)
    )
    return [(row[0], row[1]) for row in rows]


CLAIMED_SHIFTS = (
    text(
        """
    SELECT s.id, s.starts_at, s.ends_at, s.place_name, t.title, o.path
    FROM claim AS c
    JOIN member AS m ON m.id = c.member_id
    JOIN shift AS s ON s.id = c.shift_id AND s.called_off_at IS NULL
    JOIN task AS t ON t.id = s.task_id AND t.state = 'open'
    JOIN organization AS o ON o.id = t.organization_id
    WHERE (m.id = :member_id OR m.handle = :member_handle) AND c.state = 'claimed'
      AND s.starts_at <= :starts_by AND s.ends_at >= :ends_from
    ORDER BY s.starts_at, s.id
    """
    )
    .bindparams(
        bindparam("starts_by", type_=Moment()),
        bindparam("ends_from", type_=Moment()),
        bindparam("member_id", type_=Member.id.type),
        bindparam("member_handle", type_=Member.handle.type),
    )
    .columns(starts_at=Moment(), ends_at=Moment())
)


def claimed_shifts(
    session: Session,
    subject: Subject,
    *,
    starts_by: datetime,
    ends_from: datetime,
) -> Sequence[Row[Any]]:
    """Return the open shifts on which this member has a place, within this span of time."""
    return session.execute(
        CLAIMED_SHIFTS,
        {
            "member_id": subject.member_id,
            "member_handle": subject.member_handle,
            "starts_by": starts_by,
            "ends_from": ends_from,
        },
    ).all()


def was_asked_to_confirm(
    session: Session, *, actor_id: int, code_hash: bytes, since: datetime
) -> bool:
    """Tell whether this code was answered with a question to this person since then."""
    found = session.scalar(
        select(Scan.id)
        .where(
            Scan.code_hash == code_hash,
            Scan.actor_id == actor_id,
            Scan.result == "confirm",
            Scan.recorded_at >= since,
        )
        .limit(1)
    )
    return found is not None


@dataclass(frozen=True)
class Arrivals:
    """How many came to a shift and how many are there now."""

    arrived: int
    present: int


def arrivals_of(session: Session, shift_id: int) -> Arrivals:
    """Return the counts that stand on the venue's screen and above the station."""
    row = session.execute(
        select(
            func.count(Attendance.member_id.distinct()),
            func.count(Attendance.id).filter(Attendance.checked_out_at.is_(None)),
        ).where(Attendance.shift_id == shift_id, Attendance.state != "rejected")
    ).one()
    return Arrivals(int(row[0]), int(row[1]))


def latest_arrivals(
    session: Session, shift_id: int, limit: int = 4
) -> list[tuple[datetime, str]]:
    """Return when the last people came, and their names; doors mask them."""
    rows = session.execute(
        select(Attendance.checked_in_at, Member.name)
        .join(Member, Member.id == Attendance.member_id)
        .where(Attendance.shift_id == shift_id, Attendance.checked_in_at.is_not(None))
        .order_by(Attendance.checked_in_at.desc(), Attendance.id.desc())
        .limit(limit)
    )
    return [(row.checked_in_at, row.name) for row in rows]


@dataclass(frozen=True)
class ScanLine:
    """A scan as the list below the camera shows it; name is full, doors mask it."""

    id: int
    result: str
    reason: str
    counts: bool
    recorded_at: datetime
    name: str | None


def latest_scans(
    session: Session, shift_id: int, actor_id: int, limit: int = 5
) -> list[ScanLine]:
    """Return the last scans of one person at a shift, newest first, with whom each is about."""
    rows: Iterable[Any] = session.execute(
        select(Scan.id, Scan.result, Scan.reason, Scan.counts, Scan.recorded_at, Member.name)
        .outerjoin(Member, Member.id == Scan.member_id)
        .where(Scan.shift_id == shift_id, Scan.actor_id == actor_id)
        .order_by(Scan.id.desc())
        .limit(limit)
    )
    return [ScanLine(*row) for row in rows]


def task_of_handle(session: Session, shift_handle: bytes) -> str | None:
    """Return the title of the open task whose shift has this handle."""
    return session.scalar(
        select(Task.title)
        .join(Shift, Shift.task_id == Task.id)
        .where(Shift.handle == shift_handle, Task.state == "open")
    )
