"""The pages on which a paper is entered: a form a kind, judged by the program's schema."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from flask import Blueprint, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext
from marshmallow import Schema, ValidationError

from pointsbank.appraisals.entering import (
    NewDeduction,
    NewExemption,
    NewLateEntry,
    NewVeto,
    enter_deduction,
    enter_exemption,
    enter_late_entry,
    enter_veto,
)
from pointsbank.appraisals.errors import PaperNotFound
from pointsbank.appraisals.models import (
    DEDUCTION_MAX,
    DEDUCTION_MIN,
    DOCUMENT_LENGTH,
    EVIDENCE_LENGTH,
    LATE_MINUTES_MAX,
    LATE_TIMES_MAX,
    REASON_LENGTH,
)
from pointsbank.appraisals.pages.papers import item_name
from pointsbank.appraisals.policy import ENTERERS
from pointsbank.appraisals.schemas import (
    ITEM_CODE_LENGTH,
    WantedDeduction,
    WantedExemption,
    WantedLateEntry,
    WantedVeto,
)
from pointsbank.appraisals.words import KIND_WORDS, REASON_WORDS
from pointsbank.core import clock
from pointsbank.core.calendar import local_day
from pointsbank.core.db import reading, run
from pointsbank.core.errors import Conflict, Invalid, NotAllowed, NotFound
from pointsbank.core.text import halfwidth
from pointsbank.members.queries import member_id_of_number, member_in_scope
from pointsbank.scoring.queries import standard_on
from pointsbank.web.access import current_actor, roles_only
from pointsbank.web.errors import sentence_of
from pointsbank.web.forms import settings, typed

pages = Blueprint("new_paper_pages", __name__)

NUMBER_LENGTH = 20
# Whole points, or with one or two decimals; a deduction is kept in hundredths.
TIMES = re.compile(r"[1-9]", re.ASCII)
SCORE = re.compile(r"(\d{1,2})(?:\.(\d{1,2}))?", re.ASCII)


@dataclass(frozen=True)
class Form:
    """The form of one kind of paper."""

    schema: type[Schema]
    make: Callable[..., Any]
    enter: Callable[..., int]
    lengths: dict[str, int]


FORMS = {
    "deductions": Form(
        WantedDeduction,
        NewDeduction,
        enter_deduction,
        {
            "volunteer_no": NUMBER_LENGTH,
            "score": NUMBER_LENGTH,
            "occurred_on": NUMBER_LENGTH,
            "reason": REASON_LENGTH,
            "document_no": DOCUMENT_LENGTH,
            "evidence": EVIDENCE_LENGTH,
        },
    ),
    "vetoes": Form(
        WantedVeto,
        NewVeto,
        enter_veto,
        {
            "volunteer_no": NUMBER_LENGTH,
            "reason_code": NUMBER_LENGTH,
            "reason": REASON_LENGTH,
            "document_no": DOCUMENT_LENGTH,
            "occurred_on": NUMBER_LENGTH,
        },
    ),
    "exemptions": Form(
        WantedExemption,
        NewExemption,
        enter_exemption,
        {
            "volunteer_no": NUMBER_LENGTH,
            "reason_code": NUMBER_LENGTH,
            "from_on": NUMBER_LENGTH,
            "last_on": NUMBER_LENGTH,
            "reason": REASON_LENGTH,
        },
    ),
    "late_entries": Form(
        WantedLateEntry,
        NewLateEntry,
        enter_late_entry,
        {
            "volunteer_no": NUMBER_LENGTH,
            "item_code": ITEM_CODE_LENGTH,
            "hours": NUMBER_LENGTH,
            "times": NUMBER_LENGTH,
            "occurred_on": NUMBER_LENGTH,
            "reason": REASON_LENGTH,
            "document_no": DOCUMENT_LENGTH,
        },
    ),
}


def form_of(kind: str) -> Form:
    """Return the form of a kind of paper.

    Raises PaperNotFound for a kind there is none of.
    """
    if kind not in FORMS:
        raise PaperNotFound
    return FORMS[kind]


@pages.get("/evaluation-papers/<kind>/new")
@roles_only(*ENTERERS)
def ask(kind: str) -> ResponseReturnValue:
    """Ask what is to be entered, about whom, and why."""
    return asking_page(kind, {}, [])


@pages.get("/members/<id:member_id>/evaluation-papers/<kind>/new")
@roles_only(*ENTERERS)
def ask_for_member(member_id: int, kind: str) -> ResponseReturnValue:
    """Ask the same about a member within one's scope, whose number is filled in."""
    form_of(kind)
    with reading() as session:
        member = member_in_scope(session, current_actor().paths(*ENTERERS), member_id)
    return asking_page(kind, {"volunteer_no": member.volunteer_no}, [])


