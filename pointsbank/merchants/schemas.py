"""Applications, contracts and shops as programs send and receive them, with their words."""

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from flask_babel import lazy_gettext
from flask_smorest.fields import Upload
from marshmallow import Schema, fields, validate

from pointsbank.merchants.applications import ApplicationLine, PaperLine
from pointsbank.merchants.clerks import ClerkLine
from pointsbank.merchants.contracts import ContractLine
from pointsbank.merchants.hours import clock_text, is_open, minute_from
from pointsbank.merchants.models import (
    APPLICATION_STATES,
    MONTH_POINTS_MAX,
    PAPER_KINDS,
    RATE_FEN_MAX,
    SHOP_STATES,
    Hours,
)
from pointsbank.merchants.queries import ShopLine
from pointsbank.organizations.models import MERCHANT_KINDS, MERCHANT_STATES
from pointsbank.web.contract import Body, PageQuery, Text, Whole

NAME_LENGTH_MAX = 120
SHOP_NAME_LENGTH_MAX = 80
CODE_LENGTH_MAX = 32
LICENSE_LENGTH_MAX = 32
ADDRESS_LENGTH_MAX = 200
NOTE_LENGTH_MAX = 500
REASON_LENGTH_MAX = 200
REFERENCE_LENGTH_MAX = 80
TELEPHONE_LENGTH_MAX = 20
CLOCK_LENGTH_MAX = 5
WEEK_SPANS_MAX = 21

APPLICATION_WORDS = {
    "waiting": lazy_gettext("Being looked at"),
    "approved": lazy_gettext("Approved"),
    "refused": lazy_gettext("Refused"),
    "withdrawn": lazy_gettext("Withdrawn"),
}
PAPER_WORDS = {
    "license": lazy_gettext("Business license"),
    "permit": lazy_gettext("Permit"),
    "contract": lazy_gettext("Contract"),
    "other": lazy_gettext("Another paper"),
}
CONTRACT_WORDS = {
    "proposed": lazy_gettext("Waits for the second signature"),
    "in_force": lazy_gettext("Signed"),
    "refused": lazy_gettext("Not signed"),
    "ended": lazy_gettext("Over"),
}
WEEKDAY_WORDS = (
    lazy_gettext("Monday"),
    lazy_gettext("Tuesday"),
    lazy_gettext("Wednesday"),
    lazy_gettext("Thursday"),
    lazy_gettext("Friday"),
    lazy_gettext("Saturday"),
    lazy_gettext("Sunday"),
)


class ApplicationsQuery(PageQuery):
    """Which applications to list."""

    state = fields.String(validate=validate.OneOf(APPLICATION_STATES))


class NewApplicationBody(Body):
    """A shop that applies; a community store may have no license."""

    name = Text(length_max=NAME_LENGTH_MAX, required=True)
    kind = fields.String(required=True, validate=validate.OneOf(MERCHANT_KINDS))
    organization_code = Text(length_max=CODE_LENGTH_MAX, required=True)
    license_no = Text(length_max=LICENSE_LENGTH_MAX, length_min=0, load_default="")
    address = Text(length_max=ADDRESS_LENGTH_MAX, required=True)
    note = Text(length_max=NOTE_LENGTH_MAX, length_min=0, lines=True, load_default="")


class PaperFile(Body):
    """The file of a paper: a picture or a PDF."""

    file = Upload(required=True)


class PaperForm(Body):
    """What kind of paper it is."""

    kind = fields.String(required=True, validate=validate.OneOf(PAPER_KINDS))


class ApplicationDecision(Body):
    """What an administrator decides; a refusal says why."""

    decision = fields.String(required=True, validate=validate.OneOf(["approve", "refuse"]))
    reason = Text(length_max=REASON_LENGTH_MAX)


class PaperOut(Schema):
    """A paper; its contents are under /merchant-papers/{id}."""

    id = fields.Integer()
    kind = fields.String()
    file_name = fields.String()
    media_type = fields.String()
    size = fields.Integer()
    uploaded_at = fields.AwareDateTime(format="iso")


class PapersOut(Schema):
    """Every paper of a merchant."""

    items = fields.List(fields.Nested(PaperOut))


class ApplicationOut(Schema):
    """An application."""

    id = fields.Integer()
    applicant = fields.Dict(keys=fields.String())
    name = fields.String()
    kind = fields.String()
    organization_name = fields.String()
    license_no = fields.String()
    address = fields.String()
    note = fields.String()
    state = fields.String()
    applied_at = fields.AwareDateTime(format="iso")
    decided_at = fields.AwareDateTime(format="iso", allow_none=True)
    decision_note = fields.String(allow_none=True)
    merchant_id = fields.Integer(allow_none=True)
    papers = fields.List(fields.Nested(PaperOut))


class ApplicationsOut(Schema):
    """A page of applications."""

    items = fields.List(fields.Nested(ApplicationOut))
    next = fields.String(allow_none=True)


class NewContractBody(Body):
    """Terms to be signed; rate_fen is for 100 points, both days are in it."""

    reference = Text(length_max=REFERENCE_LENGTH_MAX, required=True)
    valid_from = fields.Date(required=True)
    valid_until = fields.Date(required=True)
    rate_fen = Whole(least=1, most=RATE_FEN_MAX, required=True)
    month_points_max = Whole(least=1, most=MONTH_POINTS_MAX, allow_none=True, load_default=None)


class ContractDecision(Body):
    """What the second administrator decides."""

    decision = fields.String(required=True, validate=validate.OneOf(["approve", "refuse"]))


