"""Two communities side by side, people of every role in the first, and objects in both."""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from pointsbank.app.scanned import tickets
from pointsbank.attendance.codes import slot_at, venue_text
from pointsbank.attendance.finding import Desk, NewScan
from pointsbank.attendance.policy import Rules
from pointsbank.attendance.recording import record_scan
from pointsbank.core.actor import Actor
from pointsbank.core.calendar import read_period
from pointsbank.core.db import transaction
from pointsbank.core.keys import draw_bytes, draw_number, draw_token
from pointsbank.members.codes import (
    CARD_NUMBER_BYTES,
    GENERAL,
    REDEMPTION_NUMBER_DIGITS,
    card_text,
    personal_text,
    redemption_text,
)
from pointsbank.members.models import Member
from pointsbank.members.service import grant_role
from pointsbank.members.showing import draw_redemption_code, issue_card
from pointsbank.rankings.rolling_up import roll_up
from pointsbank.rewards.redeeming import Order, redeem_reward
from pointsbank.tasks.models import Shift
from tests.builders import (
    COMMUNITY_CODE,
    a_branch,
    a_claim,
    a_member,
    a_merchant,
    a_phone,
    a_reward,
    a_score_entry,
    a_shift,
    a_task,
    a_token,
    an_organization,
    redemption_code,
    with_points,
    with_role,
)
from tests.moments import NOON

PERSONAS = (
    "anonymous",
    "volunteer",
    "organizer",
    "clerk",
    "secretary",
    "auditor",
    "committee",
    "administrator",
    "first administrator",
)
OWN, NEXT_DOOR, ELSEWHERE = "own", "next door", "elsewhere"
# What bounds who reaches an object of a kind.
COMMUNITY, MERCHANT, PERSON, SHARED = "community", "merchant", "person", "shared"
# What only ever is whose it is: there is no foreign one to try.
MINE = "mine"
UNKNOWN_ID = 9_000_000_000
UNKNOWN_CODE = "999999999999"
OTHER_CODE = "140303005004"
REQUEST_ID = "the-same-in-every-request"
PASSWORD = "a quiet river bank"
FORM_TOKEN = re.compile(r'name="csrf_token" value="([^"]+)"')

Made = dict[str, Any]


@dataclass(frozen=True)
class Ground:
    """One side of the street: a community, its branch and two merchants."""

    community_id: int
    code: str
    branch_id: int
    merchant_id: int
    next_door_id: int


@dataclass
class World:
    """The service under test with its two sides."""

    app: Flask
    own: Ground
    elsewhere: Ground
    people: dict[str, int] = field(default_factory=dict)
    tokens: dict[str, str] = field(default_factory=dict)
    form: tuple[str, str] | None = None

    def ground(self, place: str) -> Ground:
        """Return the side on which a place lies; next door is on the own side."""
        return self.elsewhere if place == ELSEWHERE else self.own

    def merchant_id(self, place: str) -> int:
        """Return the merchant of a place."""
        return self.own.next_door_id if place == NEXT_DOOR else self.ground(place).merchant_id

    @property
    def secret(self) -> str:
        return self.app.extensions["settings"].secret_key

    @contextmanager
    def writing(self) -> Iterator[Session]:
        """Open and commit one transaction."""
        with self.app.app_context(), transaction() as session:
            yield session

    def person(self, session: Session, persona: str) -> int:
        """Return a new person of this kind, at home on the own side."""
        own = self.own
        member_id = a_member(session, "何素芬", own.branch_id, PASSWORD)
        if persona == "clerk":
            return with_role(session, member_id, "clerk", merchant_id=own.merchant_id)
        if persona == "first administrator":
            return with_role(session, member_id, "administrator")
        if persona != "volunteer":
            return with_role(session, member_id, persona, own.community_id)
        return member_id

    def settle_in(self) -> None:
        """Make the people who only look, one of each kind, and their sessions."""
        with self.writing() as session:
            for persona in PERSONAS[1:]:
                self.people[persona] = self.person(session, persona)
                self.tokens[persona] = a_token(session, self.people[persona], NOON)

    def form_token(self) -> tuple[str, str]:
        """Return a form's token and the cookie it belongs to, as a stranger's page has them."""
        if self.form is None:
            client = self.app.test_client()
            found = FORM_TOKEN.search(client.get("/sign-in").text)
            assert found, "the sign-in page has no form"
            cookie = client.get_cookie("pointsbank_form")
            assert cookie is not None
            self.form = found[1], cookie.value
        return self.form

    def client(self, token: str | None, *, is_page: bool) -> FlaskClient:
        """Return someone who talks to the service: a browser with its cookies, or a program."""
        client = self.app.test_client()
        if is_page:
            client.set_cookie("pointsbank_form", self.form_token()[1])
            if token:
                client.set_cookie("pointsbank", token)
        elif token:
            client.environ_base["HTTP_AUTHORIZATION"] = f"Bearer {token}"
        client.environ_base["HTTP_X_REQUEST_ID"] = REQUEST_ID
        return client


