"""A merchant's own first page: how it stands, its month day by day, and what waits for it."""

from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext
from marshmallow import Schema, fields
from sqlalchemy.orm import Session

from pointsbank.app.merchant_figures import (
    DaySum,
    MonthFigures,
    limit_used,
    month_figures,
    waiting_at,
)
from pointsbank.budgets.months import month_now, months_from, read_month
from pointsbank.core import clock
from pointsbank.core.actor import Actor
from pointsbank.core.calendar import Period, local_day
from pointsbank.core.db import reading
from pointsbank.core.money import yuan, yuan_text
from pointsbank.merchants.clerks import clerks_of
from pointsbank.merchants.policy import may_keep, may_rule
from pointsbank.merchants.queries import shops_of, terms_on
from pointsbank.merchants.scope import merchant_to_see
from pointsbank.merchants.standing import Standing, standing_of
from pointsbank.organizations.queries import merchants_within
from pointsbank.organizations.schemas import MERCHANT_KIND_WORDS
from pointsbank.rewards.pages.counter import recent_row
from pointsbank.rewards.queries import redemptions_on
from pointsbank.settlements.errors import MonthAhead
from pointsbank.settlements.pages.facing import printed_statement
from pointsbank.settlements.queries import StatementFile, statements_of_merchant
from pointsbank.settlements.viewing import MonthSeen, month_seen
from pointsbank.web.access import current_actor, roles_only
from pointsbank.web.contract import Blueprint as ApiBlueprint
from pointsbank.web.contract import Body
from pointsbank.web.formats import day as written_day
from pointsbank.web.formats import full_day, month_name, points
from pointsbank.web.forms import settings

pages = Blueprint("desk_pages", __name__)
api = ApiBlueprint("desk_api", __name__, description="A merchant's month at one look.")

VIEWERS = ("administrator", "clerk", "auditor")
# So long before the last day of its contract a merchant reads of it here.
ENDS_SOON_DAYS = 30
RECENT = 3
STATEMENTS_SHOWN = 3
SHOPS_SHOWN = 3
MONTHS_OFFERED = 13
LABEL_EVERY = 5


class DashboardQuery(Body):
    """Which month to look at, 2026-11; the running one when none is named."""

    month = fields.String()


class DealsOut(Schema):
    """Deals as they stand: points without what was voided since."""

    deals = fields.Integer()
    points = fields.Integer()
    voids = fields.Integer()
    voided_points = fields.Integer()


class DaySumOut(DealsOut):
    """The deals of a day."""

    day = fields.Date()


class BestRewardOut(Schema):
    """What one reward brought; its name is null for what was had by points."""

    name = fields.String(allow_none=True)
    pieces = fields.Integer()
    points = fields.Integer()


class LimitOut(Schema):
    """What a month may bring, and what of it is used."""

    used = fields.Integer()
    most = fields.Integer()


class NextStatementOut(Schema):
    """A statement that is on its way, or not paid yet."""

    month = fields.String()
    state = fields.String()
    late = fields.String(allow_none=True)
    net_points = fields.Integer()
    due_yuan = fields.String()


class DashboardOut(Schema):
    """A merchant's month; limit is null where none holds or the month is over."""

    month = fields.String()
    today = fields.Nested(DaySumOut)
    total = fields.Nested(DealsOut)
    days = fields.List(fields.Nested(DaySumOut))
    rewards = fields.List(fields.Nested(BestRewardOut))
    limit = fields.Nested(LimitOut, allow_none=True)
    statements = fields.List(fields.Nested(NextStatementOut))


