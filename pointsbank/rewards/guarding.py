"""The sales guard: who can have what at this moment, as SQL for every way of selling.

Each statement that sells carries CAN_BE_HAD in its WHERE, so that a sale is judged on the row
as it is when its turn comes. The limit of a person is not in it: its own row guards it, the one
that counts. What stood in the way is asked of may_have afterwards.
"""

from collections.abc import Iterable
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Date, Row, TextClause, bindparam, text
from sqlalchemy.orm import Session

from pointsbank.core.calendar import local_day
from pointsbank.core.db import Moment
from pointsbank.core.errors import Refusal
from pointsbank.rewards.days import monthday_numbers, weekday_names
from pointsbank.rewards.errors import (
    LimitReached,
    MerchantStopped,
    OutOfStock,
    RewardForOthers,
    RewardNotToday,
    RewardNotYet,
    RewardOver,
    RewardWithdrawn,
    StarsMissing,
)
from pointsbank.rewards.models import LIMIT_PERIODS
from pointsbank.rewards.policy import STAR_HOURS, share_period

HOUR_MINUTES = 60

# A refusal that can be raised, or shown beside the reward.
Obstacle = Refusal

HAS_STOCK = "(reward.stock IS NULL OR reward.stock >= :quantity)"
IN_TIME = (
    "(reward.valid_from IS NULL OR reward.valid_from <= :now)"
    " AND (reward.valid_until IS NULL OR reward.valid_until > :now)"
)
ON_DAY = (
    "((reward.weekdays = 0 AND reward.monthdays = 0)"
    " OR (reward.weekdays & :weekday_bit) <> 0 OR (reward.monthdays & :monthday_bit) <> 0)"
)
MERCHANT_TAKES = """EXISTS (
    SELECT 1 FROM merchant AS seller
    WHERE seller.id = reward.merchant_id AND seller.state = 'active'
      AND (seller.takes_until IS NULL OR seller.takes_until >= :today))"""
# One belongs to an organization and lives in a grid: standing under the audience by either will
# do.
IN_AUDIENCE = """(reward.audience_id IS NULL OR EXISTS (
    SELECT 1 FROM member AS buyer
    JOIN organization AS home ON home.id IN (buyer.organization_id, buyer.grid_id)
    JOIN organization AS audience ON audience.id = reward.audience_id
    WHERE buyer.id = :member_id AND home.path LIKE audience.path || '%'))"""
STAR_MINUTES = " ".join(
    f"WHEN {stars} THEN {hours * HOUR_MINUTES}" for stars, hours in enumerate(STAR_HOURS, 1)
)
HAS_STARS = f"""(reward.stars_min = 0 OR (
    SELECT COALESCE(SUM(entry.service_minutes), 0) FROM score_entry AS entry
    WHERE entry.member_id = :member_id) >= CASE reward.stars_min {STAR_MINUTES} END)"""

# Conditions on the row of reward, under that name, whether it is read or written. They need
# :now, :today, :weekday_bit, :monthday_bit, :member_id and :quantity; guarded() types the first
# two, guard_values() gives what follows from the day.
CAN_BE_HAD = f"""
    reward.state = 'offered' AND {HAS_STOCK} AND {IN_TIME} AND {ON_DAY}
    AND {MERCHANT_TAKES} AND {IN_AUDIENCE} AND {HAS_STARS}
"""


def guarded(statement: str) -> TextClause:
    """Return a statement that holds CAN_BE_HAD, with its moments and days typed."""
    return text(statement).bindparams(
        bindparam("now", type_=Moment()), bindparam("today", type_=Date())
    )


def guard_values(today: date) -> dict[str, Any]:
    """Return what CAN_BE_HAD needs to know of a local day: today, weekday_bit, monthday_bit."""
    return {
        "today": today,
        "weekday_bit": 1 << today.weekday(),
        "monthday_bit": 1 << today.day,
    }


PERIODS = " ".join(f"WHEN '{name}' THEN :period_{name}" for name in LIMIT_PERIODS)

JUDGED = guarded(
    f"""
    SELECT reward.id, reward.state, reward.stock, reward.limit_per_member, reward.stars_min,
           reward.weekdays, reward.monthdays, reward.valid_from > :now AS is_ahead,
           {MERCHANT_TAKES} AS merchant_takes, {IN_TIME} AS in_time, {ON_DAY} AS on_day,
           {IN_AUDIENCE} AS in_audience, {HAS_STARS} AS has_stars, {HAS_STOCK} AS has_stock,
           COALESCE(taken.quantity, 0) AS had
    FROM reward
    LEFT JOIN reward_taken AS taken
      ON taken.reward_id = reward.id AND taken.member_id = :member_id
      AND taken.period = CASE reward.limit_period {PERIODS} END
    WHERE reward.id IN :reward_ids
    """
).bindparams(bindparam("reward_ids", expanding=True))


def may_have(
    session: Session,
    reward_ids: Iterable[int],
    member_id: int,
    now: datetime,
    zone: ZoneInfo,
    *,
    quantity: int = 1,
) -> dict[int, Obstacle | None]:
    """Return for each reward that exists what keeps this member from so many of it now.

    The balance is not asked: whoever shows a price knows what is left. An obstacle can be
    raised as it is. One statement, however many rewards.
    """
    today = local_day(now, zone)
    return obstacles_on(session, reward_ids, member_id, today=today, now=now, quantity=quantity)


def obstacles_on(
    session: Session,
    reward_ids: Iterable[int],
    member_id: int,
    *,
    today: date,
    now: datetime,
    quantity: int = 1,
) -> dict[int, Obstacle | None]:
    """Return what may_have does, for a moment whose local day is known."""
    wanted = sorted(set(reward_ids))
    if not wanted:
        return {}
    values = {
        **guard_values(today),
        **{f"period_{name}": share_period(name, today) for name in LIMIT_PERIODS},
        "reward_ids": wanted,
        "member_id": member_id,
        "quantity": quantity,
        "now": now,
    }
    return {row.id: _obstacle(row, quantity) for row in session.execute(JUDGED, values)}


def _not_today(row: Row[Any]) -> RewardNotToday:
    return RewardNotToday(
        weekdays=weekday_names(row.weekdays), monthdays=monthday_numbers(row.monthdays)
    )


def _obstacle(row: Row[Any], quantity: int) -> Obstacle | None:
    """Return the first thing that stands in the way, what nobody can change before the rest."""
    limit, stars = row.limit_per_member, row.stars_min
    obstacles: list[tuple[bool, Obstacle]] = [
        (not row.merchant_takes, MerchantStopped()),
        (row.state != "offered", RewardWithdrawn()),
        (not row.in_time, RewardNotYet() if row.is_ahead else RewardOver()),
        (not row.on_day, _not_today(row)),
        (not row.in_audience, RewardForOthers()),
        (not row.has_stars, StarsMissing(stars=stars, hours=STAR_HOURS[stars - 1])),
        (not row.has_stock, OutOfStock(left=row.stock)),
        (limit is not None and row.had + quantity > limit, LimitReached(limit=limit)),
    ]
    return next((obstacle for stands, obstacle in obstacles if stands), None)
