"""Who may knock at stars of volunteers: one's own, those looked after, levels, numbers."""

from datetime import date

from sqlalchemy import select
from sqlalchemy.orm import Session

from pointsbank.certificates.models import StarApplication, StarLevel
from pointsbank.certificates.revoking import ask_revocation
from tests.builders import a_branch, a_member, with_role
from tests.certificates.starring import applied, ended, noticed_by, settled, with_hours
from tests.laws.doors import ANYONE, MEMBERS, Row, door, fields, form
from tests.laws.world import COMMUNITY, ELSEWHERE, MINE, PERSON, Kind, Made, World
from tests.moments import NOON
from tests.scoring.hands import actor_of

KEEPERS = ("administrator", "secretary")
READERS = (*KEEPERS, "auditor")
WHOLE = ("first administrator",)
OWN = "/api/v1/me/stars/applications"
API = "/api/v1/stars"
TO_COME = date(2030, 1, 1)
SET = {"kind": "volunteer", "levels": [10, 20, 30, 40, 50], "valid_from": "2031-01-01"}
TYPED = {f"level_{n}": str(10 * n) for n in range(1, 6)}
WHY = {"reason": "情况属实"}


def make_place(session: Session, world: World, place: str, _actor: int, _made: Made) -> int:
    """A new branch of that side: a notice about one organization stands alone."""
    return a_branch(session, None, world.ground(place).community_id)


def an_applicant_of(session: Session, branch_id: int) -> int:
    return with_hours(session, a_member(session, "吴海燕", branch_id), 100)


def make_application(
    session: Session, world: World, place: str, _actor: int, made: Made
) -> int:
    """An application that waits; in the branch made before, where there is one."""
    branch_id = made.get("place_id") or world.ground(place).branch_id
    return applied(session, an_applicant_of(session, branch_id))


def make_award(session: Session, world: World, place: str, actor: int, made: Made) -> int:
    branch_id = make_place(session, world, place, actor, made)
    application_id = applied(session, an_applicant_of(session, branch_id))
    ended(session, noticed_by(session, branch_id, [application_id]))
    settled(session)
    return application_id


def make_noticed(session: Session, world: World, place: str, actor: int, made: Made) -> int:
    """An application that is shown in the notice that is asked for beside it."""
    branch_id = make_place(session, world, place, actor, made)
    application_id = applied(session, an_applicant_of(session, branch_id))
    made["notice_id"] = noticed_by(session, branch_id, [application_id])
    return application_id


def make_notice(session: Session, world: World, place: str, actor: int, made: Made) -> int:
    make_noticed(session, world, place, actor, made)
    return int(made["notice_id"])


def make_its_line(session: Session, _w: World, _place: str, _actor: int, made: Made) -> int:
    """The application in the notice made before."""
    found = session.scalar(
        select(StarApplication.id).where(StarApplication.notice_id == made["notice_id"])
    )
    return found or 0


def make_revocation(session: Session, world: World, place: str, actor: int, made: Made) -> int:
    application_id = make_award(session, world, place, actor, made)
    home = world.ground(place)
    asker = a_member(session, "孙文", home.branch_id)
    with_role(session, asker, "secretary", home.community_id)
    return ask_revocation(
        session,
        actor=actor_of(session, asker),
        application_id=application_id,
        reason="虚报时长",
        bar_years=1,
        now=NOON,
    )


def own_waiting(session: Session, world: World, place: str, actor: int, made: Made) -> int:
    """An application of whoever acts; elsewhere another member's."""
    if place == ELSEWHERE:
        return make_application(session, world, place, actor, {})
    standing = session.scalar(
        select(StarApplication.id).where(
            StarApplication.member_id == actor, StarApplication.state == "applied"
        )
    )
    return standing or applied(session, with_hours(session, actor, 100))


def own_award(session: Session, world: World, place: str, actor: int, made: Made) -> int:
    """A star of whoever acts; elsewhere another member's."""
    if place == ELSEWHERE:
        return make_award(session, world, place, actor, {})
    standing = session.scalar(
        select(StarApplication.id).where(
            StarApplication.member_id == actor, StarApplication.state == "awarded"
        )
    )
    if standing is not None:
        return standing
    branch_id = make_place(session, world, place, actor, made)
    application_id = own_waiting(session, world, place, actor, made)
    session.get_one(StarApplication, application_id).organization_id = branch_id
    session.flush()
    ended(session, noticed_by(session, branch_id, [application_id]))
    settled(session)
    return application_id


def hours_served(session: Session, _w: World, _place: str, actor: int, _made: Made) -> int:
    """So many stars as whoever acts may apply for."""
    with_hours(session, actor, 100)
    return 1


def a_number(session: Session, world: World, place: str, actor: int, made: Made) -> str:
    """The number of a star that holds."""
    award = session.get_one(StarApplication, make_award(session, world, place, actor, made))
    return award.number or ""


def levels_to_come(session: Session, _w: World, _p: str, _actor: int, _made: Made) -> str:
    if session.get(StarLevel, ("volunteer", TO_COME, 1)) is None:
        session.add_all(
            StarLevel(kind="volunteer", valid_from=TO_COME, stars=n, least=n)
            for n in range(1, 6)
        )
        session.flush()
    return TO_COME.isoformat()


