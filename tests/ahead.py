"""The WSGI entry for stories: the service, whose clock runs ahead by what a file says."""

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

from pointsbank.core import clock
from tests.moments import AHEAD_VARIABLE

FILE = Path(os.environ[AHEAD_VARIABLE])


def now_ahead() -> datetime:
    """Return this moment and as many seconds more as the file says now."""
    return datetime.now(UTC) + timedelta(seconds=float(FILE.read_text() or 0))


# Before the application is made: it reads the time through this one place.
clock.now = now_ahead

from wsgi import app  # noqa: E402

__all__ = ["app"]
