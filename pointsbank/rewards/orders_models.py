"""Tables of orders with their vouchers, and of tools on loan."""

from datetime import date, datetime

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
from pointsbank.rewards.models import QUANTITY_MAX, REWARD_POINTS_MAX

ORDER_WAYS = ("voucher", "counter")
# reserved: points are held and pieces set aside. A part that was delivered leaves it reserved
# for the rest.
ORDER_STATES = ("reserved", "delivered", "expired", "cancelled")
LOAN_STATES = ("out", "returned", "damaged", "lost")


class RewardOrder(Model):
    """Points and pieces a member set aside for one reward.

    voucher: fetched within days against its code, of which only the keyed hash is kept.
    counter: made at a shop's till code, shown there with its word, and over within minutes.
    unit_points: the price of one piece when it was ordered. hold_id: what is not delivered.
    """

    __tablename__ = "reward_order"
    __table_args__ = (
        CheckConstraint(one_of("way", ORDER_WAYS), name="way"),
        CheckConstraint(one_of("state", ORDER_STATES), name="state"),
        CheckConstraint(f"quantity BETWEEN 1 AND {QUANTITY_MAX}", name="quantity"),
        CheckConstraint("delivered BETWEEN 0 AND quantity", name="delivered"),
        CheckConstraint("state <> 'delivered' OR delivered = quantity", name="all_delivered"),
        CheckConstraint(f"unit_points BETWEEN 1 AND {REWARD_POINTS_MAX}", name="unit_points"),
        CheckConstraint("(state = 'reserved') = (decided_at IS NULL)", name="decided"),
        CheckConstraint("(way = 'voucher') = (voucher_hash IS NOT NULL)", name="voucher"),
        CheckConstraint(
            "(way = 'counter') = (word IS NOT NULL)"
            " AND (way = 'counter') = (shop_id IS NOT NULL)",
            name="counter",
        ),
        UniqueConstraint("number"),
        UniqueConstraint("voucher_hash"),
        UniqueConstraint("hold_id"),
        Index(None, "member_id", "id"),
        Index(None, "merchant_id", "state", "id"),
        Index(
            "ix_reward_order_reserved_expires_at",
            "expires_at",
            sqlite_where=text("state = 'reserved'"),
            postgresql_where=text("state = 'reserved'"),
        ),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    number: Mapped[str] = mapped_column(String(20))
    way: Mapped[str] = mapped_column(String(8))
    reward_id: Mapped[int] = mapped_column(ForeignKey("reward.id"))
    merchant_id: Mapped[int] = mapped_column(ForeignKey("merchant.id"))
    shop_id: Mapped[int | None] = mapped_column(ForeignKey("shop.id"))
    member_id: Mapped[int] = mapped_column(ForeignKey("member.id"))
    quantity: Mapped[int]
    delivered: Mapped[int] = mapped_column(default=0)
    unit_points: Mapped[int]
    period: Mapped[str] = mapped_column(String(10), default="")
    state: Mapped[str] = mapped_column(String(12), default="reserved")
    hold_id: Mapped[int] = mapped_column(ForeignKey("hold.id"))
    voucher_hash: Mapped[bytes | None] = mapped_column(LargeBinary(32))
    word: Mapped[str | None] = mapped_column(String(4))
    ordered_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    decided_at: Mapped[datetime | None]
    decided_by_id: Mapped[int | None] = mapped_column(ForeignKey("member.id"))


class Loan(Model):
    """A tool lent against held points (便民服务超市), the deposit.

    Giving it back releases them; what is damaged or lost takes some or all, with a reason.
    """

    __tablename__ = "loan"
    __table_args__ = (
        CheckConstraint(one_of("state", LOAN_STATES), name="state"),
        CheckConstraint(f"deposit BETWEEN 1 AND {REWARD_POINTS_MAX}", name="deposit"),
        CheckConstraint("charged BETWEEN 0 AND deposit", name="charged"),
        CheckConstraint("(charged > 0) = (transfer_id IS NOT NULL)", name="transfer"),
        CheckConstraint(
            "charged = 0 OR (state IN ('damaged', 'lost') AND reason IS NOT NULL)",
            name="reason",
        ),
        CheckConstraint(
            "(state = 'out') = (decided_at IS NULL)"
            " AND (decided_at IS NULL) = (decided_by_id IS NULL)",
            name="decided",
        ),
        CheckConstraint("clerk_id <> member_id", name="not_for_oneself"),
        CheckConstraint("decided_by_id <> member_id", name="not_by_oneself"),
        UniqueConstraint("number"),
        UniqueConstraint("hold_id"),
        UniqueConstraint("transfer_id"),
        Index(None, "merchant_id", "state", "due_on"),
        Index(None, "member_id", "id"),
        Index(
            "ix_loan_out_due_on",
            "due_on",
            sqlite_where=text("state = 'out'"),
            postgresql_where=text("state = 'out'"),
        ),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    number: Mapped[str] = mapped_column(String(20))
    reward_id: Mapped[int] = mapped_column(ForeignKey("reward.id"))
    merchant_id: Mapped[int] = mapped_column(ForeignKey("merchant.id"))
    member_id: Mapped[int] = mapped_column(ForeignKey("member.id"))
    clerk_id: Mapped[int] = mapped_column(ForeignKey("member.id"))
    deposit: Mapped[int]
    hold_id: Mapped[int] = mapped_column(ForeignKey("hold.id"))
    state: Mapped[str] = mapped_column(String(8), default="out")
    lent_at: Mapped[datetime]
    due_on: Mapped[date]
    charged: Mapped[int] = mapped_column(default=0)
    transfer_id: Mapped[int | None] = mapped_column(ForeignKey("transfer.id"))
    reason: Mapped[str | None] = mapped_column(String(200))
    decided_by_id: Mapped[int | None] = mapped_column(ForeignKey("member.id"))
    decided_at: Mapped[datetime | None]
