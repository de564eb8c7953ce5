"""What comes in and goes out at the doors of tasks."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from flask_babel import gettext
from marshmallow import Schema, ValidationError, fields, validate, validates_schema

from pointsbank.core.calendar import midnight
from pointsbank.core.text import halfwidth
from pointsbank.scoring.models import COEFFICIENT_PERCENT_MAX
from pointsbank.scoring.policy import NO_COEFFICIENT
from pointsbank.scoring.queries import Standard
from pointsbank.tasks.claiming import ClaimHeld
from pointsbank.tasks.claims import ClaimLine
from pointsbank.tasks.drafting import Details, NewRole, NewShift
from pointsbank.tasks.eligibility import Fitness
from pointsbank.tasks.giving import whole_shift_gives
from pointsbank.tasks.models import MEETING_KINDS, PLACES_MAX, RISK_LEVELS, TASK_KINDS
from pointsbank.tasks.queries import RoleLine, ShiftLine, TaskLine
from pointsbank.web.contract import Body, PageQuery, RowId, Text, When, Whole

SHIFTS_MAX = 60
ROLES_MAX = 20
SKILLS_MAX = 20
MINUTES_A_DAY = 1440
TELEPHONE = re.compile(r"\+?[0-9][0-9 ()-]{4,18}")
# A shift outside these years is a slip of the pen, and some such moments do not exist in UTC.
FIRST_MOMENT = datetime(2000, 1, 1, tzinfo=UTC)
LAST_MOMENT = datetime(2100, 1, 1, tzinfo=UTC)


class Planned(When):
    """A moment a shift may begin or end at: RFC 3339 with an offset, in this century."""

    def __init__(self, **more: Any) -> None:
        """Bound the moment on both sides."""
        super().__init__(validate=validate.Range(min=FIRST_MOMENT, max=LAST_MOMENT), **more)


class Telephone(Text):
    """A number to be called at: a mobile or a desk's, without any words."""

    def __init__(self, **more: Any) -> None:
        """Bound it to what is dialled."""
        super().__init__(length_min=0, length_max=20, allow_none=True, **more)

    def _deserialize(self, value: Any, attr: str | None, data: Any, **more: Any) -> Any:
        number = halfwidth(super()._deserialize(value, attr, data, **more))
        if number and not TELEPHONE.fullmatch(number):
            raise ValidationError("Not a telephone number.")
        return number


class NewShiftRole(Body):
    """A role with places of its own."""

    name = Text(length_min=0, length_max=40, load_default="")
    places = Whole(least=1, most=PLACES_MAX, required=True)
    eligibility = fields.Dict(load_default=dict)


class NewShiftIn(Body):
    """A shift as the organizer plans it: with places, or with roles that sum up to them."""

    starts_at = Planned(required=True)
    ends_at = Planned(required=True)
    places = Whole(least=1, most=PLACES_MAX)
    roles = fields.List(
        fields.Nested(NewShiftRole), validate=validate.Length(max=ROLES_MAX), load_default=list
    )
    break_minutes = Whole(least=0, most=MINUTES_A_DAY - 1, load_default=0)
    place_name = Text(length_max=120, required=True)
    latitude = fields.Float(allow_nan=False, allow_none=True, validate=validate.Range(-90, 90))
    longitude = fields.Float(
        allow_nan=False, allow_none=True, validate=validate.Range(-180, 180)
    )

    @validates_schema
    def _say_how_many(self, data: dict[str, Any], **_more: Any) -> None:
        sum_of_roles = sum(role["places"] for role in data["roles"])
        if "places" not in data and not sum_of_roles:
            raise ValidationError({"places": ["Missing data for required field."]})
        if sum_of_roles and data.get("places", sum_of_roles) != sum_of_roles:
            raise ValidationError({"places": ["Not the sum of the roles' places."]})


class NewTask(Body):
    """A task as the organizer drafts it."""

    title = Text(length_max=80, required=True)
    kind = fields.String(required=True, validate=validate.OneOf(TASK_KINDS))
    organization_code = Text(length_max=32, required=True)
    scoring_item = Text(length_max=40, required=True)
    coefficient_percent = Whole(
        least=NO_COEFFICIENT, most=COEFFICIENT_PERCENT_MAX, load_default=NO_COEFFICIENT
    )
    meeting_kind = fields.String(allow_none=True, validate=validate.OneOf(MEETING_KINDS))
    summary = Text(length_min=0, length_max=2000, lines=True, load_default="")
    risk_note = Text(length_min=0, length_max=500, lines=True, load_default="")
    risk_level = fields.String(load_default="low", validate=validate.OneOf(RISK_LEVELS))
    insurance_ref = Text(length_min=0, length_max=80, allow_none=True)
    contact_name = Text(length_min=0, length_max=60, allow_none=True)
    contact_phone = Telephone()
    eligibility = fields.Dict(load_default=dict)
    claims_open_at = Planned(allow_none=True)
    claims_close_at = Planned(allow_none=True)
    skills = fields.List(
        Text(length_max=24), validate=validate.Length(max=SKILLS_MAX), load_default=list
    )
    shifts = fields.List(
        fields.Nested(NewShiftIn),
        required=True,
        validate=validate.Length(min=1, max=SHIFTS_MAX),
    )

    @validates_schema
    def is_a_meeting(self, data: dict[str, Any], **_more: Any) -> None:
        """Refuse the kind of a meeting for other work."""
        if data.get("meeting_kind") and data.get("kind") != "meeting":
            raise ValidationError({"meeting_kind": ["Only for a meeting."]})


