"""People, sessions, codes and cards as programs send and receive them."""

import re
from typing import Any

from flask_babel import lazy_gettext
from marshmallow import Schema, ValidationError, fields, validate, validates_schema

from pointsbank.core.actor import ROLES
from pointsbank.core.text import masked_phone
from pointsbank.members.households import HOUSEHOLD_PEOPLE_MAX
from pointsbank.members.queries import FOUND_MAX, HouseholdFile, MemberFile, StandingRole
from pointsbank.web.contract import PAGE_LIMIT_MAX, Body, RowId, Text, Whole

PHONE_LENGTH_MAX = 40
CODE_LENGTH_MAX = 32
NAME_LENGTH_MAX = 60
# Longer than any password we take, short enough to cost nothing.
PASSWORD_TYPED_MAX = 200
VOLUNTEER_NO_LENGTH_MAX = 20
PIN = re.compile(r"[0-9]{6}")
CODE_PURPOSES = ("attend", "redeem")

ROLE_WORDS = {
    "administrator": lazy_gettext("Administrator"),
    "organizer": lazy_gettext("Organizer"),
    "clerk": lazy_gettext("Merchant clerk"),
    "secretary": lazy_gettext("Branch secretary"),
    "auditor": lazy_gettext("Auditor"),
    "committee": lazy_gettext("Branch committee member"),
}
KIND_WORDS = {
    "volunteer": lazy_gettext("Volunteer"),
    "party_member": lazy_gettext("Party member"),
    "probationary_member": lazy_gettext("Probationary party member"),
    "resident": lazy_gettext("Resident"),
    "staff": lazy_gettext("Staff"),
}


def is_pin(text: str) -> bool:
    """Tell whether this is six plain digits."""
    return PIN.fullmatch(text) is not None


def six_digits(text: str) -> None:
    """Refuse what is not six plain digits."""
    if not is_pin(text):
        raise ValidationError("six digits are needed")


class Day(fields.Date):
    """A local day, 2026-11-21."""

    def __init__(self, **more: Any) -> None:
        """Take ISO format only."""
        super().__init__(format="%Y-%m-%d", **more)


class Password(fields.String):
    """A password exactly as it was typed."""

    def __init__(self, **more: Any) -> None:
        """Bound it, so that nobody hashes a novel."""
        super().__init__(
            required=True, validate=validate.Length(min=1, max=PASSWORD_TYPED_MAX), **more
        )


class Credentials(Body):
    """What a person signs in with."""

    phone = Text(length_max=PHONE_LENGTH_MAX, required=True)
    password = Password()


class PasswordChange(Body):
    """The old password and the new one."""

    old_password = Password()
    new_password = Password()


class RoleOut(Schema):
    """A role that stands."""

    id = fields.Integer()
    role = fields.String()
    organization_code = fields.String(allow_none=True)
    merchant_id = fields.Integer(allow_none=True)


class MemberOut(Schema):
    """A person as they see themselves after signing in."""

    id = fields.Integer()
    volunteer_no = fields.String()
    display_name = fields.String()
    roles = fields.List(fields.Nested(RoleOut))


class SessionOut(Schema):
    """A session that has begun; the token is shown this once."""

    token = fields.String()
    expires_at = fields.AwareDateTime(format="iso")
    member = fields.Nested(MemberOut)


class CodeWanted(Body):
    """What a code is wanted for."""

    purpose = fields.String(required=True, validate=validate.OneOf(CODE_PURPOSES))


class CodeOut(Schema):
    """A code to show; digits only under a redemption code."""

    code = fields.String()
    url = fields.String()
    digits = fields.String()
    expires_at = fields.AwareDateTime(format="iso")
    refresh_seconds = fields.Integer()


class MemberSearch(Body):
    """Whom to look for; in the body, since nothing personal stands in a URL."""

    phone = Text(length_max=PHONE_LENGTH_MAX)
    name = Text(length_max=NAME_LENGTH_MAX)
    volunteer_no = Text(length_max=VOLUNTEER_NO_LENGTH_MAX)
    cursor = fields.String(validate=validate.Length(max=200))
    limit = Whole(least=1, most=PAGE_LIMIT_MAX, load_default=FOUND_MAX)

    @validates_schema
    def asks_for_something(self, data: dict[str, Any], **_more: Any) -> None:
        """Refuse a search for everyone."""
        if not {"phone", "name", "volunteer_no"} & set(data):
            raise ValidationError("phone, name or volunteer_no is needed")


class FoundMember(Schema):
    """A person as administrators and secretaries of their organization see them."""

    id = fields.Integer()
    volunteer_no = fields.String()
    name = fields.String()
    masked_phone = fields.String(allow_none=True)
    organization_code = fields.String()
    kind = fields.String()
    state = fields.String()


class FoundMembers(Schema):
    """A page of people."""

    items = fields.List(fields.Nested(FoundMember))
    next = fields.String(allow_none=True)


class NewRole(Body):
    """A role to give: over an organization's subtree, or at a merchant."""

    role = fields.String(required=True, validate=validate.OneOf(ROLES))
    organization_code = Text(length_max=CODE_LENGTH_MAX)
    merchant_id = RowId()


class NewCard(Body):
    """A card to issue; without six digits it checks in but never spends."""

    pin = fields.String(validate=six_digits, allow_none=True)


class RoleGranted(Schema):
    """The role that now stands."""

    id = fields.Integer()


class CardOut(Schema):
    """A card as it was issued; its code is shown this once."""

    id = fields.Integer()
    code = fields.String()
    url = fields.String()


class NewHousehold(Body):
    """The people of a household to register, at least two."""

    member_ids = fields.List(
        RowId(), required=True, validate=validate.Length(min=2, max=HOUSEHOLD_PEOPLE_MAX)
    )


class NewHouseholdPerson(Body):
    """Who is added to a household."""

    member_id = RowId(required=True)


class HouseholdPersonOut(Schema):
    """One person of a household."""

    id = fields.Integer()
    display_name = fields.String()


class HouseholdOut(Schema):
    """A household with masked names; id is null for a member who belongs to none."""

    id = fields.Integer(allow_none=True)
    members = fields.List(fields.Nested(HouseholdPersonOut))


class StateOut(Schema):
    """Whether an account is active or suspended."""

    id = fields.Integer()
    state = fields.String()


def role_out(role: StandingRole) -> dict[str, Any]:
    """Return a role as programs see it."""
    return {
        "id": role.id,
        "role": role.role,
        "organization_code": role.organization_code,
        "merchant_id": role.merchant_id,
    }


def member_out(member: MemberFile, roles: list[StandingRole]) -> dict[str, Any]:
    """Return a person as they see themselves."""
    return {
        "id": member.id,
        "volunteer_no": member.volunteer_no,
        "display_name": member.display_name,
        "roles": [role_out(role) for role in roles],
    }


def found_member(member: MemberFile) -> dict[str, Any]:
    """Return a person as those see them who may read the full name."""
    return {
        "id": member.id,
        "volunteer_no": member.volunteer_no,
        "name": member.name,
        "masked_phone": masked_phone(member.phone) if member.phone else None,
        "organization_code": member.organization_code,
        "kind": member.kind,
        "state": member.state,
    }


def household_out(household: HouseholdFile | None) -> dict[str, Any]:
    """Return a household as programs see it."""
    if household is None:
        return {"id": None, "members": []}
    return {
        "id": household.id,
        "members": [
            {"id": person.id, "display_name": person.display_name}
            for person in household.people
        ],
    }
