"""Who may knock at the doors of households."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from pointsbank.core.actor import Actor, Grant
from pointsbank.members.households import add_to_household, register_household
from pointsbank.members.models import HouseholdMember
from tests.builders import a_member, with_role
from tests.laws.doors import MEMBERS, READERS, Row, door, fields, form
from tests.laws.world import (
    COMMUNITY,
    MEMBER,
    OWN,
    VOLUNTEER_NO,
    Kind,
    Made,
    World,
    make_member,
)
from tests.moments import NOON


def a_keeper(session: Session) -> Actor:
    """An administrator over everything, who belongs to no household."""
    member_id = with_role(session, a_member(session, "管理员"), "administrator")
    return Actor(member_id, "管理员", 0, 0, (Grant("administrator", "/"),))


def make_household(session: Session, world: World, place: str, actor: int, made: Made) -> int:
    return register_household(
        session,
        actor=a_keeper(session),
        member_ids=[make_member(session, world, place, actor, made) for _ in range(2)],
        now=NOON,
    )


def make_household_person(
    session: Session, world: World, place: str, actor: int, made: Made
) -> int:
    """A person of the household made before; elsewhere one of another household."""
    household_id = made["household_id"]
    if place != OWN:
        household_id = make_household(session, world, place, actor, made)
    return person_of(session, household_id)


def person_of(session: Session, household_id: int) -> int:
    found = session.scalar(
        select(HouseholdMember.member_id)
        .where(HouseholdMember.household_id == household_id)
        .order_by(HouseholdMember.member_id.desc())
        .limit(1)
    )
    assert found is not None
    return found


def make_relative(session: Session, world: World, place: str, actor: int, made: Made) -> int:
    """Somebody of one household with the member made before; elsewhere a stranger to it."""
    relative = make_member(session, world, place, actor, made)
    if place == OWN:
        register_household(
            session,
            actor=a_keeper(session),
            member_ids=[made["member_id"], relative],
            now=NOON,
        )
    else:
        join(session, made["member_id"], make_member(session, world, OWN, actor, made))
    return relative


def join(session: Session, first: int, second: int) -> None:
    """Register two people as one household, or add the second to the household of the first."""
    keeper = a_keeper(session)
    household_id = session.scalar(
        select(HouseholdMember.household_id).where(HouseholdMember.member_id == first)
    )
    if household_id is None:
        register_household(session, actor=keeper, member_ids=[first, second], now=NOON)
    else:
        add_to_household(
            session, actor=keeper, household_id=household_id, member_id=second, now=NOON
        )


HOUSEHOLD = Kind(COMMUNITY, make_household)
HOUSEHOLD_PERSON = Kind("person", make_household_person)
RELATIVE = Kind("person", make_relative)

ROWS: list[Row] = [
    door("GET", "/api/v1/me/household", MEMBERS),
    door(
        "POST",
        "/api/v1/households",
        READERS,
        fields(member_ids=["MEMBER_ID", "OTHER_ID"]),
        member_id=MEMBER,
        other_id=MEMBER,
    ),
    door(
        "POST",
        "/api/v1/households/<id:household_id>/members",
        READERS,
        fields(member_id="MEMBER_ID"),
        household_id=HOUSEHOLD,
        member_id=MEMBER,
    ),
    door(
        "DELETE",
        "/api/v1/households/<id:household_id>/members/<id:member_id>",
        READERS,
        household_id=HOUSEHOLD,
        member_id=HOUSEHOLD_PERSON,
    ),
    door(
        "POST",
        "/members/<id:member_id>/household",
        READERS,
        form(household_no="NUMBER"),
        member_id=MEMBER,
        number=VOLUNTEER_NO,
    ),
    door(
        "POST",
        "/members/<id:member_id>/household/<id:person_id>/removal",
        READERS,
        member_id=MEMBER,
        person_id=RELATIVE,
    ),
]
