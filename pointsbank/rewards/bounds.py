"""What bounds a deal besides stock and balance: a person's share and day, a merchant's month.

Each bound is a row that counts, locked in this order after the reward: the share of the reward,
the merchant's month, the person's day. The wallet comes after them. What was taken of them is
given back by give_back, once, by whoever won the redemption's own row.
"""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from sqlalchemy import Date, TextClause, bindparam, text
from sqlalchemy.orm import Session

from pointsbank.rewards.errors import DayFull, LimitReached, MonthFull
from pointsbank.rewards.models import STOCK_MAX

# Rule: docs/rewards.md, "What bounds a deal".
DAY_POINTS_MAX = 2000
NO_LIMIT = 2**31 - 1

# The row of this member and reward is counted up only as far as one person may go.
TAKE_SHARE = text(
    """
    INSERT INTO reward_taken (reward_id, member_id, period, quantity)
    VALUES (:reward_id, :member_id, :period, :quantity)
    ON CONFLICT (reward_id, member_id, period) DO UPDATE
        SET quantity = reward_taken.quantity + :quantity
        WHERE reward_taken.quantity + :quantity <= :most
    RETURNING quantity
    """
)


def _dated(statement: str) -> TextClause:
    return text(statement).bindparams(bindparam("day", type_=Date()))


TAKE_DAY = _dated(
    """
    INSERT INTO spent_by_day (member_id, day, points) VALUES (:member_id, :day, :points)
    ON CONFLICT (member_id, day) DO UPDATE
        SET points = spent_by_day.points + :points
        WHERE spent_by_day.points + :points <= :most
    RETURNING points
    """
)
SPENT = _dated("SELECT points FROM spent_by_day WHERE member_id = :member_id AND day = :day")

# What a month brought that has no row yet, less what was taken back of it.
BROUGHT = """
    SELECT COALESCE(SUM(points - voided_quantity * (points / quantity)), 0) AS points
    FROM redemption
    WHERE merchant_id = :merchant_id AND redeemed_on >= :first_on AND redeemed_on < :end_on
      AND state IN ('waiting', 'completed')
"""


def _in_month(statement: str) -> TextClause:
    return text(statement).bindparams(
        bindparam("first_on", type_=Date()), bindparam("end_on", type_=Date())
    )


TAKE_MONTH = text(
    """
    UPDATE merchant_month SET points = points + :points
    WHERE merchant_id = :merchant_id AND month = :month AND points + :points <= :most
    RETURNING points
    """
)
# A limit that is agreed on within a month counts what the month brought before it.
OPEN_MONTH = _in_month(
    f"""
    INSERT INTO merchant_month (merchant_id, month, points)
    SELECT :merchant_id, :month, brought.points FROM ({BROUGHT}) AS brought
    WHERE true
    ON CONFLICT (merchant_id, month) DO NOTHING
    """
)
MONTH = _in_month(
    f"""
    SELECT COALESCE(
        (SELECT points FROM merchant_month
         WHERE merchant_id = :merchant_id AND month = :month),
        ({BROUGHT}))
    """
)
# A limit that came to its end counts no further, so what it counted is nothing to go on from.
FORGET_MONTH = text(
    "DELETE FROM merchant_month WHERE merchant_id = :merchant_id AND month = :month"
)

# A merchant may have filled the shelf to its bound meanwhile; the bound holds.
RETURN_STOCK = text(
    f"""
    UPDATE reward SET stock = CASE WHEN stock + :quantity > {STOCK_MAX} THEN {STOCK_MAX}
                                   ELSE stock + :quantity END
    WHERE id = :reward_id
    """
)
RETURN_SHARE = text(
    """
    UPDATE reward_taken SET quantity = quantity - :quantity
    WHERE reward_id = :reward_id AND member_id = :member_id AND period = :period
    """
)
# A deal beside which the limit began was judged without one, and is not on the month's row.
RETURN_MONTH = text(
    """
    UPDATE merchant_month SET points = CASE WHEN points < :points THEN 0
                                            ELSE points - :points END
    WHERE merchant_id = :merchant_id AND month = :month
    """
)
# What was had before days were counted is on no day's row, or on one that holds less.
RETURN_DAY = _dated(
    """
    UPDATE spent_by_day SET points = CASE WHEN points < :points THEN 0
                                          ELSE points - :points END
    WHERE member_id = :member_id AND day = :day
    """
)


