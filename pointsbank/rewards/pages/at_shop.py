"""The HTML door of a shop's own till code: the member scans it, picks, and shows a word.

The same order stands on the shop's till, where the clerk hands it over with one tap.
"""

from datetime import datetime
from typing import Any

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext

from pointsbank.core import clock
from pointsbank.core.calendar import local_day
from pointsbank.core.db import reading, run
from pointsbank.core.errors import Refusal
from pointsbank.core.keys import draw_token
from pointsbank.merchants.queries import ShopLine
from pointsbank.merchants.standing import standing_of
from pointsbank.merchants.tills import shop_of_till
from pointsbank.rewards.bounds import spendable
from pointsbank.rewards.catalogue import Reader, rewards_to_have
from pointsbank.rewards.errors import FormIncomplete, MerchantStopped
from pointsbank.rewards.handing_schemas import hand_over_order, make_order
from pointsbank.rewards.models import QUANTITY_MAX, REWARD_POINTS_MAX
from pointsbank.rewards.ordering import COUNTER_MINUTES, cancel_order
from pointsbank.rewards.orders_errors import OrderNotFound
from pointsbank.rewards.orders_queries import OrderLine, open_orders, order_of
from pointsbank.rewards.queries import available_points
from pointsbank.rewards.till import reward_by_points
from pointsbank.rewards.words import what_words
from pointsbank.web.access import current_actor, members_only, roles_only
from pointsbank.web.errors import sentence_of, status_of
from pointsbank.web.forms import attempt, drawn_key, settings, typed_id, typed_whole

pages = Blueprint("shop_till_pages", __name__)

REWARDS_SHOWN = 200


@pages.get("/T/<string:code>")
@pages.get("/t/<string:code>")
@members_only
def show_shop(code: str) -> ResponseReturnValue:
    """Show a member what they can have at this shop now; its clerk belongs at the till."""
    with reading() as session:
        shop = shop_of_till(session, code, settings().secret_key)
    if shop.merchant_id in current_actor().merchant_ids():
        return redirect(url_for("till_pages.show_till", merchant_id=shop.merchant_id))
    return shop_page(code, shop, {"quantity": 1})


def shop_page(
    code: str, shop: ShopLine, form: dict[str, Any], refusal: Refusal | None = None
) -> ResponseReturnValue:
    """Render the choice of what the till will hand over, with what was refused before."""
    member_id, now, zone = current_actor().member_id, clock.now(), settings().zone
    today = local_day(now, zone)
    with reading() as session:
        balance = available_points(session, member_id)
        standing = standing_of(session, shop.merchant_id)
        room = spendable(session, shop.merchant_id, member_id, today, standing.month_points_max)
        most = min(balance, room, REWARD_POINTS_MAX)
        reader = Reader(member_id, most, now, zone)
        found = rewards_to_have(session, reader, shop.merchant_id, limit=REWARDS_SHOWN)
        # Who closed the page comes back by scanning: their order is not to be made twice.
        waiting = open_orders(
            session, shop.merchant_id, now=now, way="counter", member_id=member_id
        )
    takes_points = standing.takes_points_on(today)
    problem = refusal if takes_points else MerchantStopped()
    page = render_template(
        "rewards/at_shop.html",
        orders=[
            (what_words(each), url_for("shop_till_pages.show_word", order_id=each.id))
            for each in waiting
        ],
        shop=shop,
        balance=balance,
        is_open=takes_points and most > 0,
        is_full=takes_points and balance > 0 and room == 0,
        rewards=found,
        form=form,
        points_max=most,
        minutes=COUNTER_MINUTES,
        key=draw_token(),
        problem=sentence_of(problem) if problem else None,
        links={"order": url_for("shop_till_pages.order", code=code), "home": url_for("home")},
    )
    return page, status_of(refusal) if refusal else 200