class Look:
    """A merchant as this person sees it at one moment; month: the one that is looked at.

    Raises MerchantNotFound, NotAMonth, MonthAhead.
    """

    def __init__(self, session: Session, merchant_id: int, month: str | None) -> None:
        self.actor: Actor = current_actor()
        self.now: datetime = clock.now()
        self.zone: ZoneInfo = settings().zone
        self.today: date = local_day(self.now, self.zone)
        self.running: Period = month_now(self.now, self.zone)
        self.merchant = merchant_to_see(session, self.actor, merchant_id)
        self.standing: Standing = standing_of(session, merchant_id)
        self.month = read_month(month) if month else self.running
        if self.month.first_on > self.today:
            raise MonthAhead
        self.figures: MonthFigures = month_figures(session, merchant_id, self.month, self.today)
        now_figures = (
            self.figures
            if self.month == self.running
            else month_figures(session, merchant_id, self.running, self.today)
        )
        self.day: DaySum = now_figures.days[-1]
        self.used = self._used(session, merchant_id, now_figures)
        self.on_its_way: MonthSeen = month_seen(
            session, self.actor, merchant_id, self.running.name, self.zone, self.now
        )
        self.statements: list[StatementFile] = statements_of_merchant(
            session, merchant_id, limit=STATEMENTS_SHOWN
        )

    def _used(self, session: Session, merchant_id: int, figures: MonthFigures) -> int | None:
        """Return what of the running month's limit is used, None where there is no limit."""
        if self.standing.month_points_max is None:
            return None
        counted = limit_used(session, merchant_id, self.running)
        return figures.total.points if counted is None else counted

    @property
    def is_over(self) -> bool:
        """Whether the last contract has ended."""
        until = self.standing.takes_until
        return until is not None and until < self.today

    @property
    def ends_soon(self) -> bool:
        """Whether the contract ends within the next 30 days."""
        until = self.standing.takes_until
        last_told_on = self.today + timedelta(days=ENDS_SOON_DAYS)
        return until is not None and self.today <= until <= last_told_on


@api.get("/merchants/<id:merchant_id>/dashboard")
@api.arguments(DashboardQuery, location="query")
@api.response(200, DashboardOut)
@roles_only(*VIEWERS)
def show_dashboard(query: dict[str, Any], merchant_id: int) -> dict[str, Any]:
    """Show a merchant's month day by day, its best rewards, its limit and its statements."""
    with reading() as session:
        look = Look(session, merchant_id, query.get("month"))
    seen = look.on_its_way
    running = {
        "month": seen.month.name,
        "state": seen.state,
        "late": None,
        "net_points": seen.sums.net,
        "due_yuan": yuan_text(seen.due_fen),
    }
    made = [
        {
            "month": each.month,
            "state": each.state,
            "late": each.lateness(look.now),
            "net_points": each.net_points,
            "due_yuan": yuan_text(each.due_fen),
        }
        for each in look.statements
    ]
    return {
        "month": look.month.name,
        "today": look.day,
        "total": look.figures.total,
        "days": look.figures.days,
        "rewards": look.figures.rewards,
        "limit": None
        if look.used is None
        else {"used": look.used, "most": look.standing.month_points_max},
        "statements": [running, *made],
    }


@pages.get("/merchants/mine")
@roles_only("clerk")
def show_mine() -> ResponseReturnValue:
    """Lead a clerk to their shop's page; one with several chooses."""
    ids = current_actor().merchant_ids()
    if len(ids) == 1:
        return redirect(url_for("desk_pages.show_desk", merchant_id=ids[0]))
    with reading() as session:
        merchants = merchants_within(session, (), ids=ids)
    return render_template(
        "merchants/choose.html",
        title=gettext("Our shop"),
        entries=[
            (each, url_for("desk_pages.show_desk", merchant_id=each.id)) for each in merchants
        ],
    )


