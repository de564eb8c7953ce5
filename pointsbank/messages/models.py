"""Table of the inbox."""

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from pointsbank.core.db import BigId, Model


class Message(Model):
    """One thing told to one person; key names its cause, so that it is told once."""

    __tablename__ = "message"
    __table_args__ = (Index(None, "member_id", "id"),)

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    key: Mapped[str] = mapped_column(String(120), unique=True)
    member_id: Mapped[int] = mapped_column(ForeignKey("member.id"))
    # Names the sentence in messages/schemas.py; facts are what stands in it.
    kind: Mapped[str] = mapped_column(String(40))
    facts: Mapped[dict[str, Any]]
    told_at: Mapped[datetime]
    read_at: Mapped[datetime | None]
