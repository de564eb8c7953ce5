"""The JSON door of tasks: draft, change, publish, approve, find."""

from typing import Any

from flask import current_app

from pointsbank.core import clock
from pointsbank.core.calendar import local_day
from pointsbank.core.db import reading, transaction
from pointsbank.core.keys import draw_bytes
from pointsbank.organizations.queries import organization_by_code, organization_of
from pointsbank.scoring.queries import standard_on
from pointsbank.tasks.claims import has_claim
from pointsbank.tasks.drafting import change_draft, draft_task
from pointsbank.tasks.fitting import fits_of
from pointsbank.tasks.models import HANDLE_BYTES
from pointsbank.tasks.publishing import (
    APPROVING_ROLES,
    Changes,
    approve_task,
    call_off_task,
    change_open_task,
    publish_task,
    send_back_task,
)
from pointsbank.tasks.queries import TaskFilter, filled, open_tasks, task_of, tasks_waiting
from pointsbank.tasks.schemas import (
    CallOff,
    ChangedTask,
    NewTask,
    TaskDecision,
    TaskListOut,
    TaskOut,
    TaskQuery,
    View,
    moment_from,
    plan_of,
    task_out,
)
from pointsbank.web.access import current_actor, members_only, roles_only
from pointsbank.web.contract import Blueprint, PageQuery, cursor_from, position_from

api = Blueprint("tasks_api", __name__, description="Tasks and their shifts.")


def shown_task(task_id: int, paths: tuple[str, ...]) -> dict[str, Any]:
    """Return a task as the asking person sees it, unpublished ones only within these paths."""
    actor, now = current_actor(), clock.now()
    zone = current_app.extensions["settings"].zone
    with reading() as session:
        task = task_of(session, task_id, paths)
        standard = standard_on(session, local_day(now, zone))
        view = View(
            is_organizer=any(task.path.startswith(path) for path in paths),
            has_claim=has_claim(session, task_id, actor.member_id),
            fits=fits_of(session, task, task.shifts, actor.member_id, zone),
        )
        return task_out(task, standard, view)


def draw_handle() -> bytes:
    """Draw the random name of a shift."""
    return draw_bytes(HANDLE_BYTES)


@api.post("/tasks")
@api.arguments(NewTask)
@api.response(201, TaskOut)
@roles_only("organizer")
def draft(body: dict[str, Any]) -> dict[str, Any]:
    """Draft a task with its shifts; members see it once it is published."""
    actor = current_actor()
    paths = actor.paths("organizer")
    with transaction() as session:
        task_id = draft_task(
            session,
            **plan_of(body, draw_handle),
            organizer_id=actor.member_id,
            paths=paths,
            zone=current_app.extensions["settings"].zone,
            now=clock.now(),
        )
    return shown_task(task_id, paths)


@api.put("/tasks/<id:task_id>/plan")
@api.arguments(NewTask)
@api.response(200, TaskOut)
@roles_only("organizer")
def change(body: dict[str, Any], task_id: int) -> dict[str, Any]:
    """Let a draft say all this instead; a repeat answers the same."""
    actor = current_actor()
    paths = actor.paths("organizer")
    with transaction() as session:
        change_draft(
            session,
            task_id=task_id,
            **plan_of(body, draw_handle),
            actor_id=actor.member_id,
            paths=paths,
            zone=current_app.extensions["settings"].zone,
            now=clock.now(),
        )
    return shown_task(task_id, paths)


@api.patch("/tasks/<id:task_id>/words")
@api.arguments(ChangedTask)
@api.response(200, TaskOut)
@roles_only("organizer")
def change_open(body: dict[str, Any], task_id: int) -> dict[str, Any]:
    """Change words, contact or meeting place of an open task; nobody loses a claim."""
    actor = current_actor()
    paths = actor.paths("organizer")
    places = {each["shift_id"]: each["place_name"] for each in body.pop("place_names")}
    with transaction() as session:
        change_open_task(
            session,
            task_id=task_id,
            changes=Changes(**body, place_names=places),
            actor_id=actor.member_id,
            paths=paths,
            now=clock.now(),
        )
    return shown_task(task_id, paths)


