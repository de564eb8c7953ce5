"""The HTML door of a counter: the till, the look before, the receipt, the void.

What changes something is a POST. The form that takes points carries a key that was drawn when
it was printed: a double click, a resent form and "back" lead to the same receipt.
"""

from datetime import date, datetime
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext
from sqlalchemy.orm import Session

from pointsbank.core import clock
from pointsbank.core.actor import Actor
from pointsbank.core.calendar import local_day
from pointsbank.core.db import reading, run
from pointsbank.core.errors import Conflict, Invalid, NotAllowed, Refusal
from pointsbank.core.keys import draw_token
from pointsbank.core.text import masked_name
from pointsbank.ledger.errors import NotEnoughPoints
from pointsbank.members.codes import CONFIRM_ABOVE
from pointsbank.members.errors import CardPinWrong, PinMissing
from pointsbank.members.showing import member_of_card, member_of_redemption_code
from pointsbank.merchants.standing import standing_of
from pointsbank.organizations.errors import MerchantNotFound
from pointsbank.organizations.queries import MerchantLine, merchant_of, merchants_within
from pointsbank.rewards.catalogue import Reader, rewards_sold_today, rewards_to_have
from pointsbank.rewards.closing import closing_of
from pointsbank.rewards.errors import FormIncomplete, MerchantStopped, RedemptionNotFound
from pointsbank.rewards.handing_schemas import look_at_voucher
from pointsbank.rewards.models import QUANTITY_MAX, REWARD_POINTS_MAX, RedemptionVoid
from pointsbank.rewards.orders_queries import open_orders
from pointsbank.rewards.pages.confirming import waiting_page
from pointsbank.rewards.pages.counter_bar import counter_bar
from pointsbank.rewards.pages.vouchers import look_page
from pointsbank.rewards.policy import may_see_redemptions, may_take_points, may_void
from pointsbank.rewards.queries import (
    DayTotals,
    RedemptionLine,
    RewardLine,
    redemption_of,
    redemptions_on,
    totals_on,
)
from pointsbank.rewards.redeeming import CONFIRM_SECONDS, Order
from pointsbank.rewards.schemas import CODE_TYPED_MAX
from pointsbank.rewards.till import is_card, look_over, read_order, reward_by_points, take_deal
from pointsbank.rewards.voiding import refuse_void, void_asked_of, void_redemption
from pointsbank.rewards.vouchers import read_voucher
from pointsbank.rewards.words import limit_words, what_words
from pointsbank.web.access import current_actor, members_only, roles_only
from pointsbank.web.errors import sentence_of, status_of
from pointsbank.web.forms import (
    attempt,
    drawn_key,
    settings,
    typed,
    typed_id,
    typed_whole,
)
from pointsbank.web.idempotency import once

pages = Blueprint("till_pages", __name__)

WAYS = ("reward", "points", "code")
RECENT = 5
REWARDS_SHOWN = 200
ORDERS_SHOWN = 100
INSTEAD_SHOWN = 3
PIN_TYPED_MAX = 20
REASON_LENGTH_MAX = 200


@pages.get("/till")
@roles_only("clerk")
def choose_till() -> ResponseReturnValue:
    """Lead a clerk to their counter; one with several chooses."""
    ids = current_actor().merchant_ids()
    if len(ids) == 1:
        return redirect(url_for("till_pages.show_till", merchant_id=ids[0]))
    with reading() as session:
        merchants = merchants_within(session, (), ids=ids)
    entries = [
        (merchant, url_for("till_pages.show_till", merchant_id=merchant.id))
        for merchant in merchants
    ]
    return render_template("rewards/choose_till.html", entries=entries)


@pages.get("/till/<id:merchant_id>")
@roles_only("clerk")
def show_till(merchant_id: int) -> ResponseReturnValue:
    """Show the till: two ways in, today's sum, the last redemptions."""
    way = request.args.get("way", "")
    return till_page(merchant_id, way if way in WAYS else None, {"quantity": 1})