PLACE = Kind(COMMUNITY, make_place)
APPLICATION = Kind(COMMUNITY, make_application)
IN_PLACE = Kind(MINE, make_application)
AWARD = Kind(COMMUNITY, make_award)
NOTICE = Kind(COMMUNITY, make_notice)
ITS_LINE = Kind(MINE, make_its_line)
REVOCATION = Kind(COMMUNITY, make_revocation)
OWN_WAITING = Kind(PERSON, own_waiting)
OWN_AWARD = Kind(PERSON, own_award)
REACHED = Kind(MINE, hours_served, 5)
NUMBER = Kind(MINE, a_number, "2026-999999-0000")
LEVELS = Kind(MINE, levels_to_come, "2029-01-01")
A = "application_id"

ROWS: list[Row] = [
    door("GET", "/api/v1/me/stars", MEMBERS),
    door("POST", OWN, MEMBERS, fields(stars="STARS"), stars=REACHED),
    door("POST", f"{OWN}/<id:{A}>/withdrawal", MEMBERS, application_id=OWN_WAITING),
    door("GET", f"{API}/applications", READERS),
    door("GET", f"{API}/applications/<id:{A}>", READERS, application_id=APPLICATION),
    door(
        "POST",
        f"{API}/applications/<id:{A}>/refusal",
        KEEPERS,
        fields(**WHY),
        application_id=APPLICATION,
    ),
    door(
        "POST",
        f"{API}/notices",
        KEEPERS,
        fields(organization_id="PLACE_ID", application_ids=["APPLICATION_ID"]),
        place_id=PLACE,
        application_id=IN_PLACE,
    ),
    door(
        "POST",
        f"{API}/notices/<id:notice_id>/corrections",
        KEEPERS,
        fields(application_ids=["LINE_ID"], **WHY),
        notice_id=NOTICE,
        line_id=ITS_LINE,
    ),
    door(
        "POST",
        f"{API}/applications/<id:{A}>/revocations",
        KEEPERS,
        fields(bar_years=2, **WHY),
        application_id=AWARD,
    ),
    door(
        "POST",
        f"{API}/revocations/<id:revocation_id>/decision",
        KEEPERS,
        fields(decision="confirm", **WHY),
        revocation_id=REVOCATION,
    ),
    door("GET", f"{API}/levels", MEMBERS),
    door("POST", f"{API}/levels", WHOLE, fields(**SET)),
    door(
        "POST",
        f"{API}/levels/withdrawal",
        WHOLE,
        fields(kind="volunteer", valid_from="VALID_FROM"),
        valid_from=LEVELS,
    ),
    door("POST", f"{API}/verification", ANYONE, fields(number="NUMBER"), number=NUMBER),
    door("GET", "/stars", MEMBERS),
    door("POST", "/stars", MEMBERS, form(stars="STARS"), stars=Kind(MINE, hours_served, 1)),
    door("POST", f"/stars/<id:{A}>/withdrawal", MEMBERS, application_id=OWN_WAITING),
    door("GET", f"/stars/<id:{A}>/certificate", MEMBERS, application_id=OWN_AWARD),
    door("GET", f"/stars/<id:{A}>/certificate.pdf", MEMBERS, application_id=OWN_AWARD),
    door("GET", "/stars/applications", READERS),
    door("GET", f"/stars/applications/<id:{A}>", READERS, application_id=APPLICATION),
    door("GET", f"/stars/applications/<id:{A}>/certificate.pdf", KEEPERS, application_id=AWARD),
    door(
        "POST",
        f"/stars/applications/<id:{A}>/refusal",
        KEEPERS,
        form(**WHY),
        application_id=APPLICATION,
    ),
    door(
        "POST",
        "/stars/notices",
        KEEPERS,
        form(organization_id="PLACE_ID", application_id="APPLICATION_ID"),
        place_id=PLACE,
        application_id=IN_PLACE,
    ),
    door(
        "POST",
        "/stars/notices/<id:notice_id>/corrections",
        KEEPERS,
        form(application_id="LINE_ID", **WHY),
        notice_id=NOTICE,
        line_id=ITS_LINE,
    ),
    door(
        "POST",
        f"/stars/applications/<id:{A}>/revocations",
        KEEPERS,
        form(bar_years="2", **WHY),
        application_id=AWARD,
    ),
    door(
        "POST",
        "/stars/revocations/<id:revocation_id>/decision",
        KEEPERS,
        form(decision="confirm", **WHY),
        revocation_id=REVOCATION,
    ),
    door("GET", "/stars/levels", ("administrator",)),
    door(
        "POST", "/stars/levels", WHOLE, form(kind="volunteer", valid_from="2031-01-01", **TYPED)
    ),
    door(
        "POST",
        "/stars/levels/withdrawal",
        WHOLE,
        form(kind="volunteer", valid_from="VALID_FROM"),
        valid_from=LEVELS,
    ),
    door("GET", "/stars/check", ANYONE),
    door("POST", "/stars/check", ANYONE, form(number="NUMBER"), number=NUMBER),
]
