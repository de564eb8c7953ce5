"""Versions and drafts of standards as programs and pages send and see them."""

from collections.abc import Iterable, Mapping
from typing import Any

from flask_babel import gettext, lazy_gettext
from marshmallow import Schema, ValidationError, fields, validates_schema

from pointsbank.scoring.contents import Problem, digest_of, warnings_of
from pointsbank.scoring.drafting import problem_facts
from pointsbank.scoring.schemas import Day
from pointsbank.scoring.standards import StandardLine
from pointsbank.web.contract import Body, Text

DIGEST_LENGTH = 64
SOURCE_LENGTH_MAX = 40
CATEGORY_WORDS = {
    "organization_life": lazy_gettext("Organization life"),
    "study": lazy_gettext("Study"),
    "duty": lazy_gettext("Duty"),
    "volunteer_service": lazy_gettext("Volunteer service"),
    "post_service": lazy_gettext("Post service"),
    "recognition": lazy_gettext("Recognition"),
    "deduction": lazy_gettext("Deduction"),
}
UNIT_WORDS = {
    "hour": lazy_gettext("an hour"),
    "shift": lazy_gettext("a shift"),
    "each": lazy_gettext("each time"),
}
EVIDENCE_WORDS = {
    "none": lazy_gettext("Nothing"),
    "scan": lazy_gettext("A scan"),
    "photo": lazy_gettext("A photo"),
    "document": lazy_gettext("A document"),
}
ROUNDING_WORDS = {
    "floor": lazy_gettext("Rounded down"),
    "half_up": lazy_gettext("Rounded to the nearest"),
}
BASE_MODE_WORDS = {
    "earn": lazy_gettext("Everything is earned"),
    "start_full_and_deduct": lazy_gettext("The base is given in full, deductions lower it"),
}
GRADE_WORDS = {
    "excellent": lazy_gettext("Excellent"),
    "qualified": lazy_gettext("Qualified"),
    "basic": lazy_gettext("Basically qualified"),
}
TABLE_WORDS = {
    "default": lazy_gettext("Members here"),
    "mobile": lazy_gettext("Mobile members"),
}
# What the first version is called everywhere; later names are as somebody typed them.
FIRST_NAME = "Default standard 2020"
STANDARD_WORDS = {
    "draft": lazy_gettext("Draft of a standard"),
    "published": lazy_gettext("Published"),
    "discarded": lazy_gettext("Discarded"),
}


class NewDraft(Body):
    """From what a draft is made: its own content, or a name of what there is."""

    source = Text(length_max=SOURCE_LENGTH_MAX)
    content = fields.Dict()

    @validates_schema
    def _has_one(self, data: dict[str, Any], **_more: Any) -> None:
        if ("source" in data) == ("content" in data):
            raise ValidationError("either source or content is needed")


class ChangedDraft(Body):
    """What a draft says instead, and which draft its writer had seen."""

    content = fields.Dict(required=True)
    digest = Text(length_max=DIGEST_LENGTH, required=True)


class Publication(Body):
    """From when a draft holds, and which draft its publisher had seen."""

    valid_from = Day(required=True)
    digest = Text(length_max=DIGEST_LENGTH, required=True)


class StandardLineOut(Schema):
    """A version or a draft without its content; names are masked."""

    id = fields.Integer()
    version = fields.Integer(allow_none=True)
    name = fields.String()
    state = fields.String()
    valid_from = fields.Date()
    valid_to = fields.Date(allow_none=True)
    drafted_by = fields.String()
    drafted_at = fields.AwareDateTime(format="iso", allow_none=True)
    published_by = fields.String()
    published_at = fields.AwareDateTime(format="iso", allow_none=True)


class StandardsOut(Schema):
    """A page of versions and drafts, the newest first, and what comes with the service."""

    items = fields.List(fields.Nested(StandardLineOut))
    shipped = fields.List(fields.String())
    next = fields.String(allow_none=True)


class StandardContentOut(StandardLineOut):
    """A version or a draft with all it says, in the shape in which it is sent."""

    content = fields.Dict()
    digest = fields.String()
    warnings = fields.List(fields.Dict())


class StandardPublished(Schema):
    """The version that a draft became."""

    id = fields.Integer()
    version = fields.Integer()


def name_words(name: str) -> str:
    """Return a standard's name, that of the first version in the reader's language."""
    return str(gettext("Default standard 2020")) if name == FIRST_NAME else name


def line_out(found: StandardLine) -> dict[str, Any]:
    """Return a version or draft without its content."""
    return {name: getattr(found, name) for name in StandardLineOut().fields}


def full_out(found: StandardLine, content: Mapping[str, Any]) -> dict[str, Any]:
    """Return a version or draft with its content, its digest, and what is perhaps not meant."""
    return {
        **line_out(found),
        "content": content,
        "digest": digest_of(content),
        "warnings": worded(warnings_of(content)),
    }


def worded(problems: Iterable[Problem]) -> list[dict[str, str]]:
    """Return problems in the language of this request: {place, problem}."""
    return in_words(problem_facts(list(problems)))


def in_words(facts: Iterable[Mapping[str, Any]]) -> list[dict[str, str]]:
    """Return the problems that a refusal carries in the language of this request."""
    words = []
    for each in facts:
        sentence = each["sentence"]
        words.append(
            {
                "place": str(each["place"]),
                "problem": str(gettext(sentence, **each["facts"])),
            }
        )
    return words
