"""What the service keeps of the small marketplace, and laws that hold in any case."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from proving.world import Rows

# Each statement selects a column named subject: what breaks the law.
LAWS = {
    "stock, shares, days and months are not below zero": """
        SELECT 'reward ' || id AS subject FROM reward WHERE stock < 0
        UNION ALL SELECT 'share of ' || reward_id FROM reward_taken WHERE quantity < 0
        UNION ALL SELECT 'day of ' || member_id FROM spent_by_day WHERE points < 0
        UNION ALL SELECT 'month of ' || merchant_id FROM merchant_month WHERE points < 0
    """,
    "a share is what is had, waits, is ordered or borrowed": """
        SELECT 'reward ' || reward_id || ' member ' || member_id || ' ' || period AS subject
        FROM (
            SELECT reward_id, member_id, period, quantity FROM reward_taken
            UNION ALL SELECT reward_id, member_id, period, voided_quantity - quantity
            FROM redemption WHERE state IN ('waiting', 'completed')
            UNION ALL SELECT reward_id, member_id, period, delivered - quantity
            FROM reward_order WHERE state = 'reserved'
            UNION ALL SELECT reward_id, member_id, '', -1 FROM loan WHERE state = 'out'
        ) AS pieces
        GROUP BY reward_id, member_id, period HAVING SUM(quantity) <> 0
    """,
    "a day is what was had on it": """
        SELECT 'member ' || member_id || ' ' || day AS subject
        FROM (
            SELECT member_id, day, points FROM spent_by_day
            UNION ALL
            SELECT member_id, redeemed_on, voided_quantity * (points / quantity) - points
            FROM redemption WHERE state IN ('waiting', 'completed')
        ) AS points
        GROUP BY member_id, day HAVING SUM(points) <> 0
    """,
    "what is held is what an order, a deal or a loan holds": """
        SELECT 'hold ' || hold.id AS subject FROM hold
        LEFT JOIN (
            SELECT hold_id, (quantity - delivered) * unit_points AS points FROM reward_order
            WHERE state = 'reserved'
            UNION ALL SELECT hold_id, points FROM redemption WHERE state = 'waiting'
            UNION ALL SELECT hold_id, deposit FROM loan WHERE state = 'out'
        ) AS reason ON reason.hold_id = hold.id
        WHERE hold.state = 'open' AND hold.points <> COALESCE(reason.points, 0)
    """,
    "what moved to a merchant or back is a deal, a void, a deposit or by hand": """
        SELECT 'transfer ' || transfer.id AS subject FROM transfer
        JOIN account ON account.kind = 'merchant'
          AND account.id IN (transfer.source_id, transfer.target_id)
        LEFT JOIN redemption ON redemption.transfer_id = transfer.id
        LEFT JOIN loan ON loan.transfer_id = transfer.id
        LEFT JOIN redemption_void ON redemption_void.transfer_id = transfer.id
        WHERE transfer.key NOT LIKE 'reversal:%' AND transfer.points
            <> COALESCE(redemption.points, loan.charged, redemption_void.points, 0)
    """,
}
BROKEN = " UNION ALL ".join(
    f"SELECT '{law}' AS law, subject FROM ({statement}) AS broken_{number}"
    for number, (law, statement) in enumerate(LAWS.items())
)

# What is compared with the model, row by row in this order; columns named *_id are numbered.
ROWS = {
    "merchants": """
        SELECT id AS merchant_id, state, takes_until, month_points_max FROM merchant ORDER BY id
    """,
    "rewards": "SELECT id AS reward_id, stock, state FROM reward ORDER BY id",
    "shares": "SELECT reward_id, member_id, period, quantity FROM reward_taken"
    " WHERE quantity <> 0",
    "days": "SELECT member_id, day, points FROM spent_by_day WHERE points <> 0",
    "deals": """
        SELECT merchant_id, reward_id, member_id, clerk_id, way, quantity, points, period,
               state, voided_quantity, balance_after, redeemed_on
        FROM redemption ORDER BY id
    """,
    "voids": """
        SELECT redemption_id, quantity, points, asked_by_id, needs_second, decision,
               decided_by_id
        FROM redemption_void ORDER BY id
    """,
    "orders": """
        SELECT reward_id, merchant_id, member_id, way, quantity, unit_points, period, delivered,
               state
        FROM reward_order ORDER BY id
    """,
    "loans": """
        SELECT reward_id, merchant_id, member_id, clerk_id, deposit, due_on, state, charged
        FROM loan ORDER BY id
    """,
    "wallets": """
        SELECT account.code, posted, held, seq FROM wallet
        JOIN account ON account.id = wallet.account_id
    """,
    "lots": """
        SELECT account.code, lot.expires_on, lot.granted - lot.used FROM lot
        JOIN account ON account.id = lot.wallet_id WHERE lot.granted > lot.used
    """,
    "holds": "SELECT state, COUNT(*), SUM(points) FROM hold GROUP BY state",
    "takings": """
        SELECT account.code, SUM(CASE WHEN account.id = transfer.target_id THEN points
                                      ELSE -points END)
        FROM account JOIN transfer ON account.id IN (transfer.source_id, transfer.target_id)
        WHERE account.kind = 'merchant' GROUP BY account.code
    """,
    "statements": """
        SELECT merchant_id, month, state, line_count, redeemed_points, voided_points,
               net_points, amount_fen, correction_fen, approved_by_id, paid_by_id
        FROM statement ORDER BY merchant_id, month
    """,
    "lines": """
        SELECT statement.merchant_id, month, no, kind, points, rate_fen, dispute,
               statement_line.correction_fen
        FROM statement_line JOIN statement ON statement.id = statement_line.statement_id
        ORDER BY statement.merchant_id, month, no
    """,
}
# Their rows come in no order that means anything.
UNORDERED = ("shares", "days", "wallets", "lots", "holds", "takings")


# A month is counted under a limit only, but then with all that it brought.
MONTHS = "SELECT merchant_id, month, points FROM merchant_month"
NEWER = """
    SELECT 'deals', id FROM redemption WHERE id > {deals}
    UNION ALL SELECT 'orders', id FROM reward_order WHERE id > {orders}
    UNION ALL SELECT 'loans', id FROM loan WHERE id > {loans}
    ORDER BY 2
