"""Tables of deductions, vetoes, exemptions, late entries and democratic appraisal."""

from datetime import date, datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, text
from sqlalchemy.orm import Mapped, mapped_column

from pointsbank.core.db import BigId, Model, one_of

# Rule: research/domain.md 2.3: deductions of 2 to 20 of 100; in hundredths.
DEDUCTION_MIN = 2 * 100
DEDUCTION_MAX = 20 * 100
ENTRY_STATES = ("pending", "confirmed", "refused", "lifted")
VETO_REASONS = ("discipline", "crime", "cult", "social_harm", "falsified", "other")
EXEMPTION_REASONS = ("over_70", "long_illness", "mobile", "other")
# Who is evaluated at all, and from which age on somebody may be left out.
EVALUATED_KINDS = ("party_member", "probationary_member")
OVER_70_YEARS = 70
# So often at most one paper enters a shift or a case, and so long an item by the hour.
LATE_TIMES_MAX = 9
LATE_MINUTES_MAX = 8 * 60
GRADES = ("excellent", "qualified", "basic", "unqualified")
REASON_LENGTH = 200
DOCUMENT_LENGTH = 60
EVIDENCE_LENGTH = 400

# Two people for each: nobody decides what they entered, nor anything about themself; and what
# was confirmed is taken back by somebody who did not enter it.
SECOND_PERSON = (
    "confirmed_by_id IS NULL OR (confirmed_by_id <> entered_by_id"
    " AND confirmed_by_id <> member_id)"
)
LIFTED_BY_ANOTHER = (
    "lifted_by_id IS NULL OR (lifted_by_id <> entered_by_id AND lifted_by_id <> member_id)"
)
DECIDED = "(confirmed_by_id IS NULL) = (state = 'pending')"
LIFTED = "state <> 'lifted' OR lifted_by_id IS NOT NULL"
ANSWERED = (
    "(answered_by_id IS NULL) = (answered_at IS NULL)"
    " AND (answered_by_id IS NULL OR (stated_at IS NOT NULL AND answered_by_id <> member_id))"
)


def paper_rules() -> tuple[Any, ...]:
    """Return the conditions that hold of every kind of paper alike."""
    return (
        CheckConstraint(one_of("state", ENTRY_STATES), name="state"),
        CheckConstraint("entered_by_id <> member_id", name="not_oneself"),
        CheckConstraint(SECOND_PERSON, name="second_person"),
        CheckConstraint(DECIDED, name="decided"),
        CheckConstraint(LIFTED, name="lifted"),
        CheckConstraint(LIFTED_BY_ANOTHER, name="lifted_by_another"),
        Index(None, "organization_id", "state"),
    )


class Paper:
    """What every kind of paper has in common: two people, and a way back.

    organization_id is where the member belonged when it was entered. confirmed_by_id is who
    decided, whether they confirmed or refused.
    """

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    member_id: Mapped[int] = mapped_column(ForeignKey("member.id"))
    organization_id: Mapped[int] = mapped_column(ForeignKey("organization.id"))
    reason: Mapped[str] = mapped_column(String(REASON_LENGTH), default="")
    state: Mapped[str] = mapped_column(String(12), default="pending")
    entered_by_id: Mapped[int] = mapped_column(ForeignKey("member.id"))
    entered_at: Mapped[datetime]
    confirmed_by_id: Mapped[int | None] = mapped_column(ForeignKey("member.id"))
    decided_at: Mapped[datetime | None]
    decision_reason: Mapped[str] = mapped_column(String(REASON_LENGTH), default="")
    lifted_by_id: Mapped[int | None] = mapped_column(ForeignKey("member.id"))
    lifted_at: Mapped[datetime | None]
    lift_reason: Mapped[str] = mapped_column(String(REASON_LENGTH), default="")


class Contestable:
    """What the member said to it themself, once, and what they were answered."""

    statement: Mapped[str] = mapped_column(String(EVIDENCE_LENGTH), default="")
    stated_at: Mapped[datetime | None]
    answer: Mapped[str] = mapped_column(String(EVIDENCE_LENGTH), default="")
    answered_by_id: Mapped[int | None] = mapped_column(ForeignKey("member.id"))
    answered_at: Mapped[datetime | None]


class Deduction(Paper, Contestable, Model):
    """What is taken from one member's evaluation for something that happened, never points."""

    __tablename__ = "deduction"
    __table_args__ = (
        CheckConstraint(
            f"hundredths BETWEEN {DEDUCTION_MIN} AND {DEDUCTION_MAX}", name="hundredths"
        ),
        CheckConstraint("entry_id IS NULL OR state IN ('confirmed', 'lifted')", name="entry"),
        CheckConstraint(ANSWERED, name="answered"),
        *paper_rules(),
        Index(None, "member_id", "occurred_on"),
    )

    hundredths: Mapped[int]
    occurred_on: Mapped[date]
    document_no: Mapped[str] = mapped_column(String(DOCUMENT_LENGTH), default="")
    evidence: Mapped[str] = mapped_column(String(EVIDENCE_LENGTH), default="")
    entry_id: Mapped[int | None] = mapped_column(ForeignKey("score_entry.id"), unique=True)


