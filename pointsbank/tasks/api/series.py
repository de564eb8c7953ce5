"""The JSON door of series: a shift repeated, one date or all following changed, standing
claims."""

from collections.abc import Sequence
from typing import Any
from zoneinfo import ZoneInfo

from flask import current_app
from sqlalchemy.orm import Session

from pointsbank.core import clock
from pointsbank.core.calendar import local_day
from pointsbank.core.db import reading, run, transaction
from pointsbank.core.keys import draw_bytes
from pointsbank.scoring.queries import standard_on
from pointsbank.tasks.dates import change_date
from pointsbank.tasks.following import Changed, change_following, end_series
from pointsbank.tasks.models import HANDLE_BYTES, Shift
from pointsbank.tasks.publishing import call_off_shift
from pointsbank.tasks.queries import shift_lines, shift_of, task_of
from pointsbank.tasks.recurrence import read_rule
from pointsbank.tasks.recurring import plan_series
from pointsbank.tasks.schemas import CallOff, ShiftOut, shift_out
from pointsbank.tasks.series_queries import (
    SeriesLine,
    dates_of,
    detached_dates,
    series_among,
    series_of,
    series_of_tasks,
    standing_claims_of,
    whole_shift_of,
)
from pointsbank.tasks.series_schemas import (
    ChangedDate,
    NewSeries,
    NewStandingClaim,
    SeriesChange,
    SeriesChangedOut,
    SeriesEnd,
    SeriesListOut,
    SeriesOut,
    StandingClaimMadeOut,
    StandingClaimsOut,
    changed_out,
    changed_plan,
    date_change,
    series_out,
    standing_made_out,
    standing_out,
    standing_wish,
)
from pointsbank.tasks.standing import end_standing_claim, make_standing_claim
from pointsbank.web.access import current_actor, members_only, roles_only
from pointsbank.web.contract import Blueprint

api = Blueprint(
    "series_api", __name__, description="Shifts that recur, single dates, standing claims."
)


def zone() -> ZoneInfo:
    """Return the zone in which local days are counted."""
    found: ZoneInfo = current_app.extensions["settings"].zone
    return found


def draw_handle() -> bytes:
    """Draw the random name of a shift."""
    return draw_bytes(HANDLE_BYTES)


def shown(session: Session, series: SeriesLine) -> dict[str, Any]:
    """Return a series with its dates to come."""
    now = clock.now()
    dates = dates_of(session, series.id, now=now)
    return series_out(series, dates, detached_dates(session, series.id), zone(), now)


def shown_series(series_id: int, paths: Sequence[str] | None) -> dict[str, Any]:
    """Return a series with its dates to come, if it stands under one of these paths."""
    with reading() as session:
        return shown(session, series_of(session, series_id, paths))


def shown_change(changed: Changed, old_id: int) -> dict[str, Any]:
    """Return what a change did, with the dates of the old series that are kept."""
    with reading() as session:
        series = shown(session, series_of(session, changed.series_id))
        kept = shift_lines(session, Shift.id.in_(changed.kept))
        return changed_out(changed, series, kept, detached_dates(session, old_id))


def shown_shift(shift_id: int, paths: Sequence[str]) -> dict[str, Any]:
    """Return a shift as its organizers see it."""
    with reading() as session:
        shift, task = whole_shift_of(session, shift_id, paths)
        standard = standard_on(session, local_day(clock.now(), zone()))
        return shift_out(shift, task, standard)


@api.post("/shifts/<id:shift_id>/series")
@api.arguments(NewSeries)
@api.response(201, SeriesOut)
@roles_only("organizer")
def repeat(body: dict[str, Any], shift_id: int) -> dict[str, Any]:
    """Let a shift of an open task recur by a rule; its next dates are made at once."""
    actor = current_actor()
    paths = actor.paths("organizer")
    recurrence = read_rule(body.pop("rule"))
    with transaction() as session:
        series_id = plan_series(
            session,
            shift_id=shift_id,
            recurrence=recurrence,
            actor_id=actor.member_id,
            paths=paths,
            zone=zone(),
            draw=draw_handle,
            now=clock.now(),
            **body,
        )
    return shown_series(series_id, paths)


@api.get("/tasks/<id:task_id>/series")
@api.response(200, SeriesListOut)
@members_only
def list_series(task_id: int) -> dict[str, Any]:
    """Answer the series of a task that are not over, each with its dates to come."""
    with reading() as session:
        task = task_of(session, task_id, current_actor().paths("organizer"))
        items = [shown(session, each) for each in series_of_tasks(session, [task.id])]
    return {"items": items, "next": None}


