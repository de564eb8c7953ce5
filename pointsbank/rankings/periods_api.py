"""The JSON door of closed periods: versions, differences, corrections, notice, archive."""

from typing import Any

from pointsbank.core import clock
from pointsbank.core.db import reading, run
from pointsbank.rankings.correcting import (
    CORRECTING_ROLES,
    ask_correction,
    correction_of,
    decide_correction,
)
from pointsbank.rankings.courses import READING_ROLES
from pointsbank.rankings.noticing import archive_period, draft_ranking_notice
from pointsbank.rankings.period_schemas import (
    ClosedListOut,
    ClosedQuery,
    LineChangesOut,
    PeriodCorrectionDecision,
    PeriodCorrectionOut,
    SnapshotOut,
    StageOut,
    VersionQuery,
    WantedPeriodCorrection,
    asked_way,
    change_out,
    closed_out,
    correction_out,
    name_for,
    reads_names,
    snapshot_out,
)
from pointsbank.rankings.schemas import PeriodNotice
from pointsbank.rankings.snapshots import (
    changes_between,
    closed_within,
    lines_of,
    snapshot_of,
)
from pointsbank.web.access import current_actor, roles_only
from pointsbank.web.contract import Blueprint, cursor_from, position_from
from pointsbank.web.forms import settings

api = Blueprint(
    "periods_api", __name__, description="Closed periods: snapshots, corrections, notices."
)

ONE = "/closed-periods/<string:period>/<id:organization_id>"


@api.get("/closed-periods")
@api.arguments(ClosedQuery, location="query")
@api.response(200, ClosedListOut)
@roles_only(*READING_ROLES)
def list_closed(query: dict[str, Any]) -> dict[str, Any]:
    """List the closed periods of one's scope, the newest first."""
    skip, limit = position_from(query.get("cursor")) or 0, query["limit"]
    with reading() as session:
        found = closed_within(
            session,
            current_actor().paths(*READING_ROLES),
            period=query.get("period"),
            skip=skip,
            limit=limit + 1,
        )
    return {
        "items": [closed_out(each) for each in found[:limit]],
        "next": cursor_from(skip + limit) if len(found) > limit else None,
    }


@api.get(ONE)
@api.arguments(VersionQuery, location="query")
@api.response(200, SnapshotOut)
@roles_only(*READING_ROLES)
def show_snapshot(query: dict[str, Any], period: str, organization_id: int) -> dict[str, Any]:
    """Answer one version of a closed period with every line."""
    with reading() as session:
        way = asked_way(session, period, organization_id)
        found = snapshot_of(
            session,
            period=way.period.name,
            organization_id=organization_id,
            version=query.get("version"),
        )
        lines = lines_of(session, found.id)
    return snapshot_out(
        way, found, lines, is_full=reads_names(current_actor(), way.organization.path)
    )


@api.get(f"{ONE}/changes")
@api.arguments(VersionQuery, location="query")
@api.response(200, LineChangesOut)
@roles_only(*READING_ROLES)
def show_changes(query: dict[str, Any], period: str, organization_id: int) -> dict[str, Any]:
    """Answer what a version changed against the one before it; nothing for the first."""
    with reading() as session:
        way = asked_way(session, period, organization_id)
        about: dict[str, Any] = {"period": period, "organization_id": organization_id}
        found = snapshot_of(session, version=query.get("version"), **about)
        after = lines_of(session, found.id)
        before = after
        if found.version > 1:
            older = snapshot_of(session, version=found.version - 1, **about)
            before = lines_of(session, older.id)
    is_full = reads_names(current_actor(), way.organization.path)
    names = {
        each.line.member_id: name_for(each.name, is_full=is_full) for each in [*before, *after]
    }
    changes = changes_between([each.line for each in before], [each.line for each in after])
    return {
        "version": found.version,
        "reason": found.reason,
        "items": [change_out(each, names) for each in changes],
    }


@api.post(f"{ONE}/corrections")
@api.arguments(WantedPeriodCorrection)
@api.response(201, PeriodCorrectionOut)
@roles_only(*CORRECTING_ROLES)
def ask(body: dict[str, Any], period: str, organization_id: int) -> dict[str, Any]:
    """Ask that a closed period be counted anew; another person decides."""
    actor, now, zone = current_actor(), clock.now(), settings().zone
    correction_id = run(
        lambda session: ask_correction(
            session,
            organization_id=organization_id,
            period=period,
            actor=actor,
            zone=zone,
            now=now,
            **body,
        )
    )
    return shown(correction_id)


def shown(correction_id: int) -> dict[str, Any]:
    """Return a correction as it stands."""
    with reading() as session:
        paths = current_actor().paths(*CORRECTING_ROLES)
        return correction_out(correction_of(session, correction_id, paths))


@api.post("/corrections/<id:correction_id>/decision")
@api.arguments(PeriodCorrectionDecision)
@api.response(200, PeriodCorrectionOut)
@roles_only(*CORRECTING_ROLES)
def decide(body: dict[str, Any], correction_id: int) -> dict[str, Any]:
    """Confirm or refuse a correction that somebody else asked for."""
    actor, now, zone = current_actor(), clock.now(), settings().zone
    run(
        lambda session: decide_correction(
            session,
            correction_id=correction_id,
            actor=actor,
            is_confirmed=body["decision"] == "confirm",
            reason=body["reason"],
            zone=zone,
            now=now,
        )
    )
    return shown(correction_id)


@api.post(f"{ONE}/notice")
@api.response(201, PeriodNotice)
@roles_only(*CORRECTING_ROLES)
def draft(period: str, organization_id: int) -> dict[str, Any]:
    """Draft the notice of a closed period, or replace the one that shows an older version."""
    actor, now, visibility = current_actor(), clock.now(), settings().ranking_visibility
    return {
        "notice_id": run(
            lambda session: draft_ranking_notice(
                session,
                organization_id=organization_id,
                period=period,
                visibility=visibility,
                actor=actor,
                now=now,
            )
        )
    }


@api.post(f"{ONE}/archive")
@api.response(200, StageOut)
@roles_only(*CORRECTING_ROLES)
def archive(period: str, organization_id: int) -> dict[str, Any]:
    """Archive a closed period of which nothing is shown in public."""
    actor, now, visibility = current_actor(), clock.now(), settings().ranking_visibility
    run(
        lambda session: archive_period(
            session,
            organization_id=organization_id,
            period=period,
            visibility=visibility,
            actor=actor,
            now=now,
        )
    )
    return {"stage": "archived"}
