"""The JSON door of claims: claim, accept, give up, one's own."""

from typing import Any

from flask import current_app
from sqlalchemy.orm import Session

from pointsbank.core import clock
from pointsbank.core.calendar import local_day
from pointsbank.core.db import reading, run
from pointsbank.scoring.queries import standard_on
from pointsbank.tasks.claiming import accept_place, claim_shift, give_up_claim
from pointsbank.tasks.claims import claims_of, told_in_time
from pointsbank.tasks.schemas import (
    ClaimHeldOut,
    ClaimOut,
    GivenUpOut,
    GivingUp,
    MyClaimsOut,
    NewClaim,
    claim_line_out,
    claim_out,
    my_claim_out,
)
from pointsbank.web.access import current_actor, members_only
from pointsbank.web.contract import Blueprint, PageQuery, cursor_from, position_from

api = Blueprint("claims_api", __name__, description="Claims of places on shifts.")


@api.post("/shifts/<id:shift_id>/claims")
@api.arguments(NewClaim)
@api.response(201, ClaimHeldOut)
@members_only
def claim(body: dict[str, Any], shift_id: int) -> dict[str, Any]:
    """Claim a place for oneself, or a place in the waiting line; a repeat answers the claim
    held."""
    actor, now = current_actor(), clock.now()
    zone = current_app.extensions["settings"].zone
    held = run(
        lambda session: claim_shift(
            session,
            shift_id=shift_id,
            member_id=actor.member_id,
            role_id=body["role_id"],
            zone=zone,
            now=now,
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


@api.post("/claims/<id:claim_id>/withdrawal")
@api.arguments(GivingUp)
@api.response(200, GivenUpOut)
@members_only
def withdraw(body: dict[str, Any], claim_id: int) -> dict[str, Any]:
    """Give one's own place up with a reason; a repeat answers the same."""
    actor, now = current_actor(), clock.now()
    reason = body["reason"] or None

    def give_up_and_tell(session: Session) -> bool:
        give_up_claim(
            session, claim_id=claim_id, member_id=actor.member_id, now=now, reason=reason
        )
        return told_in_time(session, claim_id)

    return {"id": claim_id, "state": "withdrawn", "told_in_time": run(give_up_and_tell)}


@api.post("/claims/<id:claim_id>/acceptance")
@api.response(200, ClaimOut)
@members_only
def accept(claim_id: int) -> dict[str, Any]:
    """Keep the place that one moved up to; a repeat changes nothing."""
    actor, now = current_actor(), clock.now()
    run(
        lambda session: accept_place(
            session, claim_id=claim_id, member_id=actor.member_id, now=now
        )
    )
    with reading() as session:
        (held,) = claims_of(session, actor.member_id, claim_id=claim_id, limit=1)
    return claim_line_out(held)


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
