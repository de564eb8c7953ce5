"""The pages of those who answer objections: what waits, one with its answer and decision."""

from collections.abc import Callable

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext
from sqlalchemy.orm import Session

from pointsbank.core import clock
from pointsbank.core.calendar import local_day
from pointsbank.core.db import reading, run
from pointsbank.core.errors import Conflict, Invalid, NotAllowed
from pointsbank.notices.answering import answer_objection, decide_objection
from pointsbank.notices.objecting import REASON_LENGTH_MAX
from pointsbank.notices.objections import objection_in_scope, objections_within
from pointsbank.notices.policy import OBJECTION_READERS, REVIEWERS
from pointsbank.notices.queries import notice_of, shown_lines
from pointsbank.notices.words import OBJECTION_WORDS, cells
from pointsbank.web.access import current_actor, roles_only
from pointsbank.web.contract import cursor_from, position_from
from pointsbank.web.errors import sentence_of, status_of
from pointsbank.web.forms import settings, typed

pages = Blueprint("objection_pages", __name__)

PAGE_LINES = 40
WORD_LENGTH_MAX = 10


@pages.get("/objections")
@roles_only(*OBJECTION_READERS)
def list_objections() -> ResponseReturnValue:
    """List the objections within one's scope, those that wait or those that are closed."""
    actor, today = current_actor(), local_day(clock.now(), settings().zone)
    is_open = request.args.get("state") != "closed"
    after_id = position_from(request.args.get("cursor")) or 0
    with reading() as session:
        found = objections_within(
            session,
            actor.paths(*OBJECTION_READERS),
            actor.member_id,
            is_open=is_open,
            after_id=after_id,
            limit=PAGE_LINES + 1,
        )
    shown, state = found[:PAGE_LINES], None if is_open else "closed"
    more = cursor_from(shown[-1].id) if len(found) > PAGE_LINES else None
    here = url_for("objection_pages.list_objections", state=state)
    return render_template(
        "notices/objections.html",
        objections=[(each, each.is_late(today)) for each in shown],
        late=sum(each.is_late(today) for each in shown),
        states=OBJECTION_WORDS,
        switch=[
            {
                "href": url_for("objection_pages.list_objections"),
                "label": gettext("To be dealt with"),
                "current": is_open,
            },
            {
                "href": url_for("objection_pages.list_objections", state="closed"),
                "label": gettext("Closed"),
                "current": not is_open,
            },
        ],
        links={
            "desk": url_for("notice_desk_pages.list_notices"),
            "next": url_for("objection_pages.list_objections", state=state, cursor=more)
            if more
            else "",
            "first": here if after_id else "",
        },
    )


@pages.get("/objections/<id:objection_id>")
@roles_only(*OBJECTION_READERS)
def show_objection(objection_id: int) -> ResponseReturnValue:
    """Show an objection with the line it is about, and what may be done."""
    return objection_page(objection_id)


def objection_page(
    objection_id: int, reason: str = "", error: str = "", status: int = 200
) -> ResponseReturnValue:
    """Render an objection, with the reason as it was typed when it could not be taken."""
    actor, today = current_actor(), local_day(clock.now(), settings().zone)
    with reading() as session:
        found = objection_in_scope(
            session, actor.paths(*OBJECTION_READERS), objection_id, actor.member_id
        )
        notice = notice_of(session, found.notice_id)
        lines = {line.no: line for line in shown_lines(session, found.notice_id)}
    line = lines.get(found.line_no or 0)
    may = actor.oversees(found.path, *REVIEWERS) and found.objector_id != actor.member_id
    page = render_template(
        "notices/desk_objection.html",
        objection=found,
        notice=notice,
        line=" · ".join(cells(notice.kind, line.name, line.facts)) if line else "",
        states=OBJECTION_WORDS,
        is_late=found.is_late(today),
        may_answer=may and found.state == "raised",
        may_decide=may and found.state == "accepted",
        is_own=found.objector_id == actor.member_id,
        reason=reason,
        error=error,
        limits={"reason": REASON_LENGTH_MAX},
    )
    return page, status


@pages.post("/objections/<id:objection_id>/answer")
@roles_only(*REVIEWERS)
def answer(objection_id: int) -> ResponseReturnValue:
    """Take an objection up for investigation, or dismiss it with a reason."""
    actor, now = current_actor(), clock.now()
    reason, word = typed("reason", REASON_LENGTH_MAX), typed("answer", WORD_LENGTH_MAX)
    return acted(
        objection_id,
        reason,
        {"accept": True, "dismiss": False}.get(word),
        lambda session, is_yes: answer_objection(
            session,
            objection_id=objection_id,
            actor=actor,
            is_accepted=is_yes,
            reason=reason,
            now=now,
        ),
    )


@pages.post("/objections/<id:objection_id>/decision")
@roles_only(*REVIEWERS)
def decide(objection_id: int) -> ResponseReturnValue:
    """Decide an objection that was looked into."""
    actor, now = current_actor(), clock.now()
    reason, word = typed("reason", REASON_LENGTH_MAX), typed("decision", WORD_LENGTH_MAX)
    return acted(
        objection_id,
        reason,
        {"uphold": True, "reject": False}.get(word),
        lambda session, is_yes: decide_objection(
            session,
            objection_id=objection_id,
            actor=actor,
            is_upheld=is_yes,
            reason=reason,
            now=now,
        ),
    )


def acted(
    objection_id: int,
    reason: str,
    is_yes: bool | None,
    act: Callable[[Session, bool], object],
) -> ResponseReturnValue:
    """Do what was asked for, or show the page again with what was typed and why not.

    is_yes: None when no button of ours was pressed.
    """
    if is_yes is None:
        return objection_page(objection_id, reason, gettext("Please choose one."), 422)
    try:
        run(lambda session: act(session, is_yes))
    except (Invalid, Conflict, NotAllowed) as refusal:
        return objection_page(objection_id, reason, sentence_of(refusal), status_of(refusal))
    return redirect(url_for("objection_pages.show_objection", objection_id=objection_id))
