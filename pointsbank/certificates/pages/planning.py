"""The form of a plan: as typed, as sent, what was wrong."""

from datetime import date
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext
from sqlalchemy.orm import Session

from pointsbank.certificates.models import MARKS_ALL, TASK_LENGTH_MAX, TEXT_LENGTH_MAX
from pointsbank.certificates.planning import (
    FILERS,
    NewItem,
    change_plan,
    file_plan,
    owners_of_numbers,
)
from pointsbank.certificates.plans_queries import PlanItemLine, items_of, plan_of
from pointsbank.certificates.plans_schemas import ITEMS_MAX
from pointsbank.core import clock
from pointsbank.core.calendar import local_day
from pointsbank.core.db import reading, run
from pointsbank.core.errors import Conflict, Invalid, NotFound
from pointsbank.core.text import halfwidth
from pointsbank.members.errors import MemberNotFound
from pointsbank.organizations.queries import OrganizationNode, organizations_within
from pointsbank.web.access import current_actor, roles_only
from pointsbank.web.errors import sentence_of
from pointsbank.web.forms import settings, typed, typed_id

pages = Blueprint("plan_writing_pages", __name__)

NUMBER_MAX = 20
FIELDS = {
    "task": TASK_LENGTH_MAX,
    "measures": TEXT_LENGTH_MAX,
    "owner_no": NUMBER_MAX,
    "due_on": NUMBER_MAX,
    "marks": NUMBER_MAX,
}
ROWS_AT_FIRST, ROWS_MORE = 5, 3
Rows = list[dict[str, str]]


def places() -> list[OrganizationNode]:
    """Return the organizations whose plan one may file."""
    with reading() as session:
        return organizations_within(session, current_actor().paths(*FILERS), limit=200)


@pages.get("/organization-plans/new")
@roles_only(*FILERS)
def ask() -> ResponseReturnValue:
    """Ask for the plan of a year."""
    return page([], {}, [], url_for("plan_writing_pages.save"), places())


@pages.get("/organization-plans/<id:plan_id>/change")
@roles_only(*FILERS)
def ask_anew(plan_id: int) -> ResponseReturnValue:
    """Ask for the items of a plan anew, filled with what stands."""
    with reading() as session:
        plan_of(session, plan_id, current_actor())
        items = items_of(session, plan_id)
    address = url_for("plan_writing_pages.save_anew", plan_id=plan_id)
    return page([row_of(each) for each in items], {}, [], address, [])


def row_of(item: PlanItemLine) -> dict[str, str]:
    """Return an item as the form holds it."""
    return {
        "task": item.task,
        "measures": item.measures,
        "owner_no": item.owner_no,
        "due_on": item.due_on.isoformat(),
        "marks": str(item.marks),
    }


def page(
    rows: Rows,
    form: dict[str, str],
    problems: list[tuple[str, str]],
    address: str,
    offered: list[OrganizationNode],
    *,
    wants_more: bool = False,
) -> ResponseReturnValue:
    """Render the form with what was typed, and empty rows behind it."""
    today = local_day(clock.now(), settings().zone)
    room = max(ROWS_AT_FIRST, len(rows) + (ROWS_MORE if wants_more or not problems else 0))
    empty = [dict.fromkeys(FIELDS, "") for _ in range(min(room, ITEMS_MAX) - len(rows))]
    rendered = render_template(
        "certificates/new_plan.html",
        rows=[*rows, *empty],
        form=form,
        problems=problems,
        places=[(each.id, each.name) for each in offered],
        years=[(today.year, str(today.year)), (today.year + 1, str(today.year + 1))],
        is_new=bool(offered),
        marks_all=MARKS_ALL,
        limits=FIELDS,
        links={"save": address, "back": url_for("plan_pages.list_plans")},
    )
    return rendered, 422 if problems else 200


def rows_typed() -> Rows:
    """Return the rows of the form in which something stands."""
    rows = [
        {name: typed(f"{name}_{no}", length) for name, length in FIELDS.items()}
        for no in range(1, ITEMS_MAX + 1)
        if f"task_{no}" in request.form
    ]
    return [row for row in rows if any(row.values())]


