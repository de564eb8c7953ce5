"""The pages of issue budgets and of the points owed."""

import io
from typing import Any

from flask import (
    Blueprint,
    current_app,
    flash,
    redirect,
    render_template,
    request,
    send_file,
    url_for,
)
from flask.typing import ResponseReturnValue
from flask_babel import gettext

from pointsbank.budgets.errors import MonthOver
from pointsbank.budgets.liability import (
    NEVER,
    FundPlaces,
    Liability,
    OwedHere,
    liability_within,
)
from pointsbank.budgets.months import month_now, months_from, read_month
from pointsbank.budgets.queries import (
    BudgetLine,
    budget_of,
    budgets_of_month,
    budgets_to_repeat,
    issuing_place,
    short_budgets,
)
from pointsbank.budgets.schemas import BUDGET_POINTS_MAX, liability_sheet
from pointsbank.budgets.service import repeat_budgets, set_issue_budget
from pointsbank.core import clock
from pointsbank.core.calendar import Period, local_day
from pointsbank.core.db import reading, run
from pointsbank.core.money import yuan
from pointsbank.core.sheets import XLSX_TYPE, write_sheet
from pointsbank.core.text import cleaned
from pointsbank.ledger.errors import BudgetBelowIssued
from pointsbank.organizations.queries import organization_of
from pointsbank.web.access import current_actor, roles_only
from pointsbank.web.contract import cursor_from, position_from
from pointsbank.web.errors import sentence_of
from pointsbank.web.formats import month_name, points
from pointsbank.web.forms import attempt, settings

pages = Blueprint("budget_pages", __name__)

READERS = ("administrator", "auditor")
LINES_A_PAGE = 50
# What can be chosen above the list: the months before this one, and those after it.
MONTHS_BEFORE = 6
MONTHS_AHEAD = 3
FIGURE_LENGTH_MAX = 12


@pages.get("/budgets")
@roles_only(*READERS)
def list_budgets() -> ResponseReturnValue:
    """List a month of every issuing organization, with how much of its budget is used."""
    actor, now = current_actor(), clock.now()
    running = month_now(now, settings().zone)
    month = read_month(request.args.get("month") or running.name)
    may_set = month.end_on > running.first_on
    last_id = position_from(request.args.get("cursor"))
    with reading() as session:
        after = organization_of(session, last_id).code if last_id else None
        found = budgets_of_month(
            session, actor.paths(*READERS), month.name, after=after, limit=LINES_A_PAGE + 1
        )
        near = (
            []
            if last_id
            else short_budgets(session, actor.paths(*READERS), month.name, limit=LINES_A_PAGE)
        )
        mine, before = actor.paths("administrator"), months_from(month, -1).name
        to_repeat = len(budgets_to_repeat(session, mine, month.name, before)) if may_set else 0
    here = url_for("budget_pages.list_budgets", month=month.name)
    more = ""
    if len(found) > LINES_A_PAGE:
        cursor = cursor_from(found[LINES_A_PAGE - 1].place.id)
        more = url_for("budget_pages.list_budgets", month=month.name, cursor=cursor)
    return render_template(
        "budgets/list.html",
        month=month_name(month.first_on),
        chosen=month.name,
        months=months_to_choose(running, month),
        near=[printed_line(line, month.name, may_set=may_set) for line in near],
        lines=[
            printed_line(line, month.name, may_set=may_set) for line in found[:LINES_A_PAGE]
        ],
        to_repeat=to_repeat,
        links={
            "here": url_for("budget_pages.list_budgets"),
            "repeat": url_for("budget_pages.repeat"),
            "liability": url_for("budget_pages.show_liability"),
            "next": more,
            "first": here if last_id else "",
        },
    )


def printed_line(line: BudgetLine, month: str, *, may_set: bool) -> dict[str, Any]:
    """Return an organization's month as the table prints it, with the way to set it."""
    may_set = may_set and current_actor().oversees(line.place.path, "administrator")
    way = url_for("budget_pages.ask_for_budget", code=line.place.code, month=month)
    return {"name": line.place.name, "budget": line.budget, "href": way if may_set else ""}


@pages.post("/budgets")
@roles_only("administrator")
def repeat() -> ResponseReturnValue:
    """Give the organizations without a limit in a month that of the month before."""
    actor, now = current_actor(), clock.now()
    month = read_month(request.form.get("month", "")).name

    def act() -> int:
        return run(
            lambda session: repeat_budgets(
                session,
                month=month,
                paths=actor.paths("administrator"),
                actor_id=actor.member_id,
                zone=settings().zone,
                now=now,
            )
        )

    attempt(act, gettext("The budgets of the month before were taken over."))
    return redirect(url_for("budget_pages.list_budgets", month=month), 303)


def months_to_choose(running: Period, chosen: Period) -> list[tuple[str, str]]:
    """Return the months around the running one, and the one that is shown, newest first."""
    near = {
        period.name: period
        for period in (months_from(running, n) for n in range(-MONTHS_BEFORE, MONTHS_AHEAD + 1))
    }
    near[chosen.name] = chosen
    return [(name, month_name(near[name].first_on)) for name in sorted(near, reverse=True)]


