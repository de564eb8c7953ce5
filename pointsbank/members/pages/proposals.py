"""The page on which one branch proposes a move and the other confirms it."""

from datetime import date

from flask import Blueprint, current_app, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext, lazy_gettext

from pointsbank.core import clock
from pointsbank.core.calendar import local_day
from pointsbank.core.db import reading, run
from pointsbank.core.errors import Conflict, Invalid, NotAllowed
from pointsbank.core.text import halfwidth
from pointsbank.members.errors import MemberNotFound
from pointsbank.members.moves_queries import proposals_within
from pointsbank.members.moving import MOVERS
from pointsbank.members.proposing import (
    PROPOSALS_MAX,
    REASON_LENGTH_MAX,
    WantedMove,
    decide_proposal,
    propose_move,
)
from pointsbank.members.schemas import CODE_LENGTH_MAX
from pointsbank.organizations.errors import OrganizationNotFound
from pointsbank.organizations.models import BRANCH_KINDS
from pointsbank.organizations.queries import organizations_within
from pointsbank.web.access import current_actor, roles_only
from pointsbank.web.errors import sentence_of, status_of
from pointsbank.web.forms import settings, typed

pages = Blueprint("proposal_pages", __name__)

# Up to so many branches stand in a list; beyond it the code is typed.
CHOICES_MAX = 200
DAY_LENGTH = 20
STATE_WORDS = {
    "pending": lazy_gettext("Waits for the other branch"),
    "confirmed": lazy_gettext("Confirmed: the member has moved"),
    "refused": lazy_gettext("Refused by the other branch"),
    "withdrawn": lazy_gettext("Withdrawn by whoever proposed it"),
}


@pages.get("/move-proposals")
@roles_only(*MOVERS)
def list_proposals() -> ResponseReturnValue:
    """Show what is proposed between one's branches and others, and the form for one more."""
    return proposals_page({})


def proposals_page(words: dict[str, str], status: int = 200) -> tuple[str, int]:
    """Render the page, with what was typed for a proposal that could not be made."""
    actor = current_actor()
    paths = actor.paths(*MOVERS)
    with reading() as session:
        found = proposals_within(session, paths, limit=PROPOSALS_MAX)
        branches = organizations_within(
            session, ("/",), kinds=BRANCH_KINDS, limit=CHOICES_MAX + 1
        )
    choices = [("", gettext("Choose a branch")), *((b.code, b.name) for b in branches)]
    page = render_template(
        "members/move_proposals.html",
        proposals=found,
        mine=[each.id for each in found if each.proposed_by_id == actor.member_id],
        decidable=[each.id for each in found if each.is_decided_from(paths)],
        state_words=STATE_WORDS,
        branches=choices if len(branches) <= CHOICES_MAX else [],
        words=words,
        today=local_day(clock.now(), settings().zone),
        limits={"code": CODE_LENGTH_MAX, "reason": REASON_LENGTH_MAX},
    )
    return page, status


@pages.post("/move-proposals")
@roles_only(*MOVERS)
def propose() -> ResponseReturnValue:
    """Propose a move, and show that it waits."""
    actor, now = current_actor(), clock.now()
    today = local_day(now, settings().zone)
    words = {
        "volunteer_no": halfwidth(typed("volunteer_no", CODE_LENGTH_MAX)),
        "organization_code": halfwidth(typed("organization_code", CODE_LENGTH_MAX)),
        "on": typed("on", DAY_LENGTH),
        "reason": typed("reason", REASON_LENGTH_MAX),
    }
    try:
        on = date.fromisoformat(words["on"]) if words["on"] else today
    except ValueError:
        on = date.max
    wanted = WantedMove(words["volunteer_no"], words["organization_code"], on, words["reason"])
    tell = current_app.extensions["tell_of_move"]
    try:
        run(
            lambda session: propose_move(
                session, wanted, actor=actor, tell_of_move=tell, today=today, now=now
            )
        )
    except (Invalid, Conflict, NotAllowed, MemberNotFound, OrganizationNotFound) as refusal:
        flash(sentence_of(refusal), "error")
        return proposals_page(words, status_of(refusal))
    flash(gettext("The other branch is asked to confirm the move."), "success")
    return redirect(url_for("proposal_pages.list_proposals"), 303)


@pages.post("/move-proposals/<id:proposal_id>/decision")
@roles_only(*MOVERS)
def decide(proposal_id: int) -> ResponseReturnValue:
    """Confirm or refuse as the other branch, or withdraw one's own proposal."""
    actor, now = current_actor(), clock.now()
    today, is_confirmed = local_day(now, settings().zone), typed("decision", 10) == "confirm"
    reason = typed("reason", REASON_LENGTH_MAX)
    tell = current_app.extensions["tell_of_move"]
    try:
        state = run(
            lambda session: decide_proposal(
                session,
                proposal_id=proposal_id,
                actor=actor,
                is_confirmed=is_confirmed,
                reason=reason,
                tell_of_move=tell,
                today=today,
                now=now,
            )
        )
    except (Invalid, Conflict, NotAllowed) as refusal:
        flash(sentence_of(refusal), "error")
        return proposals_page({}, status_of(refusal))
    flash(str(STATE_WORDS[state]), "success")
    return redirect(url_for("proposal_pages.list_proposals"), 303)
