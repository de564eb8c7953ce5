"""Tables of roll-ups, standings, frozen snapshots and the grades that people decide."""

from datetime import date, datetime
from typing import Any

from sqlalchemy import JSON, CheckConstraint, ForeignKey, Index, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from pointsbank.appraisals.models import GRADES
from pointsbank.core.db import BigId, Model, one_of

EVALUATION_MAX_HUNDREDTHS = 100 * 100
# A year, a quarter, a month, or a range that a secretary named.
PERIOD_LENGTH_MAX = 24
# What people are ranked by, and where a standing keeps it.
MEASURE_COLUMNS = {
    "evaluation": "evaluation_hundredths",
    "points": "points_earned",
    "minutes": "service_minutes",
}
MEASURES = tuple(MEASURE_COLUMNS)
# Organizations with so many under them that a rank in them is summed up from counts by value.
COUNTED_KINDS = ("district", "street", "community", "general_branch", "work_unit")
REVIEW_STATES = ("open", "confirmed", "noticed", "final")
CORRECTION_STATES = ("pending", "confirmed", "refused")


class CustomPeriod(Model):
    """A span of days with a name of its own, such as "2026-theme"; evaluated like any other."""

    __tablename__ = "custom_period"
    __table_args__ = (CheckConstraint("end_on > first_on", name="span"),)

    name: Mapped[str] = mapped_column(String(PERIOD_LENGTH_MAX), primary_key=True)
    title: Mapped[str] = mapped_column(String(60))
    first_on: Mapped[date]
    end_on: Mapped[date]
    made_by_id: Mapped[int] = mapped_column(ForeignKey("member.id"))
    made_at: Mapped[datetime]


class RollUp(Model):
    """How far one period is rolled up: every entry through entry_id is counted, none beyond.

    entry_id and change_id (of member_change) were the highest when no writer was at work, so
    nothing at or below them comes later. standard_id: the version in force on the period's last
    day, or today while it runs. is_doubted: a check found a difference; the next run starts
    over. entries: those of everybody who has a standing.
    """

    __tablename__ = "roll_up"
    __table_args__ = (CheckConstraint("entries >= 0 AND members >= 0", name="counts"),)

    period: Mapped[str] = mapped_column(String(PERIOD_LENGTH_MAX), primary_key=True)
    first_on: Mapped[date]
    end_on: Mapped[date]
    as_of: Mapped[datetime]
    standard_id: Mapped[int] = mapped_column(ForeignKey("scoring_standard.id"))
    standard_version: Mapped[int]
    entry_id: Mapped[int] = mapped_column(default=0)
    change_id: Mapped[int] = mapped_column(default=0)
    is_doubted: Mapped[bool] = mapped_column(default=False)
    entries: Mapped[int]
    members: Mapped[int]


class MemberStanding(Model):
    """One member's measures in one period; parts explain the score, category by category.

    organization_id, grid_id: where the person belonged on the period's last day, or now while
    it runs. table_name: which of the standard's tables counted. is_exempt: nobody ranks or
    grades them. No foreign keys: the roll-up joins what it writes, and a million look-ups more
    would take as long as the rest of it.
    """

    __tablename__ = "member_standing"
    __table_args__ = (
        CheckConstraint(
            f"evaluation_hundredths BETWEEN 0 AND {EVALUATION_MAX_HUNDREDTHS}",
            name="evaluation",
        ),
        Index(None, "period", "organization_id", "evaluation_hundredths"),
        Index(None, "period", "grid_id", "evaluation_hundredths"),
        Index(None, "period", "evaluation_hundredths", "member_id"),
        Index(None, "period", "points_earned", "member_id"),
        Index(None, "period", "service_minutes", "member_id"),
    )

    period: Mapped[str] = mapped_column(String(PERIOD_LENGTH_MAX), primary_key=True)
    member_id: Mapped[int] = mapped_column(primary_key=True)
    organization_id: Mapped[int]
    grid_id: Mapped[int | None]
    table_name: Mapped[str] = mapped_column(String(16), default="default")
    is_exempt: Mapped[bool] = mapped_column(default=False)
    is_vetoed: Mapped[bool] = mapped_column(default=False)
    base_hundredths: Mapped[int] = mapped_column(default=0)
    bonus_hundredths: Mapped[int] = mapped_column(default=0)
    deduction_hundredths: Mapped[int] = mapped_column(default=0)
    evaluation_hundredths: Mapped[int]
    points_earned: Mapped[int]
    service_minutes: Mapped[int]
    parts: Mapped[list[dict[str, Any]]] = mapped_column(JSON)


class StandingCount(Model):
    """How many members at or under an organization have exactly this value of a measure.

    Kept for organizations with others under them, so that a rank in a district is the sum of
    some hundred rows; a branch or grid is small enough to be counted itself.
    """

    __tablename__ = "standing_count"
    __table_args__ = (
        CheckConstraint(one_of("measure", MEASURES), name="measure"),
        CheckConstraint("members >= 0", name="members"),
    )

    period: Mapped[str] = mapped_column(ForeignKey("roll_up.period"), primary_key=True)
    organization_id: Mapped[int] = mapped_column(
        ForeignKey("organization.id"), primary_key=True
    )
    measure: Mapped[str] = mapped_column(String(12), primary_key=True)
    value: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    members: Mapped[int]


