"""The pages that everyone may read: open notices, an objection to one, a receipt."""

from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext

from pointsbank.core import clock
from pointsbank.core.calendar import local_day
from pointsbank.core.db import reading, run
from pointsbank.core.errors import Conflict, Invalid, NotFound, TooMany
from pointsbank.core.keys import draw_letters
from pointsbank.core.text import cleaned_lines
from pointsbank.notices.filling import LINES_MAX
from pointsbank.notices.objecting import (
    FACTS_LENGTH_MAX,
    FACTS_LENGTH_MIN,
    REASON_LENGTH_MAX,
    RECEIPT_ALPHABET,
    RECEIPT_LETTERS,
    NewObjection,
    Raised,
    anonymous,
    raise_objection,
    receipt_hash,
    spelled_receipt,
)
from pointsbank.notices.objection_errors import LineUnknown
from pointsbank.notices.objections import objection_by_receipt
from pointsbank.notices.pages.facing import printed
from pointsbank.notices.queries import public_notice, public_notices, shown_lines
from pointsbank.notices.schemas import CODE_LENGTH_MAX, RECEIPT_LENGTH_MAX
from pointsbank.notices.words import KIND_WORDS, OBJECTION_WORDS, cells
from pointsbank.organizations.queries import organization_by_code
from pointsbank.web.access import anyone, visiting_actor
from pointsbank.web.contract import cursor_from, position_from
from pointsbank.web.errors import sentence_of, status_of
from pointsbank.web.forms import settings, typed, typed_whole

pages = Blueprint("notice_pages", __name__)

PAGE_LINES = 40
LINE_LENGTH_MAX = 20


@pages.after_request
def keep_from_search_engines(response: Any) -> Any:
    """Tell robots, on every answer of this door, to keep none of it."""
    response.headers["X-Robots-Tag"] = "noindex"
    return response


@pages.get("/notices")
@anyone
def list_notices() -> ResponseReturnValue:
    """List what is open today, of one organization and all below it, or of all."""
    today = local_day(clock.now(), settings().zone)
    code = request.args.get("under", "")[:CODE_LENGTH_MAX]
    after_id = position_from(request.args.get("cursor")) or 0
    with reading() as session:
        place = organization_by_code(session, code) if code else None
        found = public_notices(
            session,
            today,
            path=place.path if place else "/",
            after_id=after_id,
            limit=PAGE_LINES + 1,
        )
    shown = found[:PAGE_LINES]
    here = url_for("notice_pages.list_notices", under=code or None)
    more = cursor_from(shown[-1].id) if len(found) > PAGE_LINES else None
    return render_template(
        "notices/list.html",
        place=place,
        notices=shown,
        kinds=KIND_WORDS,
        links={
            "next": url_for("notice_pages.list_notices", under=code or None, cursor=more)
            if more
            else "",
            "first": here if after_id else "",
        },
    )


@pages.get("/notices/<id:notice_id>")
@anyone
def show_notice(notice_id: int) -> ResponseReturnValue:
    """Show an open notice as it hangs on the wall."""
    today = local_day(clock.now(), settings().zone)
    with reading() as session:
        shown = printed(session, public_notice(session, notice_id, today), today)
    return render_template(
        "notices/notice.html",
        **shown,
        links={
            "object": url_for("notice_pages.ask", notice_id=notice_id),
            "data": url_for("public_notices_api.show_open", notice_id=notice_id),
            "list": url_for("notice_pages.list_notices"),
        },
    )


@pages.get("/notices/<id:notice_id>/objection")
@anyone
def ask(notice_id: int) -> ResponseReturnValue:
    """Ask what is wrong with an open notice."""
    return objection_page(notice_id, {"name": "named" if visiting_actor() else "nameless"})


