"""The HTML door of whoever looks for work: open tasks, one task, one's own claims."""

from datetime import datetime, timedelta
from typing import Any

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext

from pointsbank.core import clock
from pointsbank.core.calendar import local_day
from pointsbank.core.db import reading, run
from pointsbank.core.text import masked_name
from pointsbank.scoring.queries import Standard, standard_on
from pointsbank.tasks.claiming import claim_shift, give_up_claim
from pointsbank.tasks.claims import ClaimLine, claimed_names, claims_of
from pointsbank.tasks.queries import (
    ShiftLine,
    TaskLine,
    shift_of,
    task_of,
)
from pointsbank.tasks.schemas import kind_words, whole_shift_gives
from pointsbank.web.access import current_actor, members_only
from pointsbank.web.contract import cursor_from, position_from
from pointsbank.web.forms import attempt, settings

pages = Blueprint("task_pages", __name__)

CLAIMS_A_PAGE = 30


@pages.get("/tasks/<id:task_id>")
@members_only
def show_task(task_id: int) -> ResponseReturnValue:
    """Show a task and one of its shifts: the asked one, the one claimed, or the next."""
    actor, now = current_actor(), clock.now()
    paths = actor.paths("organizer")
    asked = request.args.get("shift", "")
    with reading() as session:
        task = task_of(session, task_id, paths)
        ids = [shift.id for shift in task.shifts]
        claims = claims_of(session, actor.member_id, shift_ids=ids, limit=len(ids))
        shift = chosen_shift(task, claims, asked, now)
        claim = next((each for each in claims if each.shift.id == shift.id), None)
        standard = standard_on(session, local_day(now, settings().zone))
        points = whole_shift_gives(standard, task.scoring_item, shift)[0]
        names = claimed_names(session, shift.id)
    is_lead = any(task.path.startswith(path) for path in paths)
    return render_template(
        "tasks/task.html",
        task={
            "title": task.title,
            "kind": kind_words()[task.kind],
            "organization": task.organization_name,
            "summary": task.summary,
            "risk_note": task.risk_note,
            "insured": False,
            "state": task.state,
        },
        shift=shift_words(task, shift, claim, points, names, now),
        lead={"name": masked_name(task.organizer_name)},
        other_shifts=[
            {
                "href": url_for("task_pages.show_task", task_id=task_id, shift=other.id),
                "starts_at": other.starts_at,
                "ends_at": other.ends_at,
                "left": other.places_left,
            }
            for other in task.shifts
            if other.id != shift.id and other.ends_at > now
        ],
        may_claim=task.state == "open",
        why_not=gettext("Members can claim it once it is published."),
        links=task_links(task, shift, claim, is_lead=is_lead),
    )


def chosen_shift(
    task: TaskLine, claims: list[ClaimLine], asked: str, now: datetime
) -> ShiftLine:
    """Return the shift that a task's page is about."""
    for shift in task.shifts:
        if str(shift.id) == asked:
            return shift
    held = {claim.shift.id for claim in claims}
    to_come = [shift for shift in task.shifts if shift.ends_at > now]
    own = [shift for shift in to_come if shift.id in held]
    return (own or to_come or list(task.shifts))[0]


def shift_words(
    task: TaskLine,
    shift: ShiftLine,
    claim: ClaimLine | None,
    points: int,
    names: list[str],
    now: datetime,
) -> dict[str, Any]:
    """Return a shift as its page prints it."""
    state = claim.state if claim else ""
    if task.state == "cancelled":
        state = "cancelled"
    elif shift.ends_at <= now:
        state = "over"
    return {
        "starts_at": shift.starts_at,
        "ends_at": shift.ends_at,
        "minutes": shift.planned_minutes,
        "place_name": shift.place_name,
        "places": shift.places,
        "claimed": shift.claimed,
        "left": shift.places_left,
        "waitlisted": shift.waitlisted,
        "opens_at": shift.starts_at - timedelta(minutes=settings().check_in_opens_minutes),
        "points": points,
        "people": [masked_name(name) for name in names],
        "state": state,
        "position": claim.position if claim else None,
    }


