"""The JSON door of the rankings."""

from typing import Any

from flask import current_app

from pointsbank.core import clock
from pointsbank.core.calendar import Period
from pointsbank.core.db import reading
from pointsbank.core.settings import Settings
from pointsbank.rankings.queries import Ranked, as_of, ranked_branches, ranked_members
from pointsbank.rankings.schemas import RankingOut, RankingQuery, part_out
from pointsbank.rankings.viewing import view_for
from pointsbank.web.access import current_actor, members_only
from pointsbank.web.contract import Blueprint, cursor_from, position_from

api = Blueprint("rankings_api", __name__, description="Standings of members and branches.")


@api.get("/rankings")
@api.arguments(RankingQuery, location="query")
@api.response(200, RankingOut)
@members_only
def show_ranking(query: dict[str, Any]) -> dict[str, Any]:
    """List members or branches in order of evaluation score, each with its parts."""
    settings: Settings = current_app.extensions["settings"]
    of, limit = query["of"], query["limit"]
    skip = position_from(query.get("cursor")) or 0
    with reading() as session:
        view = view_for(
            session,
            current_actor(),
            period=query.get("period"),
            organization_code=query.get("organization_code"),
            of=of,
            visibility=settings.ranking_visibility,
            zone=settings.zone,
            now=clock.now(),
        )
        counted = as_of(session, view.period.name)
        scope: dict[str, Any] = {
            "period": view.period.name,
            "paths": view.paths,
            "skip": skip,
            "limit": limit + 1,
        }
        rows = (
            ranked_branches(session, **scope)
            if of == "branches"
            else ranked_members(session, member_id=view.member_id, **scope)
        )
    return {
        "period": view.period.name,
        "of": of,
        "as_of": counted.moment if counted else None,
        "standard_version": counted.standard_version if counted else None,
        "items": [item(row, of, view.period) for row in rows[:limit]],
        "next": cursor_from(skip + limit) if len(rows) > limit else None,
    }


def item(row: Ranked, of: str, period: Period) -> dict[str, Any]:
    """Return a row as the contract has it."""
    who: dict[str, Any]
    if of == "branches":
        who = {
            "organization": {
                "code": row.code,
                "name": row.name,
                "member_count": row.member_count,
                "active_count": row.active_count,
            }
        }
    else:
        who = {
            "member": {
                "id": row.id,
                "display_name": row.name,
                "volunteer_no": row.code,
                "organization": row.place,
            }
        }
    return {
        "rank": row.rank,
        **who,
        "evaluation_score": row.evaluation_hundredths / 100,
        "points_earned": row.points_earned,
        "service_minutes": row.service_minutes,
        "parts": [part_out(part, period) for part in row.parts],
    }
