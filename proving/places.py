"""Databases that are made clean again and again, as the migrations left them."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from flask import Flask
from sqlalchemy import make_url

from pointsbank.app import create_app
from pointsbank.core.db import db
from proving.steps import STEPS
from proving.world import Rows, World, plain_connection
from tests.databases import settings_for

LEDGER_TABLES = (
    "merchant_checkpoint",
    "block",
    "verification",
    "issue_budget",
    "lot_use",
    "reversed",
    "lot",
    "transfer",
    "hold",
    "wallet",
    "account",
)


class Place:
    """One database with the application on it. clean() makes it as new, in milliseconds."""

    deck = STEPS

    def __init__(self, database_url: str, rows: Rows | None) -> None:
        self.url = make_url(database_url)
        self.app: Flask = create_app(settings_for(database_url))
        self._rows = rows
        self._file = Path(self.url.database or "")
        self._kept = self._file.with_suffix(".clean")

    def keep(self) -> None:
        """Remember a SQLite file as it is now."""
        shutil.copyfile(self._file, self._kept)

    @contextmanager
    def clean(self) -> Iterator[World]:
        """Give a new world in a clean database, and the application's context with it."""
        with self.app.app_context():
            if self._rows is not None:
                self._rows.execute(EMPTY)
                yield World(self._rows)
                return
            db.engine.dispose()
            for file in self._file.parent.glob(f"{self._file.name}-[ws]*"):
                file.unlink()
            shutil.copyfile(self._kept, self._file)
            with plain_connection(self.url.render_as_string(hide_password=False)) as rows:
                yield World(rows)


# Passes by the triggers that keep transfers immutable; only a superuser may.
EMPTY = (
    "BEGIN; SET LOCAL session_replication_role = replica; "
    f"TRUNCATE {', '.join(LEDGER_TABLES)} RESTART IDENTITY CASCADE; COMMIT"
)


@contextmanager
def place(database_url: str) -> Iterator[Place]:
    """Give a migrated database as a place."""
    if make_url(database_url).get_backend_name() == "sqlite":
        made = Place(database_url, None)
        made.keep()
        yield made
    else:
        with plain_connection(database_url) as rows:
            made = Place(database_url, rows)
            yield made
    with made.app.app_context():
        db.engine.dispose()
