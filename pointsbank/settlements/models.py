"""Tables of monthly statements and their lines."""

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, LargeBinary, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from pointsbank.core.db import BigId, Model, one_of

# closed: cut off and sent to the merchant. disputed: a line waits for an answer.
STATEMENT_STATES = ("closed", "disputed", "confirmed", "approved", "paid")
LINE_KINDS = ("redemption", "void", "loan", "other")
DISPUTE_STATES = ("open", "accepted", "rejected")


class Statement(Model):
    """What a merchant took in a calendar month, cut off once; month is 2026-11.

    cut_at: the first moment after the month; what was recorded before it is on the lines.

    amount_fen: each line's points at its day's rate, added and then rounded once, half up.
    correction_fen: what accepted disputes add or take, in money only: points are the ledger's.
    """

    __tablename__ = "statement"
    __table_args__ = (
        CheckConstraint(one_of("state", STATEMENT_STATES), name="state"),
        CheckConstraint("net_points = redeemed_points - voided_points", name="net_points"),
        CheckConstraint("redeemed_points >= 0 AND voided_points >= 0", name="points"),
        CheckConstraint(
            "(confirmed_at IS NULL) = (state IN ('closed', 'disputed'))", name="confirmed"
        ),
        CheckConstraint(
            "(approved_by_id IS NULL) = (state IN ('closed', 'disputed', 'confirmed'))"
            " AND (approved_by_id IS NULL) = (approved_at IS NULL)",
            name="approved",
        ),
        CheckConstraint(
            "(state = 'paid') = (paid_by_id IS NOT NULL)"
            " AND (paid_by_id IS NULL) = (paid_at IS NULL)"
            " AND (paid_by_id IS NULL) = (payment_reference IS NULL)",
            name="paid",
        ),
        # Whoever says that the sum is right does not pay it out.
        CheckConstraint("paid_by_id <> approved_by_id", name="second_person"),
        UniqueConstraint("merchant_id", "month"),
        Index(None, "month", "state"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    merchant_id: Mapped[int] = mapped_column(ForeignKey("merchant.id"))
    month: Mapped[str] = mapped_column(String(7))
    state: Mapped[str] = mapped_column(String(12), default="closed")
    cut_at: Mapped[datetime]
    line_count: Mapped[int]
    redeemed_points: Mapped[int]
    voided_points: Mapped[int]
    net_points: Mapped[int]
    amount_fen: Mapped[int]
    correction_fen: Mapped[int] = mapped_column(default=0)
    # SHA-256 over the lines as they stood at the cut-off (docs/settlement.md).
    digest: Mapped[bytes] = mapped_column(LargeBinary(32))
    closed_at: Mapped[datetime]
    confirm_by: Mapped[datetime]
    pay_by: Mapped[datetime]
    # Empty where the merchant let the time pass: then confirmed_at alone is set.
    confirmed_by_id: Mapped[int | None] = mapped_column(ForeignKey("member.id"))
    confirmed_at: Mapped[datetime | None]
    approved_by_id: Mapped[int | None] = mapped_column(ForeignKey("member.id"))
    approved_at: Mapped[datetime | None]
    paid_by_id: Mapped[int | None] = mapped_column(ForeignKey("member.id"))
    paid_at: Mapped[datetime | None]
    payment_reference: Mapped[str | None] = mapped_column(String(80))


class StatementLine(Model):
    """One transfer to a merchant, or back from it with points below zero; on one statement
    only.
    """

    __tablename__ = "statement_line"
    __table_args__ = (
        CheckConstraint(one_of("kind", LINE_KINDS), name="kind"),
        CheckConstraint("points <> 0", name="points"),
        CheckConstraint("rate_fen >= 1", name="rate_fen"),
        CheckConstraint(one_of("dispute", DISPUTE_STATES), name="dispute"),
        CheckConstraint(
            "(dispute IS NULL) = (disputed_at IS NULL)"
            " AND (dispute IS NULL) = (dispute_reason IS NULL)"
            " AND (dispute IS NULL) = (disputed_by_id IS NULL)",
            name="disputed",
        ),
        CheckConstraint(
            "(COALESCE(dispute, 'open') = 'open') = (answered_by_id IS NULL)"
            " AND (answered_by_id IS NULL) = (answered_at IS NULL)",
            name="answered",
        ),
        CheckConstraint("answered_by_id <> disputed_by_id", name="second_person"),
        CheckConstraint("correction_fen = 0 OR dispute = 'accepted'", name="correction_fen"),
        UniqueConstraint("transfer_id"),
        Index(None, "redemption_id"),
    )

    statement_id: Mapped[int] = mapped_column(ForeignKey("statement.id"), primary_key=True)
    no: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(String(12))
    transfer_id: Mapped[int] = mapped_column(ForeignKey("transfer.id"))
    redemption_id: Mapped[int | None] = mapped_column(ForeignKey("redemption.id"))
    occurred_at: Mapped[datetime]
    what: Mapped[str] = mapped_column(String(200))
    points: Mapped[int]
    rate_fen: Mapped[int]
    correction_fen: Mapped[int] = mapped_column(default=0)
    dispute: Mapped[str | None] = mapped_column(String(8))
    dispute_reason: Mapped[str | None] = mapped_column(String(200))
    disputed_by_id: Mapped[int | None] = mapped_column(ForeignKey("member.id"))
    disputed_at: Mapped[datetime | None]
    answer: Mapped[str | None] = mapped_column(String(200))
    answered_by_id: Mapped[int | None] = mapped_column(ForeignKey("member.id"))
    answered_at: Mapped[datetime | None]
