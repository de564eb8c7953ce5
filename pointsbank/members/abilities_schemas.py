"""Skills, trainings and dates of birth as programs send and receive them."""

from datetime import date
from typing import Any

from marshmallow import Schema, fields, validate

from pointsbank.members.abilities import COURSE_PEOPLE_MAX, VALID_MONTHS_MAX
from pointsbank.members.abilities_queries import Completion, SkillLine, TrainingLine
from pointsbank.members.schemas import Day
from pointsbank.web.contract import Body, RowId, Text, Whole

SKILL_CODE_LENGTH_MAX = 24
TRAINING_NAME_LENGTH_MAX = 60
# The list of skills is shorter; nobody needs to send more of it.
SKILLS_TOLD_MAX = 100


class OwnSkills(Body):
    """All the skills that a person has."""

    codes = fields.List(
        fields.String(validate=validate.Length(min=1, max=SKILL_CODE_LENGTH_MAX)),
        required=True,
        validate=validate.Length(max=SKILLS_TOLD_MAX),
    )


class BirthDay(Body):
    """When somebody was born."""

    born_on = Day(required=True)


class NewTraining(Body):
    """A training to add; valid_months null: it does not run out."""

    code = Text(length_max=SKILL_CODE_LENGTH_MAX, required=True)
    name = Text(length_max=TRAINING_NAME_LENGTH_MAX, required=True)
    valid_months = Whole(least=1, most=VALID_MONTHS_MAX, allow_none=True, load_default=None)


class TrainingName(Body):
    """What a training is called."""

    name = Text(length_max=TRAINING_NAME_LENGTH_MAX, required=True)


class NewCompletions(Body):
    """Who completed a training, and on which day."""

    member_ids = fields.List(
        RowId(), required=True, validate=validate.Length(min=1, max=COURSE_PEOPLE_MAX)
    )
    completed_on = Day(required=True)


class SkillOut(Schema):
    """A skill of the list."""

    code = fields.String()
    name = fields.String()
    name_zh = fields.String()


class SkillsOut(Schema):
    """The list of skills."""

    items = fields.List(fields.Nested(SkillOut))


class ToldSkillOut(SkillOut):
    """A skill that a person told; confirmed_at is null while nobody confirmed it."""

    told_at = fields.AwareDateTime(format="iso")
    confirmed_at = fields.AwareDateTime(format="iso", allow_none=True)


class TrainingOut(Schema):
    """A training that tasks may ask for."""

    id = fields.Integer()
    code = fields.String()
    name = fields.String()
    valid_months = fields.Integer(allow_none=True)


class TrainingsOut(Schema):
    """The list of trainings."""

    items = fields.List(fields.Nested(TrainingOut))


class CompletionOut(Schema):
    """A training that a person completed; is_valid tells whether it counts today."""

    id = fields.Integer()
    code = fields.String()
    name = fields.String()
    completed_on = fields.Date()
    valid_until = fields.Date(allow_none=True)
    is_valid = fields.Boolean()


class AbilitiesOut(Schema):
    """What a person can do; born_on only for themselves and those who keep their data."""

    born_on = fields.Date(allow_none=True)
    skills = fields.List(fields.Nested(ToldSkillOut))
    trainings = fields.List(fields.Nested(CompletionOut))


class RecordedOut(Schema):
    """How many entries are new."""

    recorded = fields.Integer()


def training_out(training: TrainingLine) -> dict[str, Any]:
    """Return a training as programs see it."""
    return {name: getattr(training, name) for name in TrainingOut().fields}


def abilities_out(
    skills: list[SkillLine], completions: list[Completion], today: date
) -> dict[str, Any]:
    """Return what a person can do, without their date of birth."""
    return {
        "skills": [
            {name: getattr(skill, name) for name in ToldSkillOut().fields}
            for skill in skills
            if skill.told_at is not None
        ],
        "trainings": [
            {
                "id": each.id,
                "code": each.code,
                "name": each.name,
                "completed_on": each.completed_on,
                "valid_until": each.valid_until,
                "is_valid": each.is_valid(today),
            }
            for each in completions
        ],
    }
