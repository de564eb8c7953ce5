"""Reads of wishes for rewards: those of one community, and those somebody answers."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Select, case, exists, func, select
from sqlalchemy.orm import Session

from pointsbank.members.queries import member_of
from pointsbank.organizations.models import Organization
from pointsbank.organizations.queries import (
    OrganizationNode,
    lineage_of,
    organization_of,
    within,
)
from pointsbank.rewards.errors import WishNotFound
from pointsbank.rewards.models import Reward
from pointsbank.rewards.wishes_models import RewardWish, RewardWishVote

LISTED_MAX = 200


@dataclass(frozen=True)
class WishLine:
    """A wish as one member sees it; who wished for it is told to nobody.

    path: of the community it is for. is_voted, is_own: of the reader.
    """

    id: int
    organization_id: int
    organization_name: str
    path: str
    title: str
    note: str
    state: str
    wished_at: datetime
    votes: int
    is_voted: bool
    is_own: bool
    reward_id: int | None
    reward_name: str | None
    answer: str | None
    answered_at: datetime | None


def community_of(session: Session, member_id: int) -> OrganizationNode:
    """Return the community a member is at home in: that of their grid, else of where they
    belong; who stands under none wishes where they belong.
    """
    member = member_of(session, member_id)
    home = organization_of(session, member.grid_id or member.organization_id)
    line = lineage_of(session, home.path)
    communities = [each for each in line if each.kind == "community"]
    return communities[-1] if communities else organization_of(session, member.organization_id)


def wishes_of(session: Session, organization_id: int, reader_id: int) -> list[WishLine]:
    """Return the wishes of a community: open ones first, each part by votes."""
    statement = _wishes(reader_id).where(RewardWish.organization_id == organization_id)
    return _lines(session, statement)


def wishes_within(session: Session, paths: Sequence[str], reader_id: int) -> list[WishLine]:
    """Return the wishes that wait for an answer under these paths, by votes."""
    statement = _wishes(reader_id).where(
        RewardWish.state == "open", within(Organization.path, paths)
    )
    return _lines(session, statement)


def wish_of(session: Session, wish_id: int, reader_id: int) -> WishLine:
    """Return one wish, whoever may see it.

    Raises WishNotFound.
    """
    row = session.execute(_wishes(reader_id).where(RewardWish.id == wish_id)).first()
    if row is None:
        raise WishNotFound
    return WishLine(*row)


def voters_of(session: Session, wish_id: int) -> list[int]:
    """Return who voted for a wish; who wished it votes for it too."""
    return list(
        session.scalars(
            select(RewardWishVote.member_id).where(RewardWishVote.wish_id == wish_id)
        )
    )


def _wishes(reader_id: int) -> Select[*tuple[Any, ...]]:
    votes = (
        select(func.count())
        .where(RewardWishVote.wish_id == RewardWish.id)
        .scalar_subquery()
        .label("votes")
    )
    voted = exists().where(
        RewardWishVote.wish_id == RewardWish.id, RewardWishVote.member_id == reader_id
    )
    is_open_first = case((RewardWish.state == "open", 0), else_=1)
    return (
        select(
            RewardWish.id,
            RewardWish.organization_id,
            Organization.name.label("organization_name"),
            Organization.path,
            RewardWish.title,
            RewardWish.note,
            RewardWish.state,
            RewardWish.wished_at,
            votes,
            voted.label("is_voted"),
            (RewardWish.author_id == reader_id).label("is_own"),
            RewardWish.reward_id,
            Reward.name.label("reward_name"),
            RewardWish.answer,
            RewardWish.answered_at,
        )
        .join(Organization, Organization.id == RewardWish.organization_id)
        .outerjoin(Reward, Reward.id == RewardWish.reward_id)
        .order_by(is_open_first, votes.desc(), RewardWish.id)
    )


def _lines(session: Session, statement: Select[*tuple[Any, ...]]) -> list[WishLine]:
    return [WishLine(*row) for row in session.execute(statement.limit(LISTED_MAX))]
