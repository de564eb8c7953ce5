"""The JSON door of scoring: the standard in force, and manual adjustments."""

from typing import Any

from flask import current_app

from pointsbank.core import clock
from pointsbank.core.calendar import local_day
from pointsbank.core.db import reading, run
from pointsbank.scoring.adjusting import (
    ASKING_ROLES,
    DECIDING_ROLES,
    READING_ROLES,
    NewAdjustment,
    ask_adjustment,
    decide_adjustment,
)
from pointsbank.scoring.adjustments import adjustment_of, adjustments_within
from pointsbank.scoring.queries import standard_on
from pointsbank.scoring.schemas import (
    AdjustmentAsked,
    AdjustmentOut,
    AdjustmentsOut,
    Decision,
    StandardOut,
    WantedAdjustment,
    adjustment_out,
    standard_out,
)
from pointsbank.web.access import current_actor, members_only, roles_only
from pointsbank.web.contract import Blueprint, PageQuery, cursor_from, positions_from

api = Blueprint(
    "scoring_api", __name__, description="The scoring standard in force; manual adjustments."
)


@api.get("/scoring/standard")
@api.response(200, StandardOut)
@members_only
def show_standard() -> dict[str, Any]:
    """Answer the version that is in force today, with every item."""
    zone = current_app.extensions["settings"].zone
    with reading() as session:
        return standard_out(standard_on(session, local_day(clock.now(), zone)))


@api.post("/adjustments")
@api.arguments(WantedAdjustment)
@api.response(201, AdjustmentAsked)
@roles_only(*ASKING_ROLES)
def ask(body: dict[str, Any]) -> dict[str, Any]:
    """Ask for points or minutes by hand for a member; a second person decides."""
    actor, now = current_actor(), clock.now()
    zone = current_app.extensions["settings"].zone
    wanted = NewAdjustment(**body)
    asked = run(
        lambda session: ask_adjustment(session, wanted, actor=actor, zone=zone, now=now)
    )
    return {"id": asked.id, "state": "pending", "decide_by": asked.decide_by}


@api.get("/adjustments")
@api.arguments(PageQuery, location="query")
@api.response(200, AdjustmentsOut)
@roles_only(*READING_ROLES)
def list_adjustments(query: dict[str, Any]) -> dict[str, Any]:
    """List the adjustments of one's scope: those that wait first, then the newest."""
    limit, now = query["limit"], clock.now()
    with reading() as session:
        found = adjustments_within(
            session,
            current_actor().paths(*READING_ROLES),
            after=positions_from(query.get("cursor"), 2),
            limit=limit + 1,
        )
    shown = found[:limit]
    return {
        "items": [adjustment_out(each, now) for each in shown],
        "next": cursor_from(shown[-1].rank, shown[-1].id) if len(found) > limit else None,
    }


@api.get("/adjustments/<id:adjustment_id>")
@api.response(200, AdjustmentOut)
@roles_only(*READING_ROLES)
def show_adjustment(adjustment_id: int) -> dict[str, Any]:
    """Answer one adjustment."""
    with reading() as session:
        found = adjustment_of(session, adjustment_id, current_actor().paths(*READING_ROLES))
    return adjustment_out(found, clock.now())


@api.post("/adjustments/<id:adjustment_id>/decision")
@api.arguments(Decision)
@api.response(200, AdjustmentOut)
@roles_only(*DECIDING_ROLES)
def decide(body: dict[str, Any], adjustment_id: int) -> dict[str, Any]:
    """Approve or refuse what somebody else asked for, for somebody else."""
    actor, now = current_actor(), clock.now()
    zone = current_app.extensions["settings"].zone
    run(
        lambda session: decide_adjustment(
            session,
            adjustment_id=adjustment_id,
            actor=actor,
            is_approved=body["decision"] == "approve",
            reason=body["reason"],
            zone=zone,
            now=now,
        )
    )
    with reading() as session:
        found = adjustment_of(session, adjustment_id, actor.paths(*DECIDING_ROLES))
    return adjustment_out(found, now)
