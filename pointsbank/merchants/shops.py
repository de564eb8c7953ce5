"""Writes of a merchant's shops: a new one, its changes, its hours, its till's code."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, func, insert, select, update
from sqlalchemy.orm import Session

from pointsbank.core.actor import Actor
from pointsbank.core.audit import note
from pointsbank.merchants.errors import PositionIncomplete, ShopNameTaken, TooManyShops
from pointsbank.merchants.hours import judged
from pointsbank.merchants.models import Hours, Shop, ShopHours
from pointsbank.merchants.scope import lock_merchant, merchant_to_keep, shop_to_keep

# A chain with more is several merchants to a community.
SHOPS_MAX = 50


@dataclass(frozen=True)
class ShopFacts:
    """What a shop says about itself; the position is two numbers or none."""

    name: str
    address: str = ""
    telephone: str = ""
    latitude: float | None = None
    longitude: float | None = None


def add_shop(
    session: Session,
    *,
    actor: Actor,
    merchant_id: int,
    facts: ShopFacts,
    hours: Iterable[Hours] = (),
    handle: bytes,
    now: datetime,
) -> int:
    """Add a shop to a merchant that this person keeps, and return its id.

    handle: eight random bytes, in the code at its till.
    Raises MerchantNotFound, ShopNameTaken, TooManyShops, PositionIncomplete, BadHours.
    """
    merchant_to_keep(session, actor, merchant_id)
    return open_shop(
        session,
        merchant_id=merchant_id,
        facts=facts,
        hours=hours,
        handle=handle,
        actor_id=actor.member_id,
        now=now,
    )


def open_shop(
    session: Session,
    *,
    merchant_id: int,
    facts: ShopFacts,
    hours: Iterable[Hours],
    handle: bytes,
    actor_id: int,
    now: datetime,
) -> int:
    """Add a shop whoever asks for it, and return its id; scope is the caller's to check.

    Raises ShopNameTaken, TooManyShops, PositionIncomplete, BadHours.
    """
    lock_merchant(session, merchant_id)
    standing = session.scalar(
        select(func.count()).select_from(Shop).where(Shop.merchant_id == merchant_id)
    )
    if (standing or 0) >= SHOPS_MAX:
        raise TooManyShops(most=SHOPS_MAX)
    _judge(session, merchant_id, facts)
    ordered = judged(hours)
    shop_id = session.execute(
        insert(Shop)
        .values(
            merchant_id=merchant_id,
            **vars(facts),
            state="open",
            till_handle=handle,
            added_at=now,
        )
        .returning(Shop.id)
    ).scalar_one()
    _write_hours(session, shop_id, ordered)
    _note(session, actor_id, "add_shop", shop_id, now, merchant_id=merchant_id)
    return shop_id


def change_shop(
    session: Session,
    *,
    actor: Actor,
    shop_id: int,
    facts: ShopFacts,
    hours: Iterable[Hours],
    now: datetime,
) -> None:
    """Write a shop anew with its hours; no hours: they are not known any more.

    Raises ShopNotFound, ShopNameTaken, PositionIncomplete, BadHours.
    """
    shop = shop_to_keep(session, actor, shop_id)
    lock_merchant(session, shop.merchant_id)
    _judge(session, shop.merchant_id, facts, shop_id)
    ordered = judged(hours)
    session.execute(update(Shop).where(Shop.id == shop_id).values(**vars(facts)))
    session.execute(delete(ShopHours).where(ShopHours.shop_id == shop_id))
    _write_hours(session, shop_id, ordered)
    _note(session, actor.member_id, "change_shop", shop_id, now)


def set_shop_state(
    session: Session, *, actor: Actor, shop_id: int, state: str, now: datetime
) -> None:
    """Close a shop for good, or open it again; a repeat changes nothing.

    state: one of models.SHOP_STATES.
    Raises ShopNotFound.
    """
    shop_to_keep(session, actor, shop_id)
    changed = session.execute(
        update(Shop)
        .where(Shop.id == shop_id, Shop.state != state)
        .values(state=state)
        .returning(Shop.id)
        .execution_options(synchronize_session=False)
    ).scalar()
    if changed is not None:
        _note(session, actor.member_id, "set_shop_state", shop_id, now, state=state)


def renew_till_code(
    session: Session, *, actor: Actor, shop_id: int, handle: bytes, now: datetime
) -> None:
    """Give a shop's till a new code; posters with the one before are good no more.

    handle: eight random bytes.
    Raises ShopNotFound.
    """
    shop_to_keep(session, actor, shop_id)
    session.execute(update(Shop).where(Shop.id == shop_id).values(till_handle=handle))
    _note(session, actor.member_id, "renew_till_code", shop_id, now)


def _judge(
    session: Session, merchant_id: int, facts: ShopFacts, shop_id: int | None = None
) -> None:
    if (facts.latitude is None) != (facts.longitude is None):
        raise PositionIncomplete
    same = select(Shop.id).where(
        Shop.merchant_id == merchant_id, Shop.name == facts.name, Shop.id != (shop_id or 0)
    )
    if session.scalar(same) is not None:
        raise ShopNameTaken


def _write_hours(session: Session, shop_id: int, hours: Iterable[Hours]) -> None:
    rows = [{"shop_id": shop_id, **vars(each)} for each in hours]
    if rows:
        session.execute(insert(ShopHours), rows)


def _note(
    session: Session, actor_id: int, action: str, shop_id: int, now: datetime, **facts: object
) -> None:
    note(session, at=now, actor_id=actor_id, action=action, subject=("shop", shop_id), **facts)