def till_page(
    merchant_id: int, way: str | None, form: dict[str, Any], refusal: Refusal | None = None
) -> ResponseReturnValue:
    """Render the till, with what was refused and what the person can have instead."""
    actor, now = current_actor(), clock.now()
    today = local_day(now, settings().zone)
    with reading() as session:
        merchant = own_merchant(session, actor, merchant_id)
        standing = standing_of(session, merchant_id)
        rewards = rewards_sold_today(
            session, merchant_id, now=now, zone=settings().zone, limit=REWARDS_SHOWN
        )
        instead = had_instead(session, merchant_id, form, refusal, now)
        totals = totals_on(session, merchant_id, today)
        recent = redemptions_on(session, merchant_id, today, limit=RECENT)
        closing = closing_of(session, merchant_id, today)
        orders = open_orders(session, merchant_id, now=now, way="counter", limit=ORDERS_SHOWN)
    problem = refusal or (None if standing.takes_points_on(today) else MerchantStopped())
    page = render_template(
        "rewards/till.html",
        merchant=merchant,
        clerk=masked_name(actor.name),
        today=day_sum(today, totals),
        closing=closing,
        is_changed_since=closing is not None and closing.totals != totals,
        points_max=REWARD_POINTS_MAX,
        way=way,
        rewards=rewards,
        limits={each.id: limit_words(each) for each in rewards},
        form=form,
        is_card=is_card(form.get("code") or ""),
        problem=sentence_of(problem) if problem else None,
        instead=instead,
        orders=[(order, what_words(order)) for order in orders],
        recent=[recent_row(line, now) for line in recent],
        links=till_links(merchant_id, len(actor.merchant_ids()) > 1),
        bar=counter_bar(merchant_id),
    )
    return page, status_of(refusal) if refusal else 200


def had_instead(
    session: Session,
    merchant_id: int,
    form: dict[str, Any],
    refusal: Refusal | None,
    now: datetime,
) -> list[RewardLine]:
    """Return the dearest things a person can have here whose points were not enough."""
    if not isinstance(refusal, NotEnoughPoints):
        return []
    shown = read_order(Order(merchant_id, 0, 1, code=form["code"]))
    member_of = member_of_redemption_code if shown.card is None else member_of_card
    try:
        member_id = member_of(session, text=form["code"], secret=settings().secret_key, now=now)
    except Refusal:
        return []
    reader = Reader(member_id, refusal.facts["available"], now, settings().zone)
    found = rewards_to_have(session, reader, merchant_id, limit=REWARDS_SHOWN)
    return found[-INSTEAD_SHOWN:]


def own_merchant(session: Session, actor: Actor, merchant_id: int) -> MerchantLine:
    """Return the merchant at whose counter this person stands.

    Raises MerchantNotFound.
    """
    if not may_take_points(actor, merchant_id):
        raise MerchantNotFound
    return merchant_of(session, merchant_id)


def day_sum(today: date, totals: DayTotals) -> dict[str, Any]:
    """Return the day's sum as the till prints it."""
    return {
        "date": today,
        "number": totals.redemptions,
        "points": totals.points,
        "voided": totals.voided,
    }


def recent_row(line: RedemptionLine, now: datetime) -> dict[str, Any]:
    """Return a redemption as a row of the till."""
    return {
        "href": url_for("till_pages.show_receipt", redemption_id=line.id),
        "reward": what_words(line),
        "time": line.redeemed_at,
        "member": line.member_name,
        "number": line.number,
        "points": line.points_kept or line.points,
        "state": line.state_at(now),
        "is_part": line.state == "completed" and line.voided_quantity > 0,
    }


def till_links(merchant_id: int, has_several: bool) -> dict[str, str | None]:
    """Return where the till leads."""
    here = url_for("till_pages.show_till", merchant_id=merchant_id)

    def here_by(way: str) -> str:
        # On a small phone the form begins at the top of the screen.
        return url_for("till_pages.show_till", merchant_id=merchant_id, way=way, _anchor="deal")

    return {
        "here": here,
        "by_reward": here_by("reward"),
        "by_points": here_by("points"),
        "by_code": here_by("code"),
        "close": url_for("confirm_pages.close", merchant_id=merchant_id),
        "preview": url_for("till_pages.look", merchant_id=merchant_id),
        "today": url_for("offer_pages.show_day", merchant_id=merchant_id),
        "offer": url_for("offer_pages.show_offer", merchant_id=merchant_id),
        "others": url_for("till_pages.choose_till") if has_several else None,
    }


