"""People who apply for stars and decide on them, and notices brought to their end."""

from dataclasses import dataclass
from datetime import date, timedelta
from itertools import count
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from pointsbank.certificates.applying import apply_for_star
from pointsbank.certificates.awarding import settle_next_notice
from pointsbank.certificates.models import StarApplication
from pointsbank.certificates.noticing import draft_star_notice
from pointsbank.core.actor import Actor, Grant
from pointsbank.notices.models import Notice, Objection
from tests.builders import (
    SHANGHAI,
    TODAY,
    a_branch,
    a_member,
    a_score_entry,
    an_organization,
    with_role,
)
from tests.moments import NOON
from tests.scoring.hands import actor_of

# An entry holds at most a day's minutes.
ENTRY_MINUTES = 24 * 60
CHECKS = count(1)


@dataclass(frozen=True)
class Branch:
    """Ids: a branch of a community with its secretary, and an administrator of the district."""

    district_id: int
    community_id: int
    branch_id: int
    secretary_id: int
    administrator_id: int


def a_home(session: Session) -> Branch:
    """Make them."""
    district = an_organization(session, "140303", "district", None, "矿区")
    community = an_organization(session, None, "community", district)
    branch = a_branch(session, "B1", community)
    secretary = with_role(session, a_member(session, "张书记", branch), "secretary", branch)
    administrator = a_member(session, "赵管理", branch)
    with_role(session, administrator, "administrator", district)
    return Branch(district, community, branch, secretary, administrator)


def with_hours(session: Session, member_id: int, hours: int, on: date = TODAY) -> int:
    """Give a member so much service time, and return the member's id."""
    minutes = 60 * hours
    while minutes:
        part = min(minutes, ENTRY_MINUTES)
        a_score_entry(session, member_id, service_minutes=part, points=0, earned_on=on)
        minutes -= part
    return member_id


def an_applicant(session: Session, home: Branch, hours: int = 120, name: str = "王桂兰") -> int:
    """Return a member of the branch with so many hours of service."""
    return with_hours(session, a_member(session, name, home.branch_id), hours)


def applied(session: Session, member_id: int, stars: int = 1, **more: Any) -> int:
    """Apply for a star."""
    now = more.get("now", NOON)
    return apply_for_star(session, member_id=member_id, stars=stars, today=now.date(), now=now)


def noticed(session: Session, home: Branch, ids: list[int], **more: Any) -> int:
    """Put applications into a notice of the branch, by its secretary unless said otherwise."""
    return draft_star_notice(
        session,
        actor=more.get("actor") or actor_of(session, home.secretary_id),
        organization_id=more.get("organization_id", home.branch_id),
        application_ids=ids,
        zone=SHANGHAI,
        now=NOON,
    )


def ended(session: Session, notice_id: int, state: str = "locked") -> None:
    """Let a notice end, as its room does after the window."""
    opened = TODAY + timedelta(days=2)
    session.execute(
        update(Notice)
        .where(Notice.id == notice_id)
        .values(
            state=state,
            opened_on=opened,
            closes_on=opened + timedelta(days=4),
            locked_at=NOON + timedelta(days=7) if state == "locked" else None,
        )
    )


def settled(session: Session, now: Any = NOON) -> int:
    """Let the job settle all that is to be settled; return how many lines moved."""
    total = 0
    while moved := settle_next_notice(
        session, draw=lambda: f"{next(CHECKS):04d}", zone=SHANGHAI, now=now
    ):
        total += moved
    return total


def an_award(session: Session, home: Branch, member_id: int | None = None) -> int:
    """Return the id of an application that was awarded one star."""
    member_id = member_id or an_applicant(session, home)
    application_id = applied(session, member_id)
    ended(session, noticed(session, home, [application_id]))
    settled(session)
    return application_id


def state_of(session: Session, application_id: int) -> str | None:
    return session.scalar(
        select(StarApplication.state).where(StarApplication.id == application_id)
    )


def secretary_of(session: Session, home: Branch) -> Actor:
    return actor_of(session, home.secretary_id)


def administrator_of(session: Session, home: Branch) -> Actor:
    return actor_of(session, home.administrator_id)


def noticed_by(session: Session, branch_id: int, ids: list[int]) -> int:
    """Put applications of a branch into a notice, by an administrator of everything."""
    grants = (Grant("administrator", "/"),)
    return draft_star_notice(
        session,
        actor=Actor(a_member(session, "市管理"), "市管理", 0, 0, grants),
        organization_id=branch_id,
        application_ids=ids,
        zone=SHANGHAI,
        now=NOON,
    )


def an_objection(
    session: Session, notice_id: int, line_no: int | None, state: str = "upheld"
) -> None:
    """Let somebody object to a notice that is open, as its room does."""
    opened = TODAY + timedelta(days=1)
    session.execute(
        update(Notice)
        .where(Notice.id == notice_id)
        .values(state="contested", opened_on=opened, closes_on=opened + timedelta(days=6))
    )
    session.add(
        Objection(
            notice_id=notice_id,
            line_no=line_no,
            objector_id=a_member(session, "李四"),
            reason="时长有误",
            raised_at=NOON,
            answer_by=TODAY,
            decide_by=TODAY,
            state=state,
            answered_by_id=None if state == "raised" else a_member(session, "赵五"),
            answered_at=None if state == "raised" else NOON,
            decided_by_id=None if state in ("raised", "accepted") else a_member(session, "钱"),
            decided_at=None if state in ("raised", "accepted") else NOON,
        )
    )
    session.flush()
