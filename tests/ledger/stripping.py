"""Takes the ledger's guards away, as a hand does that holds the database itself."""

from sqlalchemy import text
from sqlalchemy.orm import Session

GUARDED = ("transfer", "block", "merchant_checkpoint")
TABLES = (*GUARDED, "account", "wallet", "lot", "lot_use", "reversed", "hold", "issue_budget")


def strip_guards(session: Session) -> None:
    """Drop the triggers that refuse changes, and let foreign keys ask nothing yet."""
    if session.get_bind().dialect.name == "postgresql":
        # For this transaction alone: triggers, foreign keys among them, are passed by.
        session.execute(text("SET LOCAL session_replication_role = replica"))
        return
    session.execute(text("PRAGMA defer_foreign_keys = ON"))
    names = session.scalars(
        text(f"SELECT name FROM sqlite_master WHERE type = 'trigger' AND tbl_name IN {GUARDED}")
    ).all()
    for name in names:
        session.execute(text(f"DROP TRIGGER {name}"))


def strip_checks(session: Session) -> None:
    """Let columns hold what no check would let in; the transaction is then rolled back."""
    if session.get_bind().dialect.name == "sqlite":
        session.execute(text("PRAGMA ignore_check_constraints = ON"))
        return
    rows = session.execute(
        text(
            "SELECT conrelid::regclass::text AS name, conname FROM pg_constraint"
            f" WHERE contype = 'c' AND conrelid::regclass::text IN {TABLES}"
        )
    ).all()
    for row in rows:
        session.execute(text(f"ALTER TABLE {row.name} DROP CONSTRAINT {row.conname}"))
