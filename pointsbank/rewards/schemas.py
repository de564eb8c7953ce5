"""What comes in and goes out at the JSON door of rewards."""

from datetime import UTC, date, datetime
from typing import Any

from flask import url_for
from marshmallow import Schema, ValidationError, fields, validate, validates_schema

from pointsbank.rewards.catalogue import WORDS_LENGTH_MAX
from pointsbank.rewards.days import (
    MONTHDAY_MAX,
    WEEKDAYS,
    monthday_bits,
    monthday_numbers,
    weekday_bits,
    weekday_names,
)
from pointsbank.rewards.guarding import Obstacle
from pointsbank.rewards.models import (
    CATEGORIES,
    LIMIT_PERIODS,
    LOAN_DAYS_MAX,
    MARKET_FEN_MAX,
    QUANTITY_MAX,
    REWARD_POINTS_MAX,
    STARS_MAX,
    STOCK_MAX,
)
from pointsbank.rewards.offering import OFFERED_KINDS
from pointsbank.rewards.queries import DayTotals, RedemptionLine, RewardLine
from pointsbank.rewards.voiding import Voided
from pointsbank.web.contract import Body, PageQuery, QueryWhole, RowId, Text, When, Whole
from pointsbank.web.errors import sentence_of

CODE_LENGTH_MAX = 500
# Of what a page is given one character more is read: what is cut must not become a code.
CODE_TYPED_MAX = CODE_LENGTH_MAX + 1
PIN_LENGTH_MAX = 20
NAME_LENGTH_MAX = 80
DESCRIPTION_LENGTH_MAX = 1000
AUDIENCE_CODE_LENGTH_MAX = 32
# A reward valid outside these years is a slip of the pen.
FIRST_MOMENT = datetime(2000, 1, 1, tzinfo=UTC)
LAST_MOMENT = datetime(2100, 1, 1, tzinfo=UTC)


class Bound(When):
    """An end of a reward's validity."""

    def __init__(self, **more: Any) -> None:
        """Bound the moment on both sides."""
        super().__init__(
            validate=validate.Range(min=FIRST_MOMENT, max=LAST_MOMENT),
            allow_none=True,
            **more,
        )


class Weekdays(fields.List[Any]):
    """Days of the week by their two letters."""

    def __init__(self, **more: Any) -> None:
        """Take only those."""
        super().__init__(fields.String(validate=validate.OneOf(WEEKDAYS)), **more)

    def _deserialize(self, value: Any, attr: str | None, data: Any, **more: Any) -> Any:
        names: Any = super()._deserialize(value, attr, data, **more)
        return weekday_bits(names)


class Monthdays(fields.List[Any]):
    """Days of the month by their numbers."""

    def __init__(self, **more: Any) -> None:
        """Take only those."""
        super().__init__(Whole(least=1, most=MONTHDAY_MAX), **more)

    def _deserialize(self, value: Any, attr: str | None, data: Any, **more: Any) -> Any:
        numbers: Any = super()._deserialize(value, attr, data, **more)
        return monthday_bits(numbers)


class RewardFields(Body):
    """What a merchant may say of a reward, new or changed."""

    kind = fields.String(validate=validate.OneOf(OFFERED_KINDS))
    category = fields.String(validate=validate.OneOf(CATEGORIES))
    description = Text(length_min=0, length_max=DESCRIPTION_LENGTH_MAX, lines=True)
    market_fen = Whole(least=1, most=MARKET_FEN_MAX, allow_none=True)
    limit_per_member = Whole(least=1, most=STOCK_MAX, allow_none=True)
    limit_period = fields.String(validate=validate.OneOf(LIMIT_PERIODS))
    valid_from = Bound()
    valid_until = Bound()
    weekdays = Weekdays()
    monthdays = Monthdays()
    audience_code = Text(length_max=AUDIENCE_CODE_LENGTH_MAX, allow_none=True)
    stars_min = Whole(least=0, most=STARS_MAX)
    loan_days = Whole(least=1, most=LOAN_DAYS_MAX, allow_none=True)


class NewReward(RewardFields):
    """A reward as a merchant offers it; a draft is kept for the merchant's own people."""

    merchant_id = RowId(required=True)
    name = Text(length_max=NAME_LENGTH_MAX, required=True)
    points = Whole(least=1, most=REWARD_POINTS_MAX)
    stock = Whole(least=0, most=STOCK_MAX, required=True, allow_none=True)
    draft = fields.Boolean(load_default=False, truthy={True}, falsy={False})


