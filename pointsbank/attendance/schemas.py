"""What comes in and goes out at the doors of attendance, with the words of every verdict."""

from datetime import datetime
from typing import Any

from flask import current_app
from flask_babel import gettext, lazy_gettext
from marshmallow import Schema, fields, validate

from pointsbank.attendance.finding import Desk, NewScan
from pointsbank.attendance.policy import Rules
from pointsbank.attendance.recording import Verdict
from pointsbank.attendance.settling import ShiftRules
from pointsbank.attendance.sheet import SheetLine
from pointsbank.attendance.verdicts import UNDO_SECONDS
from pointsbank.core.text import masked_name
from pointsbank.tasks.eligibility_words import missing_words
from pointsbank.tasks.queries import ShiftLine
from pointsbank.tasks.schemas import Planned
from pointsbank.web.contract import Body, RowId, Text
from pointsbank.web.formats import clock_time, hours, moment

CODE_LENGTH_MAX = 500
VISIBLE = validate.Regexp(r"[!-~]{1,64}\Z", error="1 to 64 visible ASCII characters.")


# Put into words only when said: a verdict says one of them.
TITLES = {
    "ok_in": lazy_gettext("Check-in recorded"),
    "ok_out": lazy_gettext("Check-out recorded"),
    "repeat_just_now": lazy_gettext("Already recorded"),
    "waitlisted": lazy_gettext("On the waiting list"),
    "already_in": lazy_gettext("Checked in before"),
    "already_out": lazy_gettext("Checked out before"),
    "not_claimed": lazy_gettext("Not claimed"),
    "full": lazy_gettext("All places are taken"),
    "wrong_shift": lazy_gettext("Another shift"),
    "too_early": lazy_gettext("Too early"),
    "too_late": lazy_gettext("Too late"),
    "code_expired": lazy_gettext("The code has expired"),
    "wrong_digits": lazy_gettext("The four digits are not right"),
    "digits_locked": lazy_gettext("Too many wrong digits"),
    "poster_waiting": lazy_gettext("Without the four digits"),
    "card_revoked": lazy_gettext("This card is no longer good"),
    "bad_code": lazy_gettext("Not one of our codes"),
    "bad_signature": lazy_gettext("The code is not genuine"),
    "wrong_purpose": lazy_gettext("The wrong code"),
    "not_member": lazy_gettext("Not registered"),
    "suspended": lazy_gettext("The account is stopped"),
    "no_permission": lazy_gettext("Not your shift to scan"),
    "no_shift": lazy_gettext("No shift is running"),
    "called_off": lazy_gettext("Called off"),
    "not_in": lazy_gettext("Not checked in yet"),
    "settled": lazy_gettext("Settled already"),
    "not_eligible": lazy_gettext("This shift asks for more"),
    "no_more_pairs": lazy_gettext("Came in three times already"),
}
PLAIN = {
    "repeat_just_now": lazy_gettext("Recorded a moment ago; once is enough."),
    "code_expired": lazy_gettext("Ask for a new code and scan once more."),
    "wrong_digits": lazy_gettext(
        "They stand on the screen at the place and are new every five minutes. Look once more."
    ),
    "digits_locked": lazy_gettext(
        "Please wait ten minutes, or tell the person in charge your member number."
    ),
    "poster_waiting": lazy_gettext(
        "You can go on without them: the person in charge then confirms it later."
    ),
    "card_revoked": lazy_gettext("A new card was made, or this one was reported lost."),
    "bad_code": lazy_gettext("This is not a code of this service, or not all of it was read."),
    "bad_signature": lazy_gettext("It was not made by this service. The try is kept."),
    "not_member": lazy_gettext("Nobody here has this code."),
    "suspended": lazy_gettext("Please ask the branch."),
    "no_permission": lazy_gettext("Only the organizer of this shift can scan people in."),
    "no_shift": lazy_gettext("Choose the shift first, then scan once more."),
    "called_off": lazy_gettext("This shift does not take place."),
    "not_in": lazy_gettext("Check in first."),
    "settled": lazy_gettext("The shift has been settled; nothing more changes."),
    "not_eligible": lazy_gettext("Something that this shift asks for is missing."),
    "no_more_pairs": lazy_gettext(
        "A person can come in three times on one shift. Please ask the person in charge."
    ),
}
FLAGS = {
    "poster_unconfirmed": lazy_gettext("It waits until somebody in charge has confirmed it."),
    "other_place": lazy_gettext("Far from the place of the shift; this is noted."),
    "same_device": lazy_gettext(
        "This phone has just checked another person in; this is noted."
    ),
}
PURPOSES = {
    "redemption": lazy_gettext("This is a redemption code, not a check-in code."),
    "poster": lazy_gettext("This is a poster's code. Scan the code on the screen."),
    "venue": lazy_gettext(
        "This is the venue's code. Volunteers scan it with their own phones."
    ),
}
ACTIONS = {
    "already_in": lazy_gettext("Check out instead"),
    "already_out": lazy_gettext("Check out now instead"),
    "not_claimed": lazy_gettext("Join on the spot"),
    "wrong_shift": lazy_gettext("Join this shift instead"),
    "full": lazy_gettext("Join the waiting list"),
    "poster_waiting": lazy_gettext("Go on without the digits"),
    "too_early": lazy_gettext("Let them in, with a reason"),
    "too_late": lazy_gettext("Let them in, with a reason"),
    "not_eligible": lazy_gettext("Let them in, with a reason"),
}
BACK_IN = lazy_gettext("Come back in")


