"""The JSON door of what comes after a deal: its state, its confirmation, the day's end."""

from typing import Any

from flask import current_app

from pointsbank.core import clock
from pointsbank.core.calendar import local_day
from pointsbank.core.db import reading, run
from pointsbank.rewards.closing import close_day
from pointsbank.rewards.confirming import confirm_redemption, decline_redemption
from pointsbank.rewards.counter_schemas import (
    ClosingOut,
    NewClosing,
    NewConfirmation,
    closing_out,
)
from pointsbank.rewards.errors import RedemptionNotFound
from pointsbank.rewards.policy import may_see_redemptions
from pointsbank.rewards.queries import redemption_of
from pointsbank.rewards.schemas import RedemptionOut, redemption_out, redemption_seen
from pointsbank.web.access import current_actor, members_only, roles_only
from pointsbank.web.contract import Blueprint

api = Blueprint("counter_api", __name__, description="A deal's state, its yes or no, day ends.")


@api.get("/redemptions/<id:redemption_id>")
@api.response(200, RedemptionOut)
@members_only
def show(redemption_id: int) -> dict[str, Any]:
    """Show a redemption to its member, to its counter, and to those who oversee it."""
    actor, now = current_actor(), clock.now()
    with reading() as session:
        line = redemption_of(session, redemption_id)
    is_counter = may_see_redemptions(actor, line.merchant_id, line.path)
    if not is_counter and line.member_id != actor.member_id:
        raise RedemptionNotFound
    today = local_day(now, current_app.extensions["settings"].zone)
    return redemption_seen(line, now, actor.member_id, today)


@api.post("/redemptions/<id:redemption_id>/confirmation")
@api.arguments(NewConfirmation)
@api.response(200, RedemptionOut)
@members_only
def confirm(body: dict[str, Any], redemption_id: int) -> dict[str, Any]:
    """Say yes as the member, or no as the member or the counter; a repeat answers the same."""
    decide = confirm_redemption if body["decision"] == "confirm" else decline_redemption
    actor, now = current_actor(), clock.now()
    line = run(
        lambda session: decide(session, redemption_id=redemption_id, actor=actor, now=now)
    )
    return redemption_out(line, now)


@api.post("/merchants/<id:merchant_id>/closings")
@api.arguments(NewClosing)
@api.response(201, ClosingOut)
@roles_only("clerk")
def close(body: dict[str, Any], merchant_id: int) -> dict[str, Any]:
    """Close a day of a till; a repeat answers the first closing."""
    actor, now = current_actor(), clock.now()
    today = local_day(now, current_app.extensions["settings"].zone)
    closing = run(
        lambda session: close_day(
            session,
            actor=actor,
            merchant_id=merchant_id,
            day=body["day"] or today,
            words=body["note"],
            today=today,
            now=now,
        )
    )
    return closing_out(closing)
