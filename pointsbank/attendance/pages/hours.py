"""What secretaries and administrators decide about hours: overtime, and who did not come."""

from collections.abc import Callable
from typing import Any

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext
from sqlalchemy.orm import Session

from pointsbank.attendance.hours_schemas import no_show_out, overtime_words
from pointsbank.attendance.no_shows import DECIDERS, decide_no_show, no_shows_within
from pointsbank.attendance.overtimes import decide_overtime, overtime_files
from pointsbank.core import clock
from pointsbank.core.db import reading, run
from pointsbank.web.access import current_actor, roles_only
from pointsbank.web.contract import cursor_from, position_from
from pointsbank.web.forms import attempt

pages = Blueprint("hours_pages", __name__)

RECORDS_A_PAGE = 40


@pages.get("/hours")
@roles_only(*DECIDERS)
def list_hours() -> ResponseReturnValue:
    """List what waits for a decision: overtime first, because a settlement waits for it."""
    actor = current_actor()
    paths = actor.paths(*DECIDERS)
    after_id = position_from(request.args.get("cursor")) or 0
    with reading() as session:
        overtimes = overtime_files(session, pending_under=paths)
        found = no_shows_within(session, paths, after_id=after_id, limit=RECORDS_A_PAGE + 1)
    shown = found[:RECORDS_A_PAGE]
    more = cursor_from(shown[-1].claim_id) if len(found) > RECORDS_A_PAGE else None
    return render_template(
        "attendance/hours.html",
        overtimes=[
            {
                **(overtime_words(each) or {}),
                "is_own": each.asked_by_id == actor.member_id,
                "decide": url_for("hours_pages.decide", shift_id=each.shift_id),
            }
            for each in overtimes
        ],
        records=[
            {
                **no_show_out(each),
                "is_own": actor.member_id in (each.member_id, each.recorded_by_id),
                "decide": url_for("hours_pages.decide_about", claim_id=each.claim_id),
            }
            for each in shown
        ],
        links=page_links(after_id, more),
    )


def page_links(after_id: int, more: str | None) -> dict[str, Any]:
    """Return where the list goes on, and where it begins."""
    here = "hours_pages.list_hours"
    return {
        "next": url_for(here, cursor=more) if more else "",
        "first": url_for(here) if after_id else "",
    }


def done(act: Callable[[Session], object]) -> ResponseReturnValue:
    """Carry out a decision, and show the list again with what became of it."""
    attempt(lambda: run(act), gettext("Decided."))
    return redirect(url_for("hours_pages.list_hours"), 303)


@pages.post("/hours/overtime/<id:shift_id>")
@roles_only(*DECIDERS)
def decide(shift_id: int) -> ResponseReturnValue:
    """Approve or refuse overtime, as somebody who did not ask for it."""
    actor, now = current_actor(), clock.now()
    is_approved = request.form.get("decision") == "approve"
    return done(
        lambda session: decide_overtime(
            session, shift_id=shift_id, actor=actor, is_approved=is_approved, now=now
        )
    )


@pages.post("/hours/no-shows/<id:claim_id>")
@roles_only(*DECIDERS)
def decide_about(claim_id: int) -> ResponseReturnValue:
    """Excuse or uphold a record, as neither of its two people."""
    actor, now = current_actor(), clock.now()
    decision = "excuse" if request.form.get("decision") == "excuse" else "uphold"
    return done(
        lambda session: decide_no_show(
            session, claim_id=claim_id, actor=actor, decision=decision, now=now
        )
    )
