"""The JSON door of disputes: a member says a line is wrong, someone else answers."""

from typing import Any

from flask import current_app

from pointsbank.core import clock
from pointsbank.core.calendar import local_day
from pointsbank.core.db import reading, run
from pointsbank.passbooks.disputes import disputes_within
from pointsbank.passbooks.disputing import (
    ANSWERERS,
    Answer,
    Opened,
    answer_dispute,
    open_dispute,
)
from pointsbank.passbooks.schemas import (
    DisputeListOut,
    DisputeOpened,
    DisputeOut,
    DisputeQuery,
    NewAnswer,
    NewDispute,
    dispute_out,
)
from pointsbank.web.access import current_actor, members_only, roles_only
from pointsbank.web.contract import Blueprint, cursor_from, position_from
from pointsbank.web.forms import settings

api = Blueprint("disputing_api", __name__, description="Lines that members say are wrong.")


@api.post("/me/passbook/<id:line>/disputes")
@api.arguments(NewDispute)
@api.response(201, DisputeOpened)
@members_only
def dispute(body: dict[str, Any], line: int) -> Opened:
    """Say that a line of one's own book is wrong; a repeat answers the open dispute."""
    actor, now = current_actor(), clock.now()
    return run(
        lambda session: open_dispute(
            session,
            member_id=actor.member_id,
            line=line,
            reason=body["reason"],
            today=local_day(now, settings().zone),
            now=now,
        )
    )


@api.get("/disputes")
@api.arguments(DisputeQuery, location="query")
@api.response(200, DisputeListOut)
@roles_only(*ANSWERERS)
def list_disputes(query: dict[str, Any]) -> dict[str, Any]:
    """List the disputes within one's scope; the open ones by the day their answer is due."""
    today, limit = local_day(clock.now(), settings().zone), query["limit"]
    with reading() as session:
        found = disputes_within(
            session,
            current_actor().paths(*ANSWERERS),
            is_open=query["state"] == "open",
            after_id=position_from(query.get("cursor")),
            limit=limit + 1,
        )
    shown = found[:limit]
    return {
        "items": [dispute_out(each, today) for each in shown],
        "next": cursor_from(shown[-1].id) if len(found) > limit else None,
    }


@api.post("/disputes/<id:dispute_id>/answer")
@api.arguments(NewAnswer)
@api.response(200, DisputeOut)
@roles_only(*ANSWERERS)
def answer(body: dict[str, Any], dispute_id: int) -> dict[str, Any]:
    """Answer a dispute, once: take the line back, or say why it stays."""
    actor, now = current_actor(), clock.now()
    today = local_day(now, settings().zone)
    answered = run(
        lambda session: answer_dispute(
            session,
            dispute_id=dispute_id,
            actor=actor,
            answer=Answer(body["decision"], body["reason"], body.get("points")),
            lower_score=current_app.extensions["lower_score"],
            today=today,
            now=now,
        )
    )
    return dispute_out(answered, today)
