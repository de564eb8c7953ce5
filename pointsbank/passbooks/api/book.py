"""The JSON door of one's own passbook."""

from typing import Any

from pointsbank.core.db import reading
from pointsbank.ledger.queries import Line
from pointsbank.passbooks.policy import source_of
from pointsbank.passbooks.queries import lines_of
from pointsbank.passbooks.schemas import BookOut, memo_of
from pointsbank.web.access import current_actor, members_only
from pointsbank.web.contract import Blueprint, PageQuery, cursor_from, position_from

api = Blueprint("passbooks_api", __name__, description="One's own points passbook.")


@api.get("/me/passbook")
@api.arguments(PageQuery, location="query")
@api.response(200, BookOut)
@members_only
def my_book(query: dict[str, Any]) -> dict[str, Any]:
    """List the lines of one's own passbook, newest first."""
    limit = query["limit"]
    with reading() as session:
        lines = lines_of(
            session,
            current_actor().member_id,
            before_line=position_from(query.get("cursor")),
            limit=limit + 1,
        )
    shown = lines[:limit]
    return {
        "items": [item(line) for line in shown],
        "next": cursor_from(shown[-1].line) if len(lines) > limit else None,
    }


def item(line: Line) -> dict[str, Any]:
    """Return a line as the contract has it."""
    return {
        "line": line.line,
        "occurred_at": line.occurred_at,
        "recorded_at": line.recorded_at,
        "kind": line.kind,
        "points": line.points,
        "balance_after": line.balance_after,
        "memo": memo_of(line),
        "transfer_id": line.transfer_id,
        "reverses_line": line.reverses_line,
        "expires_on": line.expires_on,
        "source": source_of(line.key),
    }
