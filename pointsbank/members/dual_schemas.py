"""Registrations at home as programs send and receive them, and their words."""

from typing import Any

from flask_babel import lazy_gettext
from marshmallow import Schema, fields, validate

from pointsbank.members.dual_queries import RegistrationFile
from pointsbank.members.dual_registering import COMMENT_LENGTH_MAX
from pointsbank.web.contract import Body, PageQuery, RowId, Text

CODE_LENGTH_MAX = 32
END_REASON_LENGTH_MAX = 200
QUARTER_LENGTH = 7
STATE_WORDS = {
    "applied": lazy_gettext("Waits for the community"),
    "accepted": lazy_gettext("Accepted by the community"),
    "active": lazy_gettext("Confirmed by both sides"),
    "ended": lazy_gettext("Ended"),
}


class OwnRegistrationWanted(Body):
    """Which unit one works in, and in which community one lives."""

    work_unit_code = Text(length_max=CODE_LENGTH_MAX, required=True)
    community_code = Text(length_max=CODE_LENGTH_MAX, required=True)
    is_named = fields.Boolean(
        load_default=False,
        truthy={True},
        falsy={False},
        metadata={"description": "the unit may read one's hours under one's name"},
    )


class RegistrationWanted(OwnRegistrationWanted):
    """The same for a member of one's scope; today is its first day where none is told."""

    member_id = RowId(required=True)
    first_on = fields.Date(format="%Y-%m-%d")


class Naming(Body):
    """Whether the unit may read one's hours under one's name."""

    is_named = fields.Boolean(required=True, truthy={True}, falsy={False})


class Acceptance(Body):
    """From which day on the community counts; today where none is told."""

    first_on = fields.Date(format="%Y-%m-%d")


class Ending(Body):
    """Why a registration ends, or is refused."""

    reason = Text(length_max=END_REASON_LENGTH_MAX, required=True)


class Comment(Body):
    """What the community says of one person's quarter."""

    period = fields.String(required=True, validate=validate.Length(max=QUARTER_LENGTH))
    comment = Text(length_max=COMMENT_LENGTH_MAX, required=True)


class RegistrationQuery(PageQuery):
    """Which registrations are asked for."""

    state = fields.String(validate=validate.OneOf(tuple(STATE_WORDS)))


class RegistrationOut(Schema):
    """One registration; until_on is the first day that no longer counts."""

    id = fields.Integer()
    member_id = fields.Integer()
    display_name = fields.String()
    state = fields.String()
    work_unit_code = fields.String()
    work_unit = fields.String()
    community_code = fields.String()
    community = fields.String()
    entered_at = fields.AwareDateTime(format="iso")
    from_on = fields.Date(allow_none=True)
    until_on = fields.Date(allow_none=True)
    end_reason = fields.String()
    is_named = fields.Boolean()


class RegistrationsOut(Schema):
    """A page of registrations."""

    items = fields.List(fields.Nested(RegistrationOut))
    next = fields.String(allow_none=True)


def registration_out(found: RegistrationFile) -> dict[str, Any]:
    """Return a registration as the contract has it; the name is masked."""
    return {
        "id": found.id,
        "member_id": found.member_id,
        "display_name": found.display_name,
        "state": found.state,
        "work_unit_code": found.work_unit_code,
        "work_unit": found.work_unit_name,
        "community_code": found.community_code,
        "community": found.community_name,
        "entered_at": found.entered_at,
        "from_on": found.from_on,
        "until_on": found.until_on,
        "end_reason": found.end_reason,
        "is_named": found.named_at is not None,
    }
