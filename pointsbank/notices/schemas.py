"""Notices and objections as programs send and receive them."""

from collections.abc import Sequence
from datetime import date
from typing import Any

from marshmallow import Schema, fields, validate

from pointsbank.notices.drafting import REASON_LENGTH_MAX
from pointsbank.notices.filling import LINES_MAX
from pointsbank.notices.objecting import FACTS_LENGTH_MAX
from pointsbank.notices.objecting import REASON_LENGTH_MAX as OBJECTION_LENGTH_MAX
from pointsbank.notices.objections import ObjectionFile
from pointsbank.notices.queries import NoticeFile, ShownLine
from pointsbank.notices.words import reason_words
from pointsbank.web.contract import Body, PageQuery, Text, Whole

RECEIPT_LENGTH_MAX = 40
CODE_LENGTH_MAX = 32


class NoticeLineOut(Schema):
    """One line as the public reads it."""

    no = fields.Integer()
    about = fields.String()
    name = fields.String()
    facts = fields.Dict(keys=fields.String())


class PublicNoticeOut(Schema):
    """A notice as it hangs on the wall: everything its digest is made of, and its days."""

    id = fields.Integer()
    no = fields.Integer()
    kind = fields.String()
    title = fields.String()
    organization = fields.String()
    organization_code = fields.String()
    facts = fields.Dict(keys=fields.String())
    digest = fields.String()
    opened_on = fields.Date(allow_none=True)
    closes_on = fields.Date(allow_none=True)
    window_days = fields.Integer()
    is_contested = fields.Boolean()
    lines = fields.List(fields.Nested(NoticeLineOut))


class PublicNoticeLineOut(Schema):
    """A notice in the list of those that are open."""

    id = fields.Integer()
    kind = fields.String()
    title = fields.String()
    organization = fields.String()
    opened_on = fields.Date()
    closes_on = fields.Date()


class PublicNoticesOut(Schema):
    """A page of open notices."""

    items = fields.List(fields.Nested(PublicNoticeLineOut))
    next = fields.String(allow_none=True)


class PublicQuery(PageQuery):
    """Which open notices to list: those of an organization and all below it."""

    organization_code = Text(length_max=CODE_LENGTH_MAX)


class NoticeOut(PublicNoticeOut):
    """A notice as its committee sees it."""

    subject = fields.String()
    state = fields.String()
    drafted_by_id = fields.Integer(allow_none=True)
    drafted_at = fields.AwareDateTime(format="iso")
    reviewed_by_id = fields.Integer(allow_none=True)
    also_reviewed_by_id = fields.Integer(allow_none=True)
    reviewed_at = fields.AwareDateTime(format="iso", allow_none=True)
    locked_at = fields.AwareDateTime(format="iso", allow_none=True)
    replaces_id = fields.Integer(allow_none=True)
    withdrawn_reason = fields.String()


class NoticeListed(Schema):
    """A notice in the list of those who look after it."""

    id = fields.Integer()
    kind = fields.String()
    no = fields.Integer()
    title = fields.String()
    organization = fields.String()
    state = fields.String()
    opened_on = fields.Date(allow_none=True)
    closes_on = fields.Date(allow_none=True)
    waiting = fields.Integer()


class NoticesOut(Schema):
    """A page of notices, newest first."""

    items = fields.List(fields.Nested(NoticeListed))
    next = fields.String(allow_none=True)


class NoticesQuery(PageQuery):
    """Which notices to list: those that can still change, or the archive."""

    state = fields.String(validate=validate.OneOf(["alive", "archive"]), load_default="alive")


class NoticeReviewed(Schema):
    """What a review led to; draft: the reviewer's own line waits for another person."""

    id = fields.Integer()
    state = fields.String()
    opened_on = fields.Date(allow_none=True)
    closes_on = fields.Date(allow_none=True)


class Withdrawal(Body):
    """Why a notice is taken back."""

    reason = Text(length_max=REASON_LENGTH_MAX, required=True)


