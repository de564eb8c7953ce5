"""Who may knock at the doors of gifts."""

from sqlalchemy.orm import Session

from pointsbank.core.keys import draw_token
from pointsbank.members.queries import household_of
from pointsbank.passbooks.giving import Wish, give
from tests.builders import a_member, with_points
from tests.laws.doors import (
    ADMINISTRATOR,
    MEMBERS,
    Row,
    door,
    form,
    keyed,
    says_nothing_is_there,
)
from tests.laws.rows.households import join
from tests.laws.world import COMMUNITY, OWN, Kind, Made, World, make_member
from tests.moments import NOON


def make_relative_of(session: Session, world: World, place: str, actor: int, made: Made) -> int:
    """A person of the household of whoever acts; elsewhere one of another household."""
    relative = make_member(session, world, OWN, actor, made)
    with_points(session, actor, 100)
    household_head = actor if place == OWN else make_member(session, world, OWN, actor, made)
    join(session, household_head, relative)
    return relative


def make_gift(session: Session, world: World, place: str, actor: int, made: Made) -> int:
    """A gift between two members of one side."""
    giver = make_member(session, world, place, actor, made)
    receiver = make_member(session, world, place, actor, made)
    return given(session, world, giver, receiver)


def make_own_gift(session: Session, world: World, _place: str, actor: int, made: Made) -> int:
    """A gift to whoever acts."""
    giver = with_points(session, a_member(session, "李建国", world.own.branch_id), 100)
    join(session, actor, giver)
    return given(session, world, giver, actor)


def given(session: Session, world: World, giver: int, receiver: int) -> int:
    household = household_of(session, giver)
    if household is None or receiver not in household.member_ids:
        join(session, giver, receiver)
    wish = Wish(giver, receiver, 10, "", draw_token())
    zone = world.app.extensions["settings"].zone
    return give(session, wish, zone=zone, now=NOON).id


RELATIVE_OF_ACTOR = Kind("person", make_relative_of)
GIFT = Kind(COMMUNITY, make_gift)
OWN_GIFT = Kind("mine", make_own_gift)
KEY = {"idempotency_key": "a-key-of-this-form"}

ROWS: list[Row] = [
    door(
        "POST",
        "/api/v1/me/gifts",
        MEMBERS,
        keyed(receiver_id="RECEIVER_ID", points=10, words="买本子"),
        receiver_id=RELATIVE_OF_ACTOR,
    ),
    door(
        "POST",
        "/api/v1/gifts/<id:gift_id>/reversal",
        ADMINISTRATOR,
        keyed(reason="按错了人"),
        gift_id=GIFT,
    ),
    door("GET", "/gifts", MEMBERS),
    door("GET", "/gifts/to/<id:member_id>", MEMBERS, member_id=RELATIVE_OF_ACTOR),
    door(
        "POST",
        "/gifts/look",
        MEMBERS,
        form(receiver_id="RECEIVER_ID", points="10"),
        receiver_id=RELATIVE_OF_ACTOR,
    ),
    door(
        "POST",
        "/gifts",
        MEMBERS,
        form(receiver_id="RECEIVER_ID", points="10", **KEY),
        receiver_id=RELATIVE_OF_ACTOR,
    ),
    door("GET", "/gifts/<id:gift_id>", MEMBERS, gift_id=OWN_GIFT),
    door(
        "GET",
        "/gifts/<id:gift_id>",
        ADMINISTRATOR,
        case="by an administrator",
        is_denied=says_nothing_is_there,
        gift_id=GIFT,
    ),
    door(
        "POST",
        "/gifts/<id:gift_id>/reversal",
        ADMINISTRATOR,
        form(reason="按错了人"),
        gift_id=GIFT,
    ),
]