@pages.get("/merchants/<id:merchant_id>")
@roles_only(*VIEWERS)
def show_desk(merchant_id: int) -> ResponseReturnValue:
    """Show how a merchant stands, its month and what waits for it."""
    with reading() as session:
        look = Look(session, merchant_id, request.args.get("month"))
        terms = terms_on(session, merchant_id, look.today)
        shops = shops_of(session, merchant_id, is_open_only=True)
        clerks = clerks_of(session, merchant_id)
        recent = redemptions_on(session, merchant_id, look.today, limit=RECENT)
        waiting = waiting_at(session, merchant_id, look.today)
    actor, merchant = look.actor, look.merchant
    return render_template(
        "app/merchant_desk.html",
        merchant=merchant,
        kind=MERCHANT_KIND_WORDS[merchant.kind],
        standing=look.standing,
        is_over=look.is_over,
        ends_soon=look.ends_soon,
        rate=yuan_text(terms.rate_fen),
        day=look.day,
        recent=[recent_row(line, look.now) for line in recent],
        month=printed_month(look),
        limit=printed_limit(look),
        settlement=printed_settlement(look),
        waiting=waiting,
        shop_count=len(shops),
        shops=shops[:SHOPS_SHOWN],
        clerks=clerks,
        may={
            "take": merchant_id in actor.merchant_ids(),
            "offer": may_keep(actor, merchant_id, merchant.path),
            "rule": may_rule(actor, merchant.path),
            "watch": actor.oversees(merchant.path, "administrator", "auditor"),
        },
        links=links_of(merchant_id),
    )


def links_of(merchant_id: int) -> dict[str, str]:
    """Return where a merchant's first page leads."""
    found = {
        name: url_for(endpoint, merchant_id=merchant_id)
        for name, endpoint in (
            ("here", "desk_pages.show_desk"),
            ("till", "till_pages.show_till"),
            ("vouchers", "voucher_pages.show_vouchers"),
            ("loans", "loan_pages.show_loans"),
            ("offer", "offer_pages.show_offer"),
            ("new_reward", "offer_pages.ask_for_reward"),
            ("day", "offer_pages.show_day"),
            ("shops", "shop_pages.list_shops"),
            ("new_shop", "shop_pages.ask_for_shop"),
            ("contracts", "contract_pages.list_contracts"),
            ("papers", "paper_pages.list_papers"),
            ("clerks", "contract_pages.list_clerks"),
            ("statements", "settlement_pages.list_statements"),
        )
    }
    return {**found, "unusual": url_for("unusual_pages.show")}


def printed_month(look: Look) -> dict[str, Any]:
    """Return the month that is looked at as the page prints it."""
    figures, total = look.figures, look.figures.total
    most = max((each.points for each in figures.rewards), default=0)
    return {
        "name": month_name(look.month.first_on),
        "chosen": look.month.name,
        "months": months_to_choose(look),
        "total": total,
        "bars": [
            {
                "label": str(each.day.day) if each.day.day in (1, *labelled_days()) else "",
                "name": written_day(each.day),
                "value": each.points,
                "exact": points(each.points),
                "now": each.day == look.today,
            }
            for each in figures.days
        ],
        "rewards": [
            {"line": each, "bar": 100 * each.points // most if most else 0}
            for each in figures.rewards
        ],
    }


def labelled_days() -> range:
    """Return the days of a month that have room for their number below the chart."""
    return range(LABEL_EVERY, 31, LABEL_EVERY)


def months_to_choose(look: Look) -> list[tuple[str, str]]:
    """Return the running month and the year before it, and the one that is shown."""
    near = {
        each.name: each
        for each in (months_from(look.running, -n) for n in range(MONTHS_OFFERED))
    }
    near[look.month.name] = look.month
    return [(name, month_name(near[name].first_on)) for name in sorted(near, reverse=True)]


def printed_limit(look: Look) -> dict[str, Any] | None:
    """Return how much of the month's limit is used, also in percents; None for no limit."""
    most = look.standing.month_points_max
    if look.used is None or most is None:
        return None
    return {
        "used": look.used,
        "most": most,
        "left": max(0, most - look.used),
        "percent": min(100, 100 * look.used // most),
    }


def printed_settlement(look: Look) -> dict[str, Any]:
    """Return what the running month comes to so far, and the newest statements made."""
    seen = look.on_its_way
    return {
        "month": month_name(seen.month.first_on),
        "points": points(seen.sums.net),
        "money": yuan(seen.due_fen),
        "made_on": full_day(seen.month.end_on),
        "href": url_for(
            "settlement_pages.show_statement",
            merchant_id=look.merchant.id,
            month=seen.month.name,
        ),
        "made": [printed_statement(each, look.now) for each in look.statements],
    }
