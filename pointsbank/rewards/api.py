"""The JSON door of rewards: what can be had, the counter, voids, a merchant's day."""

from datetime import date, datetime
from typing import Any

from flask import Response, current_app, request
from sqlalchemy.orm import Session

from pointsbank.core import clock
from pointsbank.core.calendar import local_day
from pointsbank.core.db import reading
from pointsbank.organizations.errors import MerchantNotFound
from pointsbank.rewards import service
from pointsbank.rewards.closing import closing_of
from pointsbank.rewards.counter_schemas import (
    OwnRedemptionsQuery,
    TillDayOut,
    closing_out,
)
from pointsbank.rewards.policy import may_take_points
from pointsbank.rewards.queries import (
    redemptions_of_member,
    redemptions_on,
    totals_on,
)
from pointsbank.rewards.redeeming import Order
from pointsbank.rewards.schemas import (
    DayQuery,
    NewRedemption,
    NewVoid,
    RedemptionListOut,
    RedemptionOut,
    redemption_out,
    redemption_seen,
    totals_out,
    voided_out,
)
from pointsbank.rewards.till import reward_by_points, take_deal
from pointsbank.rewards.voiding import refuse_void, void_redemption
from pointsbank.web.access import current_actor, members_only, roles_only
from pointsbank.web.contract import (
    Blueprint,
    cursor_from,
    position_from,
)
from pointsbank.web.idempotency import answer_once, answered, request_key

api = Blueprint("rewards_api", __name__, description="Rewards, redemptions, voids.")


def today_at(now: datetime) -> date:
    """Return the local day of a moment."""
    return local_day(now, current_app.extensions["settings"].zone)


@api.post("/redemptions")
@api.arguments(NewRedemption)
@api.alt_response(201, schema=RedemptionOut)
@roles_only("clerk")
def redeem(body: dict[str, Any]) -> Response:
    """Hand a reward over for a redemption code, or for a card with its six digits.

    Above 200 points without six digits it waits for its member, who confirms.
    """
    actor, now, key = current_actor(), clock.now(), request_key()
    if not may_take_points(actor, body["merchant_id"]):
        raise MerchantNotFound
    pin = body.pop("pin", None)
    if "points" in body:
        body["reward_id"] = reward_by_points(body["merchant_id"], now)
        body["quantity"] = body.pop("points")
    answer = take_deal(
        Order(**body),
        pin=pin,
        clerk_id=actor.member_id,
        key=key,
        sent=b"\0".join((b"redeem", request.get_data())),
        secret=current_app.extensions["settings"].secret_key,
        today=today_at(now),
        now=now,
    )
    return answered(answer)


@api.post("/redemptions/<id:redemption_id>/void")
@api.arguments(NewVoid)
@api.alt_response(200, schema=RedemptionOut)
@roles_only("administrator", "clerk")
def void(body: dict[str, Any], redemption_id: int) -> Response:
    """Take a redemption back, or some pieces of it: points, stock and share, once.

    After its day one administrator asks by this call, and by it another agrees or refuses.
    """
    actor, now = current_actor(), clock.now()

    def use_case(session: Session) -> dict[str, Any]:
        deal: dict[str, Any] = {
            "redemption_id": redemption_id,
            "actor": actor,
            "today": today_at(now),
            "now": now,
        }
        if body["decision"] == "refuse":
            return redemption_out(refuse_void(session, **deal), now)
        voided = void_redemption(
            session, **deal, reason=body["reason"], quantity=body["quantity"]
        )
        return voided_out(voided, now)

    return answer_once(
        use_case, member_id=actor.member_id, key=request_key(), now=now, status=200
    )


@api.get("/merchants/<id:merchant_id>/redemptions")
@api.arguments(DayQuery, location="query")
@api.response(200, TillDayOut)
@roles_only("administrator", "clerk", "auditor")
def list_day(query: dict[str, Any], merchant_id: int) -> dict[str, Any]:
    """List a merchant's redemptions of a day, the newest first, with the day's sum."""
    day = query.get("day") or today_at(clock.now())
    before, limit = position_from(query.get("cursor")), query["limit"]
    with reading() as session:
        service.merchant_to_see(session, current_actor(), merchant_id)
        found = redemptions_on(session, merchant_id, day, before_id=before, limit=limit + 1)
        totals = totals_on(session, merchant_id, day)
        closing = closing_of(session, merchant_id, day)
    now = clock.now()
    return {
        "day": day.isoformat(),
        "totals": totals_out(totals),
        "closing": closing and closing_out(closing),
        "items": [
            redemption_seen(line, now, current_actor().member_id, today_at(now))
            for line in found[:limit]
        ],
        "next": cursor_from(found[limit - 1].id) if len(found) > limit else None,
    }


@api.get("/me/redemptions")
@api.arguments(OwnRedemptionsQuery, location="query")
@api.response(200, RedemptionListOut)
@members_only
def list_mine(query: dict[str, Any]) -> dict[str, Any]:
    """List what the member has had, the newest first."""
    before, limit = position_from(query.get("cursor")), query["limit"]
    with reading() as session:
        found = redemptions_of_member(
            session,
            current_actor().member_id,
            state=query.get("state"),
            before_id=before,
            limit=limit + 1,
        )
    now = clock.now()
    return {
        "items": [redemption_out(line, now) for line in found[:limit]],
        "next": cursor_from(found[limit - 1].id) if len(found) > limit else None,
    }
