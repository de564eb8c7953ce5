"""The HTML door of a volunteer's scan: the venue code's address, the question, the result.

Opening the address changes nothing in the database, because link scanners open it too. It
leaves a ticket in the browser's signed cookie, good for five minutes, which signing in does not
lose.
"""

from datetime import UTC, datetime, timedelta
from typing import Any

from flask import Blueprint, redirect, render_template, request, url_for
from flask import session as browser
from flask.typing import ResponseReturnValue
from flask_babel import gettext

from pointsbank.attendance.codes import look_at
from pointsbank.attendance.finding import SELF_KINDS, NewScan
from pointsbank.attendance.queries import task_of_handle
from pointsbank.attendance.recording import Verdict, preview_scan, record_scan
from pointsbank.attendance.schemas import desk_here, verdict_out
from pointsbank.attendance.words import result_words
from pointsbank.core import clock
from pointsbank.core.db import reading, run
from pointsbank.core.keys import draw_token
from pointsbank.members.queries import member_of
from pointsbank.tasks.queries import shift_of
from pointsbank.web.access import anyone, current_actor, members_only, visiting_actor
from pointsbank.web.forms import settings, typed
from pointsbank.web.metrics import SCANS

pages = Blueprint("scan_pages", __name__)

# The members room carries this one key through signing in.
SCAN_TICKET = "scan_ticket"
TICKET_MINUTES = 5
CODE_LENGTH_MAX = 80
DIGITS_TYPED_MAX = 12
NONCE_TYPED_MAX = 64
# After these the question is asked anew; without the digits it can still be answered.
TRY_AGAIN = ("wrong_digits", "digits_locked")


@pages.get("/S/<string:code>")
@pages.get("/s/<string:code>")
@anyone
def open_code(code: str) -> ResponseReturnValue:
    """Keep what was scanned in this browser, and go on to the question, or to signing in
    first."""
    return kept(code)


@pages.get("/P/<string:code>")
@pages.get("/p/<string:code>")
@anyone
def open_poster(code: str) -> ResponseReturnValue:
    """Keep a poster's code as a venue's; the question asks for the screen's digits, and leads
    to the task."""
    return kept(code)


def kept(code: str) -> ResponseReturnValue:
    """Keep a code in this browser's ticket, and go on."""
    now = clock.now()
    # Longer than any of ours: cut, it might become one.
    code = code if len(code) <= CODE_LENGTH_MAX else ""
    browser[SCAN_TICKET] = {
        "code": code,
        "seen_at": int(now.timestamp()),
        "nonce": draw_token(),
        **ticket_words(code, now),
    }
    if visiting_actor() is None:
        return redirect(url_for("sign_in.sign_in", next=url_for("scan_pages.ask")))
    return redirect(url_for("scan_pages.ask"))


def ticket_words(code: str, now: datetime) -> dict[str, Any]:
    """Return what the sign-in says of a code that is genuine: the task, the way, until when."""
    sight = look_at(code, secret=settings().secret_key, at=now)
    if sight.kind not in SELF_KINDS or not sight.is_genuine or sight.shift_handle is None:
        return {}
    with reading() as session:
        title = task_of_handle(session, sight.shift_handle)
    if title is None:
        return {}
    until = now + timedelta(minutes=TICKET_MINUTES)
    return {"task": title, "direction": sight.direction or "in", "until": until}


def ticket_here() -> dict[str, Any] | None:
    """Return the ticket of this browser, None when there is none or its time is over."""
    ticket = browser.get(SCAN_TICKET)
    if not isinstance(ticket, dict):
        return None
    age = clock.now().timestamp() - ticket["seen_at"]
    return ticket if 0 <= age <= TICKET_MINUTES * 60 else None


def scan_of(ticket: dict[str, Any], *, confirm: bool) -> NewScan:
    """Return the scan that a ticket stands for; insisting is a scan of its own.

    Each try with the digits of a poster is one too: its form has a nonce of its own.
    """
    nonce = ticket["nonce"] + "-yes" * confirm
    drawn = typed("nonce", NONCE_TYPED_MAX)
    if drawn and drawn.isascii() and drawn.isprintable() and " " not in drawn:
        nonce = drawn
    digits = typed("digits", DIGITS_TYPED_MAX)
    return NewScan(
        nonce=nonce[:64], code=ticket["code"], confirm=confirm, digits=digits or None
    )


