"""The JSON door of whoever looks for shifts."""

from typing import Any

from flask import current_app

from pointsbank.core import clock
from pointsbank.core.calendar import local_day
from pointsbank.core.db import reading
from pointsbank.organizations.queries import lineage_of, organization_by_code
from pointsbank.scoring.queries import standard_on
from pointsbank.tasks.finding import Search, find_shifts, home_of
from pointsbank.tasks.finding_schemas import FoundShiftsOut, SearchIn, found_out
from pointsbank.tasks.giving import whole_shift_gives
from pointsbank.web.access import current_actor, members_only
from pointsbank.web.contract import Blueprint, cursor_from, position_from

api = Blueprint("finding_api", __name__, description="Shifts that somebody looks for.")


@api.post("/tasks/search")
@api.arguments(SearchIn)
@api.response(200, FoundShiftsOut)
@members_only
def search(body: dict[str, Any]) -> dict[str, Any]:
    """Answer shifts of open tasks that fit; a position orders them and is not kept."""
    member_id, now = current_actor().member_id, clock.now()
    after, limit = position_from(body.pop("cursor", None)) or 0, body.pop("limit")
    position = body.pop("near", None)
    near = (position["latitude"], position["longitude"]) if position else None
    code = body.pop("organization_code", None)
    with reading() as session:
        lineage = lineage_of(session, home_of(session, member_id))
        wanted = Search(
            member_id,
            tuple(node.path for node in reversed(lineage)),
            organization_by_code(session, code).path if code else None,
            near=near,
            **body,
        )
        found = find_shifts(session, wanted, now=now, after=after, limit=limit + 1)
        standard = standard_on(session, local_day(now, current_app.extensions["settings"].zone))
    items = [
        found_out(each, whole_shift_gives(standard, each, each)[0], near)
        for each in found[:limit]
    ]
    return {"items": items, "next": cursor_from(after + limit) if len(found) > limit else None}
