"""The one evaluator of scans: from what is known of a scan to its result, its reason and its
effect.

It is pure and reads plain values, so that an offline station can carry the same rules;
tests/vectors/judge.json holds cases that both must answer alike. Rule: docs/scanning.md.
"""

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from pointsbank.attendance.models import OCCURRENCES_MAX, Pair

# Within two minutes the same phone means the same scan, not a second wish.
REPEAT_SECONDS = 120
EARTH_RADIUS_METRES = 6_371_000
DIGITS_REFUSED = {"wrong": "wrong_digits", "locked": "digits_locked"}
ATTENDING_KINDS = ("venue", "personal", "card", "manual")


@dataclass(frozen=True)
class Rules:
    """When people may check in and out, in minutes around a shift."""

    opens_minutes: int
    stays_minutes: int


@dataclass(frozen=True)
class Case:
    """All that a scan is judged by.

    kind, is_genuine, is_fresh, is_revoked: the code. at: the moment it is judged as of.
    direction: in, out or auto. member_state: None for nobody we know.
    may_scan: whether the person who scans may do so here: oneself with a venue code, or the
    lead.
    is_lead: whether they organize this shift. is_at_station: whether the lead scans there for
    others. is_other_shift: whether the code names another
    one.
    claim: claimed, waitlisted or None. claims_elsewhere: whether they claimed another shift
    today. is_eligible: whether some role of the shift would take somebody like them.
    pairs: how often they came to this shift so far; the marks are those of the last time.
    is_same_device: whether the phone is the one of the mark that already stands.
    digits: how the four digits beside a poster fit: right, wrong, missing, or locked after too
    many wrong ones; None where a poster opens nothing but its task.
    confirm, has_note: a person insists, and says why.
    """

    at: datetime
    kind: str
    is_genuine: bool = True
    is_fresh: bool = True
    is_revoked: bool = False
    direction: str = "auto"
    member_state: str | None = "active"
    may_scan: bool = True
    is_lead: bool = False
    is_at_station: bool = False
    has_shift: bool = True
    is_other_shift: bool = False
    is_called_off: bool = False
    claim: str | None = None
    claims_elsewhere: bool = False
    is_eligible: bool = True
    places_left: int = 0
    starts_at: datetime | None = None
    ends_at: datetime | None = None
    pairs: int = 0
    checked_in_at: datetime | None = None
    checked_out_at: datetime | None = None
    is_same_device: bool = False
    is_settled: bool = False
    digits: str | None = None
    confirm: bool = False
    has_note: bool = False


@dataclass(frozen=True)
class Judgement:
    """The outcome. act: none, check_in, join (claim, then check in), wait, check_out,
    move_check_out.

    direction: what was done, or what a confirmation would do; None when the code told nothing.
    may_confirm: whether the person who scanned can insist; needs_note: only with a reason.
    """

    result: str
    reason: str
    act: str = "none"
    direction: str | None = None
    may_confirm: bool = False
    needs_note: bool = False


def judge(case: Case, rules: Rules) -> Judgement:
    """Judge a scan: form, MAC, purpose, expiry, member, permission, claim, window, places,
    repeats."""
    refused = _code_refusal(case) or _standing_refusal(case)
    if refused is not None:
        return Judgement("refuse", refused)
    case = replace(case, direction=_direction_of(case))
    return (
        _without_check_in(case)
        or _without_claim(case)
        or _outside_window(case, rules)
        or _without_place(case)
        or _marked_already(case)
        or _without_digits(case)
        or _accepted(case)
    )


def _code_refusal(case: Case) -> str | None:
    if case.kind == "unknown":
        return "bad_code"
    if not case.is_genuine:
        return "bad_signature"
    if case.kind == "poster" and case.digits is not None:
        return DIGITS_REFUSED.get(case.digits)
    # The venue's own code, held before the lead's camera, would check in the lead.
    if case.kind not in ATTENDING_KINDS or (case.kind == "venue" and case.is_at_station):
        return "wrong_purpose"
    if case.is_revoked:
        return "card_revoked"
    return None if case.is_fresh else "code_expired"


