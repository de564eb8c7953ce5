"""The JSON door that puts together what every room knows of the person who asks."""

from typing import Any

from marshmallow import Schema, fields

from pointsbank.core.db import reading
from pointsbank.ledger.queries import balance_of, expiring_points
from pointsbank.members.queries import member_of, standing_roles
from pointsbank.members.schemas import RoleOut, member_out
from pointsbank.organizations.models import BRANCH_KINDS
from pointsbank.organizations.queries import lineage_of
from pointsbank.scoring.queries import service_minutes_of
from pointsbank.web.access import current_actor, members_only
from pointsbank.web.contract import Blueprint

api = Blueprint("me_api", __name__, description="The person who asks.")


class ExpiringOut(Schema):
    """Points and the last day on which they can be spent."""

    expires_on = fields.Date()
    points = fields.Integer()


class PointsOut(Schema):
    """What stands in the passbook: to spend, set aside, and what expires when."""

    available = fields.Integer()
    held = fields.Integer()
    expiring = fields.List(fields.Nested(ExpiringOut))


class MeOut(Schema):
    """The person who asks, as they see themselves."""

    id = fields.Integer()
    volunteer_no = fields.String()
    display_name = fields.String()
    name = fields.String()
    kind = fields.String()
    roles = fields.List(fields.Nested(RoleOut))
    points = fields.Nested(PointsOut)
    service_minutes = fields.Integer()
    organization_id = fields.Integer()
    branch_id = fields.Integer(allow_none=True)
    grid_id = fields.Integer(allow_none=True)


@api.get("/me")
@api.response(200, MeOut)
@members_only
def show_me() -> dict[str, Any]:
    """Answer who asks, what they may do, and what they have.

    branch_id: the nearest party branch they stand under.
    """
    actor = current_actor()
    code = f"member:{actor.member_id}"
    with reading() as session:
        member = member_of(session, actor.member_id)
        roles = standing_roles(session, actor.member_id)
        balance = balance_of(session, code)
        expiring = expiring_points(session, code)
        minutes = service_minutes_of(session, actor.member_id)
        above = lineage_of(session, member.path)
    branches = [node.id for node in above if node.kind in BRANCH_KINDS]
    return {
        **member_out(member, roles),
        "name": member.name,
        "kind": member.kind,
        "points": {
            "available": balance.available,
            "held": balance.held,
            "expiring": [
                {"expires_on": each.expires_on, "points": each.points} for each in expiring
            ],
        },
        "service_minutes": minutes,
        "organization_id": member.organization_id,
        "branch_id": branches[-1] if branches else None,
        "grid_id": member.grid_id,
    }
