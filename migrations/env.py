"""Alembic's environment: runs each migration in a transaction of its own on the application's
engine.
"""

from typing import Any

from alembic import context
from flask import current_app
from sqlalchemy import BigInteger, Connection, Integer, String, text
from sqlalchemy.types import TypeDecorator

TYPES = {"Moment": "sa.DateTime(timezone=True)"}


def render_item(kind: str, item: Any, _autogen: Any) -> str | bool:
    """Write our own column types as the plain ones they stand on: a migration never imports the
    package.
    """
    if kind == "type" and isinstance(item, TypeDecorator):
        return TYPES[type(item).__name__]
    return False


def same_type(
    _context: Any, _inspected: Any, _meta: Any, found: Any, wanted: Any
) -> bool | None:
    """Compare types but for what SQLite cannot tell apart."""
    if isinstance(found, (Integer, BigInteger)) and isinstance(wanted, (Integer, BigInteger)):
        return False
    if isinstance(found, String) and isinstance(wanted, String):
        return found.length != wanted.length
    return None


def run_migrations() -> None:
    """Migrate over one connection; SQLite checks foreign keys again when all is rebuilt."""
    database = current_app.extensions["migrate"].db
    with database.engine.connect() as connection:
        is_sqlite = connection.dialect.name == "sqlite"
        if is_sqlite:
            enforce_foreign_keys(connection, False)
        context.configure(
            connection=connection,
            target_metadata=database.metadata,
            render_item=render_item,
            render_as_batch=True,
            compare_type=same_type,
            transaction_per_migration=True,
        )
        with context.begin_transaction():
            context.run_migrations()
        if is_sqlite:
            if connection.execute(text("PRAGMA foreign_key_check")).all():
                raise RuntimeError("a migration left rows that point at nothing")
            connection.rollback()
            enforce_foreign_keys(connection, True)


def enforce_foreign_keys(connection: Connection, are_enforced: bool) -> None:
    """Turn SQLite's foreign keys on or off, past SQLAlchemy, which would begin a transaction.

    Within one the PRAGMA does nothing, and a table that others point at cannot be rebuilt.
    """
    driver = connection.connection.driver_connection
    assert driver is not None
    driver.execute(f"PRAGMA foreign_keys = {'ON' if are_enforced else 'OFF'}")


run_migrations()
