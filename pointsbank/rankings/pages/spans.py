"""The page where a span of days is made a period to rank by."""

from datetime import date

from flask import Blueprint, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext

from pointsbank.core import clock
from pointsbank.core.calendar import local_day
from pointsbank.core.db import reading, run
from pointsbank.core.errors import Conflict, Invalid
from pointsbank.rankings.errors import BadPeriodSpan
from pointsbank.rankings.periods import (
    SPAN_DAYS_MAX,
    SPAN_MAKERS,
    TITLE_LENGTH_MAX,
    make_period,
    spans_made,
)
from pointsbank.web.access import current_actor, roles_only
from pointsbank.web.errors import sentence_of
from pointsbank.web.forms import settings, typed

pages = Blueprint("span_pages", __name__)

DAY_TYPED_MAX = 10


@pages.get("/rankings/periods")
@roles_only(*SPAN_MAKERS)
def ask_for_span() -> ResponseReturnValue:
    """Show the form, and the spans that were made before."""
    return asked_again({}, "")


@pages.post("/rankings/periods")
@roles_only(*SPAN_MAKERS)
def make_span() -> ResponseReturnValue:
    """Make a span of days a period, and lead to its ranking."""
    given = {name: typed(name, DAY_TYPED_MAX) for name in ("first_on", "last_on")}
    given["title"] = typed("title", TITLE_LENGTH_MAX)
    actor_id, now = current_actor().member_id, clock.now()
    today = local_day(now, settings().zone)
    try:
        first_on, last_on = read_days(given["first_on"], given["last_on"])
        name = run(
            lambda session: make_period(
                session,
                title=given["title"],
                first_on=first_on,
                last_on=last_on,
                made_by_id=actor_id,
                today=today,
                now=now,
            )
        )
    except (Invalid, Conflict) as refusal:
        return asked_again(given, sentence_of(refusal), 400)
    return redirect(url_for("ranking_pages.ranking", period=name))


def read_days(first: str, last: str) -> tuple[date, date]:
    """Read the two days of a form.

    Raises BadPeriodSpan.
    """
    try:
        return date.fromisoformat(first), date.fromisoformat(last)
    except ValueError as error:
        raise BadPeriodSpan(days=SPAN_DAYS_MAX) from error


def asked_again(given: dict[str, str], refusal: str, status: int = 200) -> ResponseReturnValue:
    """Show the form with what was typed, and why it was not taken."""
    with reading() as session:
        spans = [
            {
                "title": span.title,
                "first_on": span.first_on,
                "last_on": span.last_on,
                "href": url_for("ranking_pages.ranking", period=span.name),
            }
            for span in spans_made(session)
        ]
    page = render_template(
        "rankings/spans.html",
        title=gettext("A period of your own"),
        given=given,
        refusal=refusal,
        spans=spans,
        links={
            "here": url_for("span_pages.make_span"),
            "back": url_for("ranking_pages.ranking"),
        },
    )
    return page, status
