"""Tables of rewards that members wish for, and of their votes."""

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from pointsbank.core.db import BigId, Model, one_of

REWARD_WISH_STATES = ("open", "fulfilled", "declined")


class RewardWish(Model):
    """A reward that somebody would like to have; those of one community see it and vote."""

    __tablename__ = "reward_wish"
    __table_args__ = (
        CheckConstraint(one_of("state", REWARD_WISH_STATES), name="state"),
        CheckConstraint(
            "(state = 'open') = (answered_at IS NULL)"
            " AND (answered_at IS NULL) = (answered_by_id IS NULL)",
            name="answered",
        ),
        CheckConstraint("reward_id IS NULL OR state = 'fulfilled'", name="reward"),
        Index(None, "organization_id", "state"),
        Index(None, "author_id"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    organization_id: Mapped[int] = mapped_column(ForeignKey("organization.id"))
    author_id: Mapped[int] = mapped_column(ForeignKey("member.id"))
    title: Mapped[str] = mapped_column(String(80))
    note: Mapped[str] = mapped_column(String(300), default="")
    state: Mapped[str] = mapped_column(String(12), default="open")
    wished_at: Mapped[datetime]
    reward_id: Mapped[int | None] = mapped_column(ForeignKey("reward.id"))
    answer: Mapped[str | None] = mapped_column(String(200))
    answered_by_id: Mapped[int | None] = mapped_column(ForeignKey("member.id"))
    answered_at: Mapped[datetime | None]


class RewardWishVote(Model):
    """One member's vote for a wish; there is at most one."""

    __tablename__ = "reward_wish_vote"

    wish_id: Mapped[int] = mapped_column(ForeignKey("reward_wish.id"), primary_key=True)
    member_id: Mapped[int] = mapped_column(ForeignKey("member.id"), primary_key=True)
    voted_at: Mapped[datetime]
