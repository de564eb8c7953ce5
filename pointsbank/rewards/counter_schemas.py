"""What comes in and goes out where deals are decided, looked up and days are closed."""

from typing import Any

from marshmallow import fields, validate

from pointsbank.rewards.closing import Closing
from pointsbank.rewards.models import REDEMPTION_STATES
from pointsbank.rewards.schemas import DayOut, PersonOut, TotalsOut, totals_out
from pointsbank.web.contract import Body, PageQuery, Text

NOTE_LENGTH_MAX = 200


class NewConfirmation(Body):
    """What the member, or the counter, says to a redemption that waits."""

    decision = fields.String(required=True, validate=validate.OneOf(["confirm", "decline"]))


class NewClosing(Body):
    """Which day of a till is closed; today without one."""

    day = fields.Date(format="iso", allow_none=True, load_default=None)
    note = Text(length_max=NOTE_LENGTH_MAX, allow_none=True, load_default=None)


class OwnRedemptionsQuery(PageQuery):
    """Which of one's own redemptions to list."""

    state = fields.String(validate=validate.OneOf(REDEMPTION_STATES))


class ClosingOut(TotalsOut):
    """A day as the till closed it."""

    day = fields.String()
    closed_at = fields.String()
    closed_by = fields.Nested(PersonOut)
    note = fields.String(allow_none=True)


class TillDayOut(DayOut):
    """A merchant's redemptions of a day, and how it was closed."""

    closing = fields.Nested(ClosingOut, allow_none=True)


def closing_out(closing: Closing) -> dict[str, Any]:
    """Return a closed day."""
    return {
        **totals_out(closing.totals),
        "day": closing.day.isoformat(),
        "closed_at": closing.closed_at.isoformat(),
        "closed_by": {"display_name": closing.closed_by},
        "note": closing.note,
    }
