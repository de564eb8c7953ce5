"""Tables of standards, items and entries, and an item as the rules read it."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from pointsbank.core.db import BigId, Model, one_of
from pointsbank.ledger.models import TRANSFER_POINTS_MAX

# Each: once, whatever time it took: an award, a deduction, what a vote came to.
UNITS = ("hour", "shift", "each")
CATEGORIES = (
    "organization_life",
    "study",
    "duty",
    "volunteer_service",
    "post_service",
    "recognition",
    "deduction",
)
EVIDENCES = ("none", "scan", "photo", "document")
STANDARD_STATES = ("draft", "published", "discarded")
ROUNDINGS = ("floor", "half_up")
# Rule: research/domain.md 1.5: an emergency counts at most half as much again.
COEFFICIENT_PERCENT_MAX = 150
MINUTES_MAX = 24 * 60
# The most one person gets by an item in a local day, an ISO week, a calendar year.
ITEM_CAPS = (
    "points_day_max",
    "points_week_max",
    "points_year_max",
    "hundredths_day_max",
    "hundredths_week_max",
    "hundredths_year_max",
)

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
    counts. coefficient_percent_max: the most a task may multiply it by. rounding: its
    standard's. Caps: None where there is no such limit.
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
    evidence: str = "scan"
    coefficient_percent_max: int = 100
    points_day_max: int | None = None
    points_week_max: int | None = None
    points_year_max: int | None = None
    hundredths_day_max: int | None = None
    hundredths_week_max: int | None = None
    hundredths_year_max: int | None = None
    rounding: str = "floor"

    @property
    def is_for_tasks(self) -> bool:
        """Whether work on a task can be scored by it: it goes by time or by the shift."""
        return self.unit != "each" and self.category != "deduction"


class ScoringStandard(Model):
    """One version of the rules, in force from valid_from until valid_to, which is exclusive.

    A draft has no version and no one is judged by it; what was published is never changed, and
    its valid_to is set once, when the next version is published. valid_to None: still in force.
    """

    __tablename__ = "scoring_standard"
    __table_args__ = (
        CheckConstraint(one_of("state", STANDARD_STATES), name="state"),
        CheckConstraint("(state = 'published') = (version IS NOT NULL)", name="version"),
        CheckConstraint(one_of("rounding", ROUNDINGS), name="rounding"),
        CheckConstraint("valid_to IS NULL OR valid_to > valid_from", name="span"),
        CheckConstraint(
            "published_by_id IS NULL OR published_by_id <> drafted_by_id", name="second_person"
        ),
        Index(
            "uq_scoring_standard_valid_from",
            "valid_from",
            unique=True,
            sqlite_where=text("state = 'published'"),
            postgresql_where=text("state = 'published'"),
        ),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    version: Mapped[int | None] = mapped_column(unique=True)
    name: Mapped[str] = mapped_column(String(120))
    state: Mapped[str] = mapped_column(String(12), default="published")
    valid_from: Mapped[date]
    valid_to: Mapped[date | None]
    rounding: Mapped[str] = mapped_column(String(8), default="floor")
    # How a year is evaluated, by the name of the table ("default", "mobile"): base mode, which
    # categories are base and which bonus, the most of each, the grades' lowest scores.
    # The shape: scoring/tables.py.
    evaluation_tables: Mapped[dict[str, Any]]
    drafted_by_id: Mapped[int | None] = mapped_column(ForeignKey("member.id"))
    drafted_at: Mapped[datetime | None]
    published_by_id: Mapped[int | None] = mapped_column(ForeignKey("member.id"))
    published_at: Mapped[datetime | None]


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
        CheckConstraint(one_of("evidence", EVIDENCES), name="evidence"),
        CheckConstraint(
            f"coefficient_percent_max BETWEEN 100 AND {COEFFICIENT_PERCENT_MAX}",
            name="coefficient",
        ),
        # Rule: research/domain.md 1.6: party duties are evaluated and never paid in points.
        CheckConstraint(
            "category NOT IN ('organization_life', 'deduction') OR points = 0",
            name="never_paid",
        ),
        CheckConstraint(
            " AND ".join(f"({name} IS NULL OR {name} >= 0)" for name in ITEM_CAPS),
            name="caps",
        ),
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
    # What must be kept with an entry.
    evidence: Mapped[str] = mapped_column(String(12), default="scan", server_default="scan")
    # The most that a task may multiply this item by, such as 150 in an emergency.
    coefficient_percent_max: Mapped[int] = mapped_column(default=100, server_default="100")
    # The most of one person in a local day, an ISO week, a calendar year; None: no such limit.
    points_day_max: Mapped[int | None]
    points_week_max: Mapped[int | None]
    points_year_max: Mapped[int | None]
    hundredths_day_max: Mapped[int | None]
    hundredths_week_max: Mapped[int | None]
    hundredths_year_max: Mapped[int | None]


class PointsTaken(Model):
    """What one person got by one item in one span ("2026-11-21", "2026-W47", "2026").

    The row where two settlements meet; kept only where the item limits that span.
    """

    __tablename__ = "points_taken"
    __table_args__ = (CheckConstraint("points >= 0", name="points"),)

    member_id: Mapped[int] = mapped_column(ForeignKey("member.id"), primary_key=True)
    item_code: Mapped[str] = mapped_column(String(40), primary_key=True)
    span: Mapped[str] = mapped_column(String(10), primary_key=True)
    points: Mapped[int]


class StandardTrial(Model):
    """A draft run over a past period (试算): who would have moved, and why. It binds nobody."""

    __tablename__ = "standard_trial"
    __table_args__ = (UniqueConstraint("standard_id", "period", "organization_id", "ran_at"),)

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    standard_id: Mapped[int] = mapped_column(ForeignKey("scoring_standard.id"))
    period: Mapped[str] = mapped_column(String(24))
    organization_id: Mapped[int] = mapped_column(ForeignKey("organization.id"))
    ran_by_id: Mapped[int] = mapped_column(ForeignKey("member.id"))
    ran_at: Mapped[datetime]
    # Of the draft's content, so that publishing shows whether it was tried as it stands.
    digest: Mapped[str] = mapped_column(String(64))
    summary: Mapped[dict[str, Any]]


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
        # It holds what a roll-up adds up of a member.
        Index(
            None,
            "member_id",
            "earned_on",
            postgresql_include=[
                "id",
                "item_id",
                "category",
                "evaluation_hundredths",
                "points",
                "service_minutes",
            ],
        ),
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
