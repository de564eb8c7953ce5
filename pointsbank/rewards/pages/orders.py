"""The HTML door of a member's orders: made, with the voucher to show, called off."""

from datetime import datetime
from typing import Any

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext

from pointsbank.core import clock
from pointsbank.core.calendar import local_day
from pointsbank.core.db import reading, run
from pointsbank.core.errors import Conflict, Invalid, NotAllowed, Refusal
from pointsbank.core.keys import draw_token
from pointsbank.rewards.errors import FormIncomplete, MerchantStopped, RewardNotFound
from pointsbank.rewards.guarding import may_have
from pointsbank.rewards.handing_schemas import make_order
from pointsbank.rewards.models import QUANTITY_MAX, REWARD_POINTS_MAX
from pointsbank.rewards.ordering import VOUCHER_DAYS, cancel_order
from pointsbank.rewards.orders_errors import OrderNotFound
from pointsbank.rewards.orders_queries import OrderLine, order_of, orders_of_member
from pointsbank.rewards.queries import RewardLine, available_points, reward_of
from pointsbank.rewards.vouchers import grouped, voucher_code, voucher_url
from pointsbank.rewards.words import what_words
from pointsbank.web.access import current_actor, members_only
from pointsbank.web.contract import cursor_from, position_from
from pointsbank.web.errors import sentence_of, status_of
from pointsbank.web.forms import attempt, drawn_key, settings, typed_whole
from pointsbank.web.qr import qr_svg

pages = Blueprint("order_pages", __name__)

LINES_A_PAGE = 40
NOT_ORDERED = ("loan", "by_points")


@pages.get("/rewards/<id:reward_id>/order")
@members_only
def ask(reward_id: int) -> ResponseReturnValue:
    """Ask how many of a reward are to be set aside, and say what it means."""
    return ask_page(reward_id, 1)


def ask_page(
    reward_id: int, quantity: int | None, refusal: Refusal | None = None
) -> ResponseReturnValue:
    """Render the question, with what was refused before."""
    member_id, now = current_actor().member_id, clock.now()
    with reading() as session:
        reward = reward_of(session, reward_id)
        if reward.state == "draft" or reward.kind in NOT_ORDERED:
            raise RewardNotFound
        balance = available_points(session, member_id)
        obstacle = may_have(session, [reward_id], member_id, now, settings().zone)[reward_id]
    problem = refusal or obstacle
    page = render_template(
        "rewards/order_form.html",
        reward=reward,
        quantity=quantity,
        most=most_of(reward, balance),
        days=VOUCHER_DAYS,
        balance=balance,
        can_be_had=obstacle is None and balance >= reward.points,
        missing=max(0, reward.points - balance),
        problem=sentence_of(problem) if problem else None,
        key=draw_token(),
        links={
            "order": url_for("order_pages.order", reward_id=reward_id),
            "back": url_for("reward_pages.show_reward", reward_id=reward_id),
        },
    )
    return page, status_of(refusal) if refusal else 200


def most_of(reward: RewardLine, balance: int) -> int:
    """Return how many of a reward one order can hold, one at least."""
    paid_for = min(balance, REWARD_POINTS_MAX) // reward.points
    return max(1, min(paid_for, reward.stock or QUANTITY_MAX))


@pages.post("/rewards/<id:reward_id>/order")
@members_only
def order(reward_id: int) -> ResponseReturnValue:
    """Order once for the key of this form, and lead to the voucher."""
    quantity, now = typed_whole("quantity", QUANTITY_MAX), clock.now()
    try:
        key = drawn_key()
        if key is None or quantity is None:
            raise FormIncomplete
        answer = make_order(
            reward_id=reward_id,
            quantity=quantity,
            member_id=current_actor().member_id,
            key=key,
            sent=repr(("order", reward_id, quantity)).encode(),
            secret=settings().secret_key,
            today=local_day(now, settings().zone),
            now=now,
        )
    except (Invalid, Conflict, NotAllowed) as refusal:
        return ask_page(reward_id, quantity, refusal)
    return redirect(url_for("order_pages.show", order_id=answer.body["id"]), 303)


@pages.get("/orders")
@members_only
def mine() -> ResponseReturnValue:
    """Show the member's orders, the newest first."""
    before, now = position_from(request.args.get("cursor")), clock.now()
    with reading() as session:
        found = orders_of_member(
            session, current_actor().member_id, before_id=before, limit=LINES_A_PAGE + 1
        )
    links = {"back": url_for("reward_pages.catalogue")}
    if len(found) > LINES_A_PAGE:
        cursor = cursor_from(found[LINES_A_PAGE - 1].id)
        links["next"] = url_for("order_pages.mine", cursor=cursor)
    if before is not None:
        links["first"] = url_for("order_pages.mine")
    return render_template(
        "rewards/orders.html",
        orders=[order_row(line, line.state_at(now)) for line in found[:LINES_A_PAGE]],
        links=links,
    )


def order_row(line: OrderLine, state: str) -> dict[str, Any]:
    """Return an order as a row shows it."""
    return {
        "href": url_for("order_pages.show", order_id=line.id),
        "what": what_words(line),
        "line": line,
        "state": state,
    }


@pages.get("/orders/<id:order_id>")
@members_only
def show(order_id: int) -> ResponseReturnValue:
    """Show a member their voucher, as long as it stands, and then what became of it."""
    line, now = own_order(order_id), clock.now()
    state = line.state_at(now)
    code = None
    if state == "reserved" and line.way == "voucher":
        bare = voucher_code(settings().secret_key, line.number)
        url = voucher_url(settings().public_url, bare)
        code = {"svg": qr_svg(url), "text": grouped(bare)}
    return render_template(
        "rewards/order.html",
        order=line,
        what=what_words(line),
        state=state,
        problem=stopped_words(line, now),
        code=code,
        links={
            "back": url_for("order_pages.mine"),
            "cancel": url_for("order_pages.cancel", order_id=order_id),
            "rewards": url_for("reward_pages.catalogue"),
        },
    )


def stopped_words(line: OrderLine, now: datetime) -> str | None:
    """Return what to tell of an open order whose merchant hands nothing over today."""
    is_stopped = line.is_stopped_on(local_day(now, settings().zone))
    return sentence_of(MerchantStopped()) if is_stopped else None


def own_order(order_id: int) -> OrderLine:
    """Return an order of this member.

    Raises OrderNotFound.
    """
    with reading() as session:
        line = order_of(session, order_id)
    if line.member_id != current_actor().member_id:
        raise OrderNotFound
    return line


@pages.post("/orders/<id:order_id>/cancellation")
@members_only
def cancel(order_id: int) -> ResponseReturnValue:
    """Call off what is left of one's own order."""
    own_order(order_id)
    actor, now = current_actor(), clock.now()
    attempt(
        lambda: run(
            lambda session: cancel_order(session, order_id=order_id, actor=actor, now=now)
        ),
        gettext("Cancelled. The points are yours to spend again."),
    )
    return redirect(url_for("order_pages.show", order_id=order_id), 303)
