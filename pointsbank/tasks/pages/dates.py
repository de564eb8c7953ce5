"""The HTML door of one date: changed by itself, or called off."""

from datetime import datetime

from flask import Blueprint, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext

from pointsbank.core import clock
from pointsbank.core.db import reading, transaction
from pointsbank.tasks.dates import change_date
from pointsbank.tasks.pages.series_fields import (
    FIELD_LENGTH,
    Problems,
    loaded,
    paths,
    tried,
    whole,
)
from pointsbank.tasks.publishing import call_off_shift
from pointsbank.tasks.queries import ShiftLine, TaskLine, shift_of
from pointsbank.tasks.series_queries import whole_shift_of
from pointsbank.tasks.series_schemas import ChangedDate, date_change
from pointsbank.web.access import current_actor, roles_only
from pointsbank.web.formats import form_moment
from pointsbank.web.forms import attempt, settings, typed

pages = Blueprint("date_pages", __name__)

REASON_LENGTH = 200


@pages.get("/shifts/<id:shift_id>/change")
@roles_only("organizer")
def ask_for_date(shift_id: int) -> ResponseReturnValue:
    """Ask what is to be other on one date."""
    with reading() as session:
        shift, task = whole_shift_of(session, shift_id, paths())
    form = {
        "starts_at": form_moment(shift.starts_at),
        "ends_at": form_moment(shift.ends_at),
        "place_name": shift.place_name,
        **{f"places_{role.id}": str(role.places) for role in shift.roles},
    }
    return date_form(shift, task, form, [])


def date_form(
    shift: ShiftLine, task: TaskLine, form: dict[str, str], problems: Problems
) -> ResponseReturnValue:
    """Render the form of one date, with what was wrong."""
    page = render_template(
        "tasks/date.html",
        task={"title": task.title},
        shift={
            "starts_at": shift.starts_at,
            "ends_at": shift.ends_at,
            "claimed": shift.claimed,
            "repeats": shift.series_id is not None,
        },
        roles=[(f"places_{role.id}", role.name, role.claimed) for role in shift.roles],
        form=form,
        problems=problems,
        errors=dict(problems),
        links={
            "back": url_for_shift(shift, task),
            "save": url_for("date_pages.change_one", shift_id=shift.id),
            "call_off": url_for("date_pages.call_off", shift_id=shift.id),
        },
    )
    return page, 422 if problems else 200


@pages.post("/shifts/<id:shift_id>/change")
@roles_only("organizer")
def change_one(shift_id: int) -> ResponseReturnValue:
    """Change one date, and show where it belongs."""
    with reading() as session:
        shift, task = whole_shift_of(session, shift_id, paths())
    names = ["starts_at", "ends_at", "place_name"]
    names += [f"places_{role.id}" for role in shift.roles]
    form = {name: typed(name, FIELD_LENGTH) for name in names}

    def act() -> bool:
        roles = [
            {"id": role.id, "places": whole(form[f"places_{role.id}"])}
            for role in shift.roles
            if form[f"places_{role.id}"]
        ]
        wanted = {name: with_offset(form[name]) for name in ("starts_at", "ends_at")}
        body = loaded(
            ChangedDate(), {**wanted, "place_name": form["place_name"], "roles": roles}
        )
        with transaction() as session:
            return change_date(
                session,
                shift_id=shift_id,
                change=date_change(body),
                actor_id=current_actor().member_id,
                paths=paths(),
                now=clock.now(),
            )

    is_changed, problems = tried(act)
    if problems:
        return date_form(shift, task, form, problems)
    if is_changed:
        flash(gettext("This date is changed. Whoever has a place on it is told."), "success")
    return redirect(url_for_shift(shift, task), 303)


def url_for_shift(shift: ShiftLine, task: TaskLine) -> str:
    """Return the page on which an organizer finds a shift."""
    if shift.series_id is None:
        return url_for("organizing_pages.show_plan", task_id=task.id)
    return url_for("series_pages.show_series", series_id=shift.series_id)


def with_offset(text: str) -> str:
    """Return a local moment as a browser's field gives it, with this service's offset."""
    try:
        return datetime.fromisoformat(text).replace(tzinfo=settings().zone).isoformat()
    except ValueError:
        return text


@pages.post("/shifts/<id:shift_id>/cancellation")
@roles_only("organizer")
def call_off(shift_id: int) -> ResponseReturnValue:
    """Call one date off with a reason, and show where it belongs."""
    with reading() as session:
        shift, task = shift_of(session, shift_id, paths())

    def act() -> None:
        with transaction() as session:
            call_off_shift(
                session,
                shift_id=shift_id,
                actor_id=current_actor().member_id,
                paths=paths(),
                reason=typed("reason", REASON_LENGTH),
                now=clock.now(),
            )

    attempt(act, gettext("This date is called off. Whoever had a place on it is told."))
    return redirect(url_for_shift(shift, task), 303)
