"""Races: many threads that start at one moment, each with a transaction of its own."""

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from types import ModuleType
from typing import Any, TypeVar

import pytest
from flask import Flask

T = TypeVar("T")

MEET_SECONDS_MAX = 30


def race(app: Flask, contestants: Sequence[Callable[[], T]]) -> list[T | Exception]:
    """Run all at once, each within the application's context; return answers in their order.

    What a contestant raises is its answer.
    """
    start = threading.Barrier(len(contestants))

    def run_one(contestant: Callable[[], T]) -> T | Exception:
        with app.app_context():
            start.wait(MEET_SECONDS_MAX)
            try:
                return contestant()
            except Exception as error:  # noqa: BLE001  # the test judges it
                return error

    with ThreadPoolExecutor(len(contestants)) as pool:
        return list(pool.map(run_one, contestants))


def times(number: int, contestant: Callable[[], T]) -> list[Callable[[], T]]:
    """Return the same contestant so many times."""
    return [contestant] * number


class _Unlocked:
    """A statement that forgets to lock its rows."""

    def __init__(self, statement: Any) -> None:
        self._statement = statement

    def where(self, *conditions: Any) -> "_Unlocked":
        return _Unlocked(self._statement.where(*conditions))

    def order_by(self, *columns: Any) -> "_Unlocked":
        return _Unlocked(self._statement.order_by(*columns))

    def with_for_update(self, **_more: Any) -> Any:
        return self._statement


def forget_lock(monkeypatch: pytest.MonkeyPatch, module: ModuleType, column: Any) -> None:
    """Let a module read this one column without the lock that it asks for: for controls."""
    real = module.select

    def select(*columns: Any) -> Any:
        is_meant = len(columns) == 1 and columns[0] is column
        return _Unlocked(real(*columns)) if is_meant else real(*columns)

    monkeypatch.setattr(module, "select", select)
