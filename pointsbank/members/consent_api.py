"""The JSON door of consent: one's own, and what somebody signed on paper."""

from typing import Any

from marshmallow import Schema, fields

from pointsbank.core import clock
from pointsbank.core.db import reading, run
from pointsbank.members.consenting import (
    RECORDERS,
    consents_of,
    give_consent,
    withdraw_consent,
)
from pointsbank.members.queries import member_in_scope
from pointsbank.web.access import current_actor, members_only, roles_only
from pointsbank.web.contract import Blueprint

api = Blueprint("consent_api", __name__, description="What people allow and take back.")


class ConsentOut(Schema):
    """One purpose; given_at is null while consent does not stand."""

    purpose = fields.String()
    version = fields.Integer()
    channel = fields.String()
    given_at = fields.AwareDateTime(format="iso", allow_none=True)


class ConsentsOut(Schema):
    """Every purpose that consent is asked for."""

    items = fields.List(fields.Nested(ConsentOut))
    next = fields.String(allow_none=True)


def consents_out(member_id: int) -> dict[str, Any]:
    """Return what stands of one person."""
    with reading() as session:
        found = consents_of(session, member_id)
    return {"items": [vars(each) for each in found], "next": None}


@api.get("/me/consents")
@api.response(200, ConsentsOut)
@members_only
def list_mine() -> dict[str, Any]:
    """Answer what one allows."""
    return consents_out(current_actor().member_id)


@api.put("/me/consents/<purpose>")
@api.response(200, ConsentsOut)
@members_only
def give_mine(purpose: str) -> dict[str, Any]:
    """Allow one thing from now on; a repeat changes nothing."""
    return act_for_oneself(give_consent, purpose)


@api.delete("/me/consents/<purpose>")
@api.response(200, ConsentsOut)
@members_only
def withdraw_mine(purpose: str) -> dict[str, Any]:
    """Take one thing back from now on; a repeat changes nothing."""
    return act_for_oneself(withdraw_consent, purpose)


def act_for_oneself(act: Any, purpose: str) -> dict[str, Any]:
    """Give or take back one's own consent and answer what stands."""
    actor, now = current_actor(), clock.now()
    run(
        lambda session: act(
            session,
            member_id=actor.member_id,
            purpose=purpose,
            recorded_by_id=actor.member_id,
            now=now,
        )
    )
    return consents_out(actor.member_id)


@api.get("/members/<id:member_id>/consents")
@api.response(200, ConsentsOut)
@roles_only(*RECORDERS)
def list_of(member_id: int) -> dict[str, Any]:
    """Answer what a member of one's scope allows."""
    with reading() as session:
        member_in_scope(session, current_actor().paths(*RECORDERS), member_id)
    return consents_out(member_id)


@api.put("/members/<id:member_id>/consents/<purpose>")
@api.response(200, ConsentsOut)
@roles_only(*RECORDERS)
def give_on_paper(member_id: int, purpose: str) -> dict[str, Any]:
    """Record what a member signed on paper; a repeat changes nothing."""
    return record_paper(give_consent, member_id, purpose)


@api.delete("/members/<id:member_id>/consents/<purpose>")
@api.response(200, ConsentsOut)
@roles_only(*RECORDERS)
def withdraw_on_paper(member_id: int, purpose: str) -> dict[str, Any]:
    """Record that a member took something back on paper; a repeat changes nothing."""
    return record_paper(withdraw_consent, member_id, purpose)


def record_paper(act: Any, member_id: int, purpose: str) -> dict[str, Any]:
    """Record a paper of somebody within one's scope and answer what stands."""
    actor, now = current_actor(), clock.now()

    def record(session: Any) -> None:
        member_in_scope(session, actor.paths(*RECORDERS), member_id)
        act(
            session,
            member_id=member_id,
            purpose=purpose,
            recorded_by_id=actor.member_id,
            now=now,
            channel="paper",
        )

    run(record)
    return consents_out(member_id)
