"""The page of differences between a station without a network and the server."""

from typing import Any

from flask import Blueprint, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext

from pointsbank.attendance.differences import (
    LEAVE_OUT,
    LET_IN,
    DifferenceFile,
    differences_of,
    settle_difference,
)
from pointsbank.attendance.review_errors import StillRefused
from pointsbank.attendance.review_schemas import NOTE_LENGTH_MAX
from pointsbank.attendance.review_words import title_or_code
from pointsbank.attendance.schemas import desk_here
from pointsbank.core import clock
from pointsbank.core.db import reading, run
from pointsbank.core.errors import Conflict, Invalid
from pointsbank.tasks.queries import shift_of
from pointsbank.web.access import current_actor, roles_only
from pointsbank.web.errors import sentence_of
from pointsbank.web.forms import typed, typed_id

pages = Blueprint("difference_pages", __name__)

DECISION_LENGTH_MAX = 12


@pages.get("/shifts/<id:shift_id>/differences")
@roles_only("organizer")
def list_differences(shift_id: int) -> ResponseReturnValue:
    """List where the station and the server differ, and let the lead settle each."""
    with reading() as session:
        shift, task = shift_of(session, shift_id, current_actor().paths("organizer"))
        found = differences_of(session, shift_id)
    return render_template(
        "attendance/differences.html",
        shift=shift,
        title=task.title,
        waiting=[shown(each) for each in found if each.decision is None],
        settled=[shown(each) for each in found if each.decision is not None],
        limits={"note": NOTE_LENGTH_MAX},
        links={"back": url_for("attendance_pages.sheet", shift_id=shift_id)},
    )


def shown(found: DifferenceFile) -> dict[str, Any]:
    """Return a difference as the page prints it."""
    return {
        "name": found.display_name or gettext("Unknown code"),
        "number": found.volunteer_no,
        "scanned_at": found.scanned_at,
        "device": title_or_code(found.device_reason),
        "server": title_or_code(found.server_reason),
        "is_let_in": found.decision == LET_IN,
        "decided_by": found.decided_by_name,
        "note": found.note or "",
        "href": url_for("difference_pages.decide", scan_id=found.scan_id),
    }


@pages.post("/differences/<id:scan_id>/decision")
@roles_only("organizer")
def decide(scan_id: int) -> ResponseReturnValue:
    """Let a scan count as of its time or leave it out, and show the list again."""
    actor, now, desk = current_actor(), clock.now(), desk_here()
    decision = LET_IN if typed("decision", DECISION_LENGTH_MAX) == LET_IN else LEAVE_OUT
    shift_id = typed_id("shift_id")

    note = typed("note", NOTE_LENGTH_MAX)
    try:
        run(
            lambda session: settle_difference(
                session,
                scan_id=scan_id,
                decision=decision,
                note=note,
                actor=actor,
                desk=desk,
                now=now,
            )
        )
    except StillRefused as refusal:
        why = title_or_code(refusal.facts["reason"])
        flash(gettext("This cannot be let in: %(why)s.", why=why), "error")
    except (Invalid, Conflict) as refusal:
        flash(sentence_of(refusal), "error")
    else:
        flash(
            gettext("It counts as of when it was scanned.")
            if decision == LET_IN
            else gettext("It is left out. The scan stays on record."),
            "success",
        )
    if shift_id is None:
        return redirect(url_for("organizing_pages.list_plans"), 303)
    return redirect(url_for("difference_pages.list_differences", shift_id=shift_id), 303)
