"""Who may appoint the committee of a branch, and move people between branches."""

from sqlalchemy.orm import Session

from pointsbank.members.service import grant_role
from pointsbank.organizations.queries import organization_of
from tests.laws.doors import READERS, Row, door, fields, form
from tests.laws.world import COMMUNITY, MEMBER, UNKNOWN_CODE, Kind, Made, World
from tests.moments import NOON


def make_branch_code(
    session: Session, world: World, place: str, _actor: int, _made: Made
) -> str:
    return organization_of(session, world.ground(place).branch_id).code


def make_seat(session: Session, world: World, place: str, _actor: int, made: Made) -> int:
    """A seat of the member made before on a branch's committee."""
    return grant_role(
        session,
        member_id=made["member_id"],
        role="committee",
        organization_id=world.ground(place).branch_id,
        granted_by_id=None,
        now=NOON,
    )


BRANCH_CODE = Kind(COMMUNITY, make_branch_code, UNKNOWN_CODE)
SEAT = Kind(COMMUNITY, make_seat)

ROWS: list[Row] = [
    door(
        "POST",
        "/api/v1/members/<id:member_id>/roles",
        READERS,
        fields(role="committee", organization_code="CODE"),
        case="committee",
        member_id=MEMBER,
        code=BRANCH_CODE,
    ),
    door(
        "DELETE",
        "/api/v1/members/<id:member_id>/roles/<id:role_id>",
        READERS,
        case="committee",
        member_id=MEMBER,
        role_id=SEAT,
    ),
    door("GET", "/api/v1/members/<id:member_id>/moves", READERS, member_id=MEMBER),
    door(
        "POST",
        "/api/v1/members/<id:member_id>/moves",
        READERS,
        fields(organization_code="CODE"),
        member_id=MEMBER,
        code=BRANCH_CODE,
    ),
    door("GET", "/members/<id:member_id>/moves", READERS, member_id=MEMBER),
    door(
        "POST",
        "/members/<id:member_id>/moves",
        READERS,
        form(organization_code="CODE", grid_code="", on=""),
        member_id=MEMBER,
        code=BRANCH_CODE,
    ),
    door(
        "POST",
        "/members/<id:member_id>/roles",
        READERS,
        form(role="committee", organization_code="CODE"),
        case="committee",
        member_id=MEMBER,
        code=BRANCH_CODE,
    ),
    door(
        "POST",
        "/members/<id:member_id>/roles/<id:role_id>/withdrawal",
        READERS,
        case="committee",
        member_id=MEMBER,
        role_id=SEAT,
    ),
]
