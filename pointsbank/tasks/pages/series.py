"""The HTML door of series: a shift repeated, its dates, all following changed, its end."""

from datetime import datetime, timedelta
from typing import Any

from flask import Blueprint, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext, ngettext

from pointsbank.core import clock
from pointsbank.core.calendar import local_day
from pointsbank.core.db import reading, transaction
from pointsbank.tasks.following import change_following, end_series
from pointsbank.tasks.pages.series_fields import (
    FIELD_LENGTH,
    PLAN_FIELDS,
    Problems,
    draw_handle,
    loaded,
    paths,
    rule_choices,
    today,
    tried,
    typed_fields,
    whole,
)
from pointsbank.tasks.queries import ShiftLine, TaskLine, shift_of
from pointsbank.tasks.recurrence import WEEKDAYS, read_rule
from pointsbank.tasks.recurring import WEEKS_AHEAD, plan_series
from pointsbank.tasks.schemas import MINUTES_A_DAY
from pointsbank.tasks.series_form import rule_from
from pointsbank.tasks.series_queries import (
    SeriesLine,
    dates_of,
    detached_dates,
    is_behind,
    series_of,
)
from pointsbank.tasks.series_schemas import (
    NewSeries,
    SeriesChange,
    SeriesEnd,
    changed_plan,
    clock_words,
    rule_words,
)
from pointsbank.web.access import current_actor, roles_only
from pointsbank.web.forms import settings, typed

pages = Blueprint("series_pages", __name__)

# The choice that leaves the rule as it is.
KEEP = "keep"


@pages.get("/shifts/<id:shift_id>/series/new")
@roles_only("organizer")
def ask_for_rule(shift_id: int) -> ResponseReturnValue:
    """Ask how a shift is to recur."""
    with reading() as session:
        shift, _task = shift_of(session, shift_id, paths())
    begins = local_day(shift.starts_at, settings().zone)
    form = {
        "repeats": "weekly",
        "every": "1",
        f"weekday_{WEEKDAYS[begins.weekday()]}": "1",
        "month_days": str(begins.day),
        "nth_day": WEEKDAYS[begins.weekday()],
        "weeks_ahead": str(WEEKS_AHEAD),
    }
    return rule_form(shift_id, form, [])


def rule_form(shift_id: int, form: dict[str, str], problems: Problems) -> ResponseReturnValue:
    """Render the form of a new series, with what was wrong."""
    with reading() as session:
        shift, task = shift_of(session, shift_id, paths())
    page = render_template(
        "tasks/repeat.html",
        task={"title": task.title},
        shift={
            "starts_at": shift.starts_at,
            "ends_at": shift.ends_at,
            "place_name": shift.place_name,
        },
        form=form,
        problems=problems,
        errors=dict(problems),
        choices=rule_choices(),
        links={
            "back": url_for("organizing_pages.show_plan", task_id=task.id),
            "save": url_for("series_pages.repeat", shift_id=shift_id),
        },
    )
    return page, 422 if problems else 200


@pages.post("/shifts/<id:shift_id>/series")
@roles_only("organizer")
def repeat(shift_id: int) -> ResponseReturnValue:
    """Let a shift recur, and show its dates."""
    form = typed_fields()

    def act() -> int:
        wanted = {
            "rule": rule_from(form.__getitem__),
            "ends_on": form["ends_on"],
            "weeks_ahead": whole(form["weeks_ahead"]),
        }
        body = loaded(NewSeries(), wanted)
        with transaction() as session:
            return plan_series(
                session,
                shift_id=shift_id,
                recurrence=read_rule(body.pop("rule")),
                actor_id=current_actor().member_id,
                paths=paths(),
                zone=settings().zone,
                draw=draw_handle,
                now=clock.now(),
                **body,
            )

    series_id, problems = tried(act)
    if problems:
        return rule_form(shift_id, form, problems)
    flash(gettext("It repeats now. These are its next dates."), "success")
    return redirect(url_for("series_pages.show_series", series_id=series_id), 303)


@pages.get("/series/<id:series_id>")
@roles_only("organizer")
def show_series(series_id: int) -> ResponseReturnValue:
    """Show a series to its organizers: its rule, its dates, and what can be changed."""
    now = clock.now()
    with reading() as session:
        series = series_of(session, series_id, paths())
        dates = dates_of(session, series_id, now=now)
        before = (
            dates_of(session, series.follows_id, now=now)
            if series.follows_id is not None
            else []
        )
        changed = detached_dates(session, series_id)
        if series.follows_id is not None:
            changed |= detached_dates(session, series.follows_id)
    kept = [
        shift
        for shift in before
        if local_day(shift.starts_at, settings().zone) >= series.starts_on
    ]
    return render_template(
        "tasks/series.html",
        series=series_words(series),
        dates=[date_row(shift, changed) for shift in dates],
        kept=[date_row(shift, changed) for shift in kept],
        today=today().isoformat(),
        links={
            "back": url_for("organizing_pages.show_plan", task_id=series.task_id),
            "following": url_for("series_pages.ask_for_change", series_id=series_id),
            "end": url_for("series_pages.end", series_id=series_id),
        },
    )


def series_words(series: SeriesLine) -> dict[str, Any]:
    """Return a series as its page prints it."""
    last = series.start_minute + series.lasts_minutes
    return {
        "title": series.title,
        "words": rule_words(series.recurrence, series.starts_on),
        "hours": f"{clock_words(series.start_minute)}–{clock_words(last % MINUTES_A_DAY)}",
        "place_name": series.place_name,
        "places": series.places,
        "weeks_ahead": series.weeks_ahead,
        "starts_on": series.starts_on,
        "ends_on": series.ends_on,
        "is_over": series.state != "active" or series.task_state != "open",
        "is_behind": is_behind(series, today()),
    }


