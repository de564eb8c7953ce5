"""The one place where a transfer is written: one statement on PostgreSQL, steps on SQLite."""

import hashlib
import json
import re
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import Date, Row, TextClause, bindparam, text
from sqlalchemy.orm import Session

from pointsbank.core.db import Moment
from pointsbank.core.errors import KeyReused
from pointsbank.ledger.errors import (
    AccountClosed,
    AccountNotFound,
    BadPoints,
    NotEnoughPoints,
)
from pointsbank.ledger.models import TRANSFER_POINTS_MAX

# Accounts that points come into the world from; the budget of a month limits each.
ISSUERS = "issue:"
MONTH_PATTERN = re.compile(r"20\d\d-(0[1-9]|1[0-2])")


@dataclass(frozen=True)
class Posting:
    """A transfer asked for: whole points from the source account to the target account.

    key: names the cause for ever ("award:17"); a repeat with the same body answers the first
    transfer.
    wallet: the code of the one account of the two that has a floor and a passbook.
    expires_on: for points coming into the wallet, the last local day on which they can be
    spent.
    reason: the sentence printed in the passbook; never a name or a phone.
    hold_id, released: the hold that this spending settles, and all the points it set aside; the
    rest of them becomes available again.
    budget_month: for points out of an issuing account, the local month ("2026-11") whose budget
    they count against.
    """

    key: str
    kind: str
    source: str
    target: str
    wallet: str
    points: int
    occurred_at: datetime
    reason: str
    actor_id: int | None = None
    expires_on: date | None = None
    reverses_id: int | None = None
    hold_id: int | None = None
    released: int = 0
    budget_month: str | None = None

    def __post_init__(self) -> None:
        """Refuse what no caller may build: a transfer to itself, a wallet of neither side,
        points issued outside every budget, a hold that does not cover what it pays.
        """
        if self.source == self.target or self.wallet not in (self.source, self.target):
            raise ValueError(f"the wallet of {self.key} is one of its two different accounts")
        is_issue = self.source.startswith(ISSUERS) and self.reverses_id is None
        if is_issue != (self.budget_month is not None):
            raise ValueError(f"{self.key}: what is issued, and only that, has a budget month")
        if self.budget_month is not None and not MONTH_PATTERN.fullmatch(self.budget_month):
            raise ValueError(f"{self.budget_month!r} is no month")
        if (self.hold_id is None) != (self.released == 0):
            raise ValueError(f"{self.key}: a settled hold releases what it set aside")
        if self.hold_id is not None and (self.is_incoming or self.points > self.released):
            raise ValueError(f"{self.key}: a hold pays for no more than it set aside")

    def judge(self) -> None:
        """Refuse points that no transfer may carry.

        Raises BadPoints.
        """
        if type(self.points) is not int or not 1 <= self.points <= TRANSFER_POINTS_MAX:
            raise BadPoints(limit=TRANSFER_POINTS_MAX)

    @property
    def is_incoming(self) -> bool:
        """Whether the wallet receives."""
        return self.wallet == self.target

    def body_hash(self) -> bytes:
        """Hash what a repeat must agree on: all but the moment and the person who sends it."""
        body = [
            self.kind,
            self.source,
            self.target,
            self.points,
            self.reason,
            self.expires_on and self.expires_on.isoformat(),
            self.reverses_id,
        ]
        if self.hold_id is not None:
            body.append(self.hold_id)
        return hashlib.sha256(json.dumps(body, ensure_ascii=False).encode()).digest()


@dataclass(frozen=True)
class Posted:
    """A transfer as it stands; is_replay tells that it already stood before this call."""

    id: int
    wallet_id: int
    line: int
    balance_after: int
    points: int
    is_replay: bool


def _typed(statement: str) -> TextClause:
    """Bind moments and dates as the tables' own column types do, on both engines."""
    return text(statement).bindparams(
        bindparam("occurred_at", type_=Moment()),
        bindparam("recorded_at", type_=Moment()),
        bindparam("expires_on", type_=Date()),
    )


PRIOR = text(
    """
    SELECT id, wallet_id, wallet_seq, wallet_after, points, request_hash
    FROM transfer WHERE key = :key
    """
)

ACCOUNTS = text("SELECT code, id, closed_at FROM account WHERE code IN (:source, :target)")

AVAILABLE = text("SELECT posted - held FROM wallet WHERE account_id = :id")

MOVE_WALLET = text(
    """
    UPDATE wallet SET posted = posted + :change, held = held - :released, seq = seq + 1
    WHERE account_id = :wallet_id AND posted - held + :released + :change >= 0
    RETURNING posted, seq
    """
)

COLUMNS = """
    key, request_hash, kind, source_id, target_id, points, wallet_id, wallet_seq, wallet_after,
    hold_id, reverses_id, occurred_at, recorded_at, expires_on, actor_id, reason
"""

INSERT_TRANSFER = _typed(
    f"""
    INSERT INTO transfer ({COLUMNS})
    VALUES (:key, :request_hash, :kind, :source_id, :target_id, :points, :wallet_id,
            :wallet_seq, :wallet_after, :hold_id, :reverses_id, :occurred_at, :recorded_at,
            :expires_on, :actor_id, :reason)
    RETURNING id
    """
)

