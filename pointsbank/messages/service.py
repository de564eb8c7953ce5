"""Writes of the inbox: tell somebody something once, and mark what they have read."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from sqlalchemy import JSON, bindparam, text, update
from sqlalchemy.orm import Session

from pointsbank.core.db import Moment
from pointsbank.messages.models import Message

# Of several who tell the same thing at once one row stands, and nobody's transaction fails.
TELL = text(
    """
    INSERT INTO message (key, member_id, kind, facts, told_at)
    VALUES (:key, :member_id, :kind, :facts, :now)
    ON CONFLICT (key) DO NOTHING RETURNING id
    """
).bindparams(bindparam("facts", type_=JSON()), bindparam("now", type_=Moment()))


def tell(
    session: Session,
    *,
    key: str,
    member_id: int,
    kind: str,
    facts: dict[str, Any],
    now: datetime,
) -> bool:
    """Put a message into a member's inbox; False when this key was told before.

    key: names the cause for ever, such as "adjustment:17:approved". kind: one of WORDS in
    messages/schemas.py. facts: plain JSON values, never a name, phone or code of anybody.
    """
    values = {"key": key, "member_id": member_id, "kind": kind, "facts": facts, "now": now}
    return session.execute(TELL, values).first() is not None


def tell_each(
    session: Session,
    *,
    key: str,
    member_ids: Iterable[int],
    kind: str,
    facts: dict[str, Any],
    now: datetime,
) -> int:
    """Tell several members the same, each under "{key}:{member}"; return how many are new."""
    return sum(
        tell(
            session,
            key=f"{key}:{member_id}",
            member_id=member_id,
            kind=kind,
            facts=facts,
            now=now,
        )
        for member_id in sorted(set(member_ids))
    )


def mark_read(session: Session, *, member_id: int, up_to_id: int, now: datetime) -> None:
    """Mark a member's messages through this id as read; a repeat keeps the first moment.

    What came in after the reader's page was made has a higher id and stays unread.
    """
    session.execute(
        update(Message)
        .where(
            Message.member_id == member_id, Message.id <= up_to_id, Message.read_at.is_(None)
        )
        .values(read_at=now)
    )
