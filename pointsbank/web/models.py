"""The table of answers that are given again when a request is repeated."""

from datetime import datetime
from typing import Any

from sqlalchemy import LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from pointsbank.core.db import Model


class IdempotentAnswer(Model):
    """The answer to one request of one member, written in the transaction that did the work."""

    __tablename__ = "idempotent_answer"

    member_id: Mapped[int] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(String(255), primary_key=True)
    request_hash: Mapped[bytes] = mapped_column(LargeBinary(32))
    status: Mapped[int]
    body: Mapped[dict[str, Any]]
    answered_at: Mapped[datetime]
