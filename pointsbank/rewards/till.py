"""What the two doors of a counter do alike: take a deal once, and count wrong codes."""

from collections.abc import Callable
from datetime import date, datetime
from typing import Any, TypeVar

from sqlalchemy.orm import Session

from pointsbank.core.db import reading, run, transaction
from pointsbank.core.errors import Refusal
from pointsbank.core.keys import draw_number
from pointsbank.members.errors import CardPinWrong, ForgedCode, NotOurCode
from pointsbank.members.showing import check_card_pin
from pointsbank.rewards.at_once import Deal, redeem_at_once
from pointsbank.rewards.errors import NumberTaken
from pointsbank.rewards.locking import count_wrong_code
from pointsbank.rewards.redeeming import Order, Preview, preview_redemption, redeem_reward
from pointsbank.web.idempotency import Answer, once
from pointsbank.web.metrics import REDEMPTIONS

T = TypeVar("T")

# The date and eight digits: at 5,000 redemptions a day a number is drawn twice every eighth
# day.
NUMBER_DIGITS = 8
NUMBER_TRIES_MAX = 3


def draw_redemption_number(today: date) -> str:
    """Draw what the clerk and the member read to each other."""
    return f"{today:%y%m%d}{draw_number(NUMBER_DIGITS)}"


def take_deal(
    order: Order,
    *,
    pin: str | None,
    clerk_id: int,
    key: str,
    sent: bytes,
    secret: str,
    today: date,
    now: datetime,
) -> Answer:
    """Redeem once for this clerk's key and answer every repeat the same.

    Raises what redeem_reward raises, CardPinWrong, CardLocked, KeyReused.
    """

    def use_case(session: Session) -> dict[str, Any]:
        redeemed = redeem_reward(
            session,
            order,
            clerk_id=clerk_id,
            number=draw_redemption_number(today),
            secret=secret,
            today=today,
            now=now,
        )
        return {
            "id": redeemed.id,
            "number": redeemed.number,
            "state": "completed",
            "points": redeemed.points,
            "balance_after": redeemed.balance_after,
            "member": {"display_name": redeemed.member_name},
            "reward": {"id": order.reward_id, "name": redeemed.reward_name},
            "quantity": order.quantity,
            "merchant_id": order.merchant_id,
            "created_at": now.isoformat(),
        }

    def take() -> Answer:
        check_pin(order, pin, secret, now)
        number = draw_redemption_number(today)
        deal = Deal(order, clerk_id, number, key, sent, today, now)
        answer = redeem_at_once(deal, secret)
        if answer is not None:
            return answer
        for attempt in range(1, NUMBER_TRIES_MAX + 1):
            try:
                return once(use_case, member_id=clerk_id, key=key, sent=sent, now=now)
            except NumberTaken:
                if attempt == NUMBER_TRIES_MAX:
                    raise
        raise AssertionError("unreachable")

    try:
        answer = counting_wrong_codes(take, clerk_id, now)
    except Refusal as refusal:
        REDEMPTIONS.labels(refusal.code).inc()
        raise
    REDEMPTIONS.labels("replay" if answer.is_replay else "ok").inc()
    return answer


def look_over(
    order: Order, *, pin: str | None, clerk_id: int, secret: str, today: date, now: datetime
) -> Preview:
    """Return what the deal would do, with wrong codes and digits counted as in take_deal."""

    def look() -> Preview:
        check_pin(order, pin, secret, now)
        with reading() as session:
            return preview_redemption(
                session, order, clerk_id=clerk_id, secret=secret, today=today, now=now
            )

    return counting_wrong_codes(look, clerk_id, now)


def check_pin(order: Order, pin: str | None, secret: str, now: datetime) -> None:
    """Let a card pass whose six digits fit. A wrong try stays counted, so it has its own
    transaction.

    Raises CardPinWrong, CardLocked, and what a card that is none raises.
    """
    card = order.card
    if card is None:
        return
    owner = run(
        lambda session: check_card_pin(
            session, text=card, pin=pin or "", secret=secret, now=now
        )
    )
    if owner is None:
        raise CardPinWrong


def counting_wrong_codes(act: Callable[[], T], clerk_id: int, now: datetime) -> T:
    """Act, and count a code that is none of ours after what it was tried for was taken back.

    Raises TillLocked instead of telling a locked till whether a code was right.
    """
    try:
        return act()
    except (NotOurCode, ForgedCode):
        with transaction() as session:
            count_wrong_code(session, clerk_id, now)
        raise
