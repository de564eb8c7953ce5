"""The pages of disputes: a member's own line, and the list of those who answer."""

from typing import Any

from flask import Blueprint, current_app, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext
from sqlalchemy.orm import Session

from pointsbank.core import clock
from pointsbank.core.calendar import local_day
from pointsbank.core.db import reading, run
from pointsbank.core.errors import Conflict, Invalid, NotAllowed
from pointsbank.ledger.queries import Line
from pointsbank.members.queries import display_names
from pointsbank.passbooks.disputes import (
    DisputeFile,
    dispute_in_scope,
    disputes_of_line,
    disputes_within,
    line_of,
)
from pointsbank.passbooks.disputing import (
    ANSWERERS,
    STATE_OF,
    Answer,
    answer_dispute,
    open_dispute,
)
from pointsbank.passbooks.errors import AnswerIncomplete
from pointsbank.passbooks.queries import taken_back
from pointsbank.passbooks.schemas import (
    DISPUTE_LENGTH_MAX,
    book_at,
    day_with_year,
    printed_line,
    state_words,
)
from pointsbank.web.access import current_actor, members_only, roles_only
from pointsbank.web.contract import cursor_from, position_from
from pointsbank.web.errors import sentence_of, status_of
from pointsbank.web.formats import day
from pointsbank.web.forms import settings, typed, typed_id

pages = Blueprint("disputing_pages", __name__)

PAGE_LINES = 40


@pages.get("/passbook/<id:line>/disputes")
@members_only
def ask(line: int) -> ResponseReturnValue:
    """Show a line of one's own book, what was said against it, and the form to say so."""
    return own_page(line)


def own_page(line: int, said: str = "", error: str = "") -> str:
    """Render one's own line, with what was typed when it could not be taken."""
    actor = current_actor()
    with reading() as session:
        found = line_of(session, actor.member_id, line)
        disputes = disputes_of_line(session, actor.member_id, line)
        printed = printed_alone(session, found, set())
    return render_template(
        "passbooks/dispute.html",
        line=printed,
        disputes=[dispute_shown(each) for each in disputes],
        may_dispute=not disputes or disputes[0].state != "open",
        said=said,
        error=error,
        length_max=DISPUTE_LENGTH_MAX,
        links={"book": book_at(line), "here": url_for("disputing_pages.ask", line=line)},
    )


def printed_alone(session: Session, line: Line, on_page: set[int] | None) -> dict[str, Any]:
    """Return one line as it is printed, opened."""
    people = display_names(session, [line.actor_id] if line.actor_id else [])
    reversed_points = taken_back(session, [line]).get(line.transfer_id, 0)
    printed = printed_line(line, reversed_points, people, on_page)
    return printed | {"open": True, "dispute_href": ""}


def dispute_shown(dispute: DisputeFile) -> dict[str, Any]:
    """Return what was said against a line, and what became of it, as the page prints it."""
    return {
        "state": dispute.state,
        "words": state_words(dispute),
        "reason": dispute.reason,
        "answer": dispute.answer,
        "opened_at": dispute.opened_at,
        "answered_at": dispute.answered_at,
        "answer_by": day_with_year(dispute.answer_by),
    }


@pages.post("/passbook/<id:line>/disputes")
@members_only
def dispute(line: int) -> ResponseReturnValue:
    """Say that a line of one's own book is wrong."""
    actor, now = current_actor(), clock.now()
    said = typed("reason", DISPUTE_LENGTH_MAX)
    if not said:
        words = gettext("Please say in a few words what is wrong.")
        return own_page(line, error=words), 400
    try:
        opened = run(
            lambda session: open_dispute(
                session,
                member_id=actor.member_id,
                line=line,
                reason=said,
                today=local_day(now, settings().zone),
                now=now,
            )
        )
    except Conflict as refusal:
        flash(sentence_of(refusal), "error")
        return own_page(line, said), status_of(refusal)
    flash(
        gettext(
            "It was passed on. You get an answer by %(date)s.",
            date=day_with_year(opened.answer_by),
        ),
        "success",
    )
    return redirect(url_for("disputing_pages.ask", line=line))


