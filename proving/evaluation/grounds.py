"""Databases in which one history after the other is rolled up."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

from flask import Flask

from proving.evaluation.steps import STEPS
from proving.evaluation.world import World
from proving.grounds import Grounds, grounds
from proving.world import plain_connection


@contextmanager
def _begin(app: Flask) -> Iterator[World]:
    with plain_connection(app.extensions["settings"].database_url) as rows:
        yield World(rows)


class Histories(Grounds):
    """One application, and a database that is as new for each history."""

    def __init__(self, fresh: Callable[[], str]) -> None:
        """fresh: makes the database as the migrations left it, and returns its URL."""
        super().__init__(fresh, STEPS, _begin)


def histories(engine: str) -> AbstractContextManager[Grounds]:
    """Give histories on this engine; their database is gone afterwards."""
    return grounds(engine, STEPS, _begin)
