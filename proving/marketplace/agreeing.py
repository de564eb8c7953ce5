"""The model of what a merchant's people and the community agree on: offers and contracts."""

from dataclasses import dataclass
from datetime import date
from typing import Any

from proving.marketplace.market import Market
from proving.marketplace.shelf import Contract, Reward
from proving.reference import Refused

COLUMNS = {"limit_per_member": "limit", "limit_period": "period"}


@dataclass(frozen=True)
class Terms:
    """What a contract says."""

    begins: date
    ends: date
    rate: int
    most: int | None


def restock(market: Market, number: int, actor: int, more: int) -> int:
    """Add pieces; return how many there are then."""
    reward = _own(market, number, actor)
    if reward.stock is None:
        raise Refused("stock_not_counted")
    reward.stock += more
    return reward.stock


def change_state(market: Market, number: int, actor: int, state: str) -> None:
    """Withdraw a reward, or offer it."""
    _own(market, number, actor).state = state


def _own(market: Market, number: int, actor: int) -> Reward:
    reward = market.rewards[number]
    if not market.may_see(actor, reward.merchant):
        raise Refused("reward_not_found")
    return reward


def change(reward: Reward, changes: dict[str, Any]) -> None:
    """Change what is said of a reward; pieces that are counted cannot be set."""
    new = {COLUMNS.get(name, name): value for name, value in changes.items()}
    stock = new.get("stock", reward.stock)
    if stock != reward.stock and None not in (stock, reward.stock):
        raise Refused("stock_counted")
    if "weekdays" in new:
        bits = new["weekdays"]
        new["weekdays"] = frozenset(day for day in range(7) if bits >> day & 1)
        new["monthdays"] = frozenset()
    for name, value in new.items():
        setattr(reward, name, value)
    if reward.limit is None:
        reward.period = "ever"


def sign(market: Market, number: int, terms: Terms) -> None:
    """Let a contract stand, and copy it at once."""
    merchant, today = market.merchants[number], market.today
    if not today.replace(day=1) <= terms.begins <= terms.ends or terms.ends < today:
        raise Refused("bad_term")
    if any(e.begins <= terms.ends and e.ends >= terms.begins for e in merchant.contracts):
        raise Refused("contract_overlaps")
    merchant.contracts.append(Contract(*vars(terms).values()))
    merchant.copy(today)


def end(market: Market, number: int, contract: Contract, last_on: date) -> None:
    """End a contract early; one that has not begun is dropped."""
    merchant, today = market.merchants[number], market.today
    if contract.ends < today:
        raise Refused("contract_not_in_force")
    if not today <= last_on < contract.ends:
        raise Refused("bad_last_day")
    if contract.begins <= last_on:
        contract.ends = last_on
    else:
        merchant.contracts.remove(contract)
    merchant.copy(today)
