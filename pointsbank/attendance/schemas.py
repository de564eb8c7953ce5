"""What comes in and goes out at the doors of attendance."""

from datetime import datetime
from typing import Any

from flask import current_app
from marshmallow import Schema, fields, validate

from pointsbank.attendance.finding import Desk, NewScan
from pointsbank.attendance.policy import Rules
from pointsbank.attendance.recording import Verdict
from pointsbank.attendance.settling import ShiftRules
from pointsbank.attendance.sheet import SheetLine
from pointsbank.attendance.words import action_of, detail_of, title_of
from pointsbank.core.text import masked_name
from pointsbank.tasks.eligibility_words import missing_words
from pointsbank.tasks.queries import ShiftLine
from pointsbank.tasks.schemas import Planned
from pointsbank.web.contract import Body, RowId, Text

CODE_LENGTH_MAX = 500
VISIBLE = validate.Regexp(r"[!-~]{1,64}\Z", error="1 to 64 visible ASCII characters.")


# Put into words only when said: a verdict says one of them.


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


class NameOut(Schema):
    """Whom a scan is about."""

    scan_id = fields.Integer()
    name = fields.String()


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
    cut_reason = fields.String(allow_none=True)
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
    """All that is settled of a shift; how many differences of stations are not, if any."""

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
        "cut_reason": line.cut_reason,
        "would_hold": award.reason if line.has_come and line.settled_at is None else None,
    }
