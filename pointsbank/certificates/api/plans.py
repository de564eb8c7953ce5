"""The JSON door of organizations' plans and stars."""

from typing import Any

from pointsbank.certificates.noticing import draft_plans_notice, take_plan_out
from pointsbank.certificates.planning import (
    FILERS,
    NewItem,
    change_plan,
    deliver_item,
    file_plan,
    withdraw_plan,
)
from pointsbank.certificates.plans_queries import (
    delivered_bands,
    items_of,
    plan_of,
    plans_seen_by,
    starred,
)
from pointsbank.certificates.plans_schemas import (
    AllStarredOut,
    BandsOut,
    ItemDelivery,
    NewPlan,
    NewPlansNotice,
    PlannedItems,
    PlanOut,
    PlanReview,
    PlansCorrection,
    PlansOut,
    PlansQuery,
    SelfRating,
    StarYearQuery,
    plan_line_out,
    plan_out,
)
from pointsbank.certificates.queries import levels_on
from pointsbank.certificates.rating import review_plan, self_rate
from pointsbank.certificates.schemas import NoticeDrafted
from pointsbank.core import clock
from pointsbank.core.calendar import local_day
from pointsbank.core.db import reading, run, transaction
from pointsbank.notices.queries import notice_of
from pointsbank.web.access import anyone, current_actor, members_only, roles_only
from pointsbank.web.contract import Blueprint, cursor_from, position_from
from pointsbank.web.forms import settings

api = Blueprint(
    "plans_api", __name__, description="Plans and stars of organizations (五星创建)."
)

BAND_READERS = ("administrator", "auditor")


def shown(plan_id: int) -> dict[str, Any]:
    """Return a plan as it stands now."""
    with reading() as session:
        plan = plan_of(session, plan_id, current_actor())
        return plan_out(plan, items_of(session, plan_id))


@api.get("/organization-plans")
@api.arguments(PlansQuery, location="query")
@api.response(200, PlansOut)
@members_only
def list_plans(query: dict[str, Any]) -> dict[str, Any]:
    """List the plans of one's scope and those with an item of one's own, the newest first."""
    limit = query["limit"]
    with reading() as session:
        found = plans_seen_by(
            session,
            current_actor(),
            year=query.get("year"),
            before_id=position_from(query.get("cursor")),
            limit=limit + 1,
        )
    return {
        "items": [plan_line_out(each) for each in found[:limit]],
        "next": cursor_from(found[limit - 1].id) if len(found) > limit else None,
    }


@api.post("/organization-plans")
@api.arguments(NewPlan)
@api.response(201, PlanOut)
@roles_only(*FILERS)
def file(body: dict[str, Any]) -> dict[str, Any]:
    """File the plan of an organization for a year."""
    actor, now = current_actor(), clock.now()
    items = [NewItem(**each) for each in body.pop("items")]
    today = local_day(now, settings().zone)
    plan_id = run(
        lambda session: file_plan(
            session, actor=actor, items=items, today=today, now=now, **body
        )
    )
    return shown(plan_id)


@api.get("/organization-plans/<id:plan_id>")
@api.response(200, PlanOut)
@members_only
def show_plan(plan_id: int) -> dict[str, Any]:
    """Answer one plan with its items."""
    return shown(plan_id)


@api.put("/organization-plans/<id:plan_id>")
@api.arguments(PlannedItems)
@api.response(200, PlanOut)
@roles_only(*FILERS)
def change(body: dict[str, Any], plan_id: int) -> dict[str, Any]:
    """Plan anew while nothing is delivered."""
    actor, now = current_actor(), clock.now()
    items = [NewItem(**each) for each in body["items"]]
    with transaction() as session:
        change_plan(session, actor=actor, plan_id=plan_id, items=items, now=now)
    return shown(plan_id)


@api.post("/organization-plans/<id:plan_id>/withdrawal")
@api.response(200, PlanOut)
@roles_only(*FILERS)
def withdraw(plan_id: int) -> dict[str, Any]:
    """Withdraw a plan before it is reviewed."""
    actor, now = current_actor(), clock.now()
    with transaction() as session:
        withdraw_plan(session, actor=actor, plan_id=plan_id, now=now)
    return shown(plan_id)