def a_ground(session: Session, code: str, street: int, name: str) -> Ground:
    """Return a community under a street, with a branch and two merchants."""
    community = an_organization(session, code, "community", street, name)
    return Ground(
        community,
        code,
        a_branch(session, f"{code}B1", community),
        a_merchant(session, "惠民粮油店", community),
        a_merchant(session, "利民理发店", community),
    )


def a_world(app: Flask) -> World:
    """Build both sides under one district."""
    with app.app_context(), transaction() as session:
        district = an_organization(session, "140303", "district", None, "矿区")
        streets = [
            an_organization(session, code, "street", district, code)
            for code in ("140303001", "140303005")
        ]
        own = a_ground(session, COMMUNITY_CODE, streets[0], "平潭街西社区居委会")
        elsewhere = a_ground(session, OTHER_CODE, streets[1], "桥头社区居委会")
    world = World(app, own, elsewhere)
    world.settle_in()
    return world


# The makers of objects: each takes the world, a place, who acts, and what was made before it.
Maker = Callable[[Session, World, str, int, Made], Any]


@dataclass(frozen=True)
class Kind:
    """A kind of object: what bounds who reaches it, how one is made, and a name of none."""

    scope: str
    make: Maker
    unknown: Any = UNKNOWN_ID


def make_member(session: Session, world: World, place: str, _actor: int, _made: Made) -> int:
    return with_points(session, a_member(session, "吴海燕", world.ground(place).branch_id), 100)


def make_role(session: Session, world: World, place: str, _actor: int, made: Made) -> int:
    """A role of the member made before; elsewhere it is one over the other side."""
    return grant_role(
        session,
        member_id=made["member_id"],
        role="organizer",
        organization_id=world.ground(place).community_id,
        merchant_id=None,
        granted_by_id=None,
        now=NOON,
    )


def make_card(session: Session, world: World, place: str, actor: int, made: Made) -> int:
    """A card of the member made before; elsewhere it is a person's from the other side."""
    owner = made["member_id"]
    if place == ELSEWHERE:
        owner = make_member(session, world, place, actor, made)
    return issue_card(
        session,
        member_id=owner,
        number=draw_bytes(CARD_NUMBER_BYTES),
        pin="246810",
        secret=world.secret,
        issued_by_id=None,
        now=NOON,
    )


def make_code(_session: Session, world: World, place: str, _actor: int, _made: Made) -> str:
    return world.ground(place).code


def make_merchant(_session: Session, world: World, place: str, _actor: int, _made: Made) -> int:
    return world.merchant_id(place)


def make_reward(session: Session, world: World, place: str, _actor: int, _made: Made) -> int:
    return a_reward(session, world.merchant_id(place), points=20, stock=10)


def make_redemption(session: Session, world: World, place: str, actor: int, made: Made) -> int:
    """A redemption of today, by whoever acts at the own counter, else by its own clerk."""
    merchant_id = world.merchant_id(place)
    if place != OWN:
        actor = with_role(
            session, a_member(session, "赵店员"), "clerk", merchant_id=merchant_id
        )
    return redeemed(
        session, world, place, actor, make_member(session, world, place, actor, made)
    )


def redeemed(session: Session, world: World, place: str, clerk_id: int, member_id: int) -> int:
    """Let a clerk hand a member a new reward at a place; return the redemption."""
    merchant_id = world.merchant_id(place)
    order = Order(
        merchant_id=merchant_id,
        reward_id=a_reward(session, merchant_id, points=20, stock=10),
        quantity=1,
        code=redemption_code(session, world.app, member_id, NOON),
    )
    return redeem_reward(
        session,
        order,
        clerk_id=clerk_id,
        number=draw_number(14),
        secret=world.secret,
        today=NOON.date(),
        now=NOON,
    ).id


def a_draft(session: Session, world: World, place: str, _actor: int, _made: Made) -> int:
    ground = world.ground(place)
    return a_task(session, organization_id=ground.community_id, is_open=False)


