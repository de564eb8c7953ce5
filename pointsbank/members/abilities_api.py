"""The JSON door of skills, trainings and dates of birth."""

from typing import Any

from flask import current_app
from sqlalchemy.orm import Session

from pointsbank.core import clock
from pointsbank.core.calendar import local_day
from pointsbank.core.db import reading, run, transaction
from pointsbank.members import abilities
from pointsbank.members.abilities import CONFIRMERS, KEEPERS
from pointsbank.members.abilities_queries import (
    all_skills,
    all_trainings,
    born_on_of,
    completions_of,
    skills_of,
    training_by,
)
from pointsbank.members.abilities_schemas import (
    AbilitiesOut,
    BirthDay,
    NewCompletions,
    NewTraining,
    OwnSkills,
    RecordedOut,
    SkillsOut,
    TrainingName,
    TrainingOut,
    TrainingsOut,
    abilities_out,
    training_out,
)
from pointsbank.members.models import Training
from pointsbank.members.queries import member_in_scope
from pointsbank.members.skill_news import Outcome, judge_skill
from pointsbank.web.access import current_actor, members_only, roles_only
from pointsbank.web.contract import Blueprint
from pointsbank.web.forms import settings

api = Blueprint("abilities_api", __name__, description="Skills, trainings, dates of birth.")


def of_person(session: Session, member_id: int, *, with_birth: bool) -> dict[str, Any]:
    """Return what a person can do, as it is today."""
    today = local_day(clock.now(), settings().zone)
    shown = abilities_out(
        skills_of(session, member_id), completions_of(session, member_id), today
    )
    return {**shown, "born_on": born_on_of(session, member_id)} if with_birth else shown


@api.get("/skills")
@api.response(200, SkillsOut)
@members_only
def list_skills() -> dict[str, Any]:
    """List the skills that people can tell and tasks can ask for."""
    with reading() as session:
        skills = all_skills(session)
    return {"items": [vars(skill) for skill in skills]}


@api.get("/me/abilities")
@api.response(200, AbilitiesOut)
@members_only
def my_abilities() -> dict[str, Any]:
    """Answer one's own skills, trainings and date of birth."""
    with reading() as session:
        return of_person(session, current_actor().member_id, with_birth=True)


@api.put("/me/skills")
@api.arguments(OwnSkills)
@api.response(200, AbilitiesOut)
@members_only
def tell_skills(body: dict[str, Any]) -> dict[str, Any]:
    """Take these as all the skills one has; what is left out loses its confirmation."""
    actor, now = current_actor(), clock.now()

    def act(session: Session) -> dict[str, Any]:
        abilities.tell_skills(session, member_id=actor.member_id, codes=body["codes"], now=now)
        return of_person(session, actor.member_id, with_birth=True)

    return run(act)


@api.put("/me/birth-day")
@api.arguments(BirthDay)
@api.response(204)
@members_only
def tell_birth_day(body: dict[str, Any]) -> None:
    """Tell one's own date of birth, once."""
    actor, now = current_actor(), clock.now()
    with transaction() as session:
        abilities.tell_birth_day(
            session,
            member_id=actor.member_id,
            born_on=body["born_on"],
            today=local_day(now, settings().zone),
            now=now,
        )


@api.get("/members/<id:member_id>/abilities")
@api.response(200, AbilitiesOut)
@roles_only(*CONFIRMERS)
def abilities_of(member_id: int) -> dict[str, Any]:
    """Answer the skills and trainings of a person; the date of birth only to who keeps it."""
    actor = current_actor()
    with reading() as session:
        member = member_in_scope(session, actor.paths(*CONFIRMERS), member_id)
        return of_person(session, member_id, with_birth=actor.oversees(member.path, *KEEPERS))


@api.put("/members/<id:member_id>/skills/<skill_code>/confirmation")
@api.response(204)
@roles_only(*CONFIRMERS)
def confirm_skill(member_id: int, skill_code: str) -> None:
    """Confirm a skill that a person told; a repeat keeps the first confirmation."""
    _judge("confirmed", member_id, skill_code)


