"""The JSON door of voids that wait for a second administrator."""

from typing import Any

from pointsbank.core.db import reading
from pointsbank.rewards.voids_queries import voids_asked
from pointsbank.rewards.voids_schemas import AskedVoidListOut, asked_void_out
from pointsbank.web.access import current_actor, roles_only
from pointsbank.web.contract import Blueprint, PageQuery, cursor_from, position_from

api = Blueprint("voids_api", __name__, description="Voids that wait for a second person.")


@api.get("/redemptions/voids")
@api.arguments(PageQuery, location="query")
@api.response(200, AskedVoidListOut)
@roles_only("administrator")
def list_asked(query: dict[str, Any]) -> dict[str, Any]:
    """List the voids within one's scope that wait for a second administrator, oldest first."""
    actor = current_actor()
    after, limit = position_from(query.get("cursor")), query["limit"]
    with reading() as session:
        paths = actor.paths("administrator")
        found = voids_asked(session, paths, after_id=after, limit=limit + 1)
    return {
        "items": [asked_void_out(each, actor.member_id) for each in found[:limit]],
        "next": cursor_from(found[limit - 1].id) if len(found) > limit else None,
    }
