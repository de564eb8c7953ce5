"""Where a station without a network showed one thing and the server found another."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import bindparam, func, insert, select, text, update
from sqlalchemy.orm import Session

from pointsbank.attendance.finding import Desk, NewScan
from pointsbank.attendance.models import Attendance, Scan, ScanDifference
from pointsbank.attendance.policy import REPEAT_SECONDS
from pointsbank.attendance.recording import Verdict, record_scan
from pointsbank.attendance.reordering import put_in_order
from pointsbank.attendance.review_errors import (
    DifferenceDecided,
    DifferenceNotFound,
    DifferenceOfNobody,
    StillRefused,
    WhyMissing,
)
from pointsbank.attendance.undoing import take_back
from pointsbank.core.actor import Actor
from pointsbank.core.audit import note as audit
from pointsbank.core.db import Moment
from pointsbank.core.text import masked_name
from pointsbank.members.models import Member
from pointsbank.organizations.models import Organization
from pointsbank.tasks.claiming import locked_shift
from pointsbank.tasks.models import Shift, Task

LET_IN, LEAVE_OUT = "let_in", "leave_out"
DECISIONS = (LET_IN, LEAVE_OUT)
NEAR = timedelta(seconds=REPEAT_SECONDS)
# Reasons that tell of a mark which stands already.
STANDING = ("already_in", "already_out", "repeat_just_now")

# Of two leads at once one settles it, and the other finds it settled.
DECIDE = text(
    """
    UPDATE scan_difference
    SET decision = :decision, decided_by_id = :actor_id, decided_at = :now, note = :note
    WHERE scan_id = :scan_id AND decision IS NULL
    RETURNING scan_id
    """
).bindparams(bindparam("now", type_=Moment()))


@dataclass(frozen=True)
class Shown:
    """What a station's screen showed; direction: in, out or None."""

    result: str
    reason: str
    direction: str | None = None

    @property
    def effect(self) -> str | None:
        """What the person was told: in, out, that they stand (stands), in line, or nothing."""
        if self.result != "ok":
            return None
        if self.reason == "repeat_just_now":
            return "stands"
        return "line" if self.reason == "waitlisted" else self.direction


@dataclass(frozen=True)
class DifferenceFile:
    """One difference; the name is masked, and empty where the code tells of nobody."""

    scan_id: int
    shift_id: int
    path: str
    member_id: int | None
    display_name: str
    volunteer_no: str
    direction: str | None
    scanned_at: datetime
    device_result: str
    device_reason: str
    server_result: str
    server_reason: str
    found_at: datetime
    decision: str | None
    decided_by_name: str
    decided_at: datetime | None
    note: str | None


def record_from_station(
    session: Session,
    actor: Actor,
    scan: NewScan,
    shown: Shown | None,
    desk: Desk,
    *,
    now: datetime,
) -> Verdict:
    """Judge a scan as record_scan does, and keep what the station showed for it.

    Where the two tell a person different things, a difference waits for the lead; mere wording
    is none. A repeated scan adds nothing. What the station took a scan for, in or out, stands:
    a second station's "automatic" would otherwise take an arrival for a departure.
    """
    if shown is not None and scan.is_offline and scan.direction == "auto" and shown.direction:
        scan = replace(scan, direction=shown.direction)
    verdict = record_scan(session, actor, scan, desk, now=now)
    if shown is None or verdict.scan_id is None:
        return verdict
    is_new = _keep_shown(session, verdict, shown, now)
    if is_new and shown.effect in ("in", "out"):
        _order_marks(session, verdict.scan_id, actor, desk, now)
    return verdict


def _order_marks(
    session: Session, scan_id: int, actor: Actor, desk: Desk, now: datetime
) -> None:
    session.flush()
    found = session.execute(
        select(Scan.shift_id, Scan.member_id).where(Scan.id == scan_id)
    ).one()
    if found.shift_id is not None and found.member_id is not None:
        put_in_order(
            session,
            shift_id=found.shift_id,
            member_id=found.member_id,
            actor=actor,
            desk=desk,
            now=now,
        )


