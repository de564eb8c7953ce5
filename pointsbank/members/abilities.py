"""Writes about what people can do: skills told and confirmed, trainings, dates of birth."""

import re
from calendar import monthrange
from collections.abc import Iterable, Sequence
from datetime import date, datetime

from sqlalchemy import Date, bindparam, delete, select, text, update
from sqlalchemy.orm import Session

from pointsbank.core.actor import Actor
from pointsbank.core.audit import note
from pointsbank.core.db import Moment
from pointsbank.members.abilities_errors import (
    BadBirthDay,
    BadCompletedOn,
    BadTrainingCode,
    BirthDayStands,
    CompletionNotFound,
    OwnAbility,
    SkillNotFound,
    SkillNotTold,
    TrainingCodeTaken,
    TrainingNotFound,
    UnknownNumbers,
)
from pointsbank.members.abilities_queries import (
    TrainingLine,
    member_ids_of_numbers,
    training_by,
)
from pointsbank.members.errors import MemberNotFound, NotOneself
from pointsbank.members.models import Member, MemberSkill, MemberTraining, Skill, Training
from pointsbank.members.policy import may_be_birth_day
from pointsbank.members.queries import member_in_scope
from pointsbank.organizations.models import Organization
from pointsbank.organizations.queries import within

CONFIRMERS = ("administrator", "secretary", "organizer")
KEEPERS = ("administrator", "secretary")
TRAINING_CODE = re.compile(r"[a-z0-9_]{2,24}")
VALID_MONTHS_MAX = 240
# A course longer ago is not worth recording, and a wrong century is noticed.
COMPLETED_YEARS_MAX = 20
# A course day in the largest hall of the district.
COURSE_PEOPLE_MAX = 300
NUMBERS_SHOWN_MAX = 10

# The same skill told twice at once is told once, and keeps its confirmation.
TELL = text(
    """
    INSERT INTO member_skill (member_id, skill_id, told_at)
    VALUES (:member_id, :skill_id, :now)
    ON CONFLICT (member_id, skill_id) DO NOTHING
    """
).bindparams(bindparam("now", type_=Moment()))
RECORD = text(
    """
    INSERT INTO member_training
        (member_id, training_id, completed_on, valid_until, recorded_by_id, recorded_at)
    VALUES (:member_id, :training_id, :completed_on, :valid_until, :recorded_by_id, :now)
    ON CONFLICT (member_id, training_id, completed_on) WHERE withdrawn_at IS NULL DO NOTHING
    RETURNING id
    """
).bindparams(
    bindparam("completed_on", type_=Date()),
    bindparam("valid_until", type_=Date()),
    bindparam("now", type_=Moment()),
)


def tell_skills(
    session: Session, *, member_id: int, codes: Iterable[str], now: datetime
) -> None:
    """Take these as all the skills that a person has.

    What stays keeps its confirmation; what is left out loses it, also when it is told again
    later. A repeat changes nothing. Raises SkillNotFound.
    """
    wanted = set(codes)
    ids = {
        row.code: row.id
        for row in session.execute(select(Skill.code, Skill.id).where(Skill.code.in_(wanted)))
    }
    if wanted - set(ids):
        raise SkillNotFound
    session.execute(
        delete(MemberSkill).where(
            MemberSkill.member_id == member_id, MemberSkill.skill_id.not_in(ids.values())
        )
    )
    for skill_id in sorted(ids.values()):
        session.execute(TELL, {"member_id": member_id, "skill_id": skill_id, "now": now})


def confirm_skill(
    session: Session, *, actor: Actor, member_id: int, skill_code: str, now: datetime
) -> bool:
    """Confirm that a person within the actor's scope has a skill that they told.

    A repeat keeps the first confirmation, and answers False.
    Raises MemberNotFound, OwnAbility, SkillNotFound, SkillNotTold.
    """
    skill_id = _judged_skill(session, actor, member_id, skill_code)
    held = (MemberSkill.member_id == member_id, MemberSkill.skill_id == skill_id)
    confirmed = session.execute(
        update(MemberSkill)
        .where(*held, MemberSkill.confirmed_at.is_(None))
        .values(confirmed_by_id=actor.member_id, confirmed_at=now)
        .returning(MemberSkill.skill_id)
    ).first()
    if confirmed is None:
        if session.scalar(select(MemberSkill.skill_id).where(*held)) is None:
            raise SkillNotTold
        return False
    _note_skill(session, actor, "confirm_skill", member_id, skill_code, now)
    return True