@pages.get("/disputes")
@roles_only(*ANSWERERS)
def list_disputes() -> ResponseReturnValue:
    """List the disputes within one's scope: open ones, the overdue in front, or answered."""
    today = local_day(clock.now(), settings().zone)
    is_open = request.args.get("state") != "answered"
    after_id = position_from(request.args.get("cursor"))
    with reading() as session:
        found = disputes_within(
            session,
            current_actor().paths(*ANSWERERS),
            is_open=is_open,
            after_id=after_id,
            limit=PAGE_LINES + 1,
        )
    shown = found[:PAGE_LINES]
    state = None if is_open else "answered"
    here = url_for("disputing_pages.list_disputes", state=state)
    more = cursor_from(shown[-1].id) if len(found) > PAGE_LINES else None
    return render_template(
        "passbooks/disputes.html",
        disputes=[(each, each.is_overdue(today), short_words(each)) for each in shown],
        is_open=is_open,
        switch=[
            {
                "href": url_for("disputing_pages.list_disputes"),
                "label": gettext("To be answered"),
                "current": is_open,
            },
            {
                "href": url_for("disputing_pages.list_disputes", state="answered"),
                "label": gettext("Answered"),
                "current": not is_open,
            },
        ],
        links={
            "next": url_for("disputing_pages.list_disputes", state=state, cursor=more)
            if more
            else "",
            "first": here if after_id else "",
        },
    )


def short_words(dispute: DisputeFile) -> str:
    """Return the state of a dispute in a word or two, as it stands at the end of a row."""
    words: dict[str, str] = {
        "open": gettext("by %(date)s", date=day(dispute.answer_by)),
        "upheld": gettext("Reversed"),
        "rejected": gettext("Stays"),
    }
    return words[dispute.state]


@pages.get("/disputes/<id:dispute_id>")
@roles_only(*ANSWERERS)
def show_dispute(dispute_id: int) -> ResponseReturnValue:
    """Show a dispute with its line as it is printed, and the form to answer it."""
    return staff_page(dispute_id)


def staff_page(dispute_id: int, words: dict[str, str] | None = None) -> str:
    """Render a dispute for those who answer, with what was typed when it could not be taken."""
    actor = current_actor()
    today = local_day(clock.now(), settings().zone)
    with reading() as session:
        found = dispute_in_scope(session, actor.paths(*ANSWERERS), dispute_id)
        line = line_of(session, found.member_id, found.line)
        printed = printed_alone(session, line, None)
        answerer = display_names(session, [found.answered_by_id or 0])
    return render_template(
        "passbooks/answer.html",
        dispute=found,
        shown=dispute_shown(found),
        is_overdue=found.is_overdue(today),
        line=printed,
        is_own=found.member_id == actor.member_id,
        is_reversal=found.kind == "reversal",
        answerer=answerer.get(found.answered_by_id or 0, ""),
        words=words or {},
        length_max=DISPUTE_LENGTH_MAX,
    )


@pages.post("/disputes/<id:dispute_id>/answer")
@roles_only(*ANSWERERS)
def answer(dispute_id: int) -> ResponseReturnValue:
    """Answer a dispute: take the line back, or say why it stays."""
    actor, now = current_actor(), clock.now()
    words = {
        "decision": request.form.get("decision", ""),
        "reason": typed("reason", DISPUTE_LENGTH_MAX),
        "points": request.form.get("points", "").strip(),
    }
    try:
        decided = decision_typed(words)
        run(
            lambda session: answer_dispute(
                session,
                dispute_id=dispute_id,
                actor=actor,
                answer=decided,
                lower_score=current_app.extensions["lower_score"],
                today=local_day(now, settings().zone),
                now=now,
            )
        )
    except (Invalid, Conflict, NotAllowed) as refusal:
        flash(sentence_of(refusal), "error")
        return staff_page(dispute_id, words), status_of(refusal)
    done = {
        "uphold": gettext("The line was taken back, and the member can read your answer."),
        "reject": gettext("The line stays, and the member can read your answer."),
    }
    flash(done[decided.decision], "success")
    return redirect(url_for("disputing_pages.show_dispute", dispute_id=dispute_id))


def decision_typed(words: dict[str, str]) -> Answer:
    """Read the form of an answer; points count only where the line is taken back.

    Raises AnswerIncomplete.
    """
    points = typed_id("points")
    if words["decision"] not in STATE_OF or (words["points"] and points is None):
        raise AnswerIncomplete
    is_upheld = words["decision"] == "uphold"
    return Answer(words["decision"], words["reason"], points if is_upheld else None)