def task_links(
    task: TaskLine, shift: ShiftLine, claim: ClaimLine | None, *, is_lead: bool
) -> dict[str, str]:
    """Return where a task's page leads; organizers' ways only for those who have them."""
    links = {
        "back": url_for("finding_pages.list_tasks"),
        "claim": url_for("task_pages.claim", shift_id=shift.id),
        "code": url_for("member_pages.show_code"),
        "sign_in": url_for("sign_in.sign_in"),
    }
    if claim is not None:
        links["withdraw"] = url_for("task_pages.give_up", claim_id=claim.id)
    if is_lead:
        links["edit"] = url_for("organizing_pages.show_plan", task_id=task.id)
        if task.state == "open":
            links["station"] = url_for("attendance_pages.station", shift_id=shift.id)
            links["sheet"] = url_for("attendance_pages.sheet", shift_id=shift.id)
    return links


@pages.post("/shifts/<id:shift_id>/claims")
@members_only
def claim(shift_id: int) -> ResponseReturnValue:
    """Claim a place, or a place in the waiting line, and show the task again."""
    actor, now = current_actor(), clock.now()
    attempt(
        lambda: run(
            lambda session: claim_shift(
                session, shift_id=shift_id, member_id=actor.member_id, now=now
            )
        ),
        gettext("It is written down. You can give it up at any time before the end."),
    )
    with reading() as session:
        shown = shift_of(session, shift_id)[1]
    return redirect(url_for("task_pages.show_task", task_id=shown.id, shift=shift_id), 303)


@pages.post("/claims/<id:claim_id>/withdrawal")
@members_only
def give_up(claim_id: int) -> ResponseReturnValue:
    """Give a place up, and show one's own claims."""
    actor, now = current_actor(), clock.now()
    attempt(
        lambda: run(
            lambda session: give_up_claim(
                session, claim_id=claim_id, member_id=actor.member_id, now=now
            )
        ),
        gettext("Your place is given up. Thank you for saying so in time."),
    )
    return redirect(url_for("task_pages.list_claims"), 303)


@pages.get("/my-tasks")
@members_only
def list_claims() -> ResponseReturnValue:
    """Show one's own claims: what is to come, the soonest first, and what is over."""
    actor, now = current_actor(), clock.now()
    before_id = position_from(request.args.get("cursor"))
    with reading() as session:
        claims = claims_of(
            session, actor.member_id, before_id=before_id, limit=CLAIMS_A_PAGE + 1
        )
        standard = standard_on(session, local_day(now, settings().zone))
        shown = claims[:CLAIMS_A_PAGE]
        rows = [claim_row(each, standard) for each in shown]
    coming = sorted(
        (row for row in rows if row["ends_at"] > now and row["is_on"]),
        key=lambda row: row["starts_at"],
    )
    has_more = len(claims) > CLAIMS_A_PAGE
    return render_template(
        "tasks/mine.html",
        coming=coming,
        past=[row for row in rows if row not in coming],
        links={
            "tasks": url_for("finding_pages.list_tasks"),
            "next": has_more
            and url_for("task_pages.list_claims", cursor=cursor_from(shown[-1].id)),
            "first": before_id and url_for("task_pages.list_claims"),
        },
    )


def claim_row(each: ClaimLine, standard: Standard) -> dict[str, Any]:
    """Return a claim as a row prints it."""
    return {
        "href": url_for("task_pages.show_task", task_id=each.task.id, shift=each.shift.id),
        "title": each.task.title,
        "starts_at": each.shift.starts_at,
        "ends_at": each.shift.ends_at,
        "place_name": each.shift.place_name,
        "points": whole_shift_gives(standard, each.task.scoring_item, each.shift)[0],
        "state": each.state,
        "position": each.position,
        "is_on": each.task.state == "open",
    }