@api.get("/series/<id:series_id>")
@api.response(200, SeriesOut)
@members_only
def show_series(series_id: int) -> dict[str, Any]:
    """Answer a series with its dates to come."""
    return shown_series(series_id, None)


@api.post("/series/<id:series_id>/following")
@api.arguments(SeriesChange)
@api.response(201, SeriesChangedOut)
@roles_only("organizer")
def change_all_following(body: dict[str, Any], series_id: int) -> dict[str, Any]:
    """Change all dates from a day on: a new series follows, and people keep their dates."""
    actor = current_actor()
    paths = actor.paths("organizer")
    with transaction() as session:
        changed = change_following(
            session,
            series_id=series_id,
            from_on=body["from_on"],
            plan=changed_plan(series_of(session, series_id, paths), body),
            actor_id=actor.member_id,
            paths=paths,
            zone=zone(),
            draw=draw_handle,
            now=clock.now(),
        )
    return shown_change(changed, series_id)


@api.post("/series/<id:series_id>/end")
@api.arguments(SeriesEnd)
@api.response(200, SeriesChangedOut)
@roles_only("organizer")
def end(body: dict[str, Any], series_id: int) -> dict[str, Any]:
    """End a series from a day on; people keep their dates. A repeat removes nothing more."""
    actor, now = current_actor(), clock.now()
    with transaction() as session:
        changed = end_series(
            session,
            series_id=series_id,
            from_on=body.get("from_on") or local_day(now, zone()),
            actor_id=actor.member_id,
            paths=actor.paths("organizer"),
            zone=zone(),
            now=now,
        )
    return shown_change(changed, series_id)


@api.patch("/shifts/<id:shift_id>")
@api.arguments(ChangedDate)
@api.response(200, ShiftOut)
@roles_only("organizer")
def change_one(body: dict[str, Any], shift_id: int) -> dict[str, Any]:
    """Change one shift before it begins; claims stay, and their people are told."""
    actor = current_actor()
    paths = actor.paths("organizer")
    with transaction() as session:
        change_date(
            session,
            shift_id=shift_id,
            change=date_change(body),
            actor_id=actor.member_id,
            paths=paths,
            now=clock.now(),
        )
    return shown_shift(shift_id, paths)


@api.post("/shifts/<id:shift_id>/cancellation")
@api.arguments(CallOff)
@api.response(200, ShiftOut)
@roles_only("organizer")
def call_off(body: dict[str, Any], shift_id: int) -> dict[str, Any]:
    """Call one shift off while its task goes on; its people are told. A repeat answers the
    same."""
    actor = current_actor()
    paths = actor.paths("organizer")
    with transaction() as session:
        shift_of(session, shift_id, paths)
        call_off_shift(
            session,
            shift_id=shift_id,
            actor_id=actor.member_id,
            paths=paths,
            reason=body["reason"],
            now=clock.now(),
        )
    return shown_shift(shift_id, paths)


@api.post("/series/<id:series_id>/standing-claims")
@api.arguments(NewStandingClaim)
@api.response(201, StandingClaimMadeOut)
@members_only
def stand_in(body: dict[str, Any], series_id: int) -> dict[str, Any]:
    """Stand in for every date of a series, for oneself; a second call changes the wish."""
    actor, now = current_actor(), clock.now()
    made = run(
        lambda session: make_standing_claim(
            session,
            series_id=series_id,
            member_id=actor.member_id,
            wish=standing_wish(body),
            zone=zone(),
            now=now,
        )
    )
    with reading() as session:
        own = standing_claims_of(session, actor.member_id)
        standing = next(each for each in own if each.id == made.id)
        return standing_made_out(made, standing, series_of(session, series_id))


@api.get("/me/standing-claims")
@api.response(200, StandingClaimsOut)
@members_only
def list_standing() -> dict[str, Any]:
    """Answer one's own standing claims that were not ended."""
    with reading() as session:
        own = standing_claims_of(session, current_actor().member_id)
        series = series_among(session, [each.series_id for each in own])
        items = [standing_out(each, series[each.series_id]) for each in own]
    return {"items": items, "next": None}


@api.delete("/standing-claims/<id:standing_id>")
@api.response(204)
@members_only
def end_standing(standing_id: int) -> None:
    """End one's own standing claim; places that it claimed stay. A repeat changes nothing."""
    actor = current_actor()
    with transaction() as session:
        end_standing_claim(
            session, standing_id=standing_id, member_id=actor.member_id, now=clock.now()
        )
