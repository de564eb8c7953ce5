"""Handing over what was ordered, all or some: against its voucher, or at the till.

What was held pays, and what is left of an order is held anew in the same transaction. A
person's day and a merchant's month count what is handed over on the day it is. Rows are locked
in the order of ordering.py.
"""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import Date, TextClause, bindparam, text
from sqlalchemy.orm import Session

from pointsbank.core.actor import Actor
from pointsbank.core.audit import note
from pointsbank.core.db import Moment
from pointsbank.core.errors import KeyReused
from pointsbank.ledger.errors import HoldDecided
from pointsbank.ledger.holding import settle_hold
from pointsbank.ledger.posting import Posted
from pointsbank.members.errors import MemberSuspended
from pointsbank.rewards.bounds import Share, take_day, take_month
from pointsbank.rewards.errors import MerchantStopped, NotForOneself, NumberTaken
from pointsbank.rewards.locking import refuse_while_locked
from pointsbank.rewards.ordering import hold_for_order
from pointsbank.rewards.orders_errors import (
    AlreadyRedeemed,
    FewerOrdered,
    OrderCancelled,
    OrderNotFound,
    VoucherExpired,
    VoucherNeeded,
    VoucherNotFound,
)
from pointsbank.rewards.orders_queries import OrderLine, order_of, order_with_hash
from pointsbank.rewards.policy import may_take_points
from pointsbank.rewards.queries import RedemptionLine, redemption_of
from pointsbank.rewards.redeeming import FORGET_WRONG_CODES, reason_of
from pointsbank.rewards.vouchers import read_voucher, voucher_hash


def _typed(statement: str) -> TextClause:
    return text(statement).bindparams(
        bindparam("now", type_=Moment()), bindparam("today", type_=Date())
    )


# The guard: of any number of hands at once only so many change the row as pieces are left.
DELIVER = _typed(
    """
    UPDATE reward_order
    SET delivered = delivered + :quantity,
        state = CASE WHEN delivered + :quantity = quantity THEN 'delivered' ELSE state END,
        decided_at = CASE WHEN delivered + :quantity = quantity THEN :now END,
        decided_by_id = CASE WHEN delivered + :quantity = quantity THEN :clerk_id END
    WHERE id = :order_id AND state = 'reserved' AND expires_at > :now
      AND delivered + :quantity <= quantity
      AND EXISTS (
          SELECT 1 FROM merchant
          WHERE merchant.id = reward_order.merchant_id AND merchant.state = 'active'
            AND (merchant.takes_until IS NULL OR merchant.takes_until >= :today))
      AND EXISTS (
          SELECT 1 FROM member
          WHERE member.id = reward_order.member_id AND member.state = 'active')
    RETURNING hold_id, period, delivered,
        (SELECT month_points_max FROM merchant WHERE id = merchant_id) AS month_points_max
    """
)
HOLD_REST = text("UPDATE reward_order SET hold_id = :hold_id WHERE id = :order_id")
KEEP = _typed(
    """
    INSERT INTO redemption (number, merchant_id, shop_id, reward_id, order_id, member_id,
                            clerk_id, way, quantity, points, period, state, hold_id,
                            transfer_id, balance_after, redeemed_at, redeemed_on,
                            voided_quantity)
    VALUES (:number, :merchant_id, :shop_id, :reward_id, :order_id, :member_id, :clerk_id, :way,
            :quantity, :points, :period, 'completed', :hold_id, :transfer_id, :balance_after,
            :now, :today, 0)
    RETURNING id
    """
)


@dataclass(frozen=True)
class Handing:
    """Who hands over how many pieces, under a redemption's number drawn at the door.

    quantity: None for all that are left.
    """

    actor: Actor
    number: str
    today: date
    now: datetime
    quantity: int | None = None


@dataclass(frozen=True)
class Delivered:
    """What was handed over, and the order after it."""

    redemption: RedemptionLine
    order: OrderLine


def redeem_voucher(session: Session, handing: Handing, *, code: str, secret: str) -> Delivered:
    """Hand over what a voucher stands for; code is bare, in groups, or its URL.

    Raises TillLocked before anything of the code is told, VoucherNotFound, which the door
    counts, and what deliver_order raises.
    """
    refuse_while_locked(session, handing.actor.member_id, handing.now)
    found = order_of_voucher(session, handing.actor, code=code, secret=secret)
    done = _deliver(session, found, handing)
    session.execute(FORGET_WRONG_CODES, {"clerk_id": handing.actor.member_id})
    return done


