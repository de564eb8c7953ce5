"""What was entered by hand in the demonstration: approved, refused, and waiting."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from pointsbank.commands.demonstration.people import Community, District
from pointsbank.core.actor import Actor, Grant
from pointsbank.core.db import transaction
from pointsbank.members.queries import role_holders_over
from pointsbank.scoring.adjusting import NewAdjustment, ask_adjustment, decide_adjustment
from pointsbank.scoring.lapsing import tell_of_lapsing


@dataclass(frozen=True)
class Case:
    """One adjustment: which member of a community it is for, and what became of it.

    asked_ago: what waits longest is about to lapse. is_approved: None while it waits.
    """

    member: int
    reason_code: str
    reason: str
    asked_ago: timedelta
    points: int | None = None
    service_minutes: int | None = None
    evidence: str = ""
    is_approved: bool | None = None
    decision: str = ""


CASES = (
    Case(
        0,
        "device_failure",
        "扫码的手机没电，最后一个小时没有记上",
        timedelta(days=1),
        points=20,
        evidence="现场照片两张，存社区党群服务中心",
        is_approved=True,
        decision="照片清楚，情况属实",
    ),
    Case(
        1,
        "missed_scan",
        "交接时太忙，忘了签退",
        timedelta(days=2),
        service_minutes=90,
        evidence="值班登记本第 14 页",
        is_approved=True,
        decision="登记本有记录",
    ),
    Case(
        2,
        "other",
        "想多加一些积分",
        timedelta(days=3),
        points=50,
        is_approved=False,
        decision="没有凭据，不能加分",
    ),
    Case(
        3,
        "paper_record",
        "当天停电，用纸质名单签到",
        timedelta(days=6),
        service_minutes=60,
        evidence="纸质名单存档 2 页",
    ),
    Case(4, "commendation", "连续三个月参加夜间巡逻", timedelta(hours=3), points=30),
)
DECIDED_AGO = timedelta(minutes=30)


def make_adjustments(district: District, *, zone: ZoneInfo, now: datetime) -> None:
    """Let an organizer ask for each case, and a secretary decide those that are over."""
    community = district.communities[0]
    asking = Actor(community.organizer_id, "", 0, 0, (Grant("organizer", community.path),))
    with transaction() as session:
        deciding = secretary_over(session, community)
        if deciding is None:
            return
        for case in CASES:
            asked = ask_adjustment(
                session,
                NewAdjustment(
                    member_id=community.members[case.member],
                    reason_code=case.reason_code,
                    reason=case.reason,
                    points=case.points,
                    service_minutes=case.service_minutes,
                    evidence=case.evidence,
                ),
                actor=asking,
                zone=zone,
                now=now - case.asked_ago,
            )
            if case.is_approved is not None:
                decide_adjustment(
                    session,
                    adjustment_id=asked.id,
                    actor=deciding,
                    is_approved=case.is_approved,
                    reason=case.decision,
                    zone=zone,
                    now=now - DECIDED_AGO,
                )
        tell_of_lapsing(session, now=now)


def secretary_over(session: Session, community: Community) -> Actor | None:
    """Return the first secretary over a community as one who acts, None without any."""
    found = role_holders_over(session, community.path, ("secretary",))
    return Actor(found[0], "", 0, 0, (Grant("secretary", community.path),)) if found else None
