"""The JSON door of the calendar of working days."""

from typing import Any

from flask import current_app

from pointsbank.core import clock
from pointsbank.core.calendar import SATURDAY, local_day
from pointsbank.core.db import reading, run
from pointsbank.organizations.calendar_importing import import_calendar, read_calendar
from pointsbank.organizations.calendar_schemas import (
    YEAR_MAX,
    YEAR_MIN,
    CalendarOut,
    day_out,
    is_special,
)
from pointsbank.organizations.workdays import calendar_of, is_year_known
from pointsbank.web.access import current_actor, members_only, roles_only, takes_files
from pointsbank.web.contract import Blueprint, Body, QueryWhole
from pointsbank.web.uploads import (
    IMPORT_BYTES_MAX,
    ImportFile,
    ImportQuery,
    ReportOut,
    read_upload,
    report_out,
)

api = Blueprint("calendar_api", __name__, description="Working days and holidays.")


class YearQuery(Body):
    """Which year; this one when none is asked for."""

    year = QueryWhole(least=YEAR_MIN, most=YEAR_MAX)


@api.get("/working-days")
@api.arguments(YearQuery, location="query")
@api.response(200, CalendarOut)
@members_only
def show_year(query: dict[str, Any]) -> dict[str, Any]:
    """Answer a year's days that differ from Monday to Friday, with where each is known from."""
    today = local_day(clock.now(), current_app.extensions["settings"].zone)
    year = query.get("year", today.year)
    with reading() as session:
        days, is_known = calendar_of(session, year), is_year_known(session, year)
    return {
        "year": year,
        "is_known": is_known,
        "working_days": sum(each.is_working for each in days),
        "items": [day_out(each) for each in days if is_special(each, SATURDAY)],
        "next": None,
    }


@api.post("/working-days/import")
@api.arguments(ImportQuery, location="query")
@api.arguments(ImportFile, location="files")
@api.response(200, ReportOut)
@takes_files(IMPORT_BYTES_MAX)
@roles_only("administrator")
def import_days(query: dict[str, Any], _file: dict[str, Any]) -> dict[str, Any]:
    """Load holidays and worked weekends from a CSV or XLSX file, all or nothing."""
    actor, now = current_actor(), clock.now()
    table, problems = read_upload(read_calendar)
    report = run(
        lambda session: import_calendar(
            session,
            table=table,
            problems=problems,
            paths=actor.paths("administrator"),
            actor_id=actor.member_id,
            now=now,
            is_dry_run=query["dry_run"],
        )
    )
    return report_out(report)
