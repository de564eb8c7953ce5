"""The HTML door of the communities that have too few rewards for a few hours' work."""

from flask import Blueprint, render_template, url_for
from flask.typing import ResponseReturnValue

from pointsbank.core import clock
from pointsbank.core.db import reading
from pointsbank.rewards.shortage import REWARDS_NEEDED, WITHIN_POINTS, short_places
from pointsbank.web.access import current_actor, roles_only
from pointsbank.web.forms import settings

pages = Blueprint("shortage_pages", __name__)

READERS = ("administrator", "auditor")


@pages.get("/rewards/shortage")
@roles_only(*READERS)
def show() -> ResponseReturnValue:
    """Show where people find too little to have."""
    actor = current_actor()
    with reading() as session:
        found = short_places(session, actor.paths(*READERS), clock.now(), settings().zone)
    links = {"merchants": url_for("organization_pages.list_merchants")}
    if actor.is_("administrator"):
        links["wishes"] = url_for("wish_pages.list_unanswered")
    return render_template(
        "rewards/shortage.html",
        places=found,
        needed=REWARDS_NEEDED,
        points_most=WITHIN_POINTS,
        links=links,
    )
