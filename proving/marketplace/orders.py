"""The model of orders, handed over or not, and of tools on loan."""

from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from typing import Any

from proving.marketplace.deals import Ask, use_up, who_shows
from proving.marketplace.market import DEAL_POINTS_MAX, Deal, Loan, Market, Order
from proving.reference import Refused

VOUCHER_STANDS = timedelta(days=7)
COUNTER_STANDS = timedelta(minutes=15)
# A hold outlives its order, and a deposit the day on which its tool is due.
HOLD_LONGER = timedelta(days=2)
DEPOSIT_LONGER = timedelta(days=365)
# What is borrowed counts while it is at home, whatever period the limit names.
AT_HOME = ""


@dataclass(frozen=True)
class Wish:
    """What a member orders; till: the merchant whose till code was scanned, if any."""

    reward: int
    quantity: int
    member: int
    till: int | None


def order(market: Market, wish: Wish) -> tuple[int, datetime]:
    """Set pieces and points aside; return the points, and until when."""
    reward = market.rewards[wish.reward]
    if wish.till is None and reward.kind == "by_points":
        raise Refused("reward_not_found")
    if reward.kind == "loan":
        raise Refused("lent_not_sold")
    if wish.till not in (None, reward.merchant):
        raise Refused("shop_elsewhere")
    market.refuse_unoffered(wish.reward, wish.quantity)
    points = reward.points * wish.quantity
    if points > DEAL_POINTS_MAX:
        raise Refused("too_many_points")
    period = market.period(wish.reward)
    market.refuse_beyond_share(wish.reward, wish.member, wish.quantity, period)
    if wish.till is not None:
        market.refuse_beyond_bounds(reward.merchant, wish.member, points)
    stands = VOUCHER_STANDS if wish.till is None else COUNTER_STANDS
    expires_at = market.now + stands
    if reward.valid_until is not None:
        expires_at = min(expires_at, reward.valid_until)
    hold = f"order:{len(market.orders)}"
    market.ledger.place(hold, market.wallets[wish.member], points, expires_at + HOLD_LONGER)
    market.take_pieces(wish.reward, wish.member, wish.quantity, period)
    market.orders.append(
        Order(
            wish.reward,
            reward.merchant,
            wish.member,
            "voucher" if wish.till is None else "counter",
            wish.quantity,
            reward.points,
            period,
            expires_at,
            hold,
        )
    )
    return points, expires_at


def deliver(
    market: Market, number: int, clerk: int, quantity: int | None
) -> tuple[int, int, str, int]:
    """Hand pieces over; return points, balance, and the order's state with what is left."""
    found = market.orders[number]
    if not market.stands_at(clerk, found.merchant):
        raise Refused("order_not_found")
    if found.member == clerk:
        raise Refused("not_for_oneself")
    wanted = max(1, found.left) if quantity is None else quantity
    _refuse_to_hand_over(market, found, wanted)
    points = wanted * found.unit
    market.refuse_beyond_bounds(found.merchant, found.member, points)
    key = f"deal:{len(market.deals)}"
    entry, _ = market.ledger.settle(
        key, found.hold, f"merchant:{found.merchant}", points, market.now
    )
    market.paid(found.merchant, points, "redemption", market.today)
    market.take_bounds(found.merchant, found.member, points, market.today)
    found.delivered += wanted
    if found.left:
        found.hold = f"order:{number}:{found.delivered}"
        wallet, until = market.wallets[found.member], found.expires_at + HOLD_LONGER
        market.ledger.place(found.hold, wallet, found.left * found.unit, until)
    else:
        found.state = "delivered"
    market.deals.append(
        Deal(
            found.merchant,
            found.reward,
            found.member,
            clerk,
            found.way,
            wanted,
            points,
            found.period,
            market.today,
            key,
            after=entry.after,
            paid_on=market.today,
        )
    )
    return points, entry.after, found.state, found.left


