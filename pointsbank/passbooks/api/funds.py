"""The JSON door of care funds: opening one, donations, spendings, the statement."""

from typing import Any

from flask import Response
from marshmallow import Schema, fields, validate
from sqlalchemy.orm import Session

from pointsbank.core import clock
from pointsbank.core.actor import Actor
from pointsbank.core.db import reading, run
from pointsbank.ledger.models import TRANSFER_POINTS_MAX
from pointsbank.organizations.queries import in_scope
from pointsbank.passbooks.care import (
    FUND_READERS,
    CareFundLine,
    SpendingLine,
    fund_to_see,
    funds_to_see,
    months_of_donations,
    newest_donations,
    spendings_of_fund,
)
from pointsbank.passbooks.funds import (
    SpendingWish,
    ask_for_spending,
    decide_spending,
    donate,
    open_fund,
)
from pointsbank.web.access import current_actor, members_only, roles_only
from pointsbank.web.contract import Blueprint, Body, RowId, Text, Whole
from pointsbank.web.forms import settings
from pointsbank.web.idempotency import answer_once, request_key

api = Blueprint("funds_api", __name__, description="Care funds and what they spend.")

CODE_LENGTH_MAX = 32
NAME_LENGTH_MAX = 60
PURPOSE_LENGTH_MAX = 200
# Members read what was spent and what is about to be; what was refused may tell of a person.
SHOWN_TO_MEMBERS = ("pending", "approved")


class NewCareFund(Body):
    """A care fund to open."""

    organization_code = Text(length_max=CODE_LENGTH_MAX, required=True)
    name = Text(length_max=NAME_LENGTH_MAX, required=True)


class NewDonation(Body):
    """Points to donate; anonymous keeps the donor's name from the statement."""

    points = Whole(least=1, most=TRANSFER_POINTS_MAX, required=True)
    anonymous = fields.Boolean(load_default=False, truthy={True}, falsy={False})


class NewFundSpending(Body):
    """What a fund is to spend, where, and for what."""

    merchant_id = RowId(required=True)
    points = Whole(least=1, most=TRANSFER_POINTS_MAX, required=True)
    purpose = Text(length_max=PURPOSE_LENGTH_MAX, required=True)


class FundSpendingDecision(Body):
    """What a second person decides; a refusal needs its reason."""

    decision = fields.String(required=True, validate=validate.OneOf(["approve", "refuse"]))
    reason = Text(length_min=0, length_max=PURPOSE_LENGTH_MAX, load_default="")


class CareFundOut(Schema):
    """A fund and what it holds; held waits for a second person's decision."""

    id = fields.Integer()
    name = fields.String()
    organization_name = fields.String()
    balance = fields.Integer()
    held = fields.Integer()


class CareFundsOut(Schema):
    """The funds one may donate to or oversees."""

    items = fields.List(fields.Nested(CareFundOut))
    next = fields.String(allow_none=True)


class FundDonationOut(Schema):
    """A donation; donor is a masked name, null for who wants to stay unnamed."""

    donor = fields.String(allow_none=True)
    points = fields.Integer()
    given_at = fields.AwareDateTime(format="iso")


class FundMonthOut(Schema):
    """What a month gave the fund."""

    month = fields.String()
    points = fields.Integer()
    donations = fields.Integer()


class FundSpendingOut(Schema):
    """What a fund spends, with the masked names of both people."""

    id = fields.Integer()
    merchant = fields.Dict()
    points = fields.Integer()
    purpose = fields.String()
    state = fields.String()
    author = fields.String()
    asked_at = fields.AwareDateTime(format="iso")
    decide_by = fields.AwareDateTime(format="iso")
    decided_by = fields.String(allow_none=True)
    decided_at = fields.AwareDateTime(format="iso", allow_none=True)
    decision_reason = fields.String()


class CareFundStatementOut(CareFundOut):
    """A fund's statement: months, the newest donations, the newest spendings."""

    months = fields.List(fields.Nested(FundMonthOut))
    donations = fields.List(fields.Nested(FundDonationOut))
    spendings = fields.List(fields.Nested(FundSpendingOut))


class CareFundOpened(Schema):
    """The fund that now stands."""

    id = fields.Integer()


class DonationMade(Schema):
    """A donation as it was made."""

    id = fields.Integer()
    points = fields.Integer()
    balance_after = fields.Integer()


@api.get("/care-funds")
@api.response(200, CareFundsOut)
@members_only
def list_funds() -> dict[str, Any]:
    """List the funds one may donate to or oversees."""
    with reading() as session:
        funds = funds_to_see(session, current_actor())
    return {"items": [fund_out(fund) for fund in funds], "next": None}


