"""Who may hand out codes for first passwords; using one is everybody's."""

from sqlalchemy import update
from sqlalchemy.orm import Session

from pointsbank.core.actor import Actor, Grant
from pointsbank.members.activating import make_activation_code
from pointsbank.members.models import Member
from tests.builders import a_member, with_role
from tests.laws.doors import ANYONE, READERS, Row, door, fields, form
from tests.laws.world import COMMUNITY, PASSWORD, Kind, Made, World
from tests.moments import NOON

CODE = "ABCD2345"


def make_newcomer(session: Session, world: World, place: str, _actor: int, _made: Made) -> int:
    """Somebody of that side who was imported and has no password."""
    member_id = a_member(session, "吴海燕", world.ground(place).branch_id)
    session.execute(update(Member).where(Member.id == member_id).values(password_hash=None))
    return member_id


def make_phone_with_code(
    session: Session, world: World, place: str, actor: int, made: Made
) -> str:
    """The phone of somebody who holds a code; elsewhere of nobody."""
    member_id = make_newcomer(session, world, place, actor, made)
    administrator = with_role(session, a_member(session), "administrator")
    make_activation_code(
        session,
        actor=Actor(administrator, "", 0, 0, (Grant("administrator", "/"),)),
        member_id=member_id,
        code=CODE,
        secret=world.secret,
        now=NOON,
    )
    phone = session.get_one(Member, member_id).phone
    assert phone is not None
    return phone


NEWCOMER = Kind(COMMUNITY, make_newcomer)
CODE_HOLDER = Kind("mine", make_phone_with_code)
USING = {"phone": "CODE_HOLDER", "code": CODE, "password": PASSWORD}

ROWS: list[Row] = [
    door(
        "POST",
        "/api/v1/members/<id:member_id>/activation-code",
        READERS,
        member_id=NEWCOMER,
    ),
    door("POST", "/members/<id:member_id>/activation-code", READERS, member_id=NEWCOMER),
    door("GET", "/activate", ANYONE),
    door("POST", "/activate", ANYONE, form(**USING), code_holder=CODE_HOLDER),
    door("POST", "/api/v1/activations", ANYONE, fields(**USING), code_holder=CODE_HOLDER),
]
