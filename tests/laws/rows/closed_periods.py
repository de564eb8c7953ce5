"""Who may look at closed periods, correct, show and archive them, and who grades a year."""

import secrets
from datetime import timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from pointsbank.core.actor import Actor, Grant
from pointsbank.core.calendar import read_period
from pointsbank.organizations.models import Organization
from pointsbank.rankings.closing import close_period, cut_at
from pointsbank.rankings.correcting import ask_correction, decide_correction
from pointsbank.rankings.grading import Opinion, decide_case, open_review, say_grade
from pointsbank.rankings.models import SnapshotCorrection
from tests.builders import SHANGHAI, a_branch, a_member, a_score_entry
from tests.laws.doors import MEMBERS, Row, door, fields, form
from tests.laws.world import COMMUNITY, SHARED, Kind, Made, World
from tests.moments import NOON

CORRECTING = ("administrator", "secretary", "committee")
READING = (*CORRECTING, "auditor")
COMMITTEE = ("secretary", "committee")
QUARTER, YEAR = read_period("2026-Q3"), read_period("2025")
WHY = {"reason": "漏记一次服务"}


def place_at(session: Session, world: World, place: str) -> tuple[int, int]:
    """Return a new branch on that side and its one member, who was there all along."""
    ground = world.ground(place)
    branch_id = a_branch(
        session, f"P{secrets.token_hex(6)}", ground.community_id, now=NOON - timedelta(days=900)
    )
    member_id = a_member(session, "吴海燕", branch_id, now=NOON - timedelta(days=900))
    return branch_id, member_id


def closed(session: Session, world: World, place: str, period: str) -> tuple[int, int]:
    """Return a branch with a closed period, and its member, who got an entry afterwards."""
    span = read_period(period)
    branch_id, member_id = place_at(session, world, place)
    a_score_entry(session, member_id, earned_on=span.first_on, now=span.starts_at(SHANGHAI))
    at = cut_at(span, SHANGHAI)
    close_period(session, organization_id=branch_id, period=span, zone=SHANGHAI, now=at)
    late = max(at, NOON - timedelta(days=20))
    a_score_entry(session, member_id, earned_on=span.first_on, now=late)
    return branch_id, member_id


def make_closed(session: Session, world: World, place: str, _actor: int, _made: Made) -> int:
    """A branch of that side whose quarter is closed, with an entry that came later."""
    return closed(session, world, place, QUARTER.name)[0]


def make_year(session: Session, world: World, place: str, _actor: int, _made: Made) -> int:
    """A branch of that side whose year is closed."""
    return closed(session, world, place, YEAR.name)[0]


def acting(session: Session, branch_id: int, role: str) -> Actor:
    """Return somebody else of the branch's community with this role over the branch."""
    path = session.scalars(select(Organization.path).where(Organization.id == branch_id)).one()
    member_id = a_member(session, "孙支委")
    return Actor(member_id, "孙支委", branch_id, 1, (Grant(role, path),))


def make_correction(session: Session, world: World, place: str, actor: int, made: Made) -> int:
    """A correction that somebody else asked for."""
    branch_id = make_closed(session, world, place, actor, made)
    return ask_correction(
        session,
        organization_id=branch_id,
        period=QUARTER.name,
        reason="漏记一次服务",
        objection_id=None,
        actor=acting(session, branch_id, "secretary"),
        zone=SHANGHAI,
        now=NOON,
    )


def make_corrected(session: Session, world: World, place: str, actor: int, made: Made) -> int:
    """A branch of that side whose closed quarter was counted anew, for a reason."""
    correction_id = make_correction(session, world, place, actor, made)
    branch_id = session.get_one(SnapshotCorrection, correction_id).organization_id
    decide_correction(
        session,
        correction_id=correction_id,
        actor=acting(session, branch_id, "committee"),
        is_confirmed=True,
        reason="属实",
        zone=SHANGHAI,
        now=NOON,
    )
    return branch_id


def begun(session: Session, world: World, place: str, made: Made) -> tuple[int, Actor]:
    """Return grades with one case and two voices in it, and one of those who spoke."""
    branch_id, member_id = closed(session, world, place, YEAR.name)
    judge = acting(session, branch_id, "committee")
    review_id = open_review(
        session, organization_id=branch_id, period=YEAR.name, actor=judge, now=NOON
    )
    for by in (judge, acting(session, branch_id, "committee")):
        say_grade(
            session,
            review_id=review_id,
            member_id=member_id,
            opinion=Opinion("unqualified", ""),
            actor=by,
            now=NOON,
        )
    made["graded_id"] = member_id
    return review_id, judge


def make_review(session: Session, world: World, place: str, _actor: int, made: Made) -> int:
    """Grades of a year that were begun."""
    return begun(session, world, place, made)[0]


def make_decided(session: Session, world: World, place: str, _actor: int, made: Made) -> int:
    """Grades whose one case is decided."""
    review_id, judge = begun(session, world, place, made)
    decide_case(
        session,
        review_id=review_id,
        member_id=made["graded_id"],
        opinion=Opinion("unqualified", ""),
        actor=judge,
        now=NOON,
    )
    return review_id


