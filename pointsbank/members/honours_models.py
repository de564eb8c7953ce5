"""The table of honours that members were given by others."""

from datetime import date, datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, text
from sqlalchemy.orm import Mapped, mapped_column

from pointsbank.core.db import BigId, Model, one_of

HONOUR_STATES = ("pending", "confirmed", "rejected", "withdrawn")


class Honour(Model):
    """A commendation of one member: recorded by one person, confirmed by another.

    document: what the paper says, as text; the paper itself is kept by the grantor.
    """

    __tablename__ = "honour"
    __table_args__ = (
        CheckConstraint(one_of("state", HONOUR_STATES), name="state"),
        CheckConstraint("recorded_by_id <> member_id", name="not_oneself"),
        CheckConstraint(
            "decided_by_id IS NULL OR (decided_by_id <> recorded_by_id"
            " AND decided_by_id <> member_id)",
            name="second_person",
        ),
        # Both a line that waits and one that stands may be withdrawn.
        CheckConstraint(
            "state = 'withdrawn' OR (decided_by_id IS NULL) = (state = 'pending')",
            name="decided",
        ),
        # The same honour recorded twice at once is recorded once.
        Index(
            "uq_honour_standing",
            "member_id",
            "title",
            "granted_on",
            unique=True,
            sqlite_where=text("state IN ('pending', 'confirmed')"),
            postgresql_where=text("state IN ('pending', 'confirmed')"),
        ),
        Index(None, "organization_id", "state"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    member_id: Mapped[int] = mapped_column(ForeignKey("member.id"), index=True)
    # Where the member belonged when it was recorded.
    organization_id: Mapped[int] = mapped_column(ForeignKey("organization.id"))
    title: Mapped[str] = mapped_column(String(80))
    grantor: Mapped[str] = mapped_column(String(80))
    granted_on: Mapped[date]
    document_no: Mapped[str] = mapped_column(String(60), default="")
    document: Mapped[str] = mapped_column(String(1000), default="")
    state: Mapped[str] = mapped_column(String(12), default="pending")
    recorded_by_id: Mapped[int] = mapped_column(ForeignKey("member.id"))
    recorded_at: Mapped[datetime]
    decided_by_id: Mapped[int | None] = mapped_column(ForeignKey("member.id"))
    decided_at: Mapped[datetime | None]
    decision_reason: Mapped[str] = mapped_column(String(200), default="")
