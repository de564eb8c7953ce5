"""What comes in and goes out about hours: check-outs, overtime, no-shows, own service."""

from typing import Any

from flask_babel import gettext, lazy_gettext
from marshmallow import Schema, fields, validate

from pointsbank.attendance.completing import HELD_OVER_CHECK_OUT
from pointsbank.attendance.no_shows import NoShowFile, has_stayed_away
from pointsbank.attendance.overtimes import OVERTIME_HOURS_MAX, OvertimeFile
from pointsbank.attendance.own_service import Service
from pointsbank.attendance.schemas import PairOut
from pointsbank.attendance.settling import CLAIM_GIVEN_UP, NOTHING_TO_ENTER, OWN_SHIFT
from pointsbank.attendance.sheet import SheetLine
from pointsbank.core.text import masked_name
from pointsbank.tasks.schemas import Planned
from pointsbank.web.contract import Body, PageQuery, RowId, Text

REASON_LENGTH_MAX = 200
# No shift has more people.
PEOPLE_MAX = 2000

STATES = {
    "present": lazy_gettext("Being there now"),
    "left": lazy_gettext("Waiting to be settled"),
    "credited": lazy_gettext("Entered"),
    "held": lazy_gettext("Held for review"),
    "rejected": lazy_gettext("Struck out: you were not there"),
}
NOT_ENTERED = lazy_gettext("Nothing to enter")
FLAG_WORDS = {
    "walk_in": lazy_gettext("joined on the spot"),
    "same_device": lazy_gettext("same phone"),
    "other_place": lazy_gettext("far away"),
    "clock_skew": lazy_gettext("clock differs"),
    "offline": lazy_gettext("without network"),
    "let_in": lazy_gettext("let in"),
    "poster_unconfirmed": lazy_gettext("by the poster, not confirmed"),
    "not_eligible": lazy_gettext("let in without what the shift asks for"),
    "check_out_entered": lazy_gettext("check-out entered by hand"),
    "counts_anyway": lazy_gettext("counts, says the person in charge"),
}
HELD_WORDS = {
    "missing_check_out": lazy_gettext("no check-out"),
    "too_short": lazy_gettext("too short"),
    "day_full": lazy_gettext("the day's limit is reached"),
    "own_shift": lazy_gettext("settled by themselves"),
    "claim_given_up": lazy_gettext("gave the place up"),
    "budget_spent": lazy_gettext("the month's issue budget is used up"),
    "review": lazy_gettext("a second person looks at it"),
}
CUT_WORDS = {
    "day_cap": lazy_gettext("fewer points: the day's limit for this work is reached"),
    "week_cap": lazy_gettext("fewer points: the week's limit for this work is reached"),
    "year_cap": lazy_gettext("fewer points: the year's limit for this work is reached"),
}
OVERTIME_WORDS = {
    "pending": lazy_gettext("waits for a decision"),
    "approved": lazy_gettext("approved"),
    "refused": lazy_gettext("refused"),
}
NO_SHOW_WORDS = {
    "recorded": lazy_gettext("You can say why."),
    "answered": lazy_gettext("Your answer waits for a decision."),
    "excused": lazy_gettext("Excused."),
    "upheld": lazy_gettext("It stands. No points are taken."),
}


class Reason(Body):
    """Why something is done by hand."""

    reason = Text(length_max=REASON_LENGTH_MAX, required=True)


class CheckOuts(Reason):
    """When people left who have no check-out: the shift's end and everyone when not said."""

    left_at = Planned(allow_none=True)
    member_ids = fields.List(RowId(), validate=validate.Length(min=1, max=PEOPLE_MAX))


class Standing(Reason):
    """Who was there although they had given their place up."""

    member_id = RowId(required=True)


class CheckOutsOut(Schema):
    """How many check-outs were entered."""

    entered = fields.Integer()


class NewOvertime(Reason):
    """Until when a shift went on."""

    until = Planned(required=True)


class OvertimeDecision(Body):
    """Whether overtime counts."""

    decision = fields.String(required=True, validate=validate.OneOf(("approve", "refuse")))


