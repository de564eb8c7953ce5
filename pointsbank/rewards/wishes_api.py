"""The JSON door of wishes for rewards, and of communities that have too few."""

from typing import Any

from marshmallow import Schema, fields, validate

from pointsbank.core import clock
from pointsbank.core.db import reading, transaction
from pointsbank.rewards.schemas import AudienceRef, CreatedOut, RewardRef
from pointsbank.rewards.shortage import REWARDS_NEEDED, ShortPlace, short_places
from pointsbank.rewards.wishes import WishLine, community_of, wishes_of, wishes_within
from pointsbank.rewards.wishing import (
    ANSWER_LENGTH_MAX,
    ANSWERERS,
    DECISIONS,
    NOTE_LENGTH_MAX,
    TITLE_LENGTH_MAX,
    answer_wish,
    vote,
    wish,
)
from pointsbank.web.access import current_actor, members_only, roles_only
from pointsbank.web.contract import Blueprint, Body, RowId, Text
from pointsbank.web.forms import settings

api = Blueprint("wishes_api", __name__, description="Wishes for rewards, and their votes.")


class NewWish(Body):
    """A reward somebody would like to have."""

    title = Text(length_max=TITLE_LENGTH_MAX, required=True)
    note = Text(length_min=0, length_max=NOTE_LENGTH_MAX, load_default="")


class WishAnswer(Body):
    """What becomes of a wish."""

    decision = fields.String(validate=validate.OneOf(DECISIONS), required=True)
    answer = Text(length_max=ANSWER_LENGTH_MAX, allow_none=True, load_default=None)
    reward_id = RowId(allow_none=True, load_default=None)


class WishOut(Schema):
    """A wish as the asking member sees it."""

    id = fields.Integer()
    organization = fields.Nested(AudienceRef)
    title = fields.String()
    note = fields.String()
    state = fields.String()
    wished_at = fields.String()
    votes = fields.Integer()
    voted = fields.Boolean()
    own = fields.Boolean()
    reward = fields.Nested(RewardRef, allow_none=True)
    answer = fields.String(allow_none=True)
    answered_at = fields.String(allow_none=True)


class WishListOut(Schema):
    """Wishes, open ones first, each part by votes."""

    items = fields.List(fields.Nested(WishOut))


class ShortPlaceOut(Schema):
    """A community with too few rewards."""

    organization = fields.Nested(AudienceRef)
    rewards = fields.Integer()
    needed = fields.Integer()


class ShortPlacesOut(Schema):
    """Communities with too few rewards."""

    items = fields.List(fields.Nested(ShortPlaceOut))


def wish_out(line: WishLine) -> dict[str, Any]:
    """Return a wish as JSON shows it."""
    return {
        "id": line.id,
        "organization": {"id": line.organization_id, "name": line.organization_name},
        "title": line.title,
        "note": line.note,
        "state": line.state,
        "wished_at": line.wished_at.isoformat(),
        "votes": line.votes,
        "voted": line.is_voted,
        "own": line.is_own,
        "reward": line.reward_id and {"id": line.reward_id, "name": line.reward_name},
        "answer": line.answer,
        "answered_at": line.answered_at and line.answered_at.isoformat(),
    }


def place_out(place: ShortPlace) -> dict[str, Any]:
    """Return a community with too few rewards as JSON shows it."""
    return {
        "organization": {"id": place.id, "name": place.name},
        "rewards": place.rewards,
        "needed": REWARDS_NEEDED,
    }


@api.get("/reward-wishes")
@api.response(200, WishListOut)
@members_only
def list_wishes() -> dict[str, Any]:
    """List the wishes of one's own community, at most 200."""
    member_id = current_actor().member_id
    with reading() as session:
        found = wishes_of(session, community_of(session, member_id).id, member_id)
    return {"items": [wish_out(each) for each in found]}


@api.post("/reward-wishes")
@api.arguments(NewWish)
@api.response(201, CreatedOut)
@members_only
def make_wish(body: dict[str, Any]) -> dict[str, Any]:
    """Wish for a reward; the same title again is a vote for the wish that is there."""
    with transaction() as session:
        wish_id = wish(
            session,
            member_id=current_actor().member_id,
            title=body["title"],
            note_text=body["note"],
            now=clock.now(),
        )
    return {"id": wish_id}


@api.put("/reward-wishes/<id:wish_id>/vote")
@api.response(200, WishOut)
@members_only
def put_vote(wish_id: int) -> dict[str, Any]:
    """Vote for a wish of one's community; a repeat changes nothing."""
    return voted(wish_id, is_wanted=True)


@api.delete("/reward-wishes/<id:wish_id>/vote")
@api.response(200, WishOut)
@members_only
def delete_vote(wish_id: int) -> dict[str, Any]:
    """Take one's vote back; a repeat changes nothing."""
    return voted(wish_id, is_wanted=False)


def voted(wish_id: int, *, is_wanted: bool) -> dict[str, Any]:
    """Set one's vote and return the wish."""
    with transaction() as session:
        found = vote(
            session,
            member_id=current_actor().member_id,
            wish_id=wish_id,
            is_wanted=is_wanted,
            now=clock.now(),
        )
    return wish_out(found)


@api.get("/reward-wishes/unanswered")
@api.response(200, WishListOut)
@roles_only(*ANSWERERS)
def list_unanswered() -> dict[str, Any]:
    """List the wishes that wait for an answer within one's scope, most votes first."""
    actor = current_actor()
    with reading() as session:
        found = wishes_within(session, actor.paths(*ANSWERERS), actor.member_id)
    return {"items": [wish_out(each) for each in found]}


@api.post("/reward-wishes/<id:wish_id>/answer")
@api.arguments(WishAnswer)
@api.response(200, WishOut)
@roles_only(*ANSWERERS)
def answer(body: dict[str, Any], wish_id: int) -> dict[str, Any]:
    """Answer a wish; everyone who voted for it is told."""
    with transaction() as session:
        found = answer_wish(
            session, actor=current_actor(), wish_id=wish_id, **body, now=clock.now()
        )
    return wish_out(found)


@api.get("/reward-shortages")
@api.response(200, ShortPlacesOut)
@roles_only("administrator", "auditor")
def list_shortages() -> dict[str, Any]:
    """List the communities within one's scope with too few rewards for five hours' work."""
    paths = current_actor().paths("administrator", "auditor")
    with reading() as session:
        found = short_places(session, paths, clock.now(), settings().zone)
    return {"items": [place_out(each) for each in found]}