class YesNo(fields.Boolean):
    """true or false, strictly: words and numbers are refused, not bent."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **more: Any) -> Any:
        if not isinstance(value, bool):
            raise self.make_error("invalid", input=value)
        return value


class Position(Body):
    """Where the phone says it is; compared with the place of the shift, and forgotten."""

    latitude = fields.Float(required=True, allow_nan=False, validate=validate.Range(-90, 90))
    longitude = fields.Float(required=True, allow_nan=False, validate=validate.Range(-180, 180))
    accuracy = fields.Float(
        allow_nan=False, load_default=0.0, validate=validate.Range(0, 100_000)
    )


class NewScanIn(Body):
    """A scan as a device sends it. note: why, where a person insists."""

    nonce = fields.String(required=True, validate=VISIBLE)
    code = fields.String(required=True, validate=validate.Length(min=1, max=CODE_LENGTH_MAX))
    shift_id = RowId(allow_none=True)
    direction = fields.String(
        load_default="auto", validate=validate.OneOf(("in", "out", "auto"))
    )
    scanned_at = Planned(allow_none=True)
    offline = YesNo(load_default=False)
    device_id = fields.String(allow_none=True, validate=VISIBLE)
    location = fields.Nested(Position, allow_none=True)
    digits = fields.String(allow_none=True, validate=validate.Regexp(r"[0-9]{4}\Z"))
    confirm = YesNo(load_default=False)
    note = Text(length_max=200, allow_none=True)


class VenueCodeQuery(Body):
    """Which way the venue's screen stands."""

    direction = fields.String(
        load_default="in", validate=validate.OneOf(("in", "out", "either"))
    )


class VenueCodeOut(Schema):
    """The venue code of this moment."""

    code = fields.String()
    url = fields.String()
    expires_at = fields.AwareDateTime(format="iso")
    refresh_seconds = fields.Integer()


class VerdictOut(Schema):
    """The verdict of a scan; every scan is answered by one. nonce: in a batch."""

    nonce = fields.String()
    scan_id = fields.Integer(allow_none=True)
    result = fields.String(validate=validate.OneOf(("ok", "confirm", "refuse")))
    reason = fields.String()
    title = fields.String()
    detail = fields.String()
    action = fields.String(allow_none=True)
    direction = fields.String(allow_none=True)
    occurrence = fields.Integer()
    missing = fields.List(fields.String())
    may_confirm = fields.Boolean()
    needs_reason = fields.Boolean()
    person = fields.Dict(allow_none=True)
    shift = fields.Dict(allow_none=True)
    counts = fields.Dict(allow_none=True)
    first = fields.Dict(allow_none=True)
    points_preview = fields.Dict(allow_none=True)
    flags = fields.List(fields.String())
    undo_until = fields.String(allow_none=True)
    server_time = fields.String()


class VerdictsOut(Schema):
    """A verdict for each scan, in order."""

    verdicts = fields.List(fields.Nested(VerdictOut))


class UndoneOut(Schema):
    """A scan that was taken back."""

    scan_id = fields.Integer()
    undone_at = fields.AwareDateTime(format="iso")
    counts = fields.Dict()
    detail = fields.String()


class WouldAward(Schema):
    """What settling gives, or gave."""

    points = fields.Integer()
    service_minutes = fields.Integer()


class PairOut(Schema):
    """One coming and going."""

    checked_in_at = fields.AwareDateTime(format="iso", allow_none=True)
    checked_out_at = fields.AwareDateTime(format="iso", allow_none=True)


