"""The one place where the time is read; everywhere else it is an argument."""

from datetime import UTC, datetime


def now() -> datetime:
    """Return this moment as an aware UTC datetime."""
    return datetime.now(UTC)


def moment_text(moment: datetime) -> str:
    """Return 2026-11-21T04:00:00.000000Z: a moment as it is hashed and proved."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
