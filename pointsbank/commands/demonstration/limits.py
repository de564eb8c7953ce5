"""Issue budgets of the running month: one community has nearly used its own."""

from datetime import datetime
from zoneinfo import ZoneInfo

from pointsbank.budgets.months import month_now
from pointsbank.budgets.queries import budget_of, issuer_of
from pointsbank.budgets.service import set_issue_budget
from pointsbank.commands.demonstration.people import District
from pointsbank.core.db import transaction

# How much of its budget each community has used, in per cent; what comes next repeats the last.
USED_PERCENT = (84, 62, 35)
# Nobody budgets 1,237 points.
ROUND_TO = 10


def make_budgets(district: District, *, zone: ZoneInfo, now: datetime) -> None:
    """Set a budget for each community, so that it has used about so much of it."""
    month = month_now(now, zone).name
    for number, community in enumerate(district.communities):
        percent = USED_PERCENT[min(number, len(USED_PERCENT) - 1)]
        with transaction() as session:
            issued = budget_of(session, issuer_of(session, community.id), month).issued
            if not issued:
                continue
            set_issue_budget(
                session,
                code=community.code,
                month=month,
                points_max=-(-100 * issued // percent // ROUND_TO) * ROUND_TO,
                paths=("/",),
                actor_id=district.administrator_id,
                zone=zone,
                now=now,
            )
