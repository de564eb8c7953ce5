"""Tables of gifts, care funds and disputes."""

from datetime import date, datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from pointsbank.core.db import BigId, Model, one_of
from pointsbank.ledger.models import TRANSFER_POINTS_MAX

# Rule: research/domain.md, 2.3: within a registered household, so much a month.
GIFT_MONTH_POINTS_MAX = 200

SPENDING_STATES = ("pending", "approved", "refused", "lapsed")
DISPUTE_STATES = ("open", "upheld", "rejected")


class Gift(Model):
    """Points one member of a household gave another."""

    __tablename__ = "gift"
    __table_args__ = (
        CheckConstraint("giver_id <> receiver_id", name="two_people"),
        CheckConstraint(f"points BETWEEN 1 AND {GIFT_MONTH_POINTS_MAX}", name="points"),
        Index(None, "giver_id", "given_at"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    # The asking person's own key, so that a second tap gives once.
    key: Mapped[str] = mapped_column(String(120), unique=True)
    giver_id: Mapped[int] = mapped_column(ForeignKey("member.id"))
    receiver_id: Mapped[int] = mapped_column(ForeignKey("member.id"), index=True)
    points: Mapped[int]
    words: Mapped[str] = mapped_column(String(60))
    given_at: Mapped[datetime]


class GiftMonth(Model):
    """What one member gave in one local month ("2026-11"); the row where two gifts meet."""

    __tablename__ = "gift_month"
    __table_args__ = (
        CheckConstraint(f"points BETWEEN 0 AND {GIFT_MONTH_POINTS_MAX}", name="points"),
    )

    member_id: Mapped[int] = mapped_column(ForeignKey("member.id"), primary_key=True)
    month: Mapped[str] = mapped_column(String(7), primary_key=True)
    points: Mapped[int]


class CareFund(Model):
    """A fund (爱心基金) that members donate to; its account in the ledger is care_fund:{id}."""

    __tablename__ = "care_fund"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    organization_id: Mapped[int] = mapped_column(ForeignKey("organization.id"), unique=True)
    name: Mapped[str] = mapped_column(String(60))
    created_at: Mapped[datetime]
    closed_at: Mapped[datetime | None]


class Donation(Model):
    """Points a member gave to a fund; is_anonymous keeps the name from its statement."""

    __tablename__ = "donation"
    __table_args__ = (
        CheckConstraint(f"points BETWEEN 1 AND {TRANSFER_POINTS_MAX}", name="points"),
        Index(None, "fund_id", "given_at"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    key: Mapped[str] = mapped_column(String(120), unique=True)
    fund_id: Mapped[int] = mapped_column(ForeignKey("care_fund.id"))
    donor_id: Mapped[int] = mapped_column(ForeignKey("member.id"), index=True)
    points: Mapped[int]
    is_anonymous: Mapped[bool]
    given_at: Mapped[datetime]


class CareFundSpending(Model):
    """Points a fund spends at a merchant: asked for by one person, decided by another.

    The points stand in a hold from the asking to the decision.
    """

    __tablename__ = "care_fund_spending"
    __table_args__ = (
        CheckConstraint(f"points BETWEEN 1 AND {TRANSFER_POINTS_MAX}", name="points"),
        CheckConstraint(one_of("state", SPENDING_STATES), name="state"),
        CheckConstraint(
            "decided_by_id IS NULL OR decided_by_id <> author_id", name="two_people"
        ),
        CheckConstraint(
            "(state IN ('approved', 'refused')) = (decided_by_id IS NOT NULL)", name="decision"
        ),
        Index(None, "fund_id", "id"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    key: Mapped[str] = mapped_column(String(120), unique=True)
    fund_id: Mapped[int] = mapped_column(ForeignKey("care_fund.id"))
    merchant_id: Mapped[int] = mapped_column(ForeignKey("merchant.id"))
    points: Mapped[int]
    purpose: Mapped[str] = mapped_column(String(200))
    hold_id: Mapped[int] = mapped_column(ForeignKey("hold.id"), unique=True)
    state: Mapped[str] = mapped_column(String(8), default="pending")
    author_id: Mapped[int] = mapped_column(ForeignKey("member.id"))
    asked_at: Mapped[datetime]
    decide_by: Mapped[datetime]
    decided_by_id: Mapped[int | None] = mapped_column(ForeignKey("member.id"))
    decided_at: Mapped[datetime | None]
    decision_reason: Mapped[str] = mapped_column(String(200), default="")


class Dispute(Model):
    """A member says that a line of their passbook is wrong; answered by a reversal or a reason.

    answer_by is the last local day for the answer.
    """

    __tablename__ = "dispute"
    __table_args__ = (
        CheckConstraint(one_of("state", DISPUTE_STATES), name="state"),
        CheckConstraint("(state = 'open') = (answered_by_id IS NULL)", name="answer"),
        CheckConstraint(
            "answered_by_id IS NULL OR answered_by_id <> member_id", name="two_people"
        ),
        CheckConstraint("reversal_id IS NULL OR state = 'upheld'", name="reversal"),
        UniqueConstraint("transfer_id", "number"),
        Index(
            "uq_dispute_open",
            "transfer_id",
            unique=True,
            sqlite_where=text("state = 'open'"),
            postgresql_where=text("state = 'open'"),
        ),
        Index(None, "state", "answer_by"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    member_id: Mapped[int] = mapped_column(ForeignKey("member.id"), index=True)
    transfer_id: Mapped[int] = mapped_column(ForeignKey("transfer.id"))
    line: Mapped[int]
    # The how-manieth dispute of this line it is, from 1.
    number: Mapped[int]
    reason: Mapped[str] = mapped_column(String(300))
    state: Mapped[str] = mapped_column(String(8), default="open")
    opened_at: Mapped[datetime]
    answer_by: Mapped[date]
    answered_by_id: Mapped[int | None] = mapped_column(ForeignKey("member.id"))
    answered_at: Mapped[datetime | None]
    answer: Mapped[str] = mapped_column(String(300), default="")
    reversal_id: Mapped[int | None] = mapped_column(ForeignKey("transfer.id"))