class SheetLineOut(Schema):
    """One person of a shift."""

    member_id = fields.Integer()
    display_name = fields.String()
    state = fields.String()
    checked_in_at = fields.AwareDateTime(format="iso", allow_none=True)
    checked_out_at = fields.AwareDateTime(format="iso", allow_none=True)
    minutes = fields.Integer(allow_none=True)
    flags = fields.List(fields.String())
    would_award = fields.Nested(WouldAward)
    held_reason = fields.String(allow_none=True)
    would_hold = fields.String(allow_none=True)
    pairs = fields.List(fields.Nested(PairOut))


class SheetOut(Schema):
    """A page of the attendance of a shift."""

    items = fields.List(fields.Nested(SheetLineOut))
    next = fields.String(allow_none=True)


class AwardedOut(WouldAward):
    """One person's award."""

    member_id = fields.Integer()


class HeldOut(Schema):
    """One person whose work waits for review."""

    member_id = fields.Integer()
    reason = fields.String()


class SettlementOut(Schema):
    """All that is settled of a shift, and how many differences of stations are not."""

    awarded = fields.List(fields.Nested(AwardedOut))
    held = fields.List(fields.Nested(HeldOut))
    open_differences = fields.Integer()


class ArrivalOut(Schema):
    """Somebody who came lately."""

    time = fields.String()
    name = fields.String()


class ArrivalsOut(Schema):
    """The counts on the venue's screen."""

    arrived = fields.Integer()
    present = fields.Integer()
    places = fields.Integer()
    recent = fields.List(fields.Nested(ArrivalOut))


def desk_here() -> Desk:
    """Return what holds for every scan of this installation."""
    settings = current_app.extensions["settings"]
    rules = Rules(settings.check_in_opens_minutes, settings.check_out_stays_minutes)
    return Desk(settings.secret_key, rules, settings.zone)


def scan_from(body: dict[str, Any]) -> NewScan:
    """Return the scan that a body describes."""
    place = body.get("location")
    return NewScan(
        nonce=body["nonce"],
        code=body["code"],
        shift_id=body.get("shift_id"),
        direction=body["direction"],
        scanned_at=body.get("scanned_at"),
        is_offline=body["offline"],
        device_id=body.get("device_id"),
        location=(place["latitude"], place["longitude"], place["accuracy"]) if place else None,
        digits=body.get("digits"),
        confirm=body["confirm"],
        note=body.get("note"),
    )


def verdict_out(verdict: Verdict) -> dict[str, Any]:
    """Return a verdict with its words in the language of this request."""
    facts = verdict.facts
    return {
        **facts,
        "occurrence": facts.get("occurrence", 1),
        "missing": missing_words(facts.get("missing", ())),
        "scan_id": verdict.scan_id,
        "title": title_of(facts["reason"]),
        "detail": detail_of(facts),
        "action": action_of(facts),
    }


def state_of(line: SheetLine, shift: ShiftLine, now: datetime) -> str:
    """Return where a person of the sheet stands: claimed, absent, present, left, credited, held
    or rejected."""
    if line.state is not None:
        return line.state
    return "absent" if now >= shift.ends_at else "claimed"


def sheet_line_out(line: SheetLine, rules: ShiftRules, now: datetime) -> dict[str, Any]:
    """Return a line of the sheet; would_award is what settling gives now, or what it gave.

    held_reason: why it is held. would_hold: why settling now would hold it.
    """
    minutes = rules.minutes_of(*line.standing) if line.checked_out_at is not None else None
    award = rules.award_of(line)
    gives = (award.points, award.service_minutes)
    if line.settled_at is not None:
        gives = (line.points or 0, line.service_minutes or 0)
    return {
        "member_id": line.member_id,
        "display_name": masked_name(line.name),
        "state": state_of(line, rules.shift, now),
        "checked_in_at": line.checked_in_at,
        "checked_out_at": line.checked_out_at,
        "pairs": [{"checked_in_at": came, "checked_out_at": left} for came, left in line.pairs],
        "minutes": minutes,
        "flags": line.flags,
        "would_award": {"points": gives[0], "service_minutes": gives[1]},
        "held_reason": line.held_reason,
        "would_hold": award.reason if line.has_come and line.settled_at is None else None,
    }


def _time(written: str | None) -> str:
    return clock_time(datetime.fromisoformat(written)) if written else ""


def title_of(reason: str) -> str:
    """Return the large word of a verdict with this reason."""
    return str(TITLES[reason])


def detail_of(facts: dict[str, Any]) -> str:
    """Return the line that says why, or what was recorded."""
    reason = facts["reason"]
    words = SPECIAL[reason](facts) if reason in SPECIAL else str(PLAIN[reason])
    return " ".join([words, *(str(FLAGS[flag]) for flag in facts["flags"] if flag in FLAGS)])


