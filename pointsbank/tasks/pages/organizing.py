"""The HTML door of organizers: plan a task with its shifts, publish it, call it off."""

from datetime import datetime, timedelta
from typing import Any

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext
from marshmallow import ValidationError

from pointsbank.core import clock
from pointsbank.core.calendar import local_day
from pointsbank.core.db import reading, transaction
from pointsbank.core.errors import Invalid, NotFound
from pointsbank.core.keys import draw_bytes
from pointsbank.core.text import halfwidth
from pointsbank.organizations.queries import organizations_within
from pointsbank.scoring.queries import standard_on
from pointsbank.tasks.drafting import NewShift, draft_task
from pointsbank.tasks.models import HANDLE_BYTES, PLACES_MAX
from pointsbank.tasks.publishing import call_off_task, publish_task
from pointsbank.tasks.queries import TaskLine, own_task, tasks_under_way, tasks_within
from pointsbank.tasks.schemas import NewTask, kind_words
from pointsbank.web.access import current_actor, roles_only
from pointsbank.web.contract import cursor_from, position_from
from pointsbank.web.errors import sentence_of
from pointsbank.web.forms import attempt, settings, typed
from pointsbank.web.languages import locale_name

pages = Blueprint("organizing_pages", __name__)

TASKS_A_PAGE = 30
# What began or ended within so long, or will, stands on top: its screens are wanted now.
NEAR = timedelta(hours=4)
ORGANIZATIONS_SHOWN_MAX = 200
SHIFTS_ON_A_FORM_MAX = 20
FIELD_LENGTHS = {
    "title": 80,
    "kind": 16,
    "organization_code": 32,
    "scoring_item": 40,
}
SHIFT_FIELDS = ("starts_at", "ends_at", "places", "place_name")


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
            "new": url_for("organizing_pages.ask_for_task"),
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
    return render_template(
        "tasks/plan.html",
        task={
            "title": task.title,
            "kind": kind_words()[task.kind],
            "organization": task.organization_name,
            "state": task.state,
            "state_word": state_words()[task.state],
            "summary": task.summary,
            "risk_note": task.risk_note,
        },
        shifts=[
            {
                "starts_at": shift.starts_at,
                "ends_at": shift.ends_at,
                "place_name": shift.place_name,
                "claimed": shift.claimed,
                "places": shift.places,
                "waitlisted": shift.waitlisted,
                "is_over": shift.ends_at <= now,
                "links": {
                    name: url_for(f"attendance_pages.{name}", shift_id=shift.id)
                    for name in ("venue", "station", "sheet")
                },
            }
            for shift in task.shifts
        ],
        links={
            "back": url_for("organizing_pages.list_plans"),
            "page": url_for("task_pages.show_task", task_id=task_id),
            "publish": url_for("organizing_pages.publish", task_id=task_id),
            "call_off": url_for("organizing_pages.call_off", task_id=task_id),
        },
    )


@pages.get("/organizing/new")
@roles_only("organizer")
def ask_for_task() -> ResponseReturnValue:
    """Ask what is to be done, where and when."""
    return task_form({}, [{}], [])


def task_form(
    form: dict[str, str], shifts: list[dict[str, str]], problems: list[tuple[str, str]]
) -> ResponseReturnValue:
    """Render the form of a new task, with what was wrong."""
    paths = current_actor().paths("organizer")
    with reading() as session:
        places = organizations_within(session, paths, limit=ORGANIZATIONS_SHOWN_MAX)
        standard = standard_on(session, local_day(clock.now(), settings().zone))
    is_chinese = locale_name() == "zh"
    page = render_template(
        "tasks/draft.html",
        form=form,
        shifts=shifts,
        problems=problems,
        errors=dict(problems),
        kinds=list(kind_words().items()),
        organizations=[(place.code, place.name) for place in places],
        items=[
            (item.code, item.name_zh if is_chinese else item.name) for item in standard.items
        ],
        limits={"places": PLACES_MAX, "shifts": SHIFTS_ON_A_FORM_MAX},
        links={
            "back": url_for("organizing_pages.list_plans"),
            "save": url_for("organizing_pages.draft"),
        },
    )
    return page, 422 if problems else 200


