"""Many transfers at once: the awards of a shift, the expiry of a night, in one statement."""

import json
from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime

from sqlalchemy import bindparam, text
from sqlalchemy.orm import Session

from pointsbank.core.db import Moment
from pointsbank.ledger import budgets
from pointsbank.ledger.errors import (
    AccountClosed,
    AccountNotFound,
    BudgetSpent,
    NotEnoughPoints,
)
from pointsbank.ledger.posting import Posted, Posting
from pointsbank.ledger.service import post

# More in one statement gains nothing more, and holds its wallets longer.
BATCH_MAX = 200

ACCOUNTS = text("SELECT code, id, closed_at FROM account WHERE code = ANY(:codes)")

AVAILABLE = text("SELECT posted - held FROM wallet WHERE account_id = :id")

KEYS = text("SELECT key FROM transfer WHERE key = ANY(:keys)")

LOCK_WALLETS = text(
    """
    SELECT account_id FROM wallet WHERE account_id = ANY(:wallets)
    ORDER BY account_id FOR NO KEY UPDATE
    """
)

# The wallets are locked before, and this statement's snapshot is younger than their locks, so
# the lots it reads are those that stand. Each wallet occurs once: an UPDATE changes a row once.
POST_TOGETHER = text(
    """
    WITH asked AS (
        SELECT *, CASE WHEN wallet_id = target_id THEN points ELSE -points END AS change
        FROM jsonb_to_recordset(CAST(:asked AS jsonb)) AS line(
            key text, request_hash text, kind text, source_id bigint, target_id bigint,
            points bigint, wallet_id bigint, occurred_at timestamptz, expires_on date,
            actor_id bigint, reason text
        )
    ), moved AS (
        UPDATE wallet SET posted = posted + change, seq = seq + 1
        FROM asked
        WHERE account_id = wallet_id AND posted - held + change >= 0
        RETURNING account_id, posted, seq
    ), added AS (
        INSERT INTO transfer (
            key, request_hash, kind, source_id, target_id, points, wallet_id, wallet_seq,
            wallet_after, occurred_at, recorded_at, expires_on, actor_id, reason
        )
        SELECT key, decode(request_hash, 'hex'), kind, source_id, target_id, points, wallet_id,
               seq, posted, occurred_at, :now, expires_on, actor_id, reason
        FROM asked JOIN moved ON moved.account_id = asked.wallet_id
        RETURNING id, key, wallet_id, wallet_seq, wallet_after, points, target_id, expires_on
    ), granted AS (
        INSERT INTO lot (wallet_id, expires_on, granted, used)
        SELECT wallet_id, expires_on, points, 0 FROM added WHERE wallet_id = target_id
        ON CONFLICT (wallet_id, expires_on)
            DO UPDATE SET granted = lot.granted + excluded.granted
    ), chosen AS (
        INSERT INTO lot_use (transfer_id, expires_on, points)
        SELECT added.id, waiting.expires_on,
               LEAST(waiting.unused, added.points - waiting.before)
        FROM added
        JOIN (
            SELECT wallet_id, expires_on, granted - used AS unused,
                   SUM(granted - used) OVER (PARTITION BY wallet_id ORDER BY expires_on)
                       - (granted - used) AS before
            FROM lot WHERE wallet_id = ANY(:spenders) AND granted > used
        ) AS waiting ON waiting.wallet_id = added.wallet_id
        WHERE added.wallet_id <> added.target_id AND waiting.before < added.points
        RETURNING transfer_id, expires_on, points
    ), charged AS (
        UPDATE lot SET used = used + chosen.points
        FROM chosen JOIN added ON added.id = chosen.transfer_id
        WHERE lot.wallet_id = added.wallet_id AND lot.expires_on = chosen.expires_on
    )
    SELECT id, key, wallet_id, wallet_seq, wallet_after, points FROM added
    """
).bindparams(bindparam("now", type_=Moment()))


def post_many(session: Session, postings: Sequence[Posting], now: datetime) -> list[Posted]:
    """Write many transfers and move their lots, or answer those whose keys already stand.

    The answers are in the order of the postings, and are what post() would give one by one: all
    are written or, with the first refusal, none. PostgreSQL writes them in statements of up to
    BATCH_MAX; there it is one round trip for hundreds. The wallets stay locked until the
    transaction ends: call this last.
    Raises what post raises.
    """
    if len(postings) < 2 or session.get_bind().dialect.name != "postgresql":
        return [post(session, posting, now) for posting in postings]
    standing = set(session.scalars(KEYS, {"keys": [posting.key for posting in postings]}).all())
    # What settles a hold has its own order of steps.
    new = {p.key: p for p in postings if p.key not in standing and p.hold_id is None}
    posted = _write(session, list(new.values()), now) if new else {}
    # A repeat goes the usual way, which compares its body and answers the first; so does the
    # second of two postings with one key here.
    answers = []
    for posting in postings:
        first = posted.pop(posting.key, None)
        answers.append(first or post(session, posting, now))
    return answers