def order_of_voucher(session: Session, actor: Actor, *, code: str, secret: str) -> OrderLine:
    """Return the order behind a voucher's code at a counter at which this person stands.

    Raises VoucherNotFound, also for another merchant's.
    """
    bare = read_voucher(code)
    found = bare and order_with_hash(session, voucher_hash(secret, bare))
    if not found or not may_take_points(actor, found.merchant_id):
        raise VoucherNotFound
    return found


def deliver_order(session: Session, handing: Handing, *, order_id: int) -> Delivered:
    """Hand over what a member ordered at the till, where both see its word.

    Raises OrderNotFound, VoucherNeeded, NotForOneself, AlreadyRedeemed, OrderCancelled,
    VoucherExpired, FewerOrdered, MerchantStopped, MemberSuspended, MonthFull, DayFull,
    NumberTaken.
    """
    found = order_of(session, order_id)
    if not may_take_points(handing.actor, found.merchant_id):
        raise OrderNotFound
    if found.way != "counter":
        raise VoucherNeeded
    return _deliver(session, found, handing)


def _deliver(session: Session, found: OrderLine, handing: Handing) -> Delivered:
    if found.member_id == handing.actor.member_id:
        raise NotForOneself
    quantity = handing.quantity if handing.quantity is not None else max(1, found.left)
    points = quantity * found.unit_points
    values: dict[str, Any] = {
        **vars(found),
        "order_id": found.id,
        "number": handing.number,
        "clerk_id": handing.actor.member_id,
        "quantity": quantity,
        "points": points,
        "today": handing.today,
        "now": handing.now,
    }
    won = session.execute(DELIVER, values).first()
    if won is None:
        raise _refusal(session, found.id, quantity, handing.today, handing.now)
    values |= {"hold_id": won.hold_id, "period": won.period}
    share = Share(
        found.reward_id,
        found.merchant_id,
        found.member_id,
        quantity,
        points,
        won.period,
        handing.today,
    )
    take_month(session, share, won.month_points_max)
    take_day(session, share)
    posted = _pay(session, found, values)
    if won.delivered < found.quantity:
        _hold_rest(session, found, won.delivered, handing.now)
    values |= {"transfer_id": posted.id, "balance_after": posted.balance_after}
    redemption_id = session.execute(KEEP, values).scalar_one()
    note(
        session,
        at=handing.now,
        actor_id=handing.actor.member_id,
        action="deliver_order",
        subject=("redemption", redemption_id),
        order_id=found.id,
        merchant_id=found.merchant_id,
        points=points,
    )
    return Delivered(redemption_of(session, redemption_id), order_of(session, found.id))


def _pay(session: Session, found: OrderLine, values: dict[str, Any]) -> Posted:
    """Post what was held for these pieces; what was held for the others is free for a moment,
    under the same lock.
    """
    try:
        posted = settle_hold(
            session,
            hold_id=values["hold_id"],
            key=f"redeem:{values['number']}",
            kind="spend",
            target=f"merchant:{found.merchant_id}",
            reason=reason_of(
                found.reward_name, values["quantity"], found.merchant_name, found.reward_kind
            ),
            actor_id=values["clerk_id"],
            now=values["now"],
            points=values["points"],
        )
    except HoldDecided as error:
        # Nobody looked for so long that the night's expiry of holds was here before.
        raise VoucherExpired from error
    except KeyReused as error:
        raise NumberTaken from error
    if posted.is_replay:
        raise NumberTaken
    return posted


def _hold_rest(session: Session, found: OrderLine, delivered: int, now: datetime) -> None:
    rest = hold_for_order(
        session,
        key=f"order:{found.number}:{delivered}",
        member_id=found.member_id,
        points=(found.quantity - delivered) * found.unit_points,
        until=found.expires_at,
        now=now,
    )
    session.execute(HOLD_REST, {"hold_id": rest.id, "order_id": found.id})


def _refusal(
    session: Session, order_id: int, quantity: int, today: date, now: datetime
) -> Exception:
    """Return why nothing could be handed over, by the row as it is now."""
    standing = order_of(session, order_id)
    ends = {
        "delivered": AlreadyRedeemed(),
        "cancelled": OrderCancelled(),
        "expired": VoucherExpired(),
    }
    state = standing.state_at(now)
    if state in ends:
        return ends[state]
    if quantity > standing.left:
        return FewerOrdered(left=standing.left)
    return MerchantStopped() if standing.is_stopped_on(today) else MemberSuspended()