@pages.get("/budgets/<code>/<month:month>")
@roles_only("administrator")
def ask_for_budget(code: str, month: str) -> ResponseReturnValue:
    """Ask how many points an organization may issue in a month."""
    return budget_page(code, month, None, "")


@pages.post("/budgets/<code>/<month:month>")
@roles_only("administrator")
def new_budget(code: str, month: str) -> ResponseReturnValue:
    """Set how many points an organization may issue in a month, and show the list again."""
    actor, now = current_actor(), clock.now()
    typed = cleaned(request.form.get("points_max", "")[: 4 * FIGURE_LENGTH_MAX])
    points_max, error = read_figure(typed)
    if error:
        return budget_page(code, month, typed, error)
    try:
        run(
            lambda session: set_issue_budget(
                session,
                code=code,
                month=month,
                points_max=points_max,
                paths=actor.paths("administrator"),
                actor_id=actor.member_id,
                zone=settings().zone,
                now=now,
            )
        )
    except BudgetBelowIssued as refusal:
        return budget_page(code, month, typed, sentence_of(refusal))
    flash(gettext("The budget is set."), "success")
    return redirect(url_for("budget_pages.list_budgets", month=month), 303)


def read_figure(typed: str) -> tuple[int | None, str]:
    """Read a number of points as people type it, or say what is wrong; nothing is no limit."""
    figure = typed.replace(",", "").replace("，", "")
    if not figure:
        return None, ""
    if not figure.isascii() or not figure.isdigit():
        return None, str(gettext("Please type a whole number of points, or leave this empty."))
    if len(figure) > FIGURE_LENGTH_MAX or int(figure) > BUDGET_POINTS_MAX:
        most = points(BUDGET_POINTS_MAX)
        return None, str(gettext("A budget is at most %(most)s points.", most=most))
    return int(figure), ""


def budget_page(code: str, month: str, typed: str | None, error: str) -> ResponseReturnValue:
    """Render the form of a month's budget, with what was typed and what was wrong with it."""
    period = read_month(month)
    running = month_now(clock.now(), settings().zone)
    if period.end_on <= running.first_on:
        raise MonthOver
    before = months_from(period, -1)
    with reading() as session:
        place = issuing_place(session, code, current_actor().paths("administrator"))
        budget = budget_of(session, place, month)
        last = budget_of(session, place, before.name)
    value = "" if budget.points_max is None else str(budget.points_max)
    page = render_template(
        "budgets/set.html",
        place=place.name,
        month=month_name(period.first_on),
        month_before=month_name(before.first_on),
        budget=budget,
        before=last,
        typed=value if typed is None else typed,
        error=error,
        links={
            "back": url_for("budget_pages.list_budgets", month=month),
            "save": url_for("budget_pages.new_budget", code=code, month=month),
        },
    )
    return page, 422 if error else 200


@pages.get("/liability")
@roles_only(*READERS)
def show_liability() -> ResponseReturnValue:
    """Show the points outstanding within one's scope, by place and by month of expiry."""
    now, rate = clock.now(), settings().fen_per_point
    found = found_liability()
    total = found.total
    return render_template(
        "budgets/liability.html",
        total={
            "points": total.points,
            "held": total.held,
            "money": yuan(total.points * rate),
        },
        month_rows=[
            month_row(month, total.months[month], rate) for month in sorted(total.months)
        ],
        place_rows=[place_row(each, rate) for each in found.places],
        as_of=now,
        rate=yuan(rate),
        links={
            "file": url_for("budget_pages.liability_file"),
            "budgets": url_for("budget_pages.list_budgets"),
        },
    )


def month_row(month: str, owed: int, rate: int) -> dict[str, Any]:
    """Return what expires in one month as the table prints it."""
    name = (
        gettext("Never expires") if month == NEVER else month_name(read_month(month).first_on)
    )
    return {"cells": [name, points(owed), yuan(owed * rate)]}


def place_row(each: OwedHere, rate: int) -> dict[str, Any]:
    """Return what is owed in one place as the table prints it."""
    owed = each.owed
    figures = [points(owed.points), points(owed.held), points(owed.funds)]
    return {"cells": [each.place.name, *figures, yuan(owed.points * rate)]}


@pages.get("/liability.xlsx")
@roles_only(*READERS)
def liability_file() -> ResponseReturnValue:
    """Hand the report out as an XLSX file."""
    now = clock.now()
    sheet = liability_sheet(found_liability(), settings().fen_per_point, now)
    file = io.BytesIO()
    write_sheet(file, sheet)
    file.seek(0)
    day = local_day(now, settings().zone).isoformat()
    return send_file(
        file, mimetype=XLSX_TYPE, as_attachment=True, download_name=f"liability-{day}.xlsx"
    )


def found_liability() -> Liability:
    """Return what is owed within the scope of whoever looks."""
    fund_places: FundPlaces = current_app.extensions["fund_places"]
    with reading() as session:
        return liability_within(session, current_actor().paths(*READERS), fund_places(session))
