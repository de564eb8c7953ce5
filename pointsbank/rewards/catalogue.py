"""The catalogue as one member reads it, and what a counter offers: both by the sales guard."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import case, or_, text
from sqlalchemy.orm import Session

from pointsbank.core.calendar import local_day
from pointsbank.core.text import cleaned
from pointsbank.organizations.models import Merchant
from pointsbank.rewards.guarding import (
    CAN_BE_HAD,
    HAS_STARS,
    HAS_STOCK,
    IN_AUDIENCE,
    IN_TIME,
    MERCHANT_TAKES,
    ON_DAY,
    PERIODS,
    Obstacle,
    guard_values,
    guarded,
    may_have,
)
from pointsbank.rewards.models import LIMIT_PERIODS, Reward
from pointsbank.rewards.policy import share_period
from pointsbank.rewards.queries import RewardLine, rewards

WORDS_LENGTH_MAX = 60
WORDS_MAX = 5
# What tells a place in the catalogue: now or later, the price, the id.
POSITION_NUMBERS = 3

# What a member is shown at all: whatever they could have on some day.
LISTED = f"""
    reward.state = 'offered' AND reward.kind <> 'by_points' AND {HAS_STOCK} AND {IN_TIME}
    AND {MERCHANT_TAKES} AND {IN_AUDIENCE}
"""
WITHIN_LIMIT = f"""
    (reward.limit_per_member IS NULL OR reward.limit_per_member > COALESCE((
        SELECT taken.quantity FROM reward_taken AS taken
        WHERE taken.reward_id = reward.id AND taken.member_id = :member_id
          AND taken.period = CASE reward.limit_period {PERIODS} END), 0))
"""
# Of these, what they can have at this moment, with the points they have.
HAVABLE = f"reward.points <= :balance AND {ON_DAY} AND {HAS_STARS} AND {WITHIN_LIMIT}"
LATER = case((text(HAVABLE), 0), else_=1)
IS_SOLD = "reward.kind NOT IN ('loan', 'by_points')"
IS_LENT = "reward.kind = 'loan'"
# What a clerk is shown, who does not know yet for whom it will be.
TODAY = f"""
    reward.state = 'offered' AND {HAS_STOCK} AND {IN_TIME} AND {ON_DAY} AND {MERCHANT_TAKES}
"""
# What one person is shown at a counter: what it would hand them at this moment.
TO_HAVE = f"{IS_SOLD} AND {CAN_BE_HAD} AND {WITHIN_LIMIT} AND reward.points <= :balance"


@dataclass(frozen=True)
class Wanted:
    """What somebody looks for; None and no words at all narrow nothing."""

    words: str = ""
    category: str | None = None
    kind: str | None = None
    merchant_id: int | None = None
    most_points: int | None = None


@dataclass(frozen=True)
class Reader:
    """Who reads, with how many points to spend, and when."""

    member_id: int
    balance: int
    now: datetime
    zone: ZoneInfo


@dataclass(frozen=True)
class Entry:
    """A reward as its reader finds it. obstacle: what keeps them from it, their points apart.

    is_now: they can have it at this moment.
    """

    reward: RewardLine
    is_now: bool
    obstacle: Obstacle | None

    @property
    def position(self) -> tuple[int, int, int]:
        """Where it stands in the catalogue, for the next page to go on behind."""
        return (0 if self.is_now else 1, self.reward.points, self.reward.id)


def find_rewards(
    session: Session,
    reader: Reader,
    wanted: Wanted,
    *,
    after: Sequence[int] | None = None,
    limit: int = 50,
) -> list[Entry]:
    """Return what the reader could have: what they can have now first, the cheapest first.

    after: the position of the last one shown. Rewards of merchants that are stopped, sold out
    or over are left out, and those for members of other places.
    """
    place = LATER.label("later")
    statement = rewards().add_columns(place).where(guarded(LISTED), *_narrowed(wanted))
    if after is not None:
        later, points, reward_id = after
        statement = statement.where(
            or_(
                place > later,
                (place == later)
                & (
                    (Reward.points > points)
                    | ((Reward.points == points) & (Reward.id > reward_id))
                ),
            )
        )
    statement = statement.order_by(place, Reward.points, Reward.id).limit(limit)
    rows = session.execute(statement, _values(reader)).all()
    found = [(RewardLine(*row[:-1]), row[-1] == 0) for row in rows]
    stands = may_have(
        session, [line.id for line, _ in found], reader.member_id, reader.now, reader.zone
    )
    return [Entry(line, is_now, stands[line.id]) for line, is_now in found]


def rewards_sold_today(
    session: Session, merchant_id: int, *, now: datetime, zone: ZoneInfo, limit: int = 50
) -> list[RewardLine]:
    """Return what a counter hands over on this day, to whomever it may, the cheapest first."""
    values = {**guard_values(local_day(now, zone)), "quantity": 1, "now": now}
    return _at_counter(session, f"{IS_SOLD} AND {TODAY}", merchant_id, values, limit)


def tools_lent_today(
    session: Session, merchant_id: int, *, now: datetime, zone: ZoneInfo, limit: int = 50
) -> list[RewardLine]:
    """Return the tools that a counter lends on this day, the lowest deposit first."""
    values = {**guard_values(local_day(now, zone)), "quantity": 1, "now": now}
    return _at_counter(session, f"{IS_LENT} AND {TODAY}", merchant_id, values, limit)


def rewards_to_have(
    session: Session, reader: Reader, merchant_id: int, *, limit: int = 50
) -> list[RewardLine]:
    """Return what a counter hands this reader over at this moment, the cheapest first."""
    return _at_counter(session, TO_HAVE, merchant_id, _values(reader), limit)


def _at_counter(
    session: Session, condition: str, merchant_id: int, values: dict[str, Any], limit: int
) -> list[RewardLine]:
    statement = (
        rewards()
        .where(Reward.merchant_id == merchant_id, guarded(condition))
        .order_by(Reward.points, Reward.id)
        .limit(limit)
    )
    return [RewardLine(*row) for row in session.execute(statement, values)]


def _values(reader: Reader) -> dict[str, Any]:
    today = local_day(reader.now, reader.zone)
    return {
        **guard_values(today),
        **{f"period_{name}": share_period(name, today) for name in LIMIT_PERIODS},
        "member_id": reader.member_id,
        "balance": reader.balance,
        "quantity": 1,
        "now": reader.now,
    }


def _narrowed(wanted: Wanted) -> list[Any]:
    conditions: list[Any] = []
    if wanted.category is not None:
        conditions.append(Reward.category == wanted.category)
    if wanted.kind is not None:
        conditions.append(Reward.kind == wanted.kind)
    if wanted.merchant_id is not None:
        conditions.append(Reward.merchant_id == wanted.merchant_id)
    if wanted.most_points is not None:
        conditions.append(Reward.points <= wanted.most_points)
    for word in words_of(wanted.words):
        conditions.append(
            or_(
                *(
                    column.icontains(word, autoescape=True)
                    for column in (Reward.name, Reward.description, Merchant.name)
                )
            )
        )
    return conditions


def words_of(typed: str) -> list[str]:
    """Return the words somebody looks for; each of them must be found."""
    return [word for word in re.split(r"\s+", cleaned(typed)) if word][:WORDS_MAX]
