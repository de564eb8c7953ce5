"""The JSON door of hours: missing check-outs, overtime, no-shows, and one's own service."""

from typing import Any

from pointsbank.attendance.completing import enter_check_outs, let_count
from pointsbank.attendance.hours_schemas import (
    CheckOuts,
    CheckOutsOut,
    NewOvertime,
    NoShowAnswer,
    NoShowDecision,
    NoShowListOut,
    NoShowOut,
    NoShows,
    NoShowsOut,
    OvertimeDecision,
    OvertimeOut,
    OvertimesOut,
    RejectionIn,
    RejectionOut,
    ServiceQuery,
    ServicesOut,
    Standing,
    no_show_out,
    overtime_out,
    service_out,
)
from pointsbank.attendance.no_shows import (
    DECIDERS,
    answer_no_show,
    decide_no_show,
    no_shows_within,
    record_no_shows,
)
from pointsbank.attendance.overtimes import (
    ask_overtime,
    decide_overtime,
    overtime_files,
    withdraw_overtime,
)
from pointsbank.attendance.own_service import services_of
from pointsbank.attendance.rejecting import reject_attendance
from pointsbank.core import clock
from pointsbank.core.calendar import local_day
from pointsbank.core.db import reading, run
from pointsbank.web.access import current_actor, members_only, roles_only
from pointsbank.web.contract import Blueprint, PageQuery, cursor_from, position_from
from pointsbank.web.forms import settings

api = Blueprint("hours_api", __name__, description="Hours, overtime and no-shows.")


@api.post("/shifts/<id:shift_id>/check-outs")
@api.arguments(CheckOuts)
@api.response(200, CheckOutsOut)
@roles_only("organizer")
def enter(body: dict[str, Any], shift_id: int) -> dict[str, int]:
    """Say when people left who have no check-out, once the shift is over."""
    actor, now = current_actor(), clock.now()
    entered = run(
        lambda session: enter_check_outs(
            session,
            shift_id=shift_id,
            actor_id=actor.member_id,
            paths=actor.paths("organizer"),
            reason=body["reason"],
            secret=settings().secret_key,
            now=now,
            left_at=body.get("left_at"),
            only=body.get("member_ids"),
        )
    )
    return {"entered": entered}


@api.post("/shifts/<id:shift_id>/standing")
@api.arguments(Standing)
@api.response(204)
@roles_only("organizer")
def let_stand(body: dict[str, Any], shift_id: int) -> None:
    """Say that somebody was there who had given their place up; the next settlement counts
    them."""
    actor, now = current_actor(), clock.now()
    run(
        lambda session: let_count(
            session,
            shift_id=shift_id,
            member_id=body["member_id"],
            actor_id=actor.member_id,
            paths=actor.paths("organizer"),
            reason=body["reason"],
            now=now,
        )
    )


@api.post("/shifts/<id:shift_id>/overtime")
@api.arguments(NewOvertime)
@api.response(201, OvertimeOut)
@roles_only("organizer")
def ask(body: dict[str, Any], shift_id: int) -> dict[str, Any]:
    """Ask that time after the shift's end counts; somebody else decides."""
    actor, now = current_actor(), clock.now()
    return overtime_out(
        run(
            lambda session: ask_overtime(
                session,
                shift_id=shift_id,
                actor=actor,
                until=body["until"],
                reason=body["reason"],
                now=now,
            )
        )
    )


@api.delete("/shifts/<id:shift_id>/overtime")
@api.response(204)
@roles_only("organizer")
def withdraw(shift_id: int) -> None:
    """Take back what was asked for and not decided."""
    actor, now = current_actor(), clock.now()
    run(lambda session: withdraw_overtime(session, shift_id=shift_id, actor=actor, now=now))


@api.post("/shifts/<id:shift_id>/overtime/decision")
@api.arguments(OvertimeDecision)
@api.response(200, OvertimeOut)
@roles_only(*DECIDERS)
def decide(body: dict[str, Any], shift_id: int) -> dict[str, Any]:
    """Approve or refuse overtime, as somebody who did not ask for it."""
    actor, now = current_actor(), clock.now()
    return overtime_out(
        run(
            lambda session: decide_overtime(
                session,
                shift_id=shift_id,
                actor=actor,
                is_approved=body["decision"] == "approve",
                now=now,
            )
        )
    )


