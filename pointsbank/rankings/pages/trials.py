"""The pages of trials: those of a draft, a new one, and who would have moved."""

from typing import Any

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext

from pointsbank.core import clock
from pointsbank.core.calendar import local_day, quarter_before, quarter_of
from pointsbank.core.db import reading, run
from pointsbank.core.errors import Conflict, Invalid, NotFound
from pointsbank.organizations.queries import organizations_within
from pointsbank.rankings.schemas import period_words
from pointsbank.rankings.trials import TrialFile, trial_file, trials_of
from pointsbank.rankings.trying import MOVED_KEPT, run_trial
from pointsbank.scoring.contents import digest_of
from pointsbank.scoring.standards import KEEPER, check_keeper, content_of, standard_line
from pointsbank.scoring.standards_schemas import CATEGORY_WORDS, GRADE_WORDS, name_words
from pointsbank.web.access import current_actor, roles_only
from pointsbank.web.contract import cursor_from, position_from
from pointsbank.web.errors import sentence_of
from pointsbank.web.forms import settings, typed

pages = Blueprint("trial_pages", __name__)

LINES = 20
ORGANIZATIONS_SHOWN_MAX = 200
FORM = {"period": 24, "organization_code": 32}


@pages.get("/standards/<id:standard_id>/trials")
@roles_only(KEEPER)
def list_trials(standard_id: int) -> ResponseReturnValue:
    """List the trials of a draft, and offer another."""
    today = local_day(clock.now(), settings().zone)
    return trials_page(standard_id, {"period": quarter_before(quarter_of(today)).name}, "")


def trials_page(standard_id: int, form: dict[str, str], problem: str) -> ResponseReturnValue:
    """Render the trials of a draft, with what was wrong with a wish."""
    actor, before = current_actor(), position_from(request.args.get("cursor"))
    with reading() as session:
        check_keeper(session, actor)
        standard = standard_line(session, standard_id)
        digest = digest_of(content_of(session, standard_id))
        found = trials_of(session, actor, standard_id, before_id=before, limit=LINES + 1)
        places = organizations_within(
            session, actor.paths(KEEPER), limit=ORGANIZATIONS_SHOWN_MAX
        )
    here = url_for("trial_pages.list_trials", standard_id=standard_id)
    page = render_template(
        "rankings/trials.html",
        standard=standard,
        standard_name=name_words(standard.name),
        trials=[listed(each, digest) for each in found[:LINES]],
        places=[(place.code, place.name) for place in places],
        form=form,
        problems=[("", problem)] if problem else [],
        may_try=standard.state == "draft",
        links={
            "back": url_for("standard_pages.show_standard", standard_id=standard_id),
            "try": url_for("trial_pages.try_draft", standard_id=standard_id),
            "next": f"{here}?cursor={cursor_from(found[LINES - 1].id)}"
            if len(found) > LINES
            else "",
            "first": here if before else "",
        },
    )
    return page, 422 if problem else 200


def listed(found: TrialFile, digest: str) -> dict[str, Any]:
    """Return a trial as the list prints it."""
    return {
        "href": url_for("trial_pages.show_trial", trial_id=found.id),
        "title": f"{period_words(found.period)} · {found.organization_name}",
        "ran_at": found.ran_at,
        "moved": found.summary["moved"],
        "is_current": found.digest == digest,
    }


@pages.post("/standards/<id:standard_id>/trials")
@roles_only(KEEPER)
def try_draft(standard_id: int) -> ResponseReturnValue:
    """Run a draft over a past period, and show who would have moved."""
    actor, now = current_actor(), clock.now()
    form = {name: typed(name, length) for name, length in FORM.items()}
    with reading() as session:
        check_keeper(session, actor)
        standard_line(session, standard_id)
    try:
        trial_id = run(
            lambda session: run_trial(
                session,
                standard_id=standard_id,
                period_name=form["period"],
                organization_code=form["organization_code"],
                actor=actor,
                today=local_day(now, settings().zone),
                now=now,
            )
        )
    except (Invalid, Conflict, NotFound) as refusal:
        return trials_page(standard_id, form, sentence_of(refusal))
    return redirect(url_for("trial_pages.show_trial", trial_id=trial_id), 303)


@pages.get("/standards/trials/<id:trial_id>")
@roles_only(KEEPER)
def show_trial(trial_id: int) -> ResponseReturnValue:
    """Show who would have moved, and by which parts."""
    with reading() as session:
        found = trial_file(session, current_actor(), trial_id)
        standard = standard_line(session, found.standard_id)
        digest = digest_of(content_of(session, found.standard_id))
    return render_template(
        "rankings/trial.html",
        trial=found,
        title=f"{period_words(found.period)} · {found.organization_name}",
        standard=standard,
        standard_name=name_words(standard.name),
        is_current=found.digest == digest,
        most=MOVED_KEPT,
        lines=[line_words(line, found) for line in found.summary["lines"]],
        links={
            "back": url_for("trial_pages.list_trials", standard_id=found.standard_id),
        },
    )


def line_words(line: dict[str, Any], found: TrialFile) -> dict[str, Any]:
    """Return how one member would have moved, as the table prints it."""
    old, new = line["old"], line["new"]
    return {
        "name": found.names.get(line["member_id"], ""),
        "score": f"{old['score'] / 100:g} → {new['score'] / 100:g}",
        "rank": f"{old['rank'] or '–'} → {new['rank'] or '–'}",
        "grade": grade_word(old["grade"])
        if old["grade"] == new["grade"]
        else f"{grade_word(old['grade'])} → {grade_word(new['grade'])}",
        "parts": [
            f"{CATEGORY_WORDS[part['category']]} {part['old'] / 100:g} → {part['new'] / 100:g}"
            for part in line["parts"]
        ],
    }


def grade_word(grade: str | None) -> str:
    """Return the word of an advised grade."""
    if grade is None:
        return "–"
    return str(GRADE_WORDS.get(grade, gettext("Unqualified")))
