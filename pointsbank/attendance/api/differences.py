"""The JSON door of differences between a station and the server."""

from typing import Any

from pointsbank.attendance.differences import differences_of, settle_difference
from pointsbank.attendance.review_schemas import (
    DifferenceDecision,
    DifferenceOut,
    DifferencesOut,
    difference_out,
)
from pointsbank.attendance.schemas import desk_here
from pointsbank.core import clock
from pointsbank.core.db import reading, run
from pointsbank.tasks.queries import shift_of
from pointsbank.web.access import current_actor, roles_only
from pointsbank.web.contract import Blueprint

api = Blueprint("differences_api", __name__, description="Where station and server differ.")


@api.get("/shifts/<id:shift_id>/differences")
@api.response(200, DifferencesOut)
@roles_only("organizer")
def list_differences(shift_id: int) -> dict[str, Any]:
    """Answer the differences of a shift, those that wait first."""
    with reading() as session:
        shift_of(session, shift_id, current_actor().paths("organizer"))
        found = differences_of(session, shift_id)
    return {
        "items": [difference_out(each) for each in found],
        "next": None,
        "open": sum(each.decision is None for each in found),
    }


@api.post("/differences/<id:scan_id>/decision")
@api.arguments(DifferenceDecision)
@api.response(200, DifferenceOut)
@roles_only("organizer")
def decide_difference(body: dict[str, Any], scan_id: int) -> dict[str, Any]:
    """Let a scan count as of its time, or leave it out; the same decision again is harmless."""
    actor, now, desk = current_actor(), clock.now(), desk_here()
    settled = run(
        lambda session: settle_difference(
            session,
            scan_id=scan_id,
            decision=body["decision"],
            note=body["note"],
            actor=actor,
            desk=desk,
            now=now,
        )
    )
    return difference_out(settled)
