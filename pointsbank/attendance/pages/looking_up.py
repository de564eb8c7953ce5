"""The pages that find a person without a code, and check them in or out with a reason."""

from typing import Any

from flask import Blueprint, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext

from pointsbank.attendance.finding import NewScan
from pointsbank.attendance.recording import record_scan
from pointsbank.attendance.review_schemas import NOTE_LENGTH_MAX
from pointsbank.attendance.schemas import desk_here, verdict_out
from pointsbank.attendance.searching import WORDS_LENGTH_MAX, FoundPerson, find_people
from pointsbank.attendance.words import result_words
from pointsbank.core import clock
from pointsbank.core.db import reading, run
from pointsbank.core.keys import draw_token
from pointsbank.tasks.queries import shift_of
from pointsbank.web.access import current_actor, roles_only
from pointsbank.web.forms import typed
from pointsbank.web.metrics import SCANS

pages = Blueprint("looking_up_pages", __name__)

NUMBER_LENGTH_MAX = 20
NONCE_LENGTH_MAX = 60
DIRECTION_LENGTH_MAX = 4


@pages.get("/shifts/<id:shift_id>/people")
@roles_only("organizer")
def look_up(shift_id: int) -> ResponseReturnValue:
    """Ask whom the lead is looking for."""
    return people_page(shift_id, "")


@pages.post("/shifts/<id:shift_id>/people")
@roles_only("organizer")
def search(shift_id: int) -> ResponseReturnValue:
    """Show who may be meant; it is a POST so that no name stands in an address."""
    return people_page(shift_id, typed("words", WORDS_LENGTH_MAX))


def people_page(shift_id: int, words: str, problem: str = "") -> str:
    """Render the search with what was found."""
    paths = current_actor().paths("organizer")
    with reading() as session:
        shift, task = shift_of(session, shift_id, paths)
        found = find_people(session, shift_id, words, paths) if words else []
    return render_template(
        "attendance/people.html",
        shift=shift,
        title=task.title,
        words=words,
        people=[shown(each) for each in found],
        problem=problem,
        limits={"words": WORDS_LENGTH_MAX, "reason": NOTE_LENGTH_MAX},
        links={
            "back": url_for("attendance_pages.station", shift_id=shift_id),
            "search": url_for("looking_up_pages.search", shift_id=shift_id),
            "scan": url_for("looking_up_pages.scan_by_hand", shift_id=shift_id),
        },
    )


def shown(person: FoundPerson) -> dict[str, Any]:
    """Return somebody who may be meant, and which way they would go."""
    return {
        "name": person.display_name,
        "number": person.volunteer_no,
        "organization": person.organization_name,
        "claim": person.claim,
        "came_at": person.came_at,
        "left_at": person.left_at,
        "direction": "out" if person.is_present else "in",
        "nonce": draw_token(),
    }


@pages.post("/shifts/<id:shift_id>/people/scans")
@roles_only("organizer")
def scan_by_hand(shift_id: int) -> ResponseReturnValue:
    """Check somebody in or out by their number, with a reason, and show the verdict."""
    actor, desk, now = current_actor(), desk_here(), clock.now()
    number, why = typed("volunteer_no", NUMBER_LENGTH_MAX), typed("reason", NOTE_LENGTH_MAX)
    if not why:
        words = gettext("Please say why this person has no code.")
        return people_page(shift_id, number, words), 422
    with reading() as session:
        shift_of(session, shift_id, actor.paths("organizer"))
    direction = "out" if typed("direction", DIRECTION_LENGTH_MAX) == "out" else "in"
    nonce = typed("nonce", NONCE_LENGTH_MAX)
    scan = NewScan(
        nonce=nonce if nonce.isascii() and nonce.isprintable() and nonce else draw_token(),
        code=number,
        shift_id=shift_id,
        direction=direction,
        confirm=typed("confirm", 1) == "1",
        note=why,
    )
    verdict = run(lambda session: record_scan(session, actor, scan, desk, now=now))
    SCANS.labels(verdict.facts["result"], verdict.facts["reason"]).inc()
    words_of_it = verdict_out(verdict)
    insist = {
        "label": words_of_it["action"],
        "action": url_for("looking_up_pages.scan_by_hand", shift_id=shift_id),
        "fields": {
            "volunteer_no": number,
            "direction": words_of_it["direction"] or direction,
            "confirm": "1",
            "reason": why,
            "nonce": draw_token(),
        },
    }
    back = {
        "label": gettext("Look somebody else up"),
        "href": url_for("looking_up_pages.look_up", shift_id=shift_id),
    }
    undo = None
    if words_of_it["undo_until"]:
        undo = {
            "action": url_for(
                "attendance_pages.undo", shift_id=shift_id, scan_id=verdict.scan_id
            )
        }
    words_of_it["needs_reason"] = False
    return render_template(
        "attendance/result.html",
        **result_words(
            words_of_it,
            acts=[insist, back] if words_of_it["may_confirm"] else [back],
            undo=undo,
        ),
    )
