"""The table of moves that one branch proposes to another."""

from datetime import date, datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, text
from sqlalchemy.orm import Mapped, mapped_column

from pointsbank.core.db import BigId, Model, one_of

PROPOSAL_STATES = ("pending", "confirmed", "refused", "withdrawn")
# The end that the proposer looks after: where the member belongs, or where they are to belong.
SIDES = ("from", "to")


class MoveProposal(Model):
    """A member's move proposed by one end and decided by the other.

    withdrawn: by whoever proposed it. from_on: the first day on which the member belongs there.
    """

    __tablename__ = "move_proposal"
    __table_args__ = (
        CheckConstraint(one_of("state", PROPOSAL_STATES), name="state"),
        CheckConstraint(one_of("side", SIDES), name="side"),
        CheckConstraint("from_id <> to_id", name="ends"),
        CheckConstraint("proposed_by_id <> member_id", name="not_oneself"),
        CheckConstraint("(decided_by_id IS NULL) = (state = 'pending')", name="decided"),
        CheckConstraint(
            "decided_by_id IS NULL OR decided_by_id <> member_id"
            " AND (decided_by_id = proposed_by_id) = (state = 'withdrawn')",
            name="second_person",
        ),
        # One proposal about a member waits at a time.
        Index(
            "uq_move_proposal_pending",
            "member_id",
            unique=True,
            sqlite_where=text("state = 'pending'"),
            postgresql_where=text("state = 'pending'"),
        ),
        Index(None, "from_id"),
        Index(None, "to_id"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    member_id: Mapped[int] = mapped_column(ForeignKey("member.id"), index=True)
    from_id: Mapped[int] = mapped_column(ForeignKey("organization.id"))
    to_id: Mapped[int] = mapped_column(ForeignKey("organization.id"))
    side: Mapped[str] = mapped_column(String(4))
    from_on: Mapped[date]
    reason: Mapped[str] = mapped_column(String(200))
    state: Mapped[str] = mapped_column(String(12), default="pending")
    proposed_by_id: Mapped[int] = mapped_column(ForeignKey("member.id"))
    proposed_at: Mapped[datetime]
    decided_by_id: Mapped[int | None] = mapped_column(ForeignKey("member.id"))
    decided_at: Mapped[datetime | None]
    decision_reason: Mapped[str] = mapped_column(String(200), default="")