@pages.post("/organizing/new")
@roles_only("organizer")
def draft() -> ResponseReturnValue:
    """Draft a task, judged by the same schema as a program's, and show it."""
    form, shifts = typed_task()
    if "more" in request.form and len(shifts) < SHIFTS_ON_A_FORM_MAX:
        return task_form(form, [*shifts, dict(shifts[-1])], [])
    actor = current_actor()
    try:
        body = NewTask().load({**form, "shifts": [values_of(shift) for shift in shifts]})
    except ValidationError as error:
        return task_form(form, shifts, problems_of(error))
    plans = [NewShift(handle=draw_bytes(HANDLE_BYTES), **shift) for shift in body.pop("shifts")]
    try:
        with transaction() as session:
            task_id = draft_task(
                session,
                **body,
                shifts=plans,
                organizer_id=actor.member_id,
                paths=actor.paths("organizer"),
                zone=settings().zone,
                now=clock.now(),
            )
    except (Invalid, NotFound) as refusal:
        return task_form(form, shifts, [("", sentence_of(refusal))])
    return redirect(url_for("organizing_pages.show_plan", task_id=task_id), 303)


def typed_task() -> tuple[dict[str, str], list[dict[str, str]]]:
    """Return the form as typed, and its shifts; a shift left empty is none."""
    form = {name: typed(name, 2 * length) for name, length in FIELD_LENGTHS.items()}
    for name, length in (("summary", 2000), ("risk_note", 500)):
        form[name] = request.form.get(name, "")[: 2 * length]
    shifts = []
    for number in range(1, SHIFTS_ON_A_FORM_MAX + 1):
        shift = {name: typed(f"{name}_{number}", 250) for name in SHIFT_FIELDS}
        if any(shift.values()) or number == 1:
            shifts.append(shift)
    return form, shifts


def values_of(shift: dict[str, str]) -> dict[str, Any]:
    """Return a shift as a program would send it; local moments get their offset."""
    places = halfwidth(shift["places"])
    is_number = places.isascii() and places.isdigit() and len(places) <= 9
    return {
        "starts_at": with_offset(shift["starts_at"]),
        "ends_at": with_offset(shift["ends_at"]),
        "places": int(places) if is_number else places,
        "place_name": shift["place_name"],
    }


def with_offset(text: str) -> str:
    """Return a local moment as a browser's field gives it, with this service's offset."""
    try:
        return datetime.fromisoformat(text).replace(tzinfo=settings().zone).isoformat()
    except ValueError:
        return text


def problems_of(error: ValidationError) -> list[tuple[str, str]]:
    """Return the fields that were wrong, each with a sentence, in the order of the form."""
    sentences = {
        "title": gettext("A title of up to 80 characters."),
        "kind": gettext("Choose what kind of work it is."),
        "organization_code": gettext("Choose where it belongs."),
        "scoring_item": gettext("Choose how it is scored."),
        "summary": gettext("Up to 2000 characters."),
        "risk_note": gettext("Up to 500 characters."),
        "starts_at": gettext("The day and time it begins."),
        "ends_at": gettext("The day and time it ends."),
        "places": gettext("A whole number from 1 to %(most)s.", most=PLACES_MAX),
        "place_name": gettext("Where people meet, in up to 120 characters."),
    }
    wrong: Any = error.messages_dict
    found = [(name, str(sentences[name])) for name in sentences if name in wrong]
    for number, fields in sorted((wrong.get("shifts") or {}).items()):
        found += [
            (f"{name}_{number + 1}", str(sentences[name]))
            for name in SHIFT_FIELDS
            if name in fields
        ]
    return found


@pages.post("/organizing/<id:task_id>/publication")
@roles_only("organizer")
def publish(task_id: int) -> ResponseReturnValue:
    """Publish a draft, and show it."""
    actor = current_actor()

    def act() -> None:
        with transaction() as session:
            publish_task(
                session,
                task_id=task_id,
                actor_id=actor.member_id,
                paths=actor.paths("organizer"),
                now=clock.now(),
            )

    attempt(act, gettext("Published. Members can claim places now."))
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
