"""Who may knock at plans and stars of organizations."""

from sqlalchemy import select
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from pointsbank.certificates.models import OrganizationStarPlan
from pointsbank.members.models import Member
from tests.builders import a_branch, a_member
from tests.certificates.planned import a_plan_of, plans_noticed
from tests.laws.doors import (
    ANYONE,
    MEMBERS,
    Row,
    asking,
    door,
    fields,
    form,
    says_nothing_is_there,
)
from tests.laws.world import COMMUNITY, MINE, PERSON, Kind, Made, World

SECRETARY = ("secretary",)
ADMINISTRATOR = ("administrator",)
READERS = ("administrator", "secretary", "auditor")
BANDS = ("administrator", "auditor")
API = "/api/v1/organization-plans"
PLANS = "/organization-plans"
ONE = "<id:plan_id>"
ITEMS = [{"task": "楼道清理", "owner_id": "OWNER_ID", "due_on": "2026-12-01", "marks": 100}]
TYPED = {
    "task_1": "楼道清理",
    "owner_no_1": "OWNER_NO",
    "due_on_1": "2026-12-01",
    "marks_1": "100",
}
MARKS = {"marks": [{"no": 1, "marks": 60}, {"no": 2, "marks": 0}]}
MARKS_TYPED = {"marks_1": "60", "marks_2": "0"}
WHY = {"reason": "异议成立"}


def make_place(session: Session, world: World, place: str, _actor: int, _made: Made) -> int:
    return a_branch(session, None, world.ground(place).community_id)


def make_owner(session: Session, world: World, place: str, _actor: int, made: Made) -> int:
    """A member of the branch made before, or of the plan's."""
    branch_id = made.get("place_id")
    if branch_id is None:
        branch_id = session.get_one(OrganizationStarPlan, made["plan_id"]).organization_id
    return a_member(session, "吴海燕", branch_id)


def make_owner_no(session: Session, world: World, place: str, actor: int, made: Made) -> str:
    member_id = make_owner(session, world, place, actor, made)
    return session.get_one(Member, member_id).volunteer_no


def in_state(state: str, *, is_mine: bool = False) -> Kind:
    """A plan of that side; two items, the first delivered. is_mine: whoever acts owns them."""

    def make(session: Session, world: World, place: str, actor: int, made: Made) -> int:
        branch_id = make_place(session, world, place, actor, made)
        owner = actor if is_mine and place == "own" else None
        return a_plan_of(session, branch_id, state=state, owner_id=owner)

    return Kind(PERSON if is_mine and state == "filed" else COMMUNITY, make)


def fresh_plan(session: Session, world: World, place: str, actor: int, made: Made) -> int:
    """A plan of which nothing is delivered."""
    branch_id = make_place(session, world, place, actor, made)
    return a_plan_of(session, branch_id, state="filed", delivers=False)


def readable(session: Session, world: World, place: str, actor: int, made: Made) -> int:
    """A plan with an item of whoever acts."""
    branch_id = make_place(session, world, place, actor, made)
    return a_plan_of(session, branch_id, owner_id=actor)


def of_place(session: Session, _w: World, _place: str, _actor: int, made: Made) -> int:
    """A reviewed plan of a branch under the place made before."""
    below = a_branch(session, None, made["place_id"])
    return a_plan_of(session, below, state="reviewed")


def make_notice(session: Session, world: World, place: str, actor: int, made: Made) -> int:
    above = make_place(session, world, place, actor, made)
    below = a_branch(session, None, above)
    return plans_noticed(session, above, [a_plan_of(session, below, state="reviewed")])


def its_line(session: Session, _w: World, _place: str, _actor: int, made: Made) -> int:
    found = session.scalar(
        select(OrganizationStarPlan.id).where(
            OrganizationStarPlan.notice_id == made["notice_id"]
        )
    )
    return found or 0


FRESH = Kind(COMMUNITY, fresh_plan)
OF_MINE = Kind(MINE, readable)
FILED = in_state("filed")
MINE_TO_DELIVER = in_state("filed", is_mine=True)
RATED = in_state("self_rated")
PLACE = Kind(COMMUNITY, make_place)
OWNER = Kind(MINE, make_owner)
OWNER_NO = Kind(MINE, make_owner_no, "V99999999")
OF_PLACE = Kind(MINE, of_place)
NOTICE = Kind(COMMUNITY, make_notice)
ITS_LINE = Kind(MINE, its_line)
FIRST = Kind(MINE, lambda *_: 1)
NEW = {"organization_id": "PLACE_ID", "year": 2026}


