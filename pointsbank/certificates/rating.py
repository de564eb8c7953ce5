"""A plan rated by its own secretary, then reviewed by somebody from above."""

from collections.abc import Mapping
from datetime import datetime
from zoneinfo import ZoneInfo

from sqlalchemy import update
from sqlalchemy.orm import Session

from pointsbank.certificates.models import PlanItem
from pointsbank.certificates.planning import FILERS, locked_plan, move_plan, note_plan
from pointsbank.certificates.plans_errors import (
    ItemNotDelivered,
    MarksMissing,
    MarksTooHigh,
    PlanMoved,
    ReviewFromAbove,
)
from pointsbank.certificates.plans_queries import PlanFile, PlanItemLine, items_of
from pointsbank.certificates.policy import stars_for
from pointsbank.certificates.queries import levels_on
from pointsbank.core.actor import Actor
from pointsbank.core.calendar import local_day
from pointsbank.members.queries import role_holders_over
from pointsbank.messages.service import tell_each
from pointsbank.organizations.queries import organization_of


def self_rate(
    session: Session, *, actor: Actor, plan_id: int, marks: Mapping[int, int], now: datetime
) -> int:
    """Rate one's own plan item by item, tell who reviews it, and return the sum.

    marks: by the item's number, 0 for what was not delivered.
    Raises PlanNotFound, PlanMoved, MarksMissing, MarksTooHigh, ItemNotDelivered.
    """
    plan = locked_plan(session, plan_id, actor)
    organization_of(session, plan.organization_id, actor.paths(*FILERS))
    if plan.state != "filed":
        raise PlanMoved
    _give(session, plan, marks, "self_marks")
    move_plan(
        session,
        plan_id,
        state="self_rated",
        self_rated_by_id=actor.member_id,
        self_rated_at=now,
    )
    reviewers = role_holders_over(session, path_above(plan.path), ["administrator"])
    tell_each(
        session,
        key=f"star_plan:{plan_id}:self_rated",
        member_ids=set(reviewers) - {actor.member_id, plan.filed_by_id},
        kind="plan_self_rated",
        facts={"plan_id": plan_id, "organization": plan.organization_name},
        now=now,
    )
    note_plan(session, actor, "self_rate_star_plan", plan_id, now)
    return sum(marks.values())


def path_above(path: str) -> str:
    """Return the path of the organization above; "/" above the top."""
    return path[: path.rstrip("/").rfind("/") + 1]


def may_review(actor: Actor, plan: PlanFile) -> bool:
    """Tell whether somebody administers an organization above, and had no hand in the plan."""
    return actor.oversees(path_above(plan.path), "administrator") and actor.member_id not in (
        plan.filed_by_id,
        plan.self_rated_by_id,
    )


def review_plan(
    session: Session,
    *,
    actor: Actor,
    plan_id: int,
    marks: Mapping[int, int],
    words: str,
    zone: ZoneInfo,
    now: datetime,
) -> int:
    """Review a rated plan from above, item by item, and return the stars it comes to.

    The table of the day on which it was filed counts. Without a star it ends as refused.
    Raises PlanNotFound, ReviewFromAbove, PlanMoved, MarksMissing, MarksTooHigh,
    ItemNotDelivered.
    """
    plan = locked_plan(session, plan_id, actor)
    if not may_review(actor, plan):
        raise ReviewFromAbove
    if plan.state != "self_rated":
        raise PlanMoved
    _give(session, plan, marks, "reviewed_marks")
    levels = levels_on(session, "organization", local_day(plan.filed_at, zone))
    stars = stars_for(levels, sum(marks.values()))
    move_plan(
        session,
        plan_id,
        state="reviewed" if stars else "refused",
        stars=stars,
        review=words,
        reviewed_by_id=actor.member_id,
        reviewed_at=now,
    )
    tell_each(
        session,
        key=f"star_plan:{plan_id}:reviewed",
        member_ids=set(role_holders_over(session, plan.path, FILERS)) - {actor.member_id},
        kind="plan_reviewed",
        facts={"plan_id": plan_id, "marks": sum(marks.values()), "stars": stars},
        now=now,
    )
    note_plan(session, actor, "review_star_plan", plan_id, now)
    return stars


def _give(session: Session, plan: PlanFile, marks: Mapping[int, int], column: str) -> None:
    items = items_of(session, plan.id)
    if set(marks) != {each.no for each in items}:
        raise MarksMissing
    for each in items:
        _judge(each, marks[each.no])
    session.execute(
        update(PlanItem),
        [{"plan_id": plan.id, "no": no, column: given} for no, given in sorted(marks.items())],
    )


def _judge(item: PlanItemLine, given: int) -> None:
    if not 0 <= given <= item.marks:
        raise MarksTooHigh(no=item.no, marks=item.marks)
    if given and item.delivered_on is None:
        raise ItemNotDelivered(no=item.no)