class RewardChanges(RewardFields):
    """More of a reward, other words for it, its withdrawal, or its return."""

    name = Text(length_max=NAME_LENGTH_MAX)
    points = Whole(least=1, most=REWARD_POINTS_MAX)
    stock = Whole(least=0, most=STOCK_MAX, allow_none=True)
    add_stock = Whole(least=1, most=STOCK_MAX)
    state = fields.String(validate=validate.OneOf(["offered", "withdrawn"]))

    @validates_schema
    def _something(self, data: dict[str, Any], **_more: Any) -> None:
        if not data:
            raise ValidationError("Nothing to change.")


class RewardQuery(PageQuery):
    """Which rewards to list."""

    merchant_id = QueryWhole(least=1, most=2**63 - 1)
    words = Text(length_min=0, length_max=WORDS_LENGTH_MAX)
    category = fields.String(validate=validate.OneOf(CATEGORIES))
    kind = fields.String(validate=validate.OneOf(OFFERED_KINDS))
    most_points = QueryWhole(least=1, most=REWARD_POINTS_MAX)


class PriceQuery(Body):
    """What something costs in money."""

    market_fen = QueryWhole(least=1, most=MARKET_FEN_MAX, required=True)


class NewRedemption(Body):
    """A deal at a counter. The price is the catalogue's: there is no field for it.

    points: by points, in place of a reward and a number of them.
    """

    merchant_id = RowId(required=True)
    reward_id = RowId()
    quantity = Whole(least=1, most=QUANTITY_MAX)
    points = Whole(least=1, most=REWARD_POINTS_MAX)
    code = fields.String(validate=validate.Length(min=1, max=CODE_LENGTH_MAX))
    card = fields.String(validate=validate.Length(min=1, max=CODE_LENGTH_MAX))
    pin = fields.String(validate=validate.Length(min=1, max=PIN_LENGTH_MAX))

    @validates_schema
    def _one_way(self, data: dict[str, Any], **_more: Any) -> None:
        if ("code" in data) == ("card" in data):
            raise ValidationError("Either code, or card with pin.", "code")
        if "card" in data and "pin" not in data:
            raise ValidationError("A card needs its pin.", "pin")

    @validates_schema
    def _reward_or_points(self, data: dict[str, Any], **_more: Any) -> None:
        if "points" in data and ("reward_id" in data or "quantity" in data):
            raise ValidationError("Either points, or reward_id with quantity.", "points")
        for name in ("reward_id", "quantity"):
            if "points" not in data and name not in data:
                raise ValidationError("Missing data for required field.", name)


class NewVoid(Body):
    """Why a redemption is voided, and how many pieces; the second administrator decides."""

    reason = Text(length_max=200, allow_none=True, load_default=None)
    quantity = Whole(least=1, most=QUANTITY_MAX, allow_none=True, load_default=None)
    decision = fields.String(validate=validate.OneOf(["agree", "refuse"]), load_default="agree")


class DayQuery(PageQuery):
    """Which day's redemptions; today without one."""

    day = fields.Date(format="iso")


class CreatedOut(Schema):
    """The id of what was made."""

    id = fields.Integer()


class MerchantRef(Schema):
    """A merchant by name."""

    id = fields.Integer()
    name = fields.String()


class AudienceRef(Schema):
    """An organization by name."""

    id = fields.Integer()
    name = fields.String()


class ObstacleOut(Schema):
    """What keeps the asking member from a reward at this moment, their points apart."""

    code = fields.String()
    detail = fields.String()


class PictureOut(Schema):
    """Where a picture is, large and small."""

    url = fields.String()
    small_url = fields.String()


class RewardOut(Schema):
    """A reward as it is offered."""

    id = fields.Integer()
    merchant = fields.Nested(MerchantRef)
    name = fields.String()
    kind = fields.String()
    category = fields.String()
    description = fields.String()
    points = fields.Integer()
    market_fen = fields.Integer(allow_none=True)
    stock = fields.Integer(allow_none=True)
    limit_per_member = fields.Integer(allow_none=True)
    limit_period = fields.String()
    valid_from = fields.String(allow_none=True)
    valid_until = fields.String(allow_none=True)
    weekdays = fields.List(fields.String())
    monthdays = fields.List(fields.Integer())
    audience = fields.Nested(AudienceRef, allow_none=True)
    stars_min = fields.Integer()
    loan_days = fields.Integer(allow_none=True)
    picture = fields.Nested(PictureOut, allow_none=True)
    state = fields.String()
    affordable = fields.Boolean()
    obstacle = fields.Nested(ObstacleOut, allow_none=True)


class PriceOut(Schema):
    """What a price in money is in points, and the rate it follows from, for 100 points."""

    points = fields.Integer()
    rate_fen = fields.Integer()


class RewardListOut(Schema):
    """Rewards, page by page."""

    items = fields.List(fields.Nested(RewardOut))
    next = fields.String(allow_none=True)


class PersonOut(Schema):
    """A person as a clerk may see them."""

    display_name = fields.String()


