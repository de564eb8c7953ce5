"""What a branch entered for evaluations there: papers in every state, an appraisal, a move."""

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from pointsbank.app.person_messages import tell_of_move
from pointsbank.appraisals.deciding import decide_paper, state_own_side
from pointsbank.appraisals.entering import (
    NewDeduction,
    NewExemption,
    NewVeto,
    enter_deduction,
    enter_exemption,
    enter_veto,
)
from pointsbank.appraisals.meeting_queries import appraisable_on
from pointsbank.appraisals.meetings import NewAppraisal, decide_appraisal, enter_appraisal
from pointsbank.appraisals.policy import Count
from pointsbank.commands.demonstration.people import District
from pointsbank.core.actor import Actor, Grant
from pointsbank.core.calendar import local_day
from pointsbank.core.db import transaction
from pointsbank.members.belonging import move_member
from pointsbank.members.models import Member
from pointsbank.members.proposing import WantedMove, propose_move
from pointsbank.members.queries import member_of, role_holders_over
from pointsbank.members.service import grant_role
from pointsbank.organizations.queries import organization_of

COMMITTEE_SEATS = 2
PEOPLE_NEEDED = 6
BALLOTS = 12


def make_appraisals(district: District, *, zone: ZoneInfo, now: datetime) -> None:
    """Let the first branch's secretary enter, and an administrator decide most of it."""
    today = local_day(now, zone)
    branch_id = district.communities[0].branches[0]
    with transaction() as session:
        branch = organization_of(session, branch_id)
        day = today - timedelta(days=20)
        people = [each.member_id for each in appraisable_on(session, branch_id, day)]
        found = role_holders_over(session, branch.path, ("secretary",))
        people = [each for each in people if each not in found]
        if not found or len(people) < PEOPLE_NEEDED:
            return
        secretary = Actor(found[0], "", 0, 0, (Grant("secretary", branch.path),))
        for member_id in people[:COMMITTEE_SEATS]:
            grant_role(
                session,
                member_id=member_id,
                role="committee",
                organization_id=branch_id,
                granted_by_id=secretary.member_id,
                now=now,
            )
        _papers(session, secretary, district.first, people[COMMITTEE_SEATS:], day, now)
        _appraisal(session, secretary, district.first, branch.code, people, day, now)
        _move(session, district, people[-1], today, now)
        _proposal(session, district, secretary, people[-2], today, now)


def _proposal(
    session: Session,
    district: District,
    secretary: Actor,
    member_id: int,
    today: date,
    now: datetime,
) -> None:
    """Let the secretary have asked the next branch yesterday to take one member."""
    other = organization_of(session, district.communities[0].branches[1])
    wanted = WantedMove(
        member_of(session, member_id).volunteer_no, other.code, today, "搬到东门小区居住"
    )
    propose_move(
        session,
        wanted,
        actor=secretary,
        tell_of_move=tell_of_move,
        today=today,
        now=now - timedelta(days=1),
    )


def _papers(
    session: Session,
    secretary: Actor,
    administrator: Actor,
    people: list[int],
    day: date,
    now: datetime,
) -> None:
    """Enter one in force and contested, one that waits, a veto that waits, an exemption."""
    today, then = day + timedelta(days=20), now - timedelta(days=3)
    first = enter_deduction(
        session,
        NewDeduction(people[0], 200, day, "组织生活无故缺席", evidence="签到册第 8 页"),
        actor=secretary,
        today=today,
        now=then,
    )
    _confirm(session, "deductions", first, administrator, then)
    state_own_side(
        session,
        kind="deductions",
        paper_id=first,
        actor=Actor(people[0], "", 0, 0),
        statement="那天我在医院陪护，事后补了请假条。",
        now=now - timedelta(days=1),
    )
    enter_deduction(
        session,
        NewDeduction(people[1], 500, day, "承诺的岗位三次没有到岗", "矿支〔2026〕2号"),
        actor=secretary,
        today=today,
        now=now,
    )
    enter_veto(
        session,
        NewVeto(people[2], "discipline", "受党内警告处分", "矿纪〔2026〕3号", day),
        actor=secretary,
        today=today,
        now=now,
    )
    illness = enter_exemption(
        session,
        NewExemption(people[3], "long_illness", day, None, "长期卧床"),
        actor=secretary,
        today=today,
        now=then,
    )
    _confirm(session, "exemptions", illness, administrator, then)


def _confirm(
    session: Session, kind: str, paper_id: int, administrator: Actor, now: datetime
) -> None:
    decide_paper(
        session,
        kind=kind,
        paper_id=paper_id,
        actor=administrator,
        is_confirmed=True,
        reason="情况属实",
        now=now,
    )


def _appraisal(
    session: Session,
    secretary: Actor,
    administrator: Actor,
    code: str,
    people: list[int],
    day: date,
    now: datetime,
) -> None:
    """Count an appraisal on paper, and have it confirmed."""
    counts = [
        Count(member_id, BALLOTS - 4 - place % 4, 2 + place % 4, 1, 0)
        for place, member_id in enumerate(people)
    ]
    appraisal_id = enter_appraisal(
        session,
        NewAppraisal(code, day, BALLOTS, counts),
        actor=secretary,
        today=day + timedelta(days=1),
        now=now - timedelta(days=19),
    )
    decide_appraisal(
        session,
        appraisal_id=appraisal_id,
        actor=administrator,
        is_confirmed=True,
        reason="与纸质票一致",
        now=now - timedelta(days=18),
    )


def _move(
    session: Session, district: District, member_id: int, today: date, now: datetime
) -> None:
    """Let one member have moved to the next branch some days ago."""
    grid_id = session.scalar(select(Member.grid_id).where(Member.id == member_id))
    move_member(
        session,
        member_id=member_id,
        organization_id=district.communities[0].branches[1],
        grid_id=grid_id,
        on=today - timedelta(days=2),
        now=now,
    )
