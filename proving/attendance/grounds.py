"""Databases in which one small afternoon after the other is played."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

from flask import Flask

from proving.attendance.steps import STEPS
from proving.attendance.world import World
from proving.grounds import Grounds, grounds


@contextmanager
def _begin(app: Flask) -> Iterator[World]:
    world = World(app)
    try:
        yield world
    finally:
        world.rules.stop()


class Afternoons(Grounds):
    """One application, and a database that is as new for each world."""

    def __init__(self, fresh: Callable[[], str]) -> None:
        """fresh: makes the database as the migrations left it, and returns its URL."""
        super().__init__(fresh, STEPS, _begin)


def afternoons(engine: str) -> AbstractContextManager[Grounds]:
    """Give afternoons on this engine; their database is gone afterwards."""
    return grounds(engine, STEPS, _begin)