@api.post("/organization-plans/<id:plan_id>/items/<id:no>/delivery")
@api.arguments(ItemDelivery)
@api.response(200, PlanOut)
@members_only
def deliver(body: dict[str, Any], plan_id: int, no: int) -> dict[str, Any]:
    """Say that an item is delivered, as its owner or the secretary."""
    actor, now = current_actor(), clock.now()
    today = local_day(now, settings().zone)
    with transaction() as session:
        deliver_item(session, actor=actor, plan_id=plan_id, no=no, today=today, now=now, **body)
    return shown(plan_id)


def marks_of(body: dict[str, Any]) -> dict[int, int]:
    """Return the marks of a body by item."""
    return {each["no"]: each["marks"] for each in body["marks"]}


@api.post("/organization-plans/<id:plan_id>/self-rating")
@api.arguments(SelfRating)
@api.response(200, PlanOut)
@roles_only(*FILERS)
def rate(body: dict[str, Any], plan_id: int) -> dict[str, Any]:
    """Rate one's own plan item by item."""
    actor, now = current_actor(), clock.now()
    with transaction() as session:
        self_rate(session, actor=actor, plan_id=plan_id, marks=marks_of(body), now=now)
    return shown(plan_id)


@api.post("/organization-plans/<id:plan_id>/review")
@api.arguments(PlanReview)
@api.response(200, PlanOut)
@roles_only("administrator")
def review(body: dict[str, Any], plan_id: int) -> dict[str, Any]:
    """PlanReview a rated plan from above."""
    actor, now, zone = current_actor(), clock.now(), settings().zone
    with transaction() as session:
        review_plan(
            session,
            actor=actor,
            plan_id=plan_id,
            marks=marks_of(body),
            words=body["words"],
            zone=zone,
            now=now,
        )
    return shown(plan_id)


@api.post("/organization-plans/notices")
@api.arguments(NewPlansNotice)
@api.response(201, NoticeDrafted)
@roles_only("administrator")
def draft(body: dict[str, Any]) -> dict[str, Any]:
    """Draft one notice for several reviewed plans; another person reviews it."""
    actor, now = current_actor(), clock.now()
    return {
        "notice_id": run(
            lambda session: draft_plans_notice(session, actor=actor, now=now, **body)
        )
    }


@api.post("/organization-plans/notices/<id:notice_id>/corrections")
@api.arguments(PlansCorrection)
@api.response(200, NoticeDrafted)
@roles_only("administrator")
def correct(body: dict[str, Any], notice_id: int) -> dict[str, Any]:
    """Take plans out of a notice; the others are shown in a new version of it."""
    actor, now = current_actor(), clock.now()
    with transaction() as session:
        notice_of(session, notice_id, actor.paths("administrator"))
        new_id = take_plan_out(
            session, notice_id=notice_id, by_id=actor.member_id, now=now, **body
        )
    return {"notice_id": new_id}


@api.get("/organization-plans/bands")
@api.arguments(StarYearQuery, location="query")
@api.response(200, BandsOut)
@roles_only(*BAND_READERS)
def show_bands(query: dict[str, Any]) -> dict[str, Any]:
    """Answer the organizations of one's scope by bands of delivered marks."""
    today = local_day(clock.now(), settings().zone)
    year = query.get("year", today.year)
    with reading() as session:
        levels = levels_on(session, "organization", today)
        bands, below = delivered_bands(
            session, current_actor().paths(*BAND_READERS), year, levels
        )
    items = [{**vars(each), "organizations": list(each.names)} for each in bands]
    return {"year": year, "items": items, "below": below, "next": None}


@api.get("/organization-stars")
@api.arguments(StarYearQuery, location="query")
@api.response(200, AllStarredOut)
@anyone
def list_starred(query: dict[str, Any]) -> dict[str, Any]:
    """List the organizations with stars of a year."""
    year = query.get("year", local_day(clock.now(), settings().zone).year)
    with reading() as session:
        found = starred(session, year)
    return {"year": year, "items": [vars(each) for each in found], "next": None}
