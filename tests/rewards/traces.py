"""All that a redemption may leave behind, to compare before and after."""

from sqlalchemy import text
from sqlalchemy.orm import Session

TABLES = ("redemption_code", "reward", "reward_taken", "redemption", "wallet", "transfer")
MORE_TABLES = ("lot", "lot_use", "audit_entry", "wrong_code", "idempotent_answer", "hold")
BOUNDS = ("spent_by_day", "merchant_month")


def everything(session: Session) -> dict[str, list[str]]:
    """Return every row of these tables."""
    return {
        table: sorted(map(repr, session.execute(text(f"SELECT * FROM {table}"))))
        for table in (*TABLES, *MORE_TABLES, *BOUNDS)
    }
