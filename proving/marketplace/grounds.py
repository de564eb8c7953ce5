"""Databases in which one small season of the marketplace after the other is played."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

from flask import Flask

from proving.grounds import Grounds, grounds
from proving.marketplace.steps import STEPS
from proving.marketplace.world import World
from proving.world import plain_connection


@contextmanager
def _begin(app: Flask) -> Iterator[World]:
    with plain_connection(app.extensions["settings"].database_url) as rows:
        yield World(app, rows)


class Seasons(Grounds):
    """One application, and a database that is as new for each world."""

    def __init__(self, fresh: Callable[[], str]) -> None:
        """fresh: makes the database as the migrations left it, and returns its URL."""
        super().__init__(fresh, STEPS, _begin)


def seasons(engine: str) -> AbstractContextManager[Grounds]:
    """Give seasons on this engine; their database is gone afterwards."""
    return grounds(engine, STEPS, _begin)
