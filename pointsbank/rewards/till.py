"""What the two doors of a counter do alike: take a deal once, and count wrong codes."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date, datetime
from typing import Any, TypeVar

from sqlalchemy import bindparam, text
from sqlalchemy.orm import Session

from pointsbank.core.codes import NotACode, Purpose, read_code
from pointsbank.core.db import Moment, reading, run, transaction
from pointsbank.core.errors import Refusal
from pointsbank.core.keys import draw_number
from pointsbank.members.errors import CardPinWrong, ForgedCode, NotOurCode
from pointsbank.members.showing import (
    check_card_pin,
    check_own_pin,
    member_of_redemption_code,
)
from pointsbank.rewards.at_once import Deal, redeem_at_once
from pointsbank.rewards.errors import NumberTaken, VoucherShown
from pointsbank.rewards.locking import count_wrong_code
from pointsbank.rewards.redeeming import (
    BY_POINTS_NAME,
    Order,
    Preview,
    Redeemed,
    preview_redemption,
    redeem_reward,
)
from pointsbank.rewards.vouchers import read_voucher
from pointsbank.web.idempotency import Answer, answered_before, once
from pointsbank.web.metrics import REDEMPTIONS

T = TypeVar("T")

# The date and eight digits: at 5,000 redemptions a day a number is drawn twice every eighth
# day.
NUMBER_DIGITS = 8
NUMBER_TRIES_MAX = 3

BY_POINTS = text(
    "SELECT id FROM reward WHERE merchant_id = :merchant_id AND kind = 'by_points'"
)
# Two who open it at once: one waits, then finds what the other opened.
OPEN_BY_POINTS = text(
    """
    INSERT INTO reward (merchant_id, name, kind, category, description, points, limit_period,
                        weekdays, monthdays, stars_min, state, offered_at)
    SELECT id, :name, 'by_points', 'other', '', 1, 'ever', 0, 0, 0, 'offered', :now
    FROM merchant WHERE id = :merchant_id
    ON CONFLICT DO NOTHING
    """
).bindparams(bindparam("now", type_=Moment()))


def draw_redemption_number(today: date) -> str:
    """Draw what the clerk and the member read to each other."""
    return f"{today:%y%m%d}{draw_number(NUMBER_DIGITS)}"


def reward_by_points(merchant_id: int, now: datetime) -> int:
    """Return the reward of one point of which a merchant takes as many as the bill asks for.

    It is made when it is needed first. The merchant must be there.
    """
    values = {"merchant_id": merchant_id, "name": BY_POINTS_NAME, "now": now}
    with reading() as session:
        found: int | None = session.scalar(BY_POINTS, values)
    if found is None:
        with transaction() as session:
            session.execute(OPEN_BY_POINTS, values)
            found = session.execute(BY_POINTS, values).scalar_one()
    return found


def read_order(order: Order) -> Order:
    """Return an order whose code was typed, as a card's when that is what the code is."""
    if order.code is None or not is_card(order.code):
        return order
    return replace(order, code=None, card=order.code)


def is_card(code: str) -> bool:
    """Tell whether a text has the form of a paper card's code."""
    try:
        return read_code(code).purpose is Purpose.CARD
    except NotACode:
        return False


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

    Raises what redeem_reward raises, VoucherShown, CardPinWrong, CardLocked, PinMissing,
    KeyReused.
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
            is_confirmed=pin is not None,
        )
        return redeemed_out(redeemed, order, now)

    def quickly() -> Answer | None:
        if pin is not None:
            return None
        number = draw_redemption_number(today)
        return redeem_at_once(Deal(order, clerk_id, number, key, sent, today, now), secret)

    try:
        answer = once_at_counter(
            use_case,
            order,
            pin=pin,
            clerk_id=clerk_id,
            key=key,
            sent=sent,
            secret=secret,
            now=now,
            quickly=quickly,
        )
    except Refusal as refusal:
        REDEMPTIONS.labels(refusal.code).inc()
        raise
    REDEMPTIONS.labels("replay" if answer.is_replay else "ok").inc()
    return answer


