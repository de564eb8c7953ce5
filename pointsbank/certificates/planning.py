"""A year's plan of an organization: filed, changed, delivered item by item, withdrawn."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import delete, insert, select, update
from sqlalchemy.orm import Session

from pointsbank.certificates.models import MARKS_ALL, OrganizationStarPlan, PlanItem
from pointsbank.certificates.plans_errors import (
    BadPlanYear,
    DueOutsideYear,
    MarksNotWhole,
    OwnerElsewhere,
    PlanBegun,
    PlanFiled,
    PlanItemNotFound,
    PlanMoved,
    PlanNotFound,
)
from pointsbank.certificates.plans_queries import PlanFile, items_of, plan_of
from pointsbank.core.actor import Actor
from pointsbank.core.audit import note
from pointsbank.members.errors import MemberNotFound
from pointsbank.members.models import Member
from pointsbank.messages.service import tell
from pointsbank.organizations.models import Organization
from pointsbank.organizations.queries import OrganizationNode, organization_of, within

FILERS = ("secretary",)


@dataclass(frozen=True)
class NewItem:
    """One task as it is planned: how it is done, whose it is, its last day and its marks."""

    task: str
    measures: str
    owner_id: int
    due_on: date
    marks: int


def file_plan(
    session: Session,
    *,
    actor: Actor,
    organization_id: int,
    year: int,
    items: Sequence[NewItem],
    today: date,
    now: datetime,
) -> int:
    """File the plan of an organization for this year or the next, and return its id.

    Its items are numbered from 1 in their order; their owners are told.
    Raises OrganizationNotFound, BadPlanYear, PlanFiled, MarksNotWhole, DueOutsideYear,
    OwnerElsewhere.
    """
    place = organization_of(session, organization_id, actor.paths(*FILERS))
    if year not in (today.year, today.year + 1):
        raise BadPlanYear
    standing = session.scalar(
        select(OrganizationStarPlan.id).where(
            OrganizationStarPlan.organization_id == organization_id,
            OrganizationStarPlan.year == year,
            OrganizationStarPlan.state != "withdrawn",
        )
    )
    if standing is not None:
        raise PlanFiled
    _judge(session, place, year, items)
    plan_id = session.execute(
        insert(OrganizationStarPlan)
        .values(
            organization_id=organization_id,
            year=year,
            filed_by_id=actor.member_id,
            filed_at=now,
        )
        .returning(OrganizationStarPlan.id)
    ).scalar_one()
    _write(session, plan_id, items, actor.member_id, now)
    note_plan(session, actor, "file_star_plan", plan_id, now)
    return plan_id


def _judge(
    session: Session, place: OrganizationNode, year: int, items: Sequence[NewItem]
) -> None:
    total = sum(each.marks for each in items)
    if total != MARKS_ALL:
        raise MarksNotWhole(sum=total)
    owners = {each.owner_id for each in items}
    at_home = set(
        session.scalars(
            select(Member.id)
            .join(Organization, Organization.id == Member.organization_id)
            .where(
                Member.id.in_(owners),
                Member.state == "active",
                within(Organization.path, [place.path]),
            )
        )
    )
    for no, each in enumerate(items, 1):
        if each.due_on.year != year:
            raise DueOutsideYear(no=no)
        if each.owner_id not in at_home:
            raise OwnerElsewhere(no=no)


def _write(
    session: Session, plan_id: int, items: Sequence[NewItem], by_id: int, now: datetime
) -> None:
    session.execute(
        insert(PlanItem),
        [
            {
                "plan_id": plan_id,
                "no": no,
                "task": each.task,
                "measures": each.measures,
                "owner_id": each.owner_id,
                "due_on": each.due_on,
                "marks": each.marks,
            }
            for no, each in enumerate(items, 1)
        ],
    )
    for owner_id in sorted({each.owner_id for each in items} - {by_id}):
        tell(
            session,
            key=f"star_plan:{plan_id}:{now.isoformat()}:owner:{owner_id}",
            member_id=owner_id,
            kind="plan_item_yours",
            facts={"plan_id": plan_id},
            now=now,
        )


def note_plan(session: Session, actor: Actor, action: str, plan_id: int, now: datetime) -> None:
    """Write one line of the audit trail about a plan."""
    note(
        session,
        at=now,
        actor_id=actor.member_id,
        action=action,
        subject=("organization_star_plan", plan_id),
    )


def locked_plan(session: Session, plan_id: int, actor: Actor) -> PlanFile:
    """Return a plan that nobody else changes until this transaction ends.

    Raises PlanNotFound.
    """
    session.execute(
        select(OrganizationStarPlan.id)
        .where(OrganizationStarPlan.id == plan_id)
        .with_for_update()
    )
    return plan_of(session, plan_id, actor)


def change_plan(
    session: Session, *, actor: Actor, plan_id: int, items: Sequence[NewItem], now: datetime
) -> None:
    """Plan anew while nothing is delivered; the owners are told.

    Raises PlanNotFound, PlanMoved, PlanBegun, MarksNotWhole, DueOutsideYear, OwnerElsewhere.
    """
    plan = locked_plan(session, plan_id, actor)
    place = organization_of(session, plan.organization_id, actor.paths(*FILERS))
    if plan.state != "filed":
        raise PlanMoved
    if plan.items_delivered:
        raise PlanBegun
    _judge(session, place, plan.year, items)
    session.execute(delete(PlanItem).where(PlanItem.plan_id == plan_id))
    _write(session, plan_id, items, actor.member_id, now)
    note_plan(session, actor, "change_star_plan", plan_id, now)


def withdraw_plan(session: Session, *, actor: Actor, plan_id: int, now: datetime) -> None:
    """Withdraw a plan before it is reviewed; another may be filed then. A repeat is nothing.

    Raises PlanNotFound, PlanMoved.
    """
    plan = locked_plan(session, plan_id, actor)
    organization_of(session, plan.organization_id, actor.paths(*FILERS))
    if plan.state == "withdrawn":
        return
    if plan.state not in ("filed", "self_rated"):
        raise PlanMoved
    move_plan(session, plan_id, state="withdrawn")
    note_plan(session, actor, "withdraw_star_plan", plan_id, now)


def move_plan(session: Session, plan_id: int, **values: object) -> None:
    """Write these columns of a plan that is locked."""
    session.execute(
        update(OrganizationStarPlan).where(OrganizationStarPlan.id == plan_id).values(values)
    )


def deliver_item(
    session: Session,
    *,
    actor: Actor,
    plan_id: int,
    no: int,
    evidence: str,
    today: date,
    now: datetime,
) -> None:
    """Say that an item is delivered, with what proves it, as its owner or as the secretary.

    Said again before the plan is rated, the evidence is replaced and the day stays.
    Raises PlanNotFound, also for who neither owns it nor is secretary; PlanItemNotFound,
    PlanMoved.
    """
    plan = locked_plan(session, plan_id, actor)
    item = next((each for each in items_of(session, plan_id) if each.no == no), None)
    if item is None:
        raise PlanItemNotFound
    if actor.member_id != item.owner_id and not actor.oversees(plan.path, *FILERS):
        raise PlanNotFound
    if plan.state != "filed":
        raise PlanMoved
    session.execute(
        update(PlanItem)
        .where(PlanItem.plan_id == plan_id, PlanItem.no == no)
        .values(
            delivered_on=item.delivered_on or today,
            delivered_by_id=actor.member_id,
            evidence=evidence,
        )
    )
    note(
        session,
        at=now,
        actor_id=actor.member_id,
        action="deliver_plan_item",
        subject=("organization_star_plan", plan_id),
        no=no,
    )


def owners_of_numbers(
    session: Session, paths: Sequence[str], numbers: Sequence[str]
) -> dict[str, int]:
    """Return the members under these paths by their numbers.

    Raises MemberNotFound when one is unknown or foreign.
    """
    rows = session.execute(
        select(Member.volunteer_no, Member.id)
        .join(Organization, Organization.id == Member.organization_id)
        .where(Member.volunteer_no.in_(numbers), within(Organization.path, paths))
    )
    found: dict[str, int] = {row.volunteer_no: row.id for row in rows}
    if set(numbers) - set(found):
        raise MemberNotFound
    return found