class OvertimeOut(Schema):
    """Overtime as it was asked for and decided."""

    shift_id = fields.Integer()
    title = fields.String()
    ends_at = fields.AwareDateTime(format="iso")
    until = fields.AwareDateTime(format="iso")
    minutes = fields.Integer()
    reason = fields.String()
    state = fields.String()
    asked_by = fields.String()
    asked_at = fields.AwareDateTime(format="iso")
    decided_by = fields.String(allow_none=True)
    decided_at = fields.AwareDateTime(format="iso", allow_none=True)


class OvertimesOut(Schema):
    """The overtime that waits for a decision within one's scope."""

    items = fields.List(fields.Nested(OvertimeOut))
    next = fields.String(allow_none=True)


class NoShows(Body):
    """Who did not come: everyone with a place who did not, when nobody is named."""

    member_ids = fields.List(RowId(), validate=validate.Length(min=1, max=PEOPLE_MAX))


class NoShowsOut(Schema):
    """How many were recorded now."""

    recorded = fields.Integer()


class NoShowAnswer(Body):
    """What the person says about it."""

    answer = Text(length_max=REASON_LENGTH_MAX, required=True)


class NoShowDecision(Body):
    """Whether it is excused."""

    decision = fields.String(required=True, validate=validate.OneOf(("excuse", "uphold")))


class NoShowOut(Schema):
    """A record of somebody who did not come."""

    claim_id = fields.Integer()
    member_id = fields.Integer()
    display_name = fields.String()
    state = fields.String()
    shift_id = fields.Integer()
    title = fields.String()
    starts_at = fields.AwareDateTime(format="iso")
    recorded_at = fields.AwareDateTime(format="iso")
    answer_by = fields.AwareDateTime(format="iso")
    answer = fields.String(allow_none=True)
    answered_at = fields.AwareDateTime(format="iso", allow_none=True)
    decided_at = fields.AwareDateTime(format="iso", allow_none=True)


class NoShowListOut(Schema):
    """A page of records."""

    items = fields.List(fields.Nested(NoShowOut))
    next = fields.String(allow_none=True)


class ServiceQuery(PageQuery):
    """A page of one's own services."""


class ServiceOut(Schema):
    """One shift in one's own list."""

    shift_id = fields.Integer()
    title = fields.String()
    place_name = fields.String()
    starts_at = fields.AwareDateTime(format="iso")
    ends_at = fields.AwareDateTime(format="iso")
    state = fields.String()
    pairs = fields.List(fields.Nested(PairOut))
    present_minutes = fields.Integer(allow_none=True)
    service_minutes = fields.Integer(allow_none=True)
    points = fields.Integer(allow_none=True)
    standard_version = fields.Integer(allow_none=True)
    held_reason = fields.String(allow_none=True)
    cut_reason = fields.String(allow_none=True)
    flags = fields.List(fields.String())
    checked_in_by = fields.String(allow_none=True)


class ServicesOut(Schema):
    """A page of one's own services, newest first."""

    items = fields.List(fields.Nested(ServiceOut))
    next = fields.String(allow_none=True)


class RejectionIn(Body):
    """Why, if the person wants to say it."""

    note = Text(length_max=REASON_LENGTH_MAX, allow_none=True)


class RejectionOut(Schema):
    """What became of the entry."""

    state = fields.String()
    points_back = fields.Integer()
    points_spent = fields.Integer()


def overtime_out(found: OvertimeFile) -> dict[str, Any]:
    """Return overtime as programs see it; names are masked."""
    return {
        "shift_id": found.shift_id,
        "title": found.title,
        "ends_at": found.ends_at,
        "until": found.until,
        "minutes": found.minutes,
        "reason": found.reason,
        "state": found.state,
        "asked_by": masked_name(found.asked_by),
        "asked_at": found.asked_at,
        "decided_by": masked_name(found.decided_by) if found.decided_by else None,
        "decided_at": found.decided_at,
    }


