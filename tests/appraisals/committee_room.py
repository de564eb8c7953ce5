"""A branch with its secretary, an administrator above, party members, and papers about them."""

from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from pointsbank.appraisals.deciding import decide_paper, lift_paper, state_own_side
from pointsbank.appraisals.entering import (
    NewDeduction,
    NewExemption,
    NewVeto,
    enter_deduction,
    enter_exemption,
    enter_veto,
)
from pointsbank.appraisals.meetings import NewAppraisal, decide_appraisal, enter_appraisal
from pointsbank.appraisals.models import Deduction
from pointsbank.appraisals.policy import Count
from pointsbank.members.models import MemberChange
from pointsbank.organizations.queries import organization_of
from pointsbank.scoring.models import ScoreEntry
from tests.builders import a_branch, a_member, an_organization, with_role
from tests.moments import NOON
from tests.scoring.hands import actor_of

TODAY = NOON.date()
SPRING = date(2026, 3, 2)
LONG_AGO = NOON.replace(year=2025, month=1)


@dataclass(frozen=True)
class Room:
    """Ids: a branch in its community, its secretary and committee, an administrator, people."""

    community_id: int
    branch_id: int
    code: str
    member_id: int
    other_id: int
    resident_id: int
    secretary_id: int
    committee_id: int
    administrator_id: int


def a_room(session: Session) -> Room:
    """Make them, under a district; the members have belonged there since last year."""
    district = an_organization(session, "140303", "district")
    community = an_organization(session, None, "community", district)
    branch = a_branch(session, "B1", community)

    def of(name: str, role: str = "", place: int = 0, kind: str = "party_member") -> int:
        who = a_member(session, name, branch, kind=kind, now=LONG_AGO)
        return with_role(session, who, role, place) if role else who

    return Room(
        community,
        branch,
        organization_of(session, branch).code,
        of("王桂兰"),
        of("李建国"),
        of("陈居民", kind="resident"),
        of("张书记", "secretary", branch),
        of("周支委", "committee", branch),
        of("赵管理", "administrator", district),
    )


def deduction(session: Session, room: Room, by: int | None = None, **more: Any) -> int:
    """Enter a deduction of 5.00 by the secretary unless said otherwise."""
    values: dict[str, Any] = {
        "member_id": room.member_id,
        "hundredths": 500,
        "occurred_on": SPRING,
        "reason": "无故缺席三次组织生活",
    }
    actor = actor_of(session, by or room.secretary_id)
    wanted = NewDeduction(**{**values, **more})
    return enter_deduction(session, wanted, actor=actor, today=TODAY, now=NOON)


def veto(session: Session, room: Room, by: int | None = None, **more: Any) -> int:
    """Enter a veto by the secretary unless said otherwise."""
    values: dict[str, Any] = {
        "member_id": room.member_id,
        "reason_code": "discipline",
        "reason": "受党内警告处分",
        "document_no": "矿纪〔2026〕3号",
        "occurred_on": SPRING,
    }
    actor = actor_of(session, by or room.secretary_id)
    wanted = NewVeto(**{**values, **more})
    return enter_veto(session, wanted, actor=actor, today=TODAY, now=NOON)


def exemption(session: Session, room: Room, by: int | None = None, **more: Any) -> int:
    """Enter an exemption for a long illness by the secretary unless said otherwise."""
    values: dict[str, Any] = {
        "member_id": room.member_id,
        "reason_code": "long_illness",
        "from_on": SPRING,
    }
    actor = actor_of(session, by or room.secretary_id)
    wanted = NewExemption(**{**values, **more})
    return enter_exemption(session, wanted, actor=actor, today=TODAY, now=NOON)


def decided(
    session: Session,
    room: Room,
    kind: str,
    paper_id: int,
    by: int | None = None,
    is_confirmed: bool = True,
) -> str:
    """Decide a paper, as the administrator unless said otherwise."""
    return decide_paper(
        session,
        kind=kind,
        paper_id=paper_id,
        actor=actor_of(session, by or room.administrator_id),
        is_confirmed=is_confirmed,
        reason="情况属实",
        now=NOON,
    )


