"""The JSON door of honours."""

from typing import Any

from flask import current_app

from pointsbank.core import clock
from pointsbank.core.calendar import local_day
from pointsbank.core.db import reading, run, transaction
from pointsbank.members.honour_news import decide, record
from pointsbank.members.honours import (
    KEEPERS,
    NewHonour,
    honour_of,
    honours_of,
    withdraw_honour,
)
from pointsbank.members.honours_models import HONOUR_STATES
from pointsbank.members.honours_schemas import (
    HonourDecision,
    HonourOut,
    HonoursOut,
    RecordedHonour,
    honours_out,
)
from pointsbank.members.queries import member_in_scope
from pointsbank.web.access import current_actor, members_only, roles_only
from pointsbank.web.contract import Blueprint
from pointsbank.web.forms import settings

api = Blueprint("honours_api", __name__, description="Honours of members.")


@api.get("/me/honours")
@api.response(200, HonoursOut)
@members_only
def show_own() -> dict[str, Any]:
    """List one's own honours."""
    with reading() as session:
        return honours_out(honours_of(session, current_actor().member_id))


@api.get("/members/<id:member_id>/honours")
@api.response(200, HonoursOut)
@roles_only(*KEEPERS)
def list_honours(member_id: int) -> dict[str, Any]:
    """List the honours of a member in every state."""
    with reading() as session:
        member_in_scope(session, current_actor().paths(*KEEPERS), member_id)
        return honours_out(honours_of(session, member_id, HONOUR_STATES))


@api.post("/members/<id:member_id>/honours")
@api.arguments(RecordedHonour)
@api.response(201, HonourOut)
@roles_only(*KEEPERS)
def record_one(body: dict[str, Any], member_id: int) -> dict[str, Any]:
    """Record an honour; a second person confirms it."""
    actor, now = current_actor(), clock.now()
    today, tell = local_day(now, settings().zone), current_app.extensions["tell_of_honour"]
    honour_id = run(
        lambda session: record(
            session,
            tell,
            actor=actor,
            member_id=member_id,
            honour=NewHonour(**body),
            today=today,
            now=now,
        )
    )
    return shown(member_id, honour_id)


def shown(member_id: int, honour_id: int) -> dict[str, Any]:
    """Return an honour as it stands now."""
    with reading() as session:
        return vars(honour_of(session, member_id, honour_id))


@api.post("/members/<id:member_id>/honours/<id:honour_id>/decision")
@api.arguments(HonourDecision)
@api.response(200, HonourOut)
@roles_only(*KEEPERS)
def decide_one(body: dict[str, Any], member_id: int, honour_id: int) -> dict[str, Any]:
    """Confirm or reject an honour that somebody else recorded."""
    actor, now = current_actor(), clock.now()
    with transaction() as session:
        decide(
            session,
            current_app.extensions["tell_of_honour"],
            actor=actor,
            member_id=member_id,
            honour_id=honour_id,
            is_confirmed=body["decision"] == "confirm",
            reason=body["reason"],
            now=now,
        )
    return shown(member_id, honour_id)


@api.post("/members/<id:member_id>/honours/<id:honour_id>/withdrawal")
@api.response(200, HonourOut)
@roles_only(*KEEPERS)
def withdraw_one(member_id: int, honour_id: int) -> dict[str, Any]:
    """Withdraw an honour that was recorded by mistake."""
    actor, now = current_actor(), clock.now()
    with transaction() as session:
        withdraw_honour(session, actor=actor, member_id=member_id, honour_id=honour_id, now=now)
    return shown(member_id, honour_id)
