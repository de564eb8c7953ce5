"""The HTML door of invitations: one's own, and those that an organizer sends."""

from typing import Any

from flask import Blueprint, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext
from sqlalchemy.orm import Session

from pointsbank.core import clock
from pointsbank.core.calendar import local_day
from pointsbank.core.db import reading, run
from pointsbank.core.text import masked_name
from pointsbank.members.queries import members_within
from pointsbank.scoring.queries import Standard, standard_on
from pointsbank.tasks.eligibility import Fitness
from pointsbank.tasks.eligibility_words import missing_words
from pointsbank.tasks.errors import InviteesMissing
from pointsbank.tasks.giving import whole_shift_gives
from pointsbank.tasks.invitations import (
    OpenInvitation,
    fits_of_invitations,
    invitations_of,
    open_invitations,
)
from pointsbank.tasks.inviting import (
    Invited,
    Wish,
    accept_invitation,
    decline_invitation,
    invite,
)
from pointsbank.tasks.inviting_words import asked_words, state_words
from pointsbank.tasks.queries import shift_of
from pointsbank.web.access import current_actor, members_only, roles_only
from pointsbank.web.forms import attempt, settings, typed

pages = Blueprint("inviting_pages", __name__)

NUMBER_LENGTH_MAX = 20


@pages.get("/my-invitations")
@members_only
def list_invitations() -> ResponseReturnValue:
    """Show one's own invitations that wait for an answer."""
    actor, now = current_actor(), clock.now()
    with reading() as session:
        waiting = open_invitations(session, actor.member_id, now=now)
        fits = fits_of_invitations(session, waiting, actor.member_id, settings().zone)
        standard = standard_on(session, local_day(now, settings().zone))
    return render_template(
        "tasks/invitations.html",
        invitations=[invitation_row(each, fits[each.id], standard) for each in waiting],
        links={
            "back": url_for("task_pages.list_claims"),
            "tasks": url_for("finding_pages.list_tasks"),
        },
    )


def invitation_row(each: OpenInvitation, fit: Fitness, standard: Standard) -> dict[str, Any]:
    """Return an invitation as its page prints it."""
    return {
        "title": each.title,
        "role": each.role_name,
        "starts_at": each.starts_at,
        "ends_at": each.ends_at,
        "place_name": each.place_name,
        "answer_by": each.answer_by,
        "inviter": masked_name(each.inviter_name),
        "branch": each.organization_name or "",
        "points": whole_shift_gives(standard, each, each)[0],
        "missing": [] if fit.is_eligible else missing_words(fit.missing),
        "links": {
            "task": url_for("task_pages.show_task", task_id=each.task_id, shift=each.shift_id),
            "accept": url_for("inviting_pages.accept", invitation_id=each.id),
            "decline": url_for("inviting_pages.decline", invitation_id=each.id),
        },
    }


@pages.post("/invitations/<id:invitation_id>/acceptance")
@members_only
def accept(invitation_id: int) -> ResponseReturnValue:
    """Accept an invitation, and show one's own tasks."""
    actor, now = current_actor(), clock.now()
    is_done = attempt(
        lambda: run(
            lambda session: accept_invitation(
                session, invitation_id=invitation_id, member_id=actor.member_id, now=now
            )
        ),
        gettext("It is written down. You can give it up at any time before the end."),
    )
    shown = "task_pages.list_claims" if is_done else "inviting_pages.list_invitations"
    return redirect(url_for(shown), 303)


@pages.post("/invitations/<id:invitation_id>/decline")
@members_only
def decline(invitation_id: int) -> ResponseReturnValue:
    """Decline an invitation, and show what else waits."""
    actor, now = current_actor(), clock.now()
    attempt(
        lambda: run(
            lambda session: decline_invitation(
                session, invitation_id=invitation_id, member_id=actor.member_id, now=now
            )
        ),
        gettext("You said no. That is all right, and nothing is taken off."),
    )
    return redirect(url_for("inviting_pages.list_invitations"), 303)


@pages.get("/shifts/<id:shift_id>/invitations")
@roles_only("organizer")
def show_invitations(shift_id: int) -> ResponseReturnValue:
    """Show whom a shift's organizers and branches invited, and a form for one more."""
    with reading() as session:
        shift, task = shift_of(session, shift_id, current_actor().paths("organizer"))
        lines = invitations_of(session, shift_id, limit=200)
    return render_template(
        "tasks/inviting.html",
        shift={
            "title": task.title,
            "starts_at": shift.starts_at,
            "ends_at": shift.ends_at,
            "left": shift.places_left,
            "is_over": shift.starts_at <= clock.now(),
        },
        invitations=lines,
        states=state_words(),
        links={
            "back": url_for("organizing_pages.show_plan", task_id=task.id),
            "send": url_for("inviting_pages.send_invitation", shift_id=shift_id),
        },
    )


@pages.post("/shifts/<id:shift_id>/invitations")
@roles_only("organizer")
def send_invitation(shift_id: int) -> ResponseReturnValue:
    """Invite the member with this number, and show the list again."""
    actor, now = current_actor(), clock.now()
    paths = actor.paths("organizer")
    number = typed("volunteer_no", NUMBER_LENGTH_MAX).upper()

    def use_case(session: Session) -> list[Invited]:
        shift_of(session, shift_id, paths)
        found = members_within(session, paths, volunteer_no=number, limit=1)
        if not found:
            raise InviteesMissing("Nobody here has this number. Please look at it again.")
        wish = Wish(shift_id, [found[0].id], actor.member_id, paths)
        return invite(session, wish, now=now)

    attempt(lambda: run(use_case), asked_words())
    return redirect(url_for("inviting_pages.show_invitations", shift_id=shift_id), 303)
