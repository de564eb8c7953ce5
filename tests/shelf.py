"""The folder that one test session shares among its processes, and who of them is alive.

The session's first process holds `alive.lock` for as long as it lives. The kernel lets go of
the lock however that process ends, so whoever waits for it learns of a kill -9 as surely as of
a clean end: nothing that a session started outlives it.
"""

import fcntl
import os
import shutil
import signal
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

PREFIX = "pointsbank-tests-"
VARIABLE = "POINTSBANK_TEST_SHELF"

# A cluster takes tens of MB, its log a quarter of a GB; containers often give /dev/shm 64 MB.
MEMORY_FOLDER_FREE_BYTES_MIN = 2 * 1024**3
# Between making its folder and locking it, a session that starts just now looks abandoned.
ABANDONED_SECONDS_MIN = 60


def roomy_folder() -> Path:
    """Return where databases are quickest: in memory if there is room, else on disk."""
    memory = Path("/dev/shm")
    if not os.access(memory, os.W_OK):
        return Path(tempfile.gettempdir())
    has_room = shutil.disk_usage(memory).free >= MEMORY_FOLDER_FREE_BYTES_MIN
    return memory if has_room else Path(tempfile.gettempdir())


def shelf_folder() -> Path:
    """Return the folder of the session that this process belongs to."""
    return Path(os.environ[VARIABLE])


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold a file's lock against every other process; wait for it as long as it takes."""
    with path.open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def is_held(path: Path) -> bool:
    """Tell whether some process holds the lock of a file."""
    try:
        with path.open("r") as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
            return False
    except FileNotFoundError:
        return False
    except BlockingIOError:
        return True


class Shelf:
    """The shared folder, opened by the session's first process."""

    def __init__(self, parent: Path | None = None) -> None:
        """Make the folder where databases are quickest, or in a parent of the caller's."""
        parent = parent or roomy_folder()
        sweep(parent)
        self.folder = Path(tempfile.mkdtemp(prefix=PREFIX, dir=parent))
        # The database server may run as another user, who must be able to pass through.
        self.folder.chmod(0o711)
        self._alive = (self.folder / "alive.lock").open("a")
        fcntl.flock(self._alive, fcntl.LOCK_EX)

    def close(self, seconds_max: float = 30.0) -> None:
        """Let go, wait until the server's keeper has stopped it, and remove the folder."""
        self._alive.close()
        deadline = time.monotonic() + seconds_max
        while is_held(self.folder / "keeper.lock") and time.monotonic() < deadline:
            time.sleep(0.02)
        shutil.rmtree(self.folder, ignore_errors=True)


def wait_for_the_end(folder: Path) -> None:
    """Return when the session that made this folder is over, in whatever way it ended."""
    with (folder / "alive.lock").open("r") as file:
        fcntl.flock(file, fcntl.LOCK_SH)


def sweep(parent: Path) -> None:
    """Stop the servers and remove the folders that killed sessions of this user left behind."""
    for folder in parent.glob(PREFIX + "*"):
        with suppress(OSError):
            made = folder.stat()
            if (
                made.st_uid != os.getuid()
                or time.time() - made.st_mtime < ABANDONED_SECONDS_MIN
            ):
                continue
            if is_held(folder / "alive.lock") or is_held(folder / "keeper.lock"):
                continue
            kill_server_in(folder / "data")
            shutil.rmtree(folder, ignore_errors=True)


def kill_server_in(data: Path) -> None:
    """End the PostgreSQL that runs on a data directory, if one still does."""
    with suppress(OSError, ValueError, IndexError):
        pid = int((data / "postmaster.pid").read_text().splitlines()[0])
        # The number may have been given to another program since.
        command = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
        if str(data).encode() in command:
            os.kill(pid, signal.SIGQUIT)
