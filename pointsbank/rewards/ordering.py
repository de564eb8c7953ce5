"""Orders: pieces and points set aside, by voucher or at a till; cancelled or expired.

Rows are locked as in redeeming.py, the order's own row before all of them: the order, the
reward, the share of it, the wallet. The order's row is where handing over, cancelling and
expiring meet: each first changes it while it is reserved, so that exactly one wins.
"""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import TextClause, bindparam, text
from sqlalchemy.orm import Session

from pointsbank.core.actor import Actor
from pointsbank.core.audit import note
from pointsbank.core.db import Moment
from pointsbank.core.errors import KeyReused
from pointsbank.ledger.errors import HoldDecided
from pointsbank.ledger.holding import Placed, place_hold, void_hold
from pointsbank.messages.service import tell
from pointsbank.rewards.bounds import (
    RETURN_SHARE,
    RETURN_STOCK,
    Share,
    refuse_beyond,
    take_share,
)
from pointsbank.rewards.errors import (
    LentNotSold,
    NumberTaken,
    OutOfStock,
    RewardNotFound,
    TooManyPoints,
)
from pointsbank.rewards.guarding import CAN_BE_HAD, guard_values, guarded, obstacles_on
from pointsbank.rewards.models import REWARD_POINTS_MAX
from pointsbank.rewards.orders_errors import AlreadyRedeemed, OrderNotFound, ShopElsewhere
from pointsbank.rewards.orders_queries import OrderLine, order_of
from pointsbank.rewards.policy import may_take_points, share_period
from pointsbank.rewards.vouchers import voucher_code, voucher_hash

VOUCHER_DAYS = 7
COUNTER_MINUTES = 15
# The order says when it is over, and takes its hold along. Were the hold over first, the night
# would free the points of an order that still keeps its pieces.
HOLD_SLACK = timedelta(days=2)

TAKE_PIECES = guarded(
    f"""
    UPDATE reward SET stock = stock - :quantity
    WHERE reward.id = :reward_id AND reward.kind <> 'loan'
      AND (reward.kind <> 'by_points' OR :way = 'counter')
      AND (:way = 'voucher' OR EXISTS (
          SELECT 1 FROM shop
          WHERE shop.id = :shop_id AND shop.merchant_id = reward.merchant_id
            AND shop.state = 'open'))
      AND {CAN_BE_HAD}
    RETURNING merchant_id, points, limit_per_member, limit_period, valid_until,
        (SELECT month_points_max FROM merchant WHERE id = merchant_id) AS month_points_max
    """
).columns(valid_until=Moment())


def _typed(statement: str) -> TextClause:
    return text(statement).bindparams(bindparam("now", type_=Moment()))


KEEP = _typed(
    """
    INSERT INTO reward_order (number, way, reward_id, merchant_id, shop_id, member_id, quantity,
                              delivered, unit_points, period, state, hold_id, voucher_hash,
                              word, ordered_at, expires_at)
    VALUES (:number, :way, :reward_id, :merchant_id, :shop_id, :member_id, :quantity, 0,
            :unit_points, :period, 'reserved', :hold_id, :voucher_hash, :word, :now,
            :expires_at)
    RETURNING id
    """
).bindparams(bindparam("expires_at", type_=Moment()))

ENDED = """
    RETURNING id, reward_id, merchant_id, member_id, quantity - delivered AS quantity_left,
              unit_points, period, hold_id
"""
CANCEL = _typed(
    f"""
    UPDATE reward_order SET state = 'cancelled', decided_at = :now, decided_by_id = :actor_id
    WHERE id = :id AND state = 'reserved' {ENDED}
    """
)
DUE = """
    SELECT id FROM reward_order WHERE state = 'reserved' AND expires_at <= :now
    ORDER BY expires_at, id LIMIT 1
"""
# What is being handed over or cancelled at this moment need not be waited for.
CLAIM_DUE = f"{DUE} FOR NO KEY UPDATE SKIP LOCKED"
EXPIRE = _typed(
    f"""
    UPDATE reward_order SET state = 'expired', decided_at = :now
    WHERE id = :id AND state = 'reserved' AND expires_at <= :now {ENDED}
    """
)
SEEN = text("SELECT kind, merchant_id, stock FROM reward WHERE id = :reward_id")
IS_SHOP = text(
    "SELECT 1 FROM shop WHERE id = :shop_id AND merchant_id = :merchant_id AND state = 'open'"
)


