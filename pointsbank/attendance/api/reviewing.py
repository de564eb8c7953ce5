"""The JSON door of reviews and co-signatures."""

from typing import Any

from pointsbank.attendance.alerting import REVIEWING_ROLES
from pointsbank.attendance.review_schemas import (
    ReviewDecision,
    ReviewListOut,
    ReviewOut,
    ReviewQuery,
    ReviewWithEvidenceOut,
    VouchingOut,
    WantedSigner,
    evidence_out,
    review_out,
    vouching_out,
)
from pointsbank.attendance.reviewing import decide_review
from pointsbank.attendance.reviews import evidence_of, review_of, reviews_within
from pointsbank.attendance.vouching import (
    ask_to_vouch,
    co_sign,
    list_to_vouch_for,
    vouching_of,
)
from pointsbank.core import clock
from pointsbank.core.db import reading, run
from pointsbank.web.access import current_actor, members_only, roles_only
from pointsbank.web.contract import Blueprint, cursor_from, position_from
from pointsbank.web.forms import settings

api = Blueprint("reviewing_api", __name__, description="Attendances under review.")


@api.get("/reviews")
@api.arguments(ReviewQuery, location="query")
@api.response(200, ReviewListOut)
@roles_only(*REVIEWING_ROLES)
def list_reviews(query: dict[str, Any]) -> dict[str, Any]:
    """List the attendances within one's scope that wait, the oldest first, or were decided."""
    actor, limit = current_actor(), query["limit"]
    with reading() as session:
        found = reviews_within(
            session,
            actor.paths(*REVIEWING_ROLES),
            is_waiting=query["state"] == "waiting",
            after_id=position_from(query.get("cursor")),
            limit=limit + 1,
        )
    shown = found[:limit]
    return {
        "items": [review_out(each, actor.member_id) for each in shown],
        "next": cursor_from(shown[-1].id) if len(found) > limit else None,
    }


@api.get("/reviews/<id:attendance_id>")
@api.response(200, ReviewWithEvidenceOut)
@roles_only(*REVIEWING_ROLES)
def show_review(attendance_id: int) -> dict[str, Any]:
    """Answer one review with every scan that it rests on."""
    actor = current_actor()
    with reading() as session:
        found = review_of(session, attendance_id, actor.paths(*REVIEWING_ROLES))
        evidence = evidence_of(session, found)
    return review_out(found, actor.member_id) | {"evidence": evidence_out(evidence)}


@api.post("/reviews/<id:attendance_id>/decision")
@api.arguments(ReviewDecision)
@api.response(200, ReviewOut)
@roles_only(*REVIEWING_ROLES)
def decide(body: dict[str, Any], attendance_id: int) -> dict[str, Any]:
    """Let an attendance count, which awards it at once, or not; once."""
    actor, now, zone = current_actor(), clock.now(), settings().zone
    decided = run(
        lambda session: decide_review(
            session,
            attendance_id=attendance_id,
            actor=actor,
            is_approved=body["decision"] == "approve",
            reason=body["reason"],
            zone=zone,
            now=now,
        )
    )
    return review_out(decided, actor.member_id)


@api.get("/shifts/<id:shift_id>/co-signatures")
@api.response(200, VouchingOut)
@members_only
def show_co_signatures(shift_id: int) -> dict[str, Any]:
    """Answer who vouched for the list of a shift, to who was there or oversees it."""
    with reading() as session:
        list_to_vouch_for(session, shift_id, current_actor())
        vouching = vouching_of(session, shift_id)
    return vouching_out(vouching)


@api.post("/shifts/<id:shift_id>/co-signatures")
@api.response(200, VouchingOut)
@members_only
def sign(shift_id: int) -> dict[str, Any]:
    """Vouch for all who have come; signing again covers who came since."""
    actor, now = current_actor(), clock.now()
    signed = run(lambda session: co_sign(session, shift_id=shift_id, actor=actor, now=now))
    return vouching_out(signed)


@api.post("/shifts/<id:shift_id>/co-signatures/asking")
@api.arguments(WantedSigner)
@api.response(204)
@roles_only("organizer")
def ask_for_signature(body: dict[str, Any], shift_id: int) -> None:
    """Ask somebody to vouch for the list; a repeat asks nobody twice."""
    actor, now = current_actor(), clock.now()
    run(
        lambda session: ask_to_vouch(
            session,
            shift_id=shift_id,
            signer_id=body["member_id"],
            actor_id=actor.member_id,
            paths=actor.paths("organizer"),
            now=now,
        )
    )
