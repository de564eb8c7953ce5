"""A month or a year of a passbook as a statement that can be checked without this service."""

import re
from dataclasses import dataclass
from datetime import date
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from pointsbank.core.calendar import Period, local_day, midnight, read_period
from pointsbank.ledger.leaves import row_from, text_of_one
from pointsbank.ledger.models import Account, Transfer
from pointsbank.ledger.proving import NotAsSealed, proof_of, proofs_of
from pointsbank.ledger.queries import (
    CROSSING_LINES_MAX,
    BlockHead,
    Line,
    blocks,
    book_lines,
)
from pointsbank.passbooks.errors import (
    BadStatementPeriod,
    FuturePeriod,
    LineNotAsSealed,
    LineNotFound,
)
from pointsbank.passbooks.queries import account_code

STATEMENT_FORMAT = "pointsbank-statement/1"
PERIOD_PATTERN = re.compile(r"20[0-9]{2}(?:-(?:0[1-9]|1[0-2]))?")
MONTHS = 12


@dataclass(frozen=True)
class Statement:
    """The lines of one period, the oldest first, between two balances.

    taken_back: what reversals came to, below zero where they took points out.
    newest: the newest block when this was read; lines through its up_to are sealed.
    """

    period: Period
    opening: int
    closing: int
    lines: tuple[Line, ...]
    newest: BlockHead | None

    @property
    def deposited(self) -> int:
        """What came in, reversals apart."""
        return sum(max(line.points, 0) for line in self.lines if line.kind != "reversal")

    @property
    def withdrawn(self) -> int:
        """What went out, reversals apart; at least 0."""
        return -sum(min(line.points, 0) for line in self.lines if line.kind != "reversal")

    @property
    def taken_back(self) -> int:
        """What reversals gave back less what they took out."""
        return sum(line.points for line in self.lines if line.kind == "reversal")

    @property
    def unsealed(self) -> int:
        """How many lines wait for the next block."""
        return sum(not self.is_sealed(line) for line in self.lines)

    def is_sealed(self, line: Line) -> bool:
        """Tell whether a line lies within the blocks through the newest."""
        return self.newest is not None and line.transfer_id <= self.newest.up_to


def read_statement_period(name: str, today: date) -> Period:
    """Read 2026-11 or 2026.

    Raises BadStatementPeriod, and FuturePeriod for one that begins after today.
    """
    if PERIOD_PATTERN.fullmatch(name) is None:
        raise BadStatementPeriod
    period = read_period(name)
    if period.first_on > today:
        raise FuturePeriod
    return period


def statement_of(session: Session, member_id: int, period: Period, zone: ZoneInfo) -> Statement:
    """Return the statement of a member's book for a period of local days.

    Each line is in exactly one month: from the one after the last of the month before through
    the last that was recorded in this one. Numbers thus never have a gap, although two counters
    at midnight may have read their clocks the other way round.
    """
    code = account_code(member_id)
    # Before the lines: what is sealed meanwhile still counts as unsealed here, and the
    # statement stays true to the block that it names.
    newest = next(iter(blocks(session, limit=1)), None)
    first = _last_line_before(session, code, period.first_on, zone)
    last = _last_line_before(session, code, period.end_on, zone)
    # One more than asked for: the line before the first has the opening balance.
    found = book_lines(session, code, before_line=last + 1, limit=last - first + 1)[::-1]
    opening = found[0].balance_after if found and found[0].line == first else 0
    lines = tuple(line for line in found if line.line > first)
    closing = lines[-1].balance_after if lines else opening
    return Statement(period, opening, closing, lines, newest)


def statement_file(
    session: Session,
    statement: Statement,
    *,
    service: str,
    holder_name: str,
    volunteer_no: str,
) -> dict[str, Any]:
    """Return the statement as tools/verify_statement.py reads it.

    Raises LineNotAsSealed.
    """
    sealed = [line.transfer_id for line in statement.lines if statement.is_sealed(line)]
    try:
        proofs = proofs_of(session, sealed)
    except NotAsSealed as error:
        raise LineNotAsSealed from error
    return {
        "format": STATEMENT_FORMAT,
        "service": service,
        "holder": {"name": holder_name, "volunteer_no": volunteer_no},
        "period": statement.period.name,
        "opening_balance": statement.opening,
        "closing_balance": statement.closing,
        "lines": [
            proofs[line.transfer_id].as_json()
            if line.transfer_id in proofs
            else _unsealed(session, line.transfer_id)
            for line in statement.lines
        ],
        "newest_block": {"no": statement.newest.no, "root": statement.newest.root.hex()}
        if statement.newest
        else None,
    }


def line_proof(session: Session, member_id: int, line: int) -> dict[str, Any]:
    """Return the proof of one line, or the line alone while it is not sealed.

    Raises LineNotFound, LineNotAsSealed.
    """
    found = book_lines(session, account_code(member_id), before_line=line + 1, limit=1)
    if not found or found[0].line != line:
        raise LineNotFound
    try:
        proof = proof_of(session, found[0].transfer_id)
    except NotAsSealed as error:
        raise LineNotAsSealed from error
    return proof.as_json() if proof else _unsealed(session, found[0].transfer_id)


def months_of(session: Session, member_id: int, zone: ZoneInfo, today: date) -> list[date]:
    """Return the months from a book's first line to this one, newest first, by first day."""
    first = session.scalar(
        select(func.min(Transfer.recorded_at))
        .join(Account, Account.id == Transfer.wallet_id)
        .where(Account.code == account_code(member_id))
    )
    began = local_day(first, zone) if first else today
    from_month = min(MONTHS * began.year + began.month, MONTHS * today.year + today.month) - 1
    to_month = MONTHS * today.year + today.month - 1
    return [
        date(month // MONTHS, month % MONTHS + 1, 1)
        for month in range(to_month, from_month - 1, -1)
    ]


def _last_line_before(session: Session, code: str, day: date, zone: ZoneInfo) -> int:
    """Return the number of the last line that was recorded before a local day, 0 for none."""
    newest = (
        select(Transfer.wallet_seq)
        .join(Account, Account.id == Transfer.wallet_id)
        .where(Account.code == code, Transfer.recorded_at < midnight(day, zone))
        .order_by(Transfer.recorded_at.desc(), Transfer.wallet_seq.desc())
        .limit(CROSSING_LINES_MAX)
        .subquery()
    )
    return session.scalar(select(func.max(newest.c.wallet_seq))) or 0


def _unsealed(session: Session, transfer_id: int) -> dict[str, Any]:
    statement = text_of_one(session.get_bind().dialect.name)
    row_text = session.execute(statement, {"id": transfer_id}).scalar_one()
    return {"row": row_from(bytes(row_text).decode()), "unsealed": True}
