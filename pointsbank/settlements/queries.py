"""Reads of statements: one month, its lines, a merchant's months, a month of all merchants."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Select, case, func, select
from sqlalchemy.orm import Session

from pointsbank.organizations.models import Merchant, Organization
from pointsbank.organizations.queries import within
from pointsbank.rewards.models import Redemption
from pointsbank.settlements.errors import StatementLineNotFound
from pointsbank.settlements.models import Statement, StatementLine

MONTHS_LISTED = 36
# Ids in one IN list: SQLite takes 32,766 values, PostgreSQL 65,535.
IDS_AT_ONCE = 5000


@dataclass(frozen=True)
class StatementFile:
    """A statement with the merchant's name, and the path of the organization it belongs to."""

    id: int
    merchant_id: int
    merchant_name: str
    path: str
    month: str
    state: str
    line_count: int
    redeemed_points: int
    voided_points: int
    net_points: int
    amount_fen: int
    correction_fen: int
    digest: bytes
    closed_at: datetime
    confirm_by: datetime
    pay_by: datetime
    confirmed_by_id: int | None
    confirmed_at: datetime | None
    approved_by_id: int | None
    approved_at: datetime | None
    paid_by_id: int | None
    paid_at: datetime | None
    payment_reference: str | None

    @property
    def due_fen(self) -> int:
        """What is to be paid: the lines' amount with the corrections of accepted disputes."""
        return self.amount_fen + self.correction_fen

    @property
    def is_by_silence(self) -> bool:
        """Whether the merchant let the time to confirm pass."""
        return self.confirmed_at is not None and self.confirmed_by_id is None

    def lateness(self, now: datetime) -> str | None:
        """Return what is overdue at this moment: the merchant's word, the money, or nothing."""
        if self.state in ("closed", "disputed") and now >= self.confirm_by:
            return "confirmation"
        if self.state != "paid" and now >= self.pay_by:
            return "payment"
        return None


@dataclass(frozen=True)
class LineFile:
    """One line as both sides see it; number is the redemption's."""

    no: int
    kind: str
    transfer_id: int
    number: str | None
    occurred_at: datetime
    what: str
    points: int
    rate_fen: int
    correction_fen: int
    dispute: str | None
    dispute_reason: str | None
    answer: str | None


@dataclass(frozen=True)
class MonthTotals:
    """A month of many merchants: what is due in all, and of it paid."""

    statements: int
    net_points: int
    due_fen: int
    paid_fen: int


FILE: tuple[Any, ...] = (
    Statement.id,
    Statement.merchant_id,
    Merchant.name.label("merchant_name"),
    Organization.path,
    Statement.month,
    Statement.state,
    Statement.line_count,
    Statement.redeemed_points,
    Statement.voided_points,
    Statement.net_points,
    Statement.amount_fen,
    Statement.correction_fen,
    Statement.digest,
    Statement.closed_at,
    Statement.confirm_by,
    Statement.pay_by,
    Statement.confirmed_by_id,
    Statement.confirmed_at,
    Statement.approved_by_id,
    Statement.approved_at,
    Statement.paid_by_id,
    Statement.paid_at,
    Statement.payment_reference,
)


def statement_of(session: Session, merchant_id: int, month: str) -> StatementFile | None:
    """Return a merchant's statement of a month; None if not cut off, or nothing is on it."""
    row = session.execute(
        _files().where(Statement.merchant_id == merchant_id, Statement.month == month)
    ).first()
    return _file(row) if row else None


def statements_of_merchant(
    session: Session,
    merchant_id: int,
    *,
    before_month: str | None = None,
    limit: int = MONTHS_LISTED,
) -> list[StatementFile]:
    """Return a merchant's statements, the newest month first, before a month if given."""
    statement = (
        _files()
        .where(Statement.merchant_id == merchant_id)
        .order_by(Statement.month.desc())
        .limit(limit)
    )
    if before_month is not None:
        statement = statement.where(Statement.month < before_month)
    return [_file(row) for row in session.execute(statement)]


def statements_of_month(
    session: Session,
    paths: Sequence[str],
    month: str,
    *,
    after_merchant_id: int = 0,
    limit: int = 200,
) -> list[StatementFile]:
    """Return a month's statements of all merchants under these paths, by merchant."""
    statement = (
        _files()
        .where(
            Statement.month == month,
            within(Organization.path, paths),
            Statement.merchant_id > after_merchant_id,
        )
        .order_by(Statement.merchant_id)
        .limit(limit)
    )
    return [_file(row) for row in session.execute(statement)]


