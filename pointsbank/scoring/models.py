"""Tables of standards, items and entries, and an item as the rules read it."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from pointsbank.core.db import BigId, Model, one_of
from pointsbank.ledger.models import TRANSFER_POINTS_MAX

UNITS = ("hour", "shift")
CATEGORIES = (
    "organization_life",
    "study",
    "duty",
    "volunteer_service",
    "post_service",
    "recognition",
)
MINUTES_MAX = 24 * 60

MEASURES = ("points", "service_minutes")
ADJUSTMENT_REASONS = (
    "missed_scan",
    "device_failure",
    "paper_record",
    "wrong_entry",
    "commendation",
    "other",
)
ADJUSTMENT_STATES = ("pending", "approved", "refused", "lapsed")
# Rule: docs/ledger.md, "Manual adjustments": so much by hand for one person in one month.
ADJUSTMENT_MONTH_POINTS_MAX = 300
ADJUSTMENT_MONTH_MINUTES_MAX = 8 * 60


@dataclass(frozen=True)
class Item:
    """How one kind of work counts: points and hundredths for each hour, or for a whole shift.

    share_min_percent: how much of the plan must be done for any of it to count.
    unit_minutes: time counts in such steps, rounded down. day_minutes_max: the most one day
    counts.
    """

    id: int
    code: str
    name: str
    name_zh: str
    category: str
    unit: str
    points: int
    evaluation_hundredths: int
    counts_minutes: bool
    unit_minutes: int
    share_min_percent: int
    day_minutes_max: int


class ScoringStandard(Model):
    """One version of the rules; in force from valid_from until the next version's."""

    __tablename__ = "scoring_standard"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    version: Mapped[int] = mapped_column(unique=True)
    name: Mapped[str] = mapped_column(String(120))
    valid_from: Mapped[date] = mapped_column(unique=True)
    # Shares of the evaluation score: category -> the most it can give in a year, in hundredths.
    category_caps: Mapped[dict[str, Any]]