class ContractEnd(Body):
    """The last day on which a contract holds."""

    last_on = fields.Date(required=True)


class ContractOut(Schema):
    """A contract."""

    id = fields.Integer()
    merchant_id = fields.Integer()
    reference = fields.String()
    valid_from = fields.Date()
    valid_until = fields.Date()
    rate_fen = fields.Integer()
    month_points_max = fields.Integer(allow_none=True)
    state = fields.String()
    proposed_at = fields.AwareDateTime(format="iso")
    decided_at = fields.AwareDateTime(format="iso", allow_none=True)


class ContractsOut(Schema):
    """Every contract of a merchant."""

    items = fields.List(fields.Nested(ContractOut))


class MerchantState(Body):
    """Whether a merchant takes points; stopping it takes a reason."""

    state = fields.String(required=True, validate=validate.OneOf(MERCHANT_STATES))
    reason = Text(length_max=REASON_LENGTH_MAX)


class MerchantFileOut(Schema):
    """How a merchant stands today, and on which terms."""

    id = fields.Integer()
    name = fields.String()
    kind = fields.String()
    organization_name = fields.String()
    state = fields.String()
    stopped_reason = fields.String(allow_none=True)
    takes_points = fields.Boolean()
    takes_until = fields.Date(allow_none=True)
    rate_fen = fields.Integer()
    month_points_max = fields.Integer(allow_none=True)
    contract_id = fields.Integer(allow_none=True)


class HoursBody(Body):
    """A span of opening hours; Monday is 0, closes is at most 24:00."""

    weekday = Whole(least=0, most=6, required=True)
    opens = Text(length_max=CLOCK_LENGTH_MAX, required=True)
    closes = Text(length_max=CLOCK_LENGTH_MAX, required=True)


class ShopBody(Body):
    """A shop as a whole; what is left out is empty."""

    name = Text(length_max=SHOP_NAME_LENGTH_MAX, required=True)
    address = Text(length_max=ADDRESS_LENGTH_MAX, length_min=0, load_default="")
    telephone = Text(length_max=TELEPHONE_LENGTH_MAX, length_min=0, load_default="")
    latitude = fields.Float(
        allow_none=True, load_default=None, validate=validate.Range(-90, 90)
    )
    longitude = fields.Float(
        allow_none=True, load_default=None, validate=validate.Range(-180, 180)
    )
    hours = fields.List(
        fields.Nested(HoursBody),
        load_default=list,
        validate=validate.Length(max=WEEK_SPANS_MAX),
    )


class ShopState(Body):
    """Whether a shop is open for good or closed for good."""

    state = fields.String(required=True, validate=validate.OneOf(SHOP_STATES))


class HoursOut(Schema):
    """A span of opening hours."""

    weekday = fields.Integer()
    opens = fields.String()
    closes = fields.String()


class ShopOut(Schema):
    """A shop; is_open tells of this moment, null where its hours are not known."""

    id = fields.Integer()
    merchant_id = fields.Integer()
    name = fields.String()
    address = fields.String()
    telephone = fields.String()
    latitude = fields.Float(allow_none=True)
    longitude = fields.Float(allow_none=True)
    state = fields.String()
    hours = fields.List(fields.Nested(HoursOut))
    is_open = fields.Boolean(allow_none=True)


class ShopsOut(Schema):
    """Every shop of a merchant that may be seen."""

    items = fields.List(fields.Nested(ShopOut))


class TillCodeOut(Schema):
    """The code at a shop's till."""

    code = fields.String()
    url = fields.String()


class ClerkOut(Schema):
    """A clerk, masked; role_id is what is withdrawn."""

    member_id = fields.Integer()
    role_id = fields.Integer()
    display_name = fields.String()
    granted_at = fields.AwareDateTime(format="iso")


class ClerksOut(Schema):
    """Every clerk of a merchant."""

    items = fields.List(fields.Nested(ClerkOut))


def application_out(line: ApplicationLine, papers: list[PaperLine]) -> dict[str, Any]:
    """Return an application as programs see it."""
    return {
        **vars(line),
        "applicant": {"id": line.applicant_id, "display_name": line.applicant_name},
        "papers": papers,
    }


def contract_out(line: ContractLine) -> dict[str, Any]:
    """Return a contract as programs see it."""
    return vars(line)


def hours_in(body: list[dict[str, Any]]) -> tuple[Hours, ...]:
    """Return the hours that a program sent.

    Raises BadHours for what is no time of day.
    """
    return tuple(
        Hours(each["weekday"], minute_from(each["opens"]), minute_from(each["closes"]))
        for each in body
    )


def shop_out(shop: ShopLine, now: datetime, zone: ZoneInfo) -> dict[str, Any]:
    """Return a shop as programs see it; the handle of its till is nobody's to know."""
    return {
        **{name: value for name, value in vars(shop).items() if name != "till_handle"},
        "hours": [
            {
                "weekday": each.weekday,
                "opens": clock_text(each.opens),
                "closes": clock_text(each.closes),
            }
            for each in shop.hours
        ],
        "is_open": is_open(shop.hours, now, zone) if shop.state == "open" else False,
    }


def clerk_out(clerk: ClerkLine) -> dict[str, Any]:
    """Return a clerk as programs see them."""
    return {
        "member_id": clerk.member_id,
        "role_id": clerk.role_id,
        "display_name": clerk.name,
        "granted_at": clerk.granted_at,
    }
