"""Tells those who answer disputes, day by day, how many are overdue."""

from collections import Counter
from datetime import date, datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from pointsbank.members.models import Member
from pointsbank.members.queries import role_holders_over
from pointsbank.messages.service import tell
from pointsbank.organizations.models import Organization
from pointsbank.passbooks.disputing import ANSWERERS
from pointsbank.passbooks.models import Dispute


def tell_of_overdue(session: Session, *, today: date, now: datetime) -> int:
    """Tell each secretary and administrator how many disputes within their scope are overdue;
    return how many people were told.

    A repeat on the same day tells nobody twice. Nobody is told of their own disputes, which
    others have to answer.
    """
    rows = session.execute(
        select(Organization.path, Dispute.member_id, func.count().label("disputes"))
        .join(Member, Member.id == Dispute.member_id)
        .join(Organization, Organization.id == Member.organization_id)
        .where(Dispute.state == "open", Dispute.answer_by < today)
        .group_by(Organization.path, Dispute.member_id)
    ).all()
    holders = {
        path: role_holders_over(session, path, ANSWERERS)
        for path in sorted({row.path for row in rows})
    }
    overdue: Counter[int] = Counter()
    for row in rows:
        for holder_id in holders[row.path]:
            if holder_id != row.member_id:
                overdue[holder_id] += row.disputes
    return sum(
        tell(
            session,
            key=f"disputes:{today.isoformat()}:{holder_id}",
            member_id=holder_id,
            kind="disputes_overdue",
            facts={"disputes": count},
            now=now,
        )
        for holder_id, count in sorted(overdue.items())
    )
