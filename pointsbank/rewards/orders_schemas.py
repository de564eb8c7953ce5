"""What comes in and goes out at the JSON door of orders and vouchers."""

from datetime import date, datetime
from typing import Any

from marshmallow import Schema, fields, validate

from pointsbank.rewards.models import QUANTITY_MAX
from pointsbank.rewards.orders_models import ORDER_WAYS
from pointsbank.rewards.orders_queries import OrderLine
from pointsbank.rewards.schemas import (
    CODE_LENGTH_MAX,
    MerchantRef,
    PersonOut,
    RedemptionOut,
    RewardRef,
)
from pointsbank.rewards.vouchers import grouped
from pointsbank.web.contract import Body, PageQuery, Whole


class NewOrderBody(Body):
    """How many pieces to set aside; till: the text of the code at a shop's till."""

    quantity = Whole(least=1, most=QUANTITY_MAX, load_default=1)
    till = fields.String(
        validate=validate.Length(min=1, max=CODE_LENGTH_MAX), allow_none=True, load_default=None
    )


class NewHanding(Body):
    """How many pieces to hand over; all that are left without a number."""

    quantity = Whole(least=1, most=QUANTITY_MAX, allow_none=True, load_default=None)


class OpenOrdersQuery(PageQuery):
    """Which of a merchant's open orders to list."""

    way = fields.String(validate=validate.OneOf(ORDER_WAYS))


class OrderedOut(Schema):
    """An order as it was made: with a voucher, or with a word for the till."""

    id = fields.Integer()
    number = fields.String()
    voucher = fields.String(allow_none=True)
    word = fields.String(allow_none=True)
    points = fields.Integer()
    expires_at = fields.String()


class OrderOut(Schema):
    """An order as it stands; its voucher is the member's own to see.

    merchant_stopped: nothing is handed over there today; the member may call the order off.
    """

    id = fields.Integer()
    number = fields.String()
    way = fields.String()
    state = fields.String()
    merchant_stopped = fields.Boolean()
    voucher = fields.String(allow_none=True)
    word = fields.String(allow_none=True)
    reward = fields.Nested(RewardRef)
    merchant = fields.Nested(MerchantRef)
    member = fields.Nested(PersonOut)
    quantity = fields.Integer()
    delivered = fields.Integer()
    points = fields.Integer()
    ordered_at = fields.String()
    expires_at = fields.String()
    decided_at = fields.String(allow_none=True)


class OrderListOut(Schema):
    """Orders, page by page."""

    items = fields.List(fields.Nested(OrderOut))
    next = fields.String(allow_none=True)


class OrderRef(Schema):
    """An order after a part of it was handed over."""

    id = fields.Integer()
    state = fields.String()
    left = fields.Integer()


class HandedOut(RedemptionOut):
    """A redemption of what was ordered, and what is left of the order."""

    order = fields.Nested(OrderRef)


def order_out(order: OrderLine, today: date, now: datetime, code: str | None) -> dict[str, Any]:
    """Return an order as JSON shows it at this moment; code: the voucher's, for its owner."""
    state = order.state_at(now)
    return {
        "id": order.id,
        "number": order.number,
        "way": order.way,
        "state": state,
        "merchant_stopped": order.is_stopped_on(today),
        "voucher": grouped(code) if code and state == "reserved" else None,
        "word": order.word,
        "reward": {"id": order.reward_id, "name": order.reward_name},
        "merchant": {"id": order.merchant_id, "name": order.merchant_name},
        "member": {"display_name": order.member_name},
        "quantity": order.quantity,
        "delivered": order.delivered,
        "points": order.points,
        "ordered_at": order.ordered_at.isoformat(),
        "expires_at": order.expires_at.isoformat(),
        "decided_at": order.decided_at and order.decided_at.isoformat(),
    }
