"""What the lead says of people whose marks are not whole: when they left, that they count."""

from collections.abc import Collection, Sequence
from datetime import datetime

from sqlalchemy import insert, update
from sqlalchemy.orm import Session

from pointsbank.attendance.errors import (
    CheckOutOutOfBounds,
    NobodyLacksCheckOut,
    NotHeld,
    OwnAttendance,
    ShiftNotOver,
)
from pointsbank.attendance.models import Attendance, Scan
from pointsbank.attendance.overtimes import overtime_of
from pointsbank.attendance.settling import (
    CLAIM_GIVEN_UP,
    COUNTS_ANYWAY,
    MISSING_CHECK_OUT,
)
from pointsbank.attendance.sheet import Coming, SheetLine, sheet_lines
from pointsbank.core.audit import note
from pointsbank.core.keys import keyed_hash
from pointsbank.scoring.policy import TOO_SHORT
from pointsbank.tasks.claiming import locked_shift
from pointsbank.tasks.errors import NotOpen
from pointsbank.tasks.queries import ShiftLine, TaskLine, shift_of

# A check-out that the lead entered afterwards; reviewers see it.
ENTERED = "check_out_entered"
# Held over a check-out that may be wrong: the lead names the person and says when they left.
HELD_OVER_CHECK_OUT = (MISSING_CHECK_OUT, TOO_SHORT)


def enter_check_outs(
    session: Session,
    *,
    shift_id: int,
    actor_id: int,
    paths: Sequence[str],
    reason: str,
    secret: str,
    now: datetime,
    left_at: datetime | None = None,
    only: Collection[int] | None = None,
) -> int:
    """Say when people left who have no check-out, and return of how many.

    left_at: the shift's end, or that of its overtime, when not given. only: these members;
    everyone who lacks a check-out when not given, without the lead themself. Whoever was held
    over it, missing or too early, is judged anew by the next settlement; an earlier check-out
    of somebody named stays on record and counts no more. A repeat finds nobody.
    Raises ShiftNotFound, NotOpen, ShiftNotOver, OwnAttendance, CheckOutOutOfBounds for a moment
    that is to come or lies before somebody came, NobodyLacksCheckOut for people who have one.
    """
    shift, _ = open_shift(session, shift_id, paths)
    if now < shift.ends_at:
        raise ShiftNotOver
    if only is not None and actor_id in only:
        raise OwnAttendance
    locked_shift(session, shift_id)
    found = [
        _coming_to_end(line, is_named=only is not None)
        for line in sheet_lines(session, shift_id, member_ids=only)
        if line.member_id != actor_id
    ]
    open_comings = [coming for coming in found if coming is not None]
    if only is not None and len(open_comings) < len(set(only)):
        raise NobodyLacksCheckOut
    moment = left_at if left_at is not None else _end_of(session, shift)
    if moment > now:
        raise CheckOutOutOfBounds
    if left_at is not None and any(
        coming.checked_in_at is not None and left_at < coming.checked_in_at
        for coming in open_comings
    ):
        raise CheckOutOutOfBounds
    for coming in open_comings:
        _enter(session, coming, shift_id, moment, actor_id, reason, secret, now)
    if open_comings:
        note(
            session,
            at=now,
            actor_id=actor_id,
            action="check_outs_entered",
            subject=("shift", shift_id),
            people=len(open_comings),
        )
    return len(open_comings)


def _coming_to_end(line: SheetLine, *, is_named: bool) -> Coming | None:
    """Return the coming whose end the lead may enter; None when there is none."""
    if line.open_coming is not None or not is_named:
        return line.open_coming
    is_over_it = line.state == "held" and line.held_reason in HELD_OVER_CHECK_OUT
    return line.standing[-1] if is_over_it else None


def open_shift(
    session: Session, shift_id: int, paths: Sequence[str]
) -> tuple[ShiftLine, TaskLine]:
    """Return a shift under one of these paths that was not called off.

    Raises ShiftNotFound, NotOpen.
    """
    shift, task = shift_of(session, shift_id, paths)
    if task.state != "open" or shift.called_off_at is not None:
        raise NotOpen
    return shift, task


def _end_of(session: Session, shift: ShiftLine) -> datetime:
    """Return when people left who stayed to the end."""
    overtime = overtime_of(session, shift.id)
    return overtime.until if overtime and overtime.state == "approved" else shift.ends_at


def _enter(
    session: Session,
    coming: Coming,
    shift_id: int,
    moment: datetime,
    actor_id: int,
    reason: str,
    secret: str,
    now: datetime,
) -> None:
    # Whoever was let in after the end left when they came, as far as anybody can say.
    left_at = max(moment, coming.checked_in_at or moment)
    session.execute(
        update(Scan)
        .where(
            Scan.shift_id == shift_id,
            Scan.member_id == coming.member_id,
            Scan.direction == "out",
            Scan.occurrence == coming.occurrence,
            Scan.counts,
        )
        .values(counts=False)
    )
    session.execute(
        update(Attendance)
        .where(Attendance.id == coming.id)
        .values(
            checked_out_at=left_at,
            state="left",
            settled_at=None,
            settled_by_id=None,
            held_reason=None,
            flags=sorted({*(coming.flags or ()), ENTERED}),
        )
    )
    session.execute(
        insert(Scan).values(
            actor_id=actor_id,
            nonce=f"left-{coming.id}-{int(now.timestamp() * 1000)}",
            code_hash=keyed_hash(secret, "scan", f"left:{coming.id}"),
            code_kind="manual",
            shift_id=shift_id,
            member_id=coming.member_id,
            direction="out",
            occurrence=coming.occurrence,
            result="ok",
            reason="ok_out",
            counts=True,
            is_offline=False,
            scanned_at=left_at,
            recorded_at=now,
            flags=[ENTERED],
            note=reason,
            verdict={"result": "ok", "reason": "ok_out", "flags": [ENTERED]},
        )
    )


def let_count(
    session: Session,
    *,
    shift_id: int,
    member_id: int,
    actor_id: int,
    paths: Sequence[str],
    reason: str,
    now: datetime,
) -> None:
    """Say that somebody was there although they had given their place up; the next settlement
    judges them anew. A repeat changes nothing.

    Raises ShiftNotFound, NotOpen, OwnAttendance, NotHeld.
    """
    open_shift(session, shift_id, paths)
    if member_id == actor_id:
        raise OwnAttendance
    locked_shift(session, shift_id)
    line = next(iter(sheet_lines(session, shift_id, member_ids=[member_id])), None)
    if line is None or not (_is_given_up(line) or COUNTS_ANYWAY in line.flags):
        raise NotHeld
    if COUNTS_ANYWAY in line.flags:
        return
    for coming in line.standing:
        session.execute(
            update(Attendance)
            .where(Attendance.id == coming.id)
            .values(
                flags=sorted({*(coming.flags or ()), COUNTS_ANYWAY}),
                state="left" if coming.checked_out_at is not None else "present",
                settled_at=None,
                settled_by_id=None,
                held_reason=None,
            )
        )
    note(
        session,
        at=now,
        actor_id=actor_id,
        action="attendance_let_count",
        subject=("shift", shift_id),
        member=member_id,
        reason=reason,
    )


def _is_given_up(line: SheetLine) -> bool:
    return line.state == "held" and line.held_reason == CLAIM_GIVEN_UP