@pages.post("/till/<id:merchant_id>/look")
@roles_only("clerk")
def look(merchant_id: int) -> ResponseReturnValue:
    """Show what would move, before anything does; for a voucher what it stands for."""
    actor, now = current_actor(), clock.now()
    form = read_deal()
    try:
        if not may_take_points(actor, merchant_id):
            raise MerchantNotFound
        if read_voucher(form["code"]):
            secret = settings().secret_key
            line = look_at_voucher(form["code"], actor=actor, secret=secret, now=now)
            return look_page(line, form["code"], now)
        seen = look_over(
            order_from(merchant_id, form, now),
            pin=form["pin"] or None,
            clerk_id=actor.member_id,
            secret=settings().secret_key,
            today=local_day(now, settings().zone),
            now=now,
        )
    except MerchantNotFound:
        raise
    except Refusal as refusal:
        return till_page(merchant_id, form["way"], form, refusal)
    with reading() as session:
        merchant = own_merchant(session, actor, merchant_id)
    return render_template(
        "rewards/confirm.html",
        deal={
            "member": seen.member_name,
            "reward": what_seen(seen.reward_name, form),
            "points": seen.points,
            "asks_member": seen.points > CONFIRM_ABOVE and not form["pin"],
            "seconds": CONFIRM_SECONDS,
            "balance_before": seen.balance_before,
            "balance_after": seen.balance_after,
            "key": draw_token(),
            "fields": {
                name: form[name] or ""
                for name in ("reward_id", "quantity", "points", "code", "pin", "way")
            },
        },
        merchant=merchant,
        clerk=masked_name(actor.name),
        today={"date": local_day(now, settings().zone)},
        links={
            "confirm": url_for("till_pages.redeem", merchant_id=merchant_id),
            "till": url_for("till_pages.show_till", merchant_id=merchant_id),
        },
    )


@pages.post("/till/<id:merchant_id>/redemptions")
@roles_only("clerk")
def redeem(merchant_id: int) -> ResponseReturnValue:
    """Take the points once for the key of this form, and lead to the receipt."""
    actor, now = current_actor(), clock.now()
    form = read_deal()
    try:
        if not may_take_points(actor, merchant_id):
            raise MerchantNotFound
        answer = take_deal(
            order_from(merchant_id, form, now),
            pin=form["pin"] or None,
            clerk_id=actor.member_id,
            key=form_key(),
            sent=repr(("form", merchant_id, sorted(form.items()))).encode(),
            secret=settings().secret_key,
            today=local_day(now, settings().zone),
            now=now,
        )
    except MerchantNotFound:
        raise
    except Refusal as refusal:
        # After a slip of six digits, or for want of points, the code is as good as before.
        is_good = isinstance(refusal, CardPinWrong | PinMissing | NotEnoughPoints)
        code = form["code"] if is_good else ""
        return till_page(merchant_id, form["way"], {**form, "code": code, "pin": ""}, refusal)
    receipt = url_for("till_pages.show_receipt", redemption_id=answer.body["id"])
    return redirect(receipt, 303)


def form_key() -> str:
    """Return the key that was drawn when the form was printed.

    Raises FormIncomplete for a form that was not ours.
    """
    key = drawn_key()
    if key is None:
        raise FormIncomplete
    return key


def read_deal() -> dict[str, Any]:
    """Return the deal as it was typed; what is no number is None."""
    way = request.form.get("way", "")
    return {
        "reward_id": typed_id("reward_id"),
        "quantity": typed_whole("quantity", QUANTITY_MAX),
        "points": typed_whole("points", REWARD_POINTS_MAX),
        "code": typed("code", CODE_TYPED_MAX),
        "pin": typed("pin", PIN_TYPED_MAX),
        "way": way if way in WAYS else "reward",
    }


def order_from(merchant_id: int, form: dict[str, Any], now: datetime) -> Order:
    """Return what the form asks for: a reward and a number of them, or so many points.

    Raises FormIncomplete.
    """
    is_by_points = form["reward_id"] is None and form["points"] is not None
    reward_id, quantity = form["reward_id"], form["quantity"]
    if is_by_points:
        reward_id, quantity = reward_by_points(merchant_id, now), form["points"]
    if reward_id is None or quantity is None or not form["code"]:
        raise FormIncomplete
    order = Order(merchant_id, reward_id, quantity, code=form["code"])
    # Without its six digits a card is no more than a code for another purpose.
    return read_order(order) if form["pin"] else order


def what_seen(reward_name: str, form: dict[str, Any]) -> str:
    """Return what is asked for as the last look prints it."""
    if form["reward_id"] is None:
        return str(gettext("By points"))
    return reward_name if form["quantity"] == 1 else f"{reward_name} × {form['quantity']}"