def seen_at(ticket: dict[str, Any]) -> datetime:
    """Return when the code was opened: it is judged as of then."""
    return datetime.fromtimestamp(ticket["seen_at"], UTC)


@pages.get("/scan")
@members_only
def ask() -> ResponseReturnValue:
    """Show what was scanned and one button; nothing is recorded before it is pressed."""
    ticket = ticket_here()
    if ticket is None:
        return no_ticket_page()
    actor, now = current_actor(), clock.now()
    scan = scan_of(ticket, confirm=False)
    with reading() as session:
        verdict = preview_scan(
            session, actor, scan, desk_here(), now=now, seen_at=seen_at(ticket)
        )
        person = member_of(session, actor.member_id)
    shown = verdict_out(verdict)
    if shown["shift"] is None:
        return result_page(shown, acts=[home_act()])
    is_poster = shown["code_kind"] == "poster"
    return render_template(
        "attendance/confirm_poster.html" if is_poster else "attendance/confirm_scan.html",
        **question_words(shown),
        nonce=draw_token(),
        member={"name": person.display_name, "number": person.volunteer_no},
        action=url_for("scan_pages.answer"),
        links={"home": url_for("home"), "task": task_address(shown) if is_poster else ""},
    )


def task_address(shown: dict[str, Any]) -> str:
    """Return where the task stands that a poster hangs for."""
    with reading() as session:
        _, task = shift_of(session, shown["shift"]["id"])
    return url_for("task_pages.show_task", task_id=task.id)


def question_words(shown: dict[str, Any]) -> dict[str, Any]:
    """Return the question as its page prints it, from a verdict that was not kept."""
    shift = shown["shift"]
    is_possible = shown["result"] == "ok" or shown["may_confirm"]
    is_question = shown["result"] == "confirm"
    sentence = f"{shown['title']} · {shown['detail']}"
    return {
        "shift": {
            "title": shift["title"],
            "place": shift["place_name"],
            "starts_at": datetime.fromisoformat(shift["starts_at"]),
            "ends_at": datetime.fromisoformat(shift["ends_at"]),
        },
        "direction": shown["direction"],
        "problem": None if is_possible else sentence,
        "note_text": sentence if is_question else "",
        "act": shown["action"] if is_question else None,
        "confirm": is_question,
        "asks_more": is_question and shown["reason"] != "poster_waiting",
    }


@pages.post("/scan")
@members_only
def answer() -> ResponseReturnValue:
    """Record the scan that this browser's ticket stands for, and show the verdict."""
    ticket = ticket_here()
    if ticket is None:
        return no_ticket_page()
    actor, desk, now = current_actor(), desk_here(), clock.now()
    scan = scan_of(ticket, confirm=request.form.get("confirm") == "1")
    verdict: Verdict = run(
        lambda session: record_scan(
            session, actor, scan, desk, now=now, seen_at=seen_at(ticket)
        )
    )
    SCANS.labels(verdict.facts["result"], verdict.facts["reason"]).inc()
    shown = verdict_out(verdict)
    acts = [home_act()]
    if shown["reason"] in TRY_AGAIN:
        acts.insert(0, {"label": gettext("Once more"), "href": url_for("scan_pages.ask")})
    if shown["may_confirm"] and not shown["needs_reason"]:
        acts.insert(
            0,
            {
                "label": shown["action"],
                "action": url_for("scan_pages.answer"),
                "fields": {"confirm": "1"},
            },
        )
    return result_page(shown, acts=acts)


def result_page(shown: dict[str, Any], acts: list[dict[str, Any]]) -> ResponseReturnValue:
    """Show a verdict on a page of its own."""
    return render_template("attendance/result.html", **result_words(shown, acts=acts))


def home_act() -> dict[str, Any]:
    """Return the way to the home page."""
    return {"label": gettext("To the home page"), "href": url_for("home")}


def no_ticket_page() -> ResponseReturnValue:
    """Say that there is nothing to go on with any more."""
    words = {
        "result": "refuse",
        "reason": "code_expired",
        "title": gettext("Please scan again"),
        "detail": gettext("More than five minutes went by, or this browser scanned nothing."),
    }
    return result_page(words, acts=[home_act()])
