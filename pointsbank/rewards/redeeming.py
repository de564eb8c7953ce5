"""Redeeming at a counter: the hot call, in as few statements as the two engines share.

Rows are locked in one order everywhere: the code, the reward (its stock), the bounds of a
person and a merchant (bounds.py), the wallet last. Each guard stands in the WHERE of the
statement that writes, so whoever waited for a row judges it as it is then. A refusal is raised,
and the door's transaction takes back everything, the used code included.
"""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import Date, Row, TextClause, bindparam, text
from sqlalchemy.orm import Session

from pointsbank.core.audit import note
from pointsbank.core.db import Moment
from pointsbank.core.errors import KeyReused
from pointsbank.core.text import masked_name
from pointsbank.ledger.errors import NotEnoughPoints
from pointsbank.ledger.holding import place_hold
from pointsbank.ledger.posting import Posted, Posting
from pointsbank.ledger.service import post
from pointsbank.members.codes import CONFIRM_ABOVE
from pointsbank.members.queries import display_names
from pointsbank.members.showing import (
    member_of_card,
    member_of_redemption_code,
    use_redemption_code,
)
from pointsbank.rewards.bounds import Share, refuse_beyond, take_day, take_month, take_share
from pointsbank.rewards.errors import (
    LentNotSold,
    LimitReached,
    NotForOneself,
    NumberTaken,
    OutOfStock,
    RewardNotFound,
    TooManyPoints,
)
from pointsbank.rewards.guarding import CAN_BE_HAD, guard_values, guarded, obstacles_on
from pointsbank.rewards.locking import refuse_while_locked
from pointsbank.rewards.models import REWARD_POINTS_MAX
from pointsbank.rewards.policy import share_period
from pointsbank.rewards.queries import available_points

REASON_LENGTH_MAX = 200
CONFIRM_SECONDS = 60
# Printed in the passbook for ever, so the words stand here and in no catalog.
BY_POINTS_NAME = "按积分"


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
    """What was handed over, for the receipt; or what waits for its member until confirm_by."""

    id: int
    number: str
    points: int
    balance_after: int | None
    member_id: int
    member_name: str
    reward_name: str
    state: str = "completed"
    confirm_by: datetime | None = None


@dataclass(frozen=True)
class Preview:
    """What would be handed over; nothing is changed by asking."""

    member_id: int
    member_name: str
    reward_name: str
    points: int
    balance_before: int
    balance_after: int


# The sales guard, and this clerk's till not locked.
TAKE_STOCK = guarded(
    f"""
    UPDATE reward SET stock = stock - :quantity
    WHERE reward.id = :reward_id AND reward.merchant_id = :merchant_id
      AND reward.kind <> 'loan' AND {CAN_BE_HAD}
      AND NOT EXISTS (
          SELECT 1 FROM wrong_code WHERE clerk_id = :clerk_id AND locked_until > :now)
    RETURNING name, kind, points, limit_per_member, limit_period,
        (SELECT name FROM merchant WHERE id = :merchant_id) AS merchant_name,
        (SELECT month_points_max FROM merchant WHERE id = :merchant_id) AS month_points_max,
        (SELECT name FROM member WHERE id = :member_id) AS member_name,
        (SELECT failures FROM wrong_code WHERE clerk_id = :clerk_id) AS wrong_codes
    """
)


def _typed(statement: str) -> TextClause:
    return text(statement).bindparams(
        bindparam("now", type_=Moment()), bindparam("today", type_=Date())
    )


KEEP = _typed(
    """
    INSERT INTO redemption (number, merchant_id, reward_id, member_id, clerk_id, way, quantity,
                            points, period, state, transfer_id, balance_after, hold_id,
                            confirm_by, redeemed_at, redeemed_on, voided_quantity)
    VALUES (:number, :merchant_id, :reward_id, :member_id, :clerk_id, :way, :quantity, :points,
            :period, :state, :transfer_id, :balance_after, :hold_id, :confirm_by, :now, :today,
            0)
    RETURNING id
    """
).bindparams(bindparam("confirm_by", type_=Moment()))

FORGET_WRONG_CODES = text("DELETE FROM wrong_code WHERE clerk_id = :clerk_id")

