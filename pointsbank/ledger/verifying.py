"""Proof of the ledger: each rule as a statement that finds what breaks it, and all that is
sealed recomputed.
"""

from collections import Counter
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from threading import Lock

from sqlalchemy import Connection, select, text
from sqlalchemy.orm import Session

from pointsbank.ledger.models import Verification
from pointsbank.ledger.recomputing import RULES_OF_BLOCKS, findings
from pointsbank.ledger.rules import RULES_OF_ACCOUNTS

# So many offenders of one rule are named; who finds that many looks further by hand.
NAMED_EACH_MAX = 20
KEPT_MAX = 100

# A rule takes about as long as so large a share of the transfers takes to be recomputed; what
# the progress is told by.
RULE_SHARE = 8

SIZES = text(
    """
    SELECT (SELECT COUNT(*) FROM transfer) AS transfers,
           COALESCE((SELECT MAX(total) FROM block), 0) AS sealed
    """
)

Progress = Callable[[int, int], None]
NOTHING_MORE: Mapping[str, str] = {}


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
           OR reversed.points <> original.points
    """,
    "what came back to lots is what was reversed": """
        SELECT 'transfer ' || returns.transfer_id AS subject FROM (
            SELECT transfer_id, SUM(returned) AS total FROM lot_use GROUP BY transfer_id
        ) AS returns
        LEFT JOIN reversed ON reversed.transfer_id = returns.transfer_id
        WHERE returns.total <> COALESCE(reversed.reversed, 0)
    """,
    # What comes back too late for its lot goes to another, so a lot's use lies between the two.
    "a lot is used by what was taken from it": """
        SELECT 'wallet ' || lot.wallet_id || ' lot ' || lot.expires_on AS subject
        FROM lot LEFT JOIN (
            SELECT transfer.wallet_id, lot_use.expires_on, SUM(lot_use.points) AS taken,
                   SUM(lot_use.returned) AS returned
            FROM lot_use JOIN transfer ON transfer.id = lot_use.transfer_id
            GROUP BY transfer.wallet_id, lot_use.expires_on
        ) AS uses ON uses.wallet_id = lot.wallet_id AND uses.expires_on = lot.expires_on
        WHERE lot.used > COALESCE(uses.taken, 0)
           OR lot.used < COALESCE(uses.taken - uses.returned, 0)
    """,
    "only what a wallet gave was taken from its lots": """
        SELECT 'transfer ' || lot_use.transfer_id AS subject FROM lot_use
        LEFT JOIN transfer ON transfer.id = lot_use.transfer_id
        LEFT JOIN lot
            ON lot.wallet_id = transfer.wallet_id AND lot.expires_on = lot_use.expires_on
        WHERE lot.wallet_id IS NULL OR transfer.wallet_id <> transfer.source_id
    """,
    "a lot was granted what came in for its day": """
        SELECT 'wallet ' || granted.wallet_id || ' lot ' || granted.expires_on AS subject FROM (
            SELECT wallet_id, expires_on, SUM(points) AS total FROM transfer
            WHERE wallet_id = target_id AND expires_on IS NOT NULL
            GROUP BY wallet_id, expires_on
        ) AS granted
        LEFT JOIN lot
            ON lot.wallet_id = granted.wallet_id AND lot.expires_on = granted.expires_on
        WHERE COALESCE(lot.granted, 0) < granted.total
    """,
    "the wallet of a transfer is its floored account": """
        SELECT 'transfer ' || transfer.id AS subject FROM transfer
        LEFT JOIN wallet AS giver ON giver.account_id = transfer.source_id
        LEFT JOIN wallet AS taker ON taker.account_id = transfer.target_id
        WHERE COALESCE(giver.account_id, transfer.wallet_id) <> COALESCE(transfer.wallet_id, 0)
           OR COALESCE(taker.account_id, transfer.wallet_id) <> COALESCE(transfer.wallet_id, 0)
    """,
    **RULES_OF_ACCOUNTS,
}


@dataclass(frozen=True)
class Verified:
    """What one verification found. offenders: at most so many of each rule as were asked for;
    count: how many there are, those of the rules on single rows up to that many.
    """

    rules: int
    transfers: int
    sealed: int
    count: int
    offenders: list[Offender]


@dataclass(frozen=True)
class LastVerified:
    """The newest verification that was kept."""

    finished_at: datetime
    offender_count: int


def offenders(session: Session, *, limit_each: int = NAMED_EACH_MAX) -> list[Offender]:
    """Return the rows that break a rule of the ledger; an empty list proves that none does."""
    return verify(session, limit_each=limit_each).offenders


def verify(
    session: Session,
    *,
    told: Progress | None = None,
    limit_each: int = NAMED_EACH_MAX,
    beside: Connection | None = None,
    more: Mapping[str, str] = NOTHING_MORE,
) -> Verified:
    """Judge the whole ledger by every rule and recompute every block.

    Transfers may be written meanwhile. told: called with how much is done, of how much. beside:
    a second connection, on which a thread judges the rules while blocks are recomputed here; it
    sees only what is committed. more: rules of rooms that the ledger does not know, as in
    RULES.
    """
    rules = {**RULES, **more}
    sizes = session.execute(SIZES).one()
    share = max(1, sizes.transfers // RULE_SHARE)
    steps = _Steps(share * len(rules) + sizes.sealed, told)

    def judge(judged_on: Session | Connection) -> list[Offender]:
        named = []
        for rule, statement in rules.items():
            named += _found(judged_on, rule, statement, limit_each)
            steps.take(share)
        return named

    def recompute() -> tuple[list[Offender], int]:
        named = []
        each: Counter[str] = Counter()
        for rule, subject in findings(session, steps.take):
            each[rule] += 1
            if each[rule] <= limit_each:
                named.append(Offender(rule, subject))
        return named, each.total()

    if beside is None:
        judged = judge(session)
        changed, count = recompute()
    else:
        with ThreadPoolExecutor(max_workers=1) as pool:
            judging = pool.submit(judge, beside)
            changed, count = recompute()
            judged = judging.result()
    return Verified(
        rules=len(rules) + len(RULES_OF_BLOCKS),
        transfers=sizes.transfers,
        sealed=sizes.sealed,
        count=len(judged) + count,
        offenders=[*judged, *changed],
    )


class _Steps:
    """How much of a verification is done; two threads may count."""

    def __init__(self, work: int, told: Progress | None) -> None:
        self._work, self._told, self._done = work, told, 0
        self._lock = Lock()

    def take(self, more: int) -> None:
        """Count so much more as done."""
        with self._lock:
            self._done += more
            if self._told is not None:
                self._told(min(self._done, self._work), self._work)


def offenders_of(
    judged_on: Session | Connection, rule: str, *, limit: int = NAMED_EACH_MAX
) -> list[Offender]:
    """Return the rows that break one rule, judged within one statement's snapshot."""
    return _found(judged_on, rule, RULES[rule], limit)


