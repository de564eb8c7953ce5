"""The HTML door of what a merchant offers: its rewards, their stock, and a day's list."""

from datetime import date, datetime
from typing import Any

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext
from marshmallow import ValidationError

from pointsbank.core import clock
from pointsbank.core.calendar import local_day
from pointsbank.core.db import reading, transaction
from pointsbank.core.errors import Invalid
from pointsbank.core.text import halfwidth
from pointsbank.rewards import service
from pointsbank.rewards.errors import NotANumber
from pointsbank.rewards.models import REWARD_POINTS_MAX, STOCK_MAX
from pointsbank.rewards.policy import may_offer
from pointsbank.rewards.queries import redemptions_on, rewards_of_merchant, totals_on
from pointsbank.rewards.schemas import NAME_LENGTH_MAX, NewReward
from pointsbank.web.access import current_actor, roles_only
from pointsbank.web.contract import cursor_from, position_from
from pointsbank.web.errors import sentence_of
from pointsbank.web.forms import attempt, settings, typed

pages = Blueprint("offer_pages", __name__)

LINES_A_PAGE = 50
NUMBER_TYPED_MAX = 12


@pages.get("/merchants/<id:merchant_id>/rewards")
@roles_only("administrator", "clerk")
def show_offer(merchant_id: int) -> ResponseReturnValue:
    """Show every reward of a merchant, with its stock."""
    now = clock.now()
    with reading() as session:
        merchant = service.merchant_to_offer(session, current_actor(), merchant_id)
        rewards = rewards_of_merchant(session, merchant_id)
    return render_template(
        "rewards/offer.html",
        merchant=merchant,
        rewards=[(reward, reward.is_on_offer(now)) for reward in rewards],
        stock_max=STOCK_MAX,
        links={
            "new": url_for("offer_pages.ask_for_reward", merchant_id=merchant_id),
            "day": url_for("offer_pages.show_day", merchant_id=merchant_id),
        },
    )


@pages.get("/merchants/<id:merchant_id>/rewards/new")
@roles_only("administrator", "clerk")
def ask_for_reward(merchant_id: int) -> ResponseReturnValue:
    """Ask what the new reward is."""
    return reward_form(merchant_id, {}, {})


def reward_form(
    merchant_id: int, form: dict[str, str], errors: dict[str, str]
) -> ResponseReturnValue:
    """Render the form of a new reward, with what was wrong."""
    with reading() as session:
        merchant = service.merchant_to_offer(session, current_actor(), merchant_id)
    page = render_template(
        "rewards/new_reward.html",
        merchant=merchant,
        form=form,
        errors=errors,
        limits={"points": REWARD_POINTS_MAX, "stock": STOCK_MAX, "name": NAME_LENGTH_MAX},
        links={
            "back": url_for("offer_pages.show_offer", merchant_id=merchant_id),
            "save": url_for("offer_pages.offer", merchant_id=merchant_id),
        },
    )
    return page, 422 if errors else 200


@pages.post("/merchants/<id:merchant_id>/rewards")
@roles_only("administrator", "clerk")
def offer(merchant_id: int) -> ResponseReturnValue:
    """Offer a new reward, judged by the same schema as a program's."""
    form = {
        "name": typed("name", 2 * NAME_LENGTH_MAX),
        **{
            name: halfwidth(typed(name, NUMBER_TYPED_MAX))
            for name in ("points", "stock", "limit_per_member")
        },
        **{name: typed(name, NUMBER_TYPED_MAX * 2) for name in ("valid_from", "valid_until")},
    }
    try:
        body = NewReward().load({"merchant_id": merchant_id, **values_of(form)})
    except ValidationError as error:
        return reward_form(merchant_id, form, errors_of(error))
    try:
        with transaction() as session:
            service.offer_reward(session, actor=current_actor(), **body, now=clock.now())
    except Invalid as refusal:
        return reward_form(merchant_id, form, {"valid_until": sentence_of(refusal)})
    return redirect(url_for("offer_pages.show_offer", merchant_id=merchant_id), 303)


def values_of(form: dict[str, str]) -> dict[str, Any]:
    """Return the form as a program would send it; local moments get their offset."""
    values: dict[str, Any] = {"name": form["name"]}
    for name in ("points", "stock", "limit_per_member"):
        text = form[name]
        if text or name != "limit_per_member":
            is_number = text.isascii() and text.isdigit()
            values[name] = int(text) if is_number else text
    for name in ("valid_from", "valid_until"):
        if form[name]:
            values[name] = with_offset(form[name])
    return values


