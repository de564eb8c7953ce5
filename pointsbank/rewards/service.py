"""Writes of what is offered: a new reward, more of one, its withdrawal."""

from datetime import datetime

from sqlalchemy import insert, update
from sqlalchemy.orm import Session

from pointsbank.core.actor import Actor
from pointsbank.core.audit import note
from pointsbank.organizations.errors import MerchantNotFound
from pointsbank.organizations.queries import MerchantLine, merchant_of
from pointsbank.rewards.errors import BadValidity, RewardNotFound, StockTooLarge
from pointsbank.rewards.models import STOCK_MAX, Reward
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
    name: str,
    points: int,
    stock: int,
    limit_per_member: int | None = None,
    valid_from: datetime | None = None,
    valid_until: datetime | None = None,
    now: datetime,
) -> int:
    """Offer a reward and return its id. It can be had from valid_from and before valid_until.

    Raises MerchantNotFound, BadValidity.
    """
    merchant_to_offer(session, actor, merchant_id)
    if valid_from is not None and valid_until is not None and valid_from >= valid_until:
        raise BadValidity
    reward_id = session.execute(
        insert(Reward)
        .values(
            merchant_id=merchant_id,
            name=name,
            points=points,
            stock=stock,
            limit_per_member=limit_per_member,
            valid_from=valid_from,
            valid_until=valid_until,
            state="offered",
            offered_at=now,
        )
        .returning(Reward.id)
    ).scalar_one()
    _note(session, actor, "offer_reward", reward_id, now, points=points, stock=stock)
    return reward_id


def reward_to_change(session: Session, actor: Actor, reward_id: int) -> RewardLine:
    """Return a reward whose offer this person decides.

    Raises RewardNotFound, for a foreign one as for an unknown one.
    """
    reward = reward_of(session, reward_id)
    if not may_offer(actor, reward.merchant_id, reward.path):
        raise RewardNotFound
    return reward


def restock_reward(
    session: Session, *, actor: Actor, reward_id: int, more: int, now: datetime
) -> int:
    """Add to a reward's stock and return what is there then. Adding never undoes a sale beside
    it.

    Raises RewardNotFound, StockTooLarge.
    """
    reward_to_change(session, actor, reward_id)
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
    """Withdraw a reward, or offer it again; a repeat changes nothing and leaves no second note.

    state: withdrawn or offered.
    Raises RewardNotFound.
    """
    reward_to_change(session, actor, reward_id)
    changed = session.execute(
        update(Reward)
        .where(Reward.id == reward_id, Reward.state != state)
        .values(state=state)
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
