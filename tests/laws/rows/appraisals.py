"""Who may knock at evaluation papers, democratic appraisals and organization life."""

from typing import Any

from sqlalchemy import update
from sqlalchemy.orm import Session

from pointsbank.appraisals.meetings import NewAppraisal
from pointsbank.appraisals.policy import Count
from pointsbank.members.models import Member
from pointsbank.members.queries import member_of
from pointsbank.organizations.queries import organization_of
from tests.appraisals.committee_room import LONG_AGO, SPRING, entered_by, state_by
from tests.builders import a_branch, a_member, with_role
from tests.laws.doors import MEMBERS, READERS, Row, asking, door, fields, form
from tests.laws.rows.belonging import BRANCH_CODE
from tests.laws.world import (
    COMMUNITY,
    OWN,
    PERSON,
    SHARED,
    Kind,
    Made,
    World,
)

LOOKING = ("administrator", "secretary", "committee", "auditor")
API, PAPERS = "/api/v1/evaluation-papers", "/evaluation-papers"
ONE = "/<kind>/<id:paper_id>"
YES = {"decision": "confirm", "reason": "属实"}
DAY = SPRING.isoformat()
DEDUCTION = {"hundredths": 500, "occurred_on": DAY, "reason": "无故缺席"}
VETO = {"reason_code": "discipline", "reason": "处分", "document_no": "3号", "occurred_on": DAY}
EXEMPTION = {"reason_code": "long_illness", "from_on": DAY}
LATE = {
    "item_code": "volunteer_hour",
    "service_minutes": 60,
    "occurred_on": DAY,
    "reason": "漏结算",
    "document_no": "签到表3号",
}


def a_party_member(session: Session, world: World, place: str) -> int:
    branch = world.ground(place).branch_id
    return a_member(session, "吴海燕", branch, kind="party_member", now=LONG_AGO)


def make_party_member(
    session: Session, world: World, place: str, _actor: int, _made: Made
) -> int:
    return a_party_member(session, world, place)


def a_secretary(session: Session, world: World, place: str) -> int:
    ground = world.ground(place)
    return with_role(session, a_member(session, "周书记"), "secretary", ground.community_id)


def make_kind(_session: Session, _world: World, _place: str, _actor: int, _made: Made) -> str:
    return "deductions"


def make_paper(session: Session, world: World, place: str, _actor: int, made: Made) -> int:
    """A paper of the kind made before, entered by a secretary of that side."""
    author, member_id = (
        a_secretary(session, world, place),
        a_party_member(session, world, place),
    )
    return entered_by(session, made.get("kind", "deductions"), author, member_id)


def make_paper_in_force(
    session: Session, world: World, place: str, actor: int, made: Made
) -> int:
    paper_id = make_paper(session, world, place, actor, made)
    return state_by(session, "confirm", paper_id, a_secretary(session, world, place))


def make_contested_paper(
    session: Session, world: World, place: str, actor: int, made: Made
) -> int:
    paper_id = make_paper(session, world, place, actor, made)
    return state_by(session, "contest", paper_id, None)


def make_own_paper(session: Session, world: World, place: str, actor: int, _made: Made) -> int:
    """A deduction about whoever acts; elsewhere about another member of the same side."""
    member_id = actor if place == OWN else a_party_member(session, world, OWN)
    session.execute(update(Member).where(Member.id == member_id).values(kind="party_member"))
    return entered_by(session, "deductions", a_secretary(session, world, OWN), member_id)


def new_appraisal(session: Session, world: World, place: str) -> NewAppraisal:
    branch = a_branch(session, None, world.ground(place).community_id)
    member_id = a_member(session, "吴海燕", branch, kind="party_member", now=LONG_AGO)
    code = organization_of(session, branch).code
    return NewAppraisal(code, SPRING, 3, [Count(member_id, 3, 0, 0, 0)])


def make_appraisal(session: Session, world: World, place: str, _actor: int, _made: Made) -> int:
    author = a_secretary(session, world, place)
    return entered_by(session, "appraisal", author, new_appraisal(session, world, place))


def make_confirmed_appraisal(
    session: Session, world: World, place: str, actor: int, made: Made
) -> int:
    appraisal_id = make_appraisal(session, world, place, actor, made)
    return state_by(session, "appraise", appraisal_id, a_secretary(session, world, place))


PARTY_MEMBER = Kind(COMMUNITY, make_party_member)
PAPER_KIND = Kind(SHARED, make_kind, "presents")
PAPER = Kind(COMMUNITY, make_paper)
PAPER_IN_FORCE = Kind(COMMUNITY, make_paper_in_force)
CONTESTED = Kind(COMMUNITY, make_contested_paper)
OWN_PAPER = Kind(PERSON, make_own_paper)
APPRAISAL = Kind(COMMUNITY, make_appraisal)
CONFIRMED_APPRAISAL = Kind(COMMUNITY, make_confirmed_appraisal)


def make_party_number(
    session: Session, world: World, place: str, actor: int, made: Made
) -> str:
    return member_of(session, a_party_member(session, world, place)).volunteer_no


PARTY_NUMBER = Kind(COMMUNITY, make_party_number, "V99999999")


def not_taken(answer: Any) -> bool:
    return answer.status_code == 422


