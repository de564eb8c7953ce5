"""Taking a scan back: for a minute, by whoever made it; the scan stays on record as undone."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from pointsbank.attendance.errors import CannotUndo, ScanNotFound, UndoTooLate
from pointsbank.attendance.models import Attendance, Scan
from pointsbank.attendance.queries import Arrivals, arrivals_of
from pointsbank.attendance.verdicts import UNDO_SECONDS
from pointsbank.core.audit import note


@dataclass(frozen=True)
class Undone:
    """A scan that was taken back, and the counts without it."""

    scan_id: int
    undone_at: datetime
    arrivals: Arrivals


def undo_scan(session: Session, *, scan_id: int, actor_id: int, now: datetime) -> Undone:
    """Take a check-in or a check-out back; a repeat answers the same.

    A claim made on the spot stays: giving a place up is the member's own wish.
    Raises ScanNotFound (also for another person's), UndoTooLate, CannotUndo when nothing stands
    on the scan, a check-out stands on it, or the shift's line is settled.
    """
    scan = session.scalars(
        select(Scan).where(Scan.id == scan_id, Scan.actor_id == actor_id).with_for_update()
    ).first()
    if scan is None:
        raise ScanNotFound
    if scan.shift_id is None or (scan.undone_at is None and not scan.counts):
        raise CannotUndo
    if scan.undone_at is None:
        if now > scan.recorded_at + timedelta(seconds=UNDO_SECONDS):
            raise UndoTooLate
        take_back(session, scan, now)
        note(
            session,
            at=now,
            actor_id=actor_id,
            action="scan_undone",
            subject=("scan", scan_id),
            direction=scan.direction,
        )
    return Undone(scan_id, scan.undone_at or now, arrivals_of(session, scan.shift_id))


def take_back(session: Session, scan: Scan, now: datetime) -> None:
    """Take what a counting scan did back; the scan stays on record as undone.

    Raises CannotUndo when something later stands on it, or the line is settled.
    """
    _take_back(session, scan)
    scan.counts, scan.undone_at = False, now
    session.flush()
    _restore_earlier_check_out(session, scan)


def _take_back(session: Session, scan: Scan) -> None:
    attendance = session.scalars(
        select(Attendance)
        .where(
            Attendance.shift_id == scan.shift_id,
            Attendance.member_id == scan.member_id,
            Attendance.occurrence == scan.occurrence,
        )
        .with_for_update()
    ).first()
    if attendance is None or attendance.settled_at is not None:
        raise CannotUndo
    if attendance.state == "rejected" or _came_again(session, scan):
        raise CannotUndo
    if scan.direction == "out":
        attendance.checked_out_at, attendance.state = None, "present"
        session.flush()
    elif attendance.checked_out_at is not None:
        raise CannotUndo
    else:
        session.execute(delete(Attendance).where(Attendance.id == attendance.id))


def _came_again(session: Session, scan: Scan) -> bool:
    """Tell whether the person came once more after the coming that this scan is about."""
    later = session.scalar(
        select(Attendance.id)
        .where(
            Attendance.shift_id == scan.shift_id,
            Attendance.member_id == scan.member_id,
            Attendance.occurrence > scan.occurrence,
        )
        .limit(1)
    )
    return later is not None


def _restore_earlier_check_out(session: Session, scan: Scan) -> None:
    """Let the check-out stand again that this one had taken the place of, if there is one."""
    if scan.direction != "out":
        return
    earlier = session.scalars(
        select(Scan)
        .where(
            Scan.shift_id == scan.shift_id,
            Scan.member_id == scan.member_id,
            Scan.direction == "out",
            Scan.occurrence == scan.occurrence,
            Scan.reason == "ok_out",
            Scan.undone_at.is_(None),
            Scan.id < scan.id,
        )
        .order_by(Scan.id.desc())
        .limit(1)
    ).first()
    if earlier is None:
        return
    earlier.counts = True
    session.execute(
        update(Attendance)
        .where(
            Attendance.shift_id == scan.shift_id,
            Attendance.member_id == scan.member_id,
            Attendance.occurrence == scan.occurrence,
        )
        .values(checked_out_at=earlier.scanned_at, state="left")
    )
