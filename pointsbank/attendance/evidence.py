"""Reads of what a shift is reviewed by: marks, hours elsewhere, head counts, roll calls."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session, aliased

from pointsbank.attendance.models import (
    Attendance,
    HeadCount,
    RollCall,
    RollCallAnswer,
    Scan,
)
from pointsbank.attendance.weighing import Elsewhere, Heads, Line, Mark, ShiftFacts
from pointsbank.tasks.errors import ShiftNotFound
from pointsbank.tasks.models import Shift, Task


def facts_for_review(session: Session, shift_id: int, zone: ZoneInfo) -> ShiftFacts:
    """Return all of a shift that is weighed: six statements, however many people came.

    zone: in which the night is night. Raises ShiftNotFound.
    """
    shift = session.execute(
        select(Shift.starts_at, Shift.ends_at, Task.organizer_id)
        .join(Task, Task.id == Shift.task_id)
        .where(Shift.id == shift_id)
    ).first()
    if shift is None:
        raise ShiftNotFound
    return ShiftFacts(
        starts_at=shift.starts_at,
        ends_at=shift.ends_at,
        zone=zone,
        organizer_id=shift.organizer_id,
        lines=tuple(_lines(session, shift_id)),
        marks=tuple(_marks(session, shift_id)),
        elsewhere=tuple(_elsewhere(session, shift_id, shift.starts_at, shift.ends_at)),
        heads=_heads(session, shift_id),
        absent=_absent(session, shift_id),
    )


def _lines(session: Session, shift_id: int) -> Iterable[Line]:
    rows = session.execute(
        select(
            Attendance.member_id,
            Attendance.occurrence,
            Attendance.checked_in_at,
            Attendance.checked_out_at,
            Attendance.flags,
        ).where(Attendance.shift_id == shift_id, Attendance.state != "rejected")
    )
    return (Line(*row[:4], tuple(row.flags or ())) for row in rows)


def _marks(session: Session, shift_id: int) -> Iterable[Mark]:
    rows: Iterable[Any] = session.execute(
        select(
            Scan.member_id,
            Scan.actor_id,
            Scan.direction,
            Scan.occurrence,
            Scan.code_kind,
            Scan.scanned_at,
            Scan.device_id,
        ).where(Scan.shift_id == shift_id, Scan.counts)
    )
    return (Mark(*row) for row in rows)


Here, There, Other = aliased(Attendance), aliased(Attendance), aliased(Shift)
# Built once: every settlement asks it.
ELSEWHERE = (
    select(
        There.member_id,
        There.checked_in_at,
        There.checked_out_at,
        Other.starts_at,
        Other.ends_at,
    )
    .join(Other, Other.id == There.shift_id)
    .where(
        There.member_id.in_(
            select(Here.member_id).where(Here.shift_id == bindparam("shift_id"))
        ),
        There.shift_id != bindparam("shift_id"),
        There.state != "rejected",
        There.checked_in_at.is_not(None),
        There.checked_out_at.is_not(None),
        Other.starts_at < bindparam("ends_at"),
        Other.ends_at > bindparam("starts_at"),
    )
)


def _elsewhere(
    session: Session, shift_id: int, starts_at: datetime, ends_at: datetime
) -> Iterable[Elsewhere]:
    """Return where these people were during this shift, clipped to the other shift's hours."""
    span = {"shift_id": shift_id, "starts_at": starts_at, "ends_at": ends_at}
    rows = session.execute(ELSEWHERE, span)
    return (
        Elsewhere(
            row.member_id,
            max(row.checked_in_at, row.starts_at),
            min(row.checked_out_at, row.ends_at),
        )
        for row in rows
    )


def _heads(session: Session, shift_id: int) -> Heads | None:
    row = session.execute(
        select(HeadCount.counted, HeadCount.by_scans, HeadCount.counted_at)
        .where(HeadCount.shift_id == shift_id)
        .order_by(HeadCount.id.desc())
        .limit(1)
    ).first()
    return Heads(*row) if row is not None else None


def _absent(session: Session, shift_id: int) -> frozenset[int]:
    """Return who was called up and not there. An answer stands, whatever a later call finds."""
    return frozenset(
        session.scalars(
            select(RollCallAnswer.member_id)
            .join(RollCall, RollCall.id == RollCallAnswer.roll_call_id)
            .where(RollCall.shift_id == shift_id, RollCallAnswer.is_here.is_(False))
        )
    )