ROWS: list[Row] = [
    door("GET", f"{API}/<kind>", LOOKING, kind=PAPER_KIND),
    door(
        "POST",
        f"{API}/deductions",
        READERS,
        fields(member_id="MEMBER_ID", **DEDUCTION),
        member_id=PARTY_MEMBER,
    ),
    door(
        "POST",
        f"{API}/vetoes",
        READERS,
        fields(member_id="MEMBER_ID", **VETO),
        member_id=PARTY_MEMBER,
    ),
    door(
        "POST",
        f"{API}/exemptions",
        READERS,
        fields(member_id="MEMBER_ID", **EXEMPTION),
        member_id=PARTY_MEMBER,
    ),
    door(
        "POST",
        f"{API}/late_entries",
        READERS,
        fields(member_id="MEMBER_ID", **LATE),
        member_id=PARTY_MEMBER,
    ),
    door("GET", API + ONE, LOOKING, kind=PAPER_KIND, paper_id=PAPER),
    door(
        "POST", f"{API}{ONE}/decision", READERS, fields(**YES), kind=PAPER_KIND, paper_id=PAPER
    ),
    door(
        "POST",
        f"{API}{ONE}/lifting",
        READERS,
        fields(reason="复核"),
        kind=PAPER_KIND,
        paper_id=PAPER_IN_FORCE,
    ),
    door(
        "POST",
        f"{API}{ONE}/answer",
        READERS,
        fields(answer="已核实"),
        kind=PAPER_KIND,
        paper_id=CONTESTED,
    ),
    door("GET", "/api/v1/me/evaluation-papers", MEMBERS),
    door(
        "POST",
        f"/api/v1/me/evaluation-papers{ONE}/statement",
        MEMBERS,
        fields(statement="我住院了"),
        kind=PAPER_KIND,
        paper_id=OWN_PAPER,
    ),
    door("GET", "/api/v1/appraisals", LOOKING),
    door(
        "POST",
        "/api/v1/appraisals",
        READERS,
        fields(
            organization_code="CODE",
            held_on=DAY,
            ballots=3,
            votes=[
                {
                    "member_id": "MEMBER_ID",
                    "excellent": 2,
                    "qualified": 1,
                    "basic": 0,
                    "unqualified": 0,
                }
            ],
        ),
        is_done=lambda answer: answer.status_code in (201, 400, 409),
        is_foreign=lambda answer: answer.status_code in (400, 404),
        code=BRANCH_CODE,
        member_id=PARTY_MEMBER,
    ),
    door("GET", "/api/v1/appraisals/<id:appraisal_id>", LOOKING, appraisal_id=APPRAISAL),
    door(
        "POST",
        "/api/v1/appraisals/<id:appraisal_id>/decision",
        READERS,
        fields(**YES),
        appraisal_id=APPRAISAL,
    ),
    door(
        "POST",
        "/api/v1/appraisals/<id:appraisal_id>/lifting",
        READERS,
        fields(reason="复核"),
        appraisal_id=CONFIRMED_APPRAISAL,
    ),
    door(
        "GET",
        "/api/v1/organization-life",
        LOOKING,
        asking(organization_code="CODE"),
        code=BRANCH_CODE,
    ),
    door("GET", PAPERS, LOOKING),
    door("GET", f"{PAPERS}/<kind>", LOOKING, kind=PAPER_KIND),
    door("GET", f"{PAPERS}/<kind>/new", READERS, kind=PAPER_KIND),
    door(
        "GET",
        "/members/<id:member_id>/evaluation-papers/<kind>/new",
        READERS,
        member_id=PARTY_MEMBER,
        kind=PAPER_KIND,
    ),
    door(
        "POST",
        f"{PAPERS}/<kind>/new",
        READERS,
        form(volunteer_no="NUMBER", score="5", occurred_on=DAY, reason="无故缺席"),
        is_foreign=not_taken,
        kind=PAPER_KIND,
        number=PARTY_NUMBER,
    ),
    door("GET", PAPERS + ONE, LOOKING, kind=PAPER_KIND, paper_id=PAPER),
    door(
        "POST",
        f"{PAPERS}{ONE}/decision",
        READERS,
        form(**YES),
        kind=PAPER_KIND,
        paper_id=PAPER,
    ),
    door(
        "POST",
        f"{PAPERS}{ONE}/lifting",
        READERS,
        form(reason="复核"),
        kind=PAPER_KIND,
        paper_id=PAPER_IN_FORCE,
    ),
    door(
        "POST",
        f"{PAPERS}{ONE}/answer",
        READERS,
        form(answer="已核实"),
        kind=PAPER_KIND,
        paper_id=CONTESTED,
    ),
    door("GET", "/my-evaluation-papers", MEMBERS),
    door(
        "POST",
        f"/my-evaluation-papers{ONE}/statement",
        MEMBERS,
        form(statement="我住院了"),
        kind=PAPER_KIND,
        paper_id=OWN_PAPER,
    ),
    door("GET", "/appraisals/new", READERS),
    door(
        "POST",
        "/appraisals/counts",
        READERS,
        form(organization_code="CODE", held_on=DAY),
        code=BRANCH_CODE,
    ),
    door(
        "POST",
        "/appraisals/new",
        READERS,
        form(organization_code="CODE", held_on=DAY, ballots="3"),
        is_done=not_taken,
        code=BRANCH_CODE,
    ),
    door("GET", "/appraisals/<id:appraisal_id>", LOOKING, appraisal_id=APPRAISAL),
    door(
        "POST",
        "/appraisals/<id:appraisal_id>/decision",
        READERS,
        form(**YES),
        appraisal_id=APPRAISAL,
    ),
    door(
        "POST",
        "/appraisals/<id:appraisal_id>/lifting",
        READERS,
        form(reason="复核"),
        appraisal_id=CONFIRMED_APPRAISAL,
    ),
    door("GET", "/organization-life", LOOKING, asking(organization="CODE"), code=BRANCH_CODE),
]
