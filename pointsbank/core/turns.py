"""Writers on SQLite take turns: first come, first served, within a process and between
processes.

SQLite's own wait is a sleep with back-off; under a burst one thread was measured to get one
commit in five seconds. A lock on a file beside the database lets the kernel wake the waiters
instead.
"""

import fcntl
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


class Turns:
    """The queue of writers of one SQLite database."""

    def __init__(self, database: Path) -> None:
        """Keep the lock file beside the database, under the same name with -turn behind it."""
        self._path = database.with_name(database.name + "-turn")
        self._mine = threading.Lock()

    @contextmanager
    def wait(self) -> Iterator[None]:
        """Hold the right to write; return when it is this writer's turn."""
        with self._mine:
            handle = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            try:
                fcntl.flock(handle, fcntl.LOCK_EX)
                yield
            finally:
                os.close(handle)