class CallOff(Body):
    """Why a task is called off."""

    reason = Text(length_max=200, required=True)


class PlaceName(Body):
    """Where the people of a shift meet instead."""

    shift_id = RowId(required=True)
    place_name = Text(length_max=120, required=True)


class ChangedTask(Body):
    """What may change while people have places."""

    summary = Text(length_min=0, length_max=2000, lines=True)
    contact_name = Text(length_min=0, length_max=60)
    contact_phone = Telephone()
    place_names = fields.List(
        fields.Nested(PlaceName), validate=validate.Length(max=SHIFTS_MAX), load_default=list
    )


class TaskDecision(Body):
    """What a second person says to a task for many people."""

    decision = fields.String(required=True, validate=validate.OneOf(("approve", "send_back")))
    reason = Text(length_min=0, length_max=200, load_default="")

    @validates_schema
    def _say_why(self, data: dict[str, Any], **_more: Any) -> None:
        if data["decision"] == "send_back" and not data["reason"]:
            raise ValidationError({"reason": ["Missing data for required field."]})


class NewClaim(Body):
    """Which role a person claims; none: whichever has a place for them."""

    role_id = RowId(allow_none=True, load_default=None)


class GivingUp(Body):
    """Why a place is given up; nobody has to say."""

    reason = Text(length_min=0, length_max=200, load_default="")


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


class ShiftRoleOut(Schema):
    """A role of a shift; is_eligible and missing are the asking person's, null in lists."""

    id = fields.Integer()
    name = fields.String()
    places = fields.Integer()
    claimed = fields.Integer()
    waitlisted = fields.Integer()
    eligibility = fields.Dict()
    is_eligible = fields.Boolean(allow_none=True)
    missing = fields.List(fields.Dict(), allow_none=True)


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
    break_minutes = fields.Integer()
    called_off_at = fields.AwareDateTime(format="iso", allow_none=True)
    roles = fields.List(fields.Nested(ShiftRoleOut))


class ContactOut(Schema):
    """Whom people with a claim may call."""

    name = fields.String(allow_none=True)
    phone = fields.String(allow_none=True)


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
    coefficient_percent = fields.Integer()
    meeting_kind = fields.String(allow_none=True)
    summary = fields.String()
    risk_note = fields.String()
    risk_level = fields.String()
    is_insured = fields.Boolean()
    insurance_ref = fields.String(allow_none=True)
    contact = fields.Nested(ContactOut, allow_none=True)
    eligibility = fields.Dict()
    claims_open_at = fields.AwareDateTime(format="iso", allow_none=True)
    claims_close_at = fields.AwareDateTime(format="iso", allow_none=True)
    skills = fields.List(fields.String())
    shifts = fields.List(fields.Nested(ShiftOut))


class TaskListOut(Schema):
    """A page of tasks."""

    items = fields.List(fields.Nested(TaskOut))
    next = fields.String(allow_none=True)


class OverlapOut(Schema):
    """Another shift of the same person at the same time."""

    title = fields.String()
    starts_at = fields.AwareDateTime(format="iso")
    ends_at = fields.AwareDateTime(format="iso")


class ClaimOut(Schema):
    """A claim; position is the place in the waiting line, from 1."""

    id = fields.Integer()
    state = fields.String()
    position = fields.Integer(allow_none=True)
    role_id = fields.Integer()
    accept_by = fields.AwareDateTime(format="iso", allow_none=True)


class ClaimHeldOut(ClaimOut):
    """A claim as it stands, with what else the person does at that time."""

    overlaps = fields.List(fields.Nested(OverlapOut))


class GivenUpOut(Schema):
    """A claim that was given up; told_in_time: early enough that nobody is let down."""

    id = fields.Integer()
    state = fields.String()
    told_in_time = fields.Boolean()


class ClaimedTaskOut(Schema):
    """The task a claim is on, in short."""

    id = fields.Integer()
    title = fields.String()
    kind = fields.String()
    state = fields.String()
    organization = fields.Nested(OrganizationOut)


class MyClaimOut(ClaimOut):
    """A claim with the shift it is on."""

    role_name = fields.String()
    contact = fields.Nested(ContactOut)
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


