"""The JSON door of the reports."""

from typing import Any

from pointsbank.core import clock
from pointsbank.core.db import reading
from pointsbank.settlements.reporting import report_of, span_of
from pointsbank.settlements.reports_schemas import PointsReportOut, ReportQuery, report_out
from pointsbank.web.access import current_actor, roles_only
from pointsbank.web.contract import Blueprint
from pointsbank.web.forms import settings

api = Blueprint("reports_api", __name__, description="What became of points, by month.")

OVERSEERS = ("administrator", "auditor")


@api.get("/reports/points")
@api.arguments(ReportQuery, location="query")
@api.response(200, PointsReportOut)
@roles_only(*OVERSEERS)
def show_points(query: dict[str, Any]) -> dict[str, Any]:
    """Show what was issued, redeemed and expired within one's scope, and what is left."""
    zone = settings().zone
    months = span_of(query.get("first"), query.get("last"), clock.now(), zone)
    with reading() as session:
        report = report_of(session, current_actor().paths(*OVERSEERS), months, zone)
    return report_out(report)