SEEN = text(
    """
    SELECT reward.name, reward.kind, reward.points, reward.stock, reward.limit_period,
           merchant.month_points_max
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
    is_confirmed: bool = False,
) -> Redeemed:
    """Hand a reward over: use the code up, take stock and share, then the points.

    Above CONFIRM_ABOVE points they are only held, and the member has CONFIRM_SECONDS to say
    yes. is_confirmed: they typed their six digits, which were checked before, in a transaction
    of their own, as those of a card were; then nothing waits.
    number: drawn at the door; it names the redemption and, as redeem:{number}, its transfer or
    hold. The price is the catalogue's.
    Raises what members.showing raises for a code or card, RewardNotFound, LentNotSold, what
    guarding.may_have finds, LimitReached, TooManyPoints, MonthFull, DayFull, NotForOneself,
    TillLocked, NotEnoughPoints, NumberTaken.
    """
    if order.code is not None:
        member_id = use_redemption_code(session, text=order.code, secret=secret, now=now)
    else:
        member_id = member_of_card(session, text=order.card or "", secret=secret, now=now)
    if member_id == clerk_id:
        raise NotForOneself
    values = _values(order, member_id, clerk_id, today, now)
    reward = session.execute(TAKE_STOCK, values).first()
    if reward is None:
        refuse_while_locked(session, clerk_id, now)
        raise _refusal(session, values)
    points = _price(reward.points, order.quantity)
    _take_bounds(session, reward, points, values)
    values |= {"number": number, "points": points}
    is_waiting = points > CONFIRM_ABOVE and order.card is None and not is_confirmed
    values |= _held(session, values) if is_waiting else _taken(session, reward, values)
    redemption_id = session.execute(KEEP, values).scalar_one()
    note(
        session,
        at=now,
        actor_id=clerk_id,
        action="ask_confirmation" if is_waiting else "redeem",
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
        values["balance_after"],
        member_id,
        masked_name(reward.member_name),
        reward.name,
        values["state"],
        values["confirm_by"],
    )


def _values(
    order: Order, member_id: int, clerk_id: int, today: date, now: datetime
) -> dict[str, Any]:
    return {
        "merchant_id": order.merchant_id,
        "reward_id": order.reward_id,
        "quantity": order.quantity,
        "member_id": member_id,
        "clerk_id": clerk_id,
        "way": "code" if order.code is not None else "card",
        "now": now,
        **guard_values(today),
    }


def _price(points: int, quantity: int) -> int:
    price = points * quantity
    if price > REWARD_POINTS_MAX:
        raise TooManyPoints(limit=REWARD_POINTS_MAX)
    return price


def _take_bounds(
    session: Session, reward: Row[Any], points: int, values: dict[str, Any]
) -> None:
    """Take what bounds the deal, in the order in which its rows are locked everywhere."""
    values["period"] = share_period(reward.limit_period, values["today"])
    share = _share(values, points)
    take_share(session, share, reward.limit_per_member)
    take_month(session, share, reward.month_points_max)
    take_day(session, share)


def _share(values: dict[str, Any], points: int) -> Share:
    return Share(
        values["reward_id"],
        values["merchant_id"],
        values["member_id"],
        values["quantity"],
        points,
        values["period"],
        values["today"],
    )


def _taken(session: Session, reward: Row[Any], values: dict[str, Any]) -> dict[str, Any]:
    """Take the points, and return what the redemption's row says of it."""
    posted = _take_points(session, reward, values)
    return {
        "state": "completed",
        "transfer_id": posted.id,
        "balance_after": posted.balance_after,
        "hold_id": None,
        "confirm_by": None,
    }


def _held(session: Session, values: dict[str, Any]) -> dict[str, Any]:
    """Set the points aside, and return what the redemption's row says of it."""
    confirm_by = values["now"] + timedelta(seconds=CONFIRM_SECONDS)
    try:
        hold = place_hold(
            session,
            key=f"redeem:{values['number']}",
            code=f"member:{values['member_id']}",
            points=values["points"],
            expires_at=confirm_by,
            now=values["now"],
        )
    except KeyReused as error:
        raise NumberTaken from error
    if hold.is_replay:
        raise NumberTaken
    return {
        "state": "waiting",
        "transfer_id": None,
        "balance_after": None,
        "hold_id": hold.id,
        "confirm_by": confirm_by,
    }


def _take_points(session: Session, reward: Row[Any], values: dict[str, Any]) -> Posted:
    member = f"member:{values['member_id']}"
    posting = Posting(
        key=f"redeem:{values['number']}",
        kind="spend",
        source=member,
        target=f"merchant:{values['merchant_id']}",
        wallet=member,
        points=values["points"],
        occurred_at=values["now"],
        reason=reason_of(reward.name, values["quantity"], reward.merchant_name, reward.kind),
        actor_id=values["clerk_id"],
    )
    try:
        posted = post(session, posting, values["now"])
    except KeyReused as error:
        raise NumberTaken from error
    if posted.is_replay:
        raise NumberTaken
    return posted


def reason_of(reward_name: str, quantity: int, merchant_name: str, kind: str = "goods") -> str:
    """Return what the passbook prints: what was had, and where.

    By points the pieces are the points themselves, which stand beside it.
    """
    is_one = quantity == 1 or kind == "by_points"
    what = reward_name if is_one else f"{reward_name} × {quantity}"
    return f"{what} · {merchant_name}"[:REASON_LENGTH_MAX]


def _refusal(session: Session, values: dict[str, Any]) -> Exception:
    """Return why no stock could be taken."""
    reward = session.execute(SEEN, values).first()
    if reward is None:
        return RewardNotFound()
    return _obstacle(session, reward, values) or OutOfStock(left=reward.stock or 0)


def _obstacle(session: Session, reward: Row[Any], values: dict[str, Any]) -> Exception | None:
    if reward.kind == "loan":
        return LentNotSold()
    found = obstacles_on(
        session,
        [values["reward_id"]],
        values["member_id"],
        today=values["today"],
        now=values["now"],
        quantity=values["quantity"],
    )
    return found[values["reward_id"]]


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
    values = _values(order, member_id, clerk_id, today, now)
    reward = session.execute(SEEN, values).first()
    if reward is None:
        raise RewardNotFound
    obstacle = _obstacle(session, reward, values)
    if obstacle is not None and not isinstance(obstacle, LimitReached):
        raise obstacle
    points = _price(reward.points, order.quantity)
    if obstacle is not None:
        raise obstacle
    values["period"] = share_period(reward.limit_period, today)
    refuse_beyond(session, _share(values, points), reward.month_points_max)
    available = available_points(session, member_id)
    if available < points:
        raise NotEnoughPoints(available=available, needed=points)
    name = display_names(session, [member_id])[member_id]
    return Preview(member_id, name, reward.name, points, available, available - points)
