"""The JSON door of gifts."""

from typing import Any

from flask import Response
from marshmallow import Schema, fields
from sqlalchemy.orm import Session

from pointsbank.core import clock
from pointsbank.core.calendar import local_month
from pointsbank.passbooks.gifts import gift_of, month_left
from pointsbank.passbooks.giving import Wish, give, take_gift_back
from pointsbank.passbooks.models import GIFT_MONTH_POINTS_MAX
from pointsbank.web.access import current_actor, members_only, roles_only
from pointsbank.web.contract import Blueprint, Body, RowId, Text, Whole
from pointsbank.web.forms import settings
from pointsbank.web.idempotency import answer_once, request_key

api = Blueprint("giving_api", __name__, description="Gifts within a household.")

WORDS_LENGTH_MAX = 60
REASON_LENGTH_MAX = 200


class NewGift(Body):
    """A gift to another person of one's household."""

    receiver_id = RowId(required=True)
    points = Whole(least=1, most=GIFT_MONTH_POINTS_MAX, required=True)
    words = Text(length_min=0, length_max=WORDS_LENGTH_MAX, load_default="")


class ReceiverOut(Schema):
    """The person who receives, by a masked name."""

    id = fields.Integer()
    display_name = fields.String()


class GiftOut(Schema):
    """A gift as it was made."""

    id = fields.Integer()
    receiver = fields.Nested(ReceiverOut)
    points = fields.Integer()
    words = fields.String()
    given_at = fields.AwareDateTime(format="iso")
    balance_after = fields.Integer()
    month_left = fields.Integer()


class GiftReversalReason(Body):
    """Why a gift is taken back."""

    reason = Text(length_max=REASON_LENGTH_MAX, required=True)


class GiftTakenBack(Schema):
    """A gift that was taken back."""

    id = fields.Integer()
    points = fields.Integer()
    transfer_ids = fields.List(fields.Integer())


@api.post("/me/gifts")
@api.arguments(NewGift)
@api.response(201, GiftOut)
@members_only
def new_gift(body: dict[str, Any]) -> Response:
    """Give points to another person of one's household."""
    actor, now, key, zone = current_actor(), clock.now(), request_key(), settings().zone

    def use_case(session: Session) -> dict[str, Any]:
        wish = Wish(giver_id=actor.member_id, key=key, **body)
        given = give(session, wish, zone=zone, now=now)
        gift = gift_of(session, given.id)
        return {
            "id": gift.id,
            "receiver": {"id": gift.receiver_id, "display_name": gift.receiver_name},
            "points": gift.points,
            "words": gift.words,
            "given_at": gift.given_at.isoformat(),
            "balance_after": given.balance_after,
            "month_left": month_left(session, actor.member_id, local_month(now, zone)),
        }

    return answer_once(use_case, member_id=actor.member_id, key=key, now=now)


@api.post("/gifts/<id:gift_id>/reversal")
@api.arguments(GiftReversalReason)
@api.response(201, GiftTakenBack)
@roles_only("administrator")
def reverse_gift(body: dict[str, Any], gift_id: int) -> Response:
    """Take a gift back, out of the one book and into the other; a repeat changes nothing."""
    actor, now, zone = current_actor(), clock.now(), settings().zone

    def use_case(session: Session) -> dict[str, Any]:
        moved = take_gift_back(
            session, gift_id=gift_id, actor=actor, reason=body["reason"], zone=zone, now=now
        )
        return {
            "id": gift_id,
            "points": moved.out.points,
            "transfer_ids": [moved.out.id, moved.into.id],
        }

    return answer_once(use_case, member_id=actor.member_id, key=request_key(), now=now)
