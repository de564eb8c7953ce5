"""The HTML door for members: what can be had now, one reward, what one has had."""

from typing import Any

from flask import Blueprint, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext

from pointsbank.core import clock
from pointsbank.core.db import reading
from pointsbank.core.errors import Refusal
from pointsbank.core.text import cleaned
from pointsbank.rewards.catalogue import (
    POSITION_NUMBERS,
    WORDS_LENGTH_MAX,
    Entry,
    Reader,
    Wanted,
    find_rewards,
)
from pointsbank.rewards.errors import OutOfStock, RewardNotFound
from pointsbank.rewards.guarding import may_have
from pointsbank.rewards.models import CATEGORIES
from pointsbank.rewards.offering import OFFERED_KINDS
from pointsbank.rewards.policy import may_offer
from pointsbank.rewards.queries import available_points, redemptions_of_member, reward_of
from pointsbank.rewards.schemas import picture_out
from pointsbank.rewards.words import (
    CATEGORY_WORDS,
    KIND_WORDS,
    days_words,
    limit_words,
    what_words,
)
from pointsbank.web.access import current_actor, members_only
from pointsbank.web.contract import cursor_from, position_from, positions_from
from pointsbank.web.errors import sentence_of
from pointsbank.web.forms import settings

pages = Blueprint("reward_pages", __name__)

LINES_A_PAGE = 40


@pages.get("/rewards")
@members_only
def catalogue() -> ResponseReturnValue:
    """Show what one could have: first what can be had now with the points that are there."""
    after = positions_from(request.args.get("cursor"), POSITION_NUMBERS)
    wanted = asked()
    with reading() as session:
        member_id = current_actor().member_id
        balance = available_points(session, member_id)
        reader = Reader(member_id, balance, clock.now(), settings().zone)
        found = find_rewards(session, reader, wanted, after=after, limit=LINES_A_PAGE + 1)
    shown = found[:LINES_A_PAGE]
    query: dict[str, Any] = {
        "words": wanted.words or None,
        "category": wanted.category,
        "kind": wanted.kind,
    }
    first = url_for("reward_pages.catalogue", **query)
    links = {
        "home": url_for("home"),
        "here": url_for("reward_pages.catalogue"),
        "code": url_for("member_pages.ask_for_redemption_code"),
        "mine": url_for("reward_pages.mine"),
        "orders": url_for("order_pages.mine"),
        "loans": url_for("loan_pages.mine"),
        "wishes": url_for("wish_pages.list_wishes"),
    }
    if len(found) > LINES_A_PAGE:
        cursor = cursor_from(*shown[-1].position)
        links["next"] = url_for("reward_pages.catalogue", **query, cursor=cursor)
    if after is not None:
        links["first"] = first
    return render_template(
        "rewards/list.html",
        balance=balance,
        affordable=[entry(each, balance) for each in shown if each.is_now],
        later=[entry(each, balance) for each in shown if not each.is_now],
        wanted=wanted,
        is_narrowed=any(query.values()),
        categories=[("", gettext("All categories")), *CATEGORY_WORDS.items()],
        kinds=[
            ("", gettext("Everything")),
            *((name, KIND_WORDS[name]) for name in OFFERED_KINDS),
        ],
        links=links,
    )


def asked() -> Wanted:
    """Return what the page is asked for; what is none of the choices narrows nothing."""
    category, kind = request.args.get("category"), request.args.get("kind")
    return Wanted(
        words=cleaned(request.args.get("words", "")[: 4 * WORDS_LENGTH_MAX])[:WORDS_LENGTH_MAX],
        category=category if category in CATEGORIES else None,
        kind=kind if kind in OFFERED_KINDS else None,
    )


def entry(found: Entry, balance: int) -> dict[str, Any]:
    """Return a reward as a row shows it."""
    reward = found.reward
    return {
        "href": url_for("reward_pages.show_reward", reward_id=reward.id),
        "name": reward.name,
        "merchant": reward.merchant_name,
        "kind": None if reward.kind == "goods" else KIND_WORDS[reward.kind],
        "points": reward.points,
        "stock": reward.stock,
        "days": days_words(reward.weekdays, reward.monthdays),
        "missing": max(0, reward.points - balance),
        "obstacle": found.obstacle and why_not(found.obstacle),
        "picture": picture_out(reward),
    }


def why_not(obstacle: Refusal) -> str:
    """Return what keeps a member from a reward, in words; of nothing there is no number."""
    if isinstance(obstacle, OutOfStock) and not obstacle.facts["left"]:
        return str(gettext("There is none at present."))
    return sentence_of(obstacle)


@pages.get("/rewards/<id:reward_id>")
@members_only
def show_reward(reward_id: int) -> ResponseReturnValue:
    """Show one reward, and whether this member can have it now."""
    actor, now = current_actor(), clock.now()
    with reading() as session:
        reward = reward_of(session, reward_id)
        may_edit = may_offer(actor, reward.merchant_id, reward.path)
        is_hidden = reward.state == "draft" or reward.kind == "by_points"
        if is_hidden and not may_edit:
            raise RewardNotFound
        balance = available_points(session, actor.member_id)
        stands = may_have(session, [reward_id], actor.member_id, now, settings().zone)
    obstacle = stands[reward_id]
    links = {
        "back": url_for("reward_pages.catalogue"),
        "code": url_for("member_pages.ask_for_redemption_code"),
        "shops": url_for("shop_pages.list_shops", merchant_id=reward.merchant_id),
    }
    if reward.kind not in ("loan", "by_points"):
        links["order"] = url_for("order_pages.ask", reward_id=reward_id)
    if may_edit and reward.kind != "by_points":
        links["edit"] = url_for("offer_pages.ask_for_changes", reward_id=reward_id)
    return render_template(
        "rewards/reward.html",
        reward=reward,
        kind=KIND_WORDS[reward.kind],
        category=CATEGORY_WORDS[reward.category],
        days=days_words(reward.weekdays, reward.monthdays),
        limit=limit_words(reward),
        picture=picture_out(reward),
        balance=balance,
        missing=max(0, reward.points - balance),
        obstacle=obstacle and why_not(obstacle),
        links=links,
    )


@pages.get("/redemptions")
@members_only
def mine() -> ResponseReturnValue:
    """Show what the member has had, the newest first."""
    before, now = position_from(request.args.get("cursor")), clock.now()
    with reading() as session:
        found = redemptions_of_member(
            session, current_actor().member_id, before_id=before, limit=LINES_A_PAGE + 1
        )
    here = url_for("reward_pages.mine")
    links = {"back": url_for("reward_pages.catalogue")}
    if len(found) > LINES_A_PAGE:
        links["next"] = url_for(
            "reward_pages.mine", cursor=cursor_from(found[LINES_A_PAGE - 1].id)
        )
    if before is not None:
        links["first"] = here
    return render_template(
        "rewards/mine.html",
        redemptions=[
            (line, what_words(line), line.state_at(now)) for line in found[:LINES_A_PAGE]
        ],
        links=links,
    )