def asks_again(answer: TestResponse) -> bool:
    """Tell whether the form came back, an owner was refused, or nothing was there."""
    return answer.status_code in (400, 403, 404, 422)


ROWS: list[Row] = [
    door("GET", API, MEMBERS),
    door(
        "POST",
        API,
        SECRETARY,
        fields(items=ITEMS, **NEW),
        place_id=PLACE,
        owner_id=OWNER,
        is_foreign=asks_again,
    ),
    door(
        "GET",
        f"{API}/{ONE}",
        READERS,
        plan_id=FILED,
        is_denied=says_nothing_is_there,
    ),
    door("GET", f"{API}/{ONE}", MEMBERS, plan_id=OF_MINE, case="with an item of one's own"),
    door(
        "PUT",
        f"{API}/{ONE}",
        SECRETARY,
        fields(items=ITEMS),
        plan_id=FRESH,
        owner_id=OWNER,
        is_foreign=asks_again,
    ),
    door("POST", f"{API}/{ONE}/withdrawal", SECRETARY, plan_id=FILED),
    door(
        "POST",
        f"{API}/{ONE}/items/<id:no>/delivery",
        MEMBERS,
        fields(evidence="照片在社区公告栏"),
        plan_id=MINE_TO_DELIVER,
        no=FIRST,
    ),
    door("POST", f"{API}/{ONE}/self-rating", SECRETARY, fields(**MARKS), plan_id=FILED),
    door(
        "POST", f"{API}/{ONE}/review", ADMINISTRATOR, fields(words="好", **MARKS), plan_id=RATED
    ),
    door(
        "POST",
        f"{API}/notices",
        ADMINISTRATOR,
        fields(organization_id="PLACE_ID", plan_ids=["PLAN_ID"]),
        place_id=PLACE,
        plan_id=OF_PLACE,
    ),
    door(
        "POST",
        f"{API}/notices/<id:notice_id>/corrections",
        ADMINISTRATOR,
        fields(plan_ids=["LINE_ID"], **WHY),
        notice_id=NOTICE,
        line_id=ITS_LINE,
    ),
    door("GET", f"{API}/bands", BANDS, asking(year="2026")),
    door("GET", "/api/v1/organization-stars", ANYONE),
    door("GET", PLANS, MEMBERS),
    door("GET", f"{PLANS}/new", SECRETARY),
    door(
        "POST",
        f"{PLANS}/new",
        SECRETARY,
        form(organization_id="PLACE_ID", year="2026", **TYPED),
        place_id=PLACE,
        owner_no=OWNER_NO,
        is_foreign=asks_again,
    ),
    door(
        "GET",
        f"{PLANS}/{ONE}",
        READERS,
        plan_id=FILED,
        is_denied=says_nothing_is_there,
    ),
    door("GET", f"{PLANS}/{ONE}", MEMBERS, plan_id=OF_MINE, case="with an item of one's own"),
    door("GET", f"{PLANS}/{ONE}/change", SECRETARY, plan_id=FRESH),
    door(
        "POST",
        f"{PLANS}/{ONE}/change",
        SECRETARY,
        form(**TYPED),
        plan_id=FRESH,
        owner_no=OWNER_NO,
        is_foreign=asks_again,
    ),
    door("POST", f"{PLANS}/{ONE}/withdrawal", SECRETARY, plan_id=FILED),
    door(
        "POST",
        f"{PLANS}/{ONE}/items/<id:no>/delivery",
        MEMBERS,
        form(evidence="照片在社区公告栏"),
        plan_id=MINE_TO_DELIVER,
        no=FIRST,
    ),
    door("POST", f"{PLANS}/{ONE}/self-rating", SECRETARY, form(**MARKS_TYPED), plan_id=FILED),
    door(
        "POST",
        f"{PLANS}/{ONE}/review",
        ADMINISTRATOR,
        form(words="好", **MARKS_TYPED),
        plan_id=RATED,
    ),
    door(
        "POST",
        f"{PLANS}/notices",
        ADMINISTRATOR,
        form(organization_id="PLACE_ID", plan_id="PLAN_ID"),
        place_id=PLACE,
        plan_id=OF_PLACE,
    ),
    door(
        "POST",
        f"{PLANS}/notices/<id:notice_id>/corrections",
        ADMINISTRATOR,
        form(plan_id="LINE_ID", **WHY),
        notice_id=NOTICE,
        line_id=ITS_LINE,
    ),
    door("GET", f"{PLANS}/bands", BANDS),
    door("GET", "/organization-stars", ANYONE),
]
