"""Marks that stations upload in another order than they were made, put into their order."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import groupby

from sqlalchemy import bindparam, select, text, update
from sqlalchemy.orm import Session

from pointsbank.attendance.finding import Desk
from pointsbank.attendance.models import OCCURRENCES_MAX, Attendance, Pair, Scan, ScanDifference
from pointsbank.core.actor import Actor
from pointsbank.core.audit import note
from pointsbank.core.db import Moment
from pointsbank.tasks.models import Shift

# What the server answers to a mark of a station that would count if it had come earlier.
# The code, the person and the right to scan have passed by then.
OUT_OF_ORDER = ("not_in", "already_in", "already_out", "repeat_just_now")

SETTLE = text(
    """
    UPDATE scan_difference
    SET decision = 'let_in', decided_by_id = :actor_id, decided_at = :now
    WHERE scan_id = :scan_id AND decision IS NULL
    """
).bindparams(bindparam("now", type_=Moment()))


def put_in_order(
    session: Session, *, shift_id: int, member_id: int, actor: Actor, desk: Desk, now: datetime
) -> None:
    """Let a person's comings be what all stations together saw, whoever uploaded first.

    The marks of one person, by their time, make runs of arrivals and runs of departures; each
    run is one mark, and of several the one that stands already. Nothing that stands is taken
    away, and nothing changes that is settled, struck out, outside the shift's hours, or more
    than a shift's comings: it goes on waiting for the lead.
    """
    candidates = _not_counted(session, shift_id, member_id, desk)
    if not candidates:
        return
    rows = session.scalars(
        select(Attendance)
        .where(Attendance.shift_id == shift_id, Attendance.member_id == member_id)
        .order_by(Attendance.occurrence)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).all()
    if not rows or any(each.settled_at or each.state == "rejected" for each in rows):
        return
    counted = session.scalars(
        select(Scan).where(Scan.shift_id == shift_id, Scan.member_id == member_id, Scan.counts)
    ).all()
    # Read again behind the lock: another station may have uploaded in between.
    candidates = _not_counted(session, shift_id, member_id, desk)
    chosen = in_turn([*counted, *candidates])
    standing = [(each.checked_in_at, each.checked_out_at) for each in rows]
    if (
        len(chosen) > 2 * OCCURRENCES_MAX
        or pairs_of_marks(in_turn(counted)) != standing
        or not set(counted) <= set(chosen)
        or set(chosen) == set(counted)
    ):
        return
    added = [each for each in chosen if not each.counts]
    _write(session, rows, chosen)
    for scan in added:
        _settle(session, scan.id, actor, now)


def direction_of(scan: Scan) -> str | None:
    """Return which way a mark goes: as it counts, or as the station showed it."""
    if scan.counts:
        return scan.direction
    shown = scan.device_verdict or {}
    is_mark = shown.get("result") == "ok" and shown.get("reason") in ("ok_in", "ok_out")
    return shown.get("direction") if is_mark else None


def in_turn(marks: Sequence[Scan]) -> list[Scan]:
    """Return arrivals and departures by turns, one of each run, from the first arrival on.

    Of a run what counts already stands in it; else the first.
    """
    ordered = sorted(marks, key=lambda scan: (scan.scanned_at, scan.id))
    runs = [(way, list(run)) for way, run in groupby(ordered, key=direction_of)]
    if runs and runs[0][0] == "out":
        del runs[0]
    return [next((each for each in run if each.counts), run[0]) for _, run in runs]


def pairs_of_marks(marks: Sequence[Scan]) -> list[Pair]:
    """Return when a person came and left each time; marks go by turns."""
    times: list[datetime | None] = [each.scanned_at for each in marks]
    if len(times) % 2:
        times.append(None)
    return list(zip(times[::2], times[1::2], strict=True))


def _not_counted(session: Session, shift_id: int, member_id: int, desk: Desk) -> list[Scan]:
    """Return what stations showed as marks, and the server could not take in its order."""
    shift = session.execute(
        select(Shift.starts_at, Shift.ends_at).where(Shift.id == shift_id)
    ).one()
    opens_at = shift.starts_at - timedelta(minutes=desk.rules.opens_minutes)
    stays = timedelta(minutes=desk.rules.stays_minutes)
    rows = session.scalars(
        select(Scan)
        .outerjoin(ScanDifference, ScanDifference.scan_id == Scan.id)
        .where(
            Scan.shift_id == shift_id,
            Scan.member_id == member_id,
            Scan.is_offline,
            ~Scan.counts,
            Scan.undone_at.is_(None),
            Scan.reason.in_(OUT_OF_ORDER),
            Scan.scanned_at >= opens_at,
            ScanDifference.decision.is_(None),
        )
    )
    until = {"in": shift.ends_at, "out": shift.ends_at + stays}
    return [
        each
        for each in rows
        if (way := direction_of(each)) in until and each.scanned_at <= until[way]
    ]


def _write(session: Session, rows: Sequence[Attendance], chosen: Sequence[Scan]) -> None:
    """Let these marks be the person's comings, in this order."""
    first = rows[0]
    ways = [direction_of(each) for each in chosen]
    for scan in chosen:
        scan.counts = False
    session.flush()
    for place, (scan, way) in enumerate(zip(chosen, ways, strict=True)):
        scan.direction, scan.occurrence, scan.counts = way, place // 2 + 1, True
    pairs = pairs_of_marks(chosen)
    for number, (came_at, left_at) in enumerate(pairs, 1):
        values = {
            "checked_in_at": came_at,
            "checked_out_at": left_at,
            "state": "present" if left_at is None else "left",
        }
        if number <= len(rows):
            row = rows[number - 1]
            session.execute(
                update(Attendance)
                .where(Attendance.id == row.id)
                .values(**values, flags=sorted({*row.flags, "offline"}))
            )
            continue
        session.add(
            Attendance(
                shift_id=first.shift_id,
                member_id=first.member_id,
                claim_id=first.claim_id,
                occurrence=number,
                flags=["offline"],
                **values,
            )
        )
    session.flush()


def _settle(session: Session, scan_id: int, actor: Actor, now: datetime) -> None:
    values = {"scan_id": scan_id, "actor_id": actor.member_id, "now": now}
    session.execute(SETTLE, values)
    note(
        session,
        at=now,
        actor_id=actor.member_id,
        action="scan_put_in_order",
        subject=("scan", scan_id),
    )
