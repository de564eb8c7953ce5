"""Tables of applications, papers, contracts, shops and opening hours."""

from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import (
    CheckConstraint,
    Float,
    ForeignKey,
    Index,
    LargeBinary,
    SmallInteger,
    String,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from pointsbank.core.db import BigId, Model, one_of
from pointsbank.organizations.models import MERCHANT_KINDS

APPLICATION_STATES = ("waiting", "approved", "refused", "withdrawn")
PAPER_KINDS = ("license", "permit", "contract", "other")
PAPER_TYPES = ("image/jpeg", "image/png", "image/webp", "application/pdf")
PAPER_BYTES_MAX = 2 * 1024 * 1024
CONTRACT_STATES = ("proposed", "in_force", "refused", "ended")
# A contract in force whose last day is over is ended; it held all the same.
SIGNED_STATES = ("in_force", "ended")
# A rate is what the community pays for so many points, in fen.
RATE_POINTS = 100
# Where no contract says so: 10 yuan.
DEFAULT_RATE_FEN = 1_000
# Up to 10 yuan a point.
RATE_FEN_MAX = 100_000
MONTH_POINTS_MAX = 100_000_000
SHOP_STATES = ("open", "closed")
TILL_HANDLE_BYTES = 8
DAY_MINUTES = 24 * 60


@dataclass(frozen=True, order=True)
class Hours:
    """A span in which a shop is open; weekday: Monday is 0; opens, closes: minutes from
    midnight, 1440 at most.
    """

    weekday: int
    opens: int
    closes: int


class MerchantApplication(Model):
    """A shop that wants to become a partner; approving it adds the merchant.

    Whoever decides is not who applied.
    """

    __tablename__ = "merchant_application"
    __table_args__ = (
        CheckConstraint(one_of("kind", MERCHANT_KINDS), name="kind"),
        CheckConstraint(one_of("state", APPLICATION_STATES), name="state"),
        CheckConstraint(
            "(state IN ('approved', 'refused')) = (decided_by_id IS NOT NULL)"
            " AND (decided_by_id IS NULL) = (decided_at IS NULL)",
            name="decided",
        ),
        CheckConstraint("(state = 'approved') = (merchant_id IS NOT NULL)", name="approved"),
        CheckConstraint("decided_by_id <> applicant_id", name="second_person"),
        UniqueConstraint("merchant_id"),
        Index(None, "organization_id", "state"),
        Index(
            "uq_merchant_application_waiting",
            "applicant_id",
            "name",
            unique=True,
            sqlite_where=text("state = 'waiting'"),
            postgresql_where=text("state = 'waiting'"),
        ),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    applicant_id: Mapped[int] = mapped_column(ForeignKey("member.id"))
    organization_id: Mapped[int] = mapped_column(ForeignKey("organization.id"))
    name: Mapped[str] = mapped_column(String(120))
    kind: Mapped[str] = mapped_column(String(20))
    # The number of the business license (统一社会信用代码).
    license_no: Mapped[str] = mapped_column(String(32))
    address: Mapped[str] = mapped_column(String(200))
    note: Mapped[str] = mapped_column(String(500), default="")
    state: Mapped[str] = mapped_column(String(12), default="waiting")
    applied_at: Mapped[datetime]
    decided_by_id: Mapped[int | None] = mapped_column(ForeignKey("member.id"))
    decided_at: Mapped[datetime | None]
    decision_note: Mapped[str | None] = mapped_column(String(200))
    merchant_id: Mapped[int | None] = mapped_column(ForeignKey("merchant.id"))


class MerchantPaper(Model):
    """A license, permit or contract as a picture or PDF, kept with an application or a
    merchant.
    """

    __tablename__ = "merchant_paper"
    __table_args__ = (
        CheckConstraint(one_of("kind", PAPER_KINDS), name="kind"),
        CheckConstraint(one_of("media_type", PAPER_TYPES), name="media_type"),
        CheckConstraint(f"size BETWEEN 1 AND {PAPER_BYTES_MAX}", name="size"),
        CheckConstraint(
            "(application_id IS NULL) <> (merchant_id IS NULL)", name="belongs_to_one"
        ),
        Index(None, "application_id"),
        Index(None, "merchant_id"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    application_id: Mapped[int | None] = mapped_column(ForeignKey("merchant_application.id"))
    merchant_id: Mapped[int | None] = mapped_column(ForeignKey("merchant.id"))
    kind: Mapped[str] = mapped_column(String(12))
    file_name: Mapped[str] = mapped_column(String(120))
    media_type: Mapped[str] = mapped_column(String(40))
    size: Mapped[int]
    digest: Mapped[bytes] = mapped_column(LargeBinary(32))
    content: Mapped[bytes] = mapped_column(LargeBinary, deferred=True)
    uploaded_by_id: Mapped[int] = mapped_column(ForeignKey("member.id"))
    uploaded_at: Mapped[datetime]


class MerchantContract(Model):
    """The terms with a merchant for a span of days, both included; two people sign for them.

    rate_fen: what the community pays for 100 points, in fen. month_points_max: how many points
    a calendar month may bring, none for no limit.
    """

    __tablename__ = "merchant_contract"
    __table_args__ = (
        CheckConstraint(one_of("state", CONTRACT_STATES), name="state"),
        CheckConstraint("valid_from <= valid_until", name="validity"),
        CheckConstraint(f"rate_fen BETWEEN 1 AND {RATE_FEN_MAX}", name="rate_fen"),
        CheckConstraint(
            f"month_points_max BETWEEN 1 AND {MONTH_POINTS_MAX}", name="month_points_max"
        ),
        CheckConstraint("decided_by_id <> proposed_by_id", name="second_person"),
        CheckConstraint(
            "(state = 'proposed') = (decided_by_id IS NULL)"
            " AND (decided_by_id IS NULL) = (decided_at IS NULL)",
            name="decided",
        ),
        Index(None, "merchant_id", "valid_from"),
        # Spans that overlap are refused under the merchant's lock; two of one beginning here.
        Index(
            "uq_merchant_contract_in_force",
            "merchant_id",
            "valid_from",
            unique=True,
            sqlite_where=text("state = 'in_force'"),
            postgresql_where=text("state = 'in_force'"),
        ),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    merchant_id: Mapped[int] = mapped_column(ForeignKey("merchant.id"))
    reference: Mapped[str] = mapped_column(String(80))
    valid_from: Mapped[date]
    valid_until: Mapped[date]
    rate_fen: Mapped[int]
    month_points_max: Mapped[int | None]
    state: Mapped[str] = mapped_column(String(12), default="proposed")
    proposed_by_id: Mapped[int] = mapped_column(ForeignKey("member.id"))
    proposed_at: Mapped[datetime]
    decided_by_id: Mapped[int | None] = mapped_column(ForeignKey("member.id"))
    decided_at: Mapped[datetime | None]


class Shop(Model):
    """A place of a merchant; till_handle is in the code that stands at its till."""

    __tablename__ = "shop"
    __table_args__ = (
        CheckConstraint(one_of("state", SHOP_STATES), name="state"),
        CheckConstraint("latitude BETWEEN -90 AND 90", name="latitude"),
        CheckConstraint("longitude BETWEEN -180 AND 180", name="longitude"),
        CheckConstraint("(latitude IS NULL) = (longitude IS NULL)", name="position"),
        UniqueConstraint("merchant_id", "name"),
        UniqueConstraint("till_handle"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    merchant_id: Mapped[int] = mapped_column(ForeignKey("merchant.id"))
    name: Mapped[str] = mapped_column(String(80))
    address: Mapped[str] = mapped_column(String(200), default="")
    telephone: Mapped[str] = mapped_column(String(20), default="")
    latitude: Mapped[float | None] = mapped_column(Float)
    longitude: Mapped[float | None] = mapped_column(Float)
    state: Mapped[str] = mapped_column(String(8), default="open")
    till_handle: Mapped[bytes] = mapped_column(LargeBinary(TILL_HANDLE_BYTES))
    added_at: Mapped[datetime]


class ShopHours(Model):
    """A span in which a shop is open on a day of the week, in minutes from midnight; Monday is
    0. None at all: the hours are not known.
    """

    __tablename__ = "shop_hours"
    __table_args__ = (
        CheckConstraint("weekday BETWEEN 0 AND 6", name="weekday"),
        CheckConstraint(
            f"opens >= 0 AND opens < closes AND closes <= {DAY_MINUTES}", name="span"
        ),
    )

    shop_id: Mapped[int] = mapped_column(ForeignKey("shop.id"), primary_key=True)
    weekday: Mapped[int] = mapped_column(SmallInteger, primary_key=True)
    opens: Mapped[int] = mapped_column(SmallInteger, primary_key=True)
    closes: Mapped[int] = mapped_column(SmallInteger)
