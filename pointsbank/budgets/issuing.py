"""Whose budget points are issued from, and telling administrators when it runs low."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from pointsbank.budgets.queries import FULL, NEARLY, account_code, budget_of, issuer_of
from pointsbank.ledger.service import open_account
from pointsbank.members.queries import role_holders_over
from pointsbank.messages.service import tell_each
from pointsbank.organizations.queries import OrganizationNode


@dataclass(frozen=True)
class Issuer:
    """The organization that issues points for some work, with its account's code."""

    place: OrganizationNode
    code: str


def open_issuer(session: Session, organization_id: int) -> Issuer:
    """Return who issues points for an organization's work; its account is open afterwards."""
    place = issuer_of(session, organization_id)
    code = account_code(place)
    open_account(session, code=code, kind="issue")
    return Issuer(place, code)


def warn_of_budget(
    session: Session, issuer: Issuer, month: str, now: datetime, *, is_short: bool = False
) -> int:
    """Tell the administrators over an issuer that a month's budget is nearly spent, or spent.

    Call it after the points were posted, in the same transaction. is_short: somebody is held
    because theirs no longer fit. Each is told once for a month and a limit; a raised limit is
    another. Returns how many messages are new.
    """
    budget = budget_of(session, issuer.place, month)
    is_spent = is_short or budget.state == FULL
    if not is_spent and budget.state != NEARLY:
        return 0
    word = FULL if is_spent else NEARLY
    return tell_each(
        session,
        key=f"issue_budget:{word}:{issuer.place.id}:{month}:{budget.points_max}",
        member_ids=role_holders_over(session, issuer.place.path, ("administrator",)),
        kind="issue_budget_spent" if is_spent else "issue_budget_nearly_spent",
        facts={
            "organization": issuer.place.name,
            "month": month,
            "issued": budget.issued,
            "points_max": budget.points_max,
        },
        now=now,
    )
