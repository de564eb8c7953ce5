"""What a judged scan answers, as plain values without words of any language; doors add the
words."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Row
from sqlalchemy.orm import Session

from pointsbank.attendance.finding import Findings
from pointsbank.attendance.models import Pair
from pointsbank.attendance.policy import (
    Judgement,
    Rules,
    minutes_of_presence,
    planned_minutes,
)
from pointsbank.core.text import masked_name
from pointsbank.scoring.models import Item
from pointsbank.scoring.policy import Award, award_for
from pointsbank.tasks.claims import position_of

UNDO_SECONDS = 60
# Reasons after which the person who scanned is told nothing of whom or what they scanned.
TELLING_NOTHING = ("bad_code", "bad_signature", "wrong_purpose", "not_member", "no_permission")
# Reasons that name the scan which already stands.
MARKED = ("already_in", "already_out", "repeat_just_now", "settled")


def facts_out(
    session: Session,
    found: Findings,
    judgement: Judgement,
    *,
    flags: list[str],
    position: int | None,
    rules: Rules,
    now: datetime,
) -> dict[str, Any]:
    """Return the verdict as it is kept: JSON values only, moments in RFC 3339."""
    facts = found.facts
    is_open = judgement.reason not in TELLING_NOTHING
    has_mark = judgement.act in ("check_in", "check_out", "move_check_out")
    award = _preview(found, judgement)
    return {
        "result": judgement.result,
        "reason": judgement.reason,
        "direction": judgement.direction,
        "occurrence": occurrence_of(found, judgement),
        "code_kind": found.sight.kind,
        "may_confirm": judgement.may_confirm,
        "needs_reason": judgement.needs_note and judgement.may_confirm,
        "person": {"display_name": masked_name(facts.name)} if is_open and facts.name else None,
        "shift": _shift(facts) if is_open and facts.shift_id is not None else None,
        "counts": _counts(found, judgement) if is_open and facts.shift_id is not None else None,
        "first": _first(found) if judgement.reason in MARKED else None,
        "elsewhere": _elsewhere(found) if judgement.reason == "wrong_shift" else None,
        "missing": list(found.fitness.missing) if judgement.reason == "not_eligible" else [],
        "position": _position(session, found, judgement, position),
        "minutes": _minutes(found, judgement),
        "points_preview": award
        and {"points": award.points, "service_minutes": award.service_minutes},
        "flags": flags,
        "undo_until": _written(now + timedelta(seconds=UNDO_SECONDS)) if has_mark else None,
        "opens_at": _opens_at(found, rules) if judgement.reason == "too_early" else None,
        "at": _written(found.at),
        "server_time": _written(now),
    }


def occurrence_of(found: Findings, judgement: Judgement) -> int:
    """Return which coming to this shift, from 1, a scan is about."""
    pairs = found.facts.pairs or 0
    return pairs + 1 if judgement.act in ("check_in", "join") else max(1, pairs)


def _written(moment: datetime) -> str:
    return moment.isoformat()


def _opens_at(found: Findings, rules: Rules) -> str:
    opens = found.facts.starts_at - timedelta(minutes=rules.opens_minutes)
    return _written(opens)


def _shift(facts: Row[Any]) -> dict[str, Any]:
    return {
        "id": facts.shift_id,
        "title": facts.title,
        "place_name": facts.place_name,
        "starts_at": _written(facts.starts_at),
        "ends_at": _written(facts.ends_at),
    }


def _counts(found: Findings, judgement: Judgement) -> dict[str, int]:
    """Return the counts with this scan in them."""
    facts = found.facts
    came = judgement.act == "check_in"
    went = judgement.act == "check_out"
    joined = came and facts.claim_state is None
    is_new = came and found.marks[0] is None
    waits = judgement.reason == "waitlisted" and facts.claim_state is None
    return {
        "places": facts.places,
        "claimed": facts.claimed + joined,
        "arrived": facts.arrived + is_new,
        "present": facts.present + came - went,
        "waiting": int(facts.waiting or 0) + waits,
    }


def _first(found: Findings) -> dict[str, Any] | None:
    if found.mark is None:
        return None
    return {
        "at": _written(found.mark.scanned_at),
        "by": masked_name(found.mark.name),
        "gate": None,
    }


def _elsewhere(found: Findings) -> dict[str, Any] | None:
    if found.elsewhere is None:
        return None
    return {"title": found.elsewhere.title, "starts_at": _written(found.elsewhere.starts_at)}


def _position(
    session: Session, found: Findings, judgement: Judgement, position: int | None
) -> int | None:
    if judgement.reason == "waitlisted":
        return position
    if judgement.reason == "full" and found.facts.claim_state == "waitlisted":
        return position_of(session, found.facts.shift_id, found.facts.queue_no)
    return None


def _minutes(found: Findings, judgement: Judgement) -> int | None:
    """Return how long the person was there in all, their earlier comings with this one."""
    if judgement.reason != "ok_out":
        return None
    return _present(found, (found.marks[0], found.at))


def _present(found: Findings, last: Pair) -> int:
    facts = found.facts
    pairs = (*found.earlier, last)
    return minutes_of_presence(pairs, facts.starts_at, found.until, facts.break_minutes)


def _preview(found: Findings, judgement: Judgement) -> Award | None:
    """Return what settling would give: at check-in for staying to the end, at check-out for
    what was done."""
    facts = found.facts
    if judgement.reason not in ("ok_in", "ok_out") or facts.item_id is None:
        return None
    came, left = found.marks
    if judgement.reason == "ok_out":
        present = _present(found, (came, found.at))
    else:
        before = replace(found, earlier=(*found.earlier, (came, left)))
        present = _present(before, (found.at, facts.ends_at))
    overtime = int((found.until - facts.ends_at).total_seconds()) // 60
    return award_for(
        item_of(facts),
        planned_minutes=planned_minutes(facts.starts_at, facts.ends_at, facts.break_minutes),
        actual_minutes=present,
        day_minutes_before=int(facts.minutes_today or 0),
        overtime_minutes=overtime,
        coefficient_percent=facts.coefficient_percent,
    )


def item_of(facts: Row[Any]) -> Item:
    """Return the scoring item that the facts hold."""
    return Item(
        facts.item_id,
        facts.code,
        facts.item_name,
        facts.name_zh,
        facts.category,
        facts.unit,
        facts.points,
        facts.evaluation_hundredths,
        bool(facts.counts_minutes),
        facts.unit_minutes,
        facts.share_min_percent,
        facts.day_minutes_max,
        coefficient_percent_max=facts.coefficient_percent_max,
        rounding=facts.rounding,
    )
