"""The JSON door of the secretary's reports."""

from typing import Any

from pointsbank.core import clock
from pointsbank.core.calendar import local_day, quarter_of, read_period, read_quarter
from pointsbank.core.db import reading
from pointsbank.organizations.queries import organization_by_code
from pointsbank.rankings.partaking import entered_in, gaps_in, parts_by_branch, parts_by_grid
from pointsbank.rankings.policy import VIEWER_ROLES
from pointsbank.rankings.quarter_tables import quarter_table
from pointsbank.rankings.reports_schemas import (
    PartakingOut,
    QuarterTableOut,
    ReportQuery,
    UnitSheetOut,
    UnitSheetQuery,
    partaking_out,
    quarter_table_out,
    unit_sheet_out,
)
from pointsbank.rankings.unit_sheets import unit_sheet
from pointsbank.web.access import current_actor, roles_only
from pointsbank.web.contract import Blueprint
from pointsbank.web.forms import settings

api = Blueprint("secretary_reports_api", __name__, description="The secretary's reports.")


@api.get("/reports/unit-sheet")
@api.arguments(UnitSheetQuery, location="query")
@api.response(200, UnitSheetOut)
@roles_only(*VIEWER_ROLES)
def show_unit_sheet(query: dict[str, Any]) -> dict[str, Any]:
    """Show what a work unit reads of its people who serve at home."""
    running = quarter_of(local_day(clock.now(), settings().zone))
    period = read_quarter(query["period"]) if "period" in query else running
    with reading() as session:
        sheet = unit_sheet(
            session,
            code=query["work_unit_code"],
            paths=current_actor().paths(*VIEWER_ROLES),
            period=period,
        )
    return unit_sheet_out(sheet)


@api.get("/reports/quarter-table")
@api.arguments(ReportQuery, location="query")
@api.response(200, QuarterTableOut)
@roles_only(*VIEWER_ROLES)
def show_quarter_table(query: dict[str, Any]) -> dict[str, Any]:
    """Show a quarter of an organization as it may hang on the wall."""
    today = local_day(clock.now(), settings().zone)
    period = read_quarter(query["period"]) if "period" in query else quarter_of(today)
    with reading() as session:
        place = organization_by_code(
            session, query["organization_code"], current_actor().paths(*VIEWER_ROLES)
        )
        table = quarter_table(session, place=place, period=period, today=today)
        return quarter_table_out(table)


@api.get("/reports/partaking")
@api.arguments(ReportQuery, location="query")
@api.response(200, PartakingOut)
@roles_only(*VIEWER_ROLES)
def show_partaking(query: dict[str, Any]) -> dict[str, Any]:
    """Show who took part in a period, how it was entered, and what is missing yet."""
    now, zone = clock.now(), settings().zone
    running = quarter_of(local_day(now, zone))
    period = read_period(query["period"]) if "period" in query else running
    with reading() as session:
        place = organization_by_code(
            session, query["organization_code"], current_actor().paths(*VIEWER_ROLES)
        )
        paths = (place.path,)
        return partaking_out(
            period,
            parts_by_branch(session, paths, period),
            parts_by_grid(session, paths, period),
            entered_in(session, paths, period, zone),
            gaps_in(session, paths, period, zone, now),
        )