def _arrived_words(facts: dict[str, Any]) -> str:
    counts = facts["counts"]
    words = gettext(
        "No. %(arrived)s of %(places)s", arrived=counts["arrived"], places=counts["places"]
    )
    return f"{words} · {_time(facts['at'])}"


def _left_words(facts: dict[str, Any]) -> str:
    duration = hours(facts["minutes"] or 0)
    gives = facts["points_preview"] or {"points": 0}
    if gives["points"]:
        return str(
            gettext(
                "Today %(duration)s · about +%(points)s points",
                duration=duration,
                points=gives["points"],
            )
        )
    return str(gettext("Today %(duration)s", duration=duration))


def _marked_words(facts: dict[str, Any]) -> str:
    first = facts["first"]
    if first is None:
        return ""
    at, by = _time(first["at"]), first["by"]
    if facts["reason"] == "already_in":
        return str(gettext("Checked in at %(time)s by %(name)s.", time=at, name=by))
    return str(gettext("Checked out at %(time)s by %(name)s.", time=at, name=by))


def _not_claimed_words(facts: dict[str, Any]) -> str:
    left = facts["counts"]["places"] - facts["counts"]["claimed"]
    return str(gettext("%(left)s places are free; you can join on the spot.", left=left))


def _full_words(facts: dict[str, Any]) -> str:
    if facts["position"]:
        return str(gettext("No. %(position)s in line.", position=facts["position"]))
    return str(gettext("You can join the waiting list."))


def _elsewhere_words(facts: dict[str, Any]) -> str:
    other = facts["elsewhere"]
    if other is None:
        return str(gettext("This code belongs to another shift."))
    starts_at = moment(datetime.fromisoformat(other["starts_at"]))
    return str(
        gettext("The claim is for: %(time)s · %(title)s", time=starts_at, title=other["title"])
    )


def _window_words(facts: dict[str, Any]) -> str:
    if facts["reason"] == "too_early":
        words = gettext("Check-in opens at %(time)s.", time=_time(facts["opens_at"]))
    else:
        over = datetime.fromisoformat(facts["at"]) - datetime.fromisoformat(
            facts["shift"]["ends_at"]
        )
        minutes = max(0, int(over.total_seconds()) // 60)
        words = gettext("It ended %(duration)s ago.", duration=hours(minutes))
    if facts["may_confirm"] or facts["result"] == "refuse":
        return str(words)
    return f"{words} {gettext('Ask the person in charge.')}"


def _missing_words(facts: dict[str, Any]) -> str:
    return " ".join(missing_words(facts["missing"])) or str(PLAIN["not_eligible"])


def _purpose_words(facts: dict[str, Any]) -> str:
    return str(PURPOSES[facts["code_kind"]])


SPECIAL = {
    "ok_in": _arrived_words,
    "ok_out": _left_words,
    "already_in": _marked_words,
    "already_out": _marked_words,
    "not_claimed": _not_claimed_words,
    "full": _full_words,
    "waitlisted": _full_words,
    "wrong_shift": _elsewhere_words,
    "too_early": _window_words,
    "too_late": _window_words,
    "wrong_purpose": _purpose_words,
    "not_eligible": _missing_words,
}


def action_of(facts: dict[str, Any]) -> str | None:
    """Return the word on the button that goes on from here, None when there is nothing to
    press."""
    if facts["undo_until"]:
        return str(gettext("Take it back"))
    if not facts["may_confirm"]:
        return None
    if facts["reason"] == "already_out" and facts["direction"] == "in":
        return str(BACK_IN)
    return str(ACTIONS[facts["reason"]])


def result_words(
    shown: dict[str, Any],
    *,
    acts: list[dict[str, Any]],
    undo: dict[str, Any] | None = None,
) -> dict[str, Any]:
    """Return a verdict as the page of one verdict prints it; undo is how it is taken back."""
    person, shift = shown.get("person"), shown.get("shift")
    line = ""
    if shift and shown.get("at"):
        line = f"{_time(shown['at'])} · {shift['place_name']}"
    return {
        "verdict": {
            **{name: shown[name] for name in ("result", "reason", "title", "detail")},
            "name": person["display_name"] if person else "",
            "line": line,
            "needs_reason": shown.get("needs_reason", False),
        },
        "counts": shown.get("counts"),
        "last": [],
        "acts": acts,
        "undo": undo,
        "seconds_to_undo": UNDO_SECONDS if undo else 0,
    }
