"""Tables of webhooks: who is told, how far they are, and how each try went."""

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from pointsbank.core.db import BigId, Model, one_of

WEBHOOK_STATES = ("active", "paused", "failed")
SALT_BYTES = 16
CLAIM_BYTES = 16
NAME_LENGTH_MAX = 60
URL_LENGTH_MAX = 400


class Webhook(Model):
    """A system that is told every sealed transfer, in order; position is the last it took.

    Its secret is derived from the service's own and this salt, so that no table holds it.
    """

    __tablename__ = "webhook"
    __table_args__ = (
        CheckConstraint(one_of("state", WEBHOOK_STATES), name="state"),
        CheckConstraint("position >= 0", name="position"),
        CheckConstraint("failures >= 0", name="failures"),
        CheckConstraint("batch_last IS NULL OR batch_last > position", name="batch"),
        CheckConstraint("(claim IS NULL) = (claimed_until IS NULL)", name="claim"),
        CheckConstraint(
            "(previous_salt IS NULL) = (previous_until IS NULL)", name="previous_salt"
        ),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    name: Mapped[str] = mapped_column(String(NAME_LENGTH_MAX))
    url: Mapped[str] = mapped_column(String(URL_LENGTH_MAX))
    salt: Mapped[bytes] = mapped_column(LargeBinary(SALT_BYTES))
    # The secret before this one signs as well until then, so that a receiver can change over.
    previous_salt: Mapped[bytes | None] = mapped_column(LargeBinary(SALT_BYTES))
    previous_until: Mapped[datetime | None]
    state: Mapped[str] = mapped_column(String(8), default="active")
    position: Mapped[int] = mapped_column(default=0)
    # Where the batch ends that is being sent: a try after a failed one sends the same.
    batch_last: Mapped[int | None]
    # How often somebody had it sent again from a position; a part of each message's name.
    series: Mapped[int] = mapped_column(default=0)
    # Which sender is at work, and until when nobody else may be.
    claim: Mapped[bytes | None] = mapped_column(LargeBinary(CLAIM_BYTES))
    claimed_until: Mapped[datetime | None]
    # Tries in a row that failed; the next one waits until next_try_at.
    failures: Mapped[int] = mapped_column(default=0)
    failing_since: Mapped[datetime | None]
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
    # A word for what went wrong, never the receiver's own.
    problem: Mapped[str | None] = mapped_column(String(200))
