"""What comes in and goes out at the doors of kept places and invitations."""

from typing import Any

from marshmallow import Schema, fields, validate

from pointsbank.tasks.groups import GROUP_PLACES_MAX, Group
from pointsbank.tasks.invitations import OpenInvitation
from pointsbank.tasks.inviting import INVITEES_MAX
from pointsbank.web.contract import Body, RowId, Text, When, Whole


class NewGroup(Body):
    """Places of a role that a branch keeps; role_id may be left out for the first role."""

    organization_code = Text(length_max=32, required=True)
    places = Whole(least=1, most=GROUP_PLACES_MAX, required=True)
    role_id = RowId()


class GroupInvitees(Body):
    """People of the branch who are invited to its kept places."""

    member_ids = fields.List(
        RowId(), required=True, validate=validate.Length(min=1, max=INVITEES_MAX)
    )


class Invitees(GroupInvitees):
    """People whom an organizer invites; answer_by may be left out for three days."""

    role_id = RowId()
    answer_by = When()


class GroupOut(Schema):
    """Places that a branch keeps. taken: by those who accepted; invited: who did not answer."""

    id = fields.Integer()
    shift_id = fields.Integer()
    role_id = fields.Integer()
    role_name = fields.String()
    organization_code = fields.String()
    task_id = fields.Integer()
    title = fields.String()
    starts_at = fields.AwareDateTime(format="iso")
    places = fields.Integer()
    taken = fields.Integer()
    invited = fields.Integer()
    release_at = fields.AwareDateTime(format="iso")
    released_at = fields.AwareDateTime(format="iso", allow_none=True)


class GroupsOut(Schema):
    """A page of groups."""

    items = fields.List(fields.Nested(GroupOut))
    next = fields.String(allow_none=True)


class InvitedOut(Schema):
    """What became of inviting one person."""

    member_id = fields.Integer()
    state = fields.String()


class AllInvitedOut(Schema):
    """What became of inviting each of them."""

    items = fields.List(fields.Nested(InvitedOut))


class InvitationOut(Schema):
    """An invitation as whoever invites sees it."""

    id = fields.Integer()
    member_id = fields.Integer()
    display_name = fields.String()
    role_name = fields.String()
    state = fields.String()
    invited_at = fields.AwareDateTime(format="iso")
    answer_by = fields.AwareDateTime(format="iso")


class InvitationsOut(Schema):
    """A page of invitations to a shift."""

    items = fields.List(fields.Nested(InvitationOut))
    next = fields.String(allow_none=True)


class MyInvitationOut(Schema):
    """An invitation that waits; missing: the easiest way to become eligible."""

    id = fields.Integer()
    shift_id = fields.Integer()
    task_id = fields.Integer()
    title = fields.String()
    role_id = fields.Integer()
    role_name = fields.String()
    starts_at = fields.AwareDateTime(format="iso")
    ends_at = fields.AwareDateTime(format="iso")
    place_name = fields.String()
    answer_by = fields.AwareDateTime(format="iso")
    is_eligible = fields.Boolean()
    missing = fields.List(fields.Dict())


class MyInvitationsOut(Schema):
    """One's own invitations that wait, the most pressing first."""

    items = fields.List(fields.Nested(MyInvitationOut))


class DeclinedOut(Schema):
    """An invitation that was declined."""

    id = fields.Integer()
    state = fields.String()


def group_out(group: Group) -> dict[str, Any]:
    """Return a group as programs see it."""
    return {name: getattr(group, name) for name in GroupOut().fields}


def my_invitation_out(
    invitation: OpenInvitation, missing: tuple[dict[str, Any], ...], *, is_eligible: bool
) -> dict[str, Any]:
    """Return one's own invitation as programs see it."""
    names = MyInvitationOut().fields
    shown = {name: getattr(invitation, name) for name in names if hasattr(invitation, name)}
    return {**shown, "missing": list(missing), "is_eligible": is_eligible}
