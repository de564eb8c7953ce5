"""Communities whose members find too little to have for a few hours' work, and who is told."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from pointsbank.core.calendar import local_day
from pointsbank.members.queries import role_holders_over
from pointsbank.messages.service import tell
from pointsbank.organizations.queries import in_scope
from pointsbank.rewards.guarding import (
    HAS_STOCK,
    IN_TIME,
    MERCHANT_TAKES,
    guard_values,
    guarded,
)

# Five hours' work at the usual ten points an hour: who has done that much shall have a choice.
WITHIN_POINTS = 50
REWARDS_NEEDED = 3
TOLD_ROLES = ("administrator",)

# A member redeems at merchants of their own community, and at those of the places above it.
COUNTED = guarded(
    f"""
    SELECT community.id, community.code, community.name, community.path,
           (SELECT COUNT(*)
            FROM reward
            JOIN merchant ON merchant.id = reward.merchant_id
            JOIN organization AS place ON place.id = merchant.organization_id
            LEFT JOIN organization AS audience ON audience.id = reward.audience_id
            WHERE reward.state = 'offered' AND reward.kind NOT IN ('loan', 'by_points')
              AND reward.points <= :points AND reward.stars_min = 0
              AND {HAS_STOCK} AND {IN_TIME} AND {MERCHANT_TAKES}
              AND (place.path LIKE community.path || '%'
                   OR community.path LIKE place.path || '%')
              AND (audience.id IS NULL OR community.path LIKE audience.path || '%')
           ) AS rewards
    FROM organization AS community
    WHERE community.kind = 'community' AND EXISTS (
        SELECT 1 FROM member JOIN organization AS home ON home.id = member.organization_id
        WHERE member.state = 'active' AND home.path LIKE community.path || '%')
    ORDER BY community.code
    """
)


@dataclass(frozen=True)
class ShortPlace:
    """A community with members, and how many rewards they find within WITHIN_POINTS."""

    id: int
    code: str
    name: str
    path: str
    rewards: int


def short_places(
    session: Session, paths: Sequence[str], now: datetime, zone: ZoneInfo
) -> list[ShortPlace]:
    """Return the communities under these paths with fewer than REWARDS_NEEDED rewards."""
    values: dict[str, Any] = {
        **guard_values(local_day(now, zone)),
        "points": WITHIN_POINTS,
        "quantity": 1,
        "now": now,
    }
    rows = [ShortPlace(*row) for row in session.execute(COUNTED, values)]
    return [
        each for each in rows if each.rewards < REWARDS_NEEDED and in_scope(each.path, paths)
    ]


def tell_of_shortage(session: Session, *, now: datetime, zone: ZoneInfo) -> int:
    """Tell administrators how many of their communities are short; return how many were told.

    Each hears of it once an ISO week at most.
    """
    short: Counter[int] = Counter()
    for place in short_places(session, ["/"], now, zone):
        for holder_id in role_holders_over(session, place.path, TOLD_ROLES):
            short[holder_id] += 1
    return sum(
        tell(
            session,
            key=f"few_rewards:{week_name(local_day(now, zone))}:{holder_id}",
            member_id=holder_id,
            kind="few_rewards",
            facts={
                "communities": count,
                "rewards_needed": REWARDS_NEEDED,
                "points": WITHIN_POINTS,
            },
            now=now,
        )
        for holder_id, count in sorted(short.items())
    )


def week_name(day: date) -> str:
    """Return the ISO week of a local day, as 2026-W47."""
    week = day.isocalendar()
    return f"{week.year}-W{week.week:02d}"
