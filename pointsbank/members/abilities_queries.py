"""Reads of skills and trainings: the lists, one person's, and what waits for confirmation."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import ColumnElement, and_, func, select
from sqlalchemy.orm import Session, aliased

from pointsbank.core.text import masked_name
from pointsbank.members.models import Member, MemberSkill, MemberTraining, Skill, Training
from pointsbank.organizations.models import Organization
from pointsbank.organizations.queries import within


@dataclass(frozen=True)
class SkillLine:
    """A skill of the list, with what one person said of it; told_at None: they did not.

    confirmed_by: the masked name of who confirmed it.
    """

    id: int
    code: str
    name: str
    name_zh: str
    told_at: datetime | None = None
    confirmed_at: datetime | None = None
    confirmed_by: str | None = None


@dataclass(frozen=True)
class TrainingLine:
    """A training that may be asked for; valid_months None: it does not run out."""

    id: int
    code: str
    name: str
    valid_months: int | None


@dataclass(frozen=True)
class Completion:
    """That a person completed a training; recorded_by is a masked name."""

    id: int
    member_id: int
    training_id: int
    code: str
    name: str
    completed_on: date
    valid_until: date | None
    recorded_by: str

    def is_valid(self, on: date) -> bool:
        """Tell whether it counts on a day."""
        return self.completed_on <= on and (self.valid_until is None or on <= self.valid_until)


@dataclass(frozen=True)
class CompletedBy:
    """A completion with the person; the full name is only for those who may see it."""

    id: int
    member_id: int
    volunteer_no: str
    name: str
    completed_on: date
    valid_until: date | None


@dataclass(frozen=True)
class WaitingSkill:
    """A skill that a person told and nobody has confirmed."""

    member_id: int
    volunteer_no: str
    member_name: str
    skill_code: str
    skill_name: str
    skill_name_zh: str
    told_at: datetime


@dataclass(frozen=True)
class AbilitiesFile:
    """What a person can do, as those who look after them see it; trainings: all there are."""

    skills: list[SkillLine]
    completions: list[Completion]
    born_on: date | None
    trainings: list[TrainingLine]


def all_skills(session: Session) -> list[SkillLine]:
    """Return the list of skills, in its own order."""
    rows = session.execute(
        select(Skill.id, Skill.code, Skill.name, Skill.name_zh).order_by(Skill.id)
    )
    return [SkillLine(*row) for row in rows]


def skills_of(session: Session, member_id: int) -> list[SkillLine]:
    """Return the whole list of skills, with what this person said of each."""
    confirmer = aliased(Member)
    rows = session.execute(
        select(
            Skill.id,
            Skill.code,
            Skill.name,
            Skill.name_zh,
            MemberSkill.told_at,
            MemberSkill.confirmed_at,
            confirmer.name.label("confirmed_by"),
        )
        .outerjoin(
            MemberSkill,
            and_(MemberSkill.skill_id == Skill.id, MemberSkill.member_id == member_id),
        )
        .outerjoin(confirmer, confirmer.id == MemberSkill.confirmed_by_id)
        .order_by(Skill.id)
    )
    return [
        SkillLine(*row[:6], confirmed_by=masked_name(row[6]) if row[6] is not None else None)
        for row in rows
    ]


def all_trainings(session: Session) -> list[TrainingLine]:
    """Return the trainings that may be asked for, by name."""
    rows = session.execute(
        select(Training.id, Training.code, Training.name, Training.valid_months).order_by(
            Training.name, Training.id
        )
    )
    return [TrainingLine(*row) for row in rows]


def training_by(session: Session, condition: ColumnElement[bool]) -> TrainingLine | None:
    """Return the one training that fits."""
    row = session.execute(
        select(Training.id, Training.code, Training.name, Training.valid_months).where(
            condition
        )
    ).first()
    return None if row is None else TrainingLine(*row)


def completions_of(session: Session, member_id: int) -> list[Completion]:
    """Return the trainings that a person completed, the newest first; withdrawn entries are
    left out."""
    recorder = aliased(Member)
    rows = session.execute(
        select(
            MemberTraining.id,
            MemberTraining.member_id,
            MemberTraining.training_id,
            Training.code,
            Training.name,
            MemberTraining.completed_on,
            MemberTraining.valid_until,
            recorder.name.label("recorded_by"),
        )
        .join(Training, Training.id == MemberTraining.training_id)
        .join(recorder, recorder.id == MemberTraining.recorded_by_id)
        .where(MemberTraining.member_id == member_id, MemberTraining.withdrawn_at.is_(None))
        .order_by(MemberTraining.completed_on.desc(), MemberTraining.id.desc())
    )
    return [Completion(*row[:7], recorded_by=masked_name(row[7])) for row in rows]


def completed_by(
    session: Session,
    training_id: int,
    paths: Sequence[str],
    *,
    before_id: int | None,
    limit: int,
) -> list[CompletedBy]:
    """Return who under these paths completed a training, the last recorded first."""
    statement = (
        select(
            MemberTraining.id,
            MemberTraining.member_id,
            Member.volunteer_no,
            Member.name,
            MemberTraining.completed_on,
            MemberTraining.valid_until,
        )
        .join(Member, Member.id == MemberTraining.member_id)
        .join(Organization, Organization.id == Member.organization_id)
        .where(
            MemberTraining.training_id == training_id,
            MemberTraining.withdrawn_at.is_(None),
            within(Organization.path, paths),
        )
        .order_by(MemberTraining.id.desc())
        .limit(limit)
    )
    if before_id is not None:
        statement = statement.where(MemberTraining.id < before_id)
    return [CompletedBy(*row) for row in session.execute(statement)]


def waiting_skills(
    session: Session, paths: Sequence[str], *, without_id: int, limit: int
) -> tuple[list[WaitingSkill], int]:
    """Return skills that people under these paths told and nobody confirmed, the oldest first,
    and how many there are in all.

    without_id: whoever asks cannot confirm their own.
    """
    unconfirmed = (
        MemberSkill.confirmed_at.is_(None),
        Member.state == "active",
        Member.id != without_id,
        within(Organization.path, paths),
    )
    statement = (
        select(
            Member.id,
            Member.volunteer_no,
            Member.name,
            Skill.code,
            Skill.name.label("skill_name"),
            Skill.name_zh,
            MemberSkill.told_at,
        )
        .join(MemberSkill, MemberSkill.member_id == Member.id)
        .join(Skill, Skill.id == MemberSkill.skill_id)
        .join(Organization, Organization.id == Member.organization_id)
        .where(*unconfirmed)
    )
    total = session.scalar(select(func.count()).select_from(statement.subquery()))
    rows = session.execute(
        statement.order_by(MemberSkill.told_at, Member.id, Skill.id).limit(limit)
    )
    return [WaitingSkill(*row) for row in rows], total or 0


def born_on_of(session: Session, member_id: int) -> date | None:
    """Return when a person was born, None when it was not told."""
    return session.scalar(select(Member.born_on).where(Member.id == member_id))


def member_ids_of_numbers(
    session: Session, paths: Sequence[str], numbers: Iterable[str]
) -> dict[str, int]:
    """Return the members under these paths by their numbers; unknown numbers are left out."""
    rows = session.execute(
        select(Member.volunteer_no, Member.id)
        .join(Organization, Organization.id == Member.organization_id)
        .where(Member.volunteer_no.in_(set(numbers)), within(Organization.path, paths))
    )
    return {row[0]: row[1] for row in rows}


def abilities_file(session: Session, member_id: int) -> AbilitiesFile:
    """Return the skills a person told, their trainings and date of birth."""
    return AbilitiesFile(
        skills=[skill for skill in skills_of(session, member_id) if skill.told_at is not None],
        completions=completions_of(session, member_id),
        born_on=born_on_of(session, member_id),
        trainings=all_trainings(session),
    )
