"""What a station asks for and is given, so that it can judge without a network."""

from marshmallow import Schema, fields

from pointsbank.attendance.schemas import VISIBLE
from pointsbank.web.contract import Body


class StationIn(Body):
    """Which device asks: its own marks are told apart from those of others."""

    device_id = fields.String(allow_none=True, validate=VISIBLE)


class StationShiftOut(Schema):
    """The shift of a snapshot, with its window in minutes."""

    id = fields.Integer()
    title = fields.String()
    handle = fields.String()
    starts_at = fields.String()
    ends_at = fields.String()
    places = fields.Integer()
    claimed = fields.Integer()
    place_name = fields.String()
    break_minutes = fields.Integer()
    is_called_off = fields.Boolean()
    opens_minutes = fields.Integer()
    stays_minutes = fields.Integer()


class StationOut(Schema):
    """One shift's people, marks and keys; `fields` names the values of each person's row."""

    format = fields.String()
    server_time = fields.String()
    expires_at = fields.String()
    actor = fields.String()
    shift = fields.Nested(StationShiftOut)
    number_key = fields.String()
    card_key = fields.String()
    names = fields.List(fields.String(), attribute="fields", data_key="fields")
    by = fields.List(fields.String())
    revoked_cards = fields.List(fields.String())
    people = fields.List(fields.List(fields.Raw(allow_none=True)))
