"""The JSON door of the rankings."""

from typing import Any

from flask import current_app
from sqlalchemy.orm import Session

from pointsbank.core import clock
from pointsbank.core.calendar import Period, local_day
from pointsbank.core.db import reading, run
from pointsbank.core.settings import Settings
from pointsbank.rankings.errors import StandingNotFound
from pointsbank.rankings.explaining import entries_behind
from pointsbank.rankings.periods import SPAN_MAKERS, make_period, spans_made
from pointsbank.rankings.policy import RANKING_ROLES, band_of
from pointsbank.rankings.queries import (
    Ranked,
    as_of,
    member_ranked,
    ranked_branches,
    ranked_members,
    scope_of,
)
from pointsbank.rankings.schemas import (
    RankedEntriesOut,
    RankedEntriesQuery,
    RankingOut,
    RankingQuery,
    SpanIn,
    SpanOut,
    SpansOut,
    band_out,
    entry_out,
    part_out,
)
from pointsbank.rankings.sources import standard_for, tables_for
from pointsbank.rankings.viewing import View, view_for
from pointsbank.scoring.tables import EvaluationTable
from pointsbank.web.access import current_actor, members_only, roles_only
from pointsbank.web.contract import Blueprint, cursor_from, position_from

api = Blueprint("rankings_api", __name__, description="Standings of members and branches.")


def settings() -> Settings:
    """Return the settings of the service."""
    found: Settings = current_app.extensions["settings"]
    return found


def asked_view(session: Session, query: dict[str, Any], of: str) -> View:
    """Return what the person may see of the period and the organization they ask for."""
    return view_for(
        session,
        current_actor(),
        period=query.get("period"),
        organization_code=query.get("organization_code"),
        of=of,
        visibility=settings().ranking_visibility,
        zone=settings().zone,
        now=clock.now(),
    )


@api.get("/rankings")
@api.arguments(RankingQuery, location="query")
@api.response(200, RankingOut)
@members_only
def show_ranking(query: dict[str, Any]) -> dict[str, Any]:
    """List members or branches in order of one measure, each with the parts of its score."""
    of, limit, measure = query["of"], query["limit"], query["measure"]
    skip = position_from(query.get("cursor")) or 0
    with reading() as session:
        view = asked_view(session, query, of)
        counted = as_of(session, view.period.name)
        scope = scope_of(session, period=view.period.name, paths=view.reach, measure=measure)
        tables = tables_of(session, view.period)
        if view.member_id is not None:
            own = member_ranked(session, scope, view.member_id)
            rows = [own] if own else []
        elif of == "branches":
            rows = ranked_branches(
                session, scope=scope, paths=view.paths, skip=skip, limit=limit + 1
            )
        else:
            rows = ranked_members(session, scope, skip=skip, limit=limit + 1)
    return {
        "period": view.period.name,
        "of": of,
        "measure": measure,
        "as_of": counted.moment if counted else None,
        "standard_version": counted.standard_version if counted else None,
        "items": [item(row, of, view, tables) for row in rows[:limit]],
        "next": cursor_from(skip + limit) if len(rows) > limit else None,
    }


def tables_of(session: Session, period: Period) -> dict[str, EvaluationTable]:
    """Return how the standard that counts a period evaluates members."""
    today = local_day(clock.now(), settings().zone)
    return tables_for(session, standard_for(session, period, today).id)


def item(
    row: Ranked, of: str, view: View, tables: dict[str, EvaluationTable]
) -> dict[str, Any]:
    """Return a row as the contract has it; a member's own has a band and no place."""
    who: dict[str, Any]
    is_own = view.member_id is not None
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
            },
            "is_exempt": row.is_exempt,
            "band": band_out(band_of(row.evaluation_hundredths, tables[row.table_name])),
        }
    return {
        "rank": None if is_own else row.rank,
        **({} if is_own else {"is_tied": row.is_tied}),
        **who,
        "evaluation_score": row.evaluation_hundredths / 100,
        "points_earned": row.points_earned,
        "service_minutes": row.service_minutes,
        "parts": [part_out(part, view.period) for part in row.parts],
    }


@api.get("/rankings/members/<id:member_id>/entries")
@api.arguments(RankedEntriesQuery, location="query")
@api.response(200, RankedEntriesOut)
@members_only
def list_entries(query: dict[str, Any], member_id: int) -> dict[str, Any]:
    """List the entries behind one part of a member's score, with the caps they reached."""
    limit, skip = query["limit"], position_from(query.get("cursor")) or 0
    with reading() as session:
        view = asked_view(session, query, "members")
        scope = scope_of(session, period=view.period.name, paths=view.reach)
        row = member_ranked(session, scope, member_id)
        if row is None or view.member_id not in (None, member_id):
            raise StandingNotFound
        lines = entries_behind(
            session,
            member_id=member_id,
            period=view.period,
            category=query["category"],
            table_name=row.table_name,
            today=local_day(clock.now(), settings().zone),
        )
    return {
        "period": view.period.name,
        "category": query["category"],
        "items": [entry_out(line) for line in lines[skip : skip + limit]],
        "next": cursor_from(skip + limit) if len(lines) > skip + limit else None,
    }


@api.get("/rankings/periods")
@api.response(200, SpansOut)
@roles_only(*RANKING_ROLES)
def list_spans() -> dict[str, Any]:
    """List the spans of days that somebody made a period of."""
    with reading() as session:
        return {"items": [vars(span) for span in spans_made(session)]}


@api.post("/rankings/periods")
@api.arguments(SpanIn)
@api.response(201, SpanOut)
@roles_only(*SPAN_MAKERS)
def make_span(body: dict[str, Any]) -> dict[str, Any]:
    """Make a span of days a period that is counted like any other."""
    actor_id, now = current_actor().member_id, clock.now()
    today = local_day(now, settings().zone)

    def make(session: Session) -> dict[str, Any]:
        name = make_period(session, **body, made_by_id=actor_id, today=today, now=now)
        return next(vars(span) for span in spans_made(session) if span.name == name)

    return run(make)
