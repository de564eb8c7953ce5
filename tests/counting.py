"""Counts what a service asks of its database."""

from collections.abc import Iterator
from contextlib import contextmanager

from flask import Flask
from sqlalchemy import event

from pointsbank.core.db import db


@contextmanager
def statements_of(app: Flask) -> Iterator[list[str]]:
    """Yield the list that fills with every statement sent until the block ends."""
    sent: list[str] = []

    def note(_connection, _cursor, statement, _parameters, _context, _many):
        sent.append(statement)

    with app.app_context():
        engine = db.engine
    event.listen(engine, "before_cursor_execute", note)
    try:
        yield sent
    finally:
        event.remove(engine, "before_cursor_execute", note)
