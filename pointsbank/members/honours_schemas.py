"""Honours as programs and pages send and see them."""

from typing import Any

from marshmallow import Schema, fields, validate

from pointsbank.members.honours import HonourLine
from pointsbank.members.schemas import Day
from pointsbank.web.contract import Body, Text

TITLE_MAX, NUMBER_MAX, DOCUMENT_MAX, REASON_MAX = 80, 60, 1000, 200


class RecordedHonour(Body):
    """An honour as the paper says it."""

    title = Text(length_max=TITLE_MAX, required=True)
    grantor = Text(length_max=TITLE_MAX, required=True)
    granted_on = Day(required=True)
    document_no = Text(length_max=NUMBER_MAX, length_min=0, load_default="")
    document = Text(length_max=DOCUMENT_MAX, length_min=0, lines=True, load_default="")


class HonourDecision(Body):
    """What the second person decides; a rejection says why."""

    decision = fields.String(required=True, validate=validate.OneOf(["confirm", "reject"]))
    reason = Text(length_max=REASON_MAX, required=True)


class HonourOut(Schema):
    """An honour; names are masked."""

    id = fields.Integer()
    title = fields.String()
    grantor = fields.String()
    granted_on = fields.Date()
    document_no = fields.String()
    document = fields.String()
    state = fields.String()
    recorded_by = fields.String()
    recorded_at = fields.AwareDateTime(format="iso")
    decided_by = fields.String()
    decided_at = fields.AwareDateTime(format="iso", allow_none=True)
    decision_reason = fields.String()


class HonoursOut(Schema):
    """Honours, the newest first."""

    items = fields.List(fields.Nested(HonourOut))
    next = fields.String(allow_none=True)


def honours_out(found: list[HonourLine]) -> dict[str, Any]:
    """Return honours as a list that is never cut."""
    return {"items": [vars(each) for each in found], "next": None}