def asking_page(
    kind: str, form: dict[str, str], problems: list[tuple[str, str]]
) -> ResponseReturnValue:
    """Render the form of a kind, with what was typed and what was wrong."""
    form_of(kind)
    today = local_day(clock.now(), settings().zone)
    with reading() as session:
        items = standard_on(session, today).items if kind == "late_entries" else ()
    page = render_template(
        "appraisals/new_paper.html",
        kind=kind,
        title=KIND_WORDS[kind],
        form={"occurred_on": today.isoformat(), "from_on": today.isoformat(), **form},
        problems=problems,
        errors=dict(problems),
        reasons=[("", gettext("Choose a reason")), *REASON_WORDS.get(kind, {}).items()],
        items=[("", gettext("Choose what was done"))]
        + [
            (item.code, item_name(item.name, item.name_zh))
            for item in items
            if item.is_for_tasks
        ],
        limits={
            "least": DEDUCTION_MIN // 100,
            "most": DEDUCTION_MAX // 100,
            "reason": REASON_LENGTH,
            "document": DOCUMENT_LENGTH,
            "evidence": EVIDENCE_LENGTH,
            "hours": LATE_MINUTES_MAX // 60,
            "times": LATE_TIMES_MAX,
        },
    )
    return page, 422 if problems else 200


@pages.post("/evaluation-papers/<kind>/new")
@roles_only(*ENTERERS)
def enter(kind: str) -> ResponseReturnValue:
    """Enter what was typed, judged by the same schema as a program's, and show it."""
    chosen = form_of(kind)
    form = {name: typed(name, length) for name, length in chosen.lengths.items()}
    actor, now = current_actor(), clock.now()
    today = local_day(now, settings().zone)
    with reading() as session:
        member_id = member_id_of_number(session, halfwidth(form["volunteer_no"]))
    try:
        wanted = chosen.make(**chosen.schema().load(body_of(form, member_id)))
    except ValidationError as error:
        return asking_page(kind, form, problems_of(error, form))
    try:
        paper_id = run(
            lambda session: chosen.enter(session, wanted, actor=actor, today=today, now=now)
        )
    except NotFound:
        return asking_page(kind, form, [no_such_member()])
    except (Invalid, Conflict, NotAllowed) as refusal:
        return asking_page(kind, form, [("", sentence_of(refusal))])
    flash(gettext("Entered. Nothing counts until a second person confirms it."), "success")
    shown = url_for("evaluation_paper_pages.show_paper", kind=kind, paper_id=paper_id)
    return redirect(shown, 303)


def body_of(form: dict[str, str], member_id: int | None) -> dict[str, Any]:
    """Return what was typed as a program would send it."""
    body: dict[str, Any] = {
        name: value
        for name, value in form.items()
        if name not in ("volunteer_no", "score", "last_on", "hours", "times")
    }
    if member_id is not None:
        body["member_id"] = member_id
    if "score" in form:
        body["hundredths"] = hundredths_from(form["score"])
    if "hours" in form:
        minutes = hundredths_from(form["hours"]) if form["hours"] else 0
        body["service_minutes"] = None if minutes is None else minutes * 60 // 100
        times = halfwidth(form["times"] or "1")
        body["times"] = int(times) if TIMES.fullmatch(times) else None
    if form.get("last_on"):
        body["until_on"] = day_after(form["last_on"])
    return body


def hundredths_from(text: str) -> int | None:
    """Return 250 for 2.5, None for what is no number of points."""
    found = SCORE.fullmatch(halfwidth(text))
    if found is None:
        return None
    return 100 * int(found[1]) + int((found[2] or "").ljust(2, "0"))


def day_after(text: str) -> str:
    """Return the day after the last one, which people name and programs do not."""
    try:
        return (date.fromisoformat(text) + timedelta(days=1)).isoformat()
    except (ValueError, OverflowError):
        return text


def no_such_member() -> tuple[str, str]:
    """Say that nobody within one's scope has this number."""
    return "volunteer_no", str(gettext("No member within your scope has this number."))


def problems_of(error: ValidationError, form: dict[str, str]) -> list[tuple[str, str]]:
    """Return the fields that were wrong, each with a sentence, in the order of the form."""
    wrong: Any = error.messages_dict
    sentences = {
        "member_id": no_such_member(),
        "hundredths": ("score", gettext("From 2 to 20 points, such as 5 or 2.5.")),
        "reason_code": ("reason_code", gettext("Choose a reason.")),
        "occurred_on": ("occurred_on", gettext("The day it happened.")),
        "from_on": ("from_on", gettext("The first day of the exemption.")),
        "until_on": ("last_on", gettext("The last day of the exemption, or nothing.")),
        "reason": ("reason", gettext("Say what happened, in up to 200 characters.")),
        "document_no": ("document_no", gettext("The number of the document, please.")),
        "item_code": ("item_code", gettext("Choose what was done.")),
        "service_minutes": ("hours", gettext("Hours, such as 2 or 1.5; at most 8.")),
        "times": ("times", gettext("How often, from 1 to 9.")),
        "evidence": ("evidence", gettext("Up to 400 characters.")),
    }
    return [
        (name, str(sentence))
        for field, (name, sentence) in sentences.items()
        if field in wrong and (name in form)
    ]
