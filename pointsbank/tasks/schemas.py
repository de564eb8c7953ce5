"""What comes in and goes out at the doors of tasks."""

from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from flask_babel import gettext
from marshmallow import Schema, ValidationError, fields, validate

from pointsbank.core.calendar import midnight
from pointsbank.scoring.policy import award_for
from pointsbank.scoring.queries import Standard
from pointsbank.tasks.claiming import ClaimHeld
from pointsbank.tasks.claims import ClaimLine
from pointsbank.tasks.models import PLACES_MAX, TASK_KINDS
from pointsbank.tasks.queries import ShiftLine, TaskLine
from pointsbank.web.contract import Body, PageQuery, Text, When, Whole

SHIFTS_MAX = 60
# A shift outside these years is a slip of the pen, and some such moments do not exist in UTC.
FIRST_MOMENT = datetime(2000, 1, 1, tzinfo=UTC)
LAST_MOMENT = datetime(2100, 1, 1, tzinfo=UTC)


class Planned(When):
    """A moment a shift may begin or end at: RFC 3339 with an offset, in this century."""

    def __init__(self, **more: Any) -> None:
        """Bound the moment on both sides."""
        super().__init__(validate=validate.Range(min=FIRST_MOMENT, max=LAST_MOMENT), **more)


class NewShiftIn(Body):
    """A shift as the organizer plans it."""

    starts_at = Planned(required=True)
    ends_at = Planned(required=True)
    places = Whole(least=1, most=PLACES_MAX, required=True)
    place_name = Text(length_max=120, required=True)
    latitude = fields.Float(allow_nan=False, allow_none=True, validate=validate.Range(-90, 90))
    longitude = fields.Float(
        allow_nan=False, allow_none=True, validate=validate.Range(-180, 180)
    )


class NewTask(Body):
    """A task as the organizer drafts it."""

    title = Text(length_max=80, required=True)
    kind = fields.String(required=True, validate=validate.OneOf(TASK_KINDS))
    organization_code = Text(length_max=32, required=True)
    scoring_item = Text(length_max=40, required=True)
    summary = Text(length_min=0, length_max=2000, lines=True, load_default="")
    risk_note = Text(length_min=0, length_max=500, lines=True, load_default="")
    shifts = fields.List(
        fields.Nested(NewShiftIn),
        required=True,
        validate=validate.Length(min=1, max=SHIFTS_MAX),
    )


class CallOff(Body):
    """Why a task is called off."""

    reason = Text(length_max=200, required=True)


class DayOrMoment(fields.Field[datetime]):
    """A local day, whose beginning is meant, or a moment with an offset."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **more: Any) -> Any:
        # A plus sign that was not escaped arrives as a space.
        text = str(value).strip().replace(" ", "+")
        try:
            if len(text) == len("2026-11-21"):
                return date.fromisoformat(text)
            moment = datetime.fromisoformat(text)
        except ValueError as error:
            raise ValidationError("Not a valid day or moment.") from error
        if moment.tzinfo is None or not FIRST_MOMENT <= moment <= LAST_MOMENT:
            raise ValidationError("Not a valid day or moment.")
        return moment


class Near(fields.Field[Any]):
    """A position "latitude,longitude", or "home" for the person's own organization first."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **more: Any) -> Any:
        if value == "home":
            return value
        parts = str(value).split(",")
        try:
            latitude, longitude = (float(part) for part in parts)
        except ValueError as error:
            raise ValidationError("Not a valid position.") from error
        if not (-90 <= latitude <= 90 and -180 <= longitude <= 180):
            raise ValidationError("Not a valid position.")
        return latitude, longitude


class TaskQuery(PageQuery):
    """What a person looks for among open tasks."""

    organization_code = fields.String(validate=validate.Length(max=32))
    kind = fields.String(validate=validate.OneOf(TASK_KINDS))
    starts_from = DayOrMoment(data_key="from")
    starts_to = DayOrMoment(data_key="to")
    near = Near()


class ShiftOut(Schema):
    """A shift; points and service_minutes are what the whole of it would give."""

    id = fields.Integer()
    starts_at = fields.AwareDateTime(format="iso")
    ends_at = fields.AwareDateTime(format="iso")
    places = fields.Integer()
    claimed = fields.Integer()
    waitlisted = fields.Integer()
    place_name = fields.String()
    latitude = fields.Float(allow_none=True)
    longitude = fields.Float(allow_none=True)
    points = fields.Integer()
    service_minutes = fields.Integer()


