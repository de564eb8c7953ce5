"""Setting a month's issue budget."""

from collections.abc import Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from pointsbank.budgets.errors import MonthOver
from pointsbank.budgets.issuing import open_issuer
from pointsbank.budgets.months import month_now, months_from, read_month
from pointsbank.budgets.queries import BudgetLine, budget_of, budgets_to_repeat, issuing_place
from pointsbank.core.audit import note
from pointsbank.ledger.budgets import set_budget


def set_issue_budget(
    session: Session,
    *,
    code: str,
    month: str,
    points_max: int | None,
    paths: Sequence[str],
    actor_id: int,
    zone: ZoneInfo,
    now: datetime,
) -> BudgetLine:
    """Set how many points an organization may issue in a local month, and return the month.

    points_max: none lifts the limit. A repeat sets the same again. paths: what the setting
    person administers.
    Raises OrganizationNotFound, NotAMonth, MonthOver, NotAnIssuer, and BudgetBelowIssued.
    """
    place = issuing_place(session, code, paths)
    if read_month(month).end_on <= month_now(now, zone).first_on:
        raise MonthOver
    issuer = open_issuer(session, place.id)
    set_budget(session, code=issuer.code, month=month, points_max=points_max)
    note(
        session,
        at=now,
        actor_id=actor_id,
        action="set_issue_budget",
        subject=("organization", place.id),
        month=month,
        points_max=points_max,
    )
    return BudgetLine(place, budget_of(session, place, month))


def repeat_budgets(
    session: Session,
    *,
    month: str,
    paths: Sequence[str],
    actor_id: int,
    zone: ZoneInfo,
    now: datetime,
) -> int:
    """Give organizations without a limit in a month the one of the month before; return how
    many.

    A budget that was set is left as it is, and so is a month in which more was issued already.
    Raises NotAMonth, MonthOver.
    """
    before = months_from(read_month(month), -1).name
    lines = budgets_to_repeat(session, paths, month, before)
    for line in lines:
        set_issue_budget(
            session,
            code=line.place.code,
            month=month,
            points_max=line.budget.points_max,
            paths=paths,
            actor_id=actor_id,
            zone=zone,
            now=now,
        )
    return len(lines)
