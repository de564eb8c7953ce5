"""Papers and appraisals as programs and pages send and see them."""

from typing import Any

from marshmallow import Schema, fields, validate

from pointsbank.appraisals.meeting_queries import AppraisalFile, CountLine, OwnAppraisal
from pointsbank.appraisals.models import (
    DEDUCTION_MAX,
    DEDUCTION_MIN,
    DOCUMENT_LENGTH,
    ENTRY_STATES,
    EVIDENCE_LENGTH,
    EXEMPTION_REASONS,
    LATE_MINUTES_MAX,
    LATE_TIMES_MAX,
    REASON_LENGTH,
    VETO_REASONS,
)
from pointsbank.appraisals.reading_queries import PaperFile
from pointsbank.scoring.schemas import Day
from pointsbank.web.contract import Body, PageQuery, RowId, Text, Whole

CODE_LENGTH = 32
ITEM_CODE_LENGTH = 40
BALLOTS_MAX = 2000
# The largest branch that is appraised at one meeting.
COUNTS_MAX = 500


class WantedDeduction(Body):
    """What is to be taken off one member's evaluation, in hundredths, and why."""

    member_id = RowId(required=True)
    hundredths = Whole(least=DEDUCTION_MIN, most=DEDUCTION_MAX, required=True)
    occurred_on = Day(required=True)
    reason = Text(length_max=REASON_LENGTH, required=True)
    document_no = Text(length_max=DOCUMENT_LENGTH, length_min=0, load_default="")
    evidence = Text(length_max=EVIDENCE_LENGTH, length_min=0, load_default="")


class WantedVeto(Body):
    """A fact for which a year is advised as unqualified, and the document that says it."""

    member_id = RowId(required=True)
    reason_code = fields.String(required=True, validate=validate.OneOf(VETO_REASONS))
    reason = Text(length_max=REASON_LENGTH, required=True)
    document_no = Text(length_max=DOCUMENT_LENGTH, required=True)
    occurred_on = Day(required=True)


class WantedExemption(Body):
    """Why one member is not to be evaluated; until_on is exclusive."""

    member_id = RowId(required=True)
    reason_code = fields.String(required=True, validate=validate.OneOf(EXEMPTION_REASONS))
    from_on = Day(required=True)
    until_on = Day(allow_none=True, load_default=None)
    reason = Text(length_max=REASON_LENGTH, length_min=0, load_default="")


class WantedLateEntry(Body):
    """Service that was never counted, by an item of the standard of its day."""

    member_id = RowId(required=True)
    item_code = Text(length_max=ITEM_CODE_LENGTH, required=True)
    times = Whole(least=1, most=LATE_TIMES_MAX, load_default=1)
    service_minutes = Whole(least=0, most=LATE_MINUTES_MAX, load_default=0)
    occurred_on = Day(required=True)
    reason = Text(length_max=REASON_LENGTH, required=True)
    document_no = Text(length_max=DOCUMENT_LENGTH, required=True)


class PaperEntered(Schema):
    """A paper that waits for a second person."""

    id = fields.Integer()
    state = fields.String()


class PaperQuery(PageQuery):
    """Which papers of a kind."""

    state = fields.String(validate=validate.OneOf(ENTRY_STATES))


class PaperDecision(Body):
    """What a second person decides, and why."""

    decision = fields.String(required=True, validate=validate.OneOf(["confirm", "refuse"]))
    reason = Text(length_max=REASON_LENGTH, required=True)


class Lifting(Body):
    """Why it is taken back; on: the day from which an exemption no longer holds."""

    reason = Text(length_max=REASON_LENGTH, required=True)
    on = Day()


class AppraisalLifting(Body):
    """Why it is taken back."""

    reason = Text(length_max=REASON_LENGTH, required=True)


class Statement(Body):
    """What the member says to it."""

    statement = Text(length_max=EVIDENCE_LENGTH, lines=True, required=True)


class Answer(Body):
    """What the member is answered."""

    answer = Text(length_max=EVIDENCE_LENGTH, lines=True, required=True)


class NamedPersonOut(Schema):
    """Somebody a paper names; the name is masked."""

    id = fields.Integer()
    display_name = fields.String()


class OwnEvaluationPaperOut(Schema):
    """A paper as the member sees whom it is about."""

    kind = fields.String()
    id = fields.Integer()
    state = fields.String()
    organization = fields.String()
    occurred_on = fields.Date()
    until_on = fields.Date(allow_none=True)
    hundredths = fields.Integer(allow_none=True)
    item_code = fields.String(allow_none=True)
    times = fields.Integer(allow_none=True)
    service_minutes = fields.Integer(allow_none=True)
    reason_code = fields.String(allow_none=True)
    reason = fields.String()
    document_no = fields.String(allow_none=True)
    entered_at = fields.AwareDateTime(format="iso")
    decided_at = fields.AwareDateTime(format="iso", allow_none=True)
    decision_reason = fields.String()
    lifted_at = fields.AwareDateTime(format="iso", allow_none=True)
    lift_reason = fields.String()
    statement = fields.String(allow_none=True)
    stated_at = fields.AwareDateTime(format="iso", allow_none=True)
    answer = fields.String(allow_none=True)
    answered_at = fields.AwareDateTime(format="iso", allow_none=True)


