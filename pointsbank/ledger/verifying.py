"""Proof of the ledger: each rule as one statement that returns the rows that break it."""

from dataclasses import dataclass

from sqlalchemy import text
from sqlalchemy.orm import Session


@dataclass(frozen=True)
class Offender:
    """One row that breaks one rule."""

    rule: str
    subject: str


# Each statement selects a column named subject. Rules and their numbers: docs/ledger.md,
# "Invariants".
RULES = {
    "a wallet holds what came in less what went out": """
        SELECT 'wallet ' || wallet.account_id AS subject FROM wallet
        LEFT JOIN (
            SELECT wallet_id, SUM(CASE WHEN wallet_id = target_id THEN points ELSE -points END)
                AS total
            FROM transfer WHERE wallet_id IS NOT NULL GROUP BY wallet_id
        ) AS lines ON lines.wallet_id = wallet.account_id
        WHERE wallet.posted <> COALESCE(lines.total, 0)
    """,
    "lines are numbered without a gap": """
        SELECT 'wallet ' || wallet.account_id AS subject FROM wallet
        LEFT JOIN (
            SELECT wallet_id, COUNT(*) AS lines, MIN(wallet_seq) AS first,
                   MAX(wallet_seq) AS last
            FROM transfer WHERE wallet_id IS NOT NULL GROUP BY wallet_id
        ) AS book ON book.wallet_id = wallet.account_id
        WHERE wallet.seq <> COALESCE(book.lines, 0) OR wallet.seq <> COALESCE(book.last, 0)
           OR COALESCE(book.first, 1) <> 1
    """,
    "each line's balance follows from the line before": """
        SELECT 'transfer ' || id AS subject FROM (
            SELECT id, wallet_after,
                   CASE WHEN wallet_id = target_id THEN points ELSE -points END AS change,
                   LAG(wallet_after, 1, 0)
                       OVER (PARTITION BY wallet_id ORDER BY wallet_seq) AS before
            FROM transfer WHERE wallet_id IS NOT NULL
        ) AS lines WHERE wallet_after <> before + change
    """,
    "held is the sum of open holds": """
        SELECT 'wallet ' || wallet.account_id AS subject FROM wallet
        LEFT JOIN (
            SELECT wallet_id, SUM(points) AS total FROM hold
            WHERE state = 'open' GROUP BY wallet_id
        ) AS holds ON holds.wallet_id = wallet.account_id
        WHERE wallet.held <> COALESCE(holds.total, 0)
    """,
    "lots hold what the wallet holds": """
        SELECT 'wallet ' || wallet.account_id AS subject FROM wallet
        LEFT JOIN (
            SELECT wallet_id, SUM(granted - used) AS total FROM lot GROUP BY wallet_id
        ) AS lots ON lots.wallet_id = wallet.account_id
        WHERE wallet.posted <> COALESCE(lots.total, 0)
    """,
    "a spending took all its points from lots": """
        SELECT 'transfer ' || transfer.id AS subject FROM transfer
        LEFT JOIN (
            SELECT transfer_id, SUM(points) AS total FROM lot_use GROUP BY transfer_id
        ) AS taken ON taken.transfer_id = transfer.id
        WHERE transfer.wallet_id = transfer.source_id
          AND transfer.points <> COALESCE(taken.total, 0)
    """,
    "no more is reversed than was transferred": """
        SELECT 'transfer ' || original.id AS subject FROM transfer AS original
        LEFT JOIN (
            SELECT reverses_id, SUM(points) AS total FROM transfer
            WHERE reverses_id IS NOT NULL GROUP BY reverses_id
        ) AS reversals ON reversals.reverses_id = original.id
        LEFT JOIN reversed ON reversed.transfer_id = original.id
        WHERE COALESCE(reversals.total, 0) > original.points
           OR COALESCE(reversals.total, 0) <> COALESCE(reversed.reversed, 0)
    """,
    "the wallet of a transfer is its floored account": """
        SELECT 'transfer ' || transfer.id AS subject FROM transfer
        JOIN wallet ON wallet.account_id IN (transfer.source_id, transfer.target_id)
        WHERE transfer.wallet_id IS NULL OR transfer.wallet_id <> wallet.account_id
    """,
}


def offenders(session: Session, *, limit_each: int = 20) -> list[Offender]:
    """Return the rows that break a rule of the ledger; an empty list proves that none does."""
    return [found for rule in RULES for found in offenders_of(session, rule, limit=limit_each)]


def offenders_of(session: Session, rule: str, *, limit: int = 20) -> list[Offender]:
    """Return the rows that break one rule, judged within one statement's snapshot."""
    rows = session.execute(text(f"{RULES[rule]} LIMIT :limit"), {"limit": limit})
    return [Offender(rule, row.subject) for row in rows]
