"""What the doors of yearly grades take and answer, and their words."""

from collections.abc import Sequence
from typing import Any

from flask_babel import lazy_gettext
from marshmallow import Schema, fields, validate

from pointsbank.appraisals.models import GRADES
from pointsbank.rankings.grades import CaseFile, OwnGrade, ReviewFile, VoiceFile
from pointsbank.rankings.schemas import SnapshotPartOut
from pointsbank.web.contract import Body, Text

GRADE_REASON_LENGTH_MAX = 400
NOTICE_REASON_LENGTH_MAX = 200

GRADE_WORDS = {
    "excellent": lazy_gettext("Excellent"),
    "qualified": lazy_gettext("Qualified"),
    "basic": lazy_gettext("Basically qualified"),
    "unqualified": lazy_gettext("Unqualified"),
}
REVIEW_WORDS = {
    "open": lazy_gettext("Being decided"),
    "confirmed": lazy_gettext("All decided, to be shown"),
    "noticed": lazy_gettext("Before the public"),
    "final": lazy_gettext("Grades final"),
}


class WantedGrade(Body):
    """A grade that somebody stands for."""

    grade = fields.String(required=True, validate=validate.OneOf(GRADES))
    reason = Text(load_default="", length_min=0, length_max=GRADE_REASON_LENGTH_MAX)


class WhyAgain(Body):
    """Why a decision is taken back."""

    reason = Text(required=True, length_max=GRADE_REASON_LENGTH_MAX)


class WhyShown(Body):
    """Why a notice that stands is replaced; empty for the first one."""

    reason = Text(load_default="", length_min=0, length_max=NOTICE_REASON_LENGTH_MAX)


class GradesBegun(Schema):
    """The review that was begun."""

    id = fields.Integer()


class GradeVoiceOut(Schema):
    """What one of the committee said."""

    voter_id = fields.Integer()
    name = fields.String()
    round = fields.Integer()
    grade = fields.String()
    reason = fields.String()
    said_at = fields.AwareDateTime(format="iso")


class GradeCaseOut(Schema):
    """One member's case; voices only where one case is asked for, and not in one's own."""

    member_id = fields.Integer()
    name = fields.String()
    volunteer_no = fields.String()
    round = fields.Integer()
    advised = fields.String()
    grade = fields.String(allow_none=True)
    reason = fields.String()
    decided_at = fields.AwareDateTime(format="iso", allow_none=True)
    voice_count = fields.Integer()
    is_own = fields.Boolean()
    voices = fields.List(fields.Nested(GradeVoiceOut))


class GradesOut(Schema):
    """One branch's grades of a year."""

    id = fields.Integer()
    period = fields.String()
    organization_id = fields.Integer()
    state = fields.String()
    notice_id = fields.Integer(allow_none=True)
    final_at = fields.AwareDateTime(format="iso", allow_none=True)
    cases = fields.List(fields.Nested(GradeCaseOut))


class OwnGradeOut(Schema):
    """One's own grade of a year; the grade is null until the branch shows it."""

    period = fields.String()
    organization = fields.String()
    state = fields.String()
    advised = fields.String()
    grade = fields.String(allow_none=True)
    reason = fields.String()
    final_at = fields.AwareDateTime(format="iso", allow_none=True)
    evaluation_hundredths = fields.Integer(allow_none=True)
    parts = fields.List(fields.Nested(SnapshotPartOut))


class OwnGradesOut(Schema):
    """One's own grades, the newest year first."""

    items = fields.List(fields.Nested(OwnGradeOut))


def case_out(
    case: CaseFile, actor_id: int, voices: Sequence[VoiceFile] | None = None
) -> dict[str, Any]:
    """Return a case as programs see it; who said what stays hidden from whom it is about."""
    is_own = case.member_id == actor_id
    found = {**case.__dict__, "voice_count": case.voices, "is_own": is_own}
    found.pop("voices")
    if is_own:
        found |= {"grade": None, "reason": "", "decided_at": None}
    elif voices is not None:
        found["voices"] = [each.__dict__ for each in voices]
    return found


def review_out(review: ReviewFile, cases: Sequence[CaseFile], actor_id: int) -> dict[str, Any]:
    """Return a review as programs see it."""
    return {**review.__dict__, "cases": [case_out(each, actor_id) for each in cases]}


def own_out(found: OwnGrade) -> dict[str, Any]:
    """Return one's own grade as programs see it."""
    return {
        **found.__dict__,
        "organization": found.organization_name,
        "evaluation_hundredths": found.line.evaluation_hundredths if found.line else None,
        "parts": found.line.parts if found.line else [],
    }
