"""Reads of the ledger: balances, passbook lines, accounts."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import select
from sqlalchemy.orm import Session, aliased

from pointsbank.ledger.models import Account, Lot, Transfer, Wallet


@dataclass(frozen=True)
class Balance:
    """What a wallet holds; available is what can be spent now."""

    available: int
    held: int
    posted: int


@dataclass(frozen=True)
class Expiring:
    """Points whose last day is on this date."""

    expires_on: date
    points: int


@dataclass(frozen=True)
class Line:
    """One printed line of a passbook. points are signed: what came in is above zero."""

    line: int
    occurred_at: datetime
    recorded_at: datetime
    kind: str
    points: int
    balance_after: int
    reason: str
    transfer_id: int
    key: str
    reverses_id: int | None
    reverses_line: int | None
    expires_on: date | None
    actor_id: int | None


def balance_of(session: Session, code: str) -> Balance:
    """Return the balance of the account with this code; all zero when it has no wallet."""
    row = session.execute(
        select(Wallet.posted, Wallet.held)
        .join(Account, Account.id == Wallet.account_id)
        .where(Account.code == code)
    ).first()
    if row is None:
        return Balance(0, 0, 0)
    return Balance(row.posted - row.held, row.held, row.posted)


def expiring_points(session: Session, code: str) -> list[Expiring]:
    """Return what is still unspent by the day it expires on, the earliest first."""
    rows = session.execute(
        select(Lot.expires_on, (Lot.granted - Lot.used).label("points"))
        .join(Account, Account.id == Lot.wallet_id)
        .where(Account.code == code, Lot.granted > Lot.used)
        .order_by(Lot.expires_on)
    )
    return [Expiring(row.expires_on, row.points) for row in rows]


def book_lines(
    session: Session,
    code: str,
    *,
    before_line: int | None = None,
    limit: int = 50,
    kinds: Sequence[str] = (),
    since: datetime | None = None,
    until: datetime | None = None,
) -> list[Line]:
    """Return lines of a passbook, newest first, below before_line when it is given.

    kinds: only these. since, until: only what was recorded in this half-open span.
    """
    original = aliased(Transfer)
    statement = (
        select(Transfer, original.wallet_seq)
        .join(Account, Account.id == Transfer.wallet_id)
        .outerjoin(original, original.id == Transfer.reverses_id)
        .where(Account.code == code)
        .order_by(Transfer.wallet_seq.desc())
        .limit(limit)
    )
    if before_line is not None:
        statement = statement.where(Transfer.wallet_seq < before_line)
    if kinds:
        statement = statement.where(Transfer.kind.in_(kinds))
    if since is not None:
        statement = statement.where(Transfer.recorded_at >= since)
    if until is not None:
        statement = statement.where(Transfer.recorded_at < until)
    return [
        Line(
            line=transfer.wallet_seq or 0,
            occurred_at=transfer.occurred_at,
            recorded_at=transfer.recorded_at,
            kind=transfer.kind,
            points=transfer.points
            if transfer.wallet_id == transfer.target_id
            else -transfer.points,
            balance_after=transfer.wallet_after or 0,
            reason=transfer.reason,
            transfer_id=transfer.id,
            key=transfer.key,
            reverses_id=transfer.reverses_id,
            reverses_line=reverses_line,
            expires_on=transfer.expires_on,
            actor_id=transfer.actor_id,
        )
        for transfer, reverses_line in session.execute(statement)
    ]
