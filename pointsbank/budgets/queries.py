"""Reads of budgets: which organizations issue, and how a month of theirs stands."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row, Select, and_, select
from sqlalchemy.orm import Session

from pointsbank.budgets.errors import NotAnIssuer
from pointsbank.ledger.models import Account, IssueBudget
from pointsbank.ledger.posting import ISSUERS
from pointsbank.organizations.models import Organization
from pointsbank.organizations.queries import (
    OrganizationNode,
    lineage_of,
    organization_by_code,
    organization_of,
    within,
)

# Points are issued for a community; work of its branches and grids counts there.
ISSUING_KIND = "community"

# Administrators are told when this share of a month's budget is issued.
WARN_PERCENT = 80
NO_LIMIT, ROOM, NEARLY, FULL = "no_limit", "room", "nearly", "full"

LINE: tuple[Any, ...] = (
    Organization.id,
    Organization.code,
    Organization.name,
    Organization.kind,
    Organization.path,
    IssueBudget.issued,
    IssueBudget.points_max,
)


@dataclass(frozen=True)
class Budget:
    """A month of an issuing organization: points issued, and the limit when there is one."""

    issued: int
    points_max: int | None

    @property
    def left(self) -> int | None:
        """How many points may still be issued; None without a limit."""
        return None if self.points_max is None else self.points_max - self.issued

    @property
    def percent(self) -> int | None:
        """The used share in whole per cent, rounded down: 100 only when nothing is left."""
        if self.points_max is None:
            return None
        return 100 * self.issued // self.points_max if self.points_max else 100

    @property
    def state(self) -> str:
        """One of no_limit, room, nearly (80 % and more) and full."""
        if self.percent is None:
            return NO_LIMIT
        if not self.left:
            return FULL
        return NEARLY if self.percent >= WARN_PERCENT else ROOM


@dataclass(frozen=True)
class BudgetLine:
    """An issuing organization with its budget of a month."""

    place: OrganizationNode
    budget: Budget


def issuer_of(session: Session, organization_id: int) -> OrganizationNode:
    """Return who issues points for an organization's work: the community it stands in, and
    itself above all communities.
    """
    place = organization_of(session, organization_id)
    above = [node for node in lineage_of(session, place.path) if node.kind == ISSUING_KIND]
    return above[-1] if above else place


def issuing_place(session: Session, code: str, paths: Sequence[str]) -> OrganizationNode:
    """Return the organization with this code, which issues points under a budget of its own.

    Raises OrganizationNotFound outside of these paths, NotAnIssuer within a community.
    """
    place = organization_by_code(session, code, paths)
    if issuer_of(session, place.id) != place:
        raise NotAnIssuer
    return place


def account_code(place: OrganizationNode) -> str:
    """Return the code of an organization's issuing account in the ledger."""
    return f"{ISSUERS}{place.kind}:{place.code}"


def budget_of(session: Session, place: OrganizationNode, month: str) -> Budget:
    """Return a month of one issuing organization; nothing issued without a row."""
    row = session.execute(
        select(IssueBudget.issued, IssueBudget.points_max)
        .join(Account, Account.id == IssueBudget.account_id)
        .where(Account.code == account_code(place), IssueBudget.month == month)
    ).first()
    return Budget(row.issued, row.points_max) if row else Budget(0, None)


def budgets_of_month(
    session: Session,
    paths: Sequence[str],
    month: str,
    *,
    after: str | None = None,
    limit: int | None = None,
) -> list[BudgetLine]:
    """Return the month of every issuing organization under these paths, by their codes.

    Communities are all listed; others that have issued points or have a budget stand beside
    them. after: the code behind which to go on.
    """
    statement = _lines(paths, month).order_by(Organization.code)
    if after is not None:
        statement = statement.where(Organization.code > after)
    if limit is not None:
        statement = statement.limit(limit)
    return [_line(row) for row in session.execute(statement)]


def short_budgets(
    session: Session, paths: Sequence[str], month: str, *, limit: int
) -> list[BudgetLine]:
    """Return the budgets of a month that are nearly used up or used up, the fullest first."""
    is_short = 100 * IssueBudget.issued >= WARN_PERCENT * IssueBudget.points_max
    left = IssueBudget.points_max - IssueBudget.issued
    statement = _lines(paths, month).where(is_short).order_by(left, Organization.code)
    return [_line(row) for row in session.execute(statement.limit(limit))]


def budgets_to_repeat(
    session: Session, paths: Sequence[str], month: str, before: str
) -> list[BudgetLine]:
    """Return the budgets of the month before that fit a month which has none yet."""
    then = {
        line.place.code: line.budget.points_max
        for line in budgets_of_month(session, paths, before)
        if line.budget.points_max is not None
    }
    return [
        BudgetLine(line.place, Budget(line.budget.issued, then[line.place.code]))
        for line in budgets_of_month(session, paths, month)
        if line.budget.points_max is None
        and line.budget.issued <= then.get(line.place.code, -1)
    ]


def _lines(paths: Sequence[str], month: str) -> Select[Any]:
    is_its_account = Account.code == ISSUERS + Organization.kind + ":" + Organization.code
    return (
        select(*LINE)
        .outerjoin(Account, is_its_account)
        .outerjoin(
            IssueBudget,
            and_(IssueBudget.account_id == Account.id, IssueBudget.month == month),
        )
        .where(
            within(Organization.path, paths),
            (Organization.kind == ISSUING_KIND) | Account.id.is_not(None),
        )
    )


def _line(row: Row[Any]) -> BudgetLine:
    return BudgetLine(
        OrganizationNode(row.id, row.code, row.name, row.kind, row.path),
        Budget(row.issued or 0, row.points_max),
    )
