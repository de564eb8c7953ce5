"""Reads of tools on loan: one, a member's, and what a merchant has out."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from pointsbank.core.text import masked_name
from pointsbank.members.models import Member
from pointsbank.organizations.models import Merchant, Organization
from pointsbank.rewards.loans_errors import LoanNotFound
from pointsbank.rewards.models import Reward
from pointsbank.rewards.orders_models import Loan


@dataclass(frozen=True)
class LoanLine:
    """One loan as it is shown: the name masked, path that of the merchant's organization."""

    id: int
    number: str
    state: str
    merchant_id: int
    merchant_name: str
    path: str
    reward_id: int
    reward_name: str
    member_id: int
    member_name: str
    deposit: int
    charged: int
    reason: str | None
    lent_at: datetime
    due_on: date
    decided_at: datetime | None

    def is_overdue(self, today: date) -> bool:
        """Tell whether the tool should have been back by the end of the day before."""
        return self.state == "out" and self.due_on < today


def loan_of(session: Session, loan_id: int) -> LoanLine:
    """Return one loan.

    Raises LoanNotFound.
    """
    row = session.execute(_loans().where(Loan.id == loan_id)).first()
    if row is None:
        raise LoanNotFound
    return _line(row)


def loans_of_member(
    session: Session, member_id: int, *, before_id: int | None = None, limit: int = 50
) -> list[LoanLine]:
    """Return what a member borrowed, the newest first."""
    statement = _loans().where(Loan.member_id == member_id)
    if before_id is not None:
        statement = statement.where(Loan.id < before_id)
    rows = session.execute(statement.order_by(Loan.id.desc()).limit(limit))
    return [_line(row) for row in rows]


def loans_out(
    session: Session, merchant_id: int, *, after_id: int | None = None, limit: int = 50
) -> list[LoanLine]:
    """Return what a merchant has out, the oldest first."""
    statement = _loans().where(Loan.merchant_id == merchant_id, Loan.state == "out")
    if after_id is not None:
        statement = statement.where(Loan.id > after_id)
    rows = session.execute(statement.order_by(Loan.id).limit(limit))
    return [_line(row) for row in rows]


def loans_due(session: Session, through: date) -> list[LoanLine]:
    """Return every tool that is out and due through a day, the oldest day first."""
    statement = _loans().where(Loan.state == "out", Loan.due_on <= through)
    rows = session.execute(statement.order_by(Loan.due_on, Loan.id))
    return [_line(row) for row in rows]


def _loans() -> Select[*tuple[Any, ...]]:
    return (
        select(
            Loan,
            Merchant.name.label("merchant_name"),
            Organization.path,
            Reward.name.label("reward_name"),
            Member.name.label("member_name"),
        )
        .join(Merchant, Merchant.id == Loan.merchant_id)
        .join(Organization, Organization.id == Merchant.organization_id)
        .join(Reward, Reward.id == Loan.reward_id)
        .join(Member, Member.id == Loan.member_id)
        .execution_options(populate_existing=True)
    )


def _line(row: Any) -> LoanLine:
    loan: Loan = row.Loan
    return LoanLine(
        id=loan.id,
        number=loan.number,
        state=loan.state,
        merchant_id=loan.merchant_id,
        merchant_name=row.merchant_name,
        path=row.path,
        reward_id=loan.reward_id,
        reward_name=row.reward_name,
        member_id=loan.member_id,
        member_name=masked_name(row.member_name),
        deposit=loan.deposit,
        charged=loan.charged,
        reason=loan.reason,
        lent_at=loan.lent_at,
        due_on=loan.due_on,
        decided_at=loan.decided_at,
    )