def _without_digits(case: Case) -> Judgement | None:
    """Ask whoever scanned a poster alone whether to go on: a second person then looks at it."""
    if case.digits != "missing" or case.confirm:
        return None
    return Judgement("confirm", "poster_waiting", direction=case.direction, may_confirm=True)


def _standing_refusal(case: Case) -> str | None:
    if case.member_state is None:
        return "not_member"
    if case.member_state != "active":
        return "suspended"
    if not case.may_scan:
        return "no_permission"
    if not case.has_shift:
        return "no_shift"
    if case.is_other_shift:
        return "wrong_shift"
    return "called_off" if case.is_called_off else None


def _direction_of(case: Case) -> str:
    """Settle what is meant: auto is the next step, and insisting on a second check-in is
    leaving."""
    if case.checked_in_at is None:
        return "out" if case.direction == "out" else "in"
    if case.direction == "auto":
        soon = case.at - case.checked_in_at < timedelta(seconds=REPEAT_SECONDS)
        is_repeat = soon and case.checked_out_at is None and not case.confirm
        return "in" if is_repeat else "out"
    if case.direction == "in" and case.checked_out_at is not None:
        # Right after leaving the same code means the same scan, not a second coming.
        away = timedelta(seconds=0 if case.confirm else REPEAT_SECONDS)
        return "in" if case.at - case.checked_out_at >= away else "out"
    if case.direction == "in" and case.confirm:
        # Pressed twice, the button that let somebody in does not let them out again.
        return "in" if _is_repeat(case, case.checked_in_at) else "out"
    return case.direction


def _is_repeat(case: Case, marked_at: datetime) -> bool:
    """Tell whether the same phone made the mark that stands a moment ago."""
    return case.is_same_device and abs(case.at - marked_at) < timedelta(seconds=REPEAT_SECONDS)


def _is_there(case: Case) -> bool:
    """Tell whether a scan is about somebody who came, and not about their coming (again)."""
    return case.checked_in_at is not None and not _comes_back(case)


def _comes_back(case: Case) -> bool:
    """Tell whether somebody who left comes in again; the direction is settled."""
    return case.direction == "in" and case.checked_out_at is not None


def _without_check_in(case: Case) -> Judgement | None:
    if case.direction != "out":
        return None
    if case.checked_in_at is None or case.at < case.checked_in_at:
        return Judgement("refuse", "not_in", direction="in")
    return None


def _without_claim(case: Case) -> Judgement | None:
    if case.claim is not None or _is_there(case):
        return None
    if case.ends_at is not None and case.at >= case.ends_at:
        return Judgement("refuse", "too_late", direction="in")
    if not case.is_eligible and not (case.is_lead and case.confirm and case.has_note):
        if not case.is_lead:
            return Judgement("refuse", "not_eligible", direction="in")
        return Judgement(
            "confirm", "not_eligible", direction="in", may_confirm=True, needs_note=True
        )
    if case.confirm or case.places_left <= 0:
        return None
    reason = "wrong_shift" if case.claims_elsewhere else "not_claimed"
    return Judgement("confirm", reason, direction="in", may_confirm=True)


def _outside_window(case: Case, rules: Rules) -> Judgement | None:
    if case.starts_at is None or case.ends_at is None:
        return None
    opens_at = case.starts_at - timedelta(minutes=rules.opens_minutes)
    stays = timedelta(minutes=rules.stays_minutes if case.direction == "out" else 0)
    if opens_at <= case.at <= case.ends_at + stays:
        return None
    if case.is_lead and case.confirm and case.has_note:
        return None
    reason = "too_early" if case.at < opens_at else "too_late"
    return Judgement(
        "confirm", reason, direction=case.direction, may_confirm=case.is_lead, needs_note=True
    )


def _without_place(case: Case) -> Judgement | None:
    if _is_there(case) or case.claim == "claimed":
        return None
    if case.claim == "waitlisted":
        return Judgement("refuse", "full", direction="in")
    if case.places_left > 0:
        return None
    if case.confirm:
        return Judgement("ok", "waitlisted", act="wait", direction="in")
    return Judgement("confirm", "full", direction="in", may_confirm=True)


