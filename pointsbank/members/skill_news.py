"""What both doors of a told skill do alike: judge it, and let the person hear of it."""

from collections.abc import Callable
from datetime import datetime
from typing import Literal

from sqlalchemy import select
from sqlalchemy.orm import Session

from pointsbank.core.actor import Actor
from pointsbank.members import abilities
from pointsbank.members.models import Skill

Outcome = Literal["confirmed", "refused", "doubted"]
# Messages stand on a higher step of the staircase: the app hands in what tells people.
TellOfSkill = Callable[..., None]

ACTS = {
    "confirmed": abilities.confirm_skill,
    "refused": abilities.refuse_skill,
    "doubted": abilities.doubt_skill,
}


def judge_skill(
    session: Session,
    outcome: Outcome,
    *,
    tell_of_skill: TellOfSkill,
    actor: Actor,
    member_id: int,
    skill_code: str,
    now: datetime,
) -> None:
    """Judge a skill that a person told, and tell them; what changes nothing tells nothing.

    tell_of_skill: as the app hands it to the door.
    Raises MemberNotFound, OwnAbility, SkillNotFound, SkillNotTold.
    """
    act = ACTS[outcome]
    if not act(session, actor=actor, member_id=member_id, skill_code=skill_code, now=now):
        return
    skill = session.scalars(select(Skill).where(Skill.code == skill_code)).one()
    tell_of_skill(
        session,
        member_id=member_id,
        outcome=outcome,
        skill_code=skill_code,
        names=(skill.name_zh, skill.name),
        now=now,
    )
