"""The HTML door of standing claims: made, changed and ended by the person themself."""

from typing import Any

from flask import Blueprint, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext, ngettext
from sqlalchemy.orm import Session

from pointsbank.core import clock
from pointsbank.core.db import reading, run, transaction
from pointsbank.tasks.pages.series_fields import FIELD_LENGTH, Problems, loaded, today, tried
from pointsbank.tasks.recurrence import WEEKDAYS
from pointsbank.tasks.series_queries import (
    SeriesLine,
    StandingLine,
    series_among,
    series_of,
    standing_claims_of,
)
from pointsbank.tasks.series_schemas import (
    NewStandingClaim,
    clock_words,
    rule_words,
    standing_wish,
    weekday_words,
)
from pointsbank.tasks.standing import StandingMade, end_standing_claim, make_standing_claim
from pointsbank.web.access import current_actor, members_only
from pointsbank.web.forms import attempt, settings, typed

pages = Blueprint("standing_pages", __name__)


def standing_rows(session: Session, member_id: int) -> list[dict[str, Any]]:
    """Return a person's standing claims as a list prints them."""
    own = standing_claims_of(session, member_id)
    if not own:
        return []
    series = series_among(session, [standing.series_id for standing in own])
    return [standing_row(standing, series[standing.series_id]) for standing in own]


def standing_row(standing: StandingLine, series: SeriesLine) -> dict[str, Any]:
    """Return a standing claim as a row prints it."""
    return {
        "href": url_for("standing_pages.ask", series_id=series.id),
        "title": series.title,
        "words": gettext("Each %(days)s", days=weekday_words(standing.weekdays)),
        "time": clock_words(series.start_minute),
        "place_name": series.place_name,
        "role": standing.role_name,
        "until": standing.until,
    }


@pages.get("/series/<id:series_id>/standing-claim")
@members_only
def ask(series_id: int) -> ResponseReturnValue:
    """Ask on which dates of a series the person wishes to take part every time."""
    with reading() as session:
        series = series_of(session, series_id)
        held = held_on(session, series_id)
    days = held.weekdays if held else series.weekdays
    form = {f"weekday_{WEEKDAYS[day]}": "1" for day in days}
    if held:
        form["role"] = held.role_name
        form["since"] = held.since.isoformat() if held.since > today() else ""
        form["until"] = held.until.isoformat() if held.until else ""
    return standing_form(series, held, form, [])


def held_on(session: Session, series_id: int) -> StandingLine | None:
    """Return the person's own standing claim on a series."""
    own = standing_claims_of(session, current_actor().member_id)
    return next((each for each in own if each.series_id == series_id), None)


def standing_form(
    series: SeriesLine, held: StandingLine | None, form: dict[str, str], problems: Problems
) -> ResponseReturnValue:
    """Render the form of a standing claim, with what was wrong."""
    page = render_template(
        "tasks/standing.html",
        series={
            "title": series.title,
            "words": rule_words(series.recurrence, series.starts_on),
            "time": clock_words(series.start_minute),
            "place_name": series.place_name,
            "is_over": series.state != "active" or series.task_state != "open",
        },
        days=[(WEEKDAYS[day], weekday_words((day,))) for day in series.weekdays],
        roles=[("", gettext("Any of them")), *((name, name) for name in series.role_names)],
        is_held=held is not None,
        form=form,
        problems=problems,
        errors=dict(problems),
        today=today().isoformat(),
        links={
            "back": url_for("task_pages.show_task", task_id=series.task_id),
            "save": url_for("standing_pages.stand_in", series_id=series.id),
            "end": held and url_for("standing_pages.end", standing_id=held.id),
        },
    )
    return page, 422 if problems else 200


@pages.post("/series/<id:series_id>/standing-claims")
@members_only
def stand_in(series_id: int) -> ResponseReturnValue:
    """Make or change one's own standing claim, and show what one has claimed."""
    actor, now = current_actor(), clock.now()
    with reading() as session:
        series = series_of(session, series_id)
        held = held_on(session, series_id)
    names = ("since", "until", "role", *(f"weekday_{day}" for day in WEEKDAYS))
    form = {name: typed(name, FIELD_LENGTH) for name in names}

    def act() -> StandingMade:
        wanted: dict[str, Any] = {name: form[name] for name in ("since", "until", "role")}
        wanted["weekdays"] = [day for day in WEEKDAYS if form[f"weekday_{day}"]]
        wish = standing_wish(loaded(NewStandingClaim(), wanted))
        return run(
            lambda session: make_standing_claim(
                session,
                series_id=series_id,
                member_id=actor.member_id,
                wish=wish,
                zone=settings().zone,
                now=now,
            )
        )

    made, problems = tried(act)
    if problems:
        return standing_form(series, held, form, problems)
    tell_what_was_claimed(made)
    return redirect(url_for("task_pages.list_claims"), 303)


def tell_what_was_claimed(made: StandingMade) -> None:
    """Say on the next page what a standing claim did at once."""
    flash(
        ngettext(
            "Written down. You have a place on %(num)s date, and we claim each new one.",
            "Written down. You have places on %(num)s dates, and we claim each new one.",
            made.claimed,
        ),
        "success",
    )
    if made.waitlisted or made.missed:
        flash(gettext("On some dates you wait or were left out: see your messages."), "warning")


@pages.post("/standing-claims/<id:standing_id>/end")
@members_only
def end(standing_id: int) -> ResponseReturnValue:
    """End one's own standing claim, and show what one has claimed."""
    actor = current_actor()

    def act() -> None:
        with transaction() as session:
            end_standing_claim(
                session, standing_id=standing_id, member_id=actor.member_id, now=clock.now()
            )

    attempt(
        act, gettext("Ended. What you have claimed stays; give up each date you cannot come.")
    )
    return redirect(url_for("task_pages.list_claims"), 303)
