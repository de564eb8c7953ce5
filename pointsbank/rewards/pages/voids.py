"""The page of voids that wait for a second administrator."""

from flask import Blueprint, render_template, request, url_for
from flask.typing import ResponseReturnValue

from pointsbank.core.db import reading
from pointsbank.rewards.voids_queries import voids_asked
from pointsbank.rewards.words import what_words
from pointsbank.web.access import current_actor, roles_only
from pointsbank.web.contract import cursor_from, position_from

pages = Blueprint("void_pages", __name__)

LINES_A_PAGE = 40


@pages.get("/redemptions/voids")
@roles_only("administrator")
def show() -> ResponseReturnValue:
    """Show what waits for a second administrator; each receipt has the two answers."""
    actor, after = current_actor(), position_from(request.args.get("cursor"))
    with reading() as session:
        paths = actor.paths("administrator")
        found = voids_asked(session, paths, after_id=after, limit=LINES_A_PAGE + 1)
    links = {}
    if len(found) > LINES_A_PAGE:
        cursor = cursor_from(found[LINES_A_PAGE - 1].id)
        links["next"] = url_for("void_pages.show", cursor=cursor)
    if after is not None:
        links["first"] = url_for("void_pages.show")
    return render_template(
        "rewards/voids.html",
        voids=[
            {
                "href": url_for("till_pages.show_receipt", redemption_id=each.redemption_id),
                "what": what_words(each),
                "asked": each,
                "may_decide": each.is_decided_by(actor.member_id),
            }
            for each in found[:LINES_A_PAGE]
        ],
        links=links,
    )
