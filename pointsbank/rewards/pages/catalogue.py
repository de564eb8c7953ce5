"""The HTML door for members: what can be had now, one reward, what one has had."""

from typing import Any

from flask import Blueprint, render_template, request, url_for
from flask.typing import ResponseReturnValue

from pointsbank.core import clock
from pointsbank.core.calendar import local_day
from pointsbank.core.db import reading
from pointsbank.rewards.policy import share_period
from pointsbank.rewards.queries import (
    RewardLine,
    available_points,
    had_by,
    redemptions_of_member,
    reward_of,
    rewards_to_have,
)
from pointsbank.web.access import current_actor, members_only
from pointsbank.web.contract import cursor_from, position_from, positions_from
from pointsbank.web.forms import settings

pages = Blueprint("reward_pages", __name__)

LINES_A_PAGE = 40


@pages.get("/rewards")
@members_only
def catalogue() -> ResponseReturnValue:
    """Show what can be had, first what the member's points suffice for."""
    after = positions_from(request.args.get("cursor"), 2)
    with reading() as session:
        found = rewards_to_have(
            session,
            now=clock.now(),
            after=(after[0], after[1]) if after else None,
            limit=LINES_A_PAGE + 1,
        )
        balance = available_points(session, current_actor().member_id)
    shown = found[:LINES_A_PAGE]
    here = url_for("reward_pages.catalogue")
    links = {
        "home": url_for("home"),
        "here": here,
        "code": url_for("member_pages.ask_for_redemption_code"),
        "mine": url_for("reward_pages.mine"),
    }
    if len(found) > LINES_A_PAGE:
        links["next"] = url_for(
            "reward_pages.catalogue", cursor=cursor_from(shown[-1].points, shown[-1].id)
        )
    if after is not None:
        links["first"] = here
    return render_template(
        "rewards/list.html",
        balance=balance,
        affordable=[entry(each, balance) for each in shown if each.points <= balance],
        later=[entry(each, balance) for each in shown if each.points > balance],
        filters=None,
        links=links,
    )


def entry(reward: RewardLine, balance: int) -> dict[str, Any]:
    """Return a reward as a row shows it."""
    return {
        "href": url_for("reward_pages.show_reward", reward_id=reward.id),
        "name": reward.name,
        "merchant": reward.merchant_name,
        "points": reward.points,
        "stock": reward.stock,
        "missing": max(0, reward.points - balance),
    }


@pages.get("/rewards/<id:reward_id>")
@members_only
def show_reward(reward_id: int) -> ResponseReturnValue:
    """Show one reward, and whether this member can have it now."""
    now, member_id = clock.now(), current_actor().member_id
    with reading() as session:
        reward = reward_of(session, reward_id)
        balance = available_points(session, member_id)
        period = share_period(reward.limit_period, local_day(now, settings().zone))
        had = had_by(session, reward_id, member_id, period)
    limit = reward.limit_per_member
    return render_template(
        "rewards/reward.html",
        reward=reward,
        balance=balance,
        missing=max(0, reward.points - balance),
        is_on_offer=reward.is_on_offer(now),
        is_limit_reached=limit is not None and had >= limit,
        had=had,
        links={
            "back": url_for("reward_pages.catalogue"),
            "code": url_for("member_pages.ask_for_redemption_code"),
        },
    )


@pages.get("/redemptions")
@members_only
def mine() -> ResponseReturnValue:
    """Show what the member has had, the newest first."""
    before = position_from(request.args.get("cursor"))
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
    return render_template("rewards/mine.html", redemptions=found[:LINES_A_PAGE], links=links)
