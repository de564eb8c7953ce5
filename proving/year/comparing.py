"""What a life leaves that matters: each row by what it says, not by when it was written."""

from collections import Counter
from typing import Any

from sqlalchemy import Connection, text

from pointsbank.core.db import Model

# Every column of these, without those that tell when a job wrote the row.
WHOLE = {
    "roll_up": ("as_of",),
    "member_standing": (),
    "standing_count": (),
    "branch_standing": (),
    "snapshot": ("made_at",),
    "snapshot_line": (),
    "score_entry": (),
    "wallet": ("seq",),
    "lot": (),
    "statement": ("closed_at", "digest"),
    "redemption": ("transfer_id",),
    "notice": ("locked_at",),
}
# Rows that name others by ids which depend on who wrote first.
SAID = {
    "transfer": "SELECT transfer.kind, source.code AS source, target.code AS target,"
    " transfer.points, transfer.expires_on, transfer.reason, CASE WHEN transfer.kind = 'expire'"
    " THEN NULL ELSE transfer.occurred_at END AS occurred_at"
    " FROM transfer JOIN account AS source ON source.id = transfer.source_id"
    " JOIN account AS target ON target.id = transfer.target_id",
    "statement_line": "SELECT statement.merchant_id, statement.month, statement_line.kind,"
    " statement_line.redemption_id, statement_line.occurred_at, statement_line.what,"
    " statement_line.points, statement_line.rate_fen, statement_line.correction_fen"
    " FROM statement_line JOIN statement ON statement.id = statement_line.statement_id",
    # That a job was late is the one thing an interrupted life has more to tell of.
    "message": "SELECT key, member_id, kind, facts FROM message WHERE kind NOT LIKE 'job%'",
    "ended": "SELECT job, period FROM job_run WHERE state <> 'done'",
}
SHOWN_MAX = 5


def left_in(connection: Connection) -> dict[str, Counter[str]]:
    """Return the rows of each table as text, with how often each is there."""
    statements = {name: _select(name, without) for name, without in WHOLE.items()} | SAID
    return {
        name: Counter(_said(row) for row in connection.execute(text(statement)))
        for name, statement in statements.items()
    }


def _select(name: str, without: tuple[str, ...]) -> str:
    columns = [each.name for each in Model.metadata.tables[name].columns]
    return f"SELECT {', '.join(each for each in columns if each not in without)} FROM {name}"


def _said(row: Any) -> str:
    return repr([value.hex() if isinstance(value, bytes) else value for value in row])


def differences(
    one: dict[str, Counter[str]], other: dict[str, Counter[str]]
) -> dict[str, list[str]]:
    """Return by table what only one of two lives has left, the first rows of each."""
    found = {}
    for name in one:
        only = [f"interrupted only: {row}" for row in (one[name] - other[name]).elements()]
        only += [f"twin only: {row}" for row in (other[name] - one[name]).elements()]
        if only:
            found[name] = [f"{len(only)} rows differ", *sorted(only)[:SHOWN_MAX]]
    return found