def _write(session: Session, postings: Sequence[Posting], now: datetime) -> dict[str, Posted]:
    """Write new postings, batch by batch; return them by key."""
    for posting in postings:
        posting.judge()
    accounts = _accounts(session, postings)
    if not charge_budgets(session, postings):
        return {}
    lock_wallets(session, {accounts[posting.wallet] for posting in postings})
    posted: dict[str, Posted] = {}
    for batch in batches(postings):
        posted |= _write_batch(session, batch, accounts, now)
    return posted


def charge_budgets(session: Session, postings: Sequence[Posting]) -> bool:
    """Count what is issued against each month's budget, in the order of their codes.

    False, and nothing counted, when not all of it fits: the last of a budget may have gone to
    one of these very postings, sent a moment earlier, so that they are judged one by one.
    """
    issued: Counter[tuple[str, str]] = Counter()
    for posting in postings:
        if posting.budget_month is not None:
            issued[posting.source, posting.budget_month] += posting.points
    charged: list[tuple[str, str]] = []
    for code, month in sorted(issued):
        try:
            budgets.charge(session, code=code, month=month, points=issued[code, month])
        except BudgetSpent:
            for before in charged:
                budgets.uncharge(
                    session, code=before[0], month=before[1], points=issued[before]
                )
            return False
        charged.append((code, month))
    return True


def lock_wallets(session: Session, wallets: Iterable[int]) -> None:
    """Lock wallets in the order of their ids; what is read afterwards stands until the end."""
    session.execute(LOCK_WALLETS, {"wallets": list(wallets)})


def batches(postings: Sequence[Posting]) -> list[list[Posting]]:
    """Gather postings so that no batch holds a wallet twice; a wallet's own keep their order.

    A posting goes into the batch after the last one that holds its wallet.
    """
    gathered: list[list[Posting]] = []
    turns: dict[str, int] = {}
    for posting in postings:
        turn = turns.get(posting.wallet, 0)
        while turn < len(gathered) and len(gathered[turn]) >= BATCH_MAX:
            turn += 1
        if turn == len(gathered):
            gathered.append([])
        gathered[turn].append(posting)
        turns[posting.wallet] = turn + 1
    return gathered


def _accounts(session: Session, postings: Sequence[Posting]) -> dict[str, int]:
    """Return the ids of all accounts by their codes.

    Raises AccountNotFound, AccountClosed.
    """
    codes = {code for posting in postings for code in (posting.source, posting.target)}
    rows = session.execute(ACCOUNTS, {"codes": list(codes)}).all()
    if len(rows) < len(codes):
        raise AccountNotFound
    if any(row.closed_at for row in rows):
        raise AccountClosed
    return {row.code: row.id for row in rows}


def _write_batch(
    session: Session, batch: Sequence[Posting], accounts: dict[str, int], now: datetime
) -> dict[str, Posted]:
    asked = [_asked(posting, accounts) for posting in batch]
    spenders = [accounts[p.wallet] for p in batch if not p.is_incoming]
    rows = session.execute(
        POST_TOGETHER,
        {"asked": json.dumps(asked, ensure_ascii=False), "spenders": spenders, "now": now},
    ).all()
    if len(rows) < len(batch):
        written = {row.key for row in rows}
        refused = next(posting for posting in batch if posting.key not in written)
        available = session.scalar(AVAILABLE, {"id": accounts[refused.wallet]})
        if available is None:
            raise AccountNotFound
        raise NotEnoughPoints(available=available, needed=refused.points)
    return {
        row.key: Posted(
            row.id, row.wallet_id, row.wallet_seq, row.wallet_after, row.points, is_replay=False
        )
        for row in rows
    }


def _asked(posting: Posting, accounts: dict[str, int]) -> dict[str, object]:
    """Return one posting as the statement reads it."""
    return {
        "key": posting.key,
        "request_hash": posting.body_hash().hex(),
        "kind": posting.kind,
        "source_id": accounts[posting.source],
        "target_id": accounts[posting.target],
        "points": posting.points,
        "wallet_id": accounts[posting.wallet],
        "occurred_at": posting.occurred_at.isoformat(),
        "expires_on": posting.expires_on and posting.expires_on.isoformat(),
        "actor_id": posting.actor_id,
        "reason": posting.reason,
    }
