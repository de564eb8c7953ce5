"""The JSON door of kept places and invitations."""

from typing import Any

from flask import current_app

from pointsbank.core import clock
from pointsbank.core.db import reading, run
from pointsbank.tasks.claiming import ClaimHeld
from pointsbank.tasks.groups import (
    group_of,
    groups_within,
    keep_places,
    release_group,
    standing_group,
)
from pointsbank.tasks.invitations import fits_of_invitations, invitations_of, open_invitations
from pointsbank.tasks.inviting import (
    Wish,
    accept_invitation,
    decline_invitation,
    invite,
)
from pointsbank.tasks.inviting_schemas import (
    AllInvitedOut,
    DeclinedOut,
    GroupInvitees,
    GroupOut,
    GroupsOut,
    InvitationsOut,
    Invitees,
    MyInvitationsOut,
    NewGroup,
    group_out,
    my_invitation_out,
)
from pointsbank.tasks.queries import shift_of
from pointsbank.tasks.schemas import ClaimOut, claim_out
from pointsbank.web.access import current_actor, members_only, roles_only
from pointsbank.web.contract import Blueprint, PageQuery, cursor_from, position_from

api = Blueprint("inviting_api", __name__, description="Kept places and invitations.")


@api.post("/shifts/<id:shift_id>/groups")
@api.arguments(NewGroup)
@api.response(201, GroupOut)
@roles_only("secretary")
def keep(body: dict[str, Any], shift_id: int) -> dict[str, Any]:
    """Keep places for a branch; another number keeps more, or gives the difference back."""
    actor, now = current_actor(), clock.now()
    paths = actor.paths("secretary")
    group_id = run(
        lambda session: keep_places(
            session,
            shift_id=shift_id,
            actor_id=actor.member_id,
            paths=paths,
            now=now,
            **body,
        )
    )
    with reading() as session:
        return group_out(group_of(session, group_id, paths))


@api.get("/groups")
@api.arguments(PageQuery, location="query")
@api.response(200, GroupsOut)
@roles_only("secretary")
def list_groups(query: dict[str, Any]) -> dict[str, Any]:
    """Answer the places that one's branches keep or kept, newest first."""
    limit = query["limit"]
    with reading() as session:
        found = groups_within(
            session,
            current_actor().paths("secretary"),
            before_id=position_from(query.get("cursor")),
            limit=limit + 1,
        )
    shown = found[:limit]
    more = len(found) > limit
    return {
        "items": [group_out(each) for each in shown],
        "next": cursor_from(shown[-1].id) if more else None,
    }


@api.get("/groups/<id:group_id>")
@api.response(200, GroupOut)
@roles_only("secretary")
def show_group(group_id: int) -> dict[str, Any]:
    """Answer one of them."""
    with reading() as session:
        return group_out(group_of(session, group_id, current_actor().paths("secretary")))


@api.post("/groups/<id:group_id>/release")
@api.response(200, GroupOut)
@roles_only("secretary")
def release(group_id: int) -> dict[str, Any]:
    """Let everyone have the places that are not taken; a repeat answers the same."""
    actor, now = current_actor(), clock.now()
    paths = actor.paths("secretary")

    def use_case(session: Any) -> None:
        group_of(session, group_id, paths)
        release_group(session, group_id=group_id, actor_id=actor.member_id, now=now)

    run(use_case)
    with reading() as session:
        return group_out(group_of(session, group_id, paths))


@api.post("/groups/<id:group_id>/invitations")
@api.arguments(GroupInvitees)
@api.response(201, AllInvitedOut)
@roles_only("secretary")
def invite_branch(body: dict[str, Any], group_id: int) -> dict[str, Any]:
    """Invite people of the branch to its kept places; nobody has a place before they accept."""
    actor, now = current_actor(), clock.now()

    def use_case(session: Any) -> list[Any]:
        group = standing_group(session, group_id, actor.paths("secretary"))
        wish = Wish(
            group.shift_id,
            body["member_ids"],
            actor.member_id,
            [group.path],
            group_claim_id=group_id,
        )
        return invite(session, wish, now=now)

    return {"items": run(use_case)}


@api.post("/shifts/<id:shift_id>/invitations")
@api.arguments(Invitees)
@api.response(201, AllInvitedOut)
@roles_only("organizer")
def invite_people(body: dict[str, Any], shift_id: int) -> dict[str, Any]:
    """Invite members within one's scope; nobody has a place before they accept."""
    actor, now = current_actor(), clock.now()
    paths = actor.paths("organizer")

    def use_case(session: Any) -> list[Any]:
        shift_of(session, shift_id, paths)
        wish = Wish(shift_id, invited_by_id=actor.member_id, paths=paths, **body)
        return invite(session, wish, now=now)

    return {"items": run(use_case)}


@api.get("/shifts/<id:shift_id>/invitations")
@api.arguments(PageQuery, location="query")
@api.response(200, InvitationsOut)
@roles_only("organizer")
def list_invitations(query: dict[str, Any], shift_id: int) -> dict[str, Any]:
    """Answer the invitations to a shift, newest first."""
    limit = query["limit"]
    with reading() as session:
        shift_of(session, shift_id, current_actor().paths("organizer"))
        before_id = position_from(query.get("cursor"))
        found = invitations_of(session, shift_id, before_id=before_id, limit=limit + 1)
    shown = found[:limit]
    more = len(found) > limit
    return {"items": shown, "next": cursor_from(shown[-1].id) if more else None}


@api.get("/me/invitations")
@api.response(200, MyInvitationsOut)
@members_only
def list_mine() -> dict[str, Any]:
    """Answer one's own invitations that wait, with what is missing for each."""
    member_id = current_actor().member_id
    zone = current_app.extensions["settings"].zone
    with reading() as session:
        waiting = open_invitations(session, member_id, now=clock.now())
        fits = fits_of_invitations(session, waiting, member_id, zone)
    return {
        "items": [
            my_invitation_out(
                each, fits[each.id].missing, is_eligible=fits[each.id].is_eligible
            )
            for each in waiting
        ]
    }


@api.post("/invitations/<id:invitation_id>/acceptance")
@api.response(201, ClaimOut)
@members_only
def accept(invitation_id: int) -> dict[str, Any]:
    """Claim the place that one was invited to; a repeat answers the claim."""
    actor, now = current_actor(), clock.now()
    held: ClaimHeld = run(
        lambda session: accept_invitation(
            session, invitation_id=invitation_id, member_id=actor.member_id, now=now
        )
    )
    return claim_out(held)


@api.post("/invitations/<id:invitation_id>/decline")
@api.response(200, DeclinedOut)
@members_only
def decline(invitation_id: int) -> dict[str, Any]:
    """Say no, which costs nothing; a repeat answers the same."""
    actor, now = current_actor(), clock.now()
    run(
        lambda session: decline_invitation(
            session, invitation_id=invitation_id, member_id=actor.member_id, now=now
        )
    )
    return {"id": invitation_id, "state": "declined"}
