"""The JSON door of people who are registered on the spot and checked in at once."""

from typing import Any

from marshmallow import Schema, fields, validate
from sqlalchemy.orm import Session

from pointsbank.attendance.schemas import (
    VISIBLE,
    VerdictOut,
    YesNo,
    desk_here,
    verdict_out,
)
from pointsbank.attendance.walk_ins import NewWalkIn, WalkIn, take_walk_in
from pointsbank.core import clock
from pointsbank.core.db import run
from pointsbank.core.keys import draw_bytes
from pointsbank.core.text import phone_from
from pointsbank.members.errors import NotAPhone
from pointsbank.members.models import HANDLE_BYTES
from pointsbank.members.schemas import NAME_LENGTH_MAX, PHONE_LENGTH_MAX
from pointsbank.tasks.schemas import Planned
from pointsbank.web.access import current_actor, roles_only
from pointsbank.web.contract import Blueprint, Body, Text

api = Blueprint("walk_ins_api", __name__, description="People registered on the spot.")

REASON_LENGTH_MAX = 200


class NewWalkInBody(Body):
    """Who stands at the place without being a member; phone only if they have one."""

    nonce = fields.String(required=True, validate=VISIBLE)
    name = Text(length_max=NAME_LENGTH_MAX, required=True)
    phone = Text(length_max=PHONE_LENGTH_MAX, allow_none=True)
    scanned_at = Planned(allow_none=True)
    offline = YesNo(load_default=False)
    device_id = fields.String(allow_none=True, validate=VISIBLE)
    note = Text(length_max=REASON_LENGTH_MAX, allow_none=True)


class WalkInOut(Schema):
    """Who was checked in, and by which verdict."""

    member_id = fields.Integer()
    volunteer_no = fields.String()
    is_new = fields.Boolean()
    verdict = fields.Nested(VerdictOut)
    result = fields.String(validate=validate.OneOf(("ok",)))


@api.post("/shifts/<id:shift_id>/walk-ins")
@api.arguments(NewWalkInBody)
@api.response(201, WalkInOut)
@roles_only("organizer")
def new_walk_in(body: dict[str, Any], shift_id: int) -> dict[str, Any]:
    """Register a person into the shift's organization and check them in; the same nonce answers
    the same."""
    actor, now, desk = current_actor(), clock.now(), desk_here()
    phone = phone_from(body["phone"]) if body.get("phone") else None
    if body.get("phone") and phone is None:
        raise NotAPhone
    walk_in = NewWalkIn(
        nonce=body["nonce"],
        name=body["name"],
        phone=phone,
        handle=draw_bytes(HANDLE_BYTES),
        scanned_at=body.get("scanned_at"),
        is_offline=body["offline"],
        device_id=body.get("device_id"),
        reason=body.get("note"),
    )

    def act(session: Session) -> WalkIn:
        return take_walk_in(session, actor, shift_id, walk_in, desk, now=now)

    taken = run(act)
    return {
        "member_id": taken.member_id,
        "volunteer_no": taken.volunteer_no,
        "is_new": taken.is_new,
        "verdict": verdict_out(taken.verdict),
        "result": taken.verdict.facts["result"],
    }
