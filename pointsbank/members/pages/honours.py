"""Honours: one's own, and a member's with what may be recorded and decided."""

from collections.abc import Callable
from datetime import date
from typing import Any

from flask import Blueprint, current_app, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext, lazy_gettext
from marshmallow import ValidationError
from sqlalchemy.orm import Session

from pointsbank.core import clock
from pointsbank.core.calendar import local_day
from pointsbank.core.db import reading, run
from pointsbank.core.errors import Conflict, Invalid, NotAllowed
from pointsbank.core.text import cleaned_lines
from pointsbank.members.honour_news import decide, record
from pointsbank.members.honours import (
    KEEPERS,
    HonourLine,
    NewHonour,
    honours_of,
    withdraw_honour,
)
from pointsbank.members.honours_models import HONOUR_STATES
from pointsbank.members.honours_schemas import (
    DOCUMENT_MAX,
    NUMBER_MAX,
    REASON_MAX,
    TITLE_MAX,
    RecordedHonour,
)
from pointsbank.members.queries import member_in_scope
from pointsbank.web.access import current_actor, members_only, roles_only
from pointsbank.web.errors import sentence_of
from pointsbank.web.forms import attempt, settings, typed

pages = Blueprint("honour_pages", __name__)

STATES = {
    "pending": lazy_gettext("Waits for a second person"),
    "confirmed": lazy_gettext("Confirmed by a second person"),
    "rejected": lazy_gettext("Refused by a second person"),
    "withdrawn": lazy_gettext("Was withdrawn"),
}
FORM = {
    "title": TITLE_MAX,
    "grantor": TITLE_MAX,
    "granted_on": 20,
    "document_no": NUMBER_MAX,
}


@pages.get("/me/honours")
@members_only
def show_own() -> ResponseReturnValue:
    """Show one's own honours."""
    with reading() as session:
        found = honours_of(session, current_actor().member_id)
    return render_template(
        "members/my_honours.html",
        honours=found,
        links={"back": url_for("member_pages.show_me")},
    )


@pages.get("/members/<id:member_id>/honours")
@roles_only(*KEEPERS)
def show_of_member(member_id: int) -> ResponseReturnValue:
    """Show a member's honours, and what may be done with them."""
    return page(member_id, {}, [])


def page(
    member_id: int, form: dict[str, str], problems: list[tuple[str, str]]
) -> ResponseReturnValue:
    """Render a member's honours, with what was typed and what was wrong."""
    actor = current_actor()
    with reading() as session:
        member = member_in_scope(session, actor.paths(*KEEPERS), member_id)
        found = honours_of(session, member_id, HONOUR_STATES)
    is_self = member_id == actor.member_id
    rendered = render_template(
        "members/honours.html",
        member=member,
        honours=[printed(each, is_self) for each in found],
        is_self=is_self,
        form=form,
        problems=problems,
        errors=dict(problems),
        today=local_day(clock.now(), settings().zone),
        limits={**FORM, "document": DOCUMENT_MAX, "reason": REASON_MAX},
        links={
            "back": url_for("people_pages.show_member", member_id=member_id),
            "save": url_for("honour_pages.save", member_id=member_id),
        },
    )
    return rendered, 422 if problems else 200


def printed(found: HonourLine, is_self: bool) -> dict[str, Any]:
    """Return an honour as the page prints it, with what its reader may do."""
    is_recorder = found.recorded_by_id == current_actor().member_id
    may_decide = found.state == "pending" and not is_self and not is_recorder
    may_withdraw = not is_self and found.state in ("pending", "confirmed")
    return {
        "line": found,
        "state_word": str(STATES[found.state]),
        "decide": address("decide_one", found) if may_decide else "",
        "withdraw": address("withdraw", found) if may_withdraw else "",
    }


def address(name: str, found: HonourLine) -> str:
    """Return where a form about an honour is sent."""
    return url_for(f"honour_pages.{name}", member_id=found.member_id, honour_id=found.id)


@pages.post("/members/<id:member_id>/honours")
@roles_only(*KEEPERS)
def save(member_id: int) -> ResponseReturnValue:
    """Record an honour; nothing typed is lost when it cannot be."""
    actor, now = current_actor(), clock.now()
    form = {name: typed(name, length) for name, length in FORM.items()}
    form["document"] = cleaned_lines(request.form.get("document", "")[:DOCUMENT_MAX])
    try:
        honour = NewHonour(**RecordedHonour().load(form))
    except ValidationError as error:
        return page(member_id, form, problems_of(error))
    today: date = local_day(now, settings().zone)
    tell = current_app.extensions["tell_of_honour"]
    try:
        run(
            lambda session: record(
                session,
                tell,
                actor=actor,
                member_id=member_id,
                honour=honour,
                today=today,
                now=now,
            )
        )
    except (Invalid, Conflict, NotAllowed) as refusal:
        return page(member_id, form, [("", sentence_of(refusal))])
    flash(gettext("Recorded. A second person compares it with the paper."), "success")
    return back_to(member_id)


def problems_of(error: ValidationError) -> list[tuple[str, str]]:
    """Return the fields that were wrong, each with a sentence."""
    sentences = {
        "title": gettext("Which honour? Up to 80 characters."),
        "grantor": gettext("Who granted it? Up to 80 characters."),
        "granted_on": gettext("The day on which it was granted."),
    }
    wrong: Any = error.messages_dict
    return [(name, str(words)) for name, words in sentences.items() if name in wrong]


def back_to(member_id: int) -> ResponseReturnValue:
    """Go back to a member's honours."""
    return redirect(url_for("honour_pages.show_of_member", member_id=member_id), 303)


def acted(member_id: int, act: Callable[[Session], object], done: str) -> ResponseReturnValue:
    """Carry out an act, say what came of it, and go back."""
    attempt(lambda: run(act), done)
    return back_to(member_id)


@pages.post("/members/<id:member_id>/honours/<id:honour_id>/decision")
@roles_only(*KEEPERS)
def decide_one(member_id: int, honour_id: int) -> ResponseReturnValue:
    """Confirm or reject an honour that somebody else recorded."""
    actor, now = current_actor(), clock.now()
    is_confirmed = request.form.get("decision") == "confirm"
    reason = typed("reason", REASON_MAX)
    tell = current_app.extensions["tell_of_honour"]
    if not is_confirmed and not reason:
        flash(gettext("Please say in a few words why."), "error")
        return back_to(member_id)
    return acted(
        member_id,
        lambda session: decide(
            session,
            tell,
            actor=actor,
            member_id=member_id,
            honour_id=honour_id,
            is_confirmed=is_confirmed,
            reason=reason,
            now=now,
        ),
        gettext("Confirmed. It stands in the member's file.")
        if is_confirmed
        else gettext("Rejected. Whoever recorded it is told."),
    )


@pages.post("/members/<id:member_id>/honours/<id:honour_id>/withdrawal")
@roles_only(*KEEPERS)
def withdraw(member_id: int, honour_id: int) -> ResponseReturnValue:
    """Withdraw an honour that was recorded by mistake."""
    actor, now = current_actor(), clock.now()
    return acted(
        member_id,
        lambda session: withdraw_honour(
            session, actor=actor, member_id=member_id, honour_id=honour_id, now=now
        ),
        gettext("The honour was withdrawn."),
    )