# One round trip. The wallet row's own condition is judged again after a wait for its lock, and
# ON CONFLICT DO NOTHING must not be used: the wallet's UPDATE in the same statement would
# stand.
POST_AT_ONCE = _typed(
    f"""
    WITH prior AS (
        SELECT id, wallet_id, wallet_seq, wallet_after, points, request_hash
        FROM transfer WHERE key = :key
    ), source AS (
        SELECT id FROM account WHERE code = :source AND closed_at IS NULL
    ), target AS (
        SELECT id FROM account WHERE code = :target AND closed_at IS NULL
    ), moved AS (
        UPDATE wallet SET posted = posted + :change, held = held - :released, seq = seq + 1
        FROM source, target
        WHERE account_id = CASE WHEN :change > 0 THEN target.id ELSE source.id END
          AND posted - held + :released + :change >= 0
          AND NOT EXISTS (SELECT 1 FROM prior)
        RETURNING account_id, posted, seq, source.id AS source_id, target.id AS target_id
    ), added AS (
        INSERT INTO transfer ({COLUMNS})
        SELECT :key, :request_hash, :kind, source_id, target_id, :points, account_id, seq,
               posted, CAST(:hold_id AS bigint),
               CAST(:reverses_id AS bigint), CAST(:occurred_at AS timestamptz),
               CAST(:recorded_at AS timestamptz), CAST(:expires_on AS date),
               CAST(:actor_id AS bigint), :reason
        FROM moved
        RETURNING id, wallet_id, wallet_seq, wallet_after, points, request_hash
    )
    SELECT false AS is_replay, added.* FROM added
    UNION ALL SELECT true, prior.* FROM prior
    """
)


def standing_transfer(session: Session, posting: Posting) -> Posted | None:
    """Return the transfer that the posting's key already names; none when it names nothing.

    Raises KeyReused.
    """
    prior = session.execute(PRIOR, {"key": posting.key}).first()
    return None if prior is None else _replay(prior, posting.body_hash())


def write_transfer(session: Session, posting: Posting, now: datetime) -> Posted:
    """Write one transfer row and move its wallet, or answer the transfer its key already names.

    Lots are the caller's to move: service.post does both. The wallet row stays locked until the
    running transaction ends.
    Raises BadPoints, AccountNotFound, AccountClosed, NotEnoughPoints, KeyReused; an
    IntegrityError when the same key is written at the same time, after which core.db.run tries
    again and finds the winner's. Rule: docs/ledger.md, "Posting".
    """
    posting.judge()
    values = _values(posting, now)
    if session.get_bind().dialect.name == "postgresql":
        row = session.execute(POST_AT_ONCE, values).first()
        if row is None:
            # This statement's snapshot may be older than the winner's commit: look again before
            # refusing.
            prior = session.execute(PRIOR, values).first()
            if prior is None:
                raise _refusal(session, posting)
            return _replay(prior, posting.body_hash())
        if row.is_replay:
            return _replay(row, posting.body_hash())
        posted = Posted(
            row.id, row.wallet_id, row.wallet_seq, row.wallet_after, row.points, is_replay=False
        )
    else:
        prior = session.execute(PRIOR, values).first()
        if prior is not None:
            return _replay(prior, posting.body_hash())
        posted = _post_step_by_step(session, posting, values)
    return posted


def _values(posting: Posting, now: datetime) -> dict[str, object]:
    change = posting.points if posting.is_incoming else -posting.points
    return {
        "key": posting.key,
        "request_hash": posting.body_hash(),
        "kind": posting.kind,
        "source": posting.source,
        "target": posting.target,
        "points": posting.points,
        "change": change,
        "released": posting.released,
        "hold_id": posting.hold_id,
        "reverses_id": posting.reverses_id,
        "occurred_at": posting.occurred_at,
        "recorded_at": now,
        "expires_on": posting.expires_on,
        "actor_id": posting.actor_id,
        "reason": posting.reason,
    }


def _replay(row: Row[Any], request_hash: bytes) -> Posted:
    if bytes(row.request_hash) != request_hash:
        raise KeyReused
    return Posted(
        row.id, row.wallet_id, row.wallet_seq, row.wallet_after, row.points, is_replay=True
    )


def _post_step_by_step(session: Session, posting: Posting, values: dict[str, object]) -> Posted:
    accounts = {row.code: row for row in session.execute(ACCOUNTS, values)}
    source, target = accounts.get(posting.source), accounts.get(posting.target)
    if source is None or target is None or source.closed_at or target.closed_at:
        raise _refusal(session, posting)
    wallet_id = accounts[posting.wallet].id
    moved = session.execute(MOVE_WALLET, {**values, "wallet_id": wallet_id}).first()
    if moved is None:
        raise _refusal(session, posting)
    line = {
        "source_id": source.id,
        "target_id": target.id,
        "wallet_id": wallet_id,
        "wallet_seq": moved.seq,
        "wallet_after": moved.posted,
    }
    transfer_id = session.execute(INSERT_TRANSFER, {**values, **line}).scalar_one()
    return Posted(
        transfer_id, wallet_id, moved.seq, moved.posted, posting.points, is_replay=False
    )


def _refusal(session: Session, posting: Posting) -> Exception:
    accounts = {
        row.code: row
        for row in session.execute(
            ACCOUNTS, {"source": posting.source, "target": posting.target}
        )
    }
    if len(accounts) < 2:
        return AccountNotFound()
    if any(row.closed_at for row in accounts.values()):
        return AccountClosed()
    available = session.execute(AVAILABLE, {"id": accounts[posting.wallet].id}).scalar()
    if available is None:
        return AccountNotFound()
    return NotEnoughPoints(available=available, needed=posting.points)