def late_statements(
    session: Session, paths: Sequence[str], now: datetime, *, limit: int
) -> list[StatementFile]:
    """Return what is overdue under these paths, of whichever month, the oldest first."""
    unsigned = Statement.state.in_(("closed", "disputed")) & (Statement.confirm_by <= now)
    unpaid = (Statement.state != "paid") & (Statement.pay_by <= now)
    statement = (
        _files()
        .where(within(Organization.path, paths), unsigned | unpaid)
        .order_by(Statement.month, Statement.merchant_id)
        .limit(limit)
    )
    return [_file(row) for row in session.execute(statement)]


def month_totals(session: Session, paths: Sequence[str], month: str) -> MonthTotals:
    """Return what a month of all merchants under these paths comes to."""
    due = Statement.amount_fen + Statement.correction_fen
    row = session.execute(
        select(
            func.count(),
            func.coalesce(func.sum(Statement.net_points), 0),
            func.coalesce(func.sum(due), 0),
            func.coalesce(func.sum(case((Statement.state == "paid", due), else_=0)), 0),
        )
        .select_from(Statement)
        .join(Merchant, Merchant.id == Statement.merchant_id)
        .join(Organization, Organization.id == Merchant.organization_id)
        .where(Statement.month == month, within(Organization.path, paths))
    ).one()
    return MonthTotals(*(int(figure) for figure in row))


def numbers_of(session: Session, ids: Iterable[int]) -> dict[int, str]:
    """Return the numbers of these redemptions by id."""
    wanted = sorted(set(ids))
    found: dict[int, str] = {}
    for first in range(0, len(wanted), IDS_AT_ONCE):
        rows = session.execute(
            select(Redemption.id, Redemption.number).where(
                Redemption.id.in_(wanted[first : first + IDS_AT_ONCE])
            )
        )
        found |= {row.id: row.number for row in rows}
    return found


def rates_of(session: Session, statement_id: int) -> list[int]:
    """Return the rates at which the lines of a statement count, in fen, the lowest first."""
    return list(
        session.scalars(
            select(StatementLine.rate_fen)
            .where(StatementLine.statement_id == statement_id)
            .distinct()
            .order_by(StatementLine.rate_fen)
        )
    )


def open_disputes(session: Session, statement_id: int) -> int:
    """Return how many lines of a statement wait for an answer."""
    found = session.scalar(
        select(func.count()).where(
            StatementLine.statement_id == statement_id, StatementLine.dispute == "open"
        )
    )
    return found or 0


def line_of(session: Session, statement_id: int, no: int) -> LineFile:
    """Return one line of a statement.

    Raises StatementLineNotFound.
    """
    found = lines_of(session, statement_id, after_no=no - 1, limit=1)
    if not found or found[0].no != no:
        raise StatementLineNotFound
    return found[0]


def lines_of(
    session: Session, statement_id: int, *, after_no: int = 0, limit: int | None = None
) -> list[LineFile]:
    """Return the lines of a statement in their order, behind one of them."""
    statement = (
        select(
            StatementLine.no,
            StatementLine.kind,
            StatementLine.transfer_id,
            Redemption.number,
            StatementLine.occurred_at,
            StatementLine.what,
            StatementLine.points,
            StatementLine.rate_fen,
            StatementLine.correction_fen,
            StatementLine.dispute,
            StatementLine.dispute_reason,
            StatementLine.answer,
        )
        .outerjoin(Redemption, Redemption.id == StatementLine.redemption_id)
        .where(StatementLine.statement_id == statement_id, StatementLine.no > after_no)
        .order_by(StatementLine.no)
    )
    if limit is not None:
        statement = statement.limit(limit)
    rows: list[Any] = list(session.execute(statement))
    return [LineFile(*row) for row in rows]


def _files() -> Select[Any]:
    return (
        select(*FILE)
        .join(Merchant, Merchant.id == Statement.merchant_id)
        .join(Organization, Organization.id == Merchant.organization_id)
    )


def _file(row: Any) -> StatementFile:
    return StatementFile(*row)
