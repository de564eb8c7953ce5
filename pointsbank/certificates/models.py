"""Tables of volunteer stars and of the stars of organizations."""

from datetime import date, datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, LargeBinary, String, text
from sqlalchemy.orm import Mapped, mapped_column

from pointsbank.core.db import BigId, Model, one_of

STARS_MAX = 5
# Hours of service of a volunteer, or marks of an organization's plan.
LEVEL_KINDS = ("volunteer", "organization")
HOURS_MAX = 100_000
MARKS_ALL = 100
STAR_STATES = ("applied", "noticed", "awarded", "refused", "withdrawn", "revoked")
# Nobody has two of these at once.
OPEN_STATES = ("applied", "noticed")
REVOCATION_STATES = ("pending", "confirmed", "rejected")
PLAN_STATES = ("filed", "self_rated", "reviewed", "noticed", "awarded", "refused", "withdrawn")
# Rule: research/domain.md 2.1: whoever cheated is barred for one to three years.
BAR_YEARS_MAX = 3
REASON_LENGTH_MAX = 200
TASK_LENGTH_MAX = 120
TEXT_LENGTH_MAX = 400


class StarLevel(Model):
    """So much is needed for so many stars, from a day on; a later day replaces the whole set.

    least: hours of service (民函〔2012〕340号), or marks of a plan.
    """

    __tablename__ = "star_level"
    __table_args__ = (
        CheckConstraint(one_of("kind", LEVEL_KINDS), name="kind"),
        CheckConstraint(f"stars BETWEEN 1 AND {STARS_MAX}", name="stars"),
        CheckConstraint(f"least BETWEEN 1 AND {HOURS_MAX}", name="least"),
        CheckConstraint(f"kind = 'volunteer' OR least <= {MARKS_ALL}", name="marks"),
    )

    kind: Mapped[str] = mapped_column(String(12), primary_key=True)
    valid_from: Mapped[date] = mapped_column(primary_key=True)
    stars: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    least: Mapped[int]


class StarCount(Model):
    """How many awards a year has numbered: the row where two awards at once meet."""

    __tablename__ = "star_count"
    __table_args__ = (CheckConstraint("drawn > 0", name="drawn"),)

    year: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    drawn: Mapped[int]


class NumberCheck(Model):
    """How often numbers of awards were looked up from one place; key_hash is keyed."""

    __tablename__ = "number_check"
    __table_args__ = (CheckConstraint("checks >= 0", name="checks"), Index(None, "since"))

    key_hash: Mapped[bytes] = mapped_column(LargeBinary(32), primary_key=True)
    checks: Mapped[int]
    # When the quarter of an hour began that they are counted in.
    since: Mapped[datetime]


