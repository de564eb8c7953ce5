"""Reads for a merchant's own page: a month day by day, its rewards, and what waits."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from sqlalchemy import ColumnElement, case, func, select
from sqlalchemy.orm import Session

from pointsbank.core.calendar import Period
from pointsbank.rewards.models import MerchantMonth, Redemption, Reward
from pointsbank.rewards.orders_models import Loan, RewardOrder
from pointsbank.rewards.queries import POINTS_KEPT

# So few pieces left are soon none.
LOW_STOCK = 3
LOW_SHOWN = 8
REWARDS_SHOWN = 5
BY_POINTS = "by_points"
ONE_DAY = timedelta(days=1)


@dataclass(frozen=True)
class DaySum:
    """What was handed over on a day, as it stands: points without what was voided since.

    deals: those of which anything is left. voids: deals taken back as a whole, as the till
    counts them; voided_points: of single pieces too.
    """

    day: date
    deals: int = 0
    points: int = 0
    voids: int = 0
    voided_points: int = 0


@dataclass(frozen=True)
class RewardSum:
    """What one reward brought; name is None for what was had by points."""

    name: str | None
    pieces: int
    points: int


@dataclass(frozen=True)
class MonthFigures:
    """A merchant's month: every day of it that has begun, and its rewards, the best first."""

    month: Period
    days: Sequence[DaySum]
    rewards: Sequence[RewardSum]

    @property
    def total(self) -> DaySum:
        """All its days together, under the month's first day."""
        return DaySum(
            self.month.first_on,
            sum(each.deals for each in self.days),
            sum(each.points for each in self.days),
            sum(each.voids for each in self.days),
            sum(each.voided_points for each in self.days),
        )


@dataclass(frozen=True)
class Waiting:
    """What somebody at this merchant has to see to."""

    low: list[tuple[str, int]]
    open_orders: int
    loans_out: int
    loans_overdue: int


def month_figures(
    session: Session, merchant_id: int, month: Period, today: date
) -> MonthFigures:
    """Return what a merchant handed over in a month, through today where it is running."""
    end_on = min(month.end_on, today + ONE_DAY)
    was_had = (
        Redemption.merchant_id == merchant_id,
        Redemption.redeemed_on >= month.first_on,
        Redemption.redeemed_on < end_on,
        Redemption.state.in_(("completed", "voided")),
    )
    return MonthFigures(
        month,
        _days(session, month.first_on, end_on, was_had),
        _best_rewards(session, was_had),
    )


def _days(
    session: Session, first_on: date, end_on: date, was_had: Sequence[ColumnElement[bool]]
) -> list[DaySum]:
    rows = session.execute(
        select(
            Redemption.redeemed_on,
            func.sum(case((Redemption.state == "completed", 1), else_=0)),
            func.sum(POINTS_KEPT),
            func.sum(case((Redemption.state == "voided", 1), else_=0)),
            func.sum(Redemption.points - POINTS_KEPT),
        )
        .where(*was_had)
        .group_by(Redemption.redeemed_on)
    )
    found = {day: DaySum(day, *map(int, figures)) for day, *figures in rows}
    days = [first_on + number * ONE_DAY for number in range((end_on - first_on).days)]
    return [found.get(day, DaySum(day)) for day in days]


def _best_rewards(session: Session, was_had: Sequence[ColumnElement[bool]]) -> list[RewardSum]:
    points = func.sum(POINTS_KEPT)
    rows = session.execute(
        select(
            Reward.name,
            Reward.kind,
            func.sum(Redemption.quantity - Redemption.voided_quantity),
            points,
        )
        .join(Reward, Reward.id == Redemption.reward_id)
        .where(*was_had, Redemption.state == "completed")
        .group_by(Reward.id, Reward.name, Reward.kind)
        .order_by(points.desc(), Reward.id)
        .limit(REWARDS_SHOWN)
    )
    return [
        RewardSum(None if kind == BY_POINTS else name, int(pieces), int(points))
        for name, kind, pieces, points in rows
    ]


def limit_used(session: Session, merchant_id: int, month: Period) -> int | None:
    """Return what of a merchant's limit a month has used, None where none was counted yet.

    It counts what waits for its member too, as the till does.
    """
    return session.scalar(
        select(MerchantMonth.points).where(
            MerchantMonth.merchant_id == merchant_id, MerchantMonth.month == month.name
        )
    )


def waiting_at(session: Session, merchant_id: int, today: date) -> Waiting:
    """Return what is low, ordered and lent at a merchant."""
    low = session.execute(
        select(Reward.name, Reward.stock)
        .where(
            Reward.merchant_id == merchant_id,
            Reward.state == "offered",
            Reward.stock <= LOW_STOCK,
        )
        .order_by(Reward.stock, Reward.name)
        .limit(LOW_SHOWN)
    )
    orders = session.scalar(
        select(func.count())
        .select_from(RewardOrder)
        .where(RewardOrder.merchant_id == merchant_id, RewardOrder.state == "reserved")
    )
    loans = select(func.count()).where(Loan.merchant_id == merchant_id, Loan.state == "out")
    return Waiting(
        low=[(row.name, row.stock) for row in low],
        open_orders=orders or 0,
        loans_out=session.scalar(loans) or 0,
        loans_overdue=session.scalar(loans.where(Loan.due_on < today)) or 0,
    )