def with_offset(text: str) -> str:
    """Return a local moment as a browser's field gives it, with this service's offset."""
    try:
        return datetime.fromisoformat(text).replace(tzinfo=settings().zone).isoformat()
    except ValueError:
        return text


def errors_of(error: ValidationError) -> dict[str, str]:
    """Return a sentence for each field that was wrong."""
    sentences = {
        "name": gettext("A name of up to %(most)s characters.", most=NAME_LENGTH_MAX),
        "points": gettext("A whole number from 1 to %(most)s.", most=REWARD_POINTS_MAX),
        "stock": gettext("A whole number from 0 to %(most)s.", most=STOCK_MAX),
        "limit_per_member": gettext("A whole number from 1, or nothing."),
        "valid_from": gettext("A day and a time, or nothing."),
        "valid_until": gettext("A day and a time, or nothing."),
    }
    wrong = error.messages_dict
    return {name: sentence for name, sentence in sentences.items() if name in wrong}


@pages.post("/rewards/<id:reward_id>/stock")
@roles_only("administrator", "clerk")
def restock(reward_id: int) -> ResponseReturnValue:
    """Add to a reward's stock."""
    text = halfwidth(typed("more", NUMBER_TYPED_MAX))
    more = int(text) if text.isascii() and text.isdigit() else 0
    actor, now = current_actor(), clock.now()
    with reading() as session:
        merchant_id = service.reward_to_change(session, actor, reward_id).merchant_id

    def add() -> None:
        if not 1 <= more <= STOCK_MAX:
            raise NotANumber(most=STOCK_MAX)
        with transaction() as session:
            service.restock_reward(
                session, actor=actor, reward_id=reward_id, more=more, now=now
            )

    attempt(add, gettext("The stock was filled up."))
    return redirect(url_for("offer_pages.show_offer", merchant_id=merchant_id), 303)


@pages.post("/rewards/<id:reward_id>/state")
@roles_only("administrator", "clerk")
def change_state(reward_id: int) -> ResponseReturnValue:
    """Withdraw a reward, or offer it again."""
    state = "offered" if request.form.get("state") == "offered" else "withdrawn"
    with transaction() as session:
        merchant_id = service.reward_to_change(session, current_actor(), reward_id).merchant_id
        service.change_state(
            session, actor=current_actor(), reward_id=reward_id, state=state, now=clock.now()
        )
    return redirect(url_for("offer_pages.show_offer", merchant_id=merchant_id), 303)


@pages.get("/merchants/<id:merchant_id>/redemptions")
@roles_only("administrator", "clerk", "auditor")
def show_day(merchant_id: int) -> ResponseReturnValue:
    """Show what a merchant handed over on a day, with its sum."""
    actor = current_actor()
    day = day_asked(local_day(clock.now(), settings().zone))
    before = position_from(request.args.get("cursor"))
    with reading() as session:
        merchant = service.merchant_to_see(session, actor, merchant_id)
        found = redemptions_on(
            session, merchant_id, day, before_id=before, limit=LINES_A_PAGE + 1
        )
        totals = totals_on(session, merchant_id, day)
    links = {"here": url_for("offer_pages.show_day", merchant_id=merchant_id)}
    if may_offer(actor, merchant_id, merchant.path):
        links["offer"] = url_for("offer_pages.show_offer", merchant_id=merchant_id)
    if len(found) > LINES_A_PAGE:
        links["next"] = url_for(
            "offer_pages.show_day",
            merchant_id=merchant_id,
            day=day.isoformat(),
            cursor=cursor_from(found[LINES_A_PAGE - 1].id),
        )
    if before is not None:
        links["first"] = url_for(
            "offer_pages.show_day", merchant_id=merchant_id, day=day.isoformat()
        )
    return render_template(
        "rewards/day.html",
        merchant=merchant,
        day=day,
        totals=totals,
        redemptions=found[:LINES_A_PAGE],
        links=links,
    )


def day_asked(today: date) -> date:
    """Return the day of the query, today for anything else."""
    text = request.args.get("day", "")
    try:
        return date.fromisoformat(text)
    except ValueError:
        return today