class StandingCheck(Model):
    """What the nightly check of a local day found: the most of its tries, none forgotten."""

    __tablename__ = "standing_check"
    __table_args__ = (CheckConstraint("wrong >= 0", name="wrong"),)

    day: Mapped[date] = mapped_column(primary_key=True)
    checked_at: Mapped[datetime]
    compared: Mapped[int]
    wrong: Mapped[int]


class BranchStanding(Model):
    """One branch's measures: its members' mean score, their points and minutes together."""

    __tablename__ = "branch_standing"

    period: Mapped[str] = mapped_column(ForeignKey("roll_up.period"), primary_key=True)
    organization_id: Mapped[int] = mapped_column(
        ForeignKey("organization.id"), primary_key=True
    )
    member_count: Mapped[int]
    active_count: Mapped[int]
    evaluation_hundredths: Mapped[int]
    points_earned: Mapped[int]
    service_minutes: Mapped[int]
    parts: Mapped[list[dict[str, Any]]] = mapped_column(JSON)


class Snapshot(Model):
    """One organization's period as it was frozen; a correction makes the next version.

    It counts the period's score entries with an id through entry_id that were recorded before
    cut_at, and the sums are theirs; whatever else comes, comes after it. digest: SHA-256 over
    the lines in the spelling of docs/evaluation.md. Rows are only added.
    """

    __tablename__ = "snapshot"
    __table_args__ = (
        UniqueConstraint("period", "organization_id", "version"),
        CheckConstraint("(version = 1) = (reason = '')", name="reason"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    period: Mapped[str] = mapped_column(String(PERIOD_LENGTH_MAX))
    organization_id: Mapped[int] = mapped_column(ForeignKey("organization.id"))
    version: Mapped[int]
    standard_id: Mapped[int] = mapped_column(ForeignKey("scoring_standard.id"))
    cut_at: Mapped[datetime]
    entry_id: Mapped[int]
    entries: Mapped[int]
    sum_hundredths: Mapped[int]
    sum_points: Mapped[int]
    sum_minutes: Mapped[int]
    members: Mapped[int]
    digest: Mapped[str] = mapped_column(String(64))
    reason: Mapped[str] = mapped_column(String(200), default="")
    objection_id: Mapped[int | None] = mapped_column(ForeignKey("objection.id"))
    # None: closed by the job.
    made_by_id: Mapped[int | None] = mapped_column(ForeignKey("member.id"))
    made_at: Mapped[datetime]


class SnapshotLine(Model):
    """One member in a snapshot, with everything that is needed to compute the score by hand."""

    __tablename__ = "snapshot_line"
    __table_args__ = (Index(None, "member_id"),)

    snapshot_id: Mapped[int] = mapped_column(ForeignKey("snapshot.id"), primary_key=True)
    member_id: Mapped[int] = mapped_column(ForeignKey("member.id"), primary_key=True)
    rank: Mapped[int | None]
    table_name: Mapped[str] = mapped_column(String(16))
    is_exempt: Mapped[bool]
    is_vetoed: Mapped[bool]
    base_hundredths: Mapped[int]
    bonus_hundredths: Mapped[int]
    deduction_hundredths: Mapped[int]
    evaluation_hundredths: Mapped[int]
    points_earned: Mapped[int]
    service_minutes: Mapped[int]
    parts: Mapped[list[dict[str, Any]]] = mapped_column(JSON)


class SnapshotCorrection(Model):
    """A closed period that one person wants counted anew, and what another says to it.

    snapshot_id: the version it is about; corrected_id: the version it became.
    """

    __tablename__ = "snapshot_correction"
    __table_args__ = (
        CheckConstraint(one_of("state", CORRECTION_STATES), name="state"),
        CheckConstraint("reason <> ''", name="reason"),
        CheckConstraint(
            "decided_by_id IS NULL OR decided_by_id <> asked_by_id", name="second_person"
        ),
        CheckConstraint("(decided_by_id IS NULL) = (state = 'pending')", name="decided"),
        CheckConstraint("(corrected_id IS NULL) = (state <> 'confirmed')", name="corrected"),
        # One correction of a period waits at a time.
        Index(
            "uq_snapshot_correction_pending",
            "period",
            "organization_id",
            unique=True,
            sqlite_where=text("state = 'pending'"),
            postgresql_where=text("state = 'pending'"),
        ),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    period: Mapped[str] = mapped_column(String(PERIOD_LENGTH_MAX))
    organization_id: Mapped[int] = mapped_column(ForeignKey("organization.id"))
    snapshot_id: Mapped[int] = mapped_column(ForeignKey("snapshot.id"))
    reason: Mapped[str] = mapped_column(String(200))
    objection_id: Mapped[int | None] = mapped_column(ForeignKey("objection.id"))
    state: Mapped[str] = mapped_column(String(12), default="pending")
    asked_by_id: Mapped[int] = mapped_column(ForeignKey("member.id"))
    asked_at: Mapped[datetime]
    decided_by_id: Mapped[int | None] = mapped_column(ForeignKey("member.id"))
    decided_at: Mapped[datetime | None]
    decision_reason: Mapped[str] = mapped_column(String(200), default="")
    corrected_id: Mapped[int | None] = mapped_column(ForeignKey("snapshot.id"), unique=True)


class PeriodCourse(Model):
    """How far one organization's closed period is on its way to the archive.

    Closings and corrections of a period meet at this row. snapshot_id: the version that its
    notice shows, or that was archived without one. archived_by_id None: archived by the job,
    when its notice was locked.
    """

    __tablename__ = "period_course"
    __table_args__ = (
        CheckConstraint("notice_id IS NULL OR snapshot_id IS NOT NULL", name="notice"),
        CheckConstraint("archived_at IS NULL OR snapshot_id IS NOT NULL", name="snapshot"),
        CheckConstraint("archived_by_id IS NULL OR archived_at IS NOT NULL", name="archived"),
        # The job looks for what is shown and not yet archived.
        Index(
            "ix_period_course_shown",
            "notice_id",
            sqlite_where=text("archived_at IS NULL AND notice_id IS NOT NULL"),
            postgresql_where=text("archived_at IS NULL AND notice_id IS NOT NULL"),
        ),
    )

    period: Mapped[str] = mapped_column(String(PERIOD_LENGTH_MAX), primary_key=True)
    organization_id: Mapped[int] = mapped_column(
        ForeignKey("organization.id"), primary_key=True
    )
    notice_id: Mapped[int | None] = mapped_column(ForeignKey("notice.id"))
    snapshot_id: Mapped[int | None] = mapped_column(ForeignKey("snapshot.id"))
    archived_at: Mapped[datetime | None]
    archived_by_id: Mapped[int | None] = mapped_column(ForeignKey("member.id"))


class GradeReview(Model):
    """A branch committee's sitting over one year's grades, begun on one snapshot."""

    __tablename__ = "grade_review"
    __table_args__ = (
        UniqueConstraint("period", "organization_id"),
        CheckConstraint(one_of("state", REVIEW_STATES), name="state"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    period: Mapped[str] = mapped_column(String(PERIOD_LENGTH_MAX))
    organization_id: Mapped[int] = mapped_column(ForeignKey("organization.id"))
    snapshot_id: Mapped[int] = mapped_column(ForeignKey("snapshot.id"))
    state: Mapped[str] = mapped_column(String(12), default="open")
    opened_by_id: Mapped[int] = mapped_column(ForeignKey("member.id"))
    opened_at: Mapped[datetime]
    notice_id: Mapped[int | None] = mapped_column(ForeignKey("notice.id"))
    final_at: Mapped[datetime | None]


class GradeCase(Model):
    """One member's grade: what the rules advise, what the committee says, and why.

    round: a correction that changes the advice begins the next, in which everyone is asked
    anew; what was said before stays readable.
    """

    __tablename__ = "grade_case"
    __table_args__ = (
        CheckConstraint(one_of("advised", GRADES), name="advised"),
        CheckConstraint(f"grade IS NULL OR {one_of('grade', GRADES)}", name="grade"),
        CheckConstraint("grade IS NULL OR grade = advised OR reason <> ''", name="reason"),
        CheckConstraint("(grade IS NULL) = (decided_by_id IS NULL)", name="decided"),
        CheckConstraint("decided_by_id <> member_id", name="recusal"),
        Index(None, "member_id"),
    )

    review_id: Mapped[int] = mapped_column(ForeignKey("grade_review.id"), primary_key=True)
    member_id: Mapped[int] = mapped_column(ForeignKey("member.id"), primary_key=True)
    round: Mapped[int] = mapped_column(default=1)
    advised: Mapped[str] = mapped_column(String(12))
    grade: Mapped[str | None] = mapped_column(String(12))
    reason: Mapped[str] = mapped_column(String(400), default="")
    # Who counted the voices; nobody in their own case.
    decided_by_id: Mapped[int | None] = mapped_column(ForeignKey("member.id"))
    decided_at: Mapped[datetime | None]


class GradeVoice(Model):
    """What one member of the committee says in one case; nobody in their own (回避)."""

    __tablename__ = "grade_voice"
    __table_args__ = (
        CheckConstraint("voter_id <> member_id", name="recusal"),
        CheckConstraint(one_of("grade", GRADES), name="grade"),
    )

    review_id: Mapped[int] = mapped_column(ForeignKey("grade_review.id"), primary_key=True)
    member_id: Mapped[int] = mapped_column(ForeignKey("member.id"), primary_key=True)
    voter_id: Mapped[int] = mapped_column(ForeignKey("member.id"), primary_key=True)
    round: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    grade: Mapped[str] = mapped_column(String(12))
    reason: Mapped[str] = mapped_column(String(400), default="")
    said_at: Mapped[datetime]
