"""The JSON door of unusual patterns."""

from typing import Any

from pointsbank.core import clock
from pointsbank.core.db import reading
from pointsbank.rewards.watching import days_of
from pointsbank.rewards.watching_schemas import (
    FindingsOut,
    UnusualQuery,
    finding_out,
    named_findings,
)
from pointsbank.web.access import current_actor, roles_only
from pointsbank.web.contract import Blueprint
from pointsbank.web.forms import settings

api = Blueprint("unusual_api", __name__, description="What an auditor should look at.")

OVERSEERS = ("administrator", "auditor")


@api.get("/redemptions/unusual")
@api.arguments(UnusualQuery, location="query")
@api.response(200, FindingsOut)
@roles_only(*OVERSEERS)
def list_unusual(query: dict[str, Any]) -> dict[str, Any]:
    """List unusual patterns at the counters within one's scope, with reasons."""
    zone = settings().zone
    first, last = days_of(query.get("first"), query.get("last"), clock.now(), zone)
    with reading() as session:
        found = named_findings(session, current_actor().paths(*OVERSEERS), first, last, zone)
    return {"first": first, "last": last, "items": [finding_out(each) for each in found]}