class EvaluationPaperOut(OwnEvaluationPaperOut):
    """A paper as those see it who look after its member."""

    member = fields.Nested(NamedPersonOut)
    volunteer_no = fields.String()
    evidence = fields.String(allow_none=True)
    entered_by = fields.Nested(NamedPersonOut)
    decided_by = fields.Nested(NamedPersonOut, allow_none=True)
    lifted_by = fields.Nested(NamedPersonOut, allow_none=True)
    answered_by = fields.Nested(NamedPersonOut, allow_none=True)


class EvaluationPapersOut(Schema):
    """A page of papers, the newest first."""

    items = fields.List(fields.Nested(EvaluationPaperOut))
    next = fields.String(allow_none=True)


class OwnAppraisalOut(Schema):
    """What an appraisal came to for one member; who voted how is nowhere."""

    held_on = fields.Date()
    organization = fields.String()
    hundredths = fields.Integer(allow_none=True)
    state = fields.String()


class OwnEvaluationPapersOut(Schema):
    """All that concerns one member."""

    items = fields.List(fields.Nested(OwnEvaluationPaperOut))
    appraisals = fields.List(fields.Nested(OwnAppraisalOut))
    next = fields.String(allow_none=True)


class CountIn(Body):
    """How many ballots gave one member each grade."""

    member_id = RowId(required=True)
    excellent = Whole(least=0, most=BALLOTS_MAX, required=True)
    qualified = Whole(least=0, most=BALLOTS_MAX, required=True)
    basic = Whole(least=0, most=BALLOTS_MAX, required=True)
    unqualified = Whole(least=0, most=BALLOTS_MAX, required=True)


class WantedAppraisal(Body):
    """What a branch counted on a day."""

    organization_code = Text(length_max=CODE_LENGTH, required=True)
    held_on = Day(required=True)
    ballots = Whole(least=1, most=BALLOTS_MAX, required=True)
    votes = fields.List(
        fields.Nested(CountIn), required=True, validate=validate.Length(min=1, max=COUNTS_MAX)
    )


class CountOut(Schema):
    """The counts of one member, and what they came to; null: too few ballots said anything."""

    member = fields.Nested(NamedPersonOut)
    volunteer_no = fields.String()
    excellent = fields.Integer()
    qualified = fields.Integer()
    basic = fields.Integer()
    unqualified = fields.Integer()
    hundredths = fields.Integer(allow_none=True)


class AppraisalLineOut(Schema):
    """A democratic appraisal of a branch."""

    id = fields.Integer()
    organization_code = fields.String()
    organization = fields.String()
    held_on = fields.Date()
    ballots = fields.Integer()
    state = fields.String()
    entered_by = fields.Nested(NamedPersonOut)
    entered_at = fields.AwareDateTime(format="iso")
    decided_by = fields.Nested(NamedPersonOut, allow_none=True)
    decided_at = fields.AwareDateTime(format="iso", allow_none=True)
    decision_reason = fields.String()
    lifted_at = fields.AwareDateTime(format="iso", allow_none=True)
    lift_reason = fields.String()


class AppraisalOut(AppraisalLineOut):
    """A democratic appraisal with its counts."""

    votes = fields.List(fields.Nested(CountOut))


class AppraisalsOut(Schema):
    """A page of appraisals, the newest first."""

    items = fields.List(fields.Nested(AppraisalLineOut))
    next = fields.String(allow_none=True)


def own_paper_out(found: PaperFile) -> dict[str, Any]:
    """Return a paper as its member sees it."""
    return {**vars(found), "organization": found.organization_name}


def paper_out(found: PaperFile) -> dict[str, Any]:
    """Return a paper as those see it who look after its member."""
    return own_paper_out(found) | {
        "member": {"id": found.member_id, "display_name": found.member_name},
        "entered_by": _person(found.entered_by_id, found.entered_by),
        "decided_by": _person(found.confirmed_by_id, found.confirmed_by),
        "lifted_by": _person(found.lifted_by_id, found.lifted_by),
        "answered_by": _person(found.answered_by_id, found.answered_by),
    }


def own_appraisal_out(found: OwnAppraisal) -> dict[str, Any]:
    """Return an appraisal as one of those sees it who were appraised."""
    return {**vars(found), "organization": found.organization_name}


def appraisal_out(found: AppraisalFile, counts: list[CountLine]) -> dict[str, Any]:
    """Return an appraisal with its counts."""
    return appraisal_line_out(found) | {
        "votes": [
            {**vars(line), "member": _person(line.member_id, line.display_name)}
            for line in counts
        ]
    }


def appraisal_line_out(found: AppraisalFile) -> dict[str, Any]:
    """Return an appraisal without its counts."""
    return {
        **vars(found),
        "organization": found.organization_name,
        "entered_by": _person(found.entered_by_id, found.entered_by),
        "decided_by": _person(found.confirmed_by_id, found.confirmed_by),
    }


def _person(member_id: int | None, display_name: str) -> dict[str, Any] | None:
    return None if member_id is None else {"id": member_id, "display_name": display_name}
