"""The JSON door of registration and of the invitations it needs."""

from typing import Any

from flask import request
from marshmallow import Schema, fields, validate
from sqlalchemy.orm import Session

from pointsbank.core import clock
from pointsbank.core.db import reading, run, transaction
from pointsbank.core.keys import draw_letters
from pointsbank.core.text import masked_name, phone_from
from pointsbank.members.errors import NotAPhone
from pointsbank.members.invitations import (
    ALPHABET,
    CODE_LETTERS,
    INVITED_KINDS,
    INVITERS,
    USES_MAX,
    invitations_within,
    make_invitation,
    spelled,
    withdraw_invitation,
)
from pointsbank.members.joining import registered
from pointsbank.members.queries import member_of, standing_roles
from pointsbank.members.schemas import (
    CODE_LENGTH_MAX,
    NAME_LENGTH_MAX,
    PHONE_LENGTH_MAX,
    Password,
    SessionOut,
    member_out,
)
from pointsbank.web.access import anyone, current_actor, for_programs, roles_only
from pointsbank.web.contract import (
    Blueprint,
    Body,
    PageQuery,
    Text,
    When,
    Whole,
    cursor_from,
    position_from,
)
from pointsbank.web.forms import settings

api = Blueprint("joining_api", __name__, description="Invitations of a branch, registration.")

INVITATION_TYPED_MAX = 40


class NewBranchInvitation(Body):
    """An invitation to make: into what, as what, until when, for how many."""

    organization_code = Text(length_max=CODE_LENGTH_MAX, required=True)
    kind = fields.String(load_default="volunteer", validate=validate.OneOf(INVITED_KINDS))
    expires_at = When(required=True)
    uses_max = Whole(least=1, most=USES_MAX, required=True)


class BranchInvitationOut(Schema):
    """An invitation that stands; code only in the answer that made it."""

    id = fields.Integer()
    organization_code = fields.String()
    kind = fields.String()
    made_by = fields.String()
    made_at = fields.AwareDateTime(format="iso")
    expires_at = fields.AwareDateTime(format="iso")
    uses = fields.Integer()
    uses_max = fields.Integer()
    withdrawn_at = fields.AwareDateTime(format="iso", allow_none=True)
    is_good = fields.Boolean()


class MadeInvitationOut(Schema):
    """An invitation as it was made; its code is shown this once."""

    id = fields.Integer()
    code = fields.String()


class BranchInvitationsOut(Schema):
    """A page of invitations, newest first."""

    items = fields.List(fields.Nested(BranchInvitationOut))
    next = fields.String(allow_none=True)


class NewMember(Body):
    """Somebody who registers with an invitation."""

    name = Text(length_max=NAME_LENGTH_MAX, required=True)
    phone = Text(length_max=PHONE_LENGTH_MAX, required=True)
    password = Password()
    invitation = Text(length_max=INVITATION_TYPED_MAX, required=True)


@api.post("/registrations")
@api.arguments(NewMember)
@api.response(201, SessionOut)
@for_programs
@anyone
def register(body: dict[str, Any]) -> dict[str, Any]:
    """Register with an invitation and begin a session; a member signs in instead."""
    phone = phone_from(body["phone"])
    if phone is None:
        raise NotAPhone
    token, signed_in = registered(
        name=body["name"],
        phone=phone,
        password=body["password"],
        code=body["invitation"],
        kind="program",
        client=request.remote_addr or "",
    )
    with reading() as session:
        member = member_of(session, signed_in.member_id)
        roles = standing_roles(session, signed_in.member_id)
    return {
        "token": token,
        "expires_at": signed_in.expires_at,
        "member": member_out(member, roles),
    }


@api.post("/branch-invitations")
@api.arguments(NewBranchInvitation)
@api.response(201, MadeInvitationOut)
@roles_only(*INVITERS)
def make(body: dict[str, Any]) -> dict[str, Any]:
    """Make an invitation; its code is shown this once."""
    actor, now = current_actor(), clock.now()
    code = draw_letters(ALPHABET, CODE_LETTERS)

    def act(session: Session) -> int:
        return make_invitation(
            session, actor=actor, code=code, secret=settings().secret_key, now=now, **body
        )

    return {"id": run(act), "code": spelled(code)}


@api.get("/branch-invitations")
@api.arguments(PageQuery, location="query")
@api.response(200, BranchInvitationsOut)
@roles_only(*INVITERS)
def list_invitations(query: dict[str, Any]) -> dict[str, Any]:
    """Answer the invitations within one's scope, newest first, with their uses."""
    limit, now = query["limit"], clock.now()
    with reading() as session:
        lines = invitations_within(
            session,
            current_actor().paths(*INVITERS),
            before_id=position_from(query.get("cursor")),
            limit=limit + 1,
        )
    return {
        "items": [
            {
                **vars(line),
                "made_by": masked_name(line.made_by),
                "is_good": line.is_good(now),
            }
            for line in lines[:limit]
        ],
        "next": cursor_from(lines[limit - 1].id) if len(lines) > limit else None,
    }


@api.delete("/branch-invitations/<id:invitation_id>")
@api.response(204)
@roles_only(*INVITERS)
def withdraw(invitation_id: int) -> None:
    """Let nobody register with an invitation any more; a repeat changes nothing."""
    actor = current_actor()
    with transaction() as session:
        withdraw_invitation(session, actor=actor, invitation_id=invitation_id, now=clock.now())
