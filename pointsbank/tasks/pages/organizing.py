"""The HTML door of organizers: their tasks, what they publish, change and call off."""

from datetime import datetime, timedelta
from typing import Any

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext
from marshmallow import ValidationError

from pointsbank.core import clock
from pointsbank.core.db import reading, transaction
from pointsbank.tasks.eligibility_words import requirement_words
from pointsbank.tasks.meeting_words import MEETING_WORDS
from pointsbank.tasks.pages.series import series_row
from pointsbank.tasks.publishing import (
    APPROVAL_PLACES,
    Changes,
    call_off_task,
    change_open_task,
    publish_task,
)
from pointsbank.tasks.queries import (
    ShiftLine,
    TaskLine,
    own_task,
    tasks_under_way,
    tasks_within,
)
from pointsbank.tasks.schemas import ChangedTask, kind_words, risk_words
from pointsbank.tasks.series_queries import series_of_tasks
from pointsbank.web.access import current_actor, roles_only
from pointsbank.web.contract import cursor_from, position_from
from pointsbank.web.forms import attempt, typed

pages = Blueprint("organizing_pages", __name__)

TASKS_A_PAGE = 30
# What began or ended within so long, or will, stands on top: its screens are wanted now.
NEAR = timedelta(hours=4)
WORDS = ("summary", "contact_name", "contact_phone")


@pages.get("/organizing")
@roles_only("organizer")
def list_plans() -> ResponseReturnValue:
    """Show the tasks of the person's scope in every state, newest first."""
    before_id, now = position_from(request.args.get("cursor")), clock.now()
    paths = current_actor().paths("organizer")
    soon, lately = now + NEAR, now - NEAR
    with reading() as session:
        tasks = tasks_within(session, paths, before_id=before_id, limit=TASKS_A_PAGE + 1)
        under_way = tasks_under_way(session, paths, begins_by=soon, ends_from=lately)
    shown = tasks[:TASKS_A_PAGE]
    has_more = len(tasks) > TASKS_A_PAGE
    return render_template(
        "tasks/organizing.html",
        near=[] if before_id else near_rows(under_way, soon, lately),
        tasks=[plan_row(task) for task in shown],
        links={
            "new": url_for("planning_pages.ask_for_task"),
            "next": has_more
            and url_for("organizing_pages.list_plans", cursor=cursor_from(shown[-1].id)),
            "first": before_id and url_for("organizing_pages.list_plans"),
        },
    )


def near_rows(
    tasks: list[TaskLine], begins_by: datetime, ends_from: datetime
) -> list[dict[str, Any]]:
    """Return the shifts of these tasks in a span of time as the top of the list prints them."""
    shifts = [
        (shift, task)
        for task in tasks
        for shift in task.shifts
        if shift.starts_at <= begins_by and shift.ends_at >= ends_from
    ]
    return [
        {
            "href": url_for("organizing_pages.show_plan", task_id=task.id),
            "title": task.title,
            "starts_at": shift.starts_at,
            "ends_at": shift.ends_at,
            "place_name": shift.place_name,
            "claimed": shift.claimed,
            "places": shift.places,
        }
        for shift, task in sorted(shifts, key=lambda pair: pair[0].starts_at)
    ]


def state_words() -> dict[str, str]:
    """Return the word for each state of a task."""
    return {
        "draft": str(gettext("Draft")),
        "submitted": str(gettext("Waits for approval")),
        "open": str(gettext("Published")),
        "cancelled": str(gettext("Called off")),
    }


def plan_row(task: TaskLine) -> dict[str, Any]:
    """Return a task as the organizer's list prints it."""
    return {
        "href": url_for("organizing_pages.show_plan", task_id=task.id),
        "title": task.title,
        "state": state_words()[task.state],
        "organization": task.organization_name,
        "starts_at": task.shifts[0].starts_at,
        "shifts": len(task.shifts),
        "claimed": sum(shift.claimed for shift in task.shifts),
        "places": sum(shift.places for shift in task.shifts),
    }


