"""What comes in and goes out where shifts are searched for."""

from typing import Any

from marshmallow import Schema, fields, validate

from pointsbank.tasks.finding import ORDERS, WORDS_MAX, FoundShift, metres_between
from pointsbank.tasks.models import TASK_KINDS
from pointsbank.web.contract import PAGE_LIMIT, PAGE_LIMIT_MAX, Body, Text, When, Whole


class PositionIn(Body):
    """Where somebody is; used for one answer and not kept."""

    latitude = fields.Float(required=True, allow_nan=False, validate=validate.Range(-90, 90))
    longitude = fields.Float(required=True, allow_nan=False, validate=validate.Range(-180, 180))


class SearchIn(Body):
    """What a person looks for. All in the body, since no position stands in an address."""

    organization_code = fields.String(validate=validate.Length(max=32))
    kind = fields.String(validate=validate.OneOf(TASK_KINDS))
    starts_from = When(data_key="from")
    starts_to = When(data_key="to")
    words = Text(length_min=0, length_max=WORDS_MAX, load_default="")
    only_free = fields.Boolean(load_default=True, truthy={True}, falsy={False})
    order = fields.String(load_default=ORDERS[0], validate=validate.OneOf(ORDERS))
    near = fields.Nested(PositionIn)
    cursor = fields.String(validate=validate.Length(max=200))
    limit = Whole(load_default=PAGE_LIMIT, least=1, most=PAGE_LIMIT_MAX)


class FoundShiftOut(Schema):
    """A shift that fits. metres: only when a position was given; skills: how many fit."""

    shift_id = fields.Integer()
    task_id = fields.Integer()
    title = fields.String()
    kind = fields.String()
    organization_code = fields.String()
    starts_at = fields.AwareDateTime(format="iso")
    ends_at = fields.AwareDateTime(format="iso")
    place_name = fields.String()
    places = fields.Integer()
    claimed = fields.Integer()
    points = fields.Integer()
    skills = fields.Integer()
    metres = fields.Integer(allow_none=True)
    claim_state = fields.String(allow_none=True)


class FoundShiftsOut(Schema):
    """A page of shifts that fit."""

    items = fields.List(fields.Nested(FoundShiftOut))
    next = fields.String(allow_none=True)


def found_out(
    found: FoundShift, points: int, near: tuple[float, float] | None
) -> dict[str, Any]:
    """Return a shift as programs see it."""
    names = FoundShiftOut().fields
    shown = {name: getattr(found, name) for name in names if hasattr(found, name)}
    return {
        **shown,
        "shift_id": found.id,
        "points": points,
        "metres": metres_between(near, found) if near else None,
        "claim_state": found.state or None,
    }