def refuse_skill(
    session: Session, *, actor: Actor, member_id: int, skill_code: str, now: datetime
) -> bool:
    """Strike a skill out that a person told and nobody confirmed; they may tell it again.

    One that is confirmed stays, as does a repeat: both answer False.
    Raises MemberNotFound, OwnAbility, SkillNotFound.
    """
    skill_id = _judged_skill(session, actor, member_id, skill_code)
    struck = session.execute(
        delete(MemberSkill)
        .where(
            MemberSkill.member_id == member_id,
            MemberSkill.skill_id == skill_id,
            MemberSkill.confirmed_at.is_(None),
        )
        .returning(MemberSkill.skill_id)
    ).first()
    if struck is None:
        return False
    _note_skill(session, actor, "refuse_skill", member_id, skill_code, now)
    return True


def doubt_skill(
    session: Session, *, actor: Actor, member_id: int, skill_code: str, now: datetime
) -> bool:
    """Take the confirmation of a skill back; that the person told it stays.

    A repeat changes nothing, and answers False.
    Raises MemberNotFound, OwnAbility, SkillNotFound.
    """
    skill_id = _judged_skill(session, actor, member_id, skill_code)
    doubted = session.execute(
        update(MemberSkill)
        .where(
            MemberSkill.member_id == member_id,
            MemberSkill.skill_id == skill_id,
            MemberSkill.confirmed_at.is_not(None),
        )
        .values(confirmed_by_id=None, confirmed_at=None)
        .returning(MemberSkill.skill_id)
    ).first()
    if doubted is not None:
        _note_skill(session, actor, "doubt_skill", member_id, skill_code, now)
    return doubted is not None


def _note_skill(
    session: Session, actor: Actor, action: str, member_id: int, skill_code: str, now: datetime
) -> None:
    note(
        session,
        at=now,
        actor_id=actor.member_id,
        action=action,
        subject=("member", member_id),
        skill=skill_code,
    )


def _judged_skill(session: Session, actor: Actor, member_id: int, skill_code: str) -> int:
    """Return the id of a skill that the actor may judge at this member."""
    member_in_scope(session, actor.paths(*CONFIRMERS), member_id)
    if member_id == actor.member_id:
        raise OwnAbility
    skill_id = session.scalar(select(Skill.id).where(Skill.code == skill_code))
    if skill_id is None:
        raise SkillNotFound
    return skill_id


def define_training(
    session: Session,
    *,
    actor: Actor,
    code: str,
    name: str,
    valid_months: int | None,
    now: datetime,
) -> int:
    """Add a training to the list that is the same for everyone, and return its id.

    code: for programs and rules. valid_months: None when it does not run out.
    Raises BadTrainingCode, TrainingCodeTaken.
    """
    if not TRAINING_CODE.fullmatch(code):
        raise BadTrainingCode
    if training_by(session, Training.code == code) is not None:
        raise TrainingCodeTaken
    training = Training(code=code, name=name, valid_months=valid_months)
    session.add(training)
    session.flush()
    note(
        session,
        at=now,
        actor_id=actor.member_id,
        action="define_training",
        subject=("training", training.id),
        code=code,
        valid_months=valid_months,
    )
    return training.id


def rename_training(
    session: Session, *, actor: Actor, training_id: int, name: str, now: datetime
) -> None:
    """Call a training otherwise, for everyone; its code and who completed it stay.

    A repeat changes nothing. Raises TrainingNotFound.
    """
    renamed = session.execute(
        update(Training)
        .where(Training.id == training_id, Training.name != name)
        .values(name=name)
        .returning(Training.id)
    ).first()
    if renamed is None:
        if training_by(session, Training.id == training_id) is None:
            raise TrainingNotFound
        return
    note(
        session,
        at=now,
        actor_id=actor.member_id,
        action="rename_training",
        subject=("training", training_id),
    )


def record_training(
    session: Session,
    *,
    actor: Actor,
    training_id: int,
    member_ids: Sequence[int],
    completed_on: date,
    today: date,
    now: datetime,
) -> int:
    """Record that these people completed a training on a day, all or none; return how many are
    new.

    Whoever has an entry of that day keeps it, so that a repeat records nothing.
    Raises TrainingNotFound, OwnAbility, BadCompletedOn, and MemberNotFound for everyone who is
    not within the actor's scope.
    """
    training = _training(session, training_id)
    wanted = sorted(set(member_ids))
    if actor.member_id in wanted:
        raise OwnAbility
    if not today.replace(day=1, year=today.year - COMPLETED_YEARS_MAX) <= completed_on <= today:
        raise BadCompletedOn(years=COMPLETED_YEARS_MAX)
    known = session.scalars(
        select(Member.id)
        .join(Organization, Organization.id == Member.organization_id)
        .where(Member.id.in_(wanted), within(Organization.path, actor.paths(*KEEPERS)))
    ).all()
    if len(known) < len(wanted):
        raise MemberNotFound
    values = {
        "training_id": training.id,
        "completed_on": completed_on,
        "valid_until": valid_until(completed_on, training.valid_months),
        "recorded_by_id": actor.member_id,
        "now": now,
    }
    recorded = [
        member_id
        for member_id in wanted
        if session.execute(RECORD, {**values, "member_id": member_id}).first() is not None
    ]
    if recorded:
        note(
            session,
            at=now,
            actor_id=actor.member_id,
            action="record_training",
            subject=("training", training.id),
            member_ids=recorded,
        )
    return len(recorded)


