"""The page on which levels are set from a day on."""

from datetime import date, timedelta
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext
from sqlalchemy.orm import Session

from pointsbank.certificates.errors import WholeNeeded
from pointsbank.certificates.levels import drop_levels, oversees_the_whole, set_levels
from pointsbank.certificates.models import HOURS_MAX, LEVEL_KINDS, STARS_MAX
from pointsbank.certificates.queries import LevelSet, level_sets
from pointsbank.certificates.words import LEVELS, stars_words
from pointsbank.core import clock
from pointsbank.core.calendar import local_day
from pointsbank.core.db import reading, run
from pointsbank.core.errors import Invalid, NotAllowed
from pointsbank.core.text import halfwidth
from pointsbank.web.access import current_actor, roles_only
from pointsbank.web.errors import sentence_of, status_of
from pointsbank.web.forms import attempt, settings, typed, typed_whole

pages = Blueprint("level_pages", __name__)

HERE = "level_pages.show"
TYPED_MAX = 20
# What others use: Beijing's levels, and those of a small community.
EXAMPLES = {"beijing": (100, 200, 500, 800, 1000), "small": (10, 20, 30, 40, 50)}


@pages.get("/stars/levels")
@roles_only("administrator")
def show() -> ResponseReturnValue:
    """Show what held, holds and will hold, and to who may set it the form."""
    return page({}, "", 200)


def page(form: dict[str, str], error: str, status: int) -> ResponseReturnValue:
    """Render the page, with what was typed and what was wrong."""
    today = local_day(clock.now(), settings().zone)
    with reading() as session:
        sets = level_sets(session)
    rendered = render_template(
        "certificates/levels.html",
        sets=[printed(each, sets, today) for each in sets],
        kinds=[(kind, LEVELS[kind]) for kind in LEVEL_KINDS],
        stars=[(stars, stars_words(stars)) for stars in range(1, STARS_MAX + 1)],
        form={"valid_from": (today + timedelta(days=1)).isoformat(), **form},
        error=error,
        tomorrow=today + timedelta(days=1),
        may_set=oversees_the_whole(current_actor()),
        examples={name: " · ".join(map(str, each)) for name, each in EXAMPLES.items()},
        links={
            "back": url_for("star_pages.list_applications"),
            "save": url_for("level_pages.save"),
            "drop": url_for("level_pages.drop"),
        },
    )
    return rendered, status


def printed(found: LevelSet, sets: list[LevelSet], today: date) -> dict[str, Any]:
    """Return a set as the page prints it: to come, in force or over."""
    begun = [each.valid_from for each in sets if each.kind == found.kind]
    newest = max((day for day in begun if day <= today), default=today)
    return {
        "kind": found.kind,
        "title": str(LEVELS[found.kind]),
        "valid_from": found.valid_from,
        "state": "to_come"
        if found.valid_from > today
        else ("in_force" if found.valid_from == newest else "over"),
        "levels": [(stars_words(stars), least) for stars, least in found.levels.items()],
    }


def day_typed() -> date | None:
    """Return the day of the form, None for what is none."""
    try:
        return date.fromisoformat(halfwidth(typed("valid_from", TYPED_MAX)))
    except ValueError:
        return None


@pages.post("/stars/levels")
@roles_only("administrator")
def save() -> ResponseReturnValue:
    """Let a set be valid from a later day on; nothing typed is lost when it cannot be."""
    actor, now = current_actor(), clock.now()
    names = [f"level_{stars}" for stars in range(1, STARS_MAX + 1)]
    form = {name: typed(name, TYPED_MAX) for name in ("kind", "valid_from", *names)}
    levels = {
        stars: typed_whole(name, HOURS_MAX) or 0 for stars, name in enumerate(names, start=1)
    }
    valid_from = day_typed()
    if form["kind"] not in LEVEL_KINDS or valid_from is None:
        return page(form, gettext("Please choose for whom, and from which day on."), 422)

    def act(session: Session) -> None:
        set_levels(
            session,
            actor=actor,
            kind=form["kind"],
            levels=levels,
            valid_from=valid_from,
            today=local_day(now, settings().zone),
            now=now,
        )

    try:
        run(act)
    except (Invalid, NotAllowed) as refusal:
        return page(form, sentence_of(refusal), status_of(refusal))
    flash(gettext("Saved. What was awarded before stays as it is."), "success")
    return redirect(url_for(HERE), 303)


@pages.post("/stars/levels/withdrawal")
@roles_only("administrator")
def drop() -> ResponseReturnValue:
    """Take back a set that is still to come."""
    actor, now = current_actor(), clock.now()
    kind, valid_from = request.form.get("kind", ""), day_typed()
    if not oversees_the_whole(actor):
        raise WholeNeeded

    def act(session: Session) -> None:
        drop_levels(
            session,
            actor=actor,
            kind=kind,
            valid_from=valid_from or date.min,
            today=local_day(now, settings().zone),
            now=now,
        )

    attempt(lambda: run(act), gettext("The set was taken back."))
    return redirect(url_for(HERE), 303)
