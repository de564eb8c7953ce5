"""When a batch that failed is tried again, and when no more."""

from datetime import datetime, timedelta

BACKOFF_FIRST = timedelta(minutes=1)
BACKOFF_LONGEST = timedelta(hours=12)
# Receivers that failed together are not all called again together.
JITTER_PART = 0.25
FAILING_MAX = timedelta(days=5)
# The receiver says that it is gone for good (Standard Webhooks: stop sending).
GONE = 410


def backoff(failures: int, jitter: float) -> timedelta:
    """Return how long to wait after so many failures in a row: a minute, doubled each time.

    jitter: a fraction from 0 to 1, drawn by the caller; up to a quarter of the wait is added.
    Never longer than twelve hours in all.
    """
    longest = BACKOFF_LONGEST / (1 + JITTER_PART)
    # Eleven doublings are past the longest; more would only overflow.
    wait = min(BACKOFF_FIRST * (1 << min(failures - 1, 11)), longest)
    return wait * (1 + JITTER_PART * jitter)


def is_given_up(status: int | None, failing_since: datetime, now: datetime) -> bool:
    """Tell whether to stop trying: it has failed for five days, or is gone by its own word."""
    return status == GONE or now - failing_since >= FAILING_MAX
