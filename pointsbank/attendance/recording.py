"""Scans kept: judged by the one evaluator, with what follows from them, in as few statements as
can be."""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import JSON, TextClause, bindparam, text, update
from sqlalchemy.orm import Session

from pointsbank.attendance.finding import Desk, Findings, NewScan, case_of, find, flags_of
from pointsbank.attendance.models import Attendance, Scan
from pointsbank.attendance.no_shows import forget_no_show
from pointsbank.attendance.policy import Judgement, judge
from pointsbank.attendance.queries import lock_attendance
from pointsbank.attendance.verdicts import facts_out
from pointsbank.core.actor import Actor
from pointsbank.core.db import Moment
from pointsbank.core.keys import keyed_hash
from pointsbank.messages.service import tell
from pointsbank.tasks.claiming import ClaimHeld, accept_place, claim_shift, locked_shift
from pointsbank.tasks.errors import ClaimNotFound, OfferLapsed

COUNTING_ACTS = ("check_in", "check_out", "move_check_out")


@dataclass(frozen=True)
class Verdict:
    """A judged scan. facts are plain JSON values, without words of any language; doors add the
    words.

    scan_id: None when the scan was only looked at and not kept.
    """

    scan_id: int | None
    facts: dict[str, Any]


INSERT_SCAN = """
    INSERT INTO scan (actor_id, nonce, code_hash, code_kind, shift_id, member_id, direction,
        occurrence, result, reason, counts, is_offline, scanned_at, recorded_at, device_id,
        flags, note, verdict)
    VALUES (:actor_id, :nonce, :code_hash, :code_kind, :shift_id, :member_id, :direction,
        :occurrence, :result, :reason, :counts, :is_offline, :scanned_at, :recorded_at,
        :device_id, :flags, :note, :verdict)
    RETURNING id
"""
CHECK_IN = """
    INSERT INTO attendance
        (shift_id, member_id, claim_id, occurrence, state, checked_in_at, flags)
    VALUES (:shift_id, :member_id, :claim_id, :occurrence, 'present', :scanned_at, :flags)
"""
# Somebody whose line is already held for the missing check-out stays held, with the time known.
CHECK_OUT = """
    UPDATE attendance SET checked_out_at = :scanned_at, flags = :all_flags,
        claim_id = COALESCE(:claim_id, claim_id),
        state = CASE state WHEN 'present' THEN 'left' ELSE state END
    WHERE id = :attendance_id AND checked_out_at IS NULL
"""


def _typed(statement: str) -> TextClause:
    kinds: dict[str, Any] = {
        "scanned_at": Moment(),
        "recorded_at": Moment(),
        "flags": JSON(),
        "all_flags": JSON(),
        "verdict": JSON(),
    }
    return text(statement).bindparams(
        *(
            bindparam(name, type_=kind)
            for name, kind in kinds.items()
            if f":{name}" in statement
        )
    )


KEEP = _typed(INSERT_SCAN)
MARKS = {"check_in": _typed(CHECK_IN), "check_out": _typed(CHECK_OUT)}
# PostgreSQL takes both rows in one round trip. Two scans of one person at once meet at the
# unique index on counting scans; core.db.run lets the later one look again, and it finds the
# mark that stands.
MARKS_AND_KEEP = {
    "check_in": _typed(f"WITH came AS ({CHECK_IN}) {INSERT_SCAN}"),
    "check_out": _typed(f"WITH gone AS ({CHECK_OUT}) {INSERT_SCAN}"),
}


def record_scan(
    session: Session,
    actor: Actor,
    scan: NewScan,
    desk: Desk,
    *,
    now: datetime,
    seen_at: datetime | None = None,
) -> Verdict:
    """Judge a scan, do what follows from it and keep it, refused or not.

    seen_at: when a browser opened the code, for a scan that goes on later; the code is judged
    as of then. The same nonce of the same person answers the first verdict and does nothing.
    Raises an IntegrityError when it lost a race; core.db.run then judges it anew.
    """
    found = find(session, actor, scan, desk, now, seen_at)
    if found.facts.prior_id is not None:
        return Verdict(found.facts.prior_id, found.facts.prior_verdict)
    judgement = judge(case_of(found, scan, actor.member_id), found.rules(desk))
    if _rests_on_what_stands(found, judgement):
        # Held fast first and judged as it is then: a settlement may have read it by now.
        _hold(session, found, judgement)
        found = find(session, actor, scan, desk, now, seen_at)
        judgement = judge(case_of(found, scan, actor.member_id), found.rules(desk))
    claim_id, position = found.facts.claim_id, None
    flags = flags_of(found, scan, judgement, now)
    if judgement.act == "check_in" and found.facts.accept_by is not None:
        judgement = _accepted(session, found, judgement)
    if judgement.act in ("join", "wait"):
        held = _joined(session, found, scan, desk)
        claim_id, position = held.id, held.position
        judgement = _after_claiming(judgement, held.state)
        flags.extend(["walk_in"] if held.is_eligible else ["walk_in", "not_eligible"])
    verdict = facts_out(
        session,
        found,
        judgement,
        flags=flags,
        position=position,
        rules=found.rules(desk),
        now=now,
    )
    scan_id = _write(session, actor, scan, found, judgement, verdict, desk, claim_id, now)
    if judgement.act == "check_in":
        _follow_up(session, actor, found, scan_id, flags, now)
    return Verdict(scan_id, verdict)


