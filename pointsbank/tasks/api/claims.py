"""The JSON door of claims: claim, give up, one's own."""

from typing import Any

from flask import current_app

from pointsbank.core import clock
from pointsbank.core.calendar import local_day
from pointsbank.core.db import reading, run
from pointsbank.scoring.queries import standard_on
from pointsbank.tasks.claiming import claim_shift, give_up_claim
from pointsbank.tasks.claims import claims_of
from pointsbank.tasks.schemas import ClaimOut, MyClaimsOut, claim_out, my_claim_out
from pointsbank.web.access import current_actor, members_only
from pointsbank.web.contract import Blueprint, PageQuery, cursor_from, position_from

api = Blueprint("claims_api", __name__, description="Claims of places on shifts.")


@api.post("/shifts/<id:shift_id>/claims")
@api.response(201, ClaimOut)
@members_only
def claim(shift_id: int) -> dict[str, Any]:
    """Claim a place for oneself, or a place in the waiting line; a repeat answers the claim
    held."""
    actor, now = current_actor(), clock.now()
    held = run(
        lambda session: claim_shift(
            session, shift_id=shift_id, member_id=actor.member_id, now=now
        )
    )
    return claim_out(held)


@api.delete("/claims/<id:claim_id>")
@api.response(204)
@members_only
def give_up(claim_id: int) -> None:
    """Give one's own place up; the next in line moves up."""
    actor, now = current_actor(), clock.now()
    run(
        lambda session: give_up_claim(
            session, claim_id=claim_id, member_id=actor.member_id, now=now
        )
    )


@api.get("/me/claims")
@api.arguments(PageQuery, location="query")
@api.response(200, MyClaimsOut)
@members_only
def list_my_claims(query: dict[str, Any]) -> dict[str, Any]:
    """Answer one's own claims that stand, newest first."""
    zone = current_app.extensions["settings"].zone
    with reading() as session:
        claims = claims_of(
            session,
            current_actor().member_id,
            before_id=position_from(query.get("cursor")),
            limit=query["limit"] + 1,
        )
        standard = standard_on(session, local_day(clock.now(), zone))
        shown = claims[: query["limit"]]
        items = [my_claim_out(each, standard) for each in shown]
    more = len(claims) > query["limit"]
    return {"items": items, "next": cursor_from(shown[-1].id) if more else None}