def record_training_by_numbers(
    session: Session,
    *,
    actor: Actor,
    training_id: int,
    numbers: Iterable[str],
    completed_on: date,
    today: date,
    now: datetime,
) -> int:
    """Record a course day from the member numbers on its list, all or none.

    Raises UnknownNumbers, which names those it does not know, and what record_training raises.
    """
    wanted = list(dict.fromkeys(numbers))
    known = member_ids_of_numbers(session, actor.paths(*KEEPERS), wanted)
    unknown = [number for number in wanted if number not in known]
    if unknown or not wanted:
        shown = "、".join(unknown[:NUMBERS_SHOWN_MAX]) or "–"
        raise UnknownNumbers(shown=shown, count=len(unknown))
    return record_training(
        session,
        actor=actor,
        training_id=training_id,
        member_ids=list(known.values()),
        completed_on=completed_on,
        today=today,
        now=now,
    )


def withdraw_training(
    session: Session, *, actor: Actor, completion_id: int, now: datetime
) -> int:
    """Withdraw an entry that was recorded by mistake, and return whose it was.

    A repeat changes nothing. Raises CompletionNotFound, OwnAbility.
    """
    row = session.execute(
        select(MemberTraining.member_id, MemberTraining.training_id)
        .join(Member, Member.id == MemberTraining.member_id)
        .join(Organization, Organization.id == Member.organization_id)
        .where(
            MemberTraining.id == completion_id,
            within(Organization.path, actor.paths(*KEEPERS)),
        )
    ).first()
    if row is None:
        raise CompletionNotFound
    if row.member_id == actor.member_id:
        raise OwnAbility
    withdrawn = session.execute(
        update(MemberTraining)
        .where(MemberTraining.id == completion_id, MemberTraining.withdrawn_at.is_(None))
        .values(withdrawn_at=now)
        .returning(MemberTraining.id)
    ).first()
    if withdrawn is not None:
        note(
            session,
            at=now,
            actor_id=actor.member_id,
            action="withdraw_training",
            subject=("training", row.training_id),
            member_id=row.member_id,
            completion_id=completion_id,
        )
    return int(row.member_id)


def valid_until(completed_on: date, months: int | None) -> date | None:
    """Return the last day on which a training counts: the same day so many months later, or
    the last of a month that is shorter."""
    if months is None:
        return None
    count = completed_on.year * 12 + completed_on.month - 1 + months
    year, month = count // 12, count % 12 + 1
    return date(year, month, min(completed_on.day, monthrange(year, month)[1]))


def tell_birth_day(
    session: Session, *, member_id: int, born_on: date, today: date, now: datetime
) -> None:
    """Take a person's own date of birth, once; the same again changes nothing.

    Raises BadBirthDay, BirthDayStands.
    """
    if not may_be_birth_day(born_on, today):
        raise BadBirthDay
    told = session.execute(
        update(Member)
        .where(Member.id == member_id, Member.born_on.is_(None))
        .values(born_on=born_on)
        .returning(Member.id)
    ).first()
    if told is None:
        standing = session.scalar(select(Member.born_on).where(Member.id == member_id))
        if standing != born_on:
            raise BirthDayStands
        return
    _note_birth_day(session, member_id, member_id, now)


def set_birth_day(
    session: Session,
    *,
    actor: Actor,
    member_id: int,
    born_on: date,
    today: date,
    now: datetime,
) -> None:
    """Set the date of birth of a person within the actor's scope; a repeat changes nothing.

    Raises MemberNotFound, NotOneself, BadBirthDay.
    """
    member_in_scope(session, actor.paths(*KEEPERS), member_id)
    if member_id == actor.member_id:
        raise NotOneself
    if not may_be_birth_day(born_on, today):
        raise BadBirthDay
    changed = session.execute(
        update(Member)
        .where(Member.id == member_id, Member.born_on.is_distinct_from(born_on))
        .values(born_on=born_on)
        .returning(Member.id)
    ).first()
    if changed is not None:
        _note_birth_day(session, actor.member_id, member_id, now)


def _note_birth_day(session: Session, actor_id: int, member_id: int, now: datetime) -> None:
    # The day itself is personal and stays out of the trail.
    note(
        session,
        at=now,
        actor_id=actor_id,
        action="set_birth_day",
        subject=("member", member_id),
    )


def _training(session: Session, training_id: int) -> TrainingLine:
    found = training_by(session, Training.id == training_id)
    if found is None:
        raise TrainingNotFound
    return found
