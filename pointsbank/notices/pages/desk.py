"""The pages of those who look after notices: the list, one, its review, its PDF."""

from flask import Blueprint, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext

from pointsbank.core import clock
from pointsbank.core.calendar import local_day
from pointsbank.core.db import reading, run
from pointsbank.core.printing import find_font
from pointsbank.members.queries import display_names
from pointsbank.notices.drafting import REASON_LENGTH_MAX
from pointsbank.notices.objections import objections_to
from pointsbank.notices.pages.facing import printed, public_address
from pointsbank.notices.pages.notice_pdf import notice_pdf
from pointsbank.notices.policy import OBJECTION_READERS, READERS, REVIEWERS
from pointsbank.notices.queries import (
    notice_of,
    notices_within,
    people_in,
    undecided_by_notice,
    versions_of,
)
from pointsbank.notices.reviewing import review_notice, take_back
from pointsbank.notices.words import KIND_WORDS, OBJECTION_WORDS, STATE_WORDS, reason_words
from pointsbank.organizations.workdays import year_to_load
from pointsbank.web.access import current_actor, roles_only
from pointsbank.web.contract import cursor_from, position_from
from pointsbank.web.forms import attempt, settings, typed

pages = Blueprint("notice_desk_pages", __name__)

PAGE_LINES = 40


@pages.get("/notice-desk")
@roles_only(*READERS)
def list_notices() -> ResponseReturnValue:
    """List the notices of one's scope: those that can still change, or the archive."""
    actor = current_actor()
    is_alive = request.args.get("state") != "archive"
    before_id = position_from(request.args.get("cursor"))
    with reading() as session:
        found = notices_within(
            session,
            actor.paths(*READERS),
            is_alive=is_alive,
            before_id=before_id,
            limit=PAGE_LINES + 1,
        )
        waiting = undecided_by_notice(session, [each.id for each in found])
        missing = year_to_load(session, local_day(clock.now(), settings().zone))
    shown, state = found[:PAGE_LINES], None if is_alive else "archive"
    more = cursor_from(shown[-1].id) if len(found) > PAGE_LINES else None
    here = url_for("notice_desk_pages.list_notices", state=state)
    return render_template(
        "notices/desk.html",
        notices=[(each, waiting.get(each.id, 0)) for each in shown],
        states=STATE_WORDS,
        kinds=KIND_WORDS,
        missing=missing,
        may_answer=actor.is_(*OBJECTION_READERS),
        switch=[
            {
                "href": url_for("notice_desk_pages.list_notices"),
                "label": gettext("At work"),
                "current": is_alive,
            },
            {
                "href": url_for("notice_desk_pages.list_notices", state="archive"),
                "label": gettext("Archive"),
                "current": not is_alive,
            },
        ],
        links={
            "next": url_for("notice_desk_pages.list_notices", state=state, cursor=more)
            if more
            else "",
            "first": here if before_id else "",
        },
    )


@pages.get("/notice-desk/<id:notice_id>")
@roles_only(*READERS)
def show_notice(notice_id: int) -> ResponseReturnValue:
    """Show a notice in any state with its course, and what may be done with it."""
    return notice_page(notice_id), 200


def notice_page(notice_id: int, typed_reason: str = "") -> str:
    """Render a notice; typed_reason: of a withdrawal that was refused."""
    actor, today = current_actor(), local_day(clock.now(), settings().zone)
    with reading() as session:
        found = notice_of(session, notice_id, actor.paths(*READERS))
        shown = printed(session, found, today)
        versions = versions_of(session, found.subject)
        hears = actor.oversees(found.path, *OBJECTION_READERS)
        said = objections_to(session, notice_id, actor.member_id) if hears else []
        people = people_in(session, notice_id)
        concerned = (found.drafted_by_id, found.reviewed_by_id, found.also_reviewed_by_id)
        names = display_names(session, [each for each in concerned if each])
    decides = actor.oversees(found.path, *REVIEWERS)
    return render_template(
        "notices/desk_notice.html",
        **shown,
        reason=reason_words(found.withdrawn_reason),
        states=STATE_WORDS,
        kinds=KIND_WORDS,
        versions=[each for each in versions if each.id != found.id],
        said=said,
        said_words=OBJECTION_WORDS,
        names=names,
        today=today,
        may={
            "review": decides
            and found.state == "draft"
            and actor.member_id not in (found.drafted_by_id, found.reviewed_by_id)
            and set(people) != {actor.member_id},
            "withdraw": decides and found.is_alive,
            "stands_in": actor.member_id in people and found.reviewed_by_id is None,
            "drafted": decides and found.drafted_by_id == actor.member_id,
        },
        typed_reason=typed_reason,
        limits={"reason": REASON_LENGTH_MAX},
    )


@pages.post("/notice-desk/<id:notice_id>/review")
@roles_only(*REVIEWERS)
def review(notice_id: int) -> ResponseReturnValue:
    """Let somebody else's draft pass to the public."""
    actor, now = current_actor(), clock.now()
    attempt(
        lambda: run(
            lambda session: review_notice(
                session,
                notice_id=notice_id,
                actor=actor,
                today=local_day(now, settings().zone),
                now=now,
            )
        ),
        gettext("Your review is recorded."),
    )
    return redirect(url_for("notice_desk_pages.show_notice", notice_id=notice_id))


@pages.post("/notice-desk/<id:notice_id>/withdrawal")
@roles_only(*REVIEWERS)
def withdraw(notice_id: int) -> ResponseReturnValue:
    """Take a notice back for good, with a reason."""
    actor, now = current_actor(), clock.now()
    reason = typed("reason", REASON_LENGTH_MAX)
    is_withdrawn = attempt(
        lambda: run(
            lambda session: take_back(
                session, notice_id=notice_id, actor=actor, reason=reason, now=now
            )
        ),
        gettext("The notice was withdrawn."),
    )
    if not is_withdrawn:
        return notice_page(notice_id, reason), 422
    return redirect(url_for("notice_desk_pages.show_notice", notice_id=notice_id))


@pages.get("/notice-desk/<id:notice_id>/notice.pdf")
@roles_only(*READERS)
def print_notice(notice_id: int) -> ResponseReturnValue:
    """Answer a notice as a PDF for the wall, with its digest and a code of its public page.

    Raises NoPrintFont.
    """
    actor, now = current_actor(), clock.now()
    with reading() as session:
        found = notice_of(session, notice_id, actor.paths(*READERS))
        shown = printed(session, found, local_day(now, settings().zone))
    made = notice_pdf(shown, public_address(notice_id), find_font(settings().pdf_font), now)
    response = make_response(made)
    response.headers["Content-Type"] = "application/pdf"
    response.headers["Content-Disposition"] = f'inline; filename="notice-{notice_id}.pdf"'
    return response