def an_open_task(session: Session, world: World, place: str, _actor: int, _made: Made) -> int:
    return a_task(session, organization_id=world.ground(place).community_id)


def an_open_shift(session: Session, world: World, place: str, _actor: int, _made: Made) -> int:
    return a_shift(session, organization_id=world.ground(place).community_id)


def a_shift_at_work(
    session: Session, world: World, place: str, _actor: int, _made: Made
) -> int:
    """A shift that has just begun."""
    return a_shift(
        session,
        starts_at=NOON - timedelta(minutes=5),
        organization_id=world.ground(place).community_id,
        now=NOON - timedelta(days=1),
    )


def a_shift_that_is_over(
    session: Session, world: World, place: str, _actor: int, _made: Made
) -> int:
    return a_shift(
        session,
        starts_at=NOON - timedelta(hours=3),
        organization_id=world.ground(place).community_id,
        now=NOON - timedelta(days=1),
    )


def make_claim(session: Session, world: World, place: str, actor: int, made: Made) -> int:
    """A claim of whoever acts; elsewhere it is another member's, on the same side."""
    shift_id = an_open_shift(session, world, OWN, actor, made)
    return a_claim(session, shift_id, actor if place == OWN else None).id


def make_scan(session: Session, world: World, place: str, actor: int, made: Made) -> int:
    """A check-in by whoever acts; elsewhere another member made it."""
    member_id = actor if place == OWN else make_member(session, world, OWN, actor, made)
    shift_id = a_shift_at_work(session, world, OWN, actor, made)
    a_claim(session, shift_id, member_id)
    home = session.get_one(Member, member_id)
    who = Actor(member_id, home.name, home.organization_id, 0)
    scan = NewScan(nonce=draw_token(), code=venue_code(session, world, shift_id))
    desk = Desk(world.secret, Rules(30, 60), world.app.extensions["settings"].zone)
    scan_id = record_scan(session, who, scan, desk, now=NOON).scan_id
    assert scan_id is not None
    return scan_id


def venue_code(session: Session, world: World, shift_id: int) -> str:
    """Return what the venue's screen shows at noon."""
    handle = session.get_one(Shift, shift_id).handle
    return venue_text(world.secret, handle, slot_at(NOON), "in")


def make_venue_code(
    session: Session, world: World, _place: str, _actor: int, made: Made
) -> str:
    """The code of the shift made before."""
    return venue_code(session, world, made["shift_id"])


def make_personal_code(
    session: Session, world: World, _place: str, actor: int, made: Made
) -> str:
    """The code of a volunteer with a place on the shift made before."""
    member_id = make_member(session, world, OWN, actor, made)
    a_claim(session, made["shift_id"], member_id)
    handle = session.get_one(Member, member_id).handle
    return personal_text(world.secret, handle, GENERAL, NOON)


def make_redemption_code(
    session: Session, world: World, _place: str, actor: int, made: Made
) -> str:
    """The code of a member with points; whose it is bounds nothing."""
    member_id = make_member(session, world, OWN, actor, made)
    return redemption_code(session, world.app, member_id, NOON)


def make_volunteer_no(
    session: Session, world: World, place: str, actor: int, made: Made
) -> str:
    member = session.get_one(Member, make_member(session, world, place, actor, made))
    return member.volunteer_no


def make_phone(session: Session, world: World, place: str, _actor: int, _made: Made) -> str:
    """The phone of a member with a password."""
    phone = a_phone()
    a_member(session, "吴海燕", world.ground(place).branch_id, PASSWORD, phone)
    return phone


def make_standing(session: Session, world: World, place: str, actor: int, made: Made) -> int:
    """A member who is ranked in this quarter."""
    member_id = make_member(session, world, place, actor, made)
    a_score_entry(session, member_id)
    zone = world.app.extensions["settings"].zone
    roll_up(session, period=read_period("2026-Q4"), zone=zone, now=NOON)
    return member_id


def make_own_redemption(
    session: Session, world: World, place: str, actor: int, made: Made
) -> int:
    """What whoever acts has had at another counter; elsewhere another person had it."""
    clerk_id = with_role(
        session, a_member(session, "赵店员"), "clerk", merchant_id=world.merchant_id(place)
    )
    with_points(session, actor, 100)
    return redeemed(session, world, place, clerk_id, actor)


