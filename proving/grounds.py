"""Databases in which one small world of the whole service after the other is played."""

import os
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any

from flask import Flask

from pointsbank.app import create_app
from pointsbank.core.db import db
from proving.sequences import Deck
from tests.databases import Databases, settings_for
from tests.postgres import URL_VARIABLE, Server, session_prefix
from tests.shelf import Shelf

Begin = Callable[[Flask], AbstractContextManager[Any]]


class Grounds:
    """One application, and a database that is as new for each world."""

    def __init__(self, fresh: Callable[[], str], deck: Deck, begin: Begin) -> None:
        """fresh: makes the database as the migrations left it, and returns its URL."""
        self.deck = deck
        self._fresh = fresh
        self._begin = begin
        self._app: Flask | None = None

    @contextmanager
    def clean(self) -> Iterator[Any]:
        """Give a new world in a clean database, and the application's context with it."""
        if self._app is not None:
            self.dispose()
        url = self._fresh()
        if self._app is None:
            self._app = create_app(settings_for(url))
        with self._app.app_context(), self._begin(self._app) as world:
            yield world

    def dispose(self) -> None:
        """Close the connections that are open."""
        if self._app is not None:
            with self._app.app_context():
                db.engine.dispose()


@contextmanager
def grounds(engine: str, deck: Deck, begin: Begin) -> Iterator[Grounds]:
    """Give grounds on this engine; their database is gone afterwards."""
    shelf, prefix = Shelf(), session_prefix()
    databases = Databases(shelf.folder, prefix)
    made = Grounds(lambda: databases.for_one_test(engine)[0], deck, begin)
    try:
        yield made
    finally:
        made.dispose()
        databases.close()
        if URL_VARIABLE in os.environ:
            Server(os.environ[URL_VARIABLE]).drop_databases(prefix)
        shelf.close()
