"""The JSON door of paper cards for many people at once."""

from typing import Any

from marshmallow import Schema, ValidationError, fields, validate, validates_schema
from sqlalchemy.orm import Session

from pointsbank.core import clock
from pointsbank.core.codes import Purpose, url_of
from pointsbank.core.db import reading, run
from pointsbank.core.keys import draw_bytes
from pointsbank.members import codes
from pointsbank.members.carding import (
    CARD_GIVERS,
    CARDS_MAX,
    IssuedCards,
    holders_by_ids,
    holders_of_organization,
    issue_cards,
)
from pointsbank.members.schemas import CODE_LENGTH_MAX
from pointsbank.web.access import current_actor, roles_only
from pointsbank.web.contract import Blueprint, Body, RowId, Text
from pointsbank.web.forms import settings

api = Blueprint("cards_api", __name__, description="Paper cards for many people at once.")


class NewCards(Body):
    """For whom cards are issued: these members, or all of an organization."""

    member_ids = fields.List(RowId(), validate=validate.Length(min=1, max=CARDS_MAX))
    organization_code = Text(length_max=CODE_LENGTH_MAX)

    @validates_schema
    def names_one_group(self, data: dict[str, Any], **_more: Any) -> None:
        """Refuse both, and neither."""
        if ("member_ids" in data) == ("organization_code" in data):
            raise ValidationError("either member_ids or organization_code is needed")


class NewCardOut(Schema):
    """One card as it was issued; its code is shown this once."""

    member_id = fields.Integer()
    id = fields.Integer()
    code = fields.String()
    url = fields.String()


class NewCardsOut(Schema):
    """The cards that were issued, and how many older ones died."""

    cards = fields.List(fields.Nested(NewCardOut))
    revoked = fields.Integer()


@api.post("/cards")
@api.arguments(NewCards)
@api.response(201, NewCardsOut)
@roles_only(*CARD_GIVERS)
def new_cards(body: dict[str, Any]) -> dict[str, Any]:
    """Issue a card to each of many; every card they held before is dead from then on."""
    actor, now, secret = current_actor(), clock.now(), settings().secret_key
    with reading() as session:
        if "member_ids" in body:
            holders = holders_by_ids(session, actor, body["member_ids"])
        else:
            holders = holders_of_organization(session, actor, body["organization_code"])
    numbers = {holder.member_id: draw_bytes(codes.CARD_NUMBER_BYTES) for holder in holders}

    def act(session: Session) -> IssuedCards:
        return issue_cards(session, actor=actor, numbers=numbers, secret=secret, now=now)

    issued = run(act)
    texts = {each: codes.card_text(secret, number) for each, number in numbers.items()}
    return {
        "cards": [
            {
                "member_id": member_id,
                "id": issued.card_ids[member_id],
                "code": text,
                "url": url_of(settings().public_url, Purpose.CARD, text),
            }
            for member_id, text in texts.items()
        ],
        "revoked": issued.revoked,
    }
