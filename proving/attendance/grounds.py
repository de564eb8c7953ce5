"""Databases in which one small afternoon after the other is played."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from flask import Flask

from pointsbank.app import create_app
from pointsbank.core.db import db
from proving.attendance.steps import STEPS
from proving.attendance.world import World
from tests.databases import Databases, settings_for
from tests.postgres import URL_VARIABLE, Server, session_prefix
from tests.shelf import Shelf


class Afternoons:
    """One application, and a database that is as new for each world."""

    deck = STEPS

    def __init__(self, fresh: Callable[[], str]) -> None:
        """fresh: makes the database as the migrations left it, and returns its URL."""
        self._fresh = fresh
        self._app: Flask | None = None

    @contextmanager
    def clean(self) -> Iterator[World]:
        """Give a new world in a clean database, and the application's context with it."""
        if self._app is not None:
            self.dispose()
        url = self._fresh()
        if self._app is None:
            self._app = create_app(settings_for(url))
        with self._app.app_context():
            world = World(self._app)
            try:
                yield world
            finally:
                world.rules.stop()

    def dispose(self) -> None:
        """Close the connections that are open."""
        if self._app is not None:
            with self._app.app_context():
                db.engine.dispose()


@contextmanager
def afternoons(engine: str) -> Iterator[Afternoons]:
    """Give afternoons on this engine; their database is gone afterwards."""
    shelf, prefix = Shelf(), session_prefix()
    databases = Databases(shelf.folder, prefix)
    made = Afternoons(lambda: databases.for_one_test(engine)[0])
    try:
        yield made
    finally:
        made.dispose()
        databases.close()
        if URL_VARIABLE in os.environ:
            Server(os.environ[URL_VARIABLE]).drop_databases(prefix)
        shelf.close()
