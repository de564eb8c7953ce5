"""The scoring standard as it is shown to programs and on its page."""

from typing import Any

from marshmallow import Schema, fields

from pointsbank.scoring.models import Item
from pointsbank.scoring.queries import Standard


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
    """Return a version with its items as a list that is never cut."""
    return {
        "version": standard.version,
        "name": standard.name,
        "valid_from": standard.valid_from,
        "category_caps": {
            category: hundredths / 100
            for category, hundredths in standard.category_caps.items()
        },
        "items": [item_out(item) for item in standard.items],
        "next": None,
    }
