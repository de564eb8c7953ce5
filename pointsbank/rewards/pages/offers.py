"""The HTML door of what a merchant offers: its rewards, their stock, and a day's list."""

from datetime import date, datetime
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext
from marshmallow import ValidationError

from pointsbank.core import clock
from pointsbank.core.calendar import local_day
from pointsbank.core.db import reading, transaction
from pointsbank.core.errors import Conflict, Invalid, Refusal
from pointsbank.core.text import halfwidth
from pointsbank.merchants.errors import DecisionMissing
from pointsbank.merchants.queries import rate_on
from pointsbank.organizations.errors import OrganizationNotFound
from pointsbank.organizations.queries import organization_of
from pointsbank.rewards import service
from pointsbank.rewards.errors import NotANumber
from pointsbank.rewards.models import LOAN_DAYS_MAX, REWARD_POINTS_MAX, STOCK_MAX
from pointsbank.rewards.offering import Offer, resolved
from pointsbank.rewards.pages.counter_bar import counter_bar_of
from pointsbank.rewards.pages.offer_forms import (
    NUMBER_TYPED_MAX,
    Typed,
    choices,
    errors_of,
    typed_before,
    typed_offer,
    values_of,
)
from pointsbank.rewards.policy import may_offer
from pointsbank.rewards.queries import (
    RewardLine,
    redemptions_on,
    rewards_of_merchant,
    totals_on,
)
from pointsbank.rewards.schemas import (
    DESCRIPTION_LENGTH_MAX,
    NAME_LENGTH_MAX,
    NewReward,
    RewardChanges,
    picture_out,
)
from pointsbank.rewards.words import KIND_WORDS, days_words, limit_words, what_words
from pointsbank.web.access import current_actor, roles_only
from pointsbank.web.contract import cursor_from, position_from
from pointsbank.web.errors import sentence_of
from pointsbank.web.forms import attempt, settings, typed

pages = Blueprint("offer_pages", __name__)

LINES_A_PAGE = 50
LIMITS = {
    "points": REWARD_POINTS_MAX,
    "stock": STOCK_MAX,
    "name": NAME_LENGTH_MAX,
    "description": DESCRIPTION_LENGTH_MAX,
    "days": LOAN_DAYS_MAX,
}


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
        rewards=[shelf_entry(reward, now) for reward in rewards],
        links={
            "new": url_for("offer_pages.ask_for_reward", merchant_id=merchant_id),
            "day": url_for("offer_pages.show_day", merchant_id=merchant_id),
            "back": url_for("desk_pages.show_desk", merchant_id=merchant_id),
        },
    )


def shelf_entry(reward: RewardLine, now: datetime) -> dict[str, Any]:
    """Return a reward as the shelf of its merchant shows it."""
    return {
        "reward": reward,
        "is_on_offer": reward.is_on_offer(now),
        "kind": KIND_WORDS[reward.kind],
        "days": days_words(reward.weekdays, reward.monthdays),
        "limit": limit_words(reward),
        "picture": picture_out(reward),
        "edit": url_for("offer_pages.ask_for_changes", reward_id=reward.id),
    }


@pages.get("/merchants/<id:merchant_id>/rewards/new")
@roles_only("administrator", "clerk")
def ask_for_reward(merchant_id: int) -> ResponseReturnValue:
    """Ask what the new reward is."""
    return reward_form(merchant_id, {}, {})


def reward_form(
    merchant_id: int, form: Typed, errors: dict[str, str], reward: RewardLine | None = None
) -> ResponseReturnValue:
    """Render the form of a reward, a new one unless one is given, with what was wrong."""
    with reading() as session:
        merchant = service.merchant_to_offer(session, current_actor(), merchant_id)
        rate_fen = rate_on(session, merchant_id, local_day(clock.now(), settings().zone))
        offered = choices(session, merchant.path)
    here = "offer_pages.offer" if reward is None else "offer_pages.change"
    place: dict[str, Any] = (
        {"merchant_id": merchant_id} if reward is None else {"reward_id": reward.id}
    )
    page = render_template(
        "rewards/offer_form.html",
        merchant=merchant,
        reward=reward,
        form=form,
        errors=errors,
        choices=offered,
        rate_fen=rate_fen,
        limits=LIMITS,
        picture=reward and picture_out(reward),
        links={
            "back": url_for("offer_pages.show_offer", merchant_id=merchant_id),
            "save": url_for(here, **place),
        },
    )
    return page, 422 if errors else 200


