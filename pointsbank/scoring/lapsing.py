"""What becomes of adjustments that wait: deciders are reminded, and undecided ones lapse."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from pointsbank.core.audit import note
from pointsbank.members.queries import role_holders_over
from pointsbank.messages.service import tell, tell_each
from pointsbank.organizations.models import Organization
from pointsbank.scoring.adjusting import DECIDING_ROLES, give_quota_back
from pointsbank.scoring.models import Adjustment

# So long before the deadline those who may decide are reminded, once.
REMIND_BEFORE = timedelta(days=2)


def lapse_adjustments(session: Session, *, zone: ZoneInfo, now: datetime, limit: int) -> int:
    """Let adjustments lapse that nobody decided in time; return how many, at most limit.

    Each gives its member's month back what it took. Of a decision and the lapse exactly one
    finds the row pending.
    """
    overdue = select(Adjustment.id).where(
        Adjustment.state == "pending", Adjustment.decide_by <= now
    )
    lapsed = session.execute(
        update(Adjustment)
        .where(
            Adjustment.id.in_(overdue.order_by(Adjustment.id).limit(limit)),
            Adjustment.state == "pending",
        )
        .values(state="lapsed")
        .returning(
            Adjustment.id,
            Adjustment.member_id,
            Adjustment.author_id,
            Adjustment.asked_at,
            Adjustment.points,
            Adjustment.service_minutes,
        )
    ).all()
    for found in sorted(lapsed, key=lambda each: each.member_id):
        give_quota_back(
            session,
            member_id=found.member_id,
            points=found.points,
            service_minutes=found.service_minutes,
            asked_at=found.asked_at,
            zone=zone,
        )
        tell(
            session,
            key=f"adjustment:{found.id}:lapsed",
            member_id=found.author_id,
            kind="adjustment_request_lapsed",
            facts={"adjustment_id": found.id},
            now=now,
        )
        note(
            session,
            at=now,
            actor_id=None,
            action="adjustment_lapsed",
            subject=("adjustment", found.id),
        )
    return len(lapsed)


def tell_of_lapsing(session: Session, *, now: datetime) -> int:
    """Remind those who may decide what lapses within REMIND_BEFORE; return how many were told.

    A repeat tells nobody twice. Who may decide is asked anew, so that a new secretary is told.
    """
    rows = session.execute(
        select(
            Adjustment.id,
            Adjustment.member_id,
            Adjustment.author_id,
            Adjustment.decide_by,
            Organization.path,
        )
        .join(Organization, Organization.id == Adjustment.organization_id)
        .where(
            Adjustment.state == "pending",
            Adjustment.decide_by > now,
            Adjustment.decide_by <= now + REMIND_BEFORE,
        )
        .order_by(Adjustment.id)
    ).all()
    return sum(
        tell_each(
            session,
            key=f"adjustment:{row.id}:lapsing",
            member_ids=set(role_holders_over(session, row.path, DECIDING_ROLES))
            - {row.author_id, row.member_id},
            kind="adjustment_lapsing",
            facts={"adjustment_id": row.id, "decide_by": row.decide_by.isoformat()},
            now=now,
        )
        for row in rows
    )
