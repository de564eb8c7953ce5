"""Tables of rewards, limits, redemptions and wrong codes."""

from datetime import date, datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from pointsbank.core.db import BigId, Model, one_of

# Default of the rule set in force: docs/decisions/0011-default-limits.md.
REWARD_POINTS_MAX = 2000
STOCK_MAX = 1_000_000
QUANTITY_MAX = 99
REDEMPTION_STATES = ("completed", "voided")


class Reward(Model):
    """Something a merchant gives for points; racing redemptions meet at its stock."""

    __tablename__ = "reward"
    __table_args__ = (
        CheckConstraint(f"points BETWEEN 1 AND {REWARD_POINTS_MAX}", name="points"),
        CheckConstraint(f"stock BETWEEN 0 AND {STOCK_MAX}", name="stock"),
        CheckConstraint("limit_per_member >= 1", name="limit_per_member"),
        CheckConstraint("valid_from < valid_until", name="validity"),
        CheckConstraint(one_of("state", ("offered", "withdrawn")), name="state"),
        Index(None, "merchant_id", "state"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    merchant_id: Mapped[int] = mapped_column(ForeignKey("merchant.id"))
    name: Mapped[str] = mapped_column(String(80))
    points: Mapped[int]
    stock: Mapped[int]
    limit_per_member: Mapped[int | None]
    valid_from: Mapped[datetime | None]
    valid_until: Mapped[datetime | None]
    state: Mapped[str] = mapped_column(String(12), default="offered")
    offered_at: Mapped[datetime]


class RewardTaken(Model):
    """How many of one reward one member has had; the row that holds the limit."""

    __tablename__ = "reward_taken"
    __table_args__ = (CheckConstraint("quantity >= 0", name="quantity"),)

    reward_id: Mapped[int] = mapped_column(ForeignKey("reward.id"), primary_key=True)
    member_id: Mapped[int] = mapped_column(ForeignKey("member.id"), primary_key=True)
    quantity: Mapped[int]


class Redemption(Model):
    """One hand-over at a counter; number is what clerk and member read to each other."""

    __tablename__ = "redemption"
    __table_args__ = (
        CheckConstraint(f"quantity BETWEEN 1 AND {QUANTITY_MAX}", name="quantity"),
        CheckConstraint("points >= 1", name="points"),
        CheckConstraint(one_of("state", REDEMPTION_STATES), name="state"),
        CheckConstraint("(state = 'voided') = (voided_at IS NOT NULL)", name="voided"),
        CheckConstraint("clerk_id <> member_id", name="not_for_oneself"),
        Index(None, "merchant_id", "redeemed_on", "id"),
        Index(None, "member_id", "id"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    number: Mapped[str] = mapped_column(String(20), unique=True)
    merchant_id: Mapped[int] = mapped_column(ForeignKey("merchant.id"))
    reward_id: Mapped[int] = mapped_column(ForeignKey("reward.id"))
    member_id: Mapped[int] = mapped_column(ForeignKey("member.id"))
    clerk_id: Mapped[int] = mapped_column(ForeignKey("member.id"))
    quantity: Mapped[int]
    points: Mapped[int]
    state: Mapped[str] = mapped_column(String(12), default="completed")
    transfer_id: Mapped[int] = mapped_column(ForeignKey("transfer.id"), unique=True)
    balance_after: Mapped[int]
    redeemed_at: Mapped[datetime]
    redeemed_on: Mapped[date]
    voided_at: Mapped[datetime | None]
    voided_by_id: Mapped[int | None] = mapped_column(ForeignKey("member.id"))
    void_reason: Mapped[str | None] = mapped_column(String(200))


class WrongCode(Model):
    """Wrong codes in a row at one clerk's till; five lock it for a minute."""

    __tablename__ = "wrong_code"
    __table_args__ = (CheckConstraint("failures >= 0", name="failures"),)

    clerk_id: Mapped[int] = mapped_column(ForeignKey("member.id"), primary_key=True)
    failures: Mapped[int]
    failed_at: Mapped[datetime]
    locked_until: Mapped[datetime | None]
