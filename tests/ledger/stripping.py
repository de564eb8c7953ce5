"""Takes the ledger's triggers away, as a hand does that holds the database itself."""

from sqlalchemy import text
from sqlalchemy.orm import Session

GUARDED = ("transfer", "block", "merchant_checkpoint")


def strip_guards(session: Session) -> None:
    """Let the running transaction, and on SQLite everyone after it, change what is kept."""
    if session.get_bind().dialect.name == "postgresql":
        # For this transaction alone: triggers that refuse changes are passed by.
        session.execute(text("SET LOCAL session_replication_role = replica"))
        return
    names = session.scalars(
        text(f"SELECT name FROM sqlite_master WHERE type = 'trigger' AND tbl_name IN {GUARDED}")
    ).all()
    for name in names:
        session.execute(text(f"DROP TRIGGER {name}"))
