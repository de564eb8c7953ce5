"""The JSON door of moves that one branch proposes and the other confirms."""

from typing import Any

from flask import current_app
from marshmallow import Schema, fields, validate
from sqlalchemy.orm import Session

from pointsbank.core import clock
from pointsbank.core.calendar import local_day
from pointsbank.core.db import reading, run
from pointsbank.members.moves_errors import MoveProposalNotFound
from pointsbank.members.moves_models import PROPOSAL_STATES, SIDES
from pointsbank.members.moves_queries import proposal_of, proposals_within
from pointsbank.members.moving import MOVERS
from pointsbank.members.proposing import (
    PROPOSALS_MAX,
    REASON_LENGTH_MAX,
    WantedMove,
    decide_proposal,
    propose_move,
)
from pointsbank.members.schemas import CODE_LENGTH_MAX
from pointsbank.web.access import current_actor, roles_only
from pointsbank.web.contract import Blueprint, Body, Text
from pointsbank.web.forms import settings

api = Blueprint("proposals_api", __name__, description="Moves proposed by one branch.")


class NewProposal(Body):
    """Whom to let belong where; from today without a day."""

    volunteer_no = Text(length_max=CODE_LENGTH_MAX, required=True)
    organization_code = Text(length_max=CODE_LENGTH_MAX, required=True)
    on = fields.Date()
    reason = Text(length_max=REASON_LENGTH_MAX, required=True)


class ProposalDecision(Body):
    """What the other end says; the proposer withdraws by refusing. reason: of a refusal."""

    decision = fields.String(required=True, validate=validate.OneOf(("confirm", "refuse")))
    reason = Text(length_max=REASON_LENGTH_MAX, length_min=0, load_default="")


class ProposalOut(Schema):
    """One proposal; side is the end that proposed it, is_mine whether one did so oneself."""

    id = fields.Integer()
    name = fields.String()
    volunteer_no = fields.String()
    from_name = fields.String()
    to_name = fields.String()
    to_code = fields.String()
    side = fields.String(validate=validate.OneOf(SIDES))
    on = fields.Date(attribute="from_on")
    reason = fields.String()
    state = fields.String(validate=validate.OneOf(PROPOSAL_STATES))
    proposed_at = fields.DateTime()
    decision_reason = fields.String()


class ProposalsOut(Schema):
    """The proposals of one's branches, those that wait first."""

    items = fields.List(fields.Nested(ProposalOut))
    next = fields.String(allow_none=True)


@api.get("/move-proposals")
@api.response(200, ProposalsOut)
@roles_only(*MOVERS)
def list_proposals() -> dict[str, Any]:
    """List the proposals with an end that one looks after."""
    with reading() as session:
        found = proposals_within(session, current_actor().paths(*MOVERS), limit=PROPOSALS_MAX)
    return {"items": found, "next": None}


@api.post("/move-proposals")
@api.arguments(NewProposal)
@api.response(201, ProposalOut)
@roles_only(*MOVERS)
def propose(body: dict[str, Any]) -> Any:
    """Propose that a member moves to or from a branch that one looks after."""
    actor, now = current_actor(), clock.now()
    today = local_day(now, settings().zone)
    wanted = WantedMove(**({"on": today} | body))
    tell = current_app.extensions["tell_of_move"]

    def act(session: Session) -> Any:
        made = propose_move(
            session, wanted, actor=actor, tell_of_move=tell, today=today, now=now
        )
        return one(session, made)

    return run(act)


@api.post("/move-proposals/<id:proposal_id>/decision")
@api.arguments(ProposalDecision)
@api.response(200, ProposalOut)
@roles_only(*MOVERS)
def decide(body: dict[str, Any], proposal_id: int) -> Any:
    """Confirm or refuse as the other end, or withdraw one's own proposal."""
    actor, now = current_actor(), clock.now()
    today = local_day(now, settings().zone)
    tell = current_app.extensions["tell_of_move"]

    def act(session: Session) -> Any:
        decide_proposal(
            session,
            proposal_id=proposal_id,
            actor=actor,
            is_confirmed=body["decision"] == "confirm",
            reason=body["reason"],
            tell_of_move=tell,
            today=today,
            now=now,
        )
        return one(session, proposal_id)

    return run(act)


def one(session: Session, proposal_id: int) -> Any:
    """Return a proposal as it is now."""
    found = proposal_of(session, proposal_id, ("/",))
    if found is None:
        raise MoveProposalNotFound
    return found
