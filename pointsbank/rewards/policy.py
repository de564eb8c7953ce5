"""Who may do what at a merchant: pure judgements over an actor and a path."""

from datetime import date

from pointsbank.core.actor import Actor
from pointsbank.merchants.models import RATE_POINTS

# Hours of service from which a volunteer has one star, two, and so on up to five, as in
# 民函〔2012〕340号 (one to five stars). Service time is never spent, so a star is never lost.
STAR_HOURS = (100, 300, 600, 1000, 1500)


def may_take_points(actor: Actor, merchant_id: int) -> bool:
    """Tell whether this person stands at this merchant's counter."""
    return merchant_id in actor.merchant_ids()


def may_offer(actor: Actor, merchant_id: int, path: str) -> bool:
    """Tell whether this person decides what the merchant offers."""
    return may_take_points(actor, merchant_id) or actor.oversees(path, "administrator")


def may_see_redemptions(actor: Actor, merchant_id: int, path: str) -> bool:
    """Tell whether this person may read what the merchant handed over."""
    return may_offer(actor, merchant_id, path) or actor.oversees(path, "auditor")


def may_void(
    actor: Actor, *, clerk_id: int, redeemed_on: date, merchant_id: int, path: str, today: date
) -> bool:
    """Tell whether this person may void: the same clerk that day, or an administrator."""
    is_same_clerk = (
        may_take_points(actor, merchant_id)
        and clerk_id == actor.member_id
        and redeemed_on == today
    )
    return is_same_clerk or actor.oversees(path, "administrator")


def share_period(limit_period: str, day: date) -> str:
    """Return how a reward's limit names the period of a local day; empty for ever.

    limit_period: one of models.LIMIT_PERIODS; weeks are ISO weeks.
    """
    if limit_period == "ever":
        return ""
    week = day.isocalendar()
    return {
        "year": f"{day:%Y}",
        "quarter": f"{day:%Y}-Q{(day.month + 2) // 3}",
        "month": f"{day:%Y-%m}",
        "week": f"{week.year}-W{week.week:02d}",
        "day": day.isoformat(),
    }[limit_period]


def points_for(market_fen: int, rate_fen: int) -> int:
    """Return how many points something is worth, rounded up: a merchant never pays on top.

    market_fen: its price in money. rate_fen: what the community pays for 100 points.
    """
    return -(-market_fen * RATE_POINTS // rate_fen)
