"""The demonstration's last quarter, closed: late entries, a correction by two, an archive."""

from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from pointsbank.attendance.models import Attendance
from pointsbank.attendance.rejecting import reject_attendance
from pointsbank.commands.demonstration.people import District
from pointsbank.commands.demonstration.stage import Stage
from pointsbank.core.calendar import Period, quarter_before, quarter_of
from pointsbank.core.db import transaction
from pointsbank.members.models import Member
from pointsbank.rankings.closing import close_period, cut_at
from pointsbank.rankings.correcting import ask_correction, decide_correction
from pointsbank.rankings.noticing import archive_period
from pointsbank.tasks.models import Shift

# Of so many communities the branches are closed; each is at another stage.
COMMUNITIES_CLOSED = 3
LATE, CORRECTED, ARCHIVED = range(COMMUNITIES_CLOSED)


@dataclass(frozen=True)
class Late:
    """Somebody who strikes out, after the closing, what they never did."""

    member_id: int
    shift_id: int
    branch_id: int


def close_last_quarter(stage: Stage, district: District) -> None:
    """Close the last quarter that is over by a week, each community at another stage."""
    period = quarter_before(quarter_of(stage.today))
    if stage.now < cut_at(period, stage.zone):
        period = quarter_before(period)
    for number, community in enumerate(district.communities[:COMMUNITIES_CLOSED]):
        with transaction() as session:
            for place in community.branches:
                close_period(
                    session,
                    organization_id=place,
                    period=period,
                    zone=stage.zone,
                    now=stage.now,
                )
        if number == ARCHIVED:
            archive(stage, district, period, community.branches[0])
            continue
        branch_id = strike_out(stage, period, community.branches)
        if number == CORRECTED and branch_id is not None:
            correct(stage, district, period, branch_id)


def strike_out(stage: Stage, period: Period, branches: list[int]) -> int | None:
    """Let somebody say that they were not at a service of the closed quarter.

    Returns the branch they belong to, None where nobody served.
    """
    with transaction() as session:
        late = late_of(session, stage, period, branches)
        if late is not None:
            reject_attendance(
                session,
                member_id=late.member_id,
                shift_id=late.shift_id,
                note="那天我没有去，是同名的邻居",
                today=stage.today,
                now=stage.now,
            )
    return late.branch_id if late else None


def late_of(session: Session, stage: Stage, period: Period, branches: list[int]) -> Late | None:
    """Return a service of the quarter that stands in one of these branches, the newest one."""
    row = session.execute(
        select(Attendance.member_id, Attendance.shift_id, Member.organization_id)
        .join(Member, Member.id == Attendance.member_id)
        .join(Shift, Shift.id == Attendance.shift_id)
        .where(
            Member.organization_id.in_(branches),
            Attendance.state == "credited",
            Shift.starts_at >= period.starts_at(stage.zone),
            Shift.starts_at < period.ends_at(stage.zone),
        )
        .order_by(Shift.starts_at.desc(), Attendance.id.desc())
        .limit(1)
    ).first()
    return Late(*row) if row else None


def correct(stage: Stage, district: District, period: Period, branch_id: int) -> None:
    """Let one administrator ask for a correction, and the other confirm it."""
    with transaction() as session:
        correction_id = ask_correction(
            session,
            organization_id=branch_id,
            period=period.name,
            reason="一次服务登记错了人，本人已说明",
            objection_id=None,
            actor=district.first,
            zone=stage.zone,
            now=stage.now + timedelta(seconds=1),
        )
        decide_correction(
            session,
            correction_id=correction_id,
            actor=district.second,
            is_confirmed=True,
            reason="签到表核对属实",
            zone=stage.zone,
            now=stage.now + timedelta(seconds=1),
        )


def archive(stage: Stage, district: District, period: Period, branch_id: int) -> None:
    """Archive what nothing is shown of in public."""
    with transaction() as session:
        archive_period(
            session,
            organization_id=branch_id,
            period=period.name,
            visibility="off",
            actor=district.first,
            now=stage.now,
        )
