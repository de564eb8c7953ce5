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
# rejected: the person says that they did not take part.
ATTENDANCE_STATES = ("present", "left", "credited", "held", "rejected")
REVIEW_STATES = ("none", "waiting", "approved", "refused")
OVERTIME_STATES = ("pending", "approved", "refused")
NO_SHOW_STATES = ("recorded", "answered", "excused", "upheld")
# Rule: docs/scanning.md: so many pairs of in and out a person may have on a shift.
OCCURRENCES_MAX = 3
# When somebody came and when they left; a mark that is missing is None.
Pair = tuple[datetime | None, datetime | None]


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
    # What a station without a network showed at the time: {result, reason, direction}.
    device_verdict: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    undone_at: Mapped[datetime | None]


class ScanDifference(Model):
    """A scan that the station judged otherwise than the server did, until the lead settles it.

    decision: let_in makes it count as the station showed it; leave_out keeps the server's.
    """

    __tablename__ = "scan_difference"
    __table_args__ = (
        CheckConstraint(one_of("decision", ("let_in", "leave_out")), name="decision"),
        CheckConstraint(
            "(decision IS NULL) = (decided_by_id IS NULL)"
            " AND (decision IS NULL) = (decided_at IS NULL)",
            name="decided",
        ),
        Index(
            None,
            "shift_id",
            sqlite_where=text("decision IS NULL"),
            postgresql_where=text("decision IS NULL"),
        ),
    )

    scan_id: Mapped[int] = mapped_column(ForeignKey("scan.id"), primary_key=True)
    shift_id: Mapped[int] = mapped_column(ForeignKey("shift.id"))
    device_result: Mapped[str] = mapped_column(String(8))
    device_reason: Mapped[str] = mapped_column(String(24))
    server_result: Mapped[str] = mapped_column(String(8))
    server_reason: Mapped[str] = mapped_column(String(24))
    found_at: Mapped[datetime]
    decision: Mapped[str | None] = mapped_column(String(12))
    decided_by_id: Mapped[int | None] = mapped_column(ForeignKey("member.id"))
    decided_at: Mapped[datetime | None]
    note: Mapped[str | None] = mapped_column(String(200))


