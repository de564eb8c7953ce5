"""Tables of rewards, what is had of them, redemptions and their voids, and wrong codes."""

from datetime import date, datetime

from sqlalchemy import (
    CheckConstraint,
    ForeignKey,
    Index,
    LargeBinary,
    SmallInteger,
    String,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from pointsbank.core.db import BigId, Model, one_of

# Default of the rule set in force: docs/decisions/0011-default-limits.md.
REWARD_POINTS_MAX = 2000
STOCK_MAX = 1_000_000
# By points: a reward of one point each, of which as many are had as the bill asks for.
QUANTITY_MAX = REWARD_POINTS_MAX
MARKET_FEN_MAX = 10_000_000
LOAN_DAYS_MAX = 90
STARS_MAX = 5
REWARD_KINDS = ("goods", "service", "fee_offset", "coupon", "loan", "by_points")
CATEGORIES = ("food", "daily", "home", "care", "study", "leisure", "travel", "tools", "other")
REWARD_STATES = ("draft", "offered", "withdrawn")
LIMIT_PERIODS = ("ever", "year", "quarter", "month", "week", "day")
REDEMPTION_WAYS = ("code", "card", "counter", "voucher")
# waiting: the member has a minute to confirm. lapsed: they did not. declined: they said no.
REDEMPTION_STATES = ("waiting", "completed", "voided", "lapsed", "declined")
VOID_DECISIONS = ("approved", "refused")
PICTURE_BYTES_MAX = 400 * 1024


class Reward(Model):
    """Something a merchant gives for points; racing redemptions meet at its stock.

    stock: None for as many as are asked for. days: bit n of weekdays is day n of the week,
    Monday 0, bit n of monthdays day n of the month; both 0 means every day, else a day of
    either kind will do. audience_id: only members under this organization.
    """

    __tablename__ = "reward"
    __table_args__ = (
        CheckConstraint(f"points BETWEEN 1 AND {REWARD_POINTS_MAX}", name="points"),
        CheckConstraint(f"stock BETWEEN 0 AND {STOCK_MAX}", name="stock"),
        CheckConstraint("limit_per_member >= 1", name="limit_per_member"),
        CheckConstraint("valid_from < valid_until", name="validity"),
        CheckConstraint(one_of("state", REWARD_STATES), name="state"),
        CheckConstraint(one_of("kind", REWARD_KINDS), name="kind"),
        CheckConstraint(one_of("category", CATEGORIES), name="category"),
        CheckConstraint(one_of("limit_period", LIMIT_PERIODS), name="limit_period"),
        CheckConstraint(f"market_fen BETWEEN 1 AND {MARKET_FEN_MAX}", name="market_fen"),
        CheckConstraint("weekdays BETWEEN 0 AND 127", name="weekdays"),
        CheckConstraint("monthdays BETWEEN 0 AND 4294967294", name="monthdays"),
        CheckConstraint(f"stars_min BETWEEN 0 AND {STARS_MAX}", name="stars_min"),
        CheckConstraint(f"loan_days BETWEEN 1 AND {LOAN_DAYS_MAX}", name="loan_days"),
        CheckConstraint("(kind = 'loan') = (loan_days IS NOT NULL)", name="loan"),
        CheckConstraint(
            "kind <> 'by_points' OR (points = 1 AND stock IS NULL)", name="by_points"
        ),
        Index(None, "merchant_id", "state"),
        # What can be had is listed by price.
        Index(None, "state", "points", "id"),
        Index(
            "uq_reward_by_points",
            "merchant_id",
            unique=True,
            sqlite_where=text("kind = 'by_points'"),
            postgresql_where=text("kind = 'by_points'"),
        ),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    merchant_id: Mapped[int] = mapped_column(ForeignKey("merchant.id"))
    name: Mapped[str] = mapped_column(String(80))
    kind: Mapped[str] = mapped_column(String(12), default="goods")
    category: Mapped[str] = mapped_column(String(12), default="other")
    description: Mapped[str] = mapped_column(String(1000), default="")
    points: Mapped[int]
    market_fen: Mapped[int | None]
    stock: Mapped[int | None]
    limit_per_member: Mapped[int | None]
    limit_period: Mapped[str] = mapped_column(String(8), default="ever")
    valid_from: Mapped[datetime | None]
    valid_until: Mapped[datetime | None]
    weekdays: Mapped[int] = mapped_column(SmallInteger, default=0)
    monthdays: Mapped[int] = mapped_column(default=0)
    audience_id: Mapped[int | None] = mapped_column(ForeignKey("organization.id"))
    stars_min: Mapped[int] = mapped_column(SmallInteger, default=0)
    loan_days: Mapped[int | None] = mapped_column(SmallInteger)
    state: Mapped[str] = mapped_column(String(12), default="offered")
    offered_at: Mapped[datetime]


class RewardPicture(Model):
    """A reward's picture as we encoded it, large and small, both WebP."""

    __tablename__ = "reward_picture"
    __table_args__ = (
        CheckConstraint(f"length(content) BETWEEN 1 AND {PICTURE_BYTES_MAX}", name="content"),
        CheckConstraint(f"length(small) BETWEEN 1 AND {PICTURE_BYTES_MAX}", name="small"),
    )

    reward_id: Mapped[int] = mapped_column(ForeignKey("reward.id"), primary_key=True)
    # In the address, so that a browser may keep the picture for good.
    digest: Mapped[bytes] = mapped_column(LargeBinary(32))
    width: Mapped[int]
    height: Mapped[int]
    content: Mapped[bytes] = mapped_column(LargeBinary)
    small: Mapped[bytes] = mapped_column(LargeBinary)
    uploaded_by_id: Mapped[int] = mapped_column(ForeignKey("member.id"))
    uploaded_at: Mapped[datetime]


class RewardTaken(Model):
    """How many of one reward one member has had in a period; the row that holds the limit.

    period: as core.calendar spells it, "2026", "2026-Q4", "2026-11", "2026-W47", "2026-11-22";
    empty for ever.
    """

    __tablename__ = "reward_taken"
    __table_args__ = (CheckConstraint("quantity >= 0", name="quantity"),)

    reward_id: Mapped[int] = mapped_column(ForeignKey("reward.id"), primary_key=True)
    member_id: Mapped[int] = mapped_column(ForeignKey("member.id"), primary_key=True)
    period: Mapped[str] = mapped_column(String(10), primary_key=True, default="")
    quantity: Mapped[int]


class SpentByDay(Model):
    """What one member spent at counters on a local day; the row that holds the daily cap."""

    __tablename__ = "spent_by_day"
    __table_args__ = (CheckConstraint("points >= 0", name="points"),)

    member_id: Mapped[int] = mapped_column(ForeignKey("member.id"), primary_key=True)
    day: Mapped[date] = mapped_column(primary_key=True)
    points: Mapped[int]


class MerchantMonth(Model):
    """What a merchant with a monthly limit took in a month; others have no row here."""

    __tablename__ = "merchant_month"
    __table_args__ = (CheckConstraint("points >= 0", name="points"),)

    merchant_id: Mapped[int] = mapped_column(ForeignKey("merchant.id"), primary_key=True)
    month: Mapped[str] = mapped_column(String(7), primary_key=True)
    points: Mapped[int]


class Redemption(Model):
    """One hand-over at a counter; number is what clerk and member read to each other.

    One that waits for its member holds the points and has no transfer yet. period: the one its
    share counts in. voided: how many pieces were taken back.
    """

    __tablename__ = "redemption"
    __table_args__ = (
        CheckConstraint(f"quantity BETWEEN 1 AND {QUANTITY_MAX}", name="quantity"),
        CheckConstraint("points >= 1", name="points"),
        CheckConstraint(one_of("state", REDEMPTION_STATES), name="state"),
        CheckConstraint(one_of("way", REDEMPTION_WAYS), name="way"),
        CheckConstraint("(state = 'voided') = (voided_at IS NOT NULL)", name="voided"),
        CheckConstraint(
            "voided_quantity BETWEEN 0 AND quantity"
            " AND (state = 'voided') = (voided_quantity = quantity)",
            name="voided_quantity",
        ),
        CheckConstraint("clerk_id <> member_id", name="not_for_oneself"),
        CheckConstraint(
            "(state IN ('completed', 'voided')) = (transfer_id IS NOT NULL)"
            " AND (transfer_id IS NULL) = (balance_after IS NULL)",
            name="transfer",
        ),
        CheckConstraint(
            "(state NOT IN ('waiting', 'lapsed', 'declined'))"
            " OR (hold_id IS NOT NULL AND confirm_by IS NOT NULL)",
            name="waiting",
        ),
        Index(None, "merchant_id", "redeemed_on", "id"),
        Index(None, "member_id", "id"),
        Index(None, "order_id"),
        Index(
            "ix_redemption_waiting_confirm_by",
            "confirm_by",
            sqlite_where=text("state = 'waiting'"),
            postgresql_where=text("state = 'waiting'"),
        ),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    number: Mapped[str] = mapped_column(String(20), unique=True)
    merchant_id: Mapped[int] = mapped_column(ForeignKey("merchant.id"))
    shop_id: Mapped[int | None] = mapped_column(ForeignKey("shop.id"))
    reward_id: Mapped[int] = mapped_column(ForeignKey("reward.id"))
    order_id: Mapped[int | None] = mapped_column(ForeignKey("reward_order.id"))
    member_id: Mapped[int] = mapped_column(ForeignKey("member.id"))
    clerk_id: Mapped[int] = mapped_column(ForeignKey("member.id"))
    way: Mapped[str] = mapped_column(String(8), default="code")
    quantity: Mapped[int]
    points: Mapped[int]
    period: Mapped[str] = mapped_column(String(10), default="")
    state: Mapped[str] = mapped_column(String(12), default="completed")
    hold_id: Mapped[int | None] = mapped_column(ForeignKey("hold.id"), unique=True)
    confirm_by: Mapped[datetime | None]
    transfer_id: Mapped[int | None] = mapped_column(ForeignKey("transfer.id"), unique=True)
    balance_after: Mapped[int | None]
    redeemed_at: Mapped[datetime]
    redeemed_on: Mapped[date]
    voided_quantity: Mapped[int] = mapped_column(default=0)
    voided_at: Mapped[datetime | None]
    voided_by_id: Mapped[int | None] = mapped_column(ForeignKey("member.id"))
    void_reason: Mapped[str | None] = mapped_column(String(200))


class RedemptionVoid(Model):
    """Pieces of a redemption taken back, or asked to be: after its day two administrators must
    agree.
    """

    __tablename__ = "redemption_void"
    __table_args__ = (
        CheckConstraint("quantity >= 1", name="quantity"),
        CheckConstraint("points >= 1", name="points"),
        CheckConstraint(one_of("decision", VOID_DECISIONS), name="decision"),
        CheckConstraint(
            "(decision IS NULL) = (decided_at IS NULL)"
            " AND (decision IS NULL) = (decided_by_id IS NULL)",
            name="decided",
        ),
        CheckConstraint(
            "(COALESCE(decision, '') = 'approved') = (transfer_id IS NOT NULL)", name="transfer"
        ),
        CheckConstraint(
            "NOT needs_second OR decided_by_id <> asked_by_id", name="second_person"
        ),
        Index(
            "uq_redemption_void_undecided",
            "redemption_id",
            unique=True,
            sqlite_where=text("decision IS NULL"),
            postgresql_where=text("decision IS NULL"),
        ),
        Index(None, "redemption_id"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    redemption_id: Mapped[int] = mapped_column(ForeignKey("redemption.id"))
    quantity: Mapped[int]
    points: Mapped[int]
    reason: Mapped[str | None] = mapped_column(String(200))
    needs_second: Mapped[bool]
    asked_by_id: Mapped[int] = mapped_column(ForeignKey("member.id"))
    asked_at: Mapped[datetime]
    decision: Mapped[str | None] = mapped_column(String(8))
    decided_by_id: Mapped[int | None] = mapped_column(ForeignKey("member.id"))
    decided_at: Mapped[datetime | None]
    transfer_id: Mapped[int | None] = mapped_column(ForeignKey("transfer.id"), unique=True)


class TillClosing(Model):
    """A merchant's day as the counter closed it, once, with what was counted then."""

    __tablename__ = "till_closing"
    __table_args__ = (
        CheckConstraint("redemptions >= 0 AND points >= 0 AND voided >= 0", name="sums"),
    )

    merchant_id: Mapped[int] = mapped_column(ForeignKey("merchant.id"), primary_key=True)
    day: Mapped[date] = mapped_column(primary_key=True)
    redemptions: Mapped[int]
    points: Mapped[int]
    voided: Mapped[int]
    note: Mapped[str | None] = mapped_column(String(200))
    closed_by_id: Mapped[int] = mapped_column(ForeignKey("member.id"))
    closed_at: Mapped[datetime]


class WrongCode(Model):
    """Wrong codes in a row at one clerk's till; five lock it for a minute."""

    __tablename__ = "wrong_code"
    __table_args__ = (CheckConstraint("failures >= 0", name="failures"),)

    clerk_id: Mapped[int] = mapped_column(ForeignKey("member.id"), primary_key=True)
    failures: Mapped[int]
    failed_at: Mapped[datetime]
    locked_until: Mapped[datetime | None]


class WrongCodeTally(Model):
    """Wrong codes at one clerk's till within a day of the first, whatever was right between."""

    __tablename__ = "wrong_code_tally"
    __table_args__ = (CheckConstraint("failures >= 1", name="failures"),)

    clerk_id: Mapped[int] = mapped_column(ForeignKey("member.id"), primary_key=True)
    failures: Mapped[int]
    began_at: Mapped[datetime]