@api.get("/care-funds/<id:fund_id>")
@api.response(200, CareFundStatementOut)
@members_only
def show_fund(fund_id: int) -> dict[str, Any]:
    """Answer a fund's statement."""
    actor, now = current_actor(), clock.now()
    with reading() as session:
        fund = fund_to_see(session, fund_id, actor)
        months = months_of_donations(session, fund_id, now=now, zone=settings().zone)
        donations = newest_donations(session, fund_id)
        spendings = spendings_of_fund(session, fund_id, states=states_shown(actor, fund))
    return {
        **fund_out(fund),
        "months": [
            {
                "month": f"{each.first_on:%Y-%m}",
                "points": each.points,
                "donations": each.donations,
            }
            for each in months
        ],
        "donations": [
            {"donor": each.donor_name, "points": each.points, "given_at": each.given_at}
            for each in donations
        ],
        "spendings": [spending_out(each) for each in spendings],
    }


@api.post("/care-funds")
@api.arguments(NewCareFund)
@api.response(201, CareFundOpened)
@roles_only("administrator")
def new_fund(body: dict[str, Any]) -> dict[str, Any]:
    """Open the care fund of an organization; each has one."""
    actor, now = current_actor(), clock.now()
    return {"id": run(lambda session: open_fund(session, actor=actor, now=now, **body))}


@api.post("/care-funds/<id:fund_id>/donations")
@api.arguments(NewDonation)
@api.response(201, DonationMade)
@members_only
def new_donation(body: dict[str, Any], fund_id: int) -> Response:
    """Donate points to a fund of one's own organization or of one above it."""
    actor, now, key = current_actor(), clock.now(), request_key()

    def use_case(session: Session) -> dict[str, Any]:
        donated = donate(
            session,
            fund_id=fund_id,
            actor=actor,
            points=body["points"],
            is_anonymous=body["anonymous"],
            key=key,
            now=now,
        )
        return {
            "id": donated.id,
            "points": donated.points,
            "balance_after": donated.balance_after,
        }

    return answer_once(use_case, member_id=actor.member_id, key=key, now=now)


@api.post("/care-funds/<id:fund_id>/spendings")
@api.arguments(NewFundSpending)
@api.response(201, FundSpendingOut)
@roles_only("administrator", "secretary")
def new_spending(body: dict[str, Any], fund_id: int) -> Response:
    """Ask for a spending: the points are set aside until a second person decides."""
    actor, now, key = current_actor(), clock.now(), request_key()

    def use_case(session: Session) -> dict[str, Any]:
        wish = SpendingWish(fund_id=fund_id, key=key, **body)
        return in_json(spending_out(ask_for_spending(session, wish, actor=actor, now=now)))

    return answer_once(use_case, member_id=actor.member_id, key=key, now=now)


@api.post("/care-fund-spendings/<id:spending_id>/decision")
@api.arguments(FundSpendingDecision)
@api.response(200, FundSpendingOut)
@roles_only("administrator", "secretary")
def decide(body: dict[str, Any], spending_id: int) -> dict[str, Any]:
    """Approve or refuse what somebody else asked for."""
    actor, now = current_actor(), clock.now()
    decided = run(
        lambda session: decide_spending(
            session,
            spending_id=spending_id,
            actor=actor,
            is_approved=body["decision"] == "approve",
            reason=body["reason"],
            now=now,
        )
    )
    return spending_out(decided)


def states_shown(actor: Actor, fund: CareFundLine) -> tuple[str, ...]:
    """Return which spendings a person reads; empty for all."""
    return () if in_scope(fund.path, actor.paths(*FUND_READERS)) else SHOWN_TO_MEMBERS


def fund_out(fund: CareFundLine) -> dict[str, Any]:
    """Return a fund as programs see it."""
    return {
        "id": fund.id,
        "name": fund.name,
        "organization_name": fund.organization_name,
        "balance": fund.balance.available,
        "held": fund.balance.held,
    }


def spending_out(spending: SpendingLine) -> dict[str, Any]:
    """Return a spending as programs see it."""
    return {
        "id": spending.id,
        "merchant": {"id": spending.merchant_id, "name": spending.merchant_name},
        "points": spending.points,
        "purpose": spending.purpose,
        "state": spending.state,
        "author": spending.author_name,
        "asked_at": spending.asked_at,
        "decide_by": spending.decide_by,
        "decided_by": spending.decided_by_name,
        "decided_at": spending.decided_at,
        "decision_reason": spending.decision_reason,
    }


def in_json(values: dict[str, Any]) -> dict[str, Any]:
    """Return an answer as it is kept for its repeats."""
    kept: dict[str, Any] = FundSpendingOut().dump(values)
    return kept
