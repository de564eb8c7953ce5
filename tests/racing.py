"""Races: many threads that start at one moment, each with a transaction of its own."""

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from copy import copy
from functools import partial
from types import ModuleType
from typing import Any, TypeVar

import pytest
from flask import Flask
from sqlalchemy.orm import Session

from pointsbank.core.db import reading

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


def loosened(statement: Any, condition: str) -> Any:
    """Return a copy of a text statement in which a condition of its WHERE always holds.

    Raises ValueError when the statement does not ask for it.
    """
    changed = copy(statement)
    if hasattr(changed, "element"):
        changed.element = loosened(statement.element, condition)
        return changed
    if condition not in statement.text:
        raise ValueError(f"there is no {condition!r} to be taken away")
    changed.text = statement.text.replace(condition, "1 = 1")
    return changed


def forget_guard(
    monkeypatch: pytest.MonkeyPatch, module: ModuleType, name: str, condition: str
) -> None:
    """Let one statement of a module write without asking for a condition: for controls."""
    monkeypatch.setattr(module, name, loosened(getattr(module, name), condition))


def after_looking(
    look: Callable[[Session], bool], contestants: Sequence[Callable[[], T]]
) -> list[Callable[[], T | None]]:
    """Return contestants who look first and act when all have looked: for controls.

    Who sees that it cannot be does nothing.
    """
    everyone_has_looked = threading.Barrier(len(contestants))

    def look_and_act(contestant: Callable[[], T]) -> T | None:
        with reading() as session:
            may_act = look(session)
        everyone_has_looked.wait(MEET_SECONDS_MAX)
        return contestant() if may_act else None

    return [partial(look_and_act, each) for each in contestants]