def _marked_already(case: Case) -> Judgement | None:
    if not _is_there(case):
        return _coming_again(case) if case.pairs or _comes_back(case) else None
    marked_at = case.checked_in_at if case.direction == "in" else case.checked_out_at
    if marked_at is None:
        return None
    if _is_repeat(case, marked_at) and (case.direction == "in" or not case.confirm):
        return Judgement("ok", "repeat_just_now", direction=case.direction)
    if case.direction == "in":
        return Judgement("confirm", "already_in", direction="out", may_confirm=True)
    if case.is_settled:
        return Judgement("refuse", "settled", direction="out")
    is_later = case.at >= marked_at
    if case.confirm and is_later:
        return Judgement("ok", "ok_out", act="move_check_out", direction="out")
    return Judgement("confirm", "already_out", direction="out", may_confirm=is_later)


def _coming_again(case: Case) -> Judgement | None:
    """Judge a further coming: the lead sees who stands there, anybody else is asked first."""
    if case.is_settled:
        return Judgement("refuse", "settled", direction="in")
    if case.pairs >= OCCURRENCES_MAX:
        return Judgement("refuse", "no_more_pairs", direction="in")
    if case.confirm or case.is_lead or not _comes_back(case):
        return None
    return Judgement("confirm", "already_out", direction="in", may_confirm=True)


def _accepted(case: Case) -> Judgement:
    if case.direction == "out":
        return Judgement("ok", "ok_out", act="check_out", direction="out")
    act = "check_in" if case.claim == "claimed" else "join"
    return Judgement("ok", "ok_in", act=act, direction="in")


def minutes_of_presence(
    pairs: Iterable[Pair], starts_at: datetime, ends_at: datetime, break_minutes: int = 0
) -> int:
    """Return how many minutes of the shift somebody was there, as a clock without seconds shows
    it.

    Coming early and staying on add nothing, pairs that overlap count once, and a pair without
    both marks counts for nothing. The break is taken off once, less the time that they were
    away between two pairs: whoever checked out for it has left it out already. ends_at: the
    shift's end, or until when overtime was approved. Rule: docs/scoring.md.
    """
    total = away = 0
    last_left: datetime | None = None
    for came, left in sorted(_within(pairs, starts_at, ends_at)):
        begins = came if last_left is None else max(came, last_left)
        if last_left is not None:
            away += _minutes(begins - last_left)
        if left > begins:
            total += _minutes(left - begins)
        last_left = left if last_left is None else max(left, last_left)
    return max(0, total - max(0, break_minutes - away))


def _within(
    pairs: Iterable[Pair], starts_at: datetime, ends_at: datetime
) -> Iterator[tuple[datetime, datetime]]:
    """Yield the parts of pairs that lie within the shift, in whole minutes of the clock."""
    for came_at, left_at in pairs:
        if came_at is None or left_at is None:
            continue
        came = max(came_at, starts_at).replace(second=0, microsecond=0)
        left = min(left_at, ends_at).replace(second=0, microsecond=0)
        if came < left:
            yield came, left


def planned_minutes(starts_at: datetime, ends_at: datetime, break_minutes: int) -> int:
    """Return how long a shift is planned to work, without its break."""
    return max(0, _minutes(ends_at - starts_at) - break_minutes)


def _minutes(span: timedelta) -> int:
    return int(span.total_seconds()) // 60


def metres_between(one: tuple[float, float], other: tuple[float, float]) -> float:
    """Return the distance of two positions (latitude, longitude) on the globe."""
    north, other_north = math.radians(one[0]), math.radians(other[0])
    half_north = (other_north - north) / 2
    half_east = math.radians(other[1] - one[1]) / 2
    chord = (
        math.sin(half_north) ** 2
        + math.cos(north) * math.cos(other_north) * math.sin(half_east) ** 2
    )
    return 2 * EARTH_RADIUS_METRES * math.asin(min(1.0, math.sqrt(chord)))
