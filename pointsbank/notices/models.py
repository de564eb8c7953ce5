"""Tables of public notices and objections."""

from datetime import date, datetime
from typing import Any

from sqlalchemy import (
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

NOTICE_KINDS = ("ranking", "grade", "post", "star", "organization_star", "certificate")
NOTICE_STATES = ("draft", "reviewed", "open", "contested", "locked", "replaced", "withdrawn")
# Working days in public: research/domain.md 2.1 and 2.3.
WINDOW_DAYS = 5
WINDOW_DAYS_CERTIFICATE = 7
WINDOW_DAYS_AGAIN = 3
ANSWER_DAYS = 3
DECISION_DAYS = 5
OBJECTION_STATES = ("raised", "accepted", "dismissed", "upheld", "rejected")
# Before the public or on the way there; of these the last three while their window lasts.
ALIVE = ("draft", "reviewed", "open", "contested")
SHOWN = ("reviewed", "open", "contested")
UNDECIDED = ("raised", "accepted")


class Notice(Model):
    """One version of what is shown in public; subject names what it is about, for ever.

    subject: such as "grades:2026:17" (what, period, organization). A version that follows an
    objection has the next no and points at the one it replaces.
    """

    __tablename__ = "notice"
    __table_args__ = (
        UniqueConstraint("subject", "no"),
        CheckConstraint(one_of("kind", NOTICE_KINDS), name="kind"),
        CheckConstraint(one_of("state", NOTICE_STATES), name="state"),
        CheckConstraint("window_days BETWEEN 1 AND 30", name="window_days"),
        CheckConstraint(
            "reviewed_by_id IS NULL OR reviewed_by_id <> drafted_by_id", name="second_person"
        ),
        CheckConstraint(
            "also_reviewed_by_id IS NULL OR (reviewed_by_id IS NOT NULL"
            " AND also_reviewed_by_id <> reviewed_by_id)",
            name="third_person",
        ),
        CheckConstraint(
            "also_reviewed_by_id IS NULL OR also_reviewed_by_id <> drafted_by_id",
            name="third_is_not_first",
        ),
        CheckConstraint(
            "(opened_on IS NULL) = (state = 'draft') OR state IN ('withdrawn', 'replaced')",
            name="opened",
        ),
        CheckConstraint("(locked_at IS NULL) = (state <> 'locked')", name="locked"),
        CheckConstraint("(opened_on IS NULL) = (closes_on IS NULL)", name="window"),
        # Of one subject one version at most is before the public or on its way there.
        Index(
            "uq_notice_alive",
            "subject",
            unique=True,
            sqlite_where=text("state IN ('draft', 'reviewed', 'open', 'contested')"),
            postgresql_where=text("state IN ('draft', 'reviewed', 'open', 'contested')"),
        ),
        Index(None, "state", "closes_on"),
        Index(None, "organization_id", "opened_on"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    subject: Mapped[str] = mapped_column(String(80))
    no: Mapped[int]
    kind: Mapped[str] = mapped_column(String(20))
    organization_id: Mapped[int] = mapped_column(ForeignKey("organization.id"))
    title: Mapped[str] = mapped_column(String(120))
    # What the template is filled with besides the lines: period, standard, totals, root.
    facts: Mapped[dict[str, Any]]
    # SHA-256 over title, facts and lines as they were shown, in hexadecimal.
    digest: Mapped[str] = mapped_column(String(64))
    state: Mapped[str] = mapped_column(String(12), default="draft")
    window_days: Mapped[int] = mapped_column(default=WINDOW_DAYS)
    drafted_by_id: Mapped[int | None] = mapped_column(ForeignKey("member.id"))
    drafted_at: Mapped[datetime]
    reviewed_by_id: Mapped[int | None] = mapped_column(ForeignKey("member.id"))
    # Reviews the line of the first reviewer, where that one stands in the list.
    also_reviewed_by_id: Mapped[int | None] = mapped_column(ForeignKey("member.id"))
    reviewed_at: Mapped[datetime | None]
    # First and last local day before the public, both working days; known once reviewed. The
    # clock is read by them, so a job that comes late changes nothing.
    opened_on: Mapped[date | None]
    closes_on: Mapped[date | None]
    locked_at: Mapped[datetime | None]
    replaces_id: Mapped[int | None] = mapped_column(ForeignKey("notice.id"))
    withdrawn_reason: Mapped[str] = mapped_column(String(200), default="")


class NoticeLine(Model):
    """One line as it is shown; who it is about is known to the room, not to the reader."""

    __tablename__ = "notice_line"

    notice_id: Mapped[int] = mapped_column(ForeignKey("notice.id"), primary_key=True)
    no: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    member_id: Mapped[int | None] = mapped_column(ForeignKey("member.id"), index=True)
    organization_id: Mapped[int | None] = mapped_column(ForeignKey("organization.id"))
    # Masked or full by the consent that stood when it was drafted. Whoever reads it masks it
    # again where consent does not stand any more, and the job masks it here.
    shown_name: Mapped[str] = mapped_column(String(60))
    facts: Mapped[dict[str, Any]]


class Objection(Model):
    """What somebody says against a notice: named, or without a name but with facts."""

    __tablename__ = "objection"
    __table_args__ = (
        CheckConstraint(one_of("state", OBJECTION_STATES), name="state"),
        CheckConstraint("objector_id IS NOT NULL OR facts <> ''", name="facts"),
        CheckConstraint(
            "answered_by_id IS NULL OR objector_id IS NULL OR answered_by_id <> objector_id",
            name="answered_by_another",
        ),
        CheckConstraint("(answered_at IS NULL) = (state = 'raised')", name="answered"),
        CheckConstraint(
            "(decided_at IS NULL) = (state IN ('raised', 'accepted', 'dismissed'))",
            name="decided",
        ),
        Index(None, "notice_id", "state"),
        Index(None, "state", "answer_by"),
        Index(None, "state", "decide_by"),
        CheckConstraint(
            "objector_id IS NULL OR receipt_hash IS NULL", name="receipt_without_name"
        ),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    notice_id: Mapped[int] = mapped_column(ForeignKey("notice.id"))
    line_no: Mapped[int | None]
    objector_id: Mapped[int | None] = mapped_column(ForeignKey("member.id"), index=True)
    # Keyed hash of the code by which somebody without a name follows what becomes of it.
    receipt_hash: Mapped[bytes | None] = mapped_column(LargeBinary(32), unique=True)
    reason: Mapped[str] = mapped_column(String(400))
    facts: Mapped[str] = mapped_column(String(1000), default="")
    raised_at: Mapped[datetime]
    # Local days: accepted for investigation or dismissed by the first, decided by the second.
    answer_by: Mapped[date]
    decide_by: Mapped[date]
    state: Mapped[str] = mapped_column(String(12), default="raised")
    answered_by_id: Mapped[int | None] = mapped_column(ForeignKey("member.id"))
    answered_at: Mapped[datetime | None]
    answer: Mapped[str] = mapped_column(String(400), default="")
    decided_by_id: Mapped[int | None] = mapped_column(ForeignKey("member.id"))
    decided_at: Mapped[datetime | None]
    decision: Mapped[str] = mapped_column(String(400), default="")


class ObjectionTry(Model):
    """How many objections without a name came from one place, or against one notice, since a
    moment; key_hash is keyed, so neither can be read back."""

    __tablename__ = "objection_try"
    __table_args__ = (CheckConstraint("tries >= 0", name="tries"), Index(None, "since"))

    key_hash: Mapped[bytes] = mapped_column(LargeBinary(32), primary_key=True)
    tries: Mapped[int]
    since: Mapped[datetime]
