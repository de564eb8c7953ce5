"""Reads of the inbox."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import func, select, text
from sqlalchemy.engine import Connection
from sqlalchemy.orm import Session

from pointsbank.messages.models import Message

# More than so many are not counted: the badge says 99+.
UNREAD_COUNTED_MAX = 100

UNREAD = text(
    """
    SELECT COUNT(*) FROM (
        SELECT 1 FROM message WHERE member_id = :member_id AND read_at IS NULL LIMIT :most
    ) AS unread
    """
)


# Keys in one IN list: SQLite takes 32,766 values, PostgreSQL 65,535.
KEYS_AT_ONCE = 5000


@dataclass(frozen=True)
class MessageLine:
    """A message in its reader's inbox; its words are in messages/schemas.py."""

    id: int
    kind: str
    facts: dict[str, Any]
    told_at: datetime
    read_at: datetime | None


def inbox(
    session: Session, member_id: int, *, before_id: int | None = None, limit: int = 50
) -> list[MessageLine]:
    """Return a member's messages, newest first, below before_id when it is given."""
    statement = (
        select(Message.id, Message.kind, Message.facts, Message.told_at, Message.read_at)
        .where(Message.member_id == member_id)
        .order_by(Message.id.desc())
        .limit(limit)
    )
    if before_id is not None:
        statement = statement.where(Message.id < before_id)
    return [MessageLine(*row) for row in session.execute(statement)]


def newest_id(session: Session, member_id: int) -> int:
    """Return the id of a member's newest message, 0 without any."""
    found = session.scalar(select(func.max(Message.id)).where(Message.member_id == member_id))
    return int(found or 0)


def told_keys(session: Session, keys: Sequence[str]) -> set[str]:
    """Return those of these keys under which somebody was told something."""
    found: set[str] = set()
    for first in range(0, len(keys), KEYS_AT_ONCE):
        some = keys[first : first + KEYS_AT_ONCE]
        found.update(session.scalars(select(Message.key).where(Message.key.in_(some))))
    return found


def unread_count(session: Session | Connection, member_id: int) -> int:
    """Return how many messages of a member are unread, counted up to UNREAD_COUNTED_MAX."""
    values = {"member_id": member_id, "most": UNREAD_COUNTED_MAX}
    return int(session.execute(UNREAD, values).scalar() or 0)