"""


@dataclass(frozen=True)
class Numbers:
    """The ids of what the model has by number, each list in the order of the model."""

    persons: Sequence[int]
    merchants: Sequence[int]
    rewards: list[int] = field(default_factory=list)
    deals: list[int] = field(default_factory=list)
    orders: list[int] = field(default_factory=list)
    loans: list[int] = field(default_factory=list)

    def of_column(self, column: str) -> Sequence[int]:
        """Return the ids that a column of this name may hold."""
        things = {
            "merchant_id": self.merchants,
            "reward_id": self.rewards,
            "redemption_id": self.deals,
        }
        return things.get(column, self.persons)

    def learn(self, rows: Rows) -> None:
        """Read the ids of what is new, in the order in which it was made."""
        known = {"deals": self.deals, "orders": self.orders, "loans": self.loans}
        last = {name: ids[-1] if ids else 0 for name, ids in known.items()}
        for name, each in rows.execute(NEWER.format(**last)).fetchall():
            known[name].append(each)

    def plain(self, column: str, value: Any) -> Any:
        """Return a value as the model has it: ids as numbers, days as they are written."""
        if value is None:
            return None
        if column.endswith("_id"):
            return self.of_column(column).index(value)
        if column == "code":
            kind, _, number = value.partition(":")
            known = self.merchants if kind == "merchant" else self.persons
            return f"{kind}:{known.index(int(number))}"
        if isinstance(value, date):
            return value.isoformat()
        # Sums are decimals on PostgreSQL, and what is true is 1 on SQLite.
        return value if isinstance(value, str) else int(value)


def kept_by(rows: Rows, numbers: Numbers) -> dict[str, list[tuple[Any, ...]]]:
    """Read what is kept, over a connection that sees what was committed and no more."""
    found = {}
    for name, statement in ROWS.items():
        answer = rows.execute(statement)
        columns = [each[0] for each in answer.description]
        found[name] = in_order(
            name,
            [tuple(map(numbers.plain, columns, row)) for row in answer.fetchall()],
        )
    return found


def months_of(rows: Rows, numbers: Numbers) -> dict[tuple[int, str], int]:
    """Return what is counted of months, by merchant."""
    return {
        (numbers.merchants.index(merchant_id), month): points
        for merchant_id, month, points in rows.execute(MONTHS).fetchall()
    }


def in_order(name: str, rows: list[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    """Return rows sorted when their order means nothing."""
    return sorted(rows) if name in UNORDERED else rows


def broken_laws(rows: Rows) -> list[str]:
    """Return each law that what is kept breaks; the model is not asked."""
    return [f"{law}: {subject}" for law, subject in rows.execute(BROKEN).fetchall()]
