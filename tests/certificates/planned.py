"""Plans of organizations at every stage, and notices of them."""

from datetime import date

from sqlalchemy import select
from sqlalchemy.orm import Session

from pointsbank.certificates.models import OrganizationStarPlan, PlanItem
from pointsbank.certificates.noticing import draft_plans_notice
from pointsbank.certificates.planning import NewItem, deliver_item, file_plan
from pointsbank.certificates.rating import review_plan, self_rate
from pointsbank.core.actor import Actor, Grant
from pointsbank.organizations.models import Organization
from tests.builders import SHANGHAI, TODAY, a_member, with_role
from tests.moments import NOON
from tests.scoring.hands import actor_of

STAGES = ("filed", "self_rated", "reviewed")
EVERYTHING = (Grant("administrator", "/"),)


def whole(session: Session) -> Actor:
    """Return a new administrator of everything."""
    return Actor(a_member(session, "市管理"), "市管理", 0, 0, EVERYTHING)


def two_items(owner_id: int) -> list[NewItem]:
    """Return two tasks, of 60 and of 40 marks."""
    return [
        NewItem("楼道清理", "每月一次", owner_id, date(2026, 11, 10), 60),
        NewItem("邻里课堂", "", owner_id, date(2026, 12, 20), 40),
    ]


def a_plan_of(
    session: Session,
    organization_id: int,
    *,
    state: str = "filed",
    owner_id: int | None = None,
    delivers: bool = True,
    marks: tuple[int, int] = (60, 0),
) -> int:
    """Return the id of a plan at a stage, filed by a secretary of its own; the first of its two
    items is delivered.

    owner_id: a new member there when not given, and perhaps somebody from elsewhere.
    """
    secretary = a_member(session, "张书记", organization_id)
    with_role(session, secretary, "secretary", organization_id)
    actor = actor_of(session, secretary)
    owner = a_member(session, "吴海燕", organization_id)
    plan_id = file_plan(
        session,
        actor=actor,
        organization_id=organization_id,
        year=TODAY.year,
        items=two_items(owner),
        today=TODAY,
        now=NOON,
    )
    if delivers:
        delivered(session, plan_id, actor, 1)
        if marks[1]:
            delivered(session, plan_id, actor, 2)
    if owner_id is not None:
        for item in session.scalars(select(PlanItem).where(PlanItem.plan_id == plan_id)):
            item.owner_id = owner_id
        session.flush()
    if state != "filed":
        given = dict(enumerate(marks, 1))
        self_rate(session, actor=actor, plan_id=plan_id, marks=given, now=NOON)
    if state == "reviewed":
        reviewed(session, plan_id, whole(session), marks)
    session.expire_all()
    return plan_id


def delivered(session: Session, plan_id: int, actor: Actor, no: int) -> None:
    """Deliver an item."""
    deliver_item(
        session,
        actor=actor,
        plan_id=plan_id,
        no=no,
        evidence="照片在社区公告栏",
        today=TODAY,
        now=NOON,
    )


def reviewed(session: Session, plan_id: int, actor: Actor, marks: tuple[int, int]) -> int:
    """Review a plan, and return the stars."""
    return review_plan(
        session,
        actor=actor,
        plan_id=plan_id,
        marks=dict(enumerate(marks, 1)),
        words="材料齐全",
        zone=SHANGHAI,
        now=NOON,
    )


def plans_noticed(session: Session, organization_id: int, plan_ids: list[int]) -> int:
    """Put plans into a notice, by an administrator of everything."""
    return draft_plans_notice(
        session,
        actor=whole(session),
        organization_id=organization_id,
        plan_ids=plan_ids,
        now=NOON,
    )


def plan_state(session: Session, plan_id: int) -> str | None:
    return session.scalar(
        select(OrganizationStarPlan.state).where(OrganizationStarPlan.id == plan_id)
    )


def path_of(session: Session, organization_id: int) -> str:
    return session.get_one(Organization, organization_id).path
