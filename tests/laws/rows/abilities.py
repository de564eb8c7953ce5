"""Who may knock at the doors of skills, trainings and dates of birth."""

import itertools

from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from tests.builders import a_member
from tests.laws.doors import MEMBERS, READERS, Row, door, fields, form
from tests.laws.world import (
    COMMUNITY,
    MEMBER,
    OWN,
    PERSON,
    SHARED,
    VOLUNTEER_NO,
    Kind,
    Made,
    World,
    make_member,
)
from tests.members.schooling import a_completion, a_training, confirmed

LOOKERS = ("administrator", "secretary", "organizer")
BORN = "1953-04-05"
COMPLETED = "2026-11-14"
NUMBERS = itertools.count(1)


def make_training(
    session: Session, _world: World, _place: str, _actor: int, _made: Made
) -> int:
    """A training: the list is the same for everyone."""
    return a_training(session, code=f"course_{next(NUMBERS)}")


def make_skill(session: Session, _world: World, _place: str, _actor: int, made: Made) -> str:
    """A confirmed skill of the member made before."""
    confirmed(session, made["member_id"], "first_aid")
    return "first_aid"


def make_completion(session: Session, world: World, place: str, actor: int, made: Made) -> int:
    member_id = make_member(session, world, place, actor, made)
    return a_completion(session, member_id, make_training(session, world, place, actor, made))


def make_own_completion(
    session: Session, world: World, place: str, actor: int, made: Made
) -> int:
    """An entry of the member made before; elsewhere it is another person's."""
    whose = made["member_id"]
    if place != OWN:
        whose = a_member(session, "孙立新", world.own.branch_id)
    return a_completion(session, whose, make_training(session, world, place, actor, made))


TRAINING = Kind(SHARED, make_training)
SKILL = Kind(SHARED, make_skill, "no_such_skill")
COMPLETION = Kind(COMMUNITY, make_completion)
OWN_COMPLETION = Kind(PERSON, make_own_completion)


def names_an_unknown_number(answer: TestResponse) -> bool:
    return answer.status_code == 400


CONFIRMATION = "/api/v1/members/<id:member_id>/skills/<skill_code>/confirmation"

ROWS: list[Row] = [
    door("GET", "/api/v1/skills", MEMBERS),
    door("GET", "/api/v1/me/abilities", MEMBERS),
    door("PUT", "/api/v1/me/skills", MEMBERS, fields(codes=["first_aid"])),
    door("PUT", "/api/v1/me/birth-day", MEMBERS, fields(born_on=BORN)),
    door("GET", "/api/v1/members/<id:member_id>/abilities", LOOKERS, member_id=MEMBER),
    door("PUT", CONFIRMATION, LOOKERS, member_id=MEMBER, skill_code=SKILL),
    door("DELETE", CONFIRMATION, LOOKERS, member_id=MEMBER, skill_code=SKILL),
    door(
        "PUT",
        "/api/v1/members/<id:member_id>/birth-day",
        READERS,
        fields(born_on=BORN),
        member_id=MEMBER,
    ),
    door("GET", "/api/v1/trainings", MEMBERS),
    door(
        "POST",
        "/api/v1/trainings",
        READERS,
        lambda _made: {"json": {"code": f"new_{next(NUMBERS)}", "name": "消防培训"}},
    ),
    door(
        "POST",
        "/api/v1/trainings/<id:training_id>/completions",
        READERS,
        fields(member_ids=["MEMBER_ID"], completed_on=COMPLETED),
        training_id=TRAINING,
        member_id=MEMBER,
    ),
    door(
        "DELETE",
        "/api/v1/training-completions/<id:completion_id>",
        READERS,
        completion_id=COMPLETION,
    ),
    door("GET", "/me/abilities", MEMBERS),
    door("POST", "/me/abilities/skills", MEMBERS, form(skill="first_aid")),
    door("POST", "/me/abilities/birth-day", MEMBERS, form(born_on=BORN)),
    door("GET", "/abilities", LOOKERS),
    door(
        "POST",
        "/trainings",
        READERS,
        lambda _made: {"data": {"code": f"new_{next(NUMBERS)}", "name": "消防培训"}},
    ),
    door("GET", "/trainings/<id:training_id>", READERS, training_id=TRAINING),
    door(
        "PATCH",
        "/api/v1/trainings/<id:training_id>",
        READERS,
        fields(name="新名称"),
        training_id=TRAINING,
    ),
    door(
        "POST",
        "/trainings/<id:training_id>/name",
        READERS,
        form(name="新名称"),
        training_id=TRAINING,
    ),
    door(
        "POST",
        "/trainings/<id:training_id>/completions",
        READERS,
        form(numbers="NUMBER", completed_on=COMPLETED),
        is_foreign=names_an_unknown_number,
        training_id=TRAINING,
        number=VOLUNTEER_NO,
    ),
    door(
        "POST",
        "/members/<id:member_id>/trainings",
        READERS,
        form(training_id="TRAINING_ID", completed_on=COMPLETED),
        member_id=MEMBER,
        training_id=TRAINING,
    ),
    door(
        "POST",
        "/members/<id:member_id>/trainings/<id:completion_id>/withdrawal",
        READERS,
        member_id=MEMBER,
        completion_id=OWN_COMPLETION,
    ),
    door(
        "POST",
        "/members/<id:member_id>/skills/<skill_code>/confirmation",
        LOOKERS,
        member_id=MEMBER,
        skill_code=SKILL,
    ),
    door(
        "POST",
        "/members/<id:member_id>/skills/<skill_code>/refusal",
        LOOKERS,
        member_id=MEMBER,
        skill_code=SKILL,
    ),
    door(
        "DELETE",
        "/api/v1/members/<id:member_id>/skills/<skill_code>",
        LOOKERS,
        member_id=MEMBER,
        skill_code=SKILL,
    ),
    door(
        "POST",
        "/members/<id:member_id>/skills/<skill_code>/doubt",
        LOOKERS,
        member_id=MEMBER,
        skill_code=SKILL,
    ),
    door(
        "POST",
        "/members/<id:member_id>/birth-day",
        READERS,
        form(born_on=BORN),
        member_id=MEMBER,
    ),
]