@pages.get("/organizing/<id:task_id>")
@roles_only("organizer")
def show_plan(task_id: int) -> ResponseReturnValue:
    """Show a task to its organizers: each shift with its screens, and what can be done with
    it."""
    now, paths = clock.now(), current_actor().paths("organizer")
    with reading() as session:
        task = own_task(session, task_id, paths)
        series = series_of_tasks(session, [task_id])
    return render_template(
        "tasks/plan.html",
        series=[series_row(each, task, now) for each in series],
        task=plan_words(task),
        asks=requirement_words(task.eligibility),
        shifts=[plan_shift(task, shift, now) for shift in task.shifts],
        links={
            "back": url_for("organizing_pages.list_plans"),
            "page": url_for("task_pages.show_task", task_id=task_id),
            "edit": url_for("planning_pages.ask_for_changes", task_id=task_id),
            "words": url_for("organizing_pages.ask_for_words", task_id=task_id),
            "publish": url_for("organizing_pages.publish", task_id=task_id),
            "call_off": url_for("organizing_pages.call_off", task_id=task_id),
            "announce": url_for("post_notice_pages.ask", task_id=task_id)
            if task.kind == "post" and task.state == "open"
            else "",
        },
    )


def plan_words(task: TaskLine) -> dict[str, Any]:
    """Return a task as its organizers' page prints it."""
    return {
        "title": task.title,
        "kind": str(MEETING_WORDS[task.meeting_kind])
        if task.meeting_kind
        else kind_words()[task.kind],
        "organization": task.organization_name,
        "state": task.state,
        "state_word": state_words()[task.state],
        "summary": task.summary,
        "risk_note": task.risk_note,
        "risk": risk_words()[task.risk_level],
        "coefficient_percent": task.coefficient_percent,
        "insurance_ref": task.insurance_ref,
        "contact_name": task.contact_name,
        "contact_phone": task.contact_phone,
        "claims_open_at": task.claims_open_at,
        "claims_close_at": task.claims_close_at,
        "needs_approval": task.places > APPROVAL_PLACES,
    }


def plan_shift(task: TaskLine, shift: ShiftLine, now: datetime) -> dict[str, Any]:
    """Return a shift as its organizers' page prints it."""
    links = {
        name: url_for(f"attendance_pages.{name}", shift_id=shift.id)
        for name in ("venue", "station", "sheet")
    }
    if task.state == "open" and shift.starts_at > now:
        links["invite"] = url_for("inviting_pages.show_invitations", shift_id=shift.id)
        links["change"] = url_for("date_pages.ask_for_date", shift_id=shift.id)
    if shift.series_id is not None:
        links["series"] = url_for("series_pages.show_series", series_id=shift.series_id)
    elif task.state == "open" and shift.called_off_at is None:
        links["repeat"] = url_for("series_pages.ask_for_rule", shift_id=shift.id)
    return {
        "starts_at": shift.starts_at,
        "ends_at": shift.ends_at,
        "place_name": shift.place_name,
        "claimed": shift.claimed,
        "places": shift.places,
        "waitlisted": shift.waitlisted,
        "break_minutes": shift.break_minutes,
        "roles": [role for role in shift.roles if role.name],
        "is_over": shift.ends_at <= now,
        "is_called_off": shift.called_off_at is not None,
        "links": links,
    }


@pages.get("/organizing/<id:task_id>/words")
@roles_only("organizer")
def ask_for_words(task_id: int) -> ResponseReturnValue:
    """Show what may change of an open task: its words, contact and meeting places."""
    with reading() as session:
        task = own_task(session, task_id, current_actor().paths("organizer"))
    return words_form(task, {}, [])


