"""Budgets and the liability report as programs, pages and spreadsheets see them."""

from datetime import datetime
from typing import Any

from flask_babel import gettext
from marshmallow import Schema, fields

from pointsbank.budgets.liability import NEVER, Liability, Owed, OwedHere
from pointsbank.budgets.queries import BudgetLine
from pointsbank.core.money import FEN_A_YUAN, yuan
from pointsbank.core.sheets import Cell, Sheet
from pointsbank.organizations.schemas import OrganizationLineOut, organization_out
from pointsbank.web.contract import Body, PageQuery, Whole
from pointsbank.web.formats import moment

# Far beyond what a community issues in a month, and far from where sums overflow.
BUDGET_POINTS_MAX = 100_000_000
MONTH_LENGTH = 7


class BudgetsQuery(PageQuery):
    """Which month to list; the running one when none is named."""

    month = fields.String()


class NewBudget(Body):
    """How many points may be issued in the month; null lifts the limit."""

    points_max = Whole(least=0, most=BUDGET_POINTS_MAX, required=True, allow_none=True)


class BudgetOut(Schema):
    """One organization's month. percent is rounded down; it and left are null without a limit.

    state: no_limit, room, nearly (80 % and more) or full.
    """

    organization = fields.Nested(OrganizationLineOut)
    month = fields.String()
    issued = fields.Integer()
    points_max = fields.Integer(allow_none=True)
    left = fields.Integer(allow_none=True)
    percent = fields.Integer(allow_none=True)
    state = fields.String()


class BudgetsOut(Schema):
    """A page of a month's budgets, by the codes of the organizations."""

    month = fields.String()
    items = fields.List(fields.Nested(BudgetOut))
    next = fields.String(allow_none=True)


class OwedMonthOut(Schema):
    """Points that expire within one month, and what they are worth; null: that never expire."""

    month = fields.String(allow_none=True)
    points = fields.Integer()
    fen = fields.Integer()


class OwedOut(Schema):
    """Points outstanding, in hundredths of a yuan too; of them held, and in care funds."""

    points = fields.Integer()
    held = fields.Integer()
    funds = fields.Integer()
    fen = fields.Integer()
    months = fields.List(fields.Nested(OwedMonthOut))


class OwedHereOut(OwedOut):
    """What is owed to the members and funds of one place."""

    organization = fields.Nested(OrganizationLineOut)


class LiabilityOut(OwedOut):
    """All that is owed within one's scope at a moment, and by place."""

    as_of = fields.AwareDateTime(format="iso")
    fen_per_point = fields.Integer()
    places = fields.List(fields.Nested(OwedHereOut))


def budget_out(line: BudgetLine, month: str) -> dict[str, Any]:
    """Return one organization's month as programs see it."""
    budget = line.budget
    return {
        "organization": organization_out(line.place),
        "month": month,
        "issued": budget.issued,
        "points_max": budget.points_max,
        "left": budget.left,
        "percent": budget.percent,
        "state": budget.state,
    }


def owed_out(owed: Owed, fen_per_point: int) -> dict[str, Any]:
    """Return what is owed as programs see it."""
    return {
        "points": owed.points,
        "held": owed.held,
        "funds": owed.funds,
        "fen": owed.points * fen_per_point,
        "months": [
            {
                "month": None if month == NEVER else month,
                "points": points,
                "fen": points * fen_per_point,
            }
            for month, points in sorted(owed.months.items())
        ],
    }


def liability_out(found: Liability, fen_per_point: int, now: datetime) -> dict[str, Any]:
    """Return the report as programs see it."""
    return {
        **owed_out(found.total, fen_per_point),
        "as_of": now,
        "fen_per_point": fen_per_point,
        "places": [
            {
                "organization": organization_out(each.place),
                **owed_out(each.owed, fen_per_point),
            }
            for each in found.places
        ],
    }


def liability_sheet(found: Liability, fen_per_point: int, now: datetime) -> Sheet:
    """Return the report as a sheet: a line for each place and one for all, a column a month."""
    months = sorted(found.total.months)

    def cells(code: str, name: str, owed: Owed) -> list[Cell]:
        return [
            code,
            name,
            owed.points,
            owed.held,
            owed.funds,
            owed.points * fen_per_point / FEN_A_YUAN,
            *(owed.months.get(month, 0) for month in months),
        ]

    def cells_of(each: OwedHere) -> list[Cell]:
        return cells(each.place.code, each.place.name, each.owed)

    return Sheet(
        name=gettext("Points liability"),
        note=gettext(
            "As of %(time)s. One point counts %(money)s.",
            time=moment(now),
            money=yuan(fen_per_point),
        ),
        headers=[
            gettext("Code"),
            gettext("Organization"),
            gettext("Points outstanding"),
            gettext("Held"),
            gettext("In care funds"),
            gettext("In money (yuan)"),
            *(
                gettext("Never expires")
                if month == NEVER
                else gettext("Expires in %(month)s", month=month)
                for month in months
            ),
        ],
        rows=[*map(cells_of, found.places), cells("", gettext("In all"), found.total)],
    )
