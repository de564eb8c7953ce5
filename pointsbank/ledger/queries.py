"""Reads of the ledger: balances, passbook lines, accounts."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import ScalarSelect, bindparam, func, select, text
from sqlalchemy.orm import Session, aliased

from pointsbank.core.clock import moment_text
from pointsbank.core.db import Moment
from pointsbank.ledger.models import Account, Block, Lot, Transfer, Wallet

# Lines of one wallet stand in the order in which they got its lock; each moment was read a
# little earlier, at the door, so that neighbours may have theirs the other way round. Never so
# many.
CROSSING_LINES_MAX = 50
# ... and never so far apart: longer than any transaction lasts.
CROSSING_SPAN = timedelta(minutes=10)

# Counting goes no further: so many mean that nothing seals, and more say no more.
WAITING_COUNTED_MAX = 100_000

# A row may have been recorded by a clock a little ahead of the sealer's.
CLOCKS_APART_MAX = timedelta(minutes=1)

# What an account received less what it gave: its balance at one block, and what came after.
UNSTORED_BALANCE = """
    WITH checkpoint AS (
        SELECT block.up_to, merchant_checkpoint.balance
        FROM merchant_checkpoint JOIN block ON block.no = merchant_checkpoint.block_no
        WHERE merchant_checkpoint.account_id = :account_id {sealed}
        ORDER BY merchant_checkpoint.block_no DESC LIMIT 1
    )
    SELECT COALESCE((SELECT balance FROM checkpoint), 0)
        + COALESCE((SELECT SUM(points) FROM transfer WHERE target_id = :account_id
            AND id > COALESCE((SELECT up_to FROM checkpoint), 0) {recorded}), 0)
        - COALESCE((SELECT SUM(points) FROM transfer WHERE source_id = :account_id
            AND id > COALESCE((SELECT up_to FROM checkpoint), 0) {recorded}), 0)
"""
UNSTORED_NOW = text(UNSTORED_BALANCE.format(sealed="", recorded=""))
UNSTORED_AT = text(
    UNSTORED_BALANCE.format(
        sealed="AND block.sealed_at <= :sealed_by", recorded="AND recorded_at <= :moment"
    )
).bindparams(bindparam("sealed_by", type_=Moment()), bindparam("moment", type_=Moment()))


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


@dataclass(frozen=True)
class BlockHead:
    """A sealed block without its rows: what is shown to everyone.

    total: how many transfers are sealed through this block.
    """

    no: int
    up_to: int
    count: int
    total: int
    previous_hash: bytes
    root: bytes
    sealed_at: datetime

    def as_json(self) -> dict[str, Any]:
        """Return the block as it stands in a proof; hashes are hexadecimal."""
        return {
            "no": self.no,
            "up_to": self.up_to,
            "count": self.count,
            "total": self.total,
            "previous_hash": self.previous_hash.hex(),
            "root": self.root.hex(),
            "sealed_at": moment_text(self.sealed_at),
        }


@dataclass(frozen=True)
class SealState:
    """How far the ledger is sealed. waiting: transfers after the last block, counted so far.

    block_no: 0 before the first block.
    """

    block_no: int
    sealed: int
    waiting: int


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


def id_of_code(code: str) -> ScalarSelect[int]:
    """Return the id of an account as part of a statement.

    It stands as one value, where a join would hide from PostgreSQL that there is only one book,
    so that it would read and sort the whole of it for its newest lines.
    """
    return select(Account.id).where(Account.code == code).scalar_subquery()


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
        .outerjoin(original, original.id == Transfer.reverses_id)
        .where(Transfer.wallet_id == id_of_code(code))
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


def balance_at(session: Session, code: str, moment: datetime) -> int:
    """Return what the account held right after the last transfer recorded by this moment.

    An account without a wallet: what it had received less what it had given; the cost grows
    with what it moved since. 0 for a code that names no account.
    """
    account = _account_of(session, code)
    if account is None:
        return 0
    if not account.has_wallet:
        values = {
            "account_id": account.id,
            "moment": moment,
            "sealed_by": moment - CLOCKS_APART_MAX,
        }
        return int(session.execute(UNSTORED_AT, values).scalar_one())
    newest = session.scalar(
        select(func.max(Transfer.recorded_at)).where(
            Transfer.wallet_id == account.id, Transfer.recorded_at <= moment
        )
    )
    if newest is None:
        return 0
    # Bounded by time, not by a number of lines: each line of a long book lies on a page of its
    # own.
    after = session.scalar(
        select(Transfer.wallet_after)
        .where(
            Transfer.wallet_id == account.id,
            Transfer.recorded_at.between(newest - CROSSING_SPAN, newest),
        )
        .order_by(Transfer.wallet_seq.desc())
        .limit(1)
    )
    return after or 0


def unstored_balance(session: Session, code: str) -> int:
    """Return what an account without a wallet received less what it gave.

    Below zero for one that issues; 0 for a code that names no account.
    """
    account = _account_of(session, code)
    if account is None:
        return 0
    return int(session.execute(UNSTORED_NOW, {"account_id": account.id}).scalar_one())


def _account_of(session: Session, code: str) -> Any:
    """Return the id of an account and whether it has a wallet."""
    return session.execute(
        select(Account.id, Wallet.account_id.is_not(None).label("has_wallet"))
        .outerjoin(Wallet, Wallet.account_id == Account.id)
        .where(Account.code == code)
    ).first()


def head_of(block: Block) -> BlockHead:
    """Return a block without its rows."""
    return BlockHead(
        block.no,
        block.up_to,
        block.count,
        block.total,
        bytes(block.previous_hash),
        bytes(block.root),
        block.sealed_at,
    )


def blocks(
    session: Session, *, before_no: int | None = None, limit: int = 50
) -> list[BlockHead]:
    """Return sealed blocks, newest first, below before_no when it is given."""
    statement = select(Block).order_by(Block.no.desc()).limit(limit)
    if before_no is not None:
        statement = statement.where(Block.no < before_no)
    return [head_of(block) for block in session.scalars(statement)]


def block_of(session: Session, no: int) -> BlockHead | None:
    """Return the block of this number, None when there is none yet."""
    block = session.scalar(select(Block).where(Block.no == no))
    return head_of(block) if block else None


def seal_state(session: Session) -> SealState:
    """Return how far the ledger is sealed and how much waits."""
    last = session.execute(
        select(Block.no, Block.up_to, Block.total).order_by(Block.no.desc()).limit(1)
    ).first()
    after = last.up_to if last else 0
    waiting = (
        select(Transfer.id).where(Transfer.id > after).limit(WAITING_COUNTED_MAX).subquery()
    )
    count = session.scalar(select(func.count()).select_from(waiting)) or 0
    return SealState(last.no if last else 0, last.total if last else 0, count)