@pages.post("/merchants/<id:merchant_id>/rewards")
@roles_only("administrator", "clerk")
def offer(merchant_id: int) -> ResponseReturnValue:
    """Offer a new reward, judged by the same schema as a program's, or keep it as a draft."""
    actor, now, form = current_actor(), clock.now(), typed_offer()
    with reading() as session:
        service.merchant_to_offer(session, actor, merchant_id)
    try:
        body = NewReward().load({"stock": None, **values_of(form), "merchant_id": merchant_id})
    except ValidationError as error:
        return reward_form(merchant_id, form, errors_of(error))
    try:
        with transaction() as session:
            day = local_day(now, settings().zone)
            values = resolved(session, merchant_id, body, day, needs_price=True)
            service.offer_reward(
                session,
                actor=actor,
                merchant_id=merchant_id,
                offer=Offer(**values),
                is_draft="draft" in request.form,
                now=now,
            )
    except (Invalid, OrganizationNotFound) as refusal:
        return reward_form(merchant_id, form, problem_of(refusal))
    is_draft = "draft" in request.form
    flash(
        gettext("The draft is kept. A picture can be added under “Change”.")
        if is_draft
        else gettext("It is on offer. A picture can be added under “Change”."),
        "success",
    )
    return redirect(url_for("offer_pages.show_offer", merchant_id=merchant_id), 303)


def problem_of(refusal: Refusal) -> dict[str, str]:
    """Return a refusal beside the field that it speaks of."""
    field = {
        "bad_validity": "valid_until",
        "loan_days_missing": "loan_days",
        "price_missing": "points",
        "organization_not_found": "audience_code",
        "kind_fixed": "kind",
        "stock_counted": "stock",
    }
    return {field.get(refusal.code, "name"): sentence_of(refusal)}


@pages.get("/rewards/<id:reward_id>/edit")
@roles_only("administrator", "clerk")
def ask_for_changes(reward_id: int) -> ResponseReturnValue:
    """Show everything that is said of a reward, to be changed, and its picture."""
    with reading() as session:
        reward = service.reward_to_change(session, current_actor(), reward_id)
        code = ""
        if reward.audience_id is not None:
            code = organization_of(session, reward.audience_id).code
    return reward_form(reward.merchant_id, typed_before(reward, code), {}, reward)


@pages.post("/rewards/<id:reward_id>/edit")
@roles_only("administrator", "clerk")
def change(reward_id: int) -> ResponseReturnValue:
    """Change what is said of a reward."""
    actor, now, form = current_actor(), clock.now(), typed_offer()
    with reading() as session:
        reward = service.reward_to_change(session, actor, reward_id)
    try:
        body = RewardChanges().load(values_of(form))
    except ValidationError as error:
        return reward_form(reward.merchant_id, form, errors_of(error), reward)
    try:
        with transaction() as session:
            day = local_day(now, settings().zone)
            changes = resolved(session, reward.merchant_id, body, day, needs_price=True)
            service.change_reward(
                session, actor=actor, reward_id=reward_id, changes=changes, now=now
            )
    except (Invalid, Conflict, OrganizationNotFound) as refusal:
        return reward_form(reward.merchant_id, form, problem_of(refusal), reward)
    flash(gettext("The changes were kept."), "success")
    return redirect(url_for("offer_pages.ask_for_changes", reward_id=reward_id), 303)


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
    state, actor, now = request.form.get("state", ""), current_actor(), clock.now()
    with reading() as session:
        merchant_id = service.reward_to_change(session, actor, reward_id).merchant_id

    def act() -> None:
        if state not in ("offered", "withdrawn"):
            raise DecisionMissing
        with transaction() as session:
            service.change_state(
                session, actor=actor, reward_id=reward_id, state=state, now=now
            )

    is_offered = state == "offered"
    attempt(act, gettext("It is on offer.") if is_offered else gettext("It is withdrawn."))
    return redirect(url_for("offer_pages.show_offer", merchant_id=merchant_id), 303)


@pages.get("/merchants/<id:merchant_id>/redemptions")
@roles_only("administrator", "clerk", "auditor")
def show_day(merchant_id: int) -> ResponseReturnValue:
    """Show what a merchant handed over on a day, with its sum."""
    actor, now = current_actor(), clock.now()
    day = day_asked(local_day(now, settings().zone))
    before = position_from(request.args.get("cursor"))
    with reading() as session:
        merchant = service.merchant_to_see(session, actor, merchant_id)
        found = redemptions_on(
            session, merchant_id, day, before_id=before, limit=LINES_A_PAGE + 1
        )
        totals = totals_on(session, merchant_id, day)
    links = {
        "here": url_for("offer_pages.show_day", merchant_id=merchant_id),
        "back": url_for("desk_pages.show_desk", merchant_id=merchant_id),
    }
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
        redemptions=[
            (line, what_words(line), line.state_at(now)) for line in found[:LINES_A_PAGE]
        ],
        links=links,
        **counter_bar_of(actor, merchant_id),
    )


def day_asked(today: date) -> date:
    """Return the day of the query, today for anything else."""
    text = request.args.get("day", "")
    try:
        return date.fromisoformat(text)
    except ValueError:
        return today
