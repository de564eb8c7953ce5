"""Tables of scans and attendance."""

from datetime import datetime
from typing import Any

from sqlalchemy import (
    JSON,
    CheckConstraint,
    ForeignKey,
    Index,
    LargeBinary,
    String,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from pointsbank.core.db import BigId, Model, one_of

DIRECTIONS = ("in", "out")
RESULTS = ("ok", "confirm", "refuse")
CODE_KINDS = ("venue", "personal", "redemption", "card", "poster", "manual", "unknown")
ATTENDANCE_STATES = ("present", "left", "credited", "held")


class Scan(Model):
    """One scan with its verdict. Every scan is kept, refused ones too; an undone one stays as
    undone.

    nonce is made by the device, so that a resent scan is answered as the first time.
    """

    __tablename__ = "scan"
    __table_args__ = (
        CheckConstraint(one_of("result", RESULTS), name="result"),
        CheckConstraint(one_of("direction", DIRECTIONS), name="direction"),
        CheckConstraint(one_of("code_kind", CODE_KINDS), name="code_kind"),
        CheckConstraint(
            "NOT counts OR (shift_id IS NOT NULL AND member_id IS NOT NULL"
            " AND direction IS NOT NULL)",
            name="counts",
        ),
        UniqueConstraint("actor_id", "nonce"),
        # The rule of qr.md: one counting scan for each shift, member, direction and occurrence.
        Index(
            "uq_scan_counting",
            "shift_id",
            "member_id",
            "direction",
            "occurrence",
            unique=True,
            sqlite_where=text("counts"),
            postgresql_where=text("counts"),
        ),
        Index(None, "shift_id", "id"),
        # One phone that checks several people in is asked for at every scan.
        Index(
            None,
            "device_id",
            "shift_id",
            sqlite_where=text("device_id IS NOT NULL"),
            postgresql_where=text("device_id IS NOT NULL"),
        ),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    actor_id: Mapped[int] = mapped_column(ForeignKey("member.id"))
    nonce: Mapped[str] = mapped_column(String(64))
    # A keyed hash: which code it was can be asked, the code cannot be read back.
    code_hash: Mapped[bytes] = mapped_column(LargeBinary(32), index=True)
    code_kind: Mapped[str] = mapped_column(String(12))
    shift_id: Mapped[int | None] = mapped_column(ForeignKey("shift.id"))
    member_id: Mapped[int | None] = mapped_column(ForeignKey("member.id"), index=True)
    direction: Mapped[str | None] = mapped_column(String(4))
    occurrence: Mapped[int] = mapped_column(default=1)
    result: Mapped[str] = mapped_column(String(8))
    reason: Mapped[str] = mapped_column(String(24))
    # Whether this scan is what the attendance stands on: accepted, not a repeat, not undone.
    counts: Mapped[bool]
    is_offline: Mapped[bool]
    scanned_at: Mapped[datetime]
    recorded_at: Mapped[datetime]
    device_id: Mapped[str | None] = mapped_column(String(64))
    flags: Mapped[list[str]] = mapped_column(JSON)
    note: Mapped[str | None] = mapped_column(String(200))
    verdict: Mapped[dict[str, Any]]
    undone_at: Mapped[datetime | None]


class Attendance(Model):
    """One person at one shift: when they came and left, and what was credited for it."""

    __tablename__ = "attendance"
    __table_args__ = (
        CheckConstraint(one_of("state", ATTENDANCE_STATES), name="state"),
        CheckConstraint(
            "checked_in_at IS NOT NULL OR checked_out_at IS NULL", name="in_before_out"
        ),
        CheckConstraint("checked_out_at >= checked_in_at", name="span"),
        UniqueConstraint("shift_id", "member_id", "occurrence"),
        Index(None, "member_id", "state"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    shift_id: Mapped[int] = mapped_column(ForeignKey("shift.id"))
    member_id: Mapped[int] = mapped_column(ForeignKey("member.id"))
    claim_id: Mapped[int] = mapped_column(ForeignKey("claim.id"))
    occurrence: Mapped[int] = mapped_column(default=1)
    state: Mapped[str] = mapped_column(String(12))
    checked_in_at: Mapped[datetime | None]
    checked_out_at: Mapped[datetime | None]
    flags: Mapped[list[str]] = mapped_column(JSON)
    settled_at: Mapped[datetime | None]
    settled_by_id: Mapped[int | None] = mapped_column(ForeignKey("member.id"))
    held_reason: Mapped[str | None] = mapped_column(String(24))
    service_minutes: Mapped[int | None]
    points: Mapped[int | None]
    standard_id: Mapped[int | None] = mapped_column(ForeignKey("scoring_standard.id"))
    transfer_id: Mapped[int | None] = mapped_column(ForeignKey("transfer.id"))
