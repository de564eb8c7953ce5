"""The JSON door through which an administrator takes a line of somebody's book back."""

from typing import Any

from flask import Response, current_app
from sqlalchemy.orm import Session

from pointsbank.core import clock
from pointsbank.core.calendar import local_day
from pointsbank.passbooks.reversing import REVERSER, reverse_line
from pointsbank.passbooks.schemas import NewReversal, ReversalOut
from pointsbank.web.access import current_actor, roles_only
from pointsbank.web.contract import Blueprint
from pointsbank.web.forms import settings
from pointsbank.web.idempotency import answer_once, request_key

api = Blueprint("reversing_api", __name__, description="Lines that are taken back.")


@api.post("/transfers/<id:transfer_id>/reversal")
@api.arguments(NewReversal)
@api.alt_response(201, schema=ReversalOut)
@roles_only(REVERSER)
def reverse(body: dict[str, Any], transfer_id: int) -> Response:
    """Take a line back, wholly or in part; the line itself stays as it was printed."""
    actor, now, key = current_actor(), clock.now(), request_key()

    def use_case(session: Session) -> dict[str, Any]:
        taken, reversal = reverse_line(
            session,
            transfer_id=transfer_id,
            actor=actor,
            key=key,
            reason=body["reason"],
            points=body["points"],
            lower_score=current_app.extensions["lower_score"],
            today=local_day(now, settings().zone),
            now=now,
        )
        return {
            "id": reversal.id,
            "line": reversal.line,
            "points": reversal.points,
            "balance_after": reversal.balance_after,
            "reverses_id": transfer_id,
            "reverses_line": taken.line,
        }

    return answer_once(use_case, member_id=actor.member_id, key=key, now=now)