class ScoringItem(Model):
    """How one kind of work counts under one standard."""

    __tablename__ = "scoring_item"
    __table_args__ = (
        UniqueConstraint("standard_id", "code"),
        CheckConstraint(one_of("unit", UNITS), name="unit"),
        CheckConstraint(one_of("category", CATEGORIES), name="category"),
        CheckConstraint("points >= 0", name="points"),
        CheckConstraint("evaluation_hundredths >= 0", name="evaluation"),
        CheckConstraint("share_min_percent BETWEEN 0 AND 100", name="share_min"),
        CheckConstraint("unit_minutes BETWEEN 1 AND 60", name="unit_minutes"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    standard_id: Mapped[int] = mapped_column(ForeignKey("scoring_standard.id"))
    code: Mapped[str] = mapped_column(String(40))
    name: Mapped[str] = mapped_column(String(60))
    name_zh: Mapped[str] = mapped_column(String(60))
    category: Mapped[str] = mapped_column(String(24))
    unit: Mapped[str] = mapped_column(String(8))
    # Points, and hundredths of the evaluation score, for each unit: an hour, or a whole shift.
    points: Mapped[int]
    evaluation_hundredths: Mapped[int]
    counts_minutes: Mapped[bool]
    # Time counts in steps of so many minutes, rounded down.
    unit_minutes: Mapped[int]
    share_min_percent: Mapped[int]
    day_minutes_max: Mapped[int]


class ScoreEntry(Model):
    """What one piece of work added to one person's measures; added, never changed.

    organization_id is where the person belonged when it was earned.
    """

    __tablename__ = "score_entry"
    __table_args__ = (
        CheckConstraint(one_of("category", CATEGORIES), name="category"),
        CheckConstraint(f"ABS(points) <= {TRANSFER_POINTS_MAX}", name="points"),
        CheckConstraint(f"ABS(service_minutes) <= {MINUTES_MAX}", name="service_minutes"),
        Index(None, "earned_on", "member_id"),
        Index(None, "member_id", "earned_on"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    # "award:{claim}": the same cause as the transfer's key, so that work counts once.
    cause: Mapped[str] = mapped_column(String(80), unique=True)
    member_id: Mapped[int] = mapped_column(ForeignKey("member.id"))
    organization_id: Mapped[int] = mapped_column(ForeignKey("organization.id"))
    item_id: Mapped[int] = mapped_column(ForeignKey("scoring_item.id"))
    category: Mapped[str] = mapped_column(String(24))
    evaluation_hundredths: Mapped[int]
    points: Mapped[int]
    service_minutes: Mapped[int]
    title: Mapped[str] = mapped_column(String(120))
    earned_on: Mapped[date]
    recorded_at: Mapped[datetime]


class Adjustment(Model):
    """Points or service minutes entered by hand: asked for by one person, decided by another.

    It has one measure or the other, so that minutes entered by hand can never earn points.
    """

    __tablename__ = "adjustment"
    __table_args__ = (
        CheckConstraint("(points IS NULL) <> (service_minutes IS NULL)", name="one_measure"),
        CheckConstraint(
            f"points IS NULL OR (points <> 0 AND ABS(points) <= {ADJUSTMENT_MONTH_POINTS_MAX})",
            name="points",
        ),
        CheckConstraint(
            "service_minutes IS NULL OR (service_minutes <> 0"
            f" AND ABS(service_minutes) <= {ADJUSTMENT_MONTH_MINUTES_MAX})",
            name="service_minutes",
        ),
        CheckConstraint(one_of("reason_code", ADJUSTMENT_REASONS), name="reason_code"),
        CheckConstraint(one_of("state", ADJUSTMENT_STATES), name="state"),
        CheckConstraint("author_id <> member_id", name="author_is_not_beneficiary"),
        CheckConstraint(
            "decided_by_id IS NULL OR (decided_by_id <> author_id"
            " AND decided_by_id <> member_id)",
            name="second_person",
        ),
        CheckConstraint(
            "(state IN ('approved', 'refused')) = (decided_by_id IS NOT NULL)", name="decision"
        ),
        Index(None, "state", "decide_by"),
        Index(None, "author_id", "asked_at"),
        Index(None, "member_id", "asked_at"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    member_id: Mapped[int] = mapped_column(ForeignKey("member.id"))
    # Where the person belonged when it was asked for.
    organization_id: Mapped[int] = mapped_column(ForeignKey("organization.id"))
    points: Mapped[int | None]
    service_minutes: Mapped[int | None]
    occurred_on: Mapped[date]
    reason_code: Mapped[str] = mapped_column(String(24))
    reason: Mapped[str] = mapped_column(String(200))
    evidence: Mapped[str] = mapped_column(String(400), default="")
    state: Mapped[str] = mapped_column(String(8), default="pending")
    author_id: Mapped[int] = mapped_column(ForeignKey("member.id"))
    asked_at: Mapped[datetime]
    decide_by: Mapped[datetime]
    decided_by_id: Mapped[int | None] = mapped_column(ForeignKey("member.id"))
    decided_at: Mapped[datetime | None]
    decision_reason: Mapped[str] = mapped_column(String(200), default="")
    transfer_id: Mapped[int | None] = mapped_column(ForeignKey("transfer.id"), unique=True)
    entry_id: Mapped[int | None] = mapped_column(ForeignKey("score_entry.id"), unique=True)


class AdjustmentMonth(Model):
    """What is asked for and approved by hand for one person in one local month ("2026-11").

    The row where two adjustments meet; both counts are sums of sizes, whichever the sign.
    """

    __tablename__ = "adjustment_month"
    __table_args__ = (
        CheckConstraint(f"points BETWEEN 0 AND {ADJUSTMENT_MONTH_POINTS_MAX}", name="points"),
        CheckConstraint(
            f"service_minutes BETWEEN 0 AND {ADJUSTMENT_MONTH_MINUTES_MAX}",
            name="service_minutes",
        ),
    )

    member_id: Mapped[int] = mapped_column(ForeignKey("member.id"), primary_key=True)
    month: Mapped[str] = mapped_column(String(7), primary_key=True)
    points: Mapped[int] = mapped_column(default=0)
    service_minutes: Mapped[int] = mapped_column(default=0)
