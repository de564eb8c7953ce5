"""The scoring standard and manual adjustments as programs and pages send and see them."""

from datetime import date, datetime
from typing import Any

from flask_babel import lazy_gettext
from marshmallow import Schema, ValidationError, fields, validate, validates_schema

from pointsbank.scoring.adjustments import AdjustmentFile
from pointsbank.scoring.models import (
    ADJUSTMENT_MONTH_MINUTES_MAX,
    ADJUSTMENT_MONTH_POINTS_MAX,
    ADJUSTMENT_REASONS,
    Item,
)
from pointsbank.scoring.queries import Standard
from pointsbank.scoring.tables import DEFAULT_TABLE, table_named
from pointsbank.web.contract import Body, RowId, Text, Whole

REASON_LENGTH_MAX = 200
EVIDENCE_LENGTH_MAX = 400
REASON_WORDS = {
    "missed_scan": lazy_gettext("Check-in or check-out was missed"),
    "device_failure": lazy_gettext("A device failed"),
    "paper_record": lazy_gettext("Entered from a paper list"),
    "wrong_entry": lazy_gettext("Something was entered wrongly"),
    "commendation": lazy_gettext("Commendation"),
    "other": lazy_gettext("Another reason"),
}
STATE_WORDS = {
    "pending": lazy_gettext("To be decided"),
    "approved": lazy_gettext("Approved"),
    "refused": lazy_gettext("Refused"),
    "lapsed": lazy_gettext("Lapsed"),
}


class Day(fields.Date):
    """A local day, 2026-11-21 in ASCII digits; int() would take others as well."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **more: Any) -> date:
        if not isinstance(value, str) or not value.isascii():
            raise self.make_error("invalid", input=value, obj_type=self.OBJ_TYPE)
        day: date = super()._deserialize(value, attr, data, **more)
        return day


class ScoringItemOut(Schema):
    """One item of the standard."""

    code = fields.String()
    name = fields.String()
    name_zh = fields.String()
    category = fields.String()
    unit = fields.String()
    points = fields.Integer()
    evaluation_score = fields.Float()
    counts_minutes = fields.Boolean()
    unit_minutes = fields.Integer()
    share_min_percent = fields.Integer()
    day_minutes_max = fields.Integer()


class StandardOut(Schema):
    """The version in force, with its items."""

    version = fields.Integer()
    name = fields.String()
    valid_from = fields.Date()
    category_caps = fields.Dict(keys=fields.String(), values=fields.Float())
    items = fields.List(fields.Nested(ScoringItemOut))
    next = fields.String(allow_none=True)


def item_out(item: Item) -> dict[str, Any]:
    """Return an item with its evaluation score in whole units."""
    return {
        **{name: getattr(item, name) for name in ScoringItemOut().fields if name in vars(item)},
        "evaluation_score": item.evaluation_hundredths / 100,
    }


def standard_out(standard: Standard) -> dict[str, Any]:
    """Return a version with its items as a list that is never cut.

    category_caps: those of the table by which most members are evaluated.
    """
    table = table_named(standard.evaluation_tables, DEFAULT_TABLE)
    return {
        "version": standard.version,
        "name": standard.name,
        "valid_from": standard.valid_from,
        "category_caps": {
            category: hundredths / 100
            for category, hundredths in {**table.base, **table.bonus}.items()
        },
        "items": [item_out(item) for item in standard.items],
        "next": None,
    }


def not_nothing(value: int) -> None:
    """Refuse 0, which adjusts nothing."""
    if value == 0:
        raise ValidationError("0 adjusts nothing")


class Measure(Whole):
    """A signed size, up to what a month takes by hand."""

    def __init__(self, most: int, **more: Any) -> None:
        """Bound it on both sides of 0."""
        super().__init__(least=-most, most=most, **more)
        self.validators = [*self.validators, not_nothing]


class WantedAdjustment(Body):
    """What is asked for by hand: points or minutes for one member, and why."""

    member_id = RowId(required=True)
    points = Measure(ADJUSTMENT_MONTH_POINTS_MAX)
    service_minutes = Measure(ADJUSTMENT_MONTH_MINUTES_MAX)
    reason_code = fields.String(required=True, validate=validate.OneOf(ADJUSTMENT_REASONS))
    reason = Text(length_max=REASON_LENGTH_MAX, required=True)
    evidence = Text(length_max=EVIDENCE_LENGTH_MAX, length_min=0, load_default="")
    occurred_on = Day()

    @validates_schema
    def has_one_measure(self, data: dict[str, Any], **_more: Any) -> None:
        """Refuse both measures, and none."""
        if len({"points", "service_minutes"} & set(data)) != 1:
            raise ValidationError("either points or service_minutes is needed")


class AdjustmentAsked(Schema):
    """An adjustment that waits for a second person."""

    id = fields.Integer()
    state = fields.String()
    decide_by = fields.AwareDateTime(format="iso")


class Decision(Body):
    """What a second person decides, and why."""

    decision = fields.String(required=True, validate=validate.OneOf(["approve", "refuse"]))
    reason = Text(length_max=REASON_LENGTH_MAX, required=True)


class AdjustmentPerson(Schema):
    """Somebody an adjustment names; the name is masked."""

    id = fields.Integer()
    display_name = fields.String()


class AdjustmentOut(Schema):
    """A manual adjustment as those see it who look after its member."""

    id = fields.Integer()
    state = fields.String()
    member = fields.Nested(AdjustmentPerson)
    organization = fields.String()
    points = fields.Integer(allow_none=True)
    service_minutes = fields.Integer(allow_none=True)
    occurred_on = fields.Date()
    reason_code = fields.String()
    reason = fields.String()
    evidence = fields.String()
    author = fields.Nested(AdjustmentPerson)
    asked_at = fields.AwareDateTime(format="iso")
    decide_by = fields.AwareDateTime(format="iso")
    decided_by = fields.Nested(AdjustmentPerson, allow_none=True)
    decided_at = fields.AwareDateTime(format="iso", allow_none=True)
    decision_reason = fields.String()
    transfer_id = fields.Integer(allow_none=True)


class AdjustmentsOut(Schema):
    """A page of adjustments: those that wait first, then the newest."""

    items = fields.List(fields.Nested(AdjustmentOut))
    next = fields.String(allow_none=True)


def adjustment_out(found: AdjustmentFile, now: datetime) -> dict[str, Any]:
    """Return an adjustment as programs see it; what nobody decided in time has lapsed."""
    return {
        **vars(found),
        "state": found.state_at(now),
        "member": {"id": found.member_id, "display_name": found.member_name},
        "organization": found.organization_name,
        "author": {"id": found.author_id, "display_name": found.author_name},
        "decided_by": found.decided_by_id
        and {"id": found.decided_by_id, "display_name": found.decided_by_name},
    }