def make_long_code(session: Session, world: World, _place: str, actor: int, made: Made) -> str:
    """The text under the QR image of another member's redemption code."""
    return long_code(session, world, make_member(session, world, OWN, actor, made))


def make_own_long_code(
    session: Session, world: World, _place: str, actor: int, _made: Made
) -> str:
    return long_code(session, world, actor)


def make_members_code(
    session: Session, world: World, place: str, actor: int, made: Made
) -> str:
    """The personal code of a volunteer."""
    member = session.get_one(Member, make_member(session, world, place, actor, made))
    return personal_text(world.secret, member.handle, GENERAL, NOON)


def make_card_code(session: Session, world: World, place: str, actor: int, made: Made) -> str:
    """The text on a volunteer's paper card."""
    number = draw_bytes(CARD_NUMBER_BYTES)
    issue_card(
        session,
        member_id=make_member(session, world, place, actor, made),
        number=number,
        pin=None,
        secret=world.secret,
        issued_by_id=None,
        now=NOON,
    )
    return card_text(world.secret, number)


def make_ticket(session: Session, world: World, place: str, actor: int, made: Made) -> str:
    """What an organizer's browser holds after opening the personal code of a volunteer."""
    return str(tickets().dumps(make_personal_code(session, world, place, actor, made)))


def long_code(session: Session, world: World, member_id: int) -> str:
    """Draw a redemption code and return the text that stands in its address."""
    number = draw_number(REDEMPTION_NUMBER_DIGITS)
    draw_redemption_code(
        session, member_id=member_id, number=number, secret=world.secret, now=NOON
    )
    return redemption_text(world.secret, number)


MEMBER = Kind(COMMUNITY, make_member)
STANDING = Kind(COMMUNITY, make_standing)
ANY_REWARD = Kind(SHARED, make_reward)
OWN_REDEMPTION = Kind(MINE, make_own_redemption)
ANYONES_CODE = Kind(SHARED, make_long_code, "NONSENSE")
MEMBERS_CODE = Kind(SHARED, make_members_code, "NONSENSE")
CARD_CODE = Kind(SHARED, make_card_code, "NONSENSE")
TICKET = Kind(SHARED, make_ticket, "NONSENSE")
OWN_CODE = Kind(MINE, make_own_long_code, "NONSENSE")
PHONE = Kind(SHARED, make_phone, "19900000000")
VOLUNTEER_NO = Kind(COMMUNITY, make_volunteer_no, "V99999999")
ROLE = Kind(COMMUNITY, make_role)
CARD = Kind(PERSON, make_card)
ORGANIZATION = Kind(COMMUNITY, make_code, UNKNOWN_CODE)
ANY_ORGANIZATION = Kind(SHARED, make_code, UNKNOWN_CODE)
MERCHANT_ID = Kind(MERCHANT, make_merchant)
ANY_MERCHANT = Kind(SHARED, make_merchant)
REWARD = Kind(MERCHANT, make_reward)
REDEMPTION = Kind(MERCHANT, make_redemption)
DRAFT = Kind(COMMUNITY, a_draft)
OPEN_TASK = Kind(SHARED, an_open_task)
TASK = Kind(COMMUNITY, an_open_task)
OPEN_SHIFT = Kind(SHARED, an_open_shift)
SHIFT = Kind(COMMUNITY, a_shift_at_work)
SHIFT_AT_WORK = Kind(SHARED, a_shift_at_work)
SHIFT_OVER = Kind(COMMUNITY, a_shift_that_is_over)
CLAIM = Kind(PERSON, make_claim)
SCAN = Kind(PERSON, make_scan)
VENUE_CODE = Kind(SHARED, make_venue_code, "NONSENSE")
PERSONAL_CODE = Kind(SHARED, make_personal_code, "NONSENSE")
REDEMPTION_CODE = Kind(SHARED, make_redemption_code, "NONSENSE")

PLACES = {
    COMMUNITY: (OWN, ELSEWHERE),
    MERCHANT: (OWN, NEXT_DOOR, ELSEWHERE),
    PERSON: (OWN, ELSEWHERE),
    SHARED: (OWN, ELSEWHERE),
    MINE: (OWN,),
}


def reaches(persona: str, kind: Kind, place: str) -> bool:
    """Tell whether a person who may use a door reaches an object of this kind at this place."""
    if place == OWN or kind.scope == SHARED:
        return True
    if kind.scope == PERSON:
        return False
    if persona == "first administrator":
        return True
    return place == NEXT_DOOR and persona in ("administrator", "auditor")
