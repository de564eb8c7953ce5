"""The JSON door of tools on loan: lent, looked up, ended."""

from datetime import date, datetime
from typing import Any

from flask import Response, current_app, request

from pointsbank.core import clock
from pointsbank.core.calendar import local_day
from pointsbank.core.db import reading, run
from pointsbank.organizations.errors import MerchantNotFound
from pointsbank.rewards.lending import Ending, end_loan
from pointsbank.rewards.loans_counter import lend_once, loan_out
from pointsbank.rewards.loans_queries import LoanLine, loans_of_member, loans_out
from pointsbank.rewards.loans_schemas import LoanEnd, LoanListOut, LoanOut, NewLoan
from pointsbank.rewards.policy import may_take_points
from pointsbank.rewards.redeeming import Order
from pointsbank.rewards.service import merchant_to_offer
from pointsbank.web.access import current_actor, members_only, roles_only
from pointsbank.web.contract import Blueprint, PageQuery, cursor_from, position_from
from pointsbank.web.idempotency import answered, request_key

api = Blueprint("loans_api", __name__, description="Tools on loan.")


def today_at(now: datetime) -> date:
    """Return the local day of a moment."""
    return local_day(now, current_app.extensions["settings"].zone)


@api.post("/loans")
@api.arguments(NewLoan)
@api.response(201, LoanOut)
@roles_only("clerk")
def lend(body: dict[str, Any]) -> Response:
    """Lend a tool against its deposit, for a redemption code or a card with its digits."""
    actor, now = current_actor(), clock.now()
    if not may_take_points(actor, body["merchant_id"]):
        raise MerchantNotFound
    pin = body.pop("pin", None)
    answer = lend_once(
        Order(**body, quantity=1),
        pin=pin,
        clerk_id=actor.member_id,
        key=request_key(),
        sent=b"\0".join((b"lend", request.get_data())),
        secret=current_app.extensions["settings"].secret_key,
        today=today_at(now),
        now=now,
    )
    return answered(answer)


@api.post("/loans/<id:loan_id>/end")
@api.arguments(LoanEnd)
@api.response(200, LoanOut)
@roles_only("clerk")
def end(body: dict[str, Any], loan_id: int) -> dict[str, Any]:
    """Take a tool back, or settle damage or loss from its deposit; once."""
    actor, now = current_actor(), clock.now()
    line = run(
        lambda session: end_loan(
            session, loan_id=loan_id, ending=Ending(**body), actor=actor, now=now
        )
    )
    return loan_out(line, today_at(now))


@api.get("/me/loans")
@api.arguments(PageQuery, location="query")
@api.response(200, LoanListOut)
@members_only
def list_mine(query: dict[str, Any]) -> dict[str, Any]:
    """List what one borrowed, the newest first."""
    before, limit = position_from(query.get("cursor")), query["limit"]
    with reading() as session:
        found = loans_of_member(
            session, current_actor().member_id, before_id=before, limit=limit + 1
        )
    return listed(found, limit)


@api.get("/merchants/<id:merchant_id>/loans")
@api.arguments(PageQuery, location="query")
@api.response(200, LoanListOut)
@roles_only("administrator", "clerk")
def list_out(query: dict[str, Any], merchant_id: int) -> dict[str, Any]:
    """List what a merchant has out, the oldest first."""
    after, limit = position_from(query.get("cursor")), query["limit"]
    with reading() as session:
        merchant_to_offer(session, current_actor(), merchant_id)
        found = loans_out(session, merchant_id, after_id=after, limit=limit + 1)
    return listed(found, limit)


def listed(found: list[LoanLine], limit: int) -> dict[str, Any]:
    """Return a page of loans, of which one more was read."""
    today = today_at(clock.now())
    return {
        "items": [loan_out(line, today) for line in found[:limit]],
        "next": cursor_from(found[limit - 1].id) if len(found) > limit else None,
    }