def month_of(day: date) -> str:
    """Return how merchant_month names the month of a local day."""
    return f"{day:%Y-%m}"


@dataclass(frozen=True)
class Share:
    """So many pieces of a reward for so many points, as they count in the bounds of one deal.

    period: as policy.share_period names it. day: the local day of the deal.
    """

    reward_id: int
    merchant_id: int
    member_id: int
    quantity: int
    points: int
    period: str
    day: date

    @property
    def month(self) -> str:
        """The month in which the merchant's limit counts it."""
        return month_of(self.day)


def take_share(session: Session, share: Share, limit: int | None) -> None:
    """Count the pieces in what this member has had of the reward.

    limit: how many one person may have in the period, None for any number.
    Raises LimitReached.
    """
    most = NO_LIMIT if limit is None else limit
    values = {**vars(share), "most": most}
    # The row's own guard judges only a row that is there already.
    fits = share.quantity <= most
    if not fits or session.execute(TAKE_SHARE, values).first() is None:
        raise LimitReached(limit=most)


def take_month(session: Session, share: Share, month_points_max: int | None) -> None:
    """Count the points in what the merchant took this month, when that is limited.

    month_points_max: the most a month may bring, None for any number.
    Raises MonthFull.
    """
    values = _of_month(share)
    if month_points_max is None:
        session.execute(FORGET_MONTH, values)
        return
    values["most"] = month_points_max
    if session.execute(TAKE_MONTH, values).first() is not None:
        return
    session.execute(OPEN_MONTH, values)
    if session.execute(TAKE_MONTH, values).first() is None:
        raise MonthFull(left=max(0, month_points_max - session.scalars(MONTH, values).one()))


def _of_month(share: Share) -> dict[str, Any]:
    first_on = share.day.replace(day=1)
    end_on = (first_on + timedelta(days=31)).replace(day=1)
    return {**vars(share), "month": share.month, "first_on": first_on, "end_on": end_on}


def take_day(session: Session, share: Share) -> None:
    """Count the points in what this member spent at counters today.

    Raises DayFull.
    """
    values = {**vars(share), "most": DAY_POINTS_MAX}
    fits = share.points <= DAY_POINTS_MAX
    if not fits or session.execute(TAKE_DAY, values).first() is None:
        spent = session.scalar(SPENT, values) or 0
        raise DayFull(limit=DAY_POINTS_MAX, left=max(0, DAY_POINTS_MAX - spent))


def refuse_beyond(session: Session, share: Share, month_points_max: int | None) -> None:
    """Return when the day and the month have room for a deal, and count nothing.

    Raises MonthFull, DayFull.
    """
    values = _of_month(share)
    if month_points_max is not None:
        taken = session.scalars(MONTH, values).one()
        if taken + share.points > month_points_max:
            raise MonthFull(left=max(0, month_points_max - taken))
    spent = session.scalar(SPENT, values) or 0
    if spent + share.points > DAY_POINTS_MAX:
        raise DayFull(limit=DAY_POINTS_MAX, left=max(0, DAY_POINTS_MAX - spent))


def spendable(
    session: Session, merchant_id: int, member_id: int, day: date, month_points_max: int | None
) -> int:
    """Return what a member's day and a merchant's month have room for, whatever the balance."""
    values = _of_month(Share(0, merchant_id, member_id, 0, 0, "", day))
    left = DAY_POINTS_MAX - (session.scalar(SPENT, values) or 0)
    if month_points_max is not None:
        left = min(left, month_points_max - session.scalars(MONTH, values).one())
    return max(0, left)


def give_back(session: Session, share: Share) -> None:
    """Return a deal, or some pieces of it, to the shelf and to all that bounds deals.

    A repeat would return it again: whoever calls has just won the row of the redemption.
    """
    values = {**vars(share), "month": share.month}
    for statement in (RETURN_STOCK, RETURN_SHARE, RETURN_MONTH, RETURN_DAY):
        session.execute(statement, values)
