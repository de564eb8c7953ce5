"""A merchant's own first page: how it stands, today and this month, and what waits for it."""

from dataclasses import dataclass
from datetime import date, timedelta

from flask import Blueprint, render_template, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from pointsbank.core import clock
from pointsbank.core.calendar import local_day
from pointsbank.core.db import reading
from pointsbank.merchants.clerks import clerks_of
from pointsbank.merchants.policy import may_keep, may_rule
from pointsbank.merchants.queries import shops_of, terms_on
from pointsbank.merchants.scope import merchant_to_see
from pointsbank.merchants.standing import standing_of
from pointsbank.organizations.schemas import MERCHANT_KIND_WORDS
from pointsbank.rewards.models import Redemption, Reward
from pointsbank.rewards.orders_models import Loan, RewardOrder
from pointsbank.web.access import current_actor, roles_only
from pointsbank.web.forms import settings

pages = Blueprint("desk_pages", __name__)

VIEWERS = ("administrator", "clerk", "auditor")
# So few pieces left are soon none.
LOW_STOCK = 3
LOW_SHOWN = 8
# So long before the last day of its contract a merchant reads of it here.
ENDS_SOON_DAYS = 30
FEN = 100


@dataclass(frozen=True)
class Sum:
    """What was handed over in some days, less what was voided of it."""

    redemptions: int
    points: int


@dataclass(frozen=True)
class Waiting:
    """What somebody at this merchant has to see to."""

    low: list[tuple[str, int]]
    open_orders: int
    loans_out: int
    loans_overdue: int


@pages.get("/merchants/<id:merchant_id>")
@roles_only(*VIEWERS)
def show_desk(merchant_id: int) -> ResponseReturnValue:
    """Show how a merchant stands and what waits for it."""
    actor, now = current_actor(), clock.now()
    today = local_day(now, settings().zone)
    with reading() as session:
        merchant = merchant_to_see(session, actor, merchant_id)
        standing = standing_of(session, merchant_id)
        terms = terms_on(session, merchant_id, today)
        shops = shops_of(session, merchant_id, is_open_only=True)
        clerks = clerks_of(session, merchant_id)
        day, month = sums_of(session, merchant_id, today)
        waiting = waiting_at(session, merchant_id, today)
    ends_soon = standing.takes_until is not None and (
        today <= standing.takes_until <= today + timedelta(days=ENDS_SOON_DAYS)
    )
    is_clerk = merchant_id in actor.merchant_ids()
    return render_template(
        "app/merchant_desk.html",
        merchant=merchant,
        kind=MERCHANT_KIND_WORDS[merchant.kind],
        standing=standing,
        is_over=standing.takes_until is not None and standing.takes_until < today,
        ends_soon=ends_soon,
        rate=f"{terms.rate_fen // FEN}.{terms.rate_fen % FEN:02d}",
        day=day,
        month=month,
        left=None
        if standing.month_points_max is None
        else max(0, standing.month_points_max - month.points),
        waiting=waiting,
        shops=shops,
        clerks=clerks,
        may={
            "take": is_clerk,
            "offer": may_keep(actor, merchant_id, merchant.path),
            "rule": may_rule(actor, merchant.path),
        },
        links=links_of(merchant_id),
    )


def links_of(merchant_id: int) -> dict[str, str]:
    """Return where a merchant's first page leads."""
    return {
        name: url_for(endpoint, merchant_id=merchant_id)
        for name, endpoint in (
            ("till", "till_pages.show_till"),
            ("offer", "offer_pages.show_offer"),
            ("day", "offer_pages.show_day"),
            ("shops", "shop_pages.list_shops"),
            ("contracts", "contract_pages.list_contracts"),
            ("clerks", "contract_pages.list_clerks"),
        )
    }


def sums_of(session: Session, merchant_id: int, today: date) -> tuple[Sum, Sum]:
    """Return what a merchant handed over today and since the first of the month."""
    # Of one that was voided in part, what is left of it counts.
    left = Redemption.points - Redemption.points // Redemption.quantity * (
        Redemption.voided_quantity
    )
    rows = session.execute(
        select(Redemption.redeemed_on, func.count(), func.sum(left))
        .where(
            Redemption.merchant_id == merchant_id,
            Redemption.redeemed_on.between(today.replace(day=1), today),
            Redemption.state == "completed",
        )
        .group_by(Redemption.redeemed_on)
    )
    found = {day: (number, int(points)) for day, number, points in rows}
    month = Sum(
        sum(number for number, _ in found.values()), sum(points for _, points in found.values())
    )
    return Sum(*found.get(today, (0, 0))), month


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
