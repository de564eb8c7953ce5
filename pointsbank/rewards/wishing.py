"""Wishes for rewards: made, voted for, answered once."""

from datetime import datetime

from sqlalchemy import bindparam, func, insert, select, text, update
from sqlalchemy.orm import Session

from pointsbank.core.actor import Actor
from pointsbank.core.audit import note
from pointsbank.core.db import Moment
from pointsbank.messages.service import tell_each
from pointsbank.organizations.models import Organization
from pointsbank.rewards.errors import (
    RewardWithdrawn,
    TooManyWishes,
    WishAnswered,
    WishNotFound,
)
from pointsbank.rewards.queries import reward_of
from pointsbank.rewards.wishes import WishLine, community_of, voters_of, wish_of
from pointsbank.rewards.wishes_models import RewardWish

# So that a list stays one that people read: who has more votes for what is there.
OPEN_WISHES_MAX = 3
ANSWERERS = ("administrator",)
DECISIONS = ("fulfilled", "declined")
TITLE_LENGTH_MAX = 80
NOTE_LENGTH_MAX = 300
ANSWER_LENGTH_MAX = 200

# Of several at once one row stands; who voted before changes nothing.
VOTE = text(
    """
    INSERT INTO reward_wish_vote (wish_id, member_id, voted_at)
    VALUES (:wish_id, :member_id, :now) ON CONFLICT (wish_id, member_id) DO NOTHING
    """
).bindparams(bindparam("now", type_=Moment()))
UNVOTE = text(
    "DELETE FROM reward_wish_vote WHERE wish_id = :wish_id AND member_id = :member_id"
)


def wish(session: Session, *, member_id: int, title: str, note_text: str, now: datetime) -> int:
    """Wish for a reward in one's community and return the wish, with one's own vote for it.

    The same title again is a vote for the open wish that is there.
    Raises TooManyWishes.
    """
    place = community_of(session, member_id)
    take_turns(session, place.id)
    same = session.scalar(
        select(RewardWish.id)
        .where(
            RewardWish.organization_id == place.id,
            RewardWish.state == "open",
            func.lower(RewardWish.title) == title.lower(),
        )
        .order_by(RewardWish.id)
        .limit(1)
    )
    if same is None:
        mine = session.scalar(
            select(func.count())
            .select_from(RewardWish)
            .where(RewardWish.author_id == member_id, RewardWish.state == "open")
        )
        if (mine or 0) >= OPEN_WISHES_MAX:
            raise TooManyWishes(limit=OPEN_WISHES_MAX)
        same = session.execute(
            insert(RewardWish)
            .values(
                organization_id=place.id,
                author_id=member_id,
                title=title,
                note=note_text,
                state="open",
                wished_at=now,
            )
            .returning(RewardWish.id)
        ).scalar_one()
    session.execute(VOTE, {"wish_id": same, "member_id": member_id, "now": now})
    return same


def take_turns(session: Session, organization_id: int) -> None:
    """Let those who wish in one community go one after another, until each has committed.

    Otherwise two would look for the same title, and find it missing, at once.
    """
    session.execute(
        select(Organization.id)
        .where(Organization.id == organization_id)
        .with_for_update(key_share=True)
    )


def vote(
    session: Session, *, member_id: int, wish_id: int, is_wanted: bool, now: datetime
) -> WishLine:
    """Vote for an open wish of one's community, or take the vote back; return the wish.

    A repeat changes nothing.
    Raises WishNotFound, WishAnswered.
    """
    found = wish_of(session, wish_id, member_id)
    if found.organization_id != community_of(session, member_id).id:
        raise WishNotFound
    # Held until the vote is kept: who answers meanwhile waits, and tells this voter too.
    is_open = session.scalar(
        select(RewardWish.id)
        .where(RewardWish.id == wish_id, RewardWish.state == "open")
        .with_for_update(read=True)
    )
    if is_open is None:
        raise WishAnswered
    values = {"wish_id": wish_id, "member_id": member_id}
    if is_wanted:
        session.execute(VOTE, {**values, "now": now})
    else:
        session.execute(UNVOTE, values)
    return wish_of(session, wish_id, member_id)


def answer_wish(
    session: Session,
    *,
    actor: Actor,
    wish_id: int,
    decision: str,
    answer: str | None,
    reward_id: int | None,
    now: datetime,
) -> WishLine:
    """Answer a wish, tell everyone who voted for it, and return it; a repeat of the same
    decision changes nothing.

    decision: fulfilled or declined. reward_id: what came of it, on offer somewhere.
    Raises WishNotFound, WishAnswered, RewardNotFound, RewardWithdrawn.
    """
    found = wish_of(session, wish_id, actor.member_id)
    if not actor.oversees(found.path, *ANSWERERS):
        raise WishNotFound
    if found.state == decision:
        return found
    if reward_id is not None and reward_of(session, reward_id).state != "offered":
        raise RewardWithdrawn
    answered = session.execute(
        update(RewardWish)
        .where(RewardWish.id == wish_id, RewardWish.state == "open")
        .values(
            state=decision,
            answer=answer,
            reward_id=reward_id if decision == "fulfilled" else None,
            answered_by_id=actor.member_id,
            answered_at=now,
        )
        .returning(RewardWish.reward_id)
        .execution_options(synchronize_session=False)
    ).first()
    if answered is None:
        # Somebody was faster; with the same answer nothing is left to do.
        found = wish_of(session, wish_id, actor.member_id)
        if found.state == decision:
            return found
        raise WishAnswered
    _tell(session, found, decision, answered.reward_id, now)
    note(
        session,
        at=now,
        actor_id=actor.member_id,
        action="answer_wish",
        subject=("reward_wish", wish_id),
        decision=decision,
    )
    return wish_of(session, wish_id, actor.member_id)


def _tell(
    session: Session, found: WishLine, decision: str, reward_id: int | None, now: datetime
) -> None:
    """Tell everyone who voted what becomes of their wish."""
    key, voters = f"reward_wish:{found.id}", voters_of(session, found.id)
    if reward_id is not None:
        tell_each(
            session,
            key=key,
            member_ids=voters,
            kind="reward_wish_here",
            facts={"title": found.title, "reward_id": reward_id},
            now=now,
        )
    elif decision == "fulfilled":
        tell_each(
            session,
            key=key,
            member_ids=voters,
            kind="reward_wish_fulfilled",
            facts={"title": found.title},
            now=now,
        )
    else:
        tell_each(
            session,
            key=key,
            member_ids=voters,
            kind="reward_wish_declined",
            facts={"title": found.title},
            now=now,
        )