class RewardRef(Schema):
    """A reward by name."""

    id = fields.Integer()
    name = fields.String()


class RedemptionOut(Schema):
    """A redemption as the counter shows it."""

    id = fields.Integer()
    number = fields.String()
    state = fields.String()
    points = fields.Integer()
    balance_after = fields.Integer(allow_none=True)
    member = fields.Nested(PersonOut)
    reward = fields.Nested(RewardRef)
    merchant = fields.Nested(MerchantRef)
    merchant_id = fields.Integer()
    quantity = fields.Integer()
    voided_quantity = fields.Integer()
    created_at = fields.String()
    confirm_by = fields.String(allow_none=True)
    voided_at = fields.String(allow_none=True)


class TotalsOut(Schema):
    """A day's sum; points without what was voided."""

    redemptions = fields.Integer()
    points = fields.Integer()
    voided = fields.Integer()


class DayOut(Schema):
    """A merchant's redemptions of a day."""

    day = fields.String()
    totals = fields.Nested(TotalsOut)
    items = fields.List(fields.Nested(RedemptionOut))
    next = fields.String(allow_none=True)


class RedemptionListOut(Schema):
    """Redemptions, page by page."""

    items = fields.List(fields.Nested(RedemptionOut))
    next = fields.String(allow_none=True)


def reward_out(reward: RewardLine, available: int, obstacle: Obstacle | None) -> dict[str, Any]:
    """Return a reward as JSON shows it to someone with so many points.

    obstacle: what keeps them from it, their points apart.
    """
    return {
        "id": reward.id,
        "merchant": {"id": reward.merchant_id, "name": reward.merchant_name},
        "name": reward.name,
        "kind": reward.kind,
        "category": reward.category,
        "description": reward.description,
        "points": reward.points,
        "market_fen": reward.market_fen,
        "stock": reward.stock,
        "limit_per_member": reward.limit_per_member,
        "limit_period": reward.limit_period,
        "valid_from": reward.valid_from and reward.valid_from.isoformat(),
        "valid_until": reward.valid_until and reward.valid_until.isoformat(),
        "weekdays": weekday_names(reward.weekdays),
        "monthdays": monthday_numbers(reward.monthdays),
        "audience": reward.audience_id
        and {"id": reward.audience_id, "name": reward.audience_name},
        "stars_min": reward.stars_min,
        "loan_days": reward.loan_days,
        "picture": picture_out(reward),
        "state": reward.state,
        "affordable": reward.points <= available,
        "obstacle": obstacle and {"code": obstacle.code, "detail": sentence_of(obstacle)},
    }


def picture_out(reward: RewardLine) -> dict[str, str] | None:
    """Return where a reward's picture is, None where there is none."""
    if reward.picture_digest is None:
        return None
    where: dict[str, Any] = {"reward_id": reward.id, "digest": reward.picture_digest.hex()}
    return {
        "url": url_for("picture_pages.show", **where, size="large"),
        "small_url": url_for("picture_pages.show", **where, size="small"),
    }


def redemption_out(line: RedemptionLine, now: datetime) -> dict[str, Any]:
    """Return a redemption as JSON shows it at this moment."""
    return {
        "id": line.id,
        "number": line.number,
        "state": line.state_at(now),
        "points": line.points,
        "balance_after": line.balance_after,
        "member": {"display_name": line.member_name},
        "reward": {"id": line.reward_id, "name": line.reward_name},
        "merchant": {"id": line.merchant_id, "name": line.merchant_name},
        "merchant_id": line.merchant_id,
        "quantity": line.quantity,
        "voided_quantity": line.voided_quantity,
        "created_at": line.redeemed_at.isoformat(),
        "confirm_by": line.confirm_by and line.confirm_by.isoformat(),
        "voided_at": line.voided_at and line.voided_at.isoformat(),
    }


def redemption_seen(
    line: RedemptionLine, now: datetime, reader_id: int, today: date
) -> dict[str, Any]:
    """Return a redemption as JSON shows it afterwards: what was left only to whom it tells."""
    shown = redemption_out(line, now)
    return shown if line.tells_balance(reader_id, today) else {**shown, "balance_after": None}


def voided_out(voided: Voided, now: datetime) -> dict[str, Any]:
    """Return a redemption after its void, with the balance right after the points came back.

    One that a second administrator must agree to is shown as void_asked.
    """
    shown = redemption_out(voided.redemption, now)
    state = "void_asked" if voided.is_asked else shown["state"]
    return {**shown, "state": state, "balance_after": voided.balance_after}


def totals_out(totals: DayTotals) -> dict[str, int]:
    """Return a day's sum."""
    return {
        "redemptions": totals.redemptions,
        "points": totals.points,
        "voided": totals.voided,
    }
