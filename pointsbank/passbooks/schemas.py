"""What the book looks like in JSON, and its cover on a page."""

from datetime import date
from typing import Any

from marshmallow import Schema, fields

from pointsbank.passbooks.queries import Cover
from pointsbank.web.formats import day
from pointsbank.web.languages import locale_name


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


def cover_words(cover: Cover, name: str, number: str) -> dict[str, Any]:
    """Return the cover as the component prints it."""
    first = cover.expiring[0] if cover.expiring else None
    return {
        "balance": cover.balance.available,
        "held": cover.balance.held,
        "name": name,
        "number": number,
        "pending": 0,
        "expiring": first.points if first else 0,
        "expiring_on": day_with_year(first.expires_on) if first else "",
    }


def day_with_year(on: date) -> str:
    """Write 2027年12月31日, or 31 Dec 2027."""
    return f"{on.year}年{day(on)}" if locale_name() == "zh" else f"{day(on)} {on.year}"
