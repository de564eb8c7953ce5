"""The HTML door of skills and trainings: one's own, a person's, and a course day."""

import re
from collections.abc import Callable
from datetime import date
from typing import Any

from flask import Blueprint, current_app, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext, ngettext
from sqlalchemy.orm import Session

from pointsbank.core import clock
from pointsbank.core.calendar import local_day
from pointsbank.core.db import reading, run
from pointsbank.core.errors import Conflict, Invalid, NotAllowed
from pointsbank.core.text import halfwidth, masked_name
from pointsbank.members import abilities
from pointsbank.members.abilities import (
    CONFIRMERS,
    COURSE_PEOPLE_MAX,
    KEEPERS,
    VALID_MONTHS_MAX,
)
from pointsbank.members.abilities_errors import (
    BadBirthDay,
    BadCompletedOn,
    CompletionNotFound,
    TrainingNotFound,
    UnknownNumbers,
)
from pointsbank.members.abilities_queries import (
    all_trainings,
    born_on_of,
    completed_by,
    completions_of,
    skills_of,
    training_by,
    waiting_skills,
)
from pointsbank.members.abilities_schemas import (
    SKILL_CODE_LENGTH_MAX,
    SKILLS_TOLD_MAX,
    TRAINING_NAME_LENGTH_MAX,
)
from pointsbank.members.models import Training
from pointsbank.members.schemas import VOLUNTEER_NO_LENGTH_MAX
from pointsbank.members.skill_news import Outcome, judge_skill
from pointsbank.web.access import current_actor, members_only, roles_only
from pointsbank.web.contract import cursor_from, position_from
from pointsbank.web.errors import sentence_of, status_of
from pointsbank.web.forms import attempt, settings, typed, typed_id, typed_whole
from pointsbank.web.languages import locale_name

pages = Blueprint("ability_pages", __name__)

WAITING_SHOWN_MAX = 50
PAGE_LINES = 50
DAY_LENGTH = 10
NUMBERS_TYPED_MAX = COURSE_PEOPLE_MAX * (VOLUNTEER_NO_LENGTH_MAX + 2)
BETWEEN_NUMBERS = re.compile(r"[\s,;，；、]+")


def today() -> date:
    """Return the local day."""
    return local_day(clock.now(), settings().zone)


def day_typed(name: str) -> date | None:
    """Return the day that a form's field of that kind gives, None for none."""
    try:
        return date.fromisoformat(halfwidth(typed(name, DAY_LENGTH)))
    except ValueError:
        return None


@pages.get("/me/abilities")
@members_only
def show_own() -> ResponseReturnValue:
    """Show the person's own skills, trainings and date of birth."""
    return own_page()


def own_page(birth_error: str = "", typed_day: str = "", status: int = 200) -> tuple[str, int]:
    """Render the person's own page, with what was wrong with a date of birth."""
    actor = current_actor()
    with reading() as session:
        skills = skills_of(session, actor.member_id)
        completions = completions_of(session, actor.member_id)
        born_on = born_on_of(session, actor.member_id)
    page = render_template(
        "members/my_abilities.html",
        skills=skills,
        completions=completions,
        born_on=born_on,
        today=today(),
        is_chinese=locale_name() == "zh",
        birth_error=birth_error,
        typed_day=typed_day,
    )
    return page, status


@pages.post("/me/abilities/skills")
@members_only
def tell_skills() -> ResponseReturnValue:
    """Take the skills that were ticked as all that the person has."""
    actor, now = current_actor(), clock.now()
    codes = [code[:SKILL_CODE_LENGTH_MAX] for code in request.form.getlist("skill")]
    run(
        lambda session: abilities.tell_skills(
            session, member_id=actor.member_id, codes=codes[:SKILLS_TOLD_MAX], now=now
        )
    )
    flash(gettext("Your skills were saved."), "success")
    return redirect(url_for("ability_pages.show_own"))


@pages.post("/me/abilities/birth-day")
@members_only
def tell_birth_day() -> ResponseReturnValue:
    """Take the person's own date of birth, once."""
    actor, now, born_on = current_actor(), clock.now(), day_typed("born_on")

    def act(session: Session) -> None:
        if born_on is None:
            raise BadBirthDay
        abilities.tell_birth_day(
            session, member_id=actor.member_id, born_on=born_on, today=today(), now=now
        )

    try:
        run(act)
    except (Invalid, Conflict) as refusal:
        return own_page(sentence_of(refusal), typed("born_on", DAY_LENGTH), status_of(refusal))
    flash(gettext("Your date of birth was saved."), "success")
    return redirect(url_for("ability_pages.show_own"))


@pages.get("/abilities")
@roles_only(*CONFIRMERS)
def show_abilities() -> ResponseReturnValue:
    """Show the skills that wait for confirmation, and the trainings there are."""
    return abilities_page({}, {})


