"""The JSON door of democratic appraisals."""

from typing import Any

from pointsbank.appraisals.meeting_queries import appraisal_of, appraisals_within, counts_of
from pointsbank.appraisals.meetings import (
    NewAppraisal,
    decide_appraisal,
    enter_appraisal,
    lift_appraisal,
)
from pointsbank.appraisals.policy import DECIDERS, ENTERERS, READERS, Count
from pointsbank.appraisals.schemas import (
    AppraisalLifting,
    AppraisalOut,
    AppraisalsOut,
    PaperDecision,
    PaperEntered,
    WantedAppraisal,
    appraisal_line_out,
    appraisal_out,
)
from pointsbank.core import clock
from pointsbank.core.calendar import local_day
from pointsbank.core.db import reading, run
from pointsbank.web.access import current_actor, roles_only
from pointsbank.web.contract import Blueprint, PageQuery, cursor_from, position_from
from pointsbank.web.forms import settings

api = Blueprint(
    "appraisals_api", __name__, description="Democratic appraisals: counts of paper ballots."
)


@api.get("/appraisals")
@api.arguments(PageQuery, location="query")
@api.response(200, AppraisalsOut)
@roles_only(*READERS)
def list_appraisals(query: dict[str, Any]) -> dict[str, Any]:
    """List the appraisals of the branches within one's scope, the newest first."""
    limit = query["limit"]
    with reading() as session:
        found = appraisals_within(
            session,
            current_actor().paths(*READERS),
            before_id=position_from(query.get("cursor")),
            limit=limit + 1,
        )
    shown = found[:limit]
    return {
        "items": [appraisal_line_out(each) for each in shown],
        "next": cursor_from(shown[-1].id) if len(found) > limit else None,
    }


@api.post("/appraisals")
@api.arguments(WantedAppraisal)
@api.response(201, PaperEntered)
@roles_only(*ENTERERS)
def enter(body: dict[str, Any]) -> dict[str, Any]:
    """Enter the counts of a branch's appraisal, for a second person to confirm."""
    actor, now = current_actor(), clock.now()
    today = local_day(now, settings().zone)
    counts = [Count(**each) for each in body.pop("votes")]
    wanted = NewAppraisal(**body, counts=counts)
    appraisal_id = run(
        lambda session: enter_appraisal(session, wanted, actor=actor, today=today, now=now)
    )
    return {"id": appraisal_id, "state": "pending"}


@api.get("/appraisals/<id:appraisal_id>")
@api.response(200, AppraisalOut)
@roles_only(*READERS)
def show(appraisal_id: int) -> dict[str, Any]:
    """Answer one appraisal with its counts; who voted how is nowhere."""
    return shown_to(appraisal_id)


def shown_to(appraisal_id: int) -> dict[str, Any]:
    """Return an appraisal as it stands."""
    with reading() as session:
        found = appraisal_of(session, appraisal_id, current_actor().paths(*READERS))
        return appraisal_out(found, counts_of(session, appraisal_id))


@api.post("/appraisals/<id:appraisal_id>/decision")
@api.arguments(PaperDecision)
@api.response(200, AppraisalOut)
@roles_only(*DECIDERS)
def decide(body: dict[str, Any], appraisal_id: int) -> dict[str, Any]:
    """Confirm or refuse the counts that somebody else entered."""
    actor, now = current_actor(), clock.now()
    run(
        lambda session: decide_appraisal(
            session,
            appraisal_id=appraisal_id,
            actor=actor,
            is_confirmed=body["decision"] == "confirm",
            reason=body["reason"],
            now=now,
        )
    )
    return shown_to(appraisal_id)


@api.post("/appraisals/<id:appraisal_id>/lifting")
@api.arguments(AppraisalLifting)
@api.response(200, AppraisalOut)
@roles_only(*DECIDERS)
def lift(body: dict[str, Any], appraisal_id: int) -> dict[str, Any]:
    """Take a confirmed appraisal back, with all that it gave."""
    actor, now = current_actor(), clock.now()
    run(
        lambda session: lift_appraisal(
            session, appraisal_id=appraisal_id, actor=actor, reason=body["reason"], now=now
        )
    )
    return shown_to(appraisal_id)
