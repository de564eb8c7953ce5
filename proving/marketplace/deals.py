"""The model of the counter: deals at once, those that wait for their member, and voids."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from proving.marketplace.market import DEAL_POINTS_MAX, Deal, Loan, Market, Void
from proving.reference import Refused

CONFIRM_ABOVE = 200
CONFIRM_WITHIN = timedelta(seconds=60)


@dataclass(frozen=True)
class Ask:
    """What a clerk types in. way: code, card, or pin: a code with its member's six digits."""

    merchant: int
    reward: int
    quantity: int
    clerk: int
    way: str
    code: int | None
    member: int


def look(market: Market, ask: Ask) -> tuple[int, int, int]:
    """Return the points of a deal, and what its member can spend before and after it."""
    member, points, _ = judged(market, ask)
    book = market.ledger.books[market.wallets[member]]
    available = book.posted - book.held
    return points, available, available - points


def judged(market: Market, ask: Ask) -> tuple[int, int, str]:
    """Return whose deal it would be, its points, and the period in which its pieces count."""
    member = who_shows(market, ask)
    reward = market.rewards[ask.reward]
    if reward.merchant != ask.merchant:
        raise Refused("reward_not_found")
    if reward.kind == "loan":
        raise Refused("lent_not_sold")
    market.refuse_unoffered(ask.reward, ask.quantity)
    points = reward.points * ask.quantity
    if points > DEAL_POINTS_MAX:
        raise Refused("too_many_points")
    period = market.period(ask.reward)
    market.refuse_beyond_share(ask.reward, member, ask.quantity, period)
    market.refuse_beyond_bounds(ask.merchant, member, points)
    book = market.ledger.books[market.wallets[member]]
    if book.posted - book.held < points:
        raise Refused("not_enough_points")
    return member, points, period


def redeem(market: Market, ask: Ask) -> tuple[str, int, int | None]:
    """Hand over, or ask the member; return state, points and the balance after it."""
    member, points, period = judged(market, ask)
    deal = Deal(
        ask.merchant,
        ask.reward,
        member,
        ask.clerk,
        "card" if ask.way == "card" else "code",
        ask.quantity,
        points,
        period,
        market.today,
        f"deal:{len(market.deals)}",
    )
    if points > CONFIRM_ABOVE and ask.way == "code":
        deal.state, deal.confirm_by = "waiting", market.now + CONFIRM_WITHIN
        market.ledger.place(deal.key, market.wallets[member], points, deal.confirm_by)
    else:
        entry, _ = market.ledger.spend(
            deal.key,
            market.wallets[member],
            f"merchant:{ask.merchant}",
            points,
            "spend",
            market.now,
        )
        deal.after, deal.paid_on = entry.after, market.today
        market.paid(ask.merchant, points, "redemption", market.today)
    use_up(market, ask)
    market.take_pieces(ask.reward, member, ask.quantity, period)
    market.take_bounds(ask.merchant, member, points, market.today)
    market.deals.append(deal)
    return deal.state, points, deal.after


def who_shows(market: Market, ask: Ask) -> int:
    """Return whose code or card is shown at a counter."""
    if ask.code is None:
        market.refuse_suspended(ask.member)
    member = ask.member if ask.code is None else market.owner_of(ask.code)
    if member == ask.clerk:
        raise Refused("not_for_oneself")
    return member


def use_up(market: Market, ask: Ask) -> None:
    """Use a code up; a card stays good."""
    if ask.code is not None:
        market.codes[ask.code].state = "used"


def confirm(market: Market, number: int, actor: int) -> tuple[str, int | None]:
    """Let the member say yes; return state and balance."""
    deal = market.deals[number]
    _refuse_strangers(market, deal, actor)
    if actor != deal.member:
        raise Refused("member_confirms")
    if deal.state == "waiting" and deal.confirm_by > market.now:
        entry, _ = market.ledger.settle(
            deal.key, deal.key, f"merchant:{deal.merchant}", None, market.now
        )
        deal.state, deal.after, deal.paid_on = "completed", entry.after, market.today
        market.paid(deal.merchant, deal.points, "redemption", market.today)
    if deal.after is None:
        raise Refused("confirmation_over")
    return deal.state, deal.after


def decline(market: Market, number: int, actor: int) -> str:
    """Let the member or the counter say no; return the state."""
    deal = market.deals[number]
    _refuse_strangers(market, deal, actor)
    if deal.state == "waiting":
        _end(market, deal, "declined" if deal.confirm_by > market.now else "lapsed")
    if deal.after is not None:
        raise Refused("already_confirmed")
    return deal.state