def _refuse_to_hand_over(market: Market, found: Order, quantity: int) -> None:
    refusals = {
        "already_redeemed": found.state == "delivered",
        "order_cancelled": found.state == "cancelled",
        "voucher_expired": found.state == "expired" or found.expires_at <= market.now,
        "fewer_ordered": quantity > found.left,
        "merchant_stopped": not market.merchants[found.merchant].takes(market.today),
        "member_suspended": found.member in market.suspended,
    }
    for code, stands in refusals.items():
        if stands:
            raise Refused(code)


def cancel(market: Market, number: int, actor: int) -> str:
    """Call off what is left; return the state."""
    found = market.orders[number]
    if actor != found.member and not market.stands_at(actor, found.merchant):
        raise Refused("order_not_found")
    if found.state == "delivered":
        raise Refused("already_redeemed")
    if found.state == "reserved":
        _end(market, found, "cancelled")
    return found.state


def expire_orders(market: Market) -> None:
    """End what nobody fetched in time."""
    for each in market.orders:
        if each.state == "reserved" and each.expires_at <= market.now:
            _end(market, each, "expired")


def pass_night(market: Market) -> None:
    """End orders with their holds, then other holds, then points whose last day is over."""
    expire_orders(market)
    market.ledger.expire_holds(market.now)
    market.ledger.expire(market.today, market.now, market.name)


def _end(market: Market, found: Order, state: str) -> None:
    found.state = state
    market.take_pieces(found.reward, found.member, -found.left, found.period)
    market.free(found.hold)


def lend(market: Market, ask: Ask) -> tuple[int, str]:
    """Lend one tool; return the deposit and the day on which it is due."""
    member = who_shows(market, ask)
    tool = market.rewards[ask.reward]
    if tool.merchant != ask.merchant or tool.loan_days is None:
        raise Refused("reward_not_found")
    market.refuse_unoffered(ask.reward, 1)
    market.refuse_beyond_share(ask.reward, member, 1, AT_HOME)
    due_on = market.today + timedelta(days=tool.loan_days)
    hold = f"loan:{len(market.loans)}"
    until = datetime.combine(due_on + DEPOSIT_LONGER, time(), UTC)
    market.ledger.place(hold, market.wallets[member], tool.points, until)
    use_up(market, ask)
    market.take_pieces(ask.reward, member, 1, AT_HOME)
    market.loans.append(
        Loan(ask.reward, ask.merchant, member, ask.clerk, tool.points, hold, due_on)
    )
    return tool.points, due_on.isoformat()


def end_loan(
    market: Market, number: int, actor: int, state: str, charged: int
) -> tuple[str, int]:
    """Take a tool back, or settle its damage; return how it ended."""
    loan = market.loans[number]
    if not market.stands_at(actor, loan.merchant):
        raise Refused("loan_not_found")
    if actor == loan.member:
        raise Refused("not_for_oneself")
    if charged and state == "returned":
        raise Refused("charge_unfounded")
    if charged > loan.deposit:
        raise Refused("charge_too_high")
    if loan.state != "out":
        if (loan.state, loan.charged) != (state, charged):
            raise Refused("loan_ended")
        return state, charged
    _settle_deposit(market, loan, charged)
    market.shares[loan.reward, loan.member, AT_HOME] -= 1
    tool = market.rewards[loan.reward]
    if state == "returned" and tool.stock is not None:
        tool.stock += 1
    loan.state, loan.charged = state, charged
    return state, charged


def _settle_deposit(market: Market, loan: Loan, charged: int) -> None:
    if not charged:
        market.free(loan.hold)
        return
    hold: Any = market.ledger.holds[loan.hold]
    if hold.state != "open" or hold.expires_at <= market.now:
        raise Refused("deposit_released")
    payee = f"merchant:{loan.merchant}"
    market.ledger.settle(loan.key, loan.hold, payee, charged, market.now)
    market.paid(loan.merchant, charged, "loan", market.today)
    loan.paid_on = market.today
