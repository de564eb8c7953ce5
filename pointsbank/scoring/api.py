"""The JSON door of scoring: the standard in force, for everyone who is scored by it."""

from typing import Any

from flask import current_app

from pointsbank.core import clock
from pointsbank.core.calendar import local_day
from pointsbank.core.db import reading
from pointsbank.scoring.queries import standard_on
from pointsbank.scoring.schemas import StandardOut, standard_out
from pointsbank.web.access import members_only
from pointsbank.web.contract import Blueprint

api = Blueprint("scoring_api", __name__, description="The scoring standard in force.")


@api.get("/scoring/standard")
@api.response(200, StandardOut)
@members_only
def show_standard() -> dict[str, Any]:
    """Answer the version that is in force today, with every item."""
    zone = current_app.extensions["settings"].zone
    with reading() as session:
        return standard_out(standard_on(session, local_day(clock.now(), zone)))
