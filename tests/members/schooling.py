"""A community whose secretary looks after what people can do."""

from collections.abc import Sequence
from datetime import date

from sqlalchemy import select
from sqlalchemy.orm import Session

from pointsbank.core.actor import Actor, Grant
from pointsbank.members.abilities import (
    confirm_skill,
    define_training,
    record_training,
    tell_skills,
)
from pointsbank.members.abilities_queries import completions_of, skills_of
from pointsbank.members.models import MemberTraining
from tests.builders import a_member, an_organization, with_role
from tests.moments import NOON

TODAY = NOON.date()
COURSE_DAY = date(2026, 11, 14)


def an_overseer(session: Session, role: str = "administrator") -> Actor:
    """Return somebody with a role over everything."""
    member_id = with_role(session, a_member(session, "管理员"), "administrator")
    return Actor(member_id, "管理员", 0, 0, (Grant(role, "/"),))


def a_training(
    session: Session,
    code: str = "first_aid_course",
    name: str = "急救培训",
    valid_months: int | None = 24,
) -> int:
    """Return the id of a new training."""
    return define_training(
        session,
        actor=an_overseer(session),
        code=code,
        name=name,
        valid_months=valid_months,
        now=NOON,
    )


def a_completion(
    session: Session, member_id: int, training_id: int, completed_on: date = COURSE_DAY
) -> int:
    """Return the id of an entry that a member completed a training."""
    record_training(
        session,
        actor=an_overseer(session),
        training_id=training_id,
        member_ids=[member_id],
        completed_on=completed_on,
        today=TODAY,
        now=NOON,
    )
    found = session.scalar(
        select(MemberTraining.id)
        .where(MemberTraining.member_id == member_id)
        .order_by(MemberTraining.id.desc())
        .limit(1)
    )
    assert found is not None
    return found


def told(session: Session, member_id: int, *codes: str) -> int:
    """Let a member tell these skills, and return the member's id."""
    tell_skills(session, member_id=member_id, codes=codes, now=NOON)
    return member_id


def confirmed(session: Session, member_id: int, *codes: str) -> int:
    """Let a member tell these skills and somebody confirm them; return the member's id."""
    told(session, member_id, *codes)
    actor = an_overseer(session)
    for code in codes:
        confirm_skill(session, actor=actor, member_id=member_id, skill_code=code, now=NOON)
    return member_id


def told_codes(session: Session, member_id: int) -> set[str]:
    return {each.code for each in skills_of(session, member_id) if each.told_at is not None}


def confirmed_codes(session: Session, member_id: int) -> set[str]:
    return {
        each.code for each in skills_of(session, member_id) if each.confirmed_at is not None
    }


def completed_days(session: Session, member_id: int) -> Sequence[date]:
    return [each.completed_on for each in completions_of(session, member_id)]


class School:
    """A community with its secretary and organizer, two members, and one of the next street."""

    def __init__(self, session: Session) -> None:
        top = an_organization(session, "top", "district")
        self.place = an_organization(session, "mine", "community", parent=top)
        other = an_organization(session, "other", "community", parent=top)
        path = f"/{top}/{self.place}/"
        self.secretary, self.organizer = (
            self.staff(session, name, role, path)
            for name, role in (("陈书记", "secretary"), ("李敏", "organizer"))
        )
        self.member = a_member(session, "王桂兰", self.place, volunteer_no="20000001")
        self.neighbour = a_member(session, "张建国", self.place, volunteer_no="20000002")
        self.stranger = a_member(session, "赵铁柱", other, volunteer_no="20000003")

    def staff(self, session: Session, name: str, role: str, path: str) -> Actor:
        member_id = with_role(session, a_member(session, name, self.place), role, self.place)
        return Actor(member_id, name, self.place, 0, (Grant(role, path),))
