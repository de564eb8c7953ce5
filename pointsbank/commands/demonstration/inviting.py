"""Places that a branch keeps, people it invited, and one invitation that waits."""

from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from pointsbank.commands.demonstration.people import Community, District
from pointsbank.core.db import transaction
from pointsbank.members.queries import role_holders_over
from pointsbank.tasks.groups import SHARE_OF_FREE, keep_places
from pointsbank.tasks.inviting import Wish, accept_invitation, invite
from pointsbank.tasks.models import Invitation, Shift, ShiftRole, Task

# Far enough ahead that places are still kept when somebody tries the demonstration for days.
AHEAD = timedelta(days=4)
PLACES_KEPT = 3
INVITED = 5
ACCEPTED = 2


def make_invitations(district: District, *, now: datetime) -> None:
    """Let a secretary keep places, invite five people of whom two accept, and invite the
    volunteer who is printed."""
    community = district.communities[0]
    with transaction() as session:
        secretaries = role_holders_over(session, community.path, ["secretary"])
        found = roomy_role(session, now)
        if not secretaries or found is None:
            return
        shift_id, role_id = found
        group_id = keep_places(
            session,
            shift_id=shift_id,
            role_id=role_id,
            organization_code=community.code,
            places=PLACES_KEPT,
            actor_id=secretaries[0],
            paths=[community.path],
            now=now,
        )
        ask(session, community, shift_id, group_id, secretaries[0], now)


def roomy_role(session: Session, now: datetime) -> tuple[int, int] | None:
    """Return a shift of the coming days and a role of it that asks for nothing and has room."""
    rows = session.execute(
        select(
            Shift.id,
            ShiftRole.id.label("role_id"),
            Task.eligibility.label("of_task"),
            ShiftRole.eligibility.label("of_role"),
        )
        .join(Task, Task.id == Shift.task_id)
        .join(ShiftRole, ShiftRole.shift_id == Shift.id)
        .where(
            Task.state == "open",
            Task.claims_open_at.is_(None),
            Task.claims_close_at.is_(None),
            Shift.called_off_at.is_(None),
            Shift.starts_at > now + AHEAD,
            ShiftRole.places - ShiftRole.claimed >= SHARE_OF_FREE * PLACES_KEPT,
        )
        .order_by(Shift.starts_at, Shift.id, ShiftRole.id)
    )
    return next(
        ((row.id, row.role_id) for row in rows if not (row.of_task or row.of_role)), None
    )


def ask(
    session: Session,
    community: Community,
    shift_id: int,
    group_id: int,
    secretary_id: int,
    now: datetime,
) -> None:
    """Invite the first people of a community; the second and third accept at once."""
    people = community.members[:INVITED]
    wish = Wish(shift_id, people, secretary_id, [community.path], group_claim_id=group_id)
    invite(session, wish, now=now)
    waiting = session.execute(
        select(Invitation.id, Invitation.member_id)
        .where(Invitation.group_claim_id == group_id, Invitation.member_id.in_(people[1:]))
        .order_by(Invitation.id)
        .limit(ACCEPTED)
    ).all()
    for invitation in waiting:
        accept_invitation(
            session, invitation_id=invitation.id, member_id=invitation.member_id, now=now
        )
