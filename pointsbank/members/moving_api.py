"""The JSON door of moves between branches, and of where somebody belonged."""

from typing import Any

from marshmallow import Schema, fields

from pointsbank.core import clock
from pointsbank.core.calendar import local_day
from pointsbank.core.db import reading, run
from pointsbank.members.moving import MOVERS, Move, move
from pointsbank.members.queries import member_in_scope, stays_of
from pointsbank.members.schemas import CODE_LENGTH_MAX
from pointsbank.web.access import current_actor, roles_only
from pointsbank.web.contract import Blueprint, Body, Text
from pointsbank.web.forms import settings

api = Blueprint("moving_api", __name__, description="Moves between branches and grids.")


class NewMove(Body):
    """Where a member is to belong, and from which local day; today without one."""

    organization_code = Text(length_max=CODE_LENGTH_MAX, required=True)
    grid_code = Text(length_max=CODE_LENGTH_MAX, allow_none=True, load_default=None)
    on = fields.Date()


class BelongingOut(Schema):
    """Where a member belonged; until_on is exclusive, null while they do."""

    organization_code = fields.String()
    organization = fields.String()
    grid = fields.String(allow_none=True)
    from_on = fields.Date()
    until_on = fields.Date(allow_none=True)


class BelongingsOut(Schema):
    """Everywhere a member belonged, the newest first."""

    items = fields.List(fields.Nested(BelongingOut))
    next = fields.String(allow_none=True)


@api.post("/members/<id:member_id>/moves")
@api.arguments(NewMove)
@api.response(200, BelongingsOut)
@roles_only(*MOVERS)
def move_member(body: dict[str, Any], member_id: int) -> dict[str, Any]:
    """Let a member belong to another branch or grid from a day on."""
    actor, now = current_actor(), clock.now()
    today = local_day(now, settings().zone)
    wanted = Move(
        member_id, body["organization_code"], body["grid_code"], body.get("on", today)
    )
    run(lambda session: move(session, wanted, actor=actor, today=today, now=now))
    return stays(member_id)


@api.get("/members/<id:member_id>/moves")
@api.response(200, BelongingsOut)
@roles_only(*MOVERS)
def list_stays(member_id: int) -> dict[str, Any]:
    """Answer everywhere a member of one's scope belonged."""
    return stays(member_id)


def stays(member_id: int) -> dict[str, Any]:
    """Return where somebody within one's scope belonged."""
    with reading() as session:
        member_in_scope(session, current_actor().paths(*MOVERS), member_id)
        return {"items": [vars(stay) for stay in stays_of(session, member_id)], "next": None}
