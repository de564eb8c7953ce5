"""Merchants with shops and contracts, made by the services that make the real ones."""

from datetime import date, datetime
from typing import Any

from sqlalchemy import insert
from sqlalchemy.orm import Session

from pointsbank.core.actor import Actor, Grant
from pointsbank.core.keys import draw_bytes
from pointsbank.merchants.models import TILL_HANDLE_BYTES, Hours, MerchantContract
from pointsbank.merchants.shops import ShopFacts, add_shop
from tests.builders import a_member, a_merchant, with_role
from tests.moments import NOON

DAILY = tuple(Hours(weekday, 8 * 60, 20 * 60) for weekday in range(7))


def an_administrator(session: Session, path: str = "/") -> Actor:
    """Return a new administrator as an actor, over everything unless said otherwise."""
    member_id = with_role(session, a_member(session, "管理员"), "administrator")
    return Actor(member_id, "管理员", 0, 0, (Grant("administrator", path),))


def a_clerk(session: Session, merchant_id: int) -> Actor:
    """Return a new clerk of a merchant as an actor."""
    member_id = with_role(
        session, a_member(session, "赵店员"), "clerk", merchant_id=merchant_id
    )
    return Actor(member_id, "赵店员", 0, 0, (Grant("clerk", merchant_id=merchant_id),))


def a_shop(
    session: Session,
    merchant_id: int | None = None,
    name: str = "总店",
    hours: tuple[Hours, ...] = DAILY,
    now: datetime = NOON,
    **facts: Any,
) -> int:
    """Return a new shop's id, open from 8 to 20 every day unless said otherwise."""
    return add_shop(
        session,
        actor=an_administrator(session),
        merchant_id=merchant_id if merchant_id is not None else a_merchant(session),
        facts=ShopFacts(name, **facts),
        hours=hours,
        handle=draw_bytes(TILL_HANDLE_BYTES),
        now=now,
    )


def a_proposal(session: Session, merchant_id: int, valid_from: date, valid_until: date) -> int:
    """Return the id of a contract that waits for its second signature."""
    return a_contract(session, merchant_id, valid_from, valid_until, state="proposed")


def a_contract(
    session: Session,
    merchant_id: int,
    valid_from: date,
    valid_until: date,
    rate_fen: int = 1_200,
    month_points_max: int | None = None,
    state: str = "in_force",
) -> int:
    """Return the id of a contract as administrators left it, whichever its days.

    It is written directly, because a contract of last year cannot be signed today.
    """
    is_decided = state != "proposed"
    first, second = an_administrator(session), an_administrator(session)
    return session.execute(
        insert(MerchantContract)
        .values(
            merchant_id=merchant_id,
            reference="2026-07",
            valid_from=valid_from,
            valid_until=valid_until,
            rate_fen=rate_fen,
            month_points_max=month_points_max,
            state=state,
            proposed_by_id=first.member_id,
            proposed_at=NOON,
            decided_by_id=second.member_id if is_decided else None,
            decided_at=NOON if is_decided else None,
        )
        .returning(MerchantContract.id)
    ).scalar_one()