def risk_words() -> dict[str, str]:
    """Return the word for each level of risk."""
    words = {
        "low": gettext("Low risk"),
        "medium": gettext("Medium risk"),
        "high": gettext("High risk"),
    }
    return {level: str(words[level]) for level in RISK_LEVELS}


def plan_of(body: dict[str, Any], draw: Callable[[], bytes]) -> dict[str, Any]:
    """Return what drafting takes of a body that fits NewTask.

    draw: draws the handle of a shift.
    """
    plan = dict(body)
    wanted = {name: plan.pop(name) for name in Details.__dataclass_fields__ if name in plan}
    for name in ("insurance_ref", "contact_name", "contact_phone"):
        wanted[name] = wanted.get(name) or None
    details = Details(**{**wanted, "skills": tuple(wanted["skills"])})
    shifts = [_shift_of(shift, draw()) for shift in plan.pop("shifts")]
    return {**plan, "shifts": shifts, "details": details}


def _shift_of(shift: dict[str, Any], handle: bytes) -> NewShift:
    planned = dict(shift)
    roles = tuple(NewRole(**role) for role in planned.pop("roles"))
    places = planned.pop("places", 0) or sum(role.places for role in roles)
    return NewShift(handle=handle, places=places, roles=roles, **planned)


def moment_from(value: date | datetime | None, zone: ZoneInfo) -> datetime | None:
    """Return the moment a filter means; a day means its beginning."""
    if value is None or isinstance(value, datetime):
        return value
    return midnight(value, zone)


@dataclass(frozen=True)
class View:
    """How much of a task a person sees. fits: how they fit each role, by its id."""

    is_organizer: bool = False
    has_claim: bool = False
    fits: Mapping[int, Fitness] = field(default_factory=dict)


VIEW_OF_ANYONE = View()


def shift_out(
    shift: ShiftLine, task: TaskLine, standard: Standard, view: View = VIEW_OF_ANYONE
) -> dict[str, Any]:
    """Return a shift as it is shown; its handle stays inside."""
    points, service_minutes = whole_shift_gives(standard, task, shift)
    shown = {name: getattr(shift, name) for name in ShiftOut().fields if hasattr(shift, name)}
    roles = [role_out(role, view.fits.get(role.id)) for role in shift.roles]
    return {**shown, "points": points, "service_minutes": service_minutes, "roles": roles}


def role_out(role: RoleLine, fit: Fitness | None) -> dict[str, Any]:
    """Return a role as it is shown, with how the asking person fits it."""
    return {
        **{name: getattr(role, name) for name in ShiftRoleOut().fields if hasattr(role, name)},
        "is_eligible": None if fit is None else fit.is_eligible,
        "missing": None if fit is None else list(fit.missing),
    }


def contact_out(task: TaskLine) -> dict[str, Any]:
    """Return whom people with a claim may call."""
    return {"name": task.contact_name, "phone": task.contact_phone}


def task_out(task: TaskLine, standard: Standard, view: View = VIEW_OF_ANYONE) -> dict[str, Any]:
    """Return a task as it is shown to whoever has this view of it."""
    return {
        "id": task.id,
        "title": task.title,
        "kind": task.kind,
        "state": task.state,
        "organization": {"code": task.organization_code, "name": task.organization_name},
        "scoring_item": task.scoring_item,
        "coefficient_percent": task.coefficient_percent,
        "meeting_kind": task.meeting_kind,
        "summary": task.summary,
        "risk_note": task.risk_note,
        "risk_level": task.risk_level,
        "is_insured": task.insurance_ref is not None,
        "insurance_ref": task.insurance_ref if view.is_organizer else None,
        "contact": contact_out(task) if view.is_organizer or view.has_claim else None,
        "eligibility": task.eligibility,
        "claims_open_at": task.claims_open_at,
        "claims_close_at": task.claims_close_at,
        "skills": list(task.skills),
        "shifts": [shift_out(shift, task, standard, view) for shift in task.shifts],
    }


def claim_line_out(claim: ClaimLine) -> dict[str, Any]:
    """Return a claim without the shift it is on."""
    return {name: getattr(claim, name) for name in ClaimOut().fields}


def my_claim_out(claim: ClaimLine, standard: Standard) -> dict[str, Any]:
    """Return a claim with its shift and task."""
    return {
        **claim_line_out(claim),
        "role_name": claim.role_name,
        "contact": contact_out(claim.task),
        "claimed_at": claim.claimed_at,
        "shift": shift_out(claim.shift, claim.task, standard),
        "task": task_out(claim.task, standard),
    }


def claim_out(claim: ClaimHeld) -> dict[str, Any]:
    """Return a claim as it stands."""
    shown = {name: getattr(claim, name) for name in ClaimOut().fields}
    return {**shown, "overlaps": [vars(each) for each in claim.overlaps]}
