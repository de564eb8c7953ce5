"""Tables of webhooks: who is told, how far they are, and how each try went."""

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from pointsbank.core.db import BigId, Model, one_of

WEBHOOK_STATES = ("active", "paused", "failed")
SALT_BYTES = 16


class Webhook(Model):
    """A system that is told every sealed transfer, in order; position is the last it took.

    Its secret is derived from the service's own and this salt, so that no table holds it.
    """

    __tablename__ = "webhook"
    __table_args__ = (
        CheckConstraint(one_of("state", WEBHOOK_STATES), name="state"),
        CheckConstraint("position >= 0", name="position"),
        CheckConstraint("failures >= 0", name="failures"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    name: Mapped[str] = mapped_column(String(60))
    url: Mapped[str] = mapped_column(String(400))
    salt: Mapped[bytes] = mapped_column(LargeBinary(SALT_BYTES))
    state: Mapped[str] = mapped_column(String(8), default="active")
    position: Mapped[int] = mapped_column(default=0)
    # Tries in a row that failed; the next one waits until next_try_at.
    failures: Mapped[int] = mapped_column(default=0)
    next_try_at: Mapped[datetime | None]
    created_by_id: Mapped[int] = mapped_column(ForeignKey("member.id"))
    created_at: Mapped[datetime]


class WebhookTry(Model):
    """One try to deliver positions to a webhook, and how it went."""

    __tablename__ = "webhook_try"
    __table_args__ = (Index(None, "webhook_id", "id"),)

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    webhook_id: Mapped[int] = mapped_column(ForeignKey("webhook.id"))
    first_position: Mapped[int]
    last_position: Mapped[int]
    tried_at: Mapped[datetime]
    milliseconds: Mapped[int]
    # The HTTP status, none where there was no answer.
    status: Mapped[int | None]
    problem: Mapped[str | None] = mapped_column(String(200))