@pages.get("/redemptions/<id:redemption_id>")
@members_only
def show_receipt(redemption_id: int) -> ResponseReturnValue:
    """Show a redemption to its member, to the counter, and to those who oversee it."""
    actor, now = current_actor(), clock.now()
    today = local_day(now, settings().zone)
    with reading() as session:
        line = redemption_of(session, redemption_id)
        is_counter = may_see_redemptions(actor, line.merchant_id, line.path)
        if not is_counter and line.member_id != actor.member_id:
            raise RedemptionNotFound
        totals = totals_on(session, line.merchant_id, today) if is_counter else None
        # What its clerk voided meanwhile needs nobody's word.
        is_open = is_counter and line.state == "completed"
        waiting = void_asked_of(session, redemption_id) if is_open else None
        asked = waiting and asked_words(waiting, actor)
    state = line.state_at(now)
    if state == "waiting":
        return waiting_page(line, is_member=line.member_id == actor.member_id, now=now)
    is_clerk = may_take_points(actor, line.merchant_id)
    till = url_for("till_pages.show_till", merchant_id=line.merchant_id)
    day = url_for("offer_pages.show_day", merchant_id=line.merchant_id)
    mine = url_for("reward_pages.mine")
    return render_template(
        "rewards/receipt.html",
        deal=line,
        what=what_words(line),
        state=state,
        tells_balance=line.tells_balance(actor.member_id, today),
        left=line.quantity - line.voided_quantity,
        asked=asked,
        key=draw_token(),
        is_alone=is_own_day(actor, line, today),
        is_counter=is_counter,
        is_clerk=is_clerk,
        today=day_sum(today, totals) if totals and line.redeemed_on == today else None,
        may_void=line.state == "completed" and can_void(actor, line, today),
        links={
            "back": till if is_clerk else day if is_counter else mine,
            "till": till,
            "void": url_for("till_pages.void", redemption_id=redemption_id),
        },
    )


def is_own_day(actor: Actor, line: RedemptionLine, today: date) -> bool:
    """Tell whether this person takes it back alone: its clerk, on its day."""
    is_own = line.clerk_id == actor.member_id and line.redeemed_on == today
    return is_own and may_take_points(actor, line.merchant_id)


def asked_words(asked: RedemptionVoid, actor: Actor) -> dict[str, Any]:
    """Return the void that waits for a second administrator, as the receipt shows it."""
    return {
        "quantity": asked.quantity,
        "points": asked.points,
        "reason": asked.reason,
        "at": asked.asked_at,
        "is_own": asked.asked_by_id == actor.member_id,
    }


def can_void(actor: Actor, line: RedemptionLine, today: date) -> bool:
    """Tell whether the page offers this person the void."""
    return line.member_id != actor.member_id and may_void(
        actor,
        clerk_id=line.clerk_id,
        redeemed_on=line.redeemed_on,
        merchant_id=line.merchant_id,
        path=line.path,
        today=today,
    )


@pages.post("/redemptions/<id:redemption_id>/void")
@roles_only("administrator", "clerk")
def void(redemption_id: int) -> ResponseReturnValue:
    """Take a redemption back, or pieces of it, once, and show its receipt again."""
    actor, now = current_actor(), clock.now()
    deal: dict[str, Any] = {
        "redemption_id": redemption_id,
        "actor": actor,
        "today": local_day(now, settings().zone),
        "now": now,
    }
    reason = typed("reason", REASON_LENGTH_MAX) or None
    quantity = typed_whole("quantity", QUANTITY_MAX)
    receipt = redirect(url_for("till_pages.show_receipt", redemption_id=redemption_id), 303)
    if request.form.get("decision") == "refuse":
        attempt(lambda: run(lambda session: refuse_void(session, **deal)), gettext("Refused."))
        return receipt

    def use_case(session: Session) -> dict[str, Any]:
        voided = void_redemption(session, **deal, reason=reason, quantity=quantity)
        return {"is_asked": voided.is_asked}

    try:
        # Pieces are taken back once for the key of this form; a whole redemption only once.
        if quantity is None:
            answer = run(use_case)
        else:
            sent = repr(("void", redemption_id, quantity)).encode()
            key, clerk_id = form_key(), actor.member_id
            answer = once(use_case, member_id=clerk_id, key=key, sent=sent, now=now).body
    except (Invalid, Conflict, NotAllowed) as refusal:
        flash(sentence_of(refusal), "error")
        return receipt
    asked = gettext("A second administrator must agree.")
    done = gettext("Points and stock are back where they were")
    flash(asked if answer["is_asked"] else done, "success")
    return receipt
