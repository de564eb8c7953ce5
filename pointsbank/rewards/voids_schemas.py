"""What goes out of voids that wait for a second administrator."""

from typing import Any

from marshmallow import Schema, fields

from pointsbank.rewards.schemas import MerchantRef, PersonOut
from pointsbank.rewards.voids_queries import AskedVoid


class AskedVoidOut(Schema):
    """A void that waits; decidable: whether the asking administrator may agree or refuse."""

    redemption_id = fields.Integer()
    number = fields.String()
    day = fields.String()
    merchant = fields.Nested(MerchantRef)
    reward = fields.String()
    member = fields.Nested(PersonOut)
    quantity = fields.Integer()
    points = fields.Integer()
    reason = fields.String(allow_none=True)
    asked_by = fields.Nested(PersonOut)
    asked_at = fields.String()
    decidable = fields.Boolean()


class AskedVoidListOut(Schema):
    """Voids that wait, page by page, the oldest first."""

    items = fields.List(fields.Nested(AskedVoidOut))
    next = fields.String(allow_none=True)


def asked_void_out(asked: AskedVoid, member_id: int) -> dict[str, Any]:
    """Return a void that waits as JSON shows it to this administrator."""
    return {
        "redemption_id": asked.redemption_id,
        "number": asked.number,
        "day": asked.redeemed_on.isoformat(),
        "merchant": {"id": asked.merchant_id, "name": asked.merchant_name},
        "reward": asked.reward_name,
        "member": {"display_name": asked.member_name},
        "quantity": asked.quantity,
        "points": asked.points,
        "reason": asked.reason,
        "asked_by": {"display_name": asked.asked_by_name},
        "asked_at": asked.asked_at.isoformat(),
        "decidable": asked.is_decided_by(member_id),
    }
