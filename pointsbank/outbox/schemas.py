"""What goes in and out of the outbox's doors, with the words for states and problems."""

from typing import Any

from flask_babel import lazy_gettext
from marshmallow import Schema, fields, validate

from pointsbank.outbox.models import NAME_LENGTH_MAX, URL_LENGTH_MAX
from pointsbank.outbox.queries import TryLine
from pointsbank.web.contract import PAGE_LIMIT, PAGE_LIMIT_MAX, Body, QueryWhole, Text, Whole

POSITION_MAX = 2**53
STATE_WORDS = {
    "active": lazy_gettext("In use"),
    "paused": lazy_gettext("Paused"),
    "failed": lazy_gettext("Given up"),
}
PROBLEM_WORDS = {
    "bad_address": lazy_gettext("The address is not allowed"),
    "address_not_found": lazy_gettext("The host was not found"),
    "address_not_public": lazy_gettext("The address leads into a private network"),
    "no_connection": lazy_gettext("No connection"),
    "not_trusted": lazy_gettext("The certificate is not trusted"),
    "no_answer": lazy_gettext("No answer in time"),
    "redirect": lazy_gettext("It pointed to another address; that is not followed"),
    "bad_status": lazy_gettext("It refused the message"),
}


class OutboxQuery(Body):
    """From where on to read."""

    after = QueryWhole(load_default=0, least=0, most=POSITION_MAX)
    limit = QueryWhole(load_default=PAGE_LIMIT, least=1, most=PAGE_LIMIT_MAX)


class EntryOut(Schema):
    """One sealed transfer at its position."""

    position = fields.Integer()
    block = fields.Integer()
    id = fields.Integer()
    key = fields.String()
    kind = fields.String()
    source = fields.String()
    target = fields.String()
    points = fields.Integer()
    occurred_at = fields.AwareDateTime(format="iso")
    recorded_at = fields.AwareDateTime(format="iso")
    expires_on = fields.Date(allow_none=True)
    reverses_id = fields.Integer(allow_none=True)
    line = fields.Integer(allow_none=True)
    balance_after = fields.Integer(allow_none=True)


class OutboxOut(Schema):
    """Entries in order; next is the position to go on after, also when nothing is new."""

    items = fields.List(fields.Nested(EntryOut))
    next = fields.Integer()


class NewWebhook(Body):
    """A system that is to be told; after is the position behind which it begins."""

    name = Text(length_max=NAME_LENGTH_MAX, required=True)
    url = fields.String(required=True, validate=validate.Length(min=1, max=URL_LENGTH_MAX))
    after = Whole(load_default=0, least=0, most=POSITION_MAX)


class WebhookChange(Body):
    """Pause it, or let it go on."""

    state = fields.String(required=True, validate=validate.OneOf(("active", "paused")))


class Again(Body):
    """Send everything behind this position once more."""

    after = Whole(required=True, least=0, most=POSITION_MAX)


class WebhookOut(Schema):
    """A webhook; behind is how many positions it was not yet sent."""

    id = fields.Integer()
    name = fields.String()
    url = fields.String()
    state = fields.String()
    position = fields.Integer()
    behind = fields.Integer()
    failures = fields.Integer()
    failing_since = fields.AwareDateTime(format="iso", allow_none=True)
    next_try_at = fields.AwareDateTime(format="iso", allow_none=True)
    previous_until = fields.AwareDateTime(format="iso", allow_none=True)
    created_at = fields.AwareDateTime(format="iso")


class WebhooksOut(Schema):
    """A page of webhooks."""

    items = fields.List(fields.Nested(WebhookOut))
    next = fields.String(allow_none=True)


class WebhookAdded(WebhookOut):
    """A new webhook with its secret, which no later answer holds."""

    secret = fields.String()


class SecretOut(Schema):
    """A new secret, and until when the one before signs as well."""

    secret = fields.String()
    previous_until = fields.AwareDateTime(format="iso")


class TryOut(Schema):
    """One try; status is null where nobody answered, problem where it was taken."""

    id = fields.Integer()
    first_position = fields.Integer()
    last_position = fields.Integer()
    tried_at = fields.AwareDateTime(format="iso")
    milliseconds = fields.Integer()
    status = fields.Integer(allow_none=True)
    problem = fields.String(allow_none=True)


class TriesOut(Schema):
    """A page of tries, newest first."""

    items = fields.List(fields.Nested(TryOut))
    next = fields.String(allow_none=True)


def try_words(line: TryLine) -> dict[str, Any]:
    """Return a try as a page prints it."""
    said = f"HTTP {line.status}" if line.status is not None else ""
    word = PROBLEM_WORDS.get(line.problem, line.problem) if line.problem else None
    return {
        "at": line.tried_at,
        "first": line.first_position,
        "last": line.last_position,
        "milliseconds": line.milliseconds,
        "is_taken": line.problem is None,
        "said": said,
        "word": word,
    }