def words_form(
    task: TaskLine, form: dict[str, str], problems: list[tuple[str, str]]
) -> ResponseReturnValue:
    """Render what may change of an open task, as it stands or as typed."""
    now = clock.now()
    standing = {name: getattr(task, name) or "" for name in WORDS}
    shifts = [
        {
            "field": f"place_name_{shift.id}",
            "starts_at": shift.starts_at,
            "place_name": form.get(f"place_name_{shift.id}", shift.place_name),
        }
        for shift in task.shifts
        if shift.ends_at > now and shift.called_off_at is None
    ]
    page = render_template(
        "tasks/words.html",
        title=task.title,
        form={**standing, **form},
        shifts=shifts,
        problems=problems,
        errors=dict(problems),
        links={
            "back": url_for("organizing_pages.show_plan", task_id=task.id),
            "save": url_for("organizing_pages.change_words", task_id=task.id),
        },
    )
    return page, 422 if problems else 200


@pages.post("/organizing/<id:task_id>/words")
@roles_only("organizer")
def change_words(task_id: int) -> ResponseReturnValue:
    """Change what was typed of an open task, and show it."""
    actor = current_actor()
    paths = actor.paths("organizer")
    with reading() as session:
        task = own_task(session, task_id, paths)
    form = {"summary": request.form.get("summary", "")[:4000]}
    form |= {name: typed(name, 120) for name in WORDS if name != "summary"}
    fields = {f"place_name_{shift.id}": shift.id for shift in task.shifts}
    places = {name: typed(name, 240) for name in fields if name in request.form}
    named = [{"shift_id": fields[name], "place_name": places[name]} for name in places]
    try:
        body = ChangedTask().load({**form, "place_names": named})
    except ValidationError as error:
        return words_form(task, {**form, **places}, words_problems(error, list(places)))

    def act() -> None:
        wanted = {each["shift_id"]: each["place_name"] for each in body.pop("place_names")}
        with transaction() as session:
            change_open_task(
                session,
                task_id=task_id,
                changes=Changes(**body, place_names=wanted),
                actor_id=actor.member_id,
                paths=paths,
                now=clock.now(),
            )

    attempt(act, gettext("Changed. Everyone keeps their place."))
    return redirect(url_for("organizing_pages.show_plan", task_id=task_id), 303)


def words_problems(error: ValidationError, places: list[str]) -> list[tuple[str, str]]:
    """Return the fields that were wrong, each with a sentence."""
    sentences = {
        "summary": gettext("Up to 2000 characters."),
        "contact_name": gettext("A name of up to 60 characters."),
        "contact_phone": gettext("A telephone number."),
    }
    wrong: Any = error.messages_dict
    found = [(name, str(sentences[name])) for name in sentences if name in wrong]
    where = str(gettext("Where people meet, in up to 120 characters."))
    return found + [(places[index], where) for index in wrong.get("place_names") or {}]


@pages.post("/organizing/<id:task_id>/publication")
@roles_only("organizer")
def publish(task_id: int) -> ResponseReturnValue:
    """Publish a draft, or submit it where many come, and show it."""
    actor = current_actor()
    paths = actor.paths("organizer")
    with reading() as session:
        is_large = own_task(session, task_id, paths).places > APPROVAL_PLACES

    def act() -> None:
        with transaction() as session:
            publish_task(
                session,
                task_id=task_id,
                actor_id=actor.member_id,
                paths=paths,
                now=clock.now(),
            )

    published = gettext("Published. Members can claim places now.")
    submitted = gettext("Sent for approval. You are told as soon as there is an answer.")
    attempt(act, submitted if is_large else published)
    return redirect(url_for("organizing_pages.show_plan", task_id=task_id), 303)


@pages.post("/organizing/<id:task_id>/cancellation")
@roles_only("organizer")
def call_off(task_id: int) -> ResponseReturnValue:
    """Call a task off with a reason, and show it."""
    actor = current_actor()

    def act() -> None:
        with transaction() as session:
            call_off_task(
                session,
                task_id=task_id,
                actor_id=actor.member_id,
                paths=actor.paths("organizer"),
                reason=typed("reason", 200),
                now=clock.now(),
            )

    attempt(act, gettext("Called off. Nothing more can be claimed on it."))
    return redirect(url_for("organizing_pages.show_plan", task_id=task_id), 303)
