"""Organizations and merchants as programs send and receive them."""

from typing import Any

from flask_babel import lazy_gettext
from marshmallow import Schema, fields, validate

from pointsbank.organizations.models import MERCHANT_KINDS
from pointsbank.organizations.queries import MerchantLine, OrganizationNode
from pointsbank.web.contract import Body, PageQuery, Text

NAME_LENGTH_MAX = 120
CODE_LENGTH_MAX = 32

KIND_WORDS = {
    "district": lazy_gettext("District"),
    "street": lazy_gettext("Street"),
    "community": lazy_gettext("Community"),
    "general_branch": lazy_gettext("General branch"),
    "branch": lazy_gettext("Branch"),
    "party_group": lazy_gettext("Party group"),
    "grid": lazy_gettext("Grid"),
    "micro_grid": lazy_gettext("Micro grid"),
    "building": lazy_gettext("Building"),
    "work_unit": lazy_gettext("Work unit"),
}
MERCHANT_KIND_WORDS = {
    "shop": lazy_gettext("Shop"),
    "community_store": lazy_gettext("Community store"),
    "service": lazy_gettext("Service"),
}


class OrganizationsQuery(PageQuery):
    """Which organizations to list: those under a code."""

    under = Text(length_max=CODE_LENGTH_MAX)


class OrganizationLineOut(Schema):
    """An organization."""

    id = fields.Integer()
    code = fields.String()
    name = fields.String()
    kind = fields.String()


class OrganizationLinesOut(Schema):
    """A page of organizations."""

    items = fields.List(fields.Nested(OrganizationLineOut))
    next = fields.String(allow_none=True)


class NewMerchant(Body):
    """A merchant to add."""

    name = Text(length_max=NAME_LENGTH_MAX, required=True)
    organization_code = Text(length_max=CODE_LENGTH_MAX, required=True)
    kind = fields.String(required=True, validate=validate.OneOf(MERCHANT_KINDS))


class MerchantAdded(Schema):
    """The merchant that was added."""

    id = fields.Integer()


class MerchantOut(Schema):
    """A merchant."""

    id = fields.Integer()
    name = fields.String()
    kind = fields.String()
    state = fields.String()
    organization_name = fields.String()


class MerchantsOut(Schema):
    """A page of merchants."""

    items = fields.List(fields.Nested(MerchantOut))
    next = fields.String(allow_none=True)


def organization_out(node: OrganizationNode) -> dict[str, Any]:
    """Return an organization as programs see it."""
    return {"id": node.id, "code": node.code, "name": node.name, "kind": node.kind}


def merchant_out(line: MerchantLine) -> dict[str, Any]:
    """Return a merchant as programs see it."""
    return {
        "id": line.id,
        "name": line.name,
        "kind": line.kind,
        "state": line.state,
        "organization_name": line.organization_name,
    }
