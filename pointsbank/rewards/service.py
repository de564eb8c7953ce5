"""Writes of what is offered: a new reward, its changes, more of it, its withdrawal."""

from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import case, insert, update
from sqlalchemy.orm import Session

from pointsbank.core.actor import Actor
from pointsbank.core.audit import note
from pointsbank.organizations.errors import MerchantNotFound
from pointsbank.organizations.queries import MerchantLine, merchant_of
from pointsbank.rewards.errors import (
    KindFixed,
    RewardNotFound,
    StockCounted,
    StockNotCounted,
    StockTooLarge,
)
from pointsbank.rewards.models import STOCK_MAX, Reward
from pointsbank.rewards.offering import Offer, judge, offer_of
from pointsbank.rewards.policy import may_offer, may_see_redemptions
from pointsbank.rewards.queries import RewardLine, reward_of


def merchant_to_offer(session: Session, actor: Actor, merchant_id: int) -> MerchantLine:
    """Return the merchant whose offer this person decides.

    Raises MerchantNotFound, for a foreign one as for an unknown one.
    """
    merchant = merchant_of(session, merchant_id)
    if not may_offer(actor, merchant.id, merchant.path):
        raise MerchantNotFound
    return merchant


def merchant_to_see(session: Session, actor: Actor, merchant_id: int) -> MerchantLine:
    """Return the merchant whose redemptions this person may read.

    Raises MerchantNotFound, for a foreign one as for an unknown one.
    """
    merchant = merchant_of(session, merchant_id)
    if not may_see_redemptions(actor, merchant.id, merchant.path):
        raise MerchantNotFound
    return merchant


def offer_reward(
    session: Session,
    *,
    actor: Actor,
    merchant_id: int,
    offer: Offer,
    is_draft: bool = False,
    now: datetime,
) -> int:
    """Offer a reward and return its id. It can be had from valid_from and before valid_until.

    is_draft: kept for the merchant's own people until it is offered.
    Raises MerchantNotFound, and what offering.judge raises.
    """
    merchant_to_offer(session, actor, merchant_id)
    judge(session, offer)
    state = "draft" if is_draft else "offered"
    reward_id = session.execute(
        insert(Reward)
        .values(merchant_id=merchant_id, **offer.values(), state=state, offered_at=now)
        .returning(Reward.id)
    ).scalar_one()
    facts = {"points": offer.points, "stock": offer.stock}
    _note(session, actor, "offer_reward", reward_id, now, state=state, **facts)
    return reward_id


def change_reward(
    session: Session, *, actor: Actor, reward_id: int, changes: dict[str, Any], now: datetime
) -> None:
    """Change what is said of a reward; a repeat changes nothing and leaves no second note.

    changes: fields of Offer by name. What was ordered keeps its price. A stock that is counted
    can only stop being counted here; restock_reward adds to it.
    Raises RewardNotFound, KindFixed, StockCounted, and what offering.judge raises.
    """
    reward = reward_to_change(session, actor, reward_id)
    before = offer_of(session, reward_id)
    offer = replace(before, **changes)
    judge(session, offer)
    if reward.state != "draft":
        if offer.kind != before.kind:
            raise KindFixed
        if offer.stock != before.stock and None not in (offer.stock, before.stock):
            raise StockCounted
    old, new = before.values(), offer.values()
    changed = {name: value for name, value in new.items() if value != old[name]}
    if not changed:
        return
    session.execute(
        update(Reward)
        .where(Reward.id == reward_id)
        .values(**changed)
        .execution_options(synchronize_session=False)
    )
    prices = {name: changed[name] for name in ("points", "stock") if name in changed}
    _note(session, actor, "edit_reward", reward_id, now, fields=sorted(changed), **prices)


def reward_to_change(session: Session, actor: Actor, reward_id: int) -> RewardLine:
    """Return a reward whose offer this person decides.

    Raises RewardNotFound, for a foreign one as for an unknown one.
    """
    reward = reward_of(session, reward_id)
    is_counters_own = reward.kind == "by_points"
    if is_counters_own or not may_offer(actor, reward.merchant_id, reward.path):
        raise RewardNotFound
    return reward


def restock_reward(
    session: Session, *, actor: Actor, reward_id: int, more: int, now: datetime
) -> int:
    """Add to a reward's stock and return what is there then. Adding never undoes a sale beside
    it.

    Raises RewardNotFound, StockTooLarge, StockNotCounted.
    """
    if reward_to_change(session, actor, reward_id).stock is None:
        raise StockNotCounted
    stock = session.execute(
        update(Reward)
        .where(Reward.id == reward_id, Reward.stock + more <= STOCK_MAX)
        .values(stock=Reward.stock + more)
        .returning(Reward.stock)
        .execution_options(synchronize_session=False)
    ).scalar()
    if stock is None:
        raise StockTooLarge(limit=STOCK_MAX)
    _note(session, actor, "restock_reward", reward_id, now, more=more, stock=stock)
    return stock


def change_state(
    session: Session, *, actor: Actor, reward_id: int, state: str, now: datetime
) -> None:
    """Withdraw a reward, or offer it; a repeat changes nothing and leaves no second note.

    state: withdrawn, or offered, which a draft becomes too.
    Raises RewardNotFound.
    """
    reward_to_change(session, actor, reward_id)
    changed = session.execute(
        update(Reward)
        .where(Reward.id == reward_id, Reward.state != state)
        .values(
            state=state,
            offered_at=case((Reward.state == "draft", now), else_=Reward.offered_at),
        )
        .returning(Reward.id)
        .execution_options(synchronize_session=False)
    ).scalar()
    if changed is not None:
        _note(session, actor, "change_reward", reward_id, now, state=state)


def _note(
    session: Session, actor: Actor, action: str, reward_id: int, now: datetime, **facts: object
) -> None:
    note(
        session,
        at=now,
        actor_id=actor.member_id,
        action=action,
        subject=("reward", reward_id),
        **facts,
    )