@dataclass(frozen=True)
class NewOrder:
    """What a member sets aside, under a number drawn at the door."""

    reward_id: int
    quantity: int
    member_id: int
    number: str


@dataclass(frozen=True)
class Ordered:
    """An order as it was made; points are those of all its pieces."""

    id: int
    number: str
    points: int
    expires_at: datetime


def order_reward(
    session: Session, new: NewOrder, *, secret: str, today: date, now: datetime
) -> Ordered:
    """Set pieces and points aside for VOUCHER_DAYS, or until the reward's last moment.

    The voucher's code is vouchers.voucher_code of the number.
    Raises RewardNotFound, LentNotSold, what guarding.may_have finds, LimitReached,
    TooManyPoints, NotEnoughPoints, NumberTaken.
    """
    values = {
        "way": "voucher",
        "shop_id": None,
        "word": None,
        "voucher_hash": voucher_hash(secret, voucher_code(secret, new.number)),
        "expires_at": now + timedelta(days=VOUCHER_DAYS),
    }
    return _order(session, new, values, today=today, now=now)


def order_at_counter(
    session: Session, new: NewOrder, *, shop_id: int, word: str, today: date, now: datetime
) -> Ordered:
    """Set pieces and points aside for COUNTER_MINUTES at a shop whose till code was scanned.

    word: four digits drawn at the door, which the member's phone and the till both show.
    Raises what order_reward raises, ShopElsewhere, and what bounds.refuse_beyond raises.
    """
    values = {
        "way": "counter",
        "shop_id": shop_id,
        "word": word,
        "voucher_hash": None,
        "expires_at": now + timedelta(minutes=COUNTER_MINUTES),
    }
    return _order(session, new, values, today=today, now=now)


def _order(
    session: Session, new: NewOrder, values: dict[str, Any], *, today: date, now: datetime
) -> Ordered:
    values |= {**vars(new), **guard_values(today), "now": now}
    reward = session.execute(TAKE_PIECES, values).first()
    if reward is None:
        raise _refusal(session, values)
    points = reward.points * new.quantity
    if points > REWARD_POINTS_MAX:
        raise TooManyPoints(limit=REWARD_POINTS_MAX)
    values |= {
        "merchant_id": reward.merchant_id,
        "unit_points": reward.points,
        "period": share_period(reward.limit_period, today),
    }
    share = Share(
        new.reward_id,
        reward.merchant_id,
        new.member_id,
        new.quantity,
        points,
        values["period"],
        today,
    )
    take_share(session, share, reward.limit_per_member)
    if values["way"] == "counter":
        # It is handed over within minutes: what the till would refuse then is refused now.
        refuse_beyond(session, share, reward.month_points_max)
    if reward.valid_until is not None:
        values["expires_at"] = min(values["expires_at"], reward.valid_until)
    values["hold_id"] = hold_for_order(
        session,
        key=f"order:{new.number}",
        member_id=new.member_id,
        points=points,
        until=values["expires_at"],
        now=now,
    ).id
    order_id = session.execute(KEEP, values).scalar_one()
    _note(session, order_id, "order_reward", new.member_id, now, points=points)
    return Ordered(order_id, new.number, points, values["expires_at"])


def hold_for_order(
    session: Session, *, key: str, member_id: int, points: int, until: datetime, now: datetime
) -> Placed:
    """Hold what an order takes, HOLD_SLACK longer than the order stands.

    Raises NumberTaken for a key that is taken, NotEnoughPoints.
    """
    try:
        hold = place_hold(
            session,
            key=key,
            code=f"member:{member_id}",
            points=points,
            expires_at=until + HOLD_SLACK,
            now=now,
        )
    except KeyReused as error:
        raise NumberTaken from error
    if hold.is_replay:
        raise NumberTaken
    return hold


