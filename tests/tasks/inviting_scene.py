"""A shift, a branch with its secretary, and the acts of groups and invitations."""

from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from pointsbank.organizations.queries import organization_of
from pointsbank.tasks.groups import keep_places
from pointsbank.tasks.inviting import Wish, accept_invitation, invite
from pointsbank.tasks.models import Claim, GroupClaim, Invitation, Shift, ShiftRole
from tests.builders import a_branch, a_member, a_shift, with_role
from tests.moments import NOON

# Far enough ahead that places may be kept.
IN_THREE_DAYS = NOON + timedelta(days=3)


@dataclass(frozen=True)
class Scene:
    """The ids, the branch's code and path, and a shift in three days."""

    shift_id: int
    branch_id: int
    code: str
    path: str
    secretary_id: int


def a_scene(session: Session, places: int = 5, starts_at=IN_THREE_DAYS) -> Scene:
    """Return a branch with a secretary, and a shift of its own with so many places."""
    branch_id = a_branch(session)
    branch = organization_of(session, branch_id)
    secretary = with_role(
        session, a_member(session, "张书记", branch_id), "secretary", branch_id
    )
    shift_id = a_shift(session, starts_at=starts_at, places=places, organization_id=branch_id)
    return Scene(shift_id, branch_id, branch.code, branch.path, secretary)


def kept(session: Session, scene: Scene, places: int, now=NOON, **more) -> int:
    """Let the branch keep so many places; return the group."""
    return keep_places(
        session,
        shift_id=scene.shift_id,
        organization_code=scene.code,
        places=places,
        actor_id=scene.secretary_id,
        paths=[scene.path],
        now=now,
        **more,
    )


def invited(session: Session, scene: Scene, member_ids, group_id=None, now=NOON, **more):
    """Invite people of the branch; return what became of each."""
    wish = Wish(
        scene.shift_id,
        member_ids,
        scene.secretary_id,
        [scene.path],
        group_claim_id=group_id,
        **more,
    )
    return [answer.state for answer in invite(session, wish, now=now)]


def an_invitation(session: Session, scene: Scene, group_id=None, now=NOON, **more):
    """Return a new person of the branch and the invitation that they got."""
    member_id = a_member(session, organization_id=scene.branch_id)
    assert invited(session, scene, [member_id], group_id, now, **more) == ["invited"]
    return member_id, invitation_of(session, member_id)


def invitation_of(session: Session, member_id: int) -> int:
    found = session.scalar(
        select(func.max(Invitation.id)).where(Invitation.member_id == member_id)
    )
    assert found is not None
    return found


def accepted(session: Session, scene: Scene, group_id=None, now=NOON):
    """Invite a new person and let them accept; return the person and their claim."""
    member_id, invitation_id = an_invitation(session, scene, group_id)
    claim = accept_invitation(
        session, invitation_id=invitation_id, member_id=member_id, now=now
    )
    return member_id, claim


def assert_counts_add_up(session: Session, shift_id: int) -> None:
    """What a shift and its roles count is claims and kept places, and what groups count too."""
    shift = session.get_one(Shift, shift_id, populate_existing=True)
    roles = session.scalars(
        select(ShiftRole)
        .where(ShiftRole.shift_id == shift_id)
        .execution_options(populate_existing=True)
    ).all()
    groups = session.scalars(
        select(GroupClaim)
        .where(GroupClaim.shift_id == shift_id)
        .execution_options(populate_existing=True)
    ).all()
    claims = session.execute(
        select(Claim.role_id, Claim.group_claim_id).where(
            Claim.shift_id == shift_id, Claim.state == "claimed"
        )
    ).all()
    for group in groups:
        assert group.taken == sum(claim.group_claim_id == group.id for claim in claims)
    for role in roles:
        unfilled = sum(
            group.places - group.taken
            for group in groups
            if group.role_id == role.id and group.released_at is None
        )
        assert role.claimed == unfilled + sum(claim.role_id == role.id for claim in claims)
        assert role.claimed <= role.places
    assert shift.claimed == sum(role.claimed for role in roles) <= shift.places
