"""What the book looks like in JSON."""

from marshmallow import Schema, fields


class LineOut(Schema):
    """One line of a passbook; points are above zero when they came in."""

    line = fields.Integer()
    occurred_at = fields.AwareDateTime(format="iso")
    recorded_at = fields.AwareDateTime(format="iso")
    kind = fields.String()
    points = fields.Integer()
    balance_after = fields.Integer()
    memo = fields.String()
    transfer_id = fields.Integer()
    reverses_line = fields.Integer(allow_none=True)
    expires_on = fields.Date(allow_none=True)
    source = fields.Dict(keys=fields.String())


class BookOut(Schema):
    """A page of one's own passbook, newest line first."""

    items = fields.List(fields.Nested(LineOut))
    next = fields.String(allow_none=True)
