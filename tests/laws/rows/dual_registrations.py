"""Who may knock at registrations at home, and at the sheets that work units get."""

import secrets

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from pointsbank.core.actor import Actor, Grant
from pointsbank.members.dual_registering import Wanted, accept_registration, apply_at_home
from pointsbank.members.models import DualRegistration, Member
from pointsbank.members.queries import member_of
from tests.builders import TODAY, a_member, an_organization, with_role
from tests.laws.doors import MEMBERS, READERS, VIEWERS, Row, asking, door, fields, form
from tests.laws.world import (
    COMMUNITY,
    COMMUNITY_CODE,
    MINE,
    SHARED,
    UNKNOWN_CODE,
    Kind,
    Made,
    World,
)
from tests.moments import NOON

API = "/api/v1/dual-registrations"
ONE = f"{API}/<id:registration_id>"
PAGE = "/dual-registrations/<id:registration_id>"
WHY = {"reason": "搬家了"}


def make_unit(session: Session, world: World, place: str, _actor: int, _made: Made) -> str:
    """A work unit that stands under the community of that side."""
    code = f"U{secrets.token_hex(6)}".upper()
    an_organization(
        session, code, "work_unit", world.ground(place).community_id, "市自来水公司"
    )
    return code


def registered(session: Session, world: World, place: str, member_id: int, unit: str) -> int:
    """A registration of somebody with the community of that side; it waits."""
    session.execute(update(Member).where(Member.id == member_id).values(kind="party_member"))
    actor = Actor(member_id, "吴海燕", world.ground(place).branch_id, 0, ())
    wanted = Wanted(unit, world.ground(place).code, is_named=True)
    return apply_at_home(session, actor=actor, wanted=wanted, now=NOON)


def make_application(session: Session, world: World, place: str, actor: int, made: Made) -> int:
    unit = made.get("unit_code") or make_unit(session, world, place, actor, made)
    worker = a_member(session, "吴海燕", world.ground(place).branch_id)
    return registered(session, world, place, worker, unit)


def make_registration(
    session: Session, world: World, place: str, actor: int, made: Made
) -> int:
    """A registration that the community of that side accepted."""
    found = make_application(session, world, place, actor, made)
    keeper = with_role(session, a_member(session, "管理员"), "administrator")
    accept_registration(
        session,
        actor=Actor(keeper, "管理员", 0, 0, (Grant("administrator", "/"),)),
        registration_id=found,
        first_on=TODAY,
        today=TODAY,
        now=NOON,
    )
    return found


def make_own(session: Session, world: World, place: str, actor: int, made: Made) -> int:
    """A registration of whoever acts; one at a time, so the one there is."""
    alive = select(DualRegistration.id).where(
        DualRegistration.member_id == actor, DualRegistration.state != "ended"
    )
    if (standing := session.scalar(alive)) is not None:
        return standing
    unit = make_unit(session, world, place, actor, made)
    return registered(session, world, place, actor, unit)


def make_unit_for_oneself(
    session: Session, world: World, place: str, actor: int, made: Made
) -> str:
    """A unit that whoever acts works in, as a member of the party."""
    session.execute(update(Member).where(Member.id == actor).values(kind="party_member"))
    return make_unit(session, world, place, actor, made)


def make_party_member(
    session: Session, world: World, place: str, _actor: int, _made: Made
) -> int:
    branch_id = world.ground(place).branch_id
    return a_member(session, "吴海燕", branch_id, kind="party_member")


def make_party_no(session: Session, world: World, place: str, actor: int, made: Made) -> str:
    return member_of(
        session, make_party_member(session, world, place, actor, made)
    ).volunteer_no


def make_unit_with_people(
    session: Session, world: World, place: str, actor: int, made: Made
) -> str:
    code = make_unit(session, world, place, actor, made)
    make_registration(session, world, place, actor, {"unit_code": code})
    return code


UNIT = Kind(SHARED, make_unit, UNKNOWN_CODE)
OWN_UNIT = Kind(MINE, make_unit_for_oneself, UNKNOWN_CODE)
UNIT_WITH_PEOPLE = Kind(COMMUNITY, make_unit_with_people, UNKNOWN_CODE)
APPLICATION = Kind(COMMUNITY, make_application)
REGISTRATION = Kind(COMMUNITY, make_registration)
OWN = Kind(MINE, make_own)
PARTY_MEMBER = Kind(COMMUNITY, make_party_member)
PARTY_NO = Kind(COMMUNITY, make_party_no, "V99999999")
PLACES = {"work_unit_code": "UNIT", "community_code": COMMUNITY_CODE}
DAY = {"first_on": TODAY.isoformat()}
COMMENT = {"period": "2026-Q4", "comment": "热心"}

ROWS: list[Row] = [
    door("GET", "/api/v1/me/dual-registrations", MEMBERS),
    door("POST", "/api/v1/me/dual-registrations", MEMBERS, fields(**PLACES), unit=OWN_UNIT),
    door(
        "PUT",
        "/api/v1/me/dual-registrations/naming",
        MEMBERS,
        fields(is_named=False),
        registration_id=OWN,
    ),
    door("GET", API, VIEWERS),
    door(
        "POST",
        API,
        READERS,
        fields(member_id="MEMBER_ID", **PLACES, **DAY),
        unit=UNIT,
        member_id=PARTY_MEMBER,
    ),
    door("POST", f"{ONE}/acceptance", READERS, fields(**DAY), registration_id=APPLICATION),
    door("POST", f"{ONE}/confirmation", READERS, registration_id=REGISTRATION),
    door("POST", f"{ONE}/end", MEMBERS, fields(**WHY), registration_id=OWN),
    door("PUT", f"{ONE}/comment", READERS, fields(**COMMENT), registration_id=REGISTRATION),
    door("GET", "/me/dual-registration", MEMBERS),
    door("POST", "/me/dual-registration", MEMBERS, form(**PLACES), unit=OWN_UNIT),
    door(
        "POST",
        "/me/dual-registration/naming",
        MEMBERS,
        form(is_named="1"),
        registration_id=OWN,
    ),
    door("GET", "/dual-registrations", VIEWERS),
    door("GET", "/dual-registrations/new", READERS),
    door(
        "POST",
        "/dual-registrations/new",
        READERS,
        form(volunteer_no="NUMBER", **PLACES, **DAY),
        is_foreign=lambda answer: answer.status_code == 422,
        unit=UNIT,
        number=PARTY_NO,
    ),
    door("GET", PAGE, VIEWERS, registration_id=REGISTRATION),
    door("POST", f"{PAGE}/acceptance", READERS, form(**DAY), registration_id=APPLICATION),
    door("POST", f"{PAGE}/confirmation", READERS, registration_id=REGISTRATION),
    door("POST", f"{PAGE}/end", MEMBERS, form(**WHY), registration_id=OWN),
    door("POST", f"{PAGE}/comment", READERS, form(**COMMENT), registration_id=REGISTRATION),
    door(
        "GET",
        "/api/v1/reports/unit-sheet",
        VIEWERS,
        asking(work_unit_code="UNIT_CODE"),
        unit_code=UNIT_WITH_PEOPLE,
    ),
    door("GET", "/reports/unit-sheet", VIEWERS),
    door(
        "POST",
        "/reports/unit-sheet.xlsx",
        VIEWERS,
        form(work_unit_code="UNIT_CODE"),
        unit_code=UNIT_WITH_PEOPLE,
    ),
    door(
        "POST",
        "/reports/unit-sheet.pdf",
        VIEWERS,
        form(work_unit_code="UNIT_CODE"),
        unit_code=UNIT_WITH_PEOPLE,
    ),
]
