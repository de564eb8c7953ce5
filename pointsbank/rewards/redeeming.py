"""Redeeming at a counter: the hot call, in as few statements as the two engines share.

Rows are locked in one order everywhere: the code, the reward (its stock), the member's count of
it (the limit), the wallet last. Each guard stands in the WHERE of the statement that writes, so
whoever waited for a row judges it as it is then. A refusal is raised, and the door's
transaction takes back everything, the used code included.
"""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import Date, Row, TextClause, bindparam, text
from sqlalchemy.orm import Session

from pointsbank.core.audit import note
from pointsbank.core.db import Moment
from pointsbank.core.errors import KeyReused
from pointsbank.core.text import masked_name
from pointsbank.ledger.errors import NotEnoughPoints
from pointsbank.ledger.posting import Posted, Posting
from pointsbank.ledger.service import post
from pointsbank.members.queries import display_names
from pointsbank.members.showing import (
    member_of_card,
    member_of_redemption_code,
    use_redemption_code,
)
from pointsbank.rewards.errors import (
    LimitReached,
    MerchantStopped,
    NotForOneself,
    NumberTaken,
    OutOfStock,
    RewardNotFound,
    RewardNotYet,
    RewardOver,
    RewardWithdrawn,
    TooManyPoints,
)
from pointsbank.rewards.locking import refuse_while_locked
from pointsbank.rewards.models import REWARD_POINTS_MAX
from pointsbank.rewards.policy import share_period
from pointsbank.rewards.queries import available_points, had_by

REASON_LENGTH_MAX = 200


@dataclass(frozen=True)
class Order:
    """What is asked for at a counter: how many of which reward, and the code or card shown."""

    merchant_id: int
    reward_id: int
    quantity: int
    code: str | None = None
    card: str | None = None


@dataclass(frozen=True)
class Redeemed:
    """What was handed over, for the receipt."""

    id: int
    number: str
    points: int
    balance_after: int
    member_id: int
    member_name: str
    reward_name: str


@dataclass(frozen=True)
class Preview:
    """What would be handed over; nothing is changed by asking."""

    member_id: int
    member_name: str
    reward_name: str
    points: int
    balance_before: int
    balance_after: int


def _typed(statement: str) -> TextClause:
    return text(statement).bindparams(bindparam("now", type_=Moment()))


# The sales guard: on offer, in time, enough left, the merchant active, this clerk's till not
# locked.
TAKE_STOCK = _typed(
    """
    UPDATE reward SET stock = stock - :quantity
    WHERE id = :reward_id AND merchant_id = :merchant_id AND state = 'offered'
      AND (stock IS NULL OR stock >= :quantity)
      AND (valid_from IS NULL OR valid_from <= :now)
      AND (valid_until IS NULL OR valid_until > :now)
      AND EXISTS (SELECT 1 FROM merchant WHERE id = :merchant_id AND state = 'active')
      AND NOT EXISTS (
          SELECT 1 FROM wrong_code WHERE clerk_id = :clerk_id AND locked_until > :now)
    RETURNING name, points, limit_per_member, limit_period,
        (SELECT name FROM merchant WHERE id = :merchant_id) AS merchant_name,
        (SELECT name FROM member WHERE id = :member_id) AS member_name,
        (SELECT failures FROM wrong_code WHERE clerk_id = :clerk_id) AS wrong_codes
    """
)

# The limit's guard: the row of this member and reward is counted up only as far as one person
# may go.
TAKE_SHARE = text(
    """
    INSERT INTO reward_taken (reward_id, member_id, period, quantity)
    VALUES (:reward_id, :member_id, :period, :quantity)
    ON CONFLICT (reward_id, member_id, period) DO UPDATE
        SET quantity = reward_taken.quantity + :quantity
        WHERE reward_taken.quantity + :quantity <= :most
    RETURNING quantity
    """
)
NO_LIMIT = 2**31 - 1

KEEP = text(
    """
    INSERT INTO redemption (number, merchant_id, reward_id, member_id, clerk_id, way, quantity,
                            points, period, state, transfer_id, balance_after, redeemed_at,
                            redeemed_on, voided_quantity)
    VALUES (:number, :merchant_id, :reward_id, :member_id, :clerk_id, :way, :quantity, :points,
            :period, 'completed', :transfer_id, :balance_after, :now, :today, 0)
    RETURNING id
    """
).bindparams(bindparam("now", type_=Moment()), bindparam("today", type_=Date()))

FORGET_WRONG_CODES = text("DELETE FROM wrong_code WHERE clerk_id = :clerk_id")

JUDGED = _typed(
    """
    SELECT reward.name, reward.points, reward.stock, reward.limit_per_member,
           reward.limit_period, reward.state,
           merchant.state AS merchant_state, merchant.name AS merchant_name,
           reward.valid_from > :now AS is_ahead, reward.valid_until <= :now AS is_over
    FROM reward JOIN merchant ON merchant.id = reward.merchant_id
    WHERE reward.id = :reward_id AND reward.merchant_id = :merchant_id
    """
)


