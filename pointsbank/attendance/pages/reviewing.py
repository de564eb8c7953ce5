"""The pages of reviews: what waits, one with its evidence, and one's own."""

from typing import Any

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext

from pointsbank.attendance.alerting import REVIEWING_ROLES
from pointsbank.attendance.review_schemas import NOTE_LENGTH_MAX
from pointsbank.attendance.review_words import STATE_WORDS, reasons_in_words, scan_words
from pointsbank.attendance.reviewing import decide_review
from pointsbank.attendance.reviews import (
    ReviewFile,
    evidence_of,
    own_review,
    review_of,
    reviews_within,
)
from pointsbank.core import clock
from pointsbank.core.db import reading, run
from pointsbank.web.access import current_actor, members_only, roles_only
from pointsbank.web.contract import cursor_from, position_from
from pointsbank.web.forms import attempt, settings, typed

pages = Blueprint("review_pages", __name__)

REVIEWS_A_PAGE = 40
DECISION_LENGTH_MAX = 10


@pages.get("/reviews")
@roles_only(*REVIEWING_ROLES)
def list_reviews() -> ResponseReturnValue:
    """List the attendances of one's scope that wait, the oldest first, or were decided."""
    is_waiting = request.args.get("state") != "decided"
    after_id = position_from(request.args.get("cursor"))
    with reading() as session:
        found = reviews_within(
            session,
            current_actor().paths(*REVIEWING_ROLES),
            is_waiting=is_waiting,
            after_id=after_id,
            limit=REVIEWS_A_PAGE + 1,
        )
    shown, state = found[:REVIEWS_A_PAGE], None if is_waiting else "decided"
    more = cursor_from(shown[-1].id) if len(found) > REVIEWS_A_PAGE else None
    return render_template(
        "attendance/reviews.html",
        reviews=[listed(each) for each in shown],
        is_waiting=is_waiting,
        switch=[
            {
                "href": url_for("review_pages.list_reviews"),
                "label": gettext("To be looked at"),
                "current": is_waiting,
            },
            {
                "href": url_for("review_pages.list_reviews", state="decided"),
                "label": gettext("Decided"),
                "current": not is_waiting,
            },
        ],
        links={
            "next": url_for("review_pages.list_reviews", state=state, cursor=more)
            if more
            else "",
            "first": url_for("review_pages.list_reviews", state=state) if after_id else "",
        },
    )


def listed(found: ReviewFile) -> dict[str, Any]:
    """Return a review as the list prints it."""
    reasons = reasons_in_words(found)
    return {
        "href": url_for("review_pages.show_review", attendance_id=found.id),
        "name": found.display_name,
        "title": found.title,
        "starts_at": found.starts_at,
        "reason": reasons[0]["words"] if reasons else "",
        "score": found.score,
        "state": found.state,
        "state_word": STATE_WORDS[found.state],
    }


@pages.get("/reviews/<id:attendance_id>")
@roles_only(*REVIEWING_ROLES)
def show_review(attendance_id: int) -> ResponseReturnValue:
    """Show one attendance with all it rests on, and to its second person the decision."""
    actor = current_actor()
    with reading() as session:
        found = review_of(session, attendance_id, actor.paths(*REVIEWING_ROLES))
        evidence = evidence_of(session, found)
    return render_template(
        "attendance/review.html",
        review=found,
        state_word=STATE_WORDS[found.state],
        reasons=reasons_in_words(found),
        stays=evidence.stays,
        scans=[scan_words(each) for each in evidence.scans],
        elsewhere=evidence.elsewhere,
        answers=evidence.answers,
        may_decide=found.state == "waiting" and actor.member_id not in found.involved,
        limits={"reason": NOTE_LENGTH_MAX},
        links={
            "back": url_for(
                "review_pages.list_reviews",
                state=None if found.state == "waiting" else "decided",
            ),
            "decide": url_for("review_pages.decide", attendance_id=attendance_id),
        },
    )


@pages.post("/reviews/<id:attendance_id>/decision")
@roles_only(*REVIEWING_ROLES)
def decide(attendance_id: int) -> ResponseReturnValue:
    """Let an attendance count or not, and show it again."""
    actor, now, zone = current_actor(), clock.now(), settings().zone
    is_approved = typed("decision", DECISION_LENGTH_MAX) == "approve"
    reason = typed("reason", NOTE_LENGTH_MAX)
    attempt(
        lambda: run(
            lambda session: decide_review(
                session,
                attendance_id=attendance_id,
                actor=actor,
                is_approved=is_approved,
                reason=reason,
                zone=zone,
                now=now,
            )
        ),
        gettext("The attendance counts.")
        if is_approved
        else gettext("The attendance does not count. The person is told."),
    )
    return redirect(url_for("review_pages.show_review", attendance_id=attendance_id), 303)


@pages.get("/my-attendance/<id:attendance_id>")
@members_only
def show_own(attendance_id: int) -> ResponseReturnValue:
    """Show the person why their attendance was looked at, and what was decided."""
    with reading() as session:
        found = own_review(session, attendance_id, current_actor().member_id)
    return render_template(
        "attendance/own_review.html",
        review=found,
        state_word=STATE_WORDS[found.state],
        reasons=reasons_in_words(found),
    )
