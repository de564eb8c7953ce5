"""The HTML door of places that a branch keeps: keep, fill, release."""

from typing import Any

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext
from sqlalchemy.orm import Session

from pointsbank.core import clock
from pointsbank.core.db import reading, run
from pointsbank.organizations.queries import organizations_within
from pointsbank.tasks.errors import InviteesMissing
from pointsbank.tasks.groups import (
    GROUP_PLACES_MAX,
    RELEASE_BEFORE,
    Group,
    group_of,
    groups_within,
    keep_places,
    release_group,
    standing_group,
)
from pointsbank.tasks.invitations import people_of_group
from pointsbank.tasks.inviting import INVITEES_MAX, Invited, Wish, invite
from pointsbank.tasks.inviting_words import asked_words, state_words
from pointsbank.tasks.queries import shift_of
from pointsbank.web.access import current_actor, roles_only
from pointsbank.web.contract import ID_MAX, cursor_from, position_from
from pointsbank.web.forms import attempt, typed, typed_id, typed_whole

pages = Blueprint("group_pages", __name__)

GROUPS_A_PAGE = 30
BRANCHES_MAX = 200
CODE_LENGTH_MAX = 32


@pages.get("/groups")
@roles_only("secretary")
def list_groups() -> ResponseReturnValue:
    """Show the places that one's branches keep or kept."""
    before_id = position_from(request.args.get("cursor"))
    with reading() as session:
        found = groups_within(
            session,
            current_actor().paths("secretary"),
            before_id=before_id,
            limit=GROUPS_A_PAGE + 1,
        )
    shown = found[:GROUPS_A_PAGE]
    has_more = len(found) > GROUPS_A_PAGE
    return render_template(
        "tasks/groups.html",
        groups=[
            {**group_words(each), "href": url_for("group_pages.show_group", group_id=each.id)}
            for each in shown
        ],
        links={
            "tasks": url_for("finding_pages.list_tasks"),
            "next": has_more
            and url_for("group_pages.list_groups", cursor=cursor_from(shown[-1].id)),
            "first": before_id and url_for("group_pages.list_groups"),
        },
    )


def group_words(group: Group) -> dict[str, Any]:
    """Return a group as its pages print it."""
    return {
        "title": group.title,
        "role": group.role_name,
        "organization": group.organization_name,
        "organization_code": group.organization_code,
        "starts_at": group.starts_at,
        "ends_at": group.ends_at,
        "place_name": group.place_name,
        "places": group.places,
        "taken": group.taken,
        "invited": group.invited,
        "release_at": group.release_at,
        "is_released": group.released_at is not None,
    }


@pages.get("/shifts/<id:shift_id>/group")
@roles_only("secretary")
def plan_group(shift_id: int) -> ResponseReturnValue:
    """Show the form that keeps places of a shift for a branch."""
    paths = current_actor().paths("secretary")
    with reading() as session:
        shift, task = shift_of(session, shift_id)
        branches = organizations_within(session, paths, limit=BRANCHES_MAX)
        standing = groups_within(session, paths, shift_id=shift_id)
    return render_template(
        "tasks/keeping.html",
        shift={
            "title": task.title,
            "starts_at": shift.starts_at,
            "ends_at": shift.ends_at,
            "left": shift.places_left,
            "release_at": shift.starts_at - RELEASE_BEFORE,
            "is_too_late": shift.starts_at - RELEASE_BEFORE <= clock.now(),
        },
        roles=[
            (role.id, f"{role.name or gettext('Everyone')} ({role.places_left})")
            for role in shift.roles
        ],
        organizations=[(each.code, each.name) for each in branches],
        groups=[
            {**group_words(each), "href": url_for("group_pages.show_group", group_id=each.id)}
            for each in standing
            if each.released_at is None
        ],
        most=GROUP_PLACES_MAX,
        links={
            "back": url_for("task_pages.show_task", task_id=task.id, shift=shift_id),
            "keep": url_for("group_pages.keep", shift_id=shift_id),
        },
    )


