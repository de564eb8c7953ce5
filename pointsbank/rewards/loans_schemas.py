"""What comes in and goes out at the JSON door of tools on loan."""

from typing import Any

from marshmallow import Schema, ValidationError, fields, validate, validates_schema

from pointsbank.rewards.models import REWARD_POINTS_MAX
from pointsbank.rewards.orders_models import LOAN_STATES
from pointsbank.rewards.redeeming import REASON_LENGTH_MAX
from pointsbank.rewards.schemas import (
    CODE_LENGTH_MAX,
    PIN_LENGTH_MAX,
    MerchantRef,
    PersonOut,
    RewardRef,
)
from pointsbank.web.contract import Body, RowId, Text, Whole

LOAN_ENDS = [state for state in LOAN_STATES if state != "out"]


class NewLoan(Body):
    """A tool for the member behind a code, or a card with its six digits."""

    merchant_id = RowId(required=True)
    reward_id = RowId(required=True)
    code = fields.String(validate=validate.Length(min=1, max=CODE_LENGTH_MAX))
    card = fields.String(validate=validate.Length(min=1, max=CODE_LENGTH_MAX))
    pin = fields.String(validate=validate.Length(min=1, max=PIN_LENGTH_MAX))

    @validates_schema
    def _one_way(self, data: dict[str, Any], **_more: Any) -> None:
        if ("code" in data) == ("card" in data):
            raise ValidationError("Either code, or card with pin.", "code")
        if "card" in data and "pin" not in data:
            raise ValidationError("A card needs its pin.", "pin")


class LoanEnd(Body):
    """How a tool came back, or that it did not, and what is kept of its deposit."""

    state = fields.String(required=True, validate=validate.OneOf(LOAN_ENDS))
    charged = Whole(least=0, most=REWARD_POINTS_MAX, load_default=0)
    reason = Text(length_max=REASON_LENGTH_MAX, allow_none=True, load_default=None)


class LoanOut(Schema):
    """A loan as it stands."""

    id = fields.Integer()
    number = fields.String()
    state = fields.String()
    reward = fields.Nested(RewardRef)
    merchant = fields.Nested(MerchantRef)
    member = fields.Nested(PersonOut)
    deposit = fields.Integer()
    charged = fields.Integer()
    reason = fields.String(allow_none=True)
    lent_at = fields.String()
    due_on = fields.String()
    overdue = fields.Boolean()
    decided_at = fields.String(allow_none=True)


class LoanListOut(Schema):
    """Loans, page by page."""

    items = fields.List(fields.Nested(LoanOut))
    next = fields.String(allow_none=True)