def no_show_out(found: NoShowFile) -> dict[str, Any]:
    """Return a record as programs see it; the name is masked."""
    return {
        "claim_id": found.claim_id,
        "member_id": found.member_id,
        "display_name": found.display_name,
        "state": found.state,
        "shift_id": found.shift_id,
        "title": found.title,
        "starts_at": found.starts_at,
        "recorded_at": found.recorded_at,
        "answer_by": found.answer_by,
        "answer": found.answer,
        "answered_at": found.answered_at,
        "decided_at": found.decided_at,
    }


def service_out(found: Service) -> dict[str, Any]:
    """Return one of a person's own services as programs see it."""
    return {
        "shift_id": found.shift_id,
        "title": found.title,
        "place_name": found.place_name,
        "starts_at": found.starts_at,
        "ends_at": found.ends_at,
        "state": found.state,
        "pairs": [
            {"checked_in_at": came, "checked_out_at": left} for came, left in found.pairs
        ],
        "present_minutes": found.present_minutes,
        "service_minutes": found.service_minutes,
        "points": found.points,
        "standard_version": found.standard_version,
        "held_reason": found.held_reason,
        "cut_reason": found.cut_reason,
        "flags": list(found.flags),
        "checked_in_by": found.by_hand,
    }


def closing_words(
    lines: list[SheetLine], overtime: OvertimeFile | None, actor_id: int
) -> dict[str, Any]:
    """Return what is left to do before a shift is settled, as the sheet prints it.

    missing: who has no check-out. away: who had a place and did not come. given_up: who waits
    for the lead's word. short: who was held over a check-out that may be wrong. own: whether
    only another lead can settle somebody.
    """
    return {
        "missing": [_person(line) for line in lines if _lacks_check_out(line, actor_id)],
        "away": [
            _person(line)
            for line in lines
            if has_stayed_away(line) and line.member_id != actor_id
        ],
        "given_up": [
            _person(line)
            for line in lines
            if line.held_reason == CLAIM_GIVEN_UP and line.member_id != actor_id
        ],
        "short": [
            _person(line)
            for line in lines
            if line.state == "held"
            and line.held_reason in HELD_OVER_CHECK_OUT
            and line.checked_out_at is not None
            and line.member_id != actor_id
        ],
        "own": any(line.held_reason == OWN_SHIFT for line in lines),
        "overtime": overtime_words(overtime),
        "overtime_hours": OVERTIME_HOURS_MAX,
    }


def _lacks_check_out(line: SheetLine, actor_id: int) -> bool:
    return line.open_coming is not None and line.member_id != actor_id


def _person(line: SheetLine) -> dict[str, Any]:
    return {
        "id": line.member_id,
        "name": masked_name(line.name),
        "since": line.open_coming.checked_in_at if line.open_coming else None,
        "came_at": line.checked_in_at,
        "left_at": line.checked_out_at,
    }


def overtime_words(found: OvertimeFile | None) -> dict[str, Any] | None:
    """Return overtime as pages print it, None when nobody asked for any."""
    if found is None:
        return None
    return {
        "shift_id": found.shift_id,
        "title": found.title,
        "starts_at": found.starts_at,
        "ends_at": found.ends_at,
        "until": found.until,
        "minutes": found.minutes,
        "reason": found.reason,
        "state": found.state,
        "word": str(OVERTIME_WORDS[found.state]),
        "by": masked_name(found.asked_by),
        "asked_by_id": found.asked_by_id,
    }


def service_words(found: Service) -> dict[str, Any]:
    """Return one of a person's own services as their list prints it."""
    state = str(STATES[found.state])
    if found.state == "held" and found.held_reason in NOTHING_TO_ENTER:
        state = str(NOT_ENTERED)
    if found.state == "held" and found.held_reason in HELD_WORDS:
        state = f"{state} · {HELD_WORDS[found.held_reason]}"
    if found.state == "credited" and found.cut_reason in CUT_WORDS:
        state = f"{state} · {CUT_WORDS[found.cut_reason]}"
    return {
        **service_out(found),
        "state_word": state,
        "flag_words": [str(FLAG_WORDS[flag]) for flag in found.flags if flag in FLAG_WORDS],
        "rules": gettext("Rules, version %(version)s", version=found.standard_version)
        if found.standard_version
        else "",
        "may_reject": found.state != "rejected",
    }
