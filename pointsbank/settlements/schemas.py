"""Statements as programs see them, and what they send about one."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from marshmallow import Schema, fields, validate

from pointsbank.core.money import yuan_text
from pointsbank.settlements.policy import fen_of
from pointsbank.settlements.queries import LineFile, MonthTotals, StatementFile
from pointsbank.settlements.viewing import MonthSeen
from pointsbank.web.contract import Body, PageQuery, Text

REASON_LENGTH_MAX = 200
REFERENCE_LENGTH_MAX = 80
AMOUNT_LENGTH_MAX = 20


class StatementsQuery(PageQuery):
    """Which month to list; the one before the running one when none is named."""

    month = fields.String()


class NewStatementDispute(Body):
    """Why a line is wrong."""

    reason = Text(length_max=REASON_LENGTH_MAX, required=True)


class NewStatementAnswer(Body):
    """Accept a disputed line with an amount of money, or reject it, and why."""

    decision = fields.String(required=True, validate=validate.OneOf(["accept", "reject"]))
    correction_yuan = Text(length_max=AMOUNT_LENGTH_MAX, load_default="0")
    reason = Text(length_max=REASON_LENGTH_MAX, required=True)


class NewPayment(Body):
    """Under which reference the money was sent."""

    reference = Text(length_max=REFERENCE_LENGTH_MAX, required=True)


class MerchantNameOut(Schema):
    """A merchant by its name."""

    id = fields.Integer()
    name = fields.String()


class SignerOut(Schema):
    """Who signed, as others see the name."""

    display_name = fields.String()


class StatementTotalsOut(Schema):
    """What a month comes to. Money is yuan with two places, as text.

    amount_yuan: the lines at their rates; due_yuan: with the corrections of accepted disputes.
    """

    redeemed_points = fields.Integer()
    voided_points = fields.Integer()
    net_points = fields.Integer()
    amount_yuan = fields.String()
    correction_yuan = fields.String()
    due_yuan = fields.String()


class StatementBriefOut(Schema):
    """One statement of a list."""

    merchant = fields.Nested(MerchantNameOut)
    month = fields.String()
    state = fields.String()
    late = fields.String(allow_none=True)
    line_count = fields.Integer()
    totals = fields.Nested(StatementTotalsOut)
    confirm_by = fields.AwareDateTime(format="iso", allow_none=True)
    pay_by = fields.AwareDateTime(format="iso", allow_none=True)


class StatementBriefsOut(Schema):
    """A page of a merchant's statements, the newest month first."""

    items = fields.List(fields.Nested(StatementBriefOut))
    next = fields.String(allow_none=True)


class MonthTotalsOut(Schema):
    """What a month of all merchants within one's scope comes to."""

    statements = fields.Integer()
    net_points = fields.Integer()
    due_yuan = fields.String()
    paid_yuan = fields.String()


class MonthStatementsOut(StatementBriefsOut):
    """A page of a month's statements, by merchant."""

    month = fields.String()
    totals = fields.Nested(MonthTotalsOut)


class LineDisputeOut(Schema):
    """What the merchant said of a line, and the answer."""

    state = fields.String()
    reason = fields.String()
    answer = fields.String(allow_none=True)
    correction_yuan = fields.String()


class StatementLineOut(Schema):
    """One transfer; points below zero came back from the merchant."""

    no = fields.Integer()
    kind = fields.String()
    transfer_id = fields.Integer()
    number = fields.String(allow_none=True)
    occurred_at = fields.AwareDateTime(format="iso")
    what = fields.String()
    points = fields.Integer()
    rate_fen = fields.Integer()
    amount_yuan = fields.String()
    dispute = fields.Nested(LineDisputeOut, allow_none=True)