def abilities_page(
    words: dict[str, str], errors: dict[str, str], status: int = 200
) -> ResponseReturnValue:
    """Render that page, with what was typed for a training that could not be added."""
    actor = current_actor()
    with reading() as session:
        waiting, total = waiting_skills(
            session,
            actor.paths(*CONFIRMERS),
            without_id=actor.member_id,
            limit=WAITING_SHOWN_MAX,
        )
        trainings = all_trainings(session)
    may_read = actor.is_(*KEEPERS)
    page = render_template(
        "members/abilities.html",
        waiting=[
            {
                "href": url_for("people_pages.show_member", member_id=each.member_id),
                "name": masked_name(each.member_name),
                "volunteer_no": each.volunteer_no,
                "skill": each.skill_name_zh if locale_name() == "zh" else each.skill_name,
            }
            for each in waiting
        ],
        total=total,
        trainings=trainings,
        may_record=may_read,
        words=words,
        errors=errors,
        months_max=VALID_MONTHS_MAX,
    )
    return page, status


@pages.post("/trainings")
@roles_only(*KEEPERS)
def define_training() -> ResponseReturnValue:
    """Add a training, and show it."""
    actor, now = current_actor(), clock.now()
    words = {
        "name": typed("name", TRAINING_NAME_LENGTH_MAX),
        "code": halfwidth(typed("code", SKILL_CODE_LENGTH_MAX)).lower(),
        "valid_months": typed("valid_months", DAY_LENGTH),
    }
    months = typed_whole("valid_months", VALID_MONTHS_MAX)
    errors = {}
    if not words["name"]:
        errors["name"] = gettext("Please write what the training is called.")
    if words["valid_months"] and months is None:
        errors["valid_months"] = gettext(
            "A whole number of months from 1 to %(most)s, or nothing.", most=VALID_MONTHS_MAX
        )
    if errors:
        return abilities_page(words, errors, 422)
    try:
        training_id = run(
            lambda session: abilities.define_training(
                session,
                actor=actor,
                code=words["code"],
                name=words["name"],
                valid_months=months,
                now=now,
            )
        )
    except (Invalid, Conflict) as refusal:
        return abilities_page(words, {"code": sentence_of(refusal)}, status_of(refusal))
    flash(gettext("The training was added."), "success")
    return redirect(url_for("ability_pages.show_training", training_id=training_id))


@pages.get("/trainings/<id:training_id>")
@roles_only(*KEEPERS)
def show_training(training_id: int) -> ResponseReturnValue:
    """Show who completed a training, and take in a course day."""
    return training_page(training_id)


@pages.post("/trainings/<id:training_id>/name")
@roles_only(*KEEPERS)
def rename_training(training_id: int) -> ResponseReturnValue:
    """Call a training otherwise, and show it."""
    actor, now = current_actor(), clock.now()
    name = typed("name", TRAINING_NAME_LENGTH_MAX)
    if not name:
        flash(gettext("Please write what the training is called."), "error")
        return redirect(url_for("ability_pages.show_training", training_id=training_id))
    run(
        lambda session: abilities.rename_training(
            session, actor=actor, training_id=training_id, name=name, now=now
        )
    )
    flash(gettext("The training has its new name."), "success")
    return redirect(url_for("ability_pages.show_training", training_id=training_id))


def training_page(
    training_id: int, words: dict[str, str] | None = None, error: str = "", status: int = 200
) -> ResponseReturnValue:
    """Render a training, with what was typed for a course day that could not be recorded."""
    actor = current_actor()
    before_id = position_from(request.args.get("cursor"))
    with reading() as session:
        training = training_by(session, Training.id == training_id)
        if training is None:
            raise TrainingNotFound
        found = completed_by(
            session,
            training_id,
            actor.paths(*KEEPERS),
            before_id=before_id,
            limit=PAGE_LINES + 1,
        )
    shown = found[:PAGE_LINES]
    here = url_for("ability_pages.show_training", training_id=training_id)
    page = render_template(
        "members/training.html",
        training=training,
        people=shown,
        today=today(),
        words=words or {},
        error=error,
        people_max=COURSE_PEOPLE_MAX,
        name_max=TRAINING_NAME_LENGTH_MAX,
        links={
            "next": f"{here}?cursor={cursor_from(shown[-1].id)}"
            if len(found) > PAGE_LINES
            else "",
            "first": here if before_id else "",
        },
    )
    return page, status


