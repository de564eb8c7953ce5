"""Issue budgets: how many points an issuing account may give out in one local month."""

from typing import Any

from sqlalchemy import Row, text
from sqlalchemy.orm import Session

from pointsbank.ledger.errors import AccountNotFound, BudgetBelowIssued, BudgetSpent

# The row where all awards of a community in a month meet: each counts on top of those before.
CHARGE = text(
    """
    INSERT INTO issue_budget (account_id, month, issued)
    SELECT id, :month, :points FROM account WHERE code = :code
    ON CONFLICT (account_id, month) DO UPDATE SET issued = issue_budget.issued + :points
    WHERE issue_budget.points_max IS NULL
       OR issue_budget.issued + :points <= issue_budget.points_max
    RETURNING issued
    """
)

UNCHARGE = text(
    """
    UPDATE issue_budget SET issued = issued - :points
    WHERE account_id = (SELECT id FROM account WHERE code = :code) AND month = :month
    """
)

# A month that nothing was issued in yet gets its row, since only a row can be locked.
LOCK = text(
    """
    INSERT INTO issue_budget (account_id, month, issued)
    SELECT id, :month, 0 FROM account WHERE code = :code
    ON CONFLICT (account_id, month) DO UPDATE SET issued = issue_budget.issued
    RETURNING points_max, issued
    """
)

LOOK = text(
    """
    SELECT points_max, issued FROM issue_budget
    JOIN account ON account.id = account_id
    WHERE code = :code AND month = :month
    """
)

SET = text(
    """
    INSERT INTO issue_budget (account_id, month, points_max, issued)
    SELECT id, :month, CAST(:points_max AS bigint), 0 FROM account WHERE code = :code
    ON CONFLICT (account_id, month) DO UPDATE SET points_max = excluded.points_max
    WHERE excluded.points_max IS NULL OR issue_budget.issued <= excluded.points_max
    RETURNING issued
    """
)


def charge(session: Session, *, code: str, month: str, points: int) -> None:
    """Count points against the month's budget; the row stays locked until the transaction ends.

    Charge before any wallet is locked: that is the order everywhere.
    Raises BudgetSpent, AccountNotFound. Rule: docs/ledger.md, "Issue budgets".
    """
    values = {"code": code, "month": month, "points": points}
    if session.execute(CHARGE, values).first() is None:
        raise _refusal(session, code, month)


def uncharge(session: Session, *, code: str, month: str, points: int) -> None:
    """Take a charge of this very transaction back: what it was for stood already."""
    session.execute(UNCHARGE, {"code": code, "month": month, "points": points})


def budget_left(session: Session, code: str, month: str, *, lock: bool = False) -> int | None:
    """Return how many points may still be issued in a month, None where nobody set a limit.

    lock: nobody else issues from this account in this month until the transaction ends, so that
    the answer still holds when the points are posted.
    """
    row = session.execute(LOCK if lock else LOOK, {"code": code, "month": month}).first()
    return _left(row)


def set_budget(session: Session, *, code: str, month: str, points_max: int | None) -> None:
    """Set how many points may be issued in a month; None lifts the limit.

    Raises BudgetBelowIssued, AccountNotFound.
    """
    values = {"code": code, "month": month, "points_max": points_max}
    if session.execute(SET, values).first() is None:
        row = session.execute(LOOK, values).first()
        if row is None:
            raise AccountNotFound
        raise BudgetBelowIssued(issued=row.issued, month=month)


def _left(row: Row[Any] | None) -> int | None:
    if row is None or row.points_max is None:
        return None
    return int(row.points_max - row.issued)


def _refusal(session: Session, code: str, month: str) -> Exception:
    row = session.execute(LOOK, {"code": code, "month": month}).first()
    return AccountNotFound() if row is None else BudgetSpent(left=_left(row) or 0, month=month)