def redeem_reward(
    session: Session,
    order: Order,
    *,
    clerk_id: int,
    number: str,
    secret: str,
    today: date,
    now: datetime,
) -> Redeemed:
    """Hand a reward over: use the code up, take stock and share, then the points.

    number: drawn at the door; it names the redemption and, as redeem:{number}, its transfer.
    The price is the catalogue's. A card's six digits were checked before, in a transaction of
    their own.
    Raises what members.showing raises for a code or card, RewardNotFound, MerchantStopped,
    RewardWithdrawn, RewardNotYet, RewardOver, OutOfStock, LimitReached, TooManyPoints,
    NotForOneself, TillLocked, NotEnoughPoints, NumberTaken.
    """
    if order.code is not None:
        member_id = use_redemption_code(session, text=order.code, secret=secret, now=now)
    else:
        member_id = member_of_card(session, text=order.card or "", secret=secret, now=now)
    if member_id == clerk_id:
        raise NotForOneself
    values = {
        "merchant_id": order.merchant_id,
        "reward_id": order.reward_id,
        "quantity": order.quantity,
        "member_id": member_id,
        "clerk_id": clerk_id,
        "way": "code" if order.code is not None else "card",
        "number": number,
        "today": today,
        "now": now,
    }
    reward = session.execute(TAKE_STOCK, values).first()
    if reward is None:
        refuse_while_locked(session, clerk_id, now)
        raise _refusal(session, values)
    points = _price(reward.points, order.quantity)
    values["period"] = share_period(reward.limit_period, today)
    _take_share(session, reward, values)
    posted = _take_points(session, reward, points, values)
    values |= {
        "points": points,
        "transfer_id": posted.id,
        "balance_after": posted.balance_after,
    }
    redemption_id = session.execute(KEEP, values).scalar_one()
    note(
        session,
        at=now,
        actor_id=clerk_id,
        action="redeem",
        subject=("redemption", redemption_id),
        merchant_id=order.merchant_id,
        points=points,
    )
    if reward.wrong_codes:
        session.execute(FORGET_WRONG_CODES, values)
    return Redeemed(
        redemption_id,
        number,
        points,
        posted.balance_after,
        member_id,
        masked_name(reward.member_name),
        reward.name,
    )


def _price(points: int, quantity: int) -> int:
    price = points * quantity
    if price > REWARD_POINTS_MAX:
        raise TooManyPoints(limit=REWARD_POINTS_MAX)
    return price


def _take_share(session: Session, reward: Row[Any], values: dict[str, Any]) -> None:
    most = NO_LIMIT if reward.limit_per_member is None else reward.limit_per_member
    # The row's own guard judges only a row that is there already.
    fits = values["quantity"] <= most
    if not fits or session.execute(TAKE_SHARE, {**values, "most": most}).first() is None:
        raise LimitReached(limit=most)


def _take_points(
    session: Session, reward: Row[Any], points: int, values: dict[str, Any]
) -> Posted:
    member = f"member:{values['member_id']}"
    posting = Posting(
        key=f"redeem:{values['number']}",
        kind="spend",
        source=member,
        target=f"merchant:{values['merchant_id']}",
        wallet=member,
        points=points,
        occurred_at=values["now"],
        reason=reason_of(reward.name, values["quantity"], reward.merchant_name),
        actor_id=values["clerk_id"],
    )
    try:
        posted = post(session, posting, values["now"])
    except KeyReused as error:
        raise NumberTaken from error
    if posted.is_replay:
        raise NumberTaken
    return posted


def reason_of(reward_name: str, quantity: int, merchant_name: str) -> str:
    """Return what the passbook prints: what was had, and where."""
    what = reward_name if quantity == 1 else f"{reward_name} × {quantity}"
    return f"{what} · {merchant_name}"[:REASON_LENGTH_MAX]


def _refusal(session: Session, values: dict[str, Any]) -> Exception:
    """Return why no stock could be taken."""
    reward = session.execute(JUDGED, values).first()
    if reward is None:
        return RewardNotFound()
    return _obstacle(reward, values["quantity"]) or OutOfStock(left=reward.stock)


def _obstacle(reward: Row[Any], quantity: int) -> Exception | None:
    if reward.merchant_state != "active":
        return MerchantStopped()
    if reward.state != "offered":
        return RewardWithdrawn()
    if reward.is_ahead:
        return RewardNotYet()
    if reward.is_over:
        return RewardOver()
    if reward.stock is not None and reward.stock < quantity:
        return OutOfStock(left=reward.stock)
    return None


def preview_redemption(
    session: Session, order: Order, *, clerk_id: int, secret: str, today: date, now: datetime
) -> Preview:
    """Return what redeem_reward would do at this moment, and change nothing.

    Raises what redeem_reward raises.
    """
    refuse_while_locked(session, clerk_id, now)
    if order.code is not None:
        member_id = member_of_redemption_code(session, text=order.code, secret=secret, now=now)
    else:
        member_id = member_of_card(session, text=order.card or "", secret=secret, now=now)
    if member_id == clerk_id:
        raise NotForOneself
    values = {"reward_id": order.reward_id, "merchant_id": order.merchant_id, "now": now}
    reward = session.execute(JUDGED, values).first()
    if reward is None:
        raise RewardNotFound
    obstacle = _obstacle(reward, order.quantity)
    if obstacle is not None:
        raise obstacle
    points = _price(reward.points, order.quantity)
    limit = reward.limit_per_member
    period = share_period(reward.limit_period, today)
    had = had_by(session, order.reward_id, member_id, period)
    if limit is not None and had + order.quantity > limit:
        raise LimitReached(limit=limit)
    available = available_points(session, member_id)
    if available < points:
        raise NotEnoughPoints(available=available, needed=points)
    name = display_names(session, [member_id])[member_id]
    return Preview(member_id, name, reward.name, points, available, available - points)