def _refusal(session: Session, values: dict[str, Any]) -> Exception:
    """Return why no pieces could be taken."""
    reward = session.execute(SEEN, values).first()
    is_counter = values["way"] == "counter"
    if reward is None or (reward.kind == "by_points" and not is_counter):
        return RewardNotFound()
    if reward.kind == "loan":
        return LentNotSold()
    at_shop = {"shop_id": values["shop_id"], "merchant_id": reward.merchant_id}
    if is_counter and session.execute(IS_SHOP, at_shop).first() is None:
        return ShopElsewhere()
    found = obstacles_on(
        session,
        [values["reward_id"]],
        values["member_id"],
        today=values["today"],
        now=values["now"],
        quantity=values["quantity"],
    )
    return found[values["reward_id"]] or OutOfStock(left=reward.stock or 0)


def cancel_order(session: Session, *, order_id: int, actor: Actor, now: datetime) -> OrderLine:
    """Let the member or the counter call off what is left; a repeat answers the same.

    Raises OrderNotFound for a foreign one as for an unknown one, AlreadyRedeemed.
    """
    found = order_of(session, order_id)
    is_member = found.member_id == actor.member_id
    if not is_member and not may_take_points(actor, found.merchant_id):
        raise OrderNotFound
    values = {"id": order_id, "actor_id": actor.member_id, "now": now}
    ended = session.execute(CANCEL, values).first()
    if ended is not None:
        _return_rest(session, ended, now)
        _note(session, order_id, "cancel_order", actor.member_id, now)
        if not is_member:
            _tell_called_off(session, found, now)
    standing = order_of(session, order_id)
    if standing.state == "delivered":
        raise AlreadyRedeemed
    return standing


def _tell_called_off(session: Session, order: OrderLine, now: datetime) -> None:
    """Tell a member that the counter called their order off, unless they stand there."""
    if order.way != "voucher":
        return
    tell(
        session,
        key=f"order_called_off:{order.id}",
        member_id=order.member_id,
        kind="order_called_off",
        facts={
            "order_id": order.id,
            "reward": order.reward_name,
            "shop": order.merchant_name,
        },
        now=now,
    )


def expire_next_order(session: Session, *, now: datetime) -> bool:
    """End the oldest order whose time is over, with its hold; False when there is none.

    One a transaction: a second one's reward would be locked after the first one's wallet. One
    that is being handed over or cancelled at this moment is skipped.
    """
    order_id = _claimed_due(session, now)
    if order_id is None:
        return False
    ended = session.execute(EXPIRE, {"id": order_id, "now": now}).one()
    _return_rest(session, ended, now)
    _note(session, order_id, "expire_order", None, now)
    return True


def _claimed_due(session: Session, now: datetime) -> int | None:
    is_postgresql = session.get_bind().dialect.name == "postgresql"
    due = _typed(CLAIM_DUE if is_postgresql else DUE)
    order_id: int | None = session.scalar(due, {"now": now})
    return order_id


def _return_rest(session: Session, ended: Any, now: datetime) -> None:
    """Return pieces, share and points of what was not handed over, once: the caller has just
    won the order's row.
    """
    values = {
        "reward_id": ended.reward_id,
        "member_id": ended.member_id,
        "quantity": ended.quantity_left,
        "period": ended.period,
    }
    for statement in (RETURN_STOCK, RETURN_SHARE):
        session.execute(statement, values)
    try:
        void_hold(session, hold_id=ended.hold_id, now=now)
    except HoldDecided:
        # Nobody looked for so long that the night's expiry of holds was here before.
        return


def _note(
    session: Session,
    order_id: int,
    action: str,
    actor_id: int | None,
    now: datetime,
    **facts: Any,
) -> None:
    note(
        session, at=now, actor_id=actor_id, action=action, subject=("order", order_id), **facts
    )