class OrganizationOut(Schema):
    """The organization a task belongs to."""

    code = fields.String()
    name = fields.String()


class TaskOut(Schema):
    """A task with its shifts."""

    id = fields.Integer()
    title = fields.String()
    kind = fields.String()
    state = fields.String()
    organization = fields.Nested(OrganizationOut)
    scoring_item = fields.String()
    summary = fields.String()
    risk_note = fields.String()
    shifts = fields.List(fields.Nested(ShiftOut))


class TaskListOut(Schema):
    """A page of tasks."""

    items = fields.List(fields.Nested(TaskOut))
    next = fields.String(allow_none=True)


class ClaimOut(Schema):
    """A claim; position is the place in the waiting line, from 1."""

    id = fields.Integer()
    state = fields.String()
    position = fields.Integer(allow_none=True)


class ClaimedTaskOut(Schema):
    """The task a claim is on, in short."""

    id = fields.Integer()
    title = fields.String()
    kind = fields.String()
    state = fields.String()
    organization = fields.Nested(OrganizationOut)


class MyClaimOut(ClaimOut):
    """A claim with the shift it is on."""

    claimed_at = fields.AwareDateTime(format="iso")
    shift = fields.Nested(ShiftOut)
    task = fields.Nested(ClaimedTaskOut)


class MyClaimsOut(Schema):
    """A page of one's own claims."""

    items = fields.List(fields.Nested(MyClaimOut))
    next = fields.String(allow_none=True)


def kind_words() -> dict[str, str]:
    """Return the word for each kind of task."""
    words = {
        "activity": gettext("Activity"),
        "post": gettext("Post"),
        "patrol": gettext("Patrol"),
        "visit": gettext("Visit"),
        "wish": gettext("Wish"),
        "need": gettext("Need"),
        "mobilization": gettext("Mobilization"),
        "meeting": gettext("Meeting"),
    }
    return {kind: str(words[kind]) for kind in TASK_KINDS}


def moment_from(value: date | datetime | None, zone: ZoneInfo) -> datetime | None:
    """Return the moment a filter means; a day means its beginning."""
    if value is None or isinstance(value, datetime):
        return value
    return midnight(value, zone)


def whole_shift_gives(
    standard: Standard, scoring_item: str, shift: ShiftLine
) -> tuple[int, int]:
    """Return points and service minutes of a shift that is done from beginning to end."""
    item = next((item for item in standard.items if item.code == scoring_item), None)
    if item is None:
        return 0, 0
    minutes = shift.planned_minutes
    award = award_for(
        item, planned_minutes=minutes, actual_minutes=minutes, day_minutes_before=0
    )
    return award.points, award.service_minutes


def shift_out(shift: ShiftLine, scoring_item: str, standard: Standard) -> dict[str, Any]:
    """Return a shift as it is shown; its handle stays inside."""
    points, service_minutes = whole_shift_gives(standard, scoring_item, shift)
    shown = {name: getattr(shift, name) for name in ShiftOut().fields if hasattr(shift, name)}
    return {**shown, "points": points, "service_minutes": service_minutes}


def task_out(task: TaskLine, standard: Standard) -> dict[str, Any]:
    """Return a task as it is shown."""
    return {
        "id": task.id,
        "title": task.title,
        "kind": task.kind,
        "state": task.state,
        "organization": {"code": task.organization_code, "name": task.organization_name},
        "scoring_item": task.scoring_item,
        "summary": task.summary,
        "risk_note": task.risk_note,
        "shifts": [shift_out(shift, task.scoring_item, standard) for shift in task.shifts],
    }


def my_claim_out(claim: ClaimLine, standard: Standard) -> dict[str, Any]:
    """Return a claim with its shift and task."""
    return {
        "id": claim.id,
        "state": claim.state,
        "position": claim.position,
        "claimed_at": claim.claimed_at,
        "shift": shift_out(claim.shift, claim.task.scoring_item, standard),
        "task": task_out(claim.task, standard),
    }


def claim_out(claim: ClaimHeld) -> dict[str, Any]:
    """Return a claim as it stands."""
    return {"id": claim.id, "state": claim.state, "position": claim.position}