class StarApplication(Model):
    """One member's application for one star."""

    __tablename__ = "star_application"
    __table_args__ = (
        CheckConstraint(f"stars BETWEEN 1 AND {STARS_MAX}", name="stars"),
        CheckConstraint(f"hours_needed BETWEEN 1 AND {HOURS_MAX}", name="hours_needed"),
        CheckConstraint("service_minutes >= 60 * hours_needed", name="service_minutes"),
        CheckConstraint(one_of("state", STAR_STATES), name="state"),
        CheckConstraint(
            "decided_by_id IS NULL OR decided_by_id <> member_id", name="not_oneself"
        ),
        CheckConstraint(
            "(number IS NULL) = (state NOT IN ('awarded', 'revoked'))", name="number"
        ),
        CheckConstraint("(number IS NULL) = (awarded_on IS NULL)", name="awarded"),
        CheckConstraint(
            "state NOT IN ('noticed', 'awarded', 'revoked') OR notice_id IS NOT NULL",
            name="notice",
        ),
        CheckConstraint("state <> 'refused' OR decision_reason <> ''", name="reason"),
        # The same star twice, and two stars at once, meet here.
        Index(
            "uq_star_application_alive",
            "member_id",
            "stars",
            unique=True,
            sqlite_where=text("state IN ('applied', 'noticed', 'awarded')"),
            postgresql_where=text("state IN ('applied', 'noticed', 'awarded')"),
        ),
        Index(
            "uq_star_application_open",
            "member_id",
            unique=True,
            sqlite_where=text("state IN ('applied', 'noticed')"),
            postgresql_where=text("state IN ('applied', 'noticed')"),
        ),
        Index(None, "organization_id", "state"),
        Index(None, "notice_id"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    member_id: Mapped[int] = mapped_column(ForeignKey("member.id"), index=True)
    organization_id: Mapped[int] = mapped_column(ForeignKey("organization.id"))
    stars: Mapped[int]
    # What the levels asked on that day; a later set does not change it.
    hours_needed: Mapped[int]
    # Service time when it was applied for; checked anew when it is awarded.
    service_minutes: Mapped[int]
    state: Mapped[str] = mapped_column(String(12), default="applied")
    applied_at: Mapped[datetime]
    notice_id: Mapped[int | None] = mapped_column(ForeignKey("notice.id"))
    # Who put it into the notice, refused it or took it out; None: the job.
    decided_by_id: Mapped[int | None] = mapped_column(ForeignKey("member.id"))
    decided_at: Mapped[datetime | None]
    decision_reason: Mapped[str] = mapped_column(String(REASON_LENGTH_MAX), default="")
    number: Mapped[str | None] = mapped_column(String(24), unique=True)
    awarded_on: Mapped[date | None]


class StarRevocation(Model):
    """A star taken back for cheating: asked for by one person, decided by another."""

    __tablename__ = "star_revocation"
    __table_args__ = (
        CheckConstraint(one_of("state", REVOCATION_STATES), name="state"),
        CheckConstraint(f"bar_years BETWEEN 1 AND {BAR_YEARS_MAX}", name="bar_years"),
        CheckConstraint("asked_by_id <> member_id", name="not_oneself"),
        CheckConstraint(
            "decided_by_id IS NULL OR (decided_by_id <> asked_by_id"
            " AND decided_by_id <> member_id)",
            name="second_person",
        ),
        CheckConstraint("(decided_by_id IS NULL) = (state = 'pending')", name="decided"),
        CheckConstraint("(barred_until IS NULL) = (state <> 'confirmed')", name="bar"),
        CheckConstraint("reason <> ''", name="reason"),
        Index(
            "uq_star_revocation_alive",
            "application_id",
            unique=True,
            sqlite_where=text("state IN ('pending', 'confirmed')"),
            postgresql_where=text("state IN ('pending', 'confirmed')"),
        ),
        Index(None, "member_id", "barred_until"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    application_id: Mapped[int] = mapped_column(ForeignKey("star_application.id"))
    member_id: Mapped[int] = mapped_column(ForeignKey("member.id"))
    reason: Mapped[str] = mapped_column(String(REASON_LENGTH_MAX))
    bar_years: Mapped[int]
    state: Mapped[str] = mapped_column(String(12), default="pending")
    asked_by_id: Mapped[int] = mapped_column(ForeignKey("member.id"))
    asked_at: Mapped[datetime]
    decided_by_id: Mapped[int | None] = mapped_column(ForeignKey("member.id"))
    decided_at: Mapped[datetime | None]
    decision_reason: Mapped[str] = mapped_column(String(REASON_LENGTH_MAX), default="")
    # The first local day on which the member may apply again.
    barred_until: Mapped[date | None]


class OrganizationStarPlan(Model):
    """A year's plan of an organization that applies for stars: tasks, owners, due days."""

    __tablename__ = "organization_star_plan"
    __table_args__ = (
        Index(
            "uq_organization_star_plan_alive",
            "organization_id",
            "year",
            unique=True,
            sqlite_where=text("state <> 'withdrawn'"),
            postgresql_where=text("state <> 'withdrawn'"),
        ),
        CheckConstraint(one_of("state", PLAN_STATES), name="state"),
        CheckConstraint(f"stars BETWEEN 0 AND {STARS_MAX}", name="stars"),
        CheckConstraint(
            "reviewed_by_id IS NULL OR (reviewed_by_id <> filed_by_id"
            " AND reviewed_by_id <> self_rated_by_id)",
            name="second_person",
        ),
        CheckConstraint(
            "state NOT IN ('reviewed', 'noticed', 'awarded') OR stars > 0", name="rated"
        ),
        CheckConstraint("(awarded_on IS NULL) = (state <> 'awarded')", name="awarded"),
        CheckConstraint(
            "state NOT IN ('noticed', 'awarded') OR notice_id IS NOT NULL", name="notice"
        ),
        Index(None, "year", "state"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    organization_id: Mapped[int] = mapped_column(ForeignKey("organization.id"))
    year: Mapped[int]
    state: Mapped[str] = mapped_column(String(12), default="filed")
    stars: Mapped[int] = mapped_column(default=0)
    filed_by_id: Mapped[int] = mapped_column(ForeignKey("member.id"))
    filed_at: Mapped[datetime]
    self_rated_by_id: Mapped[int | None] = mapped_column(ForeignKey("member.id"))
    self_rated_at: Mapped[datetime | None]
    reviewed_by_id: Mapped[int | None] = mapped_column(ForeignKey("member.id"))
    reviewed_at: Mapped[datetime | None]
    # What the reviewer says; why it was refused, or taken out of the notice.
    review: Mapped[str] = mapped_column(String(TEXT_LENGTH_MAX), default="")
    notice_id: Mapped[int | None] = mapped_column(ForeignKey("notice.id"), index=True)
    awarded_on: Mapped[date | None]


class PlanItem(Model):
    """One task of a plan; its marks count only once it is delivered, with evidence."""

    __tablename__ = "plan_item"
    __table_args__ = (
        CheckConstraint(f"marks BETWEEN 1 AND {MARKS_ALL}", name="marks"),
        CheckConstraint("self_marks IS NULL OR self_marks BETWEEN 0 AND marks", name="self"),
        CheckConstraint(
            "reviewed_marks IS NULL OR reviewed_marks BETWEEN 0 AND marks", name="reviewed"
        ),
        CheckConstraint(
            "delivered_on IS NOT NULL"
            " OR (COALESCE(self_marks, 0) = 0 AND COALESCE(reviewed_marks, 0) = 0)",
            name="delivered",
        ),
        CheckConstraint(
            "(delivered_on IS NULL) = (evidence = '')"
            " AND (delivered_on IS NULL) = (delivered_by_id IS NULL)",
            name="evidence",
        ),
        Index(None, "owner_id", "due_on"),
    )

    plan_id: Mapped[int] = mapped_column(
        ForeignKey("organization_star_plan.id"), primary_key=True
    )
    no: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    task: Mapped[str] = mapped_column(String(TASK_LENGTH_MAX))
    measures: Mapped[str] = mapped_column(String(TEXT_LENGTH_MAX), default="")
    owner_id: Mapped[int] = mapped_column(ForeignKey("member.id"))
    due_on: Mapped[date]
    marks: Mapped[int]
    delivered_on: Mapped[date | None]
    delivered_by_id: Mapped[int | None] = mapped_column(ForeignKey("member.id"))
    evidence: Mapped[str] = mapped_column(String(TEXT_LENGTH_MAX), default="")
    self_marks: Mapped[int | None]
    reviewed_marks: Mapped[int | None]