@api.get("/overtime")
@api.response(200, OvertimesOut)
@roles_only(*DECIDERS)
def list_overtime() -> dict[str, Any]:
    """List the overtime within one's scope that waits for a decision, the oldest first."""
    with reading() as session:
        found = overtime_files(session, pending_under=current_actor().paths(*DECIDERS))
    return {"items": [overtime_out(each) for each in found], "next": None}


@api.post("/shifts/<id:shift_id>/no-shows")
@api.arguments(NoShows)
@api.response(200, NoShowsOut)
@roles_only("organizer")
def record(body: dict[str, Any], shift_id: int) -> dict[str, int]:
    """Record who had a place and did not come, once the shift is over."""
    actor, now = current_actor(), clock.now()
    recorded = run(
        lambda session: record_no_shows(
            session,
            shift_id=shift_id,
            actor_id=actor.member_id,
            paths=actor.paths("organizer"),
            now=now,
            only=body.get("member_ids"),
        )
    )
    return {"recorded": recorded}


@api.get("/no-shows")
@api.arguments(PageQuery, location="query")
@api.response(200, NoShowListOut)
@roles_only(*DECIDERS)
def list_no_shows(query: dict[str, Any]) -> dict[str, Any]:
    """List the records within one's scope that nobody decided."""
    limit = query["limit"]
    with reading() as session:
        found = no_shows_within(
            session,
            current_actor().paths(*DECIDERS),
            after_id=position_from(query.get("cursor")) or 0,
            limit=limit + 1,
        )
    shown = found[:limit]
    return {
        "items": [no_show_out(each) for each in shown],
        "next": cursor_from(shown[-1].claim_id) if len(found) > limit else None,
    }


@api.post("/claims/<id:claim_id>/no-show/answer")
@api.arguments(NoShowAnswer)
@api.response(200, NoShowOut)
@members_only
def answer(body: dict[str, Any], claim_id: int) -> dict[str, Any]:
    """Say why one did not come, within seven days."""
    actor, now = current_actor(), clock.now()
    return no_show_out(
        run(
            lambda session: answer_no_show(
                session,
                claim_id=claim_id,
                member_id=actor.member_id,
                answer=body["answer"],
                now=now,
            )
        )
    )


@api.post("/no-shows/<id:claim_id>/decision")
@api.arguments(NoShowDecision)
@api.response(200, NoShowOut)
@roles_only(*DECIDERS)
def decide_about(body: dict[str, Any], claim_id: int) -> dict[str, Any]:
    """Excuse or uphold a record, as neither of its two people."""
    actor, now = current_actor(), clock.now()
    return no_show_out(
        run(
            lambda session: decide_no_show(
                session, claim_id=claim_id, actor=actor, decision=body["decision"], now=now
            )
        )
    )


@api.get("/me/service")
@api.arguments(ServiceQuery, location="query")
@api.response(200, ServicesOut)
@members_only
def list_services(query: dict[str, Any]) -> dict[str, Any]:
    """List the shifts one came to, with raw times, counted time and rule version."""
    limit = query["limit"]
    with reading() as session:
        found = services_of(
            session,
            current_actor().member_id,
            before_id=position_from(query.get("cursor")),
            limit=limit + 1,
        )
    shown = found[:limit]
    return {
        "items": [service_out(each) for each in shown],
        "next": cursor_from(shown[-1].id) if len(found) > limit else None,
    }


@api.post("/shifts/<id:shift_id>/attendance/rejection")
@api.arguments(RejectionIn)
@api.response(200, RejectionOut)
@members_only
def reject(body: dict[str, Any], shift_id: int) -> dict[str, Any]:
    """Say that one did not take part; what was entered about oneself is taken back."""
    actor, now = current_actor(), clock.now()
    today = local_day(now, settings().zone)
    rejection = run(
        lambda session: reject_attendance(
            session,
            member_id=actor.member_id,
            shift_id=shift_id,
            note=body.get("note"),
            today=today,
            now=now,
        )
    )
    return {"state": "rejected", **vars(rejection)}
