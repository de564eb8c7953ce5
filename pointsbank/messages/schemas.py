"""A message as it goes out."""

from datetime import date, datetime
from typing import Any

from flask import current_app, url_for
from marshmallow import Schema, fields

from pointsbank.messages.appraisal_words import APPRAISAL_WORDS
from pointsbank.messages.certificate_words import CERTIFICATE_WORDS
from pointsbank.messages.grade_words import GRADE_WORDS
from pointsbank.messages.job_words import JOB_WORDS
from pointsbank.messages.merchant_words import MERCHANT_WORDS
from pointsbank.messages.move_words import MOVE_WORDS
from pointsbank.messages.notice_words import NOTICE_WORDS
from pointsbank.messages.queries import MessageLine
from pointsbank.messages.words import MEMBER_WORDS, NEWS
from pointsbank.web.contract import Body, RowId
from pointsbank.web.formats import day, hours, moment, month_name, points
from pointsbank.web.languages import locale_name

# Every kind with its words.
WORDS = {
    **MEMBER_WORDS,
    **MERCHANT_WORDS,
    **NOTICE_WORDS,
    **GRADE_WORDS,
    **APPRAISAL_WORDS,
    **MOVE_WORDS,
    **CERTIFICATE_WORDS,
    **JOB_WORDS,
}


class MessageOut(Schema):
    """One message; href is where it leads on this service's pages, null when nowhere."""

    id = fields.Integer()
    kind = fields.String()
    sentence = fields.String()
    facts = fields.Dict(keys=fields.String())
    href = fields.String(allow_none=True)
    told_at = fields.AwareDateTime(format="iso")
    read_at = fields.AwareDateTime(format="iso", allow_none=True)


class InboxOut(Schema):
    """A page of one's own messages, newest first; unread is counted up to 100."""

    items = fields.List(fields.Nested(MessageOut))
    next = fields.String(allow_none=True)
    unread = fields.Integer()


class Reading(Body):
    """How far the inbox was read: everything up to and with this message."""

    up_to = RowId(required=True)


class ReadOut(Schema):
    """What is still unread."""

    unread = fields.Integer()


def fact_words(name: str, value: Any) -> str:
    """Return a fact as its sentence prints it, by the fact's name."""
    if name.endswith("_on"):
        on = date.fromisoformat(value)
        return f"{on.year}年{day(on)}" if locale_name() == "zh" else f"{day(on)} {on.year}"
    if name.endswith(("_at", "_by")):
        return moment(datetime.fromisoformat(value))
    if name == "month":
        return month_name(date.fromisoformat(f"{value}-01"))
    if name == "minutes":
        return hours(value)
    return points(value) if isinstance(value, int) else str(value)


def sentence_of_message(line: MessageLine) -> str:
    """Return a message's sentence in the language of this request."""
    language = locale_name()
    words = {
        name: fact_words(name, line.facts.get(f"{name}_{language}", value))
        for name, value in line.facts.items()
    }
    return str(WORDS.get(line.kind, NEWS).sentence) % words


def href_of(line: MessageLine) -> str | None:
    """Return the page that a message leads to."""
    words = WORDS.get(line.kind, NEWS)
    if words.endpoint is None or words.endpoint not in current_app.view_functions:
        return None
    return url_for(words.endpoint, **{name: line.facts[name] for name in words.address})


def message_out(line: MessageLine) -> dict[str, Any]:
    """Return a message as programs see it; pages print the same."""
    return {
        "id": line.id,
        "kind": line.kind,
        "sentence": sentence_of_message(line),
        "facts": line.facts,
        "href": href_of(line),
        "told_at": line.told_at,
        "read_at": line.read_at,
    }
