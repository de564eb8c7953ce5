"""Tables of tasks, shifts and claims."""

from datetime import datetime

from sqlalchemy import (
    CheckConstraint,
    Float,
    ForeignKey,
    Index,
    LargeBinary,
    String,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from pointsbank.core.db import BigId, Model, one_of

TASK_KINDS = ("activity", "post", "patrol", "visit", "wish", "need", "mobilization", "meeting")
TASK_STATES = ("draft", "open", "cancelled")
CLAIM_STATES = ("claimed", "waitlisted", "withdrawn")
PLACES_MAX = 2000
HANDLE_BYTES = 5


class Task(Model):
    """A piece of work with its shifts; members see it once it is open."""

    __tablename__ = "task"
    __table_args__ = (
        CheckConstraint(one_of("kind", TASK_KINDS), name="kind"),
        CheckConstraint(one_of("state", TASK_STATES), name="state"),
        Index(None, "state", "organization_id"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    title: Mapped[str] = mapped_column(String(80))
    kind: Mapped[str] = mapped_column(String(16))
    organization_id: Mapped[int] = mapped_column(ForeignKey("organization.id"), index=True)
    organizer_id: Mapped[int] = mapped_column(ForeignKey("member.id"), index=True)
    scoring_item: Mapped[str] = mapped_column(String(40))
    summary: Mapped[str] = mapped_column(String(2000))
    # Recruiting must tell the risks (Regulations on Volunteer Service, article 12).
    risk_note: Mapped[str] = mapped_column(String(500))
    state: Mapped[str] = mapped_column(String(12), default="draft")
    drafted_at: Mapped[datetime]
    published_at: Mapped[datetime | None]


class Shift(Model):
    """A span of time with places. handle is the random name that stands in codes instead of an
    id.

    claimed counts the places taken; it is the row that racing claims meet at.
    """

    __tablename__ = "shift"
    __table_args__ = (
        CheckConstraint("starts_at < ends_at", name="span"),
        CheckConstraint(f"places BETWEEN 1 AND {PLACES_MAX}", name="places"),
        CheckConstraint("0 <= claimed AND claimed <= places", name="claimed"),
        CheckConstraint("latitude BETWEEN -90 AND 90", name="latitude"),
        CheckConstraint("longitude BETWEEN -180 AND 180", name="longitude"),
        Index(None, "starts_at"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    task_id: Mapped[int] = mapped_column(ForeignKey("task.id"), index=True)
    handle: Mapped[bytes] = mapped_column(LargeBinary(HANDLE_BYTES), unique=True)
    starts_at: Mapped[datetime]
    ends_at: Mapped[datetime]
    places: Mapped[int]
    claimed: Mapped[int] = mapped_column(default=0, server_default="0")
    place_name: Mapped[str] = mapped_column(String(120))
    latitude: Mapped[float | None] = mapped_column(Float)
    longitude: Mapped[float | None] = mapped_column(Float)


class Claim(Model):
    """A person's place on a shift, or their place in its waiting line; lower queue numbers move
    up first."""

    __tablename__ = "claim"
    __table_args__ = (
        CheckConstraint(one_of("state", CLAIM_STATES), name="state"),
        UniqueConstraint("shift_id", "queue_no"),
        # One living claim a person and shift; one that was given up stays as history.
        Index(
            "uq_claim_living",
            "shift_id",
            "member_id",
            unique=True,
            sqlite_where=text("state <> 'withdrawn'"),
            postgresql_where=text("state <> 'withdrawn'"),
        ),
        Index(None, "member_id", "state"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    shift_id: Mapped[int] = mapped_column(ForeignKey("shift.id"))
    member_id: Mapped[int] = mapped_column(ForeignKey("member.id"))
    state: Mapped[str] = mapped_column(String(12))
    queue_no: Mapped[int]
    claimed_at: Mapped[datetime]
    promoted_at: Mapped[datetime | None]
    withdrawn_at: Mapped[datetime | None]
    withdrawn_reason: Mapped[str | None] = mapped_column(String(200))
