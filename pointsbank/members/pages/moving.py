"""The page on which somebody moves to another branch or grid."""

from datetime import date

from flask import Blueprint, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext

from pointsbank.core import clock
from pointsbank.core.calendar import local_day
from pointsbank.core.db import reading, run
from pointsbank.core.errors import Conflict, Invalid, NotAllowed
from pointsbank.members.moving import MOVERS, Move, move
from pointsbank.members.queries import member_in_scope, stays_of
from pointsbank.members.schemas import CODE_LENGTH_MAX
from pointsbank.organizations.errors import OrganizationNotFound
from pointsbank.organizations.models import BRANCH_KINDS
from pointsbank.organizations.queries import organizations_within
from pointsbank.web.access import current_actor, roles_only
from pointsbank.web.errors import sentence_of, status_of
from pointsbank.web.forms import settings, typed

pages = Blueprint("moving_pages", __name__)

CHOICES_MAX = 200
DAY_LENGTH = 20


@pages.get("/members/<id:member_id>/moves")
@roles_only(*MOVERS)
def ask(member_id: int) -> ResponseReturnValue:
    """Show where somebody belonged, and ask where they move to."""
    return moving_page(member_id, {})


def moving_page(member_id: int, words: dict[str, str], status: int = 200) -> tuple[str, int]:
    """Render the page, with what was typed for a move that could not be made."""
    paths = current_actor().paths(*MOVERS)
    with reading() as session:
        member = member_in_scope(session, paths, member_id)
        stays = stays_of(session, member_id)
        branches = organizations_within(session, paths, kinds=BRANCH_KINDS, limit=CHOICES_MAX)
    page = render_template(
        "members/moves.html",
        member=member,
        stays=stays,
        branches=[("", gettext("Choose a branch")), *((b.code, b.name) for b in branches)],
        words=words,
        today=local_day(clock.now(), settings().zone),
    )
    return page, status


@pages.post("/members/<id:member_id>/moves")
@roles_only(*MOVERS)
def move_on(member_id: int) -> ResponseReturnValue:
    """Let somebody belong elsewhere, and show it."""
    actor, now = current_actor(), clock.now()
    today = local_day(now, settings().zone)
    words = {
        "organization_code": typed("organization_code", CODE_LENGTH_MAX),
        "grid_code": typed("grid_code", CODE_LENGTH_MAX),
        "on": typed("on", DAY_LENGTH),
    }
    try:
        on = date.fromisoformat(words["on"]) if words["on"] else today
    except ValueError:
        on = date.max
    wanted = Move(member_id, words["organization_code"], words["grid_code"] or None, on)
    with reading() as session:
        member_in_scope(session, actor.paths(*MOVERS), member_id)
    if not wanted.organization_code:
        flash(gettext("Please choose the branch they move to."), "error")
        return moving_page(member_id, words, 422)
    try:
        place = run(lambda session: move(session, wanted, actor=actor, today=today, now=now))
    except (Invalid, Conflict, NotAllowed, OrganizationNotFound) as refusal:
        flash(sentence_of(refusal), "error")
        return moving_page(member_id, words, status_of(refusal))
    flash(gettext("They belong to %(place)s now.", place=place.name), "success")
    return redirect(url_for("people_pages.list_members"), 303)