def preview_scan(
    session: Session,
    actor: Actor,
    scan: NewScan,
    desk: Desk,
    *,
    now: datetime,
    seen_at: datetime,
) -> Verdict:
    """Judge a scan and keep nothing: what a person is shown before they press the button."""
    found = find(session, actor, scan, desk, now, seen_at)
    judgement = judge(case_of(found, scan, actor.member_id), found.rules(desk))
    shown = facts_out(
        session, found, judgement, flags=[], position=None, rules=found.rules(desk), now=now
    )
    return Verdict(None, shown)


def _rests_on_what_stands(found: Findings, judgement: Judgement) -> bool:
    """Tell whether a scan changes a mark that stands, or adds a coming to one."""
    is_coming = judgement.act in ("check_in", "join") and found.facts.attendance_id is not None
    return judgement.act == "move_check_out" or is_coming


def _hold(session: Session, found: Findings, judgement: Judgement) -> None:
    if judgement.act == "join":
        # Claiming takes the shift's lock, which is the first of all.
        locked_shift(session, found.facts.shift_id)
    lock_attendance(session, found.facts.attendance_id)


def _follow_up(
    session: Session,
    actor: Actor,
    found: Findings,
    scan_id: int,
    flags: list[str],
    now: datetime,
) -> None:
    """Do what few check-ins need: tell somebody whom another hand checked in, so that they can
    say that they are not there, and forget that they were missed."""
    facts = found.facts
    if facts.missed_at is not None:
        forget_no_show(session, claim_id=facts.claim_id)
    is_by_hand = found.sight.kind in ("manual", "card") or "walk_in" in flags
    if actor.member_id == facts.member_id or not is_by_hand:
        return
    tell(
        session,
        key=f"scan:{scan_id}:by_hand",
        member_id=facts.member_id,
        kind="checked_in_by_hand",
        facts={
            "shift_id": facts.shift_id,
            "title": facts.title,
            "checked_in_at": found.at.isoformat(),
        },
        now=now,
    )


def _accepted(session: Session, found: Findings, judgement: Judgement) -> Judgement:
    """Keep the place that was waiting for its person, who came; one that lapsed just now is
    claimed anew."""
    try:
        accept_place(
            session,
            claim_id=found.facts.claim_id,
            member_id=found.facts.member_id,
            now=found.at,
        )
    except (ClaimNotFound, OfferLapsed):
        return replace(judgement, act="join")
    return judgement


def _joined(session: Session, found: Findings, scan: NewScan, desk: Desk) -> ClaimHeld:
    """Claim a place for somebody who stands at the door."""
    return claim_shift(
        session,
        shift_id=found.facts.shift_id,
        member_id=found.facts.member_id,
        now=found.at,
        source="walk_in",
        is_lead_present=found.is_lead and scan.confirm and bool(scan.note),
        zone=desk.zone,
    )


def _after_claiming(judgement: Judgement, state: str) -> Judgement:
    """Settle what a claim on the spot became: the last place may have gone, or one may be
    free."""
    if state == "claimed":
        return replace(judgement, result="ok", reason="ok_in", act="check_in")
    return replace(judgement, result="ok", reason="waitlisted", act="none")


def _write(
    session: Session,
    actor: Actor,
    scan: NewScan,
    found: Findings,
    judgement: Judgement,
    verdict: dict[str, Any],
    desk: Desk,
    claim_id: int | None,
    now: datetime,
) -> int:
    values = {
        "actor_id": actor.member_id,
        "nonce": scan.nonce,
        "code_hash": keyed_hash(desk.secret, "scan", found.sight.text),
        "code_kind": found.sight.kind,
        "shift_id": found.facts.shift_id,
        "member_id": found.facts.member_id,
        "direction": judgement.direction,
        "occurrence": verdict["occurrence"],
        "result": judgement.result,
        "reason": judgement.reason,
        "counts": judgement.act in COUNTING_ACTS,
        "is_offline": found.is_offline,
        "scanned_at": found.at,
        "recorded_at": now,
        "device_id": scan.device_id,
        "flags": verdict["flags"],
        "note": scan.note,
        "verdict": verdict,
        "claim_id": claim_id,
        "attendance_id": found.facts.attendance_id,
        "all_flags": sorted({*(found.facts.flags or []), *verdict["flags"]}),
    }
    if judgement.act == "move_check_out":
        _move_check_out(session, values)
    elif judgement.act in MARKS:
        if session.get_bind().dialect.name == "postgresql":
            kept: int = session.execute(MARKS_AND_KEEP[judgement.act], values).scalar_one()
            return kept
        session.execute(MARKS[judgement.act], values)
    scan_id: int = session.execute(KEEP, values).scalar_one()
    return scan_id


def _move_check_out(session: Session, values: dict[str, Any]) -> None:
    """Let the later check-out stand in place of the earlier; the earlier scan stays on
    record."""
    session.execute(
        update(Scan)
        .where(
            Scan.shift_id == values["shift_id"],
            Scan.member_id == values["member_id"],
            Scan.direction == "out",
            Scan.occurrence == values["occurrence"],
            Scan.counts,
        )
        .values(counts=False)
    )
    session.execute(
        update(Attendance)
        .where(Attendance.id == values["attendance_id"])
        .values(checked_out_at=values["scanned_at"], flags=values["all_flags"])
    )