class Veto(Paper, Contestable, Model):
    """A fact that sets the advised grade of its year to unqualified: 一票否决."""

    __tablename__ = "veto"
    __table_args__ = (
        CheckConstraint(one_of("reason_code", VETO_REASONS), name="reason_code"),
        CheckConstraint("document_no <> ''", name="document"),
        CheckConstraint(ANSWERED, name="answered"),
        *paper_rules(),
        Index(None, "member_id", "occurred_on"),
    )

    reason_code: Mapped[str] = mapped_column(String(16))
    document_no: Mapped[str] = mapped_column(String(DOCUMENT_LENGTH))
    occurred_on: Mapped[date]


class Exemption(Paper, Model):
    """Why somebody is not evaluated for a time, or by the table for members who live elsewhere.

    until_on is exclusive; None: until it is ended. One that ended stays confirmed for the days
    it held; one that never held a day is lifted.
    """

    __tablename__ = "exemption"
    __table_args__ = (
        CheckConstraint(one_of("reason_code", EXEMPTION_REASONS), name="reason_code"),
        CheckConstraint("until_on IS NULL OR until_on > from_on", name="span"),
        *paper_rules(),
        Index(None, "member_id", "from_on"),
    )

    reason_code: Mapped[str] = mapped_column(String(16))
    from_on: Mapped[date]
    until_on: Mapped[date | None]


class LateEntry(Paper, Model):
    """Service that was never counted, entered by a document: evaluation and time, no points.

    times: of an item by the shift or the case; service_minutes: of an item that counts time.
    hundredths: what it is worth by the standard in force on its day. Rule: research/domain.md
    0.5: time entered by hand earns no points.
    """

    __tablename__ = "late_entry"
    __table_args__ = (
        CheckConstraint("hundredths >= 0", name="hundredths"),
        CheckConstraint(f"times BETWEEN 1 AND {LATE_TIMES_MAX}", name="times"),
        CheckConstraint(
            f"service_minutes BETWEEN 0 AND {LATE_MINUTES_MAX}", name="service_minutes"
        ),
        CheckConstraint("hundredths > 0 OR service_minutes > 0", name="something"),
        CheckConstraint("document_no <> ''", name="document"),
        CheckConstraint("entry_id IS NULL OR state IN ('confirmed', 'lifted')", name="entry"),
        *paper_rules(),
        Index(None, "member_id", "occurred_on"),
    )

    item_code: Mapped[str] = mapped_column(String(40))
    times: Mapped[int]
    service_minutes: Mapped[int]
    hundredths: Mapped[int]
    occurred_on: Mapped[date]
    document_no: Mapped[str] = mapped_column(String(DOCUMENT_LENGTH))
    entry_id: Mapped[int | None] = mapped_column(ForeignKey("score_entry.id"), unique=True)


class AppraisalMeeting(Model):
    """One democratic appraisal (民主评议) of a branch: held on a day, counted on paper."""

    __tablename__ = "appraisal_meeting"
    __table_args__ = (
        Index(
            "uq_appraisal_meeting_standing",
            "organization_id",
            "held_on",
            unique=True,
            sqlite_where=text("state IN ('pending', 'confirmed')"),
            postgresql_where=text("state IN ('pending', 'confirmed')"),
        ),
        CheckConstraint("ballots > 0", name="ballots"),
        CheckConstraint(
            "confirmed_by_id IS NULL OR confirmed_by_id <> entered_by_id", name="second_person"
        ),
        CheckConstraint(
            "lifted_by_id IS NULL OR lifted_by_id <> entered_by_id", name="lifted_by_another"
        ),
        CheckConstraint(one_of("state", ENTRY_STATES), name="state"),
        CheckConstraint(DECIDED, name="decided"),
        CheckConstraint(LIFTED, name="lifted"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    organization_id: Mapped[int] = mapped_column(ForeignKey("organization.id"))
    held_on: Mapped[date]
    # Handed in; the counts of each person add up to so many, or to fewer with blanks.
    ballots: Mapped[int]
    state: Mapped[str] = mapped_column(String(12), default="pending")
    entered_by_id: Mapped[int] = mapped_column(ForeignKey("member.id"))
    entered_at: Mapped[datetime]
    confirmed_by_id: Mapped[int | None] = mapped_column(ForeignKey("member.id"))
    decided_at: Mapped[datetime | None]
    decision_reason: Mapped[str] = mapped_column(String(REASON_LENGTH), default="")
    lifted_by_id: Mapped[int | None] = mapped_column(ForeignKey("member.id"))
    lifted_at: Mapped[datetime | None]
    lift_reason: Mapped[str] = mapped_column(String(REASON_LENGTH), default="")


class AppraisalCount(Model):
    """How many ballots gave one member each grade; who voted how is nowhere."""

    __tablename__ = "appraisal_count"
    __table_args__ = (
        CheckConstraint(
            "excellent >= 0 AND qualified >= 0 AND basic >= 0 AND unqualified >= 0",
            name="counts",
        ),
    )

    meeting_id: Mapped[int] = mapped_column(
        ForeignKey("appraisal_meeting.id"), primary_key=True
    )
    member_id: Mapped[int] = mapped_column(ForeignKey("member.id"), primary_key=True)
    excellent: Mapped[int]
    qualified: Mapped[int]
    basic: Mapped[int]
    unqualified: Mapped[int]
    entry_id: Mapped[int | None] = mapped_column(ForeignKey("score_entry.id"), unique=True)