@pages.post("/shifts/<id:shift_id>/groups")
@roles_only("secretary")
def keep(shift_id: int) -> ResponseReturnValue:
    """Keep places, and show whom they can be filled with."""
    actor, now = current_actor(), clock.now()
    kept: list[int] = []

    def use_case(session: Session) -> int:
        return keep_places(
            session,
            shift_id=shift_id,
            organization_code=typed("organization_code", CODE_LENGTH_MAX),
            places=typed_whole("places", GROUP_PLACES_MAX) or 1,
            role_id=typed_id("role_id"),
            actor_id=actor.member_id,
            paths=actor.paths("secretary"),
            now=now,
        )

    if attempt(
        lambda: kept.append(run(use_case)),
        gettext("The places are kept. Now invite your people."),
    ):
        return redirect(url_for("group_pages.show_group", group_id=kept[0]), 303)
    return redirect(url_for("group_pages.plan_group", shift_id=shift_id), 303)


@pages.get("/groups/<id:group_id>")
@roles_only("secretary")
def show_group(group_id: int) -> ResponseReturnValue:
    """Show how far a group's places are filled, and the people of the branch."""
    after_id = position_from(request.args.get("cursor")) or 0
    with reading() as session:
        group = group_of(session, group_id, current_actor().paths("secretary"))
        people = people_of_group(session, group, after_id=after_id, limit=INVITEES_MAX + 1)
    shown = people[:INVITEES_MAX]
    has_more = len(people) > INVITEES_MAX
    words = state_words()
    return render_template(
        "tasks/group.html",
        group=group_words(group),
        people=[
            {
                "id": person.id,
                "name": person.display_name,
                "volunteer_no": person.volunteer_no,
                "state": words[person.state],
                "may_be_asked": person.state not in ("claimed", "invited"),
            }
            for person in shown
        ],
        is_open=group.released_at is None and group.task_state == "open",
        links={
            "back": url_for("group_pages.list_groups"),
            "task": url_for(
                "task_pages.show_task", task_id=group.task_id, shift=group.shift_id
            ),
            "change": url_for("group_pages.plan_group", shift_id=group.shift_id),
            "invite": url_for("group_pages.invite_people", group_id=group_id),
            "release": url_for("group_pages.release", group_id=group_id),
            "next": has_more
            and url_for(
                "group_pages.show_group", group_id=group_id, cursor=cursor_from(shown[-1].id)
            ),
            "first": after_id and url_for("group_pages.show_group", group_id=group_id),
        },
    )


@pages.post("/groups/<id:group_id>/invitations")
@roles_only("secretary")
def invite_people(group_id: int) -> ResponseReturnValue:
    """Invite the people who were ticked, and show the group again."""
    actor, now = current_actor(), clock.now()
    ticked = ticked_ids()

    def use_case(session: Session) -> list[Invited]:
        group = standing_group(session, group_id, actor.paths("secretary"))
        if not ticked:
            raise InviteesMissing
        wish = Wish(
            group.shift_id, ticked, actor.member_id, [group.path], group_claim_id=group_id
        )
        return invite(session, wish, now=now)

    attempt(lambda: run(use_case), asked_words())
    return redirect(url_for("group_pages.show_group", group_id=group_id), 303)


def ticked_ids() -> list[int]:
    """Return the people whose boxes were ticked; what no row can have is passed over."""
    texts = request.form.getlist("member_id")[:INVITEES_MAX]
    return [
        int(text)
        for text in texts
        if text.isascii() and text.isdigit() and len(text) < len(str(ID_MAX)) and int(text) > 0
    ]


@pages.post("/groups/<id:group_id>/release")
@roles_only("secretary")
def release(group_id: int) -> ResponseReturnValue:
    """Let everyone have what is not taken, and show the group again."""
    actor, now = current_actor(), clock.now()

    def use_case(session: Session) -> int:
        group_of(session, group_id, actor.paths("secretary"))
        return release_group(session, group_id=group_id, actor_id=actor.member_id, now=now)

    attempt(
        lambda: run(use_case), gettext("The places that were not taken are everyone's now.")
    )
    return redirect(url_for("group_pages.show_group", group_id=group_id), 303)
