"""Tables of roll-ups and standings."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, CheckConstraint, ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from pointsbank.core.db import Model

EVALUATION_MAX_HUNDREDTHS = 100 * 100


class RollUp(Model):
    """The latest roll-up of one period: as of when, and by which standard."""

    __tablename__ = "roll_up"

    period: Mapped[str] = mapped_column(String(8), primary_key=True)
    as_of: Mapped[datetime]
    standard_version: Mapped[int]
    # The highest score entry that was counted, and how many were.
    entries: Mapped[int]
    members: Mapped[int]


class MemberStanding(Model):
    """One member's measures in one period; parts explain the score, category by category."""

    __tablename__ = "member_standing"
    __table_args__ = (
        CheckConstraint(
            f"evaluation_hundredths BETWEEN 0 AND {EVALUATION_MAX_HUNDREDTHS}",
            name="evaluation",
        ),
        Index(None, "period", "organization_id"),
    )

    period: Mapped[str] = mapped_column(ForeignKey("roll_up.period"), primary_key=True)
    member_id: Mapped[int] = mapped_column(ForeignKey("member.id"), primary_key=True)
    organization_id: Mapped[int] = mapped_column(ForeignKey("organization.id"))
    evaluation_hundredths: Mapped[int]
    points_earned: Mapped[int]
    service_minutes: Mapped[int]
    parts: Mapped[list[dict[str, Any]]] = mapped_column(JSON)


class BranchStanding(Model):
    """One branch's measures: its members' mean score, their points and minutes together."""

    __tablename__ = "branch_standing"

    period: Mapped[str] = mapped_column(ForeignKey("roll_up.period"), primary_key=True)
    organization_id: Mapped[int] = mapped_column(
        ForeignKey("organization.id"), primary_key=True
    )
    member_count: Mapped[int]
    active_count: Mapped[int]
    evaluation_hundredths: Mapped[int]
    points_earned: Mapped[int]
    service_minutes: Mapped[int]
    parts: Mapped[list[dict[str, Any]]] = mapped_column(JSON)
