"""Organizations and merchants as programs send and receive them."""

from typing import Any

from marshmallow import Schema, fields, validate

from pointsbank.organizations.models import MERCHANT_KINDS
from pointsbank.organizations.queries import MerchantLine, OrganizationNode
from pointsbank.web.contract import Body, PageQuery, Text

NAME_LENGTH_MAX = 120
CODE_LENGTH_MAX = 32


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
