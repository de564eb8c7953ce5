"""Who stands over whom: what administrators and organizers do to people within their scope."""

from collections.abc import Sequence
from datetime import date, datetime

from sqlalchemy.orm import Session

from pointsbank.core.actor import Actor
from pointsbank.members.errors import (
    BadRoleScope,
    CommitteeWithoutBranch,
    NotOneself,
    NotOverThisPerson,
    RoleNotFound,
    RoleNotYoursToGive,
)
from pointsbank.members.policy import APPOINTERS, COMMITTEE, appointing_roles, may_change
from pointsbank.members.queries import (
    MemberFile,
    StandingRole,
    administrator_paths,
    member_in_scope,
    standing_roles,
)
from pointsbank.members.service import (
    activate_member,
    grant_role,
    suspend_member,
    withdraw_role,
)
from pointsbank.members.showing import issue_card, revoke_card
from pointsbank.organizations.models import BRANCH_KINDS
from pointsbank.organizations.queries import in_scope, merchant_of, organization_by_code


def appoint(
    session: Session,
    *,
    actor: Actor,
    member_id: int,
    role: str,
    organization_code: str | None,
    merchant_id: int | None,
    now: datetime,
) -> int:
    """Give a member a role, both within the actor's scope; return the id of the grant.

    An administrator gives every role, a secretary only that of a committee member.
    Raises MemberNotFound, OrganizationNotFound, MerchantNotFound, BadRoleScope,
    RoleNotYoursToGive, CommitteeWithoutBranch.
    """
    paths = actor.paths(*appointing_roles(role))
    if not paths:
        raise RoleNotYoursToGive
    member = member_in_scope(session, paths, member_id)
    if (organization_code is None) == (merchant_id is None):
        raise BadRoleScope
    organization_id = None
    if organization_code is not None:
        place = organization_by_code(session, organization_code, paths)
        if role == COMMITTEE and place.kind not in BRANCH_KINDS:
            raise CommitteeWithoutBranch
        organization_id = place.id
    if merchant_id is not None:
        merchant_of(session, merchant_id, paths)
    return grant_role(
        session,
        member_id=member.id,
        role=role,
        organization_id=organization_id,
        merchant_id=merchant_id,
        granted_by_id=actor.member_id,
        now=now,
    )


def dismiss(
    session: Session, *, actor: Actor, member_id: int, role_id: int, now: datetime
) -> None:
    """Take back a role that lies within the actor's scope; the member's sessions end.

    A clerk may live elsewhere: whoever applied with a shop stands at it, wherever home is.
    A secretary takes back the role of a committee member only.
    Raises MemberNotFound, RoleNotFound, RoleNotYoursToGive.
    """
    role = next(
        (each for each in standing_roles(session, member_id) if each.id == role_id), None
    )
    paths = actor.paths(*APPOINTERS)
    if role is not None and role.role != COMMITTEE:
        paths = actor.paths(*appointing_roles(role.role))
        if not paths:
            member_in_scope(session, actor.paths(*APPOINTERS), member_id)
            raise RoleNotYoursToGive
    is_within = role is not None and _lies_within(session, role, paths)
    if role is None or role.merchant_id is None or not is_within:
        member_in_scope(session, paths, member_id)
    if not is_within:
        raise RoleNotFound
    withdraw_role(
        session,
        member_id=member_id,
        role_id=role_id,
        withdrawn_by_id=actor.member_id,
        now=now,
    )


def _lies_within(session: Session, role: StandingRole, paths: Sequence[str]) -> bool:
    """Tell whether a role stands over something, or at a merchant, under these paths."""
    if role.merchant_id is None:
        return role.path is not None and in_scope(role.path, paths)
    return in_scope(merchant_of(session, role.merchant_id).path, paths)


def stop(session: Session, *, actor: Actor, member_id: int, now: datetime, today: date) -> None:
    """Stop an account within the administrator's scope; a repeat changes nothing.

    Raises MemberNotFound, NotOneself, NotOverThisPerson.
    """
    if member_id == actor.member_id:
        raise NotOneself
    changeable(session, actor, member_id, "administrator")
    suspend_member(
        session, member_id=member_id, suspended_by_id=actor.member_id, now=now, today=today
    )


def reopen(
    session: Session, *, actor: Actor, member_id: int, now: datetime, today: date
) -> None:
    """Open a stopped account within the administrator's scope; a repeat changes nothing.

    Raises MemberNotFound, NotOverThisPerson.
    """
    changeable(session, actor, member_id, "administrator")
    activate_member(
        session, member_id=member_id, activated_by_id=actor.member_id, now=now, today=today
    )


def give_card(
    session: Session,
    *,
    actor: Actor,
    member_id: int,
    number: bytes,
    pin: str | None,
    secret: str,
    now: datetime,
) -> int:
    """Issue a paper card to a member within the actor's scope, and return its id.

    Raises MemberNotFound, NotOverThisPerson.
    """
    changeable(session, actor, member_id, "administrator", "organizer")
    return issue_card(
        session,
        member_id=member_id,
        number=number,
        pin=pin,
        secret=secret,
        issued_by_id=actor.member_id,
        now=now,
    )


def take_card(
    session: Session, *, actor: Actor, member_id: int, card_id: int, now: datetime
) -> None:
    """Make a card of a member within the actor's scope dead at once.

    Raises MemberNotFound, CardNotFound, NotOverThisPerson.
    """
    changeable(session, actor, member_id, "administrator", "organizer")
    revoke_card(
        session, member_id=member_id, card_id=card_id, revoked_by_id=actor.member_id, now=now
    )


def changeable(session: Session, actor: Actor, member_id: int, *roles: str) -> MemberFile:
    """Return a member whom the actor may change by one of these roles.

    Raises MemberNotFound, NotOverThisPerson.
    """
    paths = actor.paths(*roles)
    member = member_in_scope(session, paths, member_id)
    if member_id != actor.member_id and not may_change(
        paths, administrator_paths(session, [member_id]).get(member_id, ())
    ):
        raise NotOverThisPerson
    return member