@api.post("/tasks/<id:task_id>/publication")
@api.response(200, TaskOut)
@roles_only("organizer")
def publish(task_id: int) -> dict[str, Any]:
    """Open a draft for claims, or submit it where a second person approves; a repeat answers
    the same."""
    actor = current_actor()
    paths = actor.paths("organizer")
    with transaction() as session:
        publish_task(
            session, task_id=task_id, actor_id=actor.member_id, paths=paths, now=clock.now()
        )
    return shown_task(task_id, paths)


@api.get("/tasks/submitted")
@api.arguments(PageQuery, location="query")
@api.response(200, TaskListOut)
@roles_only(*APPROVING_ROLES)
def list_submitted(query: dict[str, Any]) -> dict[str, Any]:
    """Answer the tasks of one's scope that wait for approval."""
    paths, limit = current_actor().paths(*APPROVING_ROLES), query["limit"]
    after = position_from(query.get("cursor")) or 0
    zone = current_app.extensions["settings"].zone
    with reading() as session:
        found = tasks_waiting(session, paths, after_id=after, limit=limit + 1)
        standard = standard_on(session, local_day(clock.now(), zone))
        shown = filled(session, found[:limit])
        items = [task_out(task, standard, View(is_organizer=True)) for task in shown]
    more = len(found) > limit
    return {"items": items, "next": cursor_from(shown[-1].id) if more else None}


@api.post("/tasks/<id:task_id>/decision")
@api.arguments(TaskDecision)
@api.response(200, TaskOut)
@roles_only(*APPROVING_ROLES)
def decide(body: dict[str, Any], task_id: int) -> dict[str, Any]:
    """Approve a submitted task, or send it back with a reason; its organizer is told."""
    actor, now = current_actor(), clock.now()
    paths = actor.paths(*APPROVING_ROLES)
    asked: dict[str, Any] = {
        "task_id": task_id,
        "actor_id": actor.member_id,
        "paths": paths,
        "now": now,
    }
    with transaction() as session:
        if body["decision"] == "approve":
            approve_task(session, **asked)
        else:
            send_back_task(session, **asked, reason=body["reason"])
    return shown_task(task_id, paths)


@api.post("/tasks/<id:task_id>/cancellation")
@api.arguments(CallOff)
@api.response(200, TaskOut)
@roles_only("organizer")
def call_off(body: dict[str, Any], task_id: int) -> dict[str, Any]:
    """Call a task off; nothing more can be claimed on it. A repeat answers the same."""
    actor = current_actor()
    paths = actor.paths("organizer")
    with transaction() as session:
        call_off_task(
            session,
            task_id=task_id,
            actor_id=actor.member_id,
            paths=paths,
            reason=body["reason"],
            now=clock.now(),
        )
    return shown_task(task_id, paths)


@api.get("/tasks")
@api.arguments(TaskQuery, location="query")
@api.response(200, TaskListOut)
@members_only
def list_tasks(query: dict[str, Any]) -> dict[str, Any]:
    """Answer open tasks with free places, the soonest first, or the nearest to a position."""
    actor = current_actor()
    zone = current_app.extensions["settings"].zone
    now = clock.now()
    after = position_from(query.get("cursor")) or 0
    near = query.get("near")
    with reading() as session:
        code = query.get("organization_code")
        wanted = TaskFilter(
            path=organization_by_code(session, code).path if code else None,
            kind=query.get("kind"),
            starts_from=moment_from(query.get("starts_from"), zone),
            starts_to=moment_from(query.get("starts_to"), zone),
            near=near if isinstance(near, tuple) else None,
            home_path=organization_of(session, actor.organization_id).path
            if near == "home"
            else None,
        )
        found = open_tasks(
            session, now=now, wanted=wanted, after=after, limit=query["limit"] + 1
        )
        standard = standard_on(session, local_day(now, zone))
        shown = filled(session, found[: query["limit"]])
        items = [task_out(task, standard) for task in shown]
    more = len(found) > query["limit"]
    return {"items": items, "next": cursor_from(after + query["limit"]) if more else None}


@api.get("/tasks/<id:task_id>")
@api.response(200, TaskOut)
@members_only
def show_task(task_id: int) -> dict[str, Any]:
    """Answer one task with all its shifts."""
    return shown_task(task_id, current_actor().paths("organizer"))