def series_row(series: SeriesLine, task: TaskLine, now: datetime) -> dict[str, Any]:
    """Return a series as its task's page prints it, with its next date."""
    coming = (
        shift.starts_at
        for shift in task.shifts
        if shift.series_id == series.id
        and shift.starts_at > now
        and shift.called_off_at is None
    )
    words = series_words(series)
    return {
        "href": url_for("series_pages.show_series", series_id=series.id),
        "words": words["words"],
        "hours": words["hours"],
        "place_name": words["place_name"],
        "next_at": min(coming, default=None),
    }


def date_row(shift: ShiftLine, changed: set[int]) -> dict[str, Any]:
    """Return a date as a row prints it."""
    is_on = shift.called_off_at is None
    return {
        "href": url_for("date_pages.ask_for_date", shift_id=shift.id) if is_on else "",
        "starts_at": shift.starts_at,
        "ends_at": shift.ends_at,
        "place_name": shift.place_name,
        "claimed": shift.claimed,
        "places": shift.places,
        "is_on": is_on,
        "is_changed": shift.id in changed,
    }


@pages.get("/series/<id:series_id>/following")
@roles_only("organizer")
def ask_for_change(series_id: int) -> ResponseReturnValue:
    """Ask what is to be other from a day on."""
    with reading() as session:
        series = series_of(session, series_id, paths())
    form = {
        "repeats": KEEP,
        "every": "1",
        "nth_day": WEEKDAYS[series.weekdays[0]],
        "from_on": max(today() + timedelta(days=1), series.starts_on).isoformat(),
        "starts": clock_words(series.start_minute),
        "lasts_minutes": str(series.lasts_minutes),
        "place_name": series.place_name,
        "ends_on": series.ends_on.isoformat() if series.ends_on else "",
        "weeks_ahead": str(series.weeks_ahead),
    }
    for number, role in enumerate(series.roles):
        form[f"places_{number}"] = str(role["places"])
    return change_form(series, form, [])


def change_form(
    series: SeriesLine, form: dict[str, str], problems: Problems
) -> ResponseReturnValue:
    """Render the form that changes all following dates, with what was wrong."""
    page = render_template(
        "tasks/following.html",
        series=series_words(series),
        roles=[role["name"] for role in series.roles],
        form=form,
        problems=problems,
        errors=dict(problems),
        choices=rule_choices(),
        today=today().isoformat(),
        links={
            "back": url_for("series_pages.show_series", series_id=series.id),
            "save": url_for("series_pages.change_all_following", series_id=series.id),
        },
    )
    return page, 422 if problems else 200


@pages.post("/series/<id:series_id>/following")
@roles_only("organizer")
def change_all_following(series_id: int) -> ResponseReturnValue:
    """Change all dates from a day on, and show the series that follows."""
    with reading() as session:
        series = series_of(session, series_id, paths())
    form = typed_fields()
    for number in range(len(series.roles)):
        form[f"places_{number}"] = typed(f"places_{number}", FIELD_LENGTH)

    def act() -> Any:
        wanted = {
            name: whole(form[name]) if name in ("weeks_ahead", "lasts_minutes") else form[name]
            for name in PLAN_FIELDS
        }
        wanted["rule"] = "" if form["repeats"] == KEEP else rule_from(form.__getitem__)
        roles = [
            {**role, "places": whole(form[f"places_{number}"])}
            for number, role in enumerate(series.roles)
        ]
        body = loaded(SeriesChange(), {**wanted, "roles": roles})
        with transaction() as session:
            return change_following(
                session,
                series_id=series_id,
                from_on=body["from_on"],
                # A day that was taken out of the form is an end that is taken away.
                plan=changed_plan(series, {"ends_on": None, **body}),
                actor_id=current_actor().member_id,
                paths=paths(),
                zone=settings().zone,
                draw=draw_handle,
                now=clock.now(),
            )

    changed, problems = tried(act)
    if problems:
        return change_form(series, form, problems)
    tell_kept(len(changed.kept), gettext("The dates from that day on are changed."))
    return redirect(url_for("series_pages.show_series", series_id=changed.series_id), 303)


def tell_kept(kept: int, done: str) -> None:
    """Say on the next page what was done, and how many dates were kept for their people."""
    flash(done, "success")
    if kept:
        flash(
            ngettext(
                "%(num)s date stays as it was, because people have places on it.",
                "%(num)s dates stay as they were, because people have places on them.",
                kept,
            ),
            "warning",
        )


@pages.post("/series/<id:series_id>/end")
@roles_only("organizer")
def end(series_id: int) -> ResponseReturnValue:
    """End a series from a day on, and show what is left of it."""

    def act() -> Any:
        body = loaded(SeriesEnd(), {"from_on": typed("from_on", FIELD_LENGTH)})
        with transaction() as session:
            return end_series(
                session,
                series_id=series_id,
                from_on=body.get("from_on") or today(),
                actor_id=current_actor().member_id,
                paths=paths(),
                zone=settings().zone,
                now=clock.now(),
            )

    changed, problems = tried(act)
    if problems:
        flash(problems[0][1], "error")
    else:
        tell_kept(len(changed.kept), gettext("It does not repeat any more from that day on."))
    return redirect(url_for("series_pages.show_series", series_id=series_id), 303)