class Attendance(Model):
    """One person at one shift: when they came and left, and what was credited for it.

    Whoever comes and goes several times has a row for each; what is credited for all of them
    together stands in the first, and the others are credited with nothing.
    """

    __tablename__ = "attendance"
    __table_args__ = (
        CheckConstraint(one_of("state", ATTENDANCE_STATES), name="state"),
        CheckConstraint(
            "checked_in_at IS NOT NULL OR checked_out_at IS NULL", name="in_before_out"
        ),
        CheckConstraint("checked_out_at >= checked_in_at", name="span"),
        CheckConstraint(f"occurrence BETWEEN 1 AND {OCCURRENCES_MAX}", name="occurrence"),
        CheckConstraint(one_of("review_state", REVIEW_STATES), name="review_state"),
        CheckConstraint("review_score BETWEEN 0 AND 100", name="review_score"),
        CheckConstraint(
            "(review_state IN ('approved', 'refused')) = (reviewed_by_id IS NOT NULL)",
            name="review",
        ),
        CheckConstraint(
            "reviewed_by_id IS NULL OR reviewed_by_id <> member_id", name="second_person"
        ),
        CheckConstraint("(state = 'rejected') = (rejected_at IS NOT NULL)", name="rejection"),
        UniqueConstraint("shift_id", "member_id", "occurrence"),
        Index(None, "member_id", "state"),
        Index(
            None,
            "shift_id",
            "review_state",
            sqlite_where=text("review_state = 'waiting'"),
            postgresql_where=text("review_state = 'waiting'"),
        ),
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
    # Which limit of the item left fewer points than the minutes are worth.
    cut_reason: Mapped[str | None] = mapped_column(String(12))
    # Whole minutes between the marks within the shift, before any rule of the standard.
    present_minutes: Mapped[int | None]
    service_minutes: Mapped[int | None]
    points: Mapped[int | None]
    # What speaks against it, from 0 to 100, with its reasons: [{code, weight}].
    review_score: Mapped[int] = mapped_column(default=0, server_default="0")
    review_reasons: Mapped[list[dict[str, Any]]] = mapped_column(
        JSON, default=list, server_default=text("'[]'")
    )
    review_state: Mapped[str] = mapped_column(String(8), default="none", server_default="none")
    reviewed_by_id: Mapped[int | None] = mapped_column(ForeignKey("member.id"))
    reviewed_at: Mapped[datetime | None]
    review_note: Mapped[str | None] = mapped_column(String(200))
    rejected_at: Mapped[datetime | None]
    rejection_note: Mapped[str | None] = mapped_column(String(200))
    standard_id: Mapped[int | None] = mapped_column(ForeignKey("scoring_standard.id"))
    transfer_id: Mapped[int | None] = mapped_column(ForeignKey("transfer.id"))


class Overtime(Model):
    """A shift that went on longer than planned: asked for by its lead, decided by another."""

    __tablename__ = "overtime"
    __table_args__ = (
        CheckConstraint(one_of("state", OVERTIME_STATES), name="state"),
        CheckConstraint("(state = 'pending') = (decided_by_id IS NULL)", name="decision"),
        CheckConstraint(
            "decided_by_id IS NULL OR decided_by_id <> asked_by_id", name="second_person"
        ),
    )

    shift_id: Mapped[int] = mapped_column(ForeignKey("shift.id"), primary_key=True)
    until: Mapped[datetime]
    reason: Mapped[str] = mapped_column(String(200))
    state: Mapped[str] = mapped_column(String(8), default="pending")
    asked_by_id: Mapped[int] = mapped_column(ForeignKey("member.id"))
    asked_at: Mapped[datetime]
    decided_by_id: Mapped[int | None] = mapped_column(ForeignKey("member.id"))
    decided_at: Mapped[datetime | None]


class HeadCount(Model):
    """How many people the lead saw at a moment, beside how many the scans say."""

    __tablename__ = "head_count"
    __table_args__ = (
        CheckConstraint("counted >= 0", name="counted"),
        CheckConstraint("by_scans >= 0", name="by_scans"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    shift_id: Mapped[int] = mapped_column(ForeignKey("shift.id"), index=True)
    counted: Mapped[int]
    by_scans: Mapped[int]
    counted_by_id: Mapped[int] = mapped_column(ForeignKey("member.id"))
    counted_at: Mapped[datetime]


class RollCall(Model):
    """A random sample of those present, called up in the middle of a shift."""

    __tablename__ = "roll_call"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    shift_id: Mapped[int] = mapped_column(ForeignKey("shift.id"), index=True)
    called_by_id: Mapped[int] = mapped_column(ForeignKey("member.id"))
    called_at: Mapped[datetime]


class RollCallAnswer(Model):
    """One person who was called; is_here: None until it is known."""

    __tablename__ = "roll_call_answer"
    __table_args__ = (
        CheckConstraint("(is_here IS NULL) = (answered_at IS NULL)", name="answer"),
    )

    roll_call_id: Mapped[int] = mapped_column(ForeignKey("roll_call.id"), primary_key=True)
    member_id: Mapped[int] = mapped_column(ForeignKey("member.id"), primary_key=True)
    is_here: Mapped[bool | None]
    answered_at: Mapped[datetime | None]


class CoSignature(Model):
    """A second person who vouches for the list of a large shift."""

    __tablename__ = "co_signature"
    __table_args__ = (CheckConstraint("people >= 0", name="people"),)

    shift_id: Mapped[int] = mapped_column(ForeignKey("shift.id"), primary_key=True)
    member_id: Mapped[int] = mapped_column(ForeignKey("member.id"), primary_key=True)
    # How many had come when they signed.
    people: Mapped[int]
    signed_at: Mapped[datetime]


class NoShow(Model):
    """Somebody who had a place and did not come: the lead records it, the person answers."""

    __tablename__ = "no_show"
    __table_args__ = (
        CheckConstraint(one_of("state", NO_SHOW_STATES), name="state"),
        CheckConstraint(
            "(state IN ('excused', 'upheld')) = (decided_by_id IS NOT NULL)", name="decision"
        ),
        CheckConstraint("(answer IS NULL) = (answered_at IS NULL)", name="answer"),
        CheckConstraint("recorded_by_id <> member_id", name="second_person"),
    )

    claim_id: Mapped[int] = mapped_column(ForeignKey("claim.id"), primary_key=True)
    member_id: Mapped[int] = mapped_column(ForeignKey("member.id"), index=True)
    recorded_by_id: Mapped[int] = mapped_column(ForeignKey("member.id"))
    recorded_at: Mapped[datetime]
    state: Mapped[str] = mapped_column(String(8), default="recorded")
    answer: Mapped[str | None] = mapped_column(String(200))
    answered_at: Mapped[datetime | None]
    decided_by_id: Mapped[int | None] = mapped_column(ForeignKey("member.id"))
    decided_at: Mapped[datetime | None]
