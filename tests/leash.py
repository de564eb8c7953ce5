"""Run a command for as long as the test session lives, and no longer.

A service that a test started would outlive a session that is killed; its leash notices the end.
"""

import signal
import subprocess
import sys
import threading
from pathlib import Path
from types import FrameType

if __name__ == "__main__":
    # The folder of this file stands first on the path then, the checkout not at all.
    sys.path[0] = str(Path(__file__).resolve().parent.parent)

from tests.shelf import wait_for_the_end

STOP_SECONDS_MAX = 10


def hold(shelf: Path, command: list[str]) -> int:
    """Run the command until it ends, we are told to stop it, or the session is over."""
    is_told = threading.Event()
    processes: list[subprocess.Popen] = []

    def on_signal(_number: int, _frame: FrameType | None) -> None:
        is_told.set()
        for each in processes:
            each.terminate()

    # Before the command begins: told in between, we would end and the command would go on.
    signal.signal(signal.SIGTERM, on_signal)
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL)
    processes.append(process)
    if is_told.is_set():
        process.terminate()

    def at_the_end() -> None:
        wait_for_the_end(shelf)
        process.terminate()
        try:
            process.wait(STOP_SECONDS_MAX)
        except subprocess.TimeoutExpired:
            process.kill()

    threading.Thread(target=at_the_end, daemon=True).start()
    return process.wait()


if __name__ == "__main__":
    sys.exit(hold(Path(sys.argv[1]), sys.argv[2:]))