def lapse(market: Market) -> None:
    """Give back what waited for more than a minute."""
    for deal in market.deals:
        if deal.state == "waiting" and deal.confirm_by <= market.now:
            _end(market, deal, "lapsed")


def _end(market: Market, deal: Deal, state: str) -> None:
    deal.state = state
    market.give_back(deal, deal.quantity, deal.points)
    market.free(deal.key)


def _refuse_strangers(market: Market, deal: Deal, actor: int) -> None:
    if actor != deal.member and not market.stands_at(actor, deal.merchant):
        raise Refused("redemption_not_found")


def void(market: Market, number: int, actor: int, quantity: int | None) -> tuple[Any, ...]:
    """Take pieces back, ask for it or agree; return state, pieces and balance as shown."""
    deal = _to_void(market, number, actor)
    if deal.state == "voided" and quantity is None:
        return deal.state, deal.voided, market.ledger.entries[f"void:{number}"].after
    is_own_day = actor == deal.clerk and deal.day == market.today
    if is_own_day and market.stands_at(actor, deal.merchant):
        wanted = _wanted(deal, quantity)
        points, after = _take_back(market, number, wanted)
        market.voids.append(Void(number, wanted, points, actor, False, "approved", actor))
        return deal.state, deal.voided, after
    asked = asked_of(market, number)
    if asked is None:
        wanted = _wanted(deal, quantity)
        market.voids.append(Void(number, wanted, _worth(deal, wanted), actor, True))
        return "void_asked", deal.voided, deal.after
    if quantity not in (None, asked.quantity):
        raise Refused("void_differs")
    if asked.asked_by == actor:
        return "void_asked", deal.voided, deal.after
    _wanted(deal, asked.quantity)
    asked.points, after = _take_back(market, number, asked.quantity)
    asked.decision, asked.decided_by = "approved", actor
    return deal.state, deal.voided, after


def refuse_void(market: Market, number: int, actor: int) -> tuple[Any, ...]:
    """Refuse what another administrator asked for."""
    deal = _to_void(market, number, actor)
    if actor not in market.administrators:
        raise Refused("void_not_allowed")
    asked = asked_of(market, number)
    if asked is None:
        raise Refused("void_not_asked")
    if asked.asked_by == actor:
        raise Refused("own_void")
    asked.decision, asked.decided_by = "refused", actor
    return deal.state, deal.voided, deal.after


def asked_of(market: Market, number: int) -> Void | None:
    """Return the void that waits for a second person."""
    waiting = (e for e in market.voids if e.deal == number and e.decision is None)
    return next(waiting, None)


def _to_void(market: Market, number: int, actor: int) -> Deal:
    deal = market.deals[number]
    if not market.may_see(actor, deal.merchant):
        raise Refused("redemption_not_found")
    is_own_day = actor == deal.clerk and deal.day == market.today
    if not is_own_day and actor not in market.administrators:
        raise Refused("void_not_allowed")
    if deal.after is None:
        raise Refused("redemption_not_found")
    return deal


def _wanted(deal: Deal, quantity: int | None) -> int:
    left = deal.quantity - deal.voided
    wanted = left if quantity is None else quantity
    if not 1 <= wanted <= left:
        raise Refused("nothing_left_to_void")
    return wanted


def _worth(deal: Deal, quantity: int) -> int:
    return quantity * deal.points // deal.quantity


def _take_back(market: Market, number: int, quantity: int) -> tuple[int, int]:
    """Take so many pieces back, which are left; return the points of it and the balance.

    Some points may have been reversed by hand: the last pieces bring what is left of them.
    """
    deal = market.deals[number]
    points, voided = _worth(deal, quantity), deal.voided + quantity
    is_last = voided == deal.quantity
    key = f"void:{number}" if is_last else f"void:{number}:{voided}"
    part = None if is_last else points
    entry, _ = market.ledger.reverse(key, deal.key, part, market.today, market.now)
    deal.voided = voided
    if is_last:
        deal.state = "voided"
    market.give_back(deal, quantity, points)
    market.paid(deal.merchant, -entry.change, "void", deal.paid_on)
    return entry.change, entry.after


def reverse_by_hand(
    market: Market, of: Deal | Loan, points: int | None, key: str
) -> tuple[int, bool]:
    """Give points of a deal or of a kept deposit back beside it; nothing else returns.

    Return how many, and whether the key stood for that before.
    """
    entry, is_replay = market.ledger.reverse(
        f"hand:{of.key}:{key}", of.key, points, market.today, market.now
    )
    if not is_replay:
        kind = "loan" if isinstance(of, Loan) else "void"
        market.paid(of.merchant, -entry.change, kind, of.paid_on)
    return entry.change, is_replay
