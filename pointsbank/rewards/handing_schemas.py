"""What both doors do alike of orders: make one once, and hand one over, wrong codes counted."""

from collections.abc import Callable
from datetime import date, datetime
from typing import Any, TypeVar

from sqlalchemy.orm import Session

from pointsbank.core.actor import Actor
from pointsbank.core.db import reading, transaction
from pointsbank.core.errors import Refusal
from pointsbank.core.keys import draw_number
from pointsbank.merchants.tills import shop_of_till
from pointsbank.rewards.delivering import (
    Delivered,
    Handing,
    deliver_order,
    order_of_voucher,
    redeem_voucher,
)
from pointsbank.rewards.locking import count_wrong_code, refuse_while_locked
from pointsbank.rewards.ordering import NewOrder, Ordered, order_at_counter, order_reward
from pointsbank.rewards.orders_errors import VoucherNotFound
from pointsbank.rewards.orders_queries import OrderLine
from pointsbank.rewards.schemas import redemption_out
from pointsbank.rewards.till import draw_redemption_number, drawing_again
from pointsbank.web.idempotency import Answer, once
from pointsbank.web.metrics import REDEMPTIONS

T = TypeVar("T")

# Rule: docs/rewards.md, "Orders and vouchers".
WORD_DIGITS = 4


def make_order(
    *,
    reward_id: int,
    quantity: int,
    member_id: int,
    key: str,
    sent: bytes,
    secret: str,
    today: date,
    now: datetime,
    till: str | None = None,
) -> Answer:
    """Order once for this member's key and answer every repeat the same.

    till: the text of the code at a shop's till, for an order that is handed over there at once.
    The answer holds no voucher code: whoever shows it makes it from the number.
    Raises what order_reward and order_at_counter raise, what shop_of_till raises, KeyReused.
    """

    def use_case(session: Session) -> dict[str, Any]:
        new = NewOrder(reward_id, quantity, member_id, draw_redemption_number(today))
        if till is None:
            ordered = order_reward(session, new, secret=secret, today=today, now=now)
            return ordered_out(ordered, None)
        shop_id, word = shop_of_till(session, till, secret).id, draw_number(WORD_DIGITS)
        ordered = order_at_counter(
            session, new, shop_id=shop_id, word=word, today=today, now=now
        )
        return ordered_out(ordered, word)

    return drawing_again(
        lambda: once(use_case, member_id=member_id, key=key, sent=sent, now=now)
    )


def ordered_out(ordered: Ordered, word: str | None) -> dict[str, Any]:
    """Return what the order's own request is answered, and every repeat of it."""
    return {
        "id": ordered.id,
        "number": ordered.number,
        "points": ordered.points,
        "expires_at": ordered.expires_at.isoformat(),
        "word": word,
    }


def hand_over_voucher(
    code: str,
    *,
    quantity: int | None,
    actor: Actor,
    key: str,
    sent: bytes,
    secret: str,
    today: date,
    now: datetime,
) -> Answer:
    """Redeem a voucher once for this clerk's key; a code that is none counts as a wrong one.

    Raises what redeem_voucher raises, KeyReused.
    """

    def act(session: Session) -> Delivered:
        handing = Handing(actor, draw_redemption_number(today), today, now, quantity)
        return redeem_voucher(session, handing, code=code, secret=secret)

    return _counting(lambda: _hand_over(act, actor, key=key, sent=sent, now=now), actor, now)


def look_at_voucher(code: str, *, actor: Actor, secret: str, now: datetime) -> OrderLine:
    """Return what a voucher stands for, at its own counter; a code that is none is counted.

    Raises TillLocked, VoucherNotFound.
    """

    def look() -> OrderLine:
        with reading() as session:
            refuse_while_locked(session, actor.member_id, now)
            return order_of_voucher(session, actor, code=code, secret=secret)

    return _counting(look, actor, now)


def _counting(act: Callable[[], T], actor: Actor, now: datetime) -> T:
    """Act, and count a code that is none after what it was tried for was taken back."""
    try:
        return act()
    except VoucherNotFound:
        with transaction() as session:
            count_wrong_code(session, actor.member_id, now)
        raise


def hand_over_order(
    order_id: int,
    *,
    quantity: int | None,
    actor: Actor,
    key: str,
    sent: bytes,
    today: date,
    now: datetime,
) -> Answer:
    """Hand over what was ordered at the till, once for this clerk's key.

    Raises what deliver_order raises, KeyReused.
    """

    def act(session: Session) -> Delivered:
        handing = Handing(actor, draw_redemption_number(today), today, now, quantity)
        return deliver_order(session, handing, order_id=order_id)

    return _hand_over(act, actor, key=key, sent=sent, now=now)


def _hand_over(
    act: Callable[[Session], Delivered],
    actor: Actor,
    *,
    key: str,
    sent: bytes,
    now: datetime,
) -> Answer:
    def use_case(session: Session) -> dict[str, Any]:
        done = act(session)
        order = {"id": done.order.id, "state": done.order.state, "left": done.order.left}
        return {**redemption_out(done.redemption, now), "order": order}

    try:
        answer = drawing_again(
            lambda: once(use_case, member_id=actor.member_id, key=key, sent=sent, now=now)
        )
    except Refusal as refusal:
        REDEMPTIONS.labels(refusal.code).inc()
        raise
    REDEMPTIONS.labels("replay" if answer.is_replay else "ok").inc()
    return answer