@pages.post("/T/<string:code>")
@members_only
def order(code: str) -> ResponseReturnValue:
    """Set the choice aside once for the key of this form, and lead to its word."""
    actor, now = current_actor(), clock.now()
    form = {
        "reward_id": typed_id("reward_id"),
        "quantity": typed_whole("quantity", QUANTITY_MAX),
        "points": typed_whole("points", REWARD_POINTS_MAX),
    }
    with reading() as session:
        shop = shop_of_till(session, code, settings().secret_key)
    try:
        reward_id, quantity = chosen(shop, form, now)
        key = drawn_key()
        if key is None:
            raise FormIncomplete
        answer = make_order(
            reward_id=reward_id,
            quantity=quantity,
            member_id=actor.member_id,
            key=key,
            sent=repr(("at shop", code, sorted(form.items(), key=str))).encode(),
            secret=settings().secret_key,
            today=local_day(now, settings().zone),
            now=now,
            till=code,
        )
    except Refusal as refusal:
        return shop_page(code, shop, form, refusal)
    return redirect(url_for("shop_till_pages.show_word", order_id=answer.body["id"]), 303)


def chosen(shop: ShopLine, form: dict[str, Any], now: datetime) -> tuple[int, int]:
    """Return the reward and how many of it; by points these are the points.

    Raises FormIncomplete.
    """
    if form["reward_id"] is None and form["points"] is not None:
        return reward_by_points(shop.merchant_id, now), form["points"]
    if form["reward_id"] is None or form["quantity"] is None:
        raise FormIncomplete
    return form["reward_id"], form["quantity"]


@pages.get("/at-till/<id:order_id>")
@members_only
def show_word(order_id: int) -> ResponseReturnValue:
    """Show a member the word of their order and its clock, and then what became of it."""
    now = clock.now()
    line = own_order(order_id)
    left = (line.expires_at - now).total_seconds()
    return render_template(
        "rewards/at_till.html",
        order=line,
        what=what_words(line),
        state=line.state_at(now),
        problem=sentence_of(MerchantStopped())
        if line.is_stopped_on(local_day(now, settings().zone))
        else None,
        left=max(1, round(left)),
        total=COUNTER_MINUTES * 60,
        links={
            "here": url_for("shop_till_pages.show_word", order_id=order_id),
            "api": url_for("orders_api.show", order_id=order_id),
            "cancel": url_for("shop_till_pages.cancel", order_id=order_id),
            "home": url_for("home"),
            "mine": url_for("reward_pages.mine"),
        },
    )


def own_order(order_id: int) -> OrderLine:
    """Return an order at a till that is this member's own.

    Raises OrderNotFound.
    """
    with reading() as session:
        line = order_of(session, order_id)
    if line.member_id != current_actor().member_id or line.way != "counter":
        raise OrderNotFound
    return line


@pages.post("/at-till/<id:order_id>/cancellation")
@members_only
def cancel(order_id: int) -> ResponseReturnValue:
    """Call an order at a till off, as its member or at the counter."""
    actor, now = current_actor(), clock.now()
    with reading() as session:
        line = order_of(session, order_id)
    attempt(
        lambda: run(
            lambda session: cancel_order(session, order_id=order_id, actor=actor, now=now)
        ),
        gettext("Not redeemed; no points were taken."),
    )
    if line.member_id == actor.member_id:
        return redirect(url_for("shop_till_pages.show_word", order_id=order_id), 303)
    return redirect(url_for("till_pages.show_till", merchant_id=line.merchant_id), 303)


@pages.post("/at-till/<id:order_id>/handing")
@roles_only("clerk")
def hand_over(order_id: int) -> ResponseReturnValue:
    """Hand over what was ordered at the till; a second tap leads to the same receipt."""
    actor, now = current_actor(), clock.now()
    receipts: list[int] = []

    def act() -> None:
        answer = hand_over_order(
            order_id,
            quantity=None,
            actor=actor,
            # An order is handed over whole here, so its own id is the key of the form.
            key=f"form:handing:{order_id}",
            sent=request.path.encode(),
            today=local_day(now, settings().zone),
            now=now,
        )
        receipts.append(answer.body["id"])

    attempt(act, gettext("Handed over"))
    if receipts:
        return redirect(url_for("till_pages.show_receipt", redemption_id=receipts[0]), 303)
    with reading() as session:
        merchant_id = order_of(session, order_id).merchant_id
    return redirect(url_for("till_pages.show_till", merchant_id=merchant_id), 303)
