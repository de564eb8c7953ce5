"""Who may knock at the doors of cards for many, of invitations, and of registration."""

from datetime import timedelta

from sqlalchemy.orm import Session

from pointsbank.core.actor import Actor, Grant
from pointsbank.core.keys import draw_letters
from pointsbank.members.invitations import ALPHABET, CODE_LETTERS, make_invitation
from tests.builders import a_member, a_phone, with_role
from tests.laws.doors import ANYONE, CARD_GIVERS, READERS, Row, door, fields, form
from tests.laws.world import (
    COMMUNITY,
    MEMBER,
    ORGANIZATION,
    PASSWORD,
    SHARED,
    VOLUNTEER_NO,
    Kind,
    Made,
    World,
)
from tests.moments import NOON

SOON = (NOON + timedelta(days=3)).isoformat()
INVITATION_OF_NONE = "ZZZZ9999"


def invited(session: Session, world: World, place: str) -> tuple[int, str]:
    """Make an invitation into the community of a place; return its id and its code."""
    secretary = with_role(session, a_member(session, "赵书记"), "administrator")
    code = draw_letters(ALPHABET, CODE_LETTERS)
    invitation_id = make_invitation(
        session,
        actor=Actor(secretary, "赵书记", 0, 0, (Grant("administrator", "/"),)),
        organization_code=world.ground(place).code,
        kind="volunteer",
        code=code,
        expires_at=NOON + timedelta(days=3),
        uses_max=5,
        secret=world.secret,
        now=NOON,
    )
    return invitation_id, code


def make_invitation_id(
    session: Session, world: World, place: str, _actor: int, _made: Made
) -> int:
    return invited(session, world, place)[0]


def make_invitation_code(
    session: Session, world: World, place: str, _actor: int, _made: Made
) -> str:
    """A code of any branch: whoever has it may use it."""
    return invited(session, world, place)[1]


def a_new_phone(_session: Session, _world: World, _place: str, _actor: int, _made: Made) -> str:
    return a_phone()


INVITATION = Kind(COMMUNITY, make_invitation_id)
INVITATION_CODE = Kind(SHARED, make_invitation_code, INVITATION_OF_NONE)
NEW_PHONE = Kind("mine", a_new_phone)

JOINING = {"name": "吴海燕", "phone": "NEW_PHONE", "password": PASSWORD}

ROWS: list[Row] = [
    door(
        "POST", "/api/v1/cards", CARD_GIVERS, fields(member_ids=["MEMBER_ID"]), member_id=MEMBER
    ),
    door("GET", "/cards", CARD_GIVERS),
    door(
        "POST",
        "/cards/question",
        CARD_GIVERS,
        form(numbers="NUMBER"),
        number=VOLUNTEER_NO,
    ),
    door("POST", "/cards", CARD_GIVERS, form(member_id="MEMBER_ID"), member_id=MEMBER),
    door(
        "POST",
        "/api/v1/branch-invitations",
        READERS,
        fields(organization_code="CODE", expires_at=SOON, uses_max=5),
        code=ORGANIZATION,
    ),
    door("GET", "/api/v1/branch-invitations", READERS),
    door(
        "DELETE",
        "/api/v1/branch-invitations/<id:invitation_id>",
        READERS,
        invitation_id=INVITATION,
    ),
    door("GET", "/branch-invitations", READERS),
    door(
        "POST",
        "/branch-invitations",
        READERS,
        form(organization_code="CODE", kind="volunteer", days="7", uses_max="5"),
        code=ORGANIZATION,
    ),
    door(
        "POST",
        "/branch-invitations/<id:invitation_id>/withdrawal",
        READERS,
        invitation_id=INVITATION,
    ),
    door(
        "POST",
        "/api/v1/registrations",
        ANYONE,
        fields(**JOINING, invitation="INVITATION"),
        invitation=INVITATION_CODE,
        new_phone=NEW_PHONE,
    ),
    door("GET", "/register", ANYONE),
    door(
        "POST",
        "/register",
        ANYONE,
        form(**JOINING, code="INVITATION"),
        invitation=INVITATION_CODE,
        new_phone=NEW_PHONE,
    ),
]
