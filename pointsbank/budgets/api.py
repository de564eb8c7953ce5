"""The JSON door of issue budgets and the liability report."""

from typing import Any

from flask import current_app

from pointsbank.budgets.liability import FundPlaces, liability_within
from pointsbank.budgets.months import month_now, read_month
from pointsbank.budgets.queries import BudgetLine, budget_of, budgets_of_month, issuing_place
from pointsbank.budgets.schemas import (
    BudgetOut,
    BudgetsOut,
    BudgetsQuery,
    LiabilityOut,
    NewBudget,
    budget_out,
    liability_out,
)
from pointsbank.budgets.service import set_issue_budget
from pointsbank.core import clock
from pointsbank.core.db import reading, run
from pointsbank.organizations.queries import organization_of
from pointsbank.web.access import current_actor, roles_only
from pointsbank.web.contract import Blueprint, cursor_from, position_from
from pointsbank.web.forms import settings

api = Blueprint("budgets_api", __name__, description="Issue budgets and the points owed.")

READERS = ("administrator", "auditor")


@api.get("/issue-budgets")
@api.arguments(BudgetsQuery, location="query")
@api.response(200, BudgetsOut)
@roles_only(*READERS)
def list_budgets(query: dict[str, Any]) -> dict[str, Any]:
    """List a month of every issuing organization, in the order of their codes."""
    limit, now = query["limit"], clock.now()
    month = read_month(query.get("month") or month_now(now, settings().zone).name).name
    last_id = position_from(query.get("cursor"))
    with reading() as session:
        after = organization_of(session, last_id).code if last_id else None
        found = budgets_of_month(
            session, current_actor().paths(*READERS), month, after=after, limit=limit + 1
        )
    return {
        "month": month,
        "items": [budget_out(line, month) for line in found[:limit]],
        "next": cursor_from(found[limit - 1].place.id) if len(found) > limit else None,
    }


@api.get("/organizations/<code>/issue-budget/<month:month>")
@api.response(200, BudgetOut)
@roles_only(*READERS)
def show_budget(code: str, month: str) -> dict[str, Any]:
    """Show a month of one issuing organization."""
    with reading() as session:
        place = issuing_place(session, code, current_actor().paths(*READERS))
        line = BudgetLine(place, budget_of(session, place, month))
    return budget_out(line, month)


@api.put("/organizations/<code>/issue-budget/<month:month>")
@api.arguments(NewBudget)
@api.response(200, BudgetOut)
@roles_only("administrator")
def put_budget(body: dict[str, Any], code: str, month: str) -> dict[str, Any]:
    """Set how many points an organization may issue in a month that is not over."""
    actor, now = current_actor(), clock.now()
    line = run(
        lambda session: set_issue_budget(
            session,
            code=code,
            month=month,
            points_max=body["points_max"],
            paths=actor.paths("administrator"),
            actor_id=actor.member_id,
            zone=settings().zone,
            now=now,
        )
    )
    return budget_out(line, month)


@api.get("/liability")
@api.response(200, LiabilityOut)
@roles_only(*READERS)
def show_liability() -> dict[str, Any]:
    """Show the points outstanding within one's scope, by place and by month of expiry."""
    now = clock.now()
    fund_places: FundPlaces = current_app.extensions["fund_places"]
    with reading() as session:
        found = liability_within(session, current_actor().paths(*READERS), fund_places(session))
    return liability_out(found, settings().fen_per_point, now)
