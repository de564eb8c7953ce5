"""The JSON door of orders: made, looked up, called off, and handed over."""

from datetime import date, datetime
from typing import Any

from flask import Response, current_app, request

from pointsbank.core import clock
from pointsbank.core.calendar import local_day
from pointsbank.core.db import reading, run
from pointsbank.rewards.handing_schemas import hand_over_order, hand_over_voucher, make_order
from pointsbank.rewards.ordering import cancel_order
from pointsbank.rewards.orders_errors import OrderNotFound
from pointsbank.rewards.orders_queries import (
    OrderLine,
    open_orders,
    order_of,
    orders_of_member,
)
from pointsbank.rewards.orders_schemas import (
    HandedOut,
    NewHanding,
    NewOrderBody,
    OpenOrdersQuery,
    OrderedOut,
    OrderListOut,
    OrderOut,
    order_out,
)
from pointsbank.rewards.policy import may_see_redemptions
from pointsbank.rewards.service import merchant_to_offer
from pointsbank.rewards.vouchers import grouped, voucher_code
from pointsbank.web.access import current_actor, members_only, roles_only
from pointsbank.web.contract import Blueprint, PageQuery, cursor_from, position_from
from pointsbank.web.idempotency import answered, request_key

api = Blueprint("orders_api", __name__, description="Orders and their vouchers.")


def secret_key() -> str:
    """Return this service's secret."""
    key: str = current_app.extensions["settings"].secret_key
    return key


def today_at(now: datetime) -> date:
    """Return the local day of a moment."""
    return local_day(now, current_app.extensions["settings"].zone)


def asked_here() -> bytes:
    """Return what was asked for, to tell a repeat from another request under its key."""
    return b"\0".join((request.method.encode(), request.path.encode(), request.get_data()))


def shown(order: OrderLine, now: datetime) -> dict[str, Any]:
    """Return an order, to its owner with the voucher's code."""
    is_own = order.member_id == current_actor().member_id and order.way == "voucher"
    code = voucher_code(secret_key(), order.number) if is_own else None
    return order_out(order, today_at(now), now, code)


@api.post("/rewards/<id:reward_id>/orders")
@api.arguments(NewOrderBody)
@api.response(201, OrderedOut)
@members_only
def order(body: dict[str, Any], reward_id: int) -> Response:
    """Set points and pieces aside: for a voucher, or at the till whose code was scanned."""
    now = clock.now()
    answer = make_order(
        reward_id=reward_id,
        quantity=body["quantity"],
        till=body["till"],
        member_id=current_actor().member_id,
        key=request_key(),
        sent=asked_here(),
        secret=secret_key(),
        today=today_at(now),
        now=now,
    )
    is_voucher = answer.body["word"] is None
    code = grouped(voucher_code(secret_key(), answer.body["number"])) if is_voucher else None
    return answered(answer, voucher=code)


@api.get("/me/orders")
@api.arguments(PageQuery, location="query")
@api.response(200, OrderListOut)
@members_only
def list_mine(query: dict[str, Any]) -> dict[str, Any]:
    """List one's orders, the newest first."""
    before, limit = position_from(query.get("cursor")), query["limit"]
    with reading() as session:
        found = orders_of_member(
            session, current_actor().member_id, before_id=before, limit=limit + 1
        )
    return listed(found, limit)


def listed(found: list[OrderLine], limit: int) -> dict[str, Any]:
    """Return a page of orders, of which one more was read."""
    now = clock.now()
    return {
        "items": [shown(line, now) for line in found[:limit]],
        "next": cursor_from(found[limit - 1].id) if len(found) > limit else None,
    }


@api.get("/orders/<id:order_id>")
@api.response(200, OrderOut)
@members_only
def show(order_id: int) -> dict[str, Any]:
    """Show an order to its member, to its counter, and to those who oversee it."""
    actor = current_actor()
    with reading() as session:
        line = order_of(session, order_id)
    is_counter = may_see_redemptions(actor, line.merchant_id, line.path)
    if not is_counter and line.member_id != actor.member_id:
        raise OrderNotFound
    return shown(line, clock.now())


@api.post("/orders/<id:order_id>/cancellation")
@api.response(200, OrderOut)
@members_only
def cancel(order_id: int) -> dict[str, Any]:
    """Call off what is left, as the member or the counter; a repeat answers the same."""
    actor, now = current_actor(), clock.now()
    line = run(lambda session: cancel_order(session, order_id=order_id, actor=actor, now=now))
    return shown(line, now)


@api.get("/merchants/<id:merchant_id>/orders")
@api.arguments(OpenOrdersQuery, location="query")
@api.response(200, OrderListOut)
@roles_only("administrator", "clerk")
def list_open(query: dict[str, Any], merchant_id: int) -> dict[str, Any]:
    """List what is still to be handed over at a merchant, the oldest first."""
    after, limit = position_from(query.get("cursor")), query["limit"]
    with reading() as session:
        merchant_to_offer(session, current_actor(), merchant_id)
        found = open_orders(
            session,
            merchant_id,
            now=clock.now(),
            way=query.get("way"),
            after_id=after,
            limit=limit + 1,
        )
    return listed(found, limit)


@api.post("/orders/<id:order_id>/redemption")
@api.arguments(NewHanding)
@api.response(201, HandedOut)
@roles_only("clerk")
def deliver(body: dict[str, Any], order_id: int) -> Response:
    """Hand over what was ordered at the till, where both see its word."""
    now = clock.now()
    answer = hand_over_order(
        order_id,
        quantity=body["quantity"],
        actor=current_actor(),
        key=request_key(),
        sent=asked_here(),
        today=today_at(now),
        now=now,
    )
    return answered(answer)


@api.post("/vouchers/<string:code>/redemption")
@api.arguments(NewHanding)
@api.response(201, HandedOut)
@roles_only("clerk")
def redeem(body: dict[str, Any], code: str) -> Response:
    """Hand over what a voucher stands for; its code in any spelling."""
    now = clock.now()
    answer = hand_over_voucher(
        code,
        quantity=body["quantity"],
        actor=current_actor(),
        key=request_key(),
        sent=asked_here(),
        secret=secret_key(),
        today=today_at(now),
        now=now,
    )
    return answered(answer)
