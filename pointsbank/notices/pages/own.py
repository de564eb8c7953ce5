"""The pages of one's own objections."""

from flask import Blueprint, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext

from pointsbank.core.db import reading
from pointsbank.notices.objections import objections_by, own_objection
from pointsbank.notices.words import OBJECTION_WORDS
from pointsbank.web.access import current_actor, members_only
from pointsbank.web.contract import cursor_from, position_from

pages = Blueprint("own_objection_pages", __name__)

PAGE_LINES = 40


@pages.get("/me/objections")
@members_only
def list_mine() -> ResponseReturnValue:
    """List one's own objections, the newest first."""
    before_id = position_from(request.args.get("cursor"))
    with reading() as session:
        found = objections_by(
            session, current_actor().member_id, before_id=before_id, limit=PAGE_LINES + 1
        )
    shown, here = found[:PAGE_LINES], url_for("own_objection_pages.list_mine")
    return render_template(
        "notices/own_objections.html",
        objections=shown,
        states=OBJECTION_WORDS,
        links={
            "back": url_for("member_pages.show_me"),
            "next": f"{here}?cursor={cursor_from(shown[-1].id)}"
            if len(found) > PAGE_LINES
            else "",
            "first": here if before_id else "",
        },
    )


@pages.get("/me/objections/<id:objection_id>")
@members_only
def show_one(objection_id: int) -> ResponseReturnValue:
    """Show one's own objection and what became of it."""
    with reading() as session:
        found = own_objection(session, current_actor().member_id, objection_id)
    return render_template(
        "notices/course.html",
        course=found,
        states=OBJECTION_WORDS,
        error="",
        back_to=gettext("My objections"),
        back=url_for("own_objection_pages.list_mine"),
    )