def once_at_counter(
    use_case: Callable[[Session], dict[str, Any]],
    order: Order,
    *,
    pin: str | None,
    clerk_id: int,
    key: str,
    sent: bytes,
    secret: str,
    now: datetime,
    quickly: Callable[[], Answer | None] = lambda: None,
) -> Answer:
    """Do what a code or card was shown for, once for this clerk's key; repeats answer the same.

    quickly: a shorter way that is tried first and returns None where it does not lead.
    Raises what both raise, VoucherShown, CardPinWrong, CardLocked, PinMissing, KeyReused.
    """

    def act() -> Answer:
        refuse_voucher(order)
        standing = check_or_repeat(
            lambda: check_pin(order, pin, secret, now), clerk_id=clerk_id, key=key, sent=sent
        )
        if standing is None:
            standing = quickly()
        if standing is not None:
            return standing
        return drawing_again(
            lambda: once(use_case, member_id=clerk_id, key=key, sent=sent, now=now)
        )

    return counting_wrong_codes(act, clerk_id, now)


def drawing_again(act: Callable[[], T]) -> T:
    """Act, and once more while the number that was drawn in it is taken.

    Raises NumberTaken when every try drew a number that was.
    """
    for _ in range(NUMBER_TRIES_MAX - 1):
        try:
            return act()
        except NumberTaken:
            continue
    return act()


def redeemed_out(redeemed: Redeemed, order: Order, now: datetime) -> dict[str, Any]:
    """Return what the deal's own request is answered, and every repeat of it."""
    return {
        "id": redeemed.id,
        "number": redeemed.number,
        "state": redeemed.state,
        "points": redeemed.points,
        "balance_after": redeemed.balance_after,
        "member": {"display_name": redeemed.member_name},
        "reward": {"id": order.reward_id, "name": redeemed.reward_name},
        "quantity": order.quantity,
        "merchant_id": order.merchant_id,
        "created_at": now.isoformat(),
        "confirm_by": redeemed.confirm_by and redeemed.confirm_by.isoformat(),
    }


def look_over(
    order: Order, *, pin: str | None, clerk_id: int, secret: str, today: date, now: datetime
) -> Preview:
    """Return what the deal would do, with wrong codes and digits counted as in take_deal."""

    def look() -> Preview:
        refuse_voucher(order)
        check_pin(order, pin, secret, now)
        with reading() as session:
            return preview_redemption(
                session, order, clerk_id=clerk_id, secret=secret, today=today, now=now
            )

    return counting_wrong_codes(look, clerk_id, now)


def refuse_voucher(order: Order) -> None:
    """Let pass what is no voucher. Its form says so, and whether there is one is not told.

    Raises VoucherShown.
    """
    if order.code is not None and read_voucher(order.code):
        raise VoucherShown


def check_pin(order: Order, pin: str | None, secret: str, now: datetime) -> None:
    """Let a card pass whose six digits fit, and a code whose member typed theirs.

    A wrong try stays counted, so it has its own transaction.
    Raises CardPinWrong, CardLocked, PinMissing, and what a card or code that is none raises.
    """
    card, code = order.card, order.code

    def fits(session: Session) -> bool:
        if card is not None:
            owner = check_card_pin(session, text=card, pin=pin or "", secret=secret, now=now)
            return owner is not None
        member_id = member_of_redemption_code(session, text=code or "", secret=secret, now=now)
        return check_own_pin(
            session, member_id=member_id, pin=pin or "", secret=secret, now=now
        )

    is_asked = card is not None or pin is not None
    if is_asked and not run(fits):
        raise CardPinWrong


def check_or_repeat(
    check: Callable[[], None], *, clerk_id: int, key: str, sent: bytes
) -> Answer | None:
    """Check digits before a deal, and return None when they fit.

    A repeat whose deal was taken is no longer judged by them: its code is used up, its card may
    be locked since. Then the answer of the deal is returned.
    Raises what the check raises, KeyReused.
    """
    try:
        check()
    except Refusal:
        standing = answered_before(clerk_id, key, sent)
        if standing is None:
            raise
        return standing
    return None


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