@pages.post("/trainings/<id:training_id>/completions")
@roles_only(*KEEPERS)
def record_course_day(training_id: int) -> ResponseReturnValue:
    """Record a course day from the member numbers on its list."""
    actor, now, completed_on = current_actor(), clock.now(), day_typed("completed_on")
    text = request.form.get("numbers", "")[:NUMBERS_TYPED_MAX]
    numbers = [number for number in BETWEEN_NUMBERS.split(halfwidth(text)) if number]

    def act(session: Session) -> int:
        if training_by(session, Training.id == training_id) is None:
            raise TrainingNotFound
        if completed_on is None:
            raise BadCompletedOn(years=abilities.COMPLETED_YEARS_MAX)
        if len(numbers) > COURSE_PEOPLE_MAX:
            raise UnknownNumbers(
                "A list holds at most %(most)s people. Please record it in parts.",
                most=COURSE_PEOPLE_MAX,
            )
        return abilities.record_training_by_numbers(
            session,
            actor=actor,
            training_id=training_id,
            numbers=numbers,
            completed_on=completed_on,
            today=today(),
            now=now,
        )

    try:
        recorded = run(act)
    except (Invalid, Conflict, NotAllowed) as refusal:
        words = {"numbers": text, "completed_on": typed("completed_on", DAY_LENGTH)}
        return training_page(training_id, words, sentence_of(refusal), status_of(refusal))
    flash(
        ngettext("%(num)s person was entered.", "%(num)s people were entered.", recorded),
        "success",
    )
    return redirect(url_for("ability_pages.show_training", training_id=training_id))


@pages.post("/members/<id:member_id>/trainings")
@roles_only(*KEEPERS)
def record_training(member_id: int) -> ResponseReturnValue:
    """Record a training that one person completed."""
    training_id, completed_on = typed_id("training_id"), day_typed("completed_on")

    def act(session: Session, given: dict[str, Any]) -> None:
        if completed_on is None:
            raise BadCompletedOn(years=abilities.COMPLETED_YEARS_MAX)
        abilities.record_training(
            session,
            training_id=training_id or 0,
            member_ids=[member_id],
            completed_on=completed_on,
            today=today(),
            **given,
        )

    return acted_on(member_id, act, gettext("The training was entered."))


@pages.post("/members/<id:member_id>/trainings/<id:completion_id>/withdrawal")
@roles_only(*KEEPERS)
def withdraw_training(member_id: int, completion_id: int) -> ResponseReturnValue:
    """Withdraw an entry that was recorded by mistake."""

    def act(session: Session, given: dict[str, Any]) -> None:
        whose = abilities.withdraw_training(session, completion_id=completion_id, **given)
        if whose != member_id:
            raise CompletionNotFound

    return acted_on(member_id, act, gettext("The entry was withdrawn."))


def judge(
    session: Session, outcome: Outcome, member_id: int, skill_code: str, given: dict[str, Any]
) -> None:
    """Judge a told skill, with the way to its person's inbox."""
    judge_skill(
        session,
        outcome,
        tell_of_skill=current_app.extensions["tell_of_skill"],
        member_id=member_id,
        skill_code=skill_code,
        **given,
    )


@pages.post("/members/<id:member_id>/skills/<skill_code>/confirmation")
@roles_only(*CONFIRMERS)
def confirm_skill(member_id: int, skill_code: str) -> ResponseReturnValue:
    """Confirm a skill that a person told."""

    def act(session: Session, given: dict[str, Any]) -> None:
        judge(session, "confirmed", member_id, skill_code, given)

    return acted_on(member_id, act, gettext("The skill is confirmed."))


@pages.post("/members/<id:member_id>/skills/<skill_code>/refusal")
@roles_only(*CONFIRMERS)
def refuse_skill(member_id: int, skill_code: str) -> ResponseReturnValue:
    """Strike a skill out that a person told and nobody confirmed."""

    def act(session: Session, given: dict[str, Any]) -> None:
        judge(session, "refused", member_id, skill_code, given)

    return acted_on(member_id, act, gettext("The skill was struck out."))


@pages.post("/members/<id:member_id>/skills/<skill_code>/doubt")
@roles_only(*CONFIRMERS)
def doubt_skill(member_id: int, skill_code: str) -> ResponseReturnValue:
    """Take the confirmation of a skill back."""

    def act(session: Session, given: dict[str, Any]) -> None:
        judge(session, "doubted", member_id, skill_code, given)

    return acted_on(member_id, act, gettext("The confirmation was taken back."))


@pages.post("/members/<id:member_id>/birth-day")
@roles_only(*KEEPERS)
def set_birth_day(member_id: int) -> ResponseReturnValue:
    """Set a person's date of birth."""
    born_on = day_typed("born_on")

    def act(session: Session, given: dict[str, Any]) -> None:
        if born_on is None:
            raise BadBirthDay
        abilities.set_birth_day(
            session, member_id=member_id, born_on=born_on, today=today(), **given
        )

    return acted_on(member_id, act, gettext("The date of birth was saved."))


def acted_on(
    member_id: int, act: Callable[[Session, dict[str, Any]], None], done: str
) -> ResponseReturnValue:
    """Carry out an act on a person, say what came of it, and go back to their page."""
    given = {"actor": current_actor(), "now": clock.now()}
    attempt(lambda: run(lambda session: act(session, given)), done)
    return redirect(url_for("people_pages.show_member", member_id=member_id) + "#abilities")
