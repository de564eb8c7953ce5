"""Whoever owns an item of a plan, and the secretary, hear once that its day has gone by."""

from datetime import date, datetime

from sqlalchemy import String, cast, exists, literal, select
from sqlalchemy.orm import Session

from pointsbank.certificates.models import OrganizationStarPlan, PlanItem
from pointsbank.members.queries import role_holders_over
from pointsbank.messages.models import Message
from pointsbank.messages.service import tell, tell_each
from pointsbank.organizations.models import Organization


def tell_of_overdue_items(session: Session, *, today: date, now: datetime, limit: int) -> int:
    """Tell of items that are overdue and not delivered, each once; return how many."""
    key = (
        literal("plan_item:")
        + cast(PlanItem.plan_id, String)
        + ":"
        + cast(PlanItem.no, String)
        + ":overdue:"
        + cast(PlanItem.due_on, String)
    )
    rows = session.execute(
        select(
            PlanItem.plan_id,
            PlanItem.no,
            PlanItem.task,
            PlanItem.owner_id,
            PlanItem.due_on,
            Organization.path,
        )
        .join(OrganizationStarPlan, OrganizationStarPlan.id == PlanItem.plan_id)
        .join(Organization, Organization.id == OrganizationStarPlan.organization_id)
        .where(
            OrganizationStarPlan.state == "filed",
            PlanItem.delivered_on.is_(None),
            PlanItem.due_on < today,
            ~exists().where(Message.key == key),
        )
        .order_by(PlanItem.plan_id, PlanItem.no)
        .limit(limit)
    ).all()
    for row in rows:
        name = f"plan_item:{row.plan_id}:{row.no}:overdue:{row.due_on.isoformat()}"
        facts = {"plan_id": row.plan_id, "task": row.task, "due_on": row.due_on.isoformat()}
        tell(
            session,
            key=name,
            member_id=row.owner_id,
            kind="plan_item_overdue",
            facts=facts,
            now=now,
        )
        tell_each(
            session,
            key=name,
            member_ids=set(role_holders_over(session, row.path, ["secretary"]))
            - {row.owner_id},
            kind="plan_item_overdue_below",
            facts=facts,
            now=now,
        )
    return len(rows)
