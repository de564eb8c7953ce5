"""Who may propose moves between branches, and decide on them."""

import secrets

from sqlalchemy.orm import Session

from pointsbank.core.actor import Actor, Grant
from pointsbank.members.proposing import WantedMove, propose_move
from pointsbank.members.queries import member_of
from pointsbank.organizations.queries import organization_of
from tests.builders import TODAY, a_branch, a_member, an_organization
from tests.laws.doors import Row, door, fields, form
from tests.laws.world import COMMUNITY, SHARED, UNKNOWN_CODE, Kind, Made, World
from tests.moments import NOON

MOVING = ("administrator", "secretary")
API = "/api/v1/move-proposals"


def other_branch(session: Session) -> int:
    """Return a branch of a community that nobody of the two sides looks after."""
    home = an_organization(session, secrets.token_hex(6).upper(), name="东社区")
    return a_branch(session, secrets.token_hex(6).upper(), home, "外来支部")


def make_number(session: Session, world: World, place: str, _actor: int, _made: Made) -> str:
    """The number of a member of that side."""
    return member_of(
        session, a_member(session, "吴海燕", world.ground(place).branch_id)
    ).volunteer_no


def make_other(session: Session, _world: World, _place: str, _actor: int, _made: Made) -> str:
    return organization_of(session, other_branch(session)).code


def make_proposal(session: Session, world: World, place: str, _actor: int, _made: Made) -> int:
    """A move from elsewhere to a branch of that side, proposed by where the member is."""
    home = other_branch(session)
    path = organization_of(session, home).path
    proposer = a_member(session, "孙书记", home)
    wanted = WantedMove(
        member_of(session, a_member(session, "吴海燕", home)).volunteer_no,
        organization_of(session, world.ground(place).branch_id).code,
        TODAY,
        "搬家了",
    )
    return propose_move(
        session,
        wanted,
        actor=Actor(proposer, "孙书记", home, 0, (Grant("secretary", path),)),
        tell_of_move=lambda *_: None,
        today=TODAY,
        now=NOON,
    )


NUMBER = Kind(COMMUNITY, make_number, "9999999999")
OTHER = Kind(SHARED, make_other, UNKNOWN_CODE)
PROPOSAL = Kind(COMMUNITY, make_proposal)
WANTED = {"volunteer_no": "NUMBER", "organization_code": "OTHER", "reason": "搬家了"}

ROWS: list[Row] = [
    door("GET", API, MOVING),
    door("POST", API, MOVING, fields(**WANTED), number=NUMBER, other=OTHER),
    door(
        "POST",
        f"{API}/<id:proposal_id>/decision",
        MOVING,
        fields(decision="confirm"),
        proposal_id=PROPOSAL,
    ),
    door("GET", "/move-proposals", MOVING),
    door("POST", "/move-proposals", MOVING, form(**WANTED, on=""), number=NUMBER, other=OTHER),
    door(
        "POST",
        "/move-proposals/<id:proposal_id>/decision",
        MOVING,
        form(decision="confirm", reason=""),
        proposal_id=PROPOSAL,
    ),
]