def _found(
    judged_on: Session | Connection, rule: str, statement: str, limit: int
) -> list[Offender]:
    rows = judged_on.execute(text(f"{statement} LIMIT :limit"), {"limit": limit})
    return [Offender(rule, row.subject) for row in rows]


def record(
    session: Session, verified: Verified, *, started_at: datetime, finished_at: datetime
) -> int:
    """Keep what a verification found and return its id."""
    kept = Verification(
        started_at=started_at,
        finished_at=finished_at,
        rules=verified.rules,
        transfers=verified.transfers,
        offender_count=verified.count,
        offenders={
            "items": [
                {"rule": each.rule, "subject": each.subject}
                for each in verified.offenders[:KEPT_MAX]
            ]
        },
    )
    session.add(kept)
    session.flush()
    return kept.id


def last_verification(session: Session) -> LastVerified | None:
    """Return the newest verification that was kept, None when there is none."""
    row = session.execute(
        select(Verification.finished_at, Verification.offender_count)
        .order_by(Verification.id.desc())
        .limit(1)
    ).first()
    return LastVerified(row.finished_at, row.offender_count) if row else None


def offenders_last_found(session: Session) -> int:
    """Return how many offenders the newest verification found; 0 when none was kept."""
    last = last_verification(session)
    return last.offender_count if last else 0