def objection_page(
    notice_id: int, form: dict[str, str], error: str = "", status: int = 200
) -> ResponseReturnValue:
    """Render the form of an objection, with what was typed when it could not be taken."""
    today = local_day(clock.now(), settings().zone)
    with reading() as session:
        found = public_notice(session, notice_id, today)
        lines = shown_lines(session, notice_id)
    page = render_template(
        "notices/objection.html",
        notice=found,
        lines=[("", gettext("The whole notice"))]
        + [
            (line.no, f"{line.no}. {' · '.join(cells(found.kind, line.name, line.facts))}")
            for line in lines
        ],
        form=form,
        error=error,
        limits={
            "reason": REASON_LENGTH_MAX,
            "facts": FACTS_LENGTH_MAX,
            "facts_min": FACTS_LENGTH_MIN,
        },
        back=url_for("notice_pages.show_notice", notice_id=notice_id),
    )
    return page, status


@pages.post("/notices/<id:notice_id>/objection")
@anyone
def raise_one(notice_id: int) -> ResponseReturnValue:
    """Take an objection under one's name, or without it and show its receipt this once."""
    actor = visiting_actor()
    form = {
        "name": "named" if actor and request.form.get("name") == "named" else "nameless",
        "line_no": typed("line_no", LINE_LENGTH_MAX),
        "reason": typed("reason", REASON_LENGTH_MAX),
        "facts": cleaned_lines(request.form.get("facts", ""))[:FACTS_LENGTH_MAX],
    }
    line_no = typed_whole("line_no", LINES_MAX)
    receipt = draw_letters(RECEIPT_ALPHABET, RECEIPT_LETTERS)
    try:
        if form["line_no"] and line_no is None:
            raise LineUnknown
        raised = act_on(
            notice_id,
            actor.member_id if actor and form["name"] == "named" else None,
            NewObjection(form["reason"], form["facts"], line_no),
            receipt,
        )
    except (Invalid, Conflict, TooMany, LineUnknown) as refusal:
        return objection_page(notice_id, form, sentence_of(refusal), status_of(refusal))
    if form["name"] == "named":
        flash(gettext("It was passed on. You read here what becomes of it."), "success")
        return redirect(url_for("own_objection_pages.show_one", objection_id=raised.id))
    return render_template(
        "notices/receipt.html",
        receipt=spelled_receipt(receipt),
        raised=raised,
        back=url_for("notice_pages.show_notice", notice_id=notice_id),
        follow=url_for("notice_pages.ask_for_receipt"),
    )


def act_on(notice_id: int, member_id: int | None, wanted: NewObjection, receipt: str) -> Raised:
    """Raise an objection, under a member's name or under a receipt."""
    now, secret = clock.now(), settings().secret_key
    by = (
        anonymous(secret, receipt=receipt, client=request.remote_addr or "")
        if member_id is None
        else member_id
    )
    return run(
        lambda session: raise_objection(
            session,
            notice_id=notice_id,
            by=by,
            wanted=wanted,
            today=local_day(now, settings().zone),
            now=now,
        )
    )


@pages.get("/notices/receipt")
@anyone
def ask_for_receipt() -> ResponseReturnValue:
    """Ask for the code on a receipt."""
    return course_page(None)


def course_page(
    course: Any, error: str = "", status: int = 200, code: str = ""
) -> ResponseReturnValue:
    """Render the question for a receipt, or what became of its objection."""
    page = render_template(
        "notices/course.html",
        course=course,
        states=OBJECTION_WORDS,
        error=error,
        typed_receipt=code,
        back_to=gettext("Public notices"),
        back=url_for("notice_pages.list_notices"),
    )
    return page, status


@pages.post("/notices/receipt")
@anyone
def follow() -> ResponseReturnValue:
    """Show what became of the objection that a receipt belongs to."""
    code = typed("receipt", RECEIPT_LENGTH_MAX)
    wanted = receipt_hash(settings().secret_key, code)
    try:
        with reading() as session:
            found = objection_by_receipt(session, wanted)
    except NotFound as refusal:
        sentence = gettext("No objection has this code. Please look at your receipt again.")
        return course_page(None, sentence, status_of(refusal), code)
    return course_page(found)