class NewObjectionBody(Body):
    """What is said against a notice; without line_no against all of it."""

    reason = Text(length_max=OBJECTION_LENGTH_MAX, required=True)
    facts = Text(length_max=FACTS_LENGTH_MAX, length_min=0, lines=True, load_default="")
    line_no = Whole(least=1, most=LINES_MAX, load_default=None, allow_none=True)


class ObjectionRaised(Schema):
    """An objection and its days."""

    id = fields.Integer()
    answer_by = fields.Date()
    decide_by = fields.Date()


class AnonymousRaised(Schema):
    """The code by which somebody without a name follows their objection; shown this once."""

    receipt = fields.String()
    answer_by = fields.Date()
    decide_by = fields.Date()


class ReceiptBody(Body):
    """A receipt; it stands in the body, since no code stands in a URL."""

    receipt = Text(length_max=RECEIPT_LENGTH_MAX, required=True)


class CourseOut(Schema):
    """What became of an objection, as whoever raised it reads it."""

    title = fields.String()
    line_no = fields.Integer(allow_none=True)
    reason = fields.String()
    facts = fields.String()
    state = fields.String()
    raised_at = fields.AwareDateTime(format="iso")
    answer_by = fields.Date()
    decide_by = fields.Date()
    answered_at = fields.AwareDateTime(format="iso", allow_none=True)
    answer = fields.String()
    decided_at = fields.AwareDateTime(format="iso", allow_none=True)
    decision = fields.String()


class OwnObjectionOut(CourseOut):
    """One's own objection."""

    id = fields.Integer()
    notice_id = fields.Integer()


class OwnObjectionsOut(Schema):
    """A page of one's own objections, newest first."""

    items = fields.List(fields.Nested(OwnObjectionOut))
    next = fields.String(allow_none=True)


class ObjectionOut(OwnObjectionOut):
    """An objection as those who answer see it; names are masked."""

    organization = fields.String()
    about = fields.String()
    objector = fields.String()
    is_late = fields.Boolean()


class ObjectionsOut(Schema):
    """A page of objections."""

    items = fields.List(fields.Nested(ObjectionOut))
    next = fields.String(allow_none=True)


class ObjectionsQuery(PageQuery):
    """Which objections to list: those that wait, or those that are closed."""

    state = fields.String(
        validate=validate.OneOf(["waiting", "closed"]), load_default="waiting"
    )


class AnswerBody(Body):
    """The answer: looked into, or not taken up with a reason."""

    answer = fields.String(required=True, validate=validate.OneOf(["accept", "dismiss"]))
    reason = Text(length_max=OBJECTION_LENGTH_MAX, length_min=0, load_default="")


class DecisionBody(Body):
    """The decision, and why."""

    decision = fields.String(required=True, validate=validate.OneOf(["uphold", "reject"]))
    reason = Text(length_max=OBJECTION_LENGTH_MAX, required=True)


def public_out(found: NoticeFile, lines: Sequence[ShownLine]) -> dict[str, Any]:
    """Return a notice as everyone may read it."""
    return {
        **{
            name: getattr(found, name)
            for name in PublicNoticeOut().fields
            if hasattr(found, name)
        },
        "organization": found.organization_name,
        "is_contested": found.state == "contested",
        "lines": [vars(line) for line in lines],
    }


def notice_out(found: NoticeFile, lines: Sequence[ShownLine]) -> dict[str, Any]:
    """Return a notice as its committee sees it."""
    return {
        **vars(found),
        **public_out(found, lines),
        "withdrawn_reason": reason_words(found.withdrawn_reason),
    }


def listed(found: NoticeFile, waiting: int = 0) -> dict[str, Any]:
    """Return a notice as a list prints it."""
    return {**vars(found), "organization": found.organization_name, "waiting": waiting}


def objection_out(found: ObjectionFile, today: date) -> dict[str, Any]:
    """Return an objection as those who answer see it."""
    return {
        **vars(found),
        "organization": found.organization_name,
        "about": found.about_name,
        "objector": found.objector_name,
        "is_late": found.is_late(today),
    }