@api.delete("/members/<id:member_id>/skills/<skill_code>")
@api.response(204)
@roles_only(*CONFIRMERS)
def refuse_skill(member_id: int, skill_code: str) -> None:
    """Strike a skill out that a person told and nobody confirmed; a repeat changes nothing."""
    _judge("refused", member_id, skill_code)


@api.delete("/members/<id:member_id>/skills/<skill_code>/confirmation")
@api.response(204)
@roles_only(*CONFIRMERS)
def doubt_skill(member_id: int, skill_code: str) -> None:
    """Take the confirmation of a skill back; a repeat changes nothing."""
    _judge("doubted", member_id, skill_code)


def _judge(outcome: Outcome, member_id: int, skill_code: str) -> None:
    actor, now = current_actor(), clock.now()
    with transaction() as session:
        judge_skill(
            session,
            outcome,
            tell_of_skill=current_app.extensions["tell_of_skill"],
            actor=actor,
            member_id=member_id,
            skill_code=skill_code,
            now=now,
        )


@api.put("/members/<id:member_id>/birth-day")
@api.arguments(BirthDay)
@api.response(204)
@roles_only(*KEEPERS)
def set_birth_day(body: dict[str, Any], member_id: int) -> None:
    """Set a person's date of birth."""
    actor, now = current_actor(), clock.now()
    with transaction() as session:
        abilities.set_birth_day(
            session,
            actor=actor,
            member_id=member_id,
            born_on=body["born_on"],
            today=local_day(now, settings().zone),
            now=now,
        )


@api.get("/trainings")
@api.response(200, TrainingsOut)
@members_only
def list_trainings() -> dict[str, Any]:
    """List the trainings that tasks may ask for."""
    with reading() as session:
        return {"items": [training_out(each) for each in all_trainings(session)]}


@api.post("/trainings")
@api.arguments(NewTraining)
@api.response(201, TrainingOut)
@roles_only(*KEEPERS)
def define_training(body: dict[str, Any]) -> dict[str, Any]:
    """Add a training to the list that is the same for everyone."""
    actor, now = current_actor(), clock.now()

    def act(session: Session) -> dict[str, Any]:
        training_id = abilities.define_training(session, actor=actor, now=now, **body)
        found = training_by(session, Training.id == training_id)
        assert found is not None
        return training_out(found)

    return run(act)


@api.patch("/trainings/<id:training_id>")
@api.arguments(TrainingName)
@api.response(200, TrainingOut)
@roles_only(*KEEPERS)
def rename_training(body: dict[str, Any], training_id: int) -> dict[str, Any]:
    """Call a training otherwise; its code stays, and a repeat changes nothing."""
    actor, now = current_actor(), clock.now()
    with transaction() as session:
        abilities.rename_training(
            session, actor=actor, training_id=training_id, name=body["name"], now=now
        )
        found = training_by(session, Training.id == training_id)
        assert found is not None
        return training_out(found)


@api.post("/trainings/<id:training_id>/completions")
@api.arguments(NewCompletions)
@api.response(201, RecordedOut)
@roles_only(*KEEPERS)
def record_training(body: dict[str, Any], training_id: int) -> dict[str, Any]:
    """Record who completed a training on a day; all or none, and a repeat records nothing."""
    actor, now = current_actor(), clock.now()
    with transaction() as session:
        recorded = abilities.record_training(
            session,
            actor=actor,
            training_id=training_id,
            member_ids=body["member_ids"],
            completed_on=body["completed_on"],
            today=local_day(now, settings().zone),
            now=now,
        )
    return {"recorded": recorded}


@api.delete("/training-completions/<id:completion_id>")
@api.response(204)
@roles_only(*KEEPERS)
def withdraw_training(completion_id: int) -> None:
    """Withdraw an entry that was recorded by mistake; a repeat changes nothing."""
    actor = current_actor()
    with transaction() as session:
        abilities.withdraw_training(
            session, actor=actor, completion_id=completion_id, now=clock.now()
        )