def graded(_session: Session, _world: World, _place: str, _actor: int, made: Made) -> int:
    """The member of the case made before."""
    return int(made["graded_id"])


def not_public(answer: TestResponse) -> bool:
    """Tell whether it was refused only because no ranking is public here."""
    if answer.is_json:
        return answer.status_code == 409
    return answer.status_code < 400 and "error" in getattr(answer, "told", ())


CLOSED, CLOSED_YEAR = Kind(COMMUNITY, make_closed), Kind(COMMUNITY, make_year)
CORRECTION, CORRECTED = (Kind(COMMUNITY, make) for make in (make_correction, make_corrected))
REVIEW, DECIDED = Kind(COMMUNITY, make_review), Kind(COMMUNITY, make_decided)
GRADED = Kind(SHARED, graded)
PERIOD = Kind(SHARED, lambda *_: QUARTER.name, "NONSENSE")
PERIOD_YEAR = Kind(SHARED, lambda *_: YEAR.name, "NONSENSE")
NEWEST = Kind(SHARED, lambda *_: 2, 77)

ONE = "/periods/<string:period>/<id:organization_id>"
API = "/api/v1/closed-periods/<string:period>/<id:organization_id>"
CASE = "/grades/<id:review_id>/members/<id:member_id>"
ABOUT = {"period": PERIOD, "organization_id": CLOSED}
ABOUT_CORRECTED = {"period": PERIOD, "organization_id": CORRECTED}
ABOUT_YEAR = {"period": PERIOD_YEAR, "organization_id": CLOSED_YEAR}
ABOUT_CASE = {"review_id": REVIEW, "member_id": GRADED}
ABOUT_DECIDED = {"review_id": DECIDED, "member_id": GRADED}
GRADE = {"grade": "unqualified", "reason": ""}
AGAIN = {"reason": "异议成立"}

PERIODS: list[Row] = [
    door("GET", "/api/v1/closed-periods", READING),
    door("GET", API, READING, **ABOUT_CORRECTED),
    door("GET", f"{API}/changes", READING, **ABOUT),
    door("POST", f"{API}/corrections", CORRECTING, fields(**WHY), **ABOUT),
    door(
        "POST",
        "/api/v1/corrections/<id:correction_id>/decision",
        CORRECTING,
        fields(decision="confirm", reason="属实"),
        correction_id=CORRECTION,
    ),
    door("POST", f"{API}/notice", CORRECTING, is_done=not_public, **ABOUT),
    door("POST", f"{API}/archive", CORRECTING, **ABOUT),
    door("GET", "/periods", READING),
    door("GET", ONE, READING, **ABOUT_CORRECTED),
    door("GET", f"{ONE}/versions/<id:version>", READING, version=NEWEST, **ABOUT_CORRECTED),
    door("POST", f"{ONE}/sheet.xlsx", READING, form(version=1), **ABOUT),
    door("GET", f"{ONE}/correction", CORRECTING, **ABOUT),
    door("POST", f"{ONE}/correction", CORRECTING, form(**WHY), **ABOUT),
    door(
        "POST",
        "/corrections/<id:correction_id>/decision",
        CORRECTING,
        form(decision="confirm", reason="属实"),
        correction_id=CORRECTION,
    ),
    door("POST", f"{ONE}/notice", CORRECTING, is_done=not_public, **ABOUT),
    door("POST", f"{ONE}/archive", CORRECTING, **ABOUT),
]
GRADES: list[Row] = [
    door("POST", f"{API}/grades", COMMITTEE, **ABOUT_YEAR),
    door("GET", "/api/v1/grades/<id:review_id>", COMMITTEE, review_id=REVIEW),
    door("GET", f"/api/v1{CASE}", COMMITTEE, **ABOUT_CASE),
    door("POST", f"/api/v1{CASE}/voice", COMMITTEE, fields(**GRADE), **ABOUT_CASE),
    door("POST", f"/api/v1{CASE}/decision", COMMITTEE, fields(**GRADE), **ABOUT_CASE),
    door("POST", f"/api/v1{CASE}/again", COMMITTEE, fields(**AGAIN), **ABOUT_DECIDED),
    door(
        "POST",
        "/api/v1/grades/<id:review_id>/notice",
        COMMITTEE,
        fields(),
        review_id=DECIDED,
    ),
    door("GET", "/api/v1/me/grades", MEMBERS),
    door("POST", f"{ONE}/grades", COMMITTEE, **ABOUT_YEAR),
    door("GET", "/grades/<id:review_id>", COMMITTEE, review_id=REVIEW),
    door("GET", CASE, COMMITTEE, **ABOUT_CASE),
    door("POST", f"{CASE}/voice", COMMITTEE, form(**GRADE), **ABOUT_CASE),
    door("POST", f"{CASE}/decision", COMMITTEE, form(**GRADE), **ABOUT_CASE),
    door("POST", f"{CASE}/again", COMMITTEE, form(**AGAIN), **ABOUT_DECIDED),
    door("POST", "/grades/<id:review_id>/notice", COMMITTEE, form(), review_id=DECIDED),
    door("GET", "/me/grades", MEMBERS),
]
ROWS: list[Row] = [*PERIODS, *GRADES]