def lifted(
    session: Session,
    room: Room,
    kind: str,
    paper_id: int,
    by: int | None = None,
    on: date = TODAY,
) -> None:
    """Lift a paper, as the administrator unless said otherwise."""
    lift_paper(
        session,
        kind=kind,
        paper_id=paper_id,
        actor=actor_of(session, by or room.administrator_id),
        reason="复核后撤销",
        on=on,
        now=NOON,
    )


def appraisal(
    session: Session, room: Room, *counts: Count, by: int | None = None, **more: Any
) -> int:
    """Enter an appraisal of ten ballots by the secretary unless said otherwise."""
    values: dict[str, Any] = {
        "organization_code": room.code,
        "held_on": SPRING,
        "ballots": 10,
        "counts": counts or (Count(room.member_id, 8, 2, 0, 0),),
    }
    actor = actor_of(session, by or room.secretary_id)
    wanted = NewAppraisal(**{**values, **more})
    return enter_appraisal(session, wanted, actor=actor, today=TODAY, now=NOON)


def appraised(
    session: Session, room: Room, appraisal_id: int, is_confirmed: bool = True
) -> str:
    """Decide an appraisal as the administrator."""
    return decide_appraisal(
        session,
        appraisal_id=appraisal_id,
        actor=actor_of(session, room.administrator_id),
        is_confirmed=is_confirmed,
        reason="与纸质票一致",
        now=NOON,
    )


def entries(session: Session, member_id: int) -> list[tuple[str, int, int, date]]:
    """Return category, hundredths, points and day of a member's entries, the oldest first."""
    rows = session.execute(
        select(
            ScoreEntry.category,
            ScoreEntry.evaluation_hundredths,
            ScoreEntry.points,
            ScoreEntry.earned_on,
        )
        .where(ScoreEntry.member_id == member_id)
        .order_by(ScoreEntry.id)
    )
    return [tuple(row) for row in rows]


def changes(session: Session, member_id: int, cause: str) -> list[date]:
    """Return the days from which a member may count otherwise for this cause."""
    return list(
        session.scalars(
            select(MemberChange.from_on)
            .where(MemberChange.member_id == member_id, MemberChange.cause == cause)
            .order_by(MemberChange.id)
        )
    )


def entered_by(session: Session, kind: str, author_id: int, what: Any) -> int:
    """Enter a paper about a member, or an appraisal, by anybody who may."""
    given: dict[str, Any] = {"actor": actor_of(session, author_id), "today": TODAY, "now": NOON}
    if kind == "appraisal":
        return enter_appraisal(session, what, **given)
    if kind == "vetoes":
        wanted = NewVeto(what, "discipline", "受处分", "3号", SPRING)
        return enter_veto(session, wanted, **given)
    if kind == "exemptions":
        return enter_exemption(session, NewExemption(what, "long_illness", SPRING), **given)
    return enter_deduction(session, NewDeduction(what, 500, SPRING, "无故缺席"), **given)


def state_by(session: Session, act: str, its_id: int, who: int | None) -> int:
    """Bring a deduction or an appraisal on its way, and return its id."""
    if act == "contest":
        member_id = session.scalars(
            select(Deduction.member_id).where(Deduction.id == its_id)
        ).one()
        state_own_side(
            session,
            kind="deductions",
            paper_id=its_id,
            actor=actor_of(session, member_id),
            statement="我住院了",
            now=NOON,
        )
        return its_id
    assert who is not None
    yes: dict[str, Any] = {"is_confirmed": True, "reason": "属实", "now": NOON}
    actor = actor_of(session, who)
    if act == "appraise":
        decide_appraisal(session, appraisal_id=its_id, actor=actor, **yes)
    else:
        decide_paper(session, kind="deductions", paper_id=its_id, actor=actor, **yes)
    return its_id
