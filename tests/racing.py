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
# A writer calls it to go on at the moment at which whoever watches begins a look.
MeetWatcher = Callable[[], Any]
LOOKS_BESIDE_WRITERS = 2


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


def seen_beside(
    app: Flask, writers: Sequence[Callable[[MeetWatcher], None]], look: Callable[[Session], T]
) -> list[T]:
    """Look again and again while writers write; return what was seen.

    Each writer calls what it is handed LOOKS_BESIDE_WRITERS times, somewhere on its way: all
    wait for each other and for a look that begins there, so that no slow look comes too late.
    """
    meeting = threading.Barrier(len(writers) + 1, timeout=MEET_SECONDS_MAX)
    is_written = threading.Event()

    def write_all() -> None:
        answers = race(app, [partial(each, meeting.wait) for each in writers])
        is_written.set()
        assert answers == [None] * len(writers), answers

    def watch() -> list[T]:
        seen: list[T] = []
        while not is_written.is_set():
            if len(seen) < LOOKS_BESIDE_WRITERS:
                meeting.wait()
            with reading() as session:
                seen.append(look(session))
        return seen

    written, seen = race(app, [write_all, watch])
    assert written is None, written
    assert isinstance(seen, list), seen
    return seen


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


def meet_after(
    monkeypatch: pytest.MonkeyPatch, module: ModuleType, name: str, number: int
) -> None:
    """Let so many threads wait for each other once each has called a function: for controls.

    Where a guard is taken away all have looked before one writes, so that nothing is left to
    chance.
    """
    real = getattr(module, name)
    everyone_has_called = threading.Barrier(number)

    def call_and_wait(*args: Any, **more: Any) -> Any:
        answer = real(*args, **more)
        everyone_has_called.wait(MEET_SECONDS_MAX)
        return answer

    monkeypatch.setattr(module, name, call_and_wait)