def _keep_shown(session: Session, verdict: Verdict, shown: Shown, now: datetime) -> bool:
    """Keep what the station showed with the scan, and a difference where there is one; tell
    whether it was new, as it is once."""
    kept = session.execute(
        update(Scan)
        .where(Scan.id == verdict.scan_id, Scan.device_verdict.is_(None), Scan.is_offline)
        .values(device_verdict=vars(shown))
        .returning(Scan.shift_id, Scan.member_id, Scan.scanned_at, Scan.code_kind)
    ).first()
    if kept is None or kept.shift_id is None or _is_foreign(verdict, kept.code_kind):
        return kept is not None
    stays = _stays(session, kept.shift_id, kept.member_id)
    if differs(shown, verdict.facts, kept.scanned_at, stays):
        session.execute(
            insert(ScanDifference).values(
                scan_id=verdict.scan_id,
                shift_id=kept.shift_id,
                device_result=shown.result,
                device_reason=shown.reason,
                server_result=verdict.facts["result"],
                server_reason=verdict.facts["reason"],
                found_at=now,
            )
        )
    return True


def _is_foreign(verdict: Verdict, code_kind: str) -> bool:
    """Tell whether somebody without a right sent this, and no code vouches for it."""
    return verdict.facts["reason"] == "no_permission" and code_kind not in ("personal", "card")


Stays = list[tuple[datetime | None, datetime | None]]


def differs(shown: Shown, server: Mapping[str, Any], at: datetime, stays: Stays) -> bool:
    """Tell whether the server did something else than the station told the person.

    at: when it was scanned. stays: when the person came and left, as it stands now.
    """
    effect = shown.effect
    if effect == "stands":
        return False
    found = Shown(server["result"], server["reason"], server.get("direction")).effect
    if effect is None:
        return found in ("in", "out")
    if effect == found:
        return False
    if server["reason"] in STANDING and effect in ("in", "out"):
        return not is_covered(effect, at, stays)
    return True


def is_covered(direction: str, at: datetime, stays: Stays) -> bool:
    """Tell whether what stands gives the person as much as a mark of that moment would.

    Another station's mark a little later or any time earlier serves an arrival as well, and one
    a little earlier or any time later a departure.
    """
    for came_at, left_at in stays:
        if came_at is None:
            continue
        if direction == "in" and came_at <= at + NEAR and (left_at is None or at <= left_at):
            return True
        if (
            direction == "out"
            and came_at <= at
            and left_at is not None
            and at <= left_at + NEAR
        ):
            return True
    return False


def _stays(session: Session, shift_id: int, member_id: int | None) -> Stays:
    rows = session.execute(
        select(Attendance.checked_in_at, Attendance.checked_out_at)
        .where(
            Attendance.shift_id == shift_id,
            Attendance.member_id == member_id,
            Attendance.state != "rejected",
        )
        .order_by(Attendance.occurrence)
    )
    return [(row.checked_in_at, row.checked_out_at) for row in rows]


def open_differences(session: Session, shift_id: int) -> int:
    """Return how many differences of a shift nobody has settled yet."""
    return int(
        session.scalar(
            select(func.count())
            .select_from(ScanDifference)
            .where(ScanDifference.shift_id == shift_id, ScanDifference.decision.is_(None))
        )
        or 0
    )


def differences_of(session: Session, shift_id: int) -> list[DifferenceFile]:
    """Return the differences of a shift: the open ones first, each part by its time."""
    rows = session.execute(
        _files()
        .where(ScanDifference.shift_id == shift_id)
        .order_by(ScanDifference.decision.is_not(None), Scan.scanned_at, Scan.id)
    )
    return [_file(row) for row in rows]


def _files() -> Any:
    decider = Member.__table__.alias("decider")
    return (
        select(
            ScanDifference.scan_id,
            ScanDifference.shift_id,
            Organization.path,
            Scan.member_id,
            Member.name.label("display_name"),
            Member.volunteer_no,
            Scan.direction,
            Scan.scanned_at,
            ScanDifference.device_result,
            ScanDifference.device_reason,
            ScanDifference.server_result,
            ScanDifference.server_reason,
            ScanDifference.found_at,
            ScanDifference.decision,
            decider.c.name.label("decided_by_name"),
            ScanDifference.decided_at,
            ScanDifference.note,
        )
        .join(Scan, Scan.id == ScanDifference.scan_id)
        .join(Shift, Shift.id == ScanDifference.shift_id)
        .join(Task, Task.id == Shift.task_id)
        .join(Organization, Organization.id == Task.organization_id)
        .outerjoin(Member, Member.id == Scan.member_id)
        .outerjoin(decider, decider.c.id == ScanDifference.decided_by_id)
    )


def _file(row: Any) -> DifferenceFile:
    values = dict(row._mapping)
    for name in ("display_name", "decided_by_name"):
        values[name] = masked_name(values[name]) if values[name] else ""
    values["volunteer_no"] = values["volunteer_no"] or ""
    return DifferenceFile(**values)


