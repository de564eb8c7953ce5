"""People who enter things by hand: a volunteer, who asks, who decides; in one community."""

from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from pointsbank.core.actor import Actor, Grant
from pointsbank.ledger.queries import balance_of
from pointsbank.members.queries import member_of, standing_roles
from pointsbank.scoring.adjusting import Asked, NewAdjustment, ask_adjustment, decide_adjustment
from pointsbank.scoring.models import Adjustment, AdjustmentMonth
from tests.builders import a_branch, a_member, an_organization, with_role
from tests.moments import NOON

ZONE = ZoneInfo("Asia/Shanghai")
MISSED = "签退时手机没电"
MONTH = "2026-11"


@dataclass(frozen=True)
class Hands:
    """Ids: a volunteer of a branch, and its organizer, secretary and administrator."""

    community_id: int
    branch_id: int
    member_id: int
    organizer_id: int
    secretary_id: int
    administrator_id: int


def some_hands(session: Session) -> Hands:
    """Make them, under a district."""
    district = an_organization(session, "140303", "district")
    community = an_organization(session, None, "community", district)
    branch = a_branch(session, "B1", community)

    def of(name: str, role: str, place: int) -> int:
        return with_role(session, a_member(session, name, branch), role, place)

    return Hands(
        community,
        branch,
        a_member(session, "王桂兰", branch),
        of("李敏", "organizer", community),
        of("张书记", "secretary", branch),
        of("赵管理", "administrator", district),
    )


def actor_of(session: Session, member_id: int) -> Actor:
    """Return a member as somebody who acts, with the roles that stand."""
    member = member_of(session, member_id)
    grants = tuple(
        Grant(role.role, role.path, role.merchant_id)
        for role in standing_roles(session, member_id)
    )
    return Actor(member_id, member.name, member.organization_id, 0, grants)


def asked(session: Session, hands: Hands, author_id: int | None = None, **more: Any) -> Asked:
    """Ask for an adjustment of the volunteer, by the organizer unless said otherwise."""
    now = more.pop("now", NOON)
    values = {"member_id": hands.member_id, "reason_code": "missed_scan", "reason": MISSED}
    if "service_minutes" not in more:
        values["points"] = 20
    wanted = NewAdjustment(**{**values, **more})
    author = actor_of(session, author_id or hands.organizer_id)
    return ask_adjustment(session, wanted, actor=author, zone=ZONE, now=now)


def decided(
    session: Session,
    adjustment_id: int,
    decider_id: int,
    is_approved: bool = True,
    **more: Any,
) -> str:
    """Decide an adjustment."""
    return decide_adjustment(
        session,
        adjustment_id=adjustment_id,
        actor=actor_of(session, decider_id),
        is_approved=is_approved,
        reason=more.pop("reason", "情况属实"),
        zone=ZONE,
        now=more.pop("now", NOON),
    )


def month_of(session: Session, member_id: int, month: str = MONTH) -> tuple[int, int]:
    """Return points and minutes that a month counts for a member."""
    row = session.get(AdjustmentMonth, (member_id, month), populate_existing=True)
    return (row.points, row.service_minutes) if row else (0, 0)


def state_of(session: Session, adjustment_id: int) -> str | None:
    return session.scalar(select(Adjustment.state).where(Adjustment.id == adjustment_id))


def balance(session: Session, member_id: int) -> int:
    return balance_of(session, f"member:{member_id}").available


def asked_by(session: Session, author_id: int, member_id: int, **more: Any) -> int:
    """Ask for points for any member, and return the adjustment's id."""
    wanted = NewAdjustment(member_id, "missed_scan", MISSED, **{"points": 20, **more})
    author = actor_of(session, author_id)
    return ask_adjustment(session, wanted, actor=author, zone=ZONE, now=NOON).id
