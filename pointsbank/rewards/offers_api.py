"""The JSON door of the catalogue: what can be had, what a merchant offers, its pictures."""

from typing import Any

from flask import request
from sqlalchemy.orm import Session

from pointsbank.core import clock
from pointsbank.core.calendar import local_day
from pointsbank.core.db import reading, transaction
from pointsbank.rewards import service
from pointsbank.rewards.catalogue import POSITION_NUMBERS, Reader, Wanted, find_rewards
from pointsbank.rewards.errors import RewardNotFound
from pointsbank.rewards.guarding import may_have
from pointsbank.rewards.offering import Offer, resolved, suggested_price
from pointsbank.rewards.pictures import (
    UPLOAD_BYTES_MAX,
    encoded,
    keep_picture,
    remove_picture,
)
from pointsbank.rewards.policy import may_offer
from pointsbank.rewards.queries import (
    RewardLine,
    available_points,
    reward_of,
    rewards_of_merchant,
)
from pointsbank.rewards.schemas import (
    CreatedOut,
    NewReward,
    PriceOut,
    PriceQuery,
    RewardChanges,
    RewardListOut,
    RewardOut,
    RewardQuery,
    reward_out,
)
from pointsbank.web.access import current_actor, members_only, roles_only, takes_files
from pointsbank.web.contract import Blueprint, cursor_from, positions_from
from pointsbank.web.forms import settings
from pointsbank.web.uploads import FileMissing, ImportFile

api = Blueprint("offers_api", __name__, description="Rewards as they are offered.")


def out(session: Session, reward_id: int) -> dict[str, Any]:
    """Return a reward as it is now, for whoever asks."""
    actor, now = current_actor(), clock.now()
    reward = reward_of(session, reward_id)
    stands = may_have(session, [reward_id], actor.member_id, now, settings().zone)
    return reward_out(reward, available_points(session, actor.member_id), stands[reward_id])


@api.post("/rewards")
@api.arguments(NewReward)
@api.response(201, CreatedOut)
@roles_only("administrator", "clerk")
def offer(body: dict[str, Any]) -> dict[str, Any]:
    """Offer a reward at a merchant; without points its price follows from that in money."""
    actor, now = current_actor(), clock.now()
    merchant_id, is_draft = body.pop("merchant_id"), body.pop("draft")
    with transaction() as session:
        service.merchant_to_offer(session, actor, merchant_id)
        day = local_day(now, settings().zone)
        values = resolved(session, merchant_id, body, day, needs_price=True)
        reward_id = service.offer_reward(
            session,
            actor=actor,
            merchant_id=merchant_id,
            offer=Offer(**values),
            is_draft=is_draft,
            now=now,
        )
    return {"id": reward_id}


@api.get("/rewards")
@api.arguments(RewardQuery, location="query")
@api.response(200, RewardListOut)
@members_only
def list_rewards(query: dict[str, Any]) -> dict[str, Any]:
    """List what the member could have: what they can have now first, the cheapest first."""
    after = positions_from(query.pop("cursor", None), POSITION_NUMBERS)
    limit = query.pop("limit")
    with reading() as session:
        member_id = current_actor().member_id
        balance = available_points(session, member_id)
        reader = Reader(member_id, balance, clock.now(), settings().zone)
        found = find_rewards(session, reader, Wanted(**query), after=after, limit=limit + 1)
    shown = found[:limit]
    return {
        "items": [reward_out(each.reward, balance, each.obstacle) for each in shown],
        "next": cursor_from(*shown[-1].position) if len(found) > limit else None,
    }


@api.get("/rewards/<id:reward_id>")
@api.response(200, RewardOut)
@members_only
def show(reward_id: int) -> dict[str, Any]:
    """Tell one reward; a draft only to those who may offer it."""
    with reading() as session:
        visible_reward(session, reward_id)
        return out(session, reward_id)


def visible_reward(session: Session, reward_id: int) -> RewardLine:
    """Return a reward that the person may look at.

    Raises RewardNotFound.
    """
    reward = reward_of(session, reward_id)
    is_hidden = reward.state == "draft" or reward.kind == "by_points"
    if is_hidden and not may_offer(current_actor(), reward.merchant_id, reward.path):
        raise RewardNotFound
    return reward


@api.patch("/rewards/<id:reward_id>")
@api.arguments(RewardChanges)
@api.response(200, RewardOut)
@roles_only("administrator", "clerk")
def change(body: dict[str, Any], reward_id: int) -> dict[str, Any]:
    """Change what is said of a reward, add to its stock, withdraw it, or offer it again."""
    actor, now = current_actor(), clock.now()
    more, state = body.pop("add_stock", None), body.pop("state", None)
    with transaction() as session:
        merchant_id = service.reward_to_change(session, actor, reward_id).merchant_id
        if body:
            day = local_day(now, settings().zone)
            changes = resolved(session, merchant_id, body, day, needs_price=False)
            service.change_reward(
                session, actor=actor, reward_id=reward_id, changes=changes, now=now
            )
        if more is not None:
            service.restock_reward(
                session, actor=actor, reward_id=reward_id, more=more, now=now
            )
        if state is not None:
            service.change_state(
                session, actor=actor, reward_id=reward_id, state=state, now=now
            )
        return out(session, reward_id)


@api.get("/merchants/<id:merchant_id>/rewards")
@api.response(200, RewardListOut)
@roles_only("administrator", "clerk")
def list_offered(merchant_id: int) -> dict[str, Any]:
    """List everything a merchant offers, drafts and what was withdrawn too."""
    actor = current_actor()
    with reading() as session:
        service.merchant_to_offer(session, actor, merchant_id)
        available = available_points(session, actor.member_id)
        found = rewards_of_merchant(session, merchant_id)
    return {"items": [reward_out(each, available, None) for each in found], "next": None}


@api.get("/merchants/<id:merchant_id>/price")
@api.arguments(PriceQuery, location="query")
@api.response(200, PriceOut)
@roles_only("administrator", "clerk")
def suggest_price(query: dict[str, Any], merchant_id: int) -> dict[str, Any]:
    """Tell what something of this price in money is worth in points at a merchant today."""
    with reading() as session:
        service.merchant_to_offer(session, current_actor(), merchant_id)
        day = local_day(clock.now(), settings().zone)
        price = suggested_price(session, merchant_id, query["market_fen"], day)
    return {"points": price.points, "rate_fen": price.rate_fen}


@api.put("/rewards/<id:reward_id>/picture")
@api.arguments(ImportFile, location="files")
@api.response(200, RewardOut)
@takes_files(UPLOAD_BYTES_MAX)
@roles_only("administrator", "clerk")
def put_picture(_file: dict[str, Any], reward_id: int) -> dict[str, Any]:
    """Give a reward its picture; a repeat changes nothing."""
    actor, now = current_actor(), clock.now()
    with reading() as session:
        service.reward_to_change(session, actor, reward_id)
    picture = encoded(uploaded())
    with transaction() as session:
        keep_picture(session, actor=actor, reward_id=reward_id, picture=picture, now=now)
        return out(session, reward_id)


def uploaded() -> bytes:
    """Return the file that came with the request.

    Raises FileMissing.
    """
    file = request.files.get("file")
    if file is None or not file.filename:
        raise FileMissing
    content: bytes = file.read()
    return content


@api.delete("/rewards/<id:reward_id>/picture")
@api.response(204)
@roles_only("administrator", "clerk")
def delete_picture(reward_id: int) -> None:
    """Take a reward's picture away; a repeat changes nothing."""
    with transaction() as session:
        remove_picture(session, actor=current_actor(), reward_id=reward_id, now=clock.now())
