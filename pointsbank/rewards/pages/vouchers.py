"""The HTML door of vouchers at a counter: a code scanned or typed, looked over, handed over.

The form carries a key that was drawn when it was printed: a double click and a resent form lead
to the same receipt.
"""

from datetime import datetime
from typing import Any

from flask import Blueprint, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext

from pointsbank.core import clock
from pointsbank.core.calendar import local_day
from pointsbank.core.db import reading, run
from pointsbank.core.errors import Refusal
from pointsbank.core.keys import draw_token
from pointsbank.organizations.errors import MerchantNotFound
from pointsbank.organizations.queries import merchant_of
from pointsbank.rewards.delivering import order_of_voucher
from pointsbank.rewards.errors import FormIncomplete, MerchantStopped
from pointsbank.rewards.handing_schemas import hand_over_voucher, look_at_voucher
from pointsbank.rewards.locking import refuse_while_locked
from pointsbank.rewards.models import QUANTITY_MAX
from pointsbank.rewards.ordering import cancel_order
from pointsbank.rewards.orders_errors import OrderNotFound, VoucherNotFound
from pointsbank.rewards.orders_queries import (
    OrderLine,
    open_orders,
    order_of,
    order_with_hash,
)
from pointsbank.rewards.pages.counter_bar import counter_bar
from pointsbank.rewards.policy import may_take_points
from pointsbank.rewards.vouchers import (
    TYPED_LENGTH_MAX,
    grouped,
    read_voucher,
    voucher_hash,
)
from pointsbank.rewards.words import what_words
from pointsbank.web.access import current_actor, members_only, roles_only
from pointsbank.web.errors import sentence_of, status_of
from pointsbank.web.forms import attempt, drawn_key, settings, typed, typed_whole

pages = Blueprint("voucher_pages", __name__)

ORDERS_SHOWN = 100


@pages.get("/V/<string:code>")
@pages.get("/v/<string:code>")
@members_only
def show_scanned(code: str) -> ResponseReturnValue:
    """Decide by who is signed in what a scanned voucher leads to; nothing is changed.

    The code in an address is too long to be tried out, so a wrong one is not counted here.
    """
    actor, now = current_actor(), clock.now()
    secret = settings().secret_key
    bare = read_voucher(code)
    with reading() as session:
        found = order_with_hash(session, voucher_hash(secret, bare)) if bare else None
        if found is not None and found.member_id == actor.member_id:
            return redirect(url_for("order_pages.show", order_id=found.id))
        if not actor.merchant_ids():
            links = {"home": url_for("home")}
            return render_template("rewards/voucher_of_other.html", links=links)
        refuse_while_locked(session, actor.member_id, now)
        line = order_of_voucher(session, actor, code=code, secret=secret)
    return look_page(line, code, now)


@pages.get("/till/<id:merchant_id>/vouchers")
@roles_only("clerk")
def show_vouchers(merchant_id: int) -> ResponseReturnValue:
    """Ask for a voucher's code, and show what is set aside at this merchant."""
    return vouchers_page(merchant_id, None)


def vouchers_page(merchant_id: int, refusal: Refusal | None) -> ResponseReturnValue:
    """Render the question, with what was refused before."""
    own_counter(merchant_id)
    with reading() as session:
        merchant = merchant_of(session, merchant_id)
        found = open_orders(
            session, merchant_id, now=clock.now(), way="voucher", limit=ORDERS_SHOWN
        )
    page = render_template(
        "rewards/vouchers.html",
        merchant=merchant,
        orders=[(line, what_words(line)) for line in found],
        problem=sentence_of(refusal) if refusal else None,
        bar=counter_bar(merchant_id),
        links={
            "look": url_for("voucher_pages.look", merchant_id=merchant_id),
            "till": url_for("till_pages.show_till", merchant_id=merchant_id),
        },
    )
    return page, status_of(refusal) if refusal else 200


def own_counter(merchant_id: int) -> None:
    """Let only this merchant's clerks on.

    Raises MerchantNotFound.
    """
    if not may_take_points(current_actor(), merchant_id):
        raise MerchantNotFound


@pages.post("/till/<id:merchant_id>/vouchers")
@roles_only("clerk")
def look(merchant_id: int) -> ResponseReturnValue:
    """Show what a typed or scanned voucher stands for, before anything moves."""
    own_counter(merchant_id)
    code, now = typed("code", TYPED_LENGTH_MAX), clock.now()
    try:
        line = look_at_voucher(
            code, actor=current_actor(), secret=settings().secret_key, now=now
        )
    except Refusal as refusal:
        return vouchers_page(merchant_id, refusal)
    return look_page(line, code, now)


def look_page(
    line: OrderLine, code: str, now: datetime, refusal: Refusal | None = None
) -> ResponseReturnValue:
    """Render what a voucher stands for, with what was refused before."""
    links: dict[str, Any] = {
        "hand_over": url_for("voucher_pages.hand_over", merchant_id=line.merchant_id),
        "cancel": url_for("voucher_pages.cancel", order_id=line.id),
        "back": url_for("voucher_pages.show_vouchers", merchant_id=line.merchant_id),
    }
    is_stopped = line.is_stopped_on(local_day(now, settings().zone))
    problem = refusal or (MerchantStopped() if is_stopped else None)
    page = render_template(
        "rewards/voucher.html",
        order=line,
        state=line.state_at(now),
        is_stopped=is_stopped,
        code=grouped(read_voucher(code) or ""),
        key=draw_token(),
        problem=sentence_of(problem) if problem else None,
        bar=counter_bar(line.merchant_id),
        links=links,
    )
    return page, status_of(refusal) if refusal else 200


@pages.post("/till/<id:merchant_id>/vouchers/handing")
@roles_only("clerk")
def hand_over(merchant_id: int) -> ResponseReturnValue:
    """Hand over so many pieces once for the key of this form, and lead to the receipt."""
    own_counter(merchant_id)
    actor, now, secret = current_actor(), clock.now(), settings().secret_key
    code, quantity = typed("code", TYPED_LENGTH_MAX), typed_whole("quantity", QUANTITY_MAX)
    try:
        key = drawn_key()
        if key is None or quantity is None:
            raise FormIncomplete
        answer = hand_over_voucher(
            code,
            quantity=quantity,
            actor=actor,
            key=key,
            sent=repr(("voucher", read_voucher(code), quantity)).encode(),
            secret=secret,
            today=local_day(now, settings().zone),
            now=now,
        )
    except VoucherNotFound as refusal:
        return vouchers_page(merchant_id, refusal)
    except Refusal as refusal:
        try:
            with reading() as session:
                line = order_of_voucher(session, actor, code=code, secret=secret)
        except VoucherNotFound:
            return vouchers_page(merchant_id, refusal)
        return look_page(line, code, now, refusal)
    receipt = url_for("till_pages.show_receipt", redemption_id=answer.body["id"])
    return redirect(receipt, 303)


@pages.post("/till/orders/<id:order_id>/cancellation")
@roles_only("clerk")
def cancel(order_id: int) -> ResponseReturnValue:
    """Call off, at the counter, what cannot be handed over."""
    actor, now = current_actor(), clock.now()
    with reading() as session:
        merchant_id = order_of(session, order_id).merchant_id
    if not may_take_points(actor, merchant_id):
        raise OrderNotFound
    attempt(
        lambda: run(
            lambda session: cancel_order(session, order_id=order_id, actor=actor, now=now)
        ),
        gettext("Cancelled. The points are back with the member."),
    )
    return redirect(url_for("voucher_pages.show_vouchers", merchant_id=merchant_id), 303)
