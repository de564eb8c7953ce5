"""Registered households: the people among whom points may be given."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import delete, insert, select
from sqlalchemy.orm import Session

from pointsbank.core.actor import Actor
from pointsbank.core.audit import note
from pointsbank.members.errors import (
    AlreadyInHousehold,
    HouseholdFull,
    HouseholdNotFound,
    HouseholdTooSmall,
    MemberNotFound,
    OwnHousehold,
)
from pointsbank.members.models import Household, HouseholdMember
from pointsbank.members.queries import (
    HouseholdFile,
    household_by_id,
    household_of,
    member_in_scope,
    members_within,
)

KEEPERS = ("administrator", "secretary")
# A family of four generations under one roof; a longer list is a circle of friends.
HOUSEHOLD_PEOPLE_MAX = 12


def register_household(
    session: Session, *, actor: Actor, member_ids: Sequence[int], now: datetime
) -> int:
    """Register people as one household and return its id; it belongs where the first one does.

    Raises HouseholdTooSmall, HouseholdFull, OwnHousehold, AlreadyInHousehold, and
    MemberNotFound for everyone who is not within the actor's scope.
    """
    wanted = list(dict.fromkeys(member_ids))
    if len(wanted) < 2:
        raise HouseholdTooSmall
    if len(wanted) > HOUSEHOLD_PEOPLE_MAX:
        raise HouseholdFull(limit=HOUSEHOLD_PEOPLE_MAX)
    if actor.member_id in wanted:
        raise OwnHousehold
    paths = actor.paths(*KEEPERS)
    people = [member_in_scope(session, paths, each) for each in wanted]
    household = Household(
        organization_id=people[0].organization_id,
        registered_by_id=actor.member_id,
        registered_at=now,
    )
    session.add(household)
    session.flush()
    for member_id in wanted:
        _let_in(session, actor, household.id, member_id, now)
    note(
        session,
        at=now,
        actor_id=actor.member_id,
        action="register",
        subject=("household", household.id),
        member_ids=wanted,
    )
    return household.id


def add_to_household(
    session: Session, *, actor: Actor, household_id: int, member_id: int, now: datetime
) -> None:
    """Add a person to a household, both within the actor's scope; a repeat changes nothing.

    Raises HouseholdNotFound, MemberNotFound, OwnHousehold, AlreadyInHousehold, HouseholdFull.
    """
    household = _changeable(session, actor, household_id)
    member_in_scope(session, actor.paths(*KEEPERS), member_id)
    if member_id == actor.member_id:
        raise OwnHousehold
    if member_id in household.member_ids:
        return
    if len(household.people) >= HOUSEHOLD_PEOPLE_MAX:
        raise HouseholdFull(limit=HOUSEHOLD_PEOPLE_MAX)
    _let_in(session, actor, household_id, member_id, now)
    note(
        session,
        at=now,
        actor_id=actor.member_id,
        action="add_person",
        subject=("household", household_id),
        member_id=member_id,
    )


def remove_from_household(
    session: Session, *, actor: Actor, household_id: int, member_id: int, now: datetime
) -> None:
    """Take a person out of a household; what was given before stays given.

    Raises HouseholdNotFound, OwnHousehold, and MemberNotFound for who does not belong to it.
    """
    household = _changeable(session, actor, household_id)
    if member_id not in household.member_ids:
        raise MemberNotFound
    session.execute(
        delete(HouseholdMember).where(
            HouseholdMember.household_id == household_id,
            HouseholdMember.member_id == member_id,
        )
    )
    note(
        session,
        at=now,
        actor_id=actor.member_id,
        action="remove_person",
        subject=("household", household_id),
        member_id=member_id,
    )


def join_by_number(
    session: Session, *, actor: Actor, member_id: int, volunteer_no: str, now: datetime
) -> int:
    """Put the person of this member number into a member's household, and return its id.

    Where the member has none yet, one is registered of the two.
    Raises what register_household and add_to_household raise.
    """
    paths = actor.paths(*KEEPERS)
    member_in_scope(session, paths, member_id)
    found = members_within(session, paths, volunteer_no=volunteer_no, limit=1)
    if not found:
        raise MemberNotFound
    household = household_of(session, member_id)
    if household is None:
        return register_household(
            session, actor=actor, member_ids=[member_id, found[0].id], now=now
        )
    add_to_household(
        session, actor=actor, household_id=household.id, member_id=found[0].id, now=now
    )
    return household.id


def _changeable(session: Session, actor: Actor, household_id: int) -> HouseholdFile:
    """Return a household within the actor's scope, locked against a change at the same time.

    Nobody keeps their own: who looks after households could otherwise make a circle to collect
    from.
    """
    session.execute(select(Household.id).where(Household.id == household_id).with_for_update())
    household = household_by_id(session, actor.paths(*KEEPERS), household_id)
    if household is None:
        raise HouseholdNotFound
    if actor.member_id in household.member_ids:
        raise OwnHousehold
    return household


def _let_in(
    session: Session, actor: Actor, household_id: int, member_id: int, now: datetime
) -> None:
    if household_of(session, member_id) is not None:
        raise AlreadyInHousehold
    session.execute(
        insert(HouseholdMember).values(
            member_id=member_id,
            household_id=household_id,
            added_by_id=actor.member_id,
            added_at=now,
        )
    )