class StatementDetailOut(StatementBriefOut):
    """A merchant's month with all its lines and who signed."""

    lines = fields.List(fields.Nested(StatementLineOut))
    by_silence = fields.Boolean()
    confirmed_at = fields.AwareDateTime(format="iso", allow_none=True)
    confirmed_by = fields.Nested(SignerOut, allow_none=True)
    approved_at = fields.AwareDateTime(format="iso", allow_none=True)
    approved_by = fields.Nested(SignerOut, allow_none=True)
    paid_at = fields.AwareDateTime(format="iso", allow_none=True)
    paid_by = fields.Nested(SignerOut, allow_none=True)
    payment_reference = fields.String(allow_none=True)
    digest = fields.String(allow_none=True)


def brief_out(found: StatementFile, now: datetime) -> dict[str, Any]:
    """Return a statement as a list has it."""
    return {
        "merchant": {"id": found.merchant_id, "name": found.merchant_name},
        "month": found.month,
        "state": found.state,
        "late": found.lateness(now),
        "line_count": found.line_count,
        "totals": {
            "redeemed_points": found.redeemed_points,
            "voided_points": found.voided_points,
            "net_points": found.net_points,
            "amount_yuan": yuan_text(found.amount_fen),
            "correction_yuan": yuan_text(found.correction_fen),
            "due_yuan": yuan_text(found.due_fen),
        },
        "confirm_by": found.confirm_by,
        "pay_by": found.pay_by,
    }


def totals_out(totals: MonthTotals) -> dict[str, Any]:
    """Return a month of all merchants."""
    return {
        "statements": totals.statements,
        "net_points": totals.net_points,
        "due_yuan": yuan_text(totals.due_fen),
        "paid_yuan": yuan_text(totals.paid_fen),
    }


def line_out(line: LineFile) -> dict[str, Any]:
    """Return one line; its amount is rounded by itself, the statement's once."""
    dispute = None
    if line.dispute is not None:
        dispute = {
            "state": line.dispute,
            "reason": line.dispute_reason,
            "answer": line.answer,
            "correction_yuan": yuan_text(line.correction_fen),
        }
    return {
        "no": line.no,
        "kind": line.kind,
        "transfer_id": line.transfer_id,
        "number": line.number,
        "occurred_at": line.occurred_at,
        "what": line.what,
        "points": line.points,
        "rate_fen": line.rate_fen,
        "amount_yuan": yuan_text(fen_of(line.points * line.rate_fen)),
        "dispute": dispute,
    }


def detail_out(
    seen: MonthSeen, lines: Iterable[LineFile], names: Mapping[int, str], now: datetime
) -> dict[str, Any]:
    """Return a month with its lines; names: the masked names of who signed, by id."""
    found = seen.statement
    return {
        "merchant": {"id": seen.merchant_id, "name": seen.merchant_name},
        "month": seen.month.name,
        "state": seen.state,
        "late": found.lateness(now) if found else None,
        "line_count": seen.sums.lines,
        "totals": {
            "redeemed_points": seen.sums.redeemed,
            "voided_points": seen.sums.voided,
            "net_points": seen.sums.net,
            "amount_yuan": yuan_text(seen.sums.amount_fen),
            "correction_yuan": yuan_text(seen.correction_fen),
            "due_yuan": yuan_text(seen.due_fen),
        },
        "confirm_by": found and found.confirm_by,
        "pay_by": found and found.pay_by,
        "lines": [line_out(line) for line in lines],
        **signatures_out(found, names),
        "digest": found.digest.hex() if found else None,
    }


def signatures_out(found: StatementFile | None, names: Mapping[int, str]) -> dict[str, Any]:
    """Return who signed a statement and when; nobody yet while it is not cut off."""

    def signer(member_id: int | None) -> dict[str, str] | None:
        return {"display_name": names[member_id]} if member_id is not None else None

    return {
        "by_silence": found.is_by_silence if found else False,
        "confirmed_at": found and found.confirmed_at,
        "confirmed_by": signer(found.confirmed_by_id) if found else None,
        "approved_at": found and found.approved_at,
        "approved_by": signer(found.approved_by_id) if found else None,
        "paid_at": found and found.paid_at,
        "paid_by": signer(found.paid_by_id) if found else None,
        "payment_reference": found and found.payment_reference,
    }
