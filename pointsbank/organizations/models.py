"""Tables of the tree and of the partner merchants."""

from datetime import date, datetime

from sqlalchemy import CheckConstraint, ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from pointsbank.core.db import BigId, Model, one_of

ORGANIZATION_KINDS = (
    "district",
    "street",
    "community",
    "general_branch",
    "branch",
    "party_group",
    "grid",
    "micro_grid",
    "building",
    "work_unit",
)
# A branch board ranks these (docs/glossary.md: branch stands for every party organization with
# members).
BRANCH_KINDS = ("general_branch", "branch")
# An id of 19 digits and its slash for each level must fit the 400 characters of path.
LEVELS_MAX = 18
# Compared by its bytes on both engines, so that an index finds what lies under a place.
PATH = String(400).with_variant(String(400, collation="C"), "postgresql")
MERCHANT_KINDS = ("shop", "community_store", "service")
MERCHANT_STATES = ("active", "suspended")


class Organization(Model):
    """A node of the tree. path is "/1/5/17/": the ids from the top down to this one."""

    __tablename__ = "organization"
    __table_args__ = (
        CheckConstraint(one_of("kind", ORGANIZATION_KINDS), name="kind"),
        CheckConstraint("parent_id <> id", name="not_its_own_parent"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    code: Mapped[str] = mapped_column(String(32), unique=True)
    name: Mapped[str] = mapped_column(String(120))
    kind: Mapped[str] = mapped_column(String(20))
    parent_id: Mapped[int | None] = mapped_column(ForeignKey("organization.id"), index=True)
    path: Mapped[str] = mapped_column(PATH, index=True)
    created_at: Mapped[datetime]


class Merchant(Model):
    """A partner merchant (联盟商户): where points are redeemed."""

    __tablename__ = "merchant"
    __table_args__ = (
        CheckConstraint(one_of("kind", MERCHANT_KINDS), name="kind"),
        CheckConstraint(one_of("state", MERCHANT_STATES), name="state"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    name: Mapped[str] = mapped_column(String(120))
    organization_id: Mapped[int] = mapped_column(ForeignKey("organization.id"), index=True)
    kind: Mapped[str] = mapped_column(String(20))
    state: Mapped[str] = mapped_column(String(16), default="active")
    stopped_reason: Mapped[str | None] = mapped_column(String(200))
    # Copied from the contract in force: its last day, and what a month may bring. None: no end,
    # no limit.
    takes_until: Mapped[date | None]
    month_points_max: Mapped[int | None]
    created_at: Mapped[datetime]


class CalendarDay(Model):
    """A day that an administrator loaded: it overrules what the calendar package says."""

    __tablename__ = "calendar_day"

    day: Mapped[date] = mapped_column(primary_key=True)
    is_working: Mapped[bool]
    name: Mapped[str] = mapped_column(String(40))
    loaded_by_id: Mapped[int] = mapped_column(ForeignKey("member.id"))
    loaded_at: Mapped[datetime]
