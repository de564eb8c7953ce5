"""The JSON door of first passwords."""

from typing import Any

from marshmallow import Schema, fields

from pointsbank.core import clock
from pointsbank.core.db import run
from pointsbank.core.keys import draw_letters
from pointsbank.members.activating import ACTIVATORS, make_activation_code
from pointsbank.members.first_passwords import CODE_TYPED_MAX, choose_first_password
from pointsbank.members.invitations import ALPHABET, CODE_LETTERS, spelled
from pointsbank.members.schemas import PHONE_LENGTH_MAX, Password
from pointsbank.web.access import anyone, current_actor, for_programs, roles_only
from pointsbank.web.contract import Blueprint, Body, Text
from pointsbank.web.forms import settings

api = Blueprint("activating_api", __name__, description="First passwords.")


class Activation(Body):
    """A phone, the code that was handed over, and the password that its person chooses."""

    phone = Text(length_max=PHONE_LENGTH_MAX, required=True)
    code = Text(length_max=CODE_TYPED_MAX, required=True)
    password = Password()


class MadeCodeOut(Schema):
    """A code as it was made, shown this once."""

    code = fields.String()
    expires_at = fields.AwareDateTime(format="iso")


@api.post("/members/<id:member_id>/activation-code")
@api.response(201, MadeCodeOut)
@roles_only(*ACTIVATORS)
def make(member_id: int) -> dict[str, Any]:
    """Make a code by which somebody without a password chooses their first."""
    actor, now = current_actor(), clock.now()
    code = draw_letters(ALPHABET, CODE_LETTERS)
    expires_at = run(
        lambda session: make_activation_code(
            session,
            actor=actor,
            member_id=member_id,
            code=code,
            secret=settings().secret_key,
            now=now,
        )
    )
    return {"code": spelled(code), "expires_at": expires_at}


@api.post("/activations")
@api.arguments(Activation)
@api.response(204)
@for_programs
@anyone
def use(body: dict[str, Any]) -> None:
    """Choose a first password by a code; a wrong try counts like a wrong password."""
    choose_first_password(**body)
