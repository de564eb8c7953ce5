"""The JSON door of objections under one's name, and of those who answer."""

from typing import Any

from pointsbank.core import clock
from pointsbank.core.calendar import local_day
from pointsbank.core.db import reading, run
from pointsbank.notices.answering import answer_objection, decide_objection
from pointsbank.notices.objecting import NewObjection, raise_objection
from pointsbank.notices.objections import (
    objection_in_scope,
    objections_by,
    objections_within,
)
from pointsbank.notices.policy import OBJECTION_READERS, REVIEWERS
from pointsbank.notices.schemas import (
    AnswerBody,
    DecisionBody,
    NewObjectionBody,
    ObjectionOut,
    ObjectionRaised,
    ObjectionsOut,
    ObjectionsQuery,
    OwnObjectionsOut,
    objection_out,
)
from pointsbank.web.access import current_actor, members_only, roles_only
from pointsbank.web.contract import Blueprint, PageQuery, cursor_from, position_from
from pointsbank.web.forms import settings

api = Blueprint("objections_api", __name__, description="Objections to public notices.")


@api.post("/notices/<id:notice_id>/objections")
@api.arguments(NewObjectionBody)
@api.response(201, ObjectionRaised)
@members_only
def object_by_name(body: dict[str, Any], notice_id: int) -> dict[str, Any]:
    """Object to an open notice under one's name."""
    actor, now = current_actor(), clock.now()
    raised = run(
        lambda session: raise_objection(
            session,
            notice_id=notice_id,
            by=actor.member_id,
            wanted=NewObjection(**body),
            today=local_day(now, settings().zone),
            now=now,
        )
    )
    return vars(raised)


@api.get("/me/objections")
@api.arguments(PageQuery, location="query")
@api.response(200, OwnObjectionsOut)
@members_only
def list_mine(query: dict[str, Any]) -> dict[str, Any]:
    """List one's own objections with what became of them, newest first."""
    limit = query["limit"]
    with reading() as session:
        found = objections_by(
            session,
            current_actor().member_id,
            before_id=position_from(query.get("cursor")),
            limit=limit + 1,
        )
    return {
        "items": [vars(each) for each in found[:limit]],
        "next": cursor_from(found[limit - 1].id) if len(found) > limit else None,
    }


@api.get("/objections")
@api.arguments(ObjectionsQuery, location="query")
@api.response(200, ObjectionsOut)
@roles_only(*OBJECTION_READERS)
def list_objections(query: dict[str, Any]) -> dict[str, Any]:
    """List the objections within one's scope, the oldest first; never those about oneself."""
    limit, actor = query["limit"], current_actor()
    today = local_day(clock.now(), settings().zone)
    with reading() as session:
        found = objections_within(
            session,
            actor.paths(*OBJECTION_READERS),
            actor.member_id,
            is_open=query["state"] == "waiting",
            after_id=position_from(query.get("cursor")) or 0,
            limit=limit + 1,
        )
    return {
        "items": [objection_out(each, today) for each in found[:limit]],
        "next": cursor_from(found[limit - 1].id) if len(found) > limit else None,
    }


@api.get("/objections/<id:objection_id>")
@api.response(200, ObjectionOut)
@roles_only(*OBJECTION_READERS)
def show_objection(objection_id: int) -> dict[str, Any]:
    """Answer an objection within one's scope."""
    return seen(objection_id)


def seen(objection_id: int) -> dict[str, Any]:
    """Return an objection within one's scope."""
    actor = current_actor()
    with reading() as session:
        found = objection_in_scope(
            session, actor.paths(*OBJECTION_READERS), objection_id, actor.member_id
        )
    return objection_out(found, local_day(clock.now(), settings().zone))


@api.post("/objections/<id:objection_id>/answer")
@api.arguments(AnswerBody)
@api.response(200, ObjectionOut)
@roles_only(*REVIEWERS)
def answer(body: dict[str, Any], objection_id: int) -> dict[str, Any]:
    """Take an objection up for investigation, or dismiss it with a reason."""
    actor, now = current_actor(), clock.now()
    run(
        lambda session: answer_objection(
            session,
            objection_id=objection_id,
            actor=actor,
            is_accepted=body["answer"] == "accept",
            reason=body["reason"],
            now=now,
        )
    )
    return seen(objection_id)


@api.post("/objections/<id:objection_id>/decision")
@api.arguments(DecisionBody)
@api.response(200, ObjectionOut)
@roles_only(*REVIEWERS)
def decide(body: dict[str, Any], objection_id: int) -> dict[str, Any]:
    """Decide an objection that was looked into; upheld, the notice has to be corrected."""
    actor, now = current_actor(), clock.now()
    run(
        lambda session: decide_objection(
            session,
            objection_id=objection_id,
            actor=actor,
            is_upheld=body["decision"] == "uphold",
            reason=body["reason"],
            now=now,
        )
    )
    return seen(objection_id)