def difference_of(session: Session, scan_id: int, actor: Actor) -> DifferenceFile:
    """Return a difference of a shift that this person leads.

    Raises DifferenceNotFound, for a foreign one as for an unknown one.
    """
    row = session.execute(_files().where(ScanDifference.scan_id == scan_id)).first()
    if row is None or not actor.oversees(row.path, "organizer"):
        raise DifferenceNotFound
    return _file(row)


def settle_difference(
    session: Session,
    *,
    scan_id: int,
    decision: str,
    note: str,
    actor: Actor,
    desk: Desk,
    now: datetime,
) -> DifferenceFile:
    """Settle a difference as the shift's lead: the scan counts as of its time, or it does not.

    let_in lets the one evaluator judge it again with the lead's say, joining where needed;
    leave_out takes back a mark that the server made. The scan stays on record either way.
    The same decision again changes nothing. Raises DifferenceNotFound, WhyMissing,
    DifferenceDecided, DifferenceOfNobody, StillRefused, CannotUndo.
    """
    found = difference_of(session, scan_id, actor)
    if decision == LET_IN and not note:
        raise WhyMissing
    locked_shift(session, found.shift_id)
    values = {
        "scan_id": scan_id,
        "decision": decision,
        "actor_id": actor.member_id,
        "now": now,
        "note": note or None,
    }
    if session.execute(DECIDE, values).first() is None:
        standing = difference_of(session, scan_id, actor)
        if standing.decision != decision:
            raise DifferenceDecided(decision=standing.decision)
        return standing
    scan = session.get_one(Scan, scan_id)
    if decision == LET_IN:
        _let_in(session, scan, note=note, actor=actor, desk=desk, now=now)
    elif scan.counts:
        take_back(session, scan, now)
    audit(
        session,
        at=now,
        actor_id=actor.member_id,
        action=f"difference_{decision}",
        subject=("scan", scan_id),
    )
    return difference_of(session, scan_id, actor)


def _let_in(
    session: Session, scan: Scan, *, note: str, actor: Actor, desk: Desk, now: datetime
) -> None:
    shown = Shown(**(scan.device_verdict or {"result": "refuse", "reason": ""}))
    direction = shown.effect
    if direction not in ("in", "out") or scan.counts:
        # The server's own mark stands as it is.
        return
    if scan.member_id is None or scan.shift_id is None:
        raise DifferenceOfNobody
    if is_covered(direction, scan.scanned_at, _stays(session, scan.shift_id, scan.member_id)):
        return
    if direction == "in" and _came_earlier(session, scan):
        return
    number = session.get_one(Member, scan.member_id).volunteer_no
    again = NewScan(
        nonce=f"difference-{scan.id}",
        code=number,
        shift_id=scan.shift_id,
        direction=direction,
        scanned_at=scan.scanned_at,
        is_offline=True,
        device_id=scan.device_id,
        confirm=True,
        note=note,
    )
    # Judged as of when it arrived here: its code does not grow old while the lead decides.
    verdict = record_scan(session, actor, again, desk, now=scan.recorded_at)
    if verdict.facts["reason"] != f"ok_{direction}":
        raise StillRefused(reason=verdict.facts["reason"])
    # A genuine code was held up, and it counts today: the lead typed nothing.
    session.execute(
        update(Scan)
        .where(Scan.id == verdict.scan_id)
        .values(code_kind=scan.code_kind, recorded_at=now)
    )
    _order_marks(session, scan.id, actor, desk, now)


def _came_earlier(session: Session, scan: Scan) -> bool:
    """Let an arrival stand in place of a later one, and tell whether there was one.

    Raises StillRefused when the line is settled.
    """
    later = session.scalars(
        select(Attendance)
        .where(
            Attendance.shift_id == scan.shift_id,
            Attendance.member_id == scan.member_id,
            Attendance.state != "rejected",
            Attendance.checked_in_at > scan.scanned_at,
        )
        .order_by(Attendance.occurrence)
        .limit(1)
        .with_for_update()
    ).first()
    if later is None:
        return False
    if later.settled_at is not None:
        raise StillRefused(reason="settled")
    session.execute(
        update(Scan)
        .where(
            Scan.shift_id == scan.shift_id,
            Scan.member_id == scan.member_id,
            Scan.direction == "in",
            Scan.occurrence == later.occurrence,
            Scan.counts,
        )
        .values(counts=False)
    )
    scan.direction, scan.occurrence, scan.counts = "in", later.occurrence, True
    later.checked_in_at = scan.scanned_at
    later.flags = sorted({*later.flags, "let_in"})
    session.flush()
    return True