def problems_of(rows: Rows) -> list[tuple[str, str]]:
    """Return what is missing or unreadable in the rows, each with a sentence."""
    problems = []
    if not rows:
        problems.append(("task_1", gettext("Please plan at least one item.")))
    for no, row in enumerate(rows, 1):
        marks = halfwidth(row["marks"])
        wrong = [
            ("task", not row["task"], gettext("Item %(no)s: what is to be done?", no=no)),
            (
                "owner_no",
                not row["owner_no"],
                gettext("Item %(no)s: whose is it? Give the member no.", no=no),
            ),
            (
                "due_on",
                day_of(row["due_on"]) is None,
                gettext("Item %(no)s: until which day?", no=no),
            ),
            (
                "marks",
                not (marks.isascii() and marks.isdigit() and 1 <= int(marks) <= MARKS_ALL),
                gettext("Item %(no)s: how many marks, 1 to 100?", no=no),
            ),
        ]
        problems += [(f"{name}_{no}", words) for name, is_wrong, words in wrong if is_wrong]
    return [(name, str(words)) for name, words in problems]


def day_of(text: str) -> date | None:
    """Return the day that was typed, None for what is none."""
    try:
        return date.fromisoformat(halfwidth(text))
    except ValueError:
        return None


def planned(session: Session, rows: Rows) -> list[NewItem]:
    """Return the rows as items, their owners found by their numbers.

    Raises MemberNotFound.
    """
    numbers = [halfwidth(row["owner_no"]) for row in rows]
    owners = owners_of_numbers(session, current_actor().paths(*FILERS), numbers)
    return [
        NewItem(
            task=row["task"],
            measures=row["measures"],
            owner_id=owners[number],
            due_on=day_of(row["due_on"]) or date.min,
            marks=int(halfwidth(row["marks"])),
        )
        for row, number in zip(rows, numbers, strict=True)
    ]


@pages.post("/organization-plans/new")
@roles_only(*FILERS)
def save() -> ResponseReturnValue:
    """File the plan that was typed; nothing typed is lost when it cannot be."""
    actor, now = current_actor(), clock.now()
    form = {name: typed(name, NUMBER_MAX) for name in ("organization_id", "year")}
    rows, address = rows_typed(), url_for("plan_writing_pages.save")
    if "more" in request.form:
        return page(rows, form, [], address, places(), wants_more=True)
    problems = problems_of(rows)
    if problems:
        return page(rows, form, problems, address, places())
    year = halfwidth(form["year"])

    def act(session: Session) -> int:
        return file_plan(
            session,
            actor=actor,
            organization_id=typed_id("organization_id") or 0,
            year=int(year) if year.isascii() and year.isdigit() else 0,
            items=planned(session, rows),
            today=local_day(now, settings().zone),
            now=now,
        )

    try:
        plan_id = run(act)
    except (Invalid, Conflict, NotFound) as refusal:
        return page(rows, form, [problem_of(refusal)], address, places())
    flash(gettext("The plan is filed. Its owners are told."), "success")
    return redirect(url_for("plan_pages.show_plan", plan_id=plan_id), 303)


def problem_of(refusal: Any) -> tuple[str, str]:
    """Return a refusal as the form says it; an unknown owner is said in its own words."""
    if isinstance(refusal, MemberNotFound):
        return "", str(gettext("A member no. is not known within your organization."))
    return "", sentence_of(refusal)


@pages.post("/organization-plans/<id:plan_id>/change")
@roles_only(*FILERS)
def save_anew(plan_id: int) -> ResponseReturnValue:
    """Plan anew with what was typed."""
    actor, now = current_actor(), clock.now()
    rows = rows_typed()
    address = url_for("plan_writing_pages.save_anew", plan_id=plan_id)
    with reading() as session:
        plan_of(session, plan_id, actor)
    if "more" in request.form:
        return page(rows, {}, [], address, [], wants_more=True)
    problems = problems_of(rows)
    if problems:
        return page(rows, {}, problems, address, [])

    def act(session: Session) -> None:
        items = planned(session, rows)
        change_plan(session, actor=actor, plan_id=plan_id, items=items, now=now)

    try:
        run(act)
    except (Invalid, Conflict, MemberNotFound) as refusal:
        return page(rows, {}, [problem_of(refusal)], address, [])
    flash(gettext("The plan was changed. Its owners are told."), "success")
    return redirect(url_for("plan_pages.show_plan", plan_id=plan_id), 303)
