"""The JSON door of tasks: draft, publish, find."""

from typing import Any

from flask import current_app

from pointsbank.core import clock
from pointsbank.core.calendar import local_day
from pointsbank.core.db import reading, transaction
from pointsbank.core.keys import draw_bytes
from pointsbank.organizations.queries import organization_by_code, organization_of
from pointsbank.scoring.queries import standard_on
from pointsbank.tasks.drafting import NewShift, draft_task
from pointsbank.tasks.models import HANDLE_BYTES
from pointsbank.tasks.publishing import call_off_task, publish_task
from pointsbank.tasks.queries import TaskFilter, open_tasks, task_of
from pointsbank.tasks.schemas import (
    CallOff,
    NewTask,
    TaskListOut,
    TaskOut,
    TaskQuery,
    moment_from,
    task_out,
)
from pointsbank.web.access import current_actor, members_only, roles_only
from pointsbank.web.contract import Blueprint, cursor_from, position_from

api = Blueprint("tasks_api", __name__, description="Tasks and their shifts.")


def shown_task(task_id: int, paths: tuple[str, ...]) -> dict[str, Any]:
    """Return a task as it is shown, drafts only within these paths."""
    now = clock.now()
    with reading() as session:
        task = task_of(session, task_id, paths)
        standard = standard_on(session, local_day(now, current_app.extensions["settings"].zone))
        return task_out(task, standard)


@api.post("/tasks")
@api.arguments(NewTask)
@api.response(201, TaskOut)
@roles_only("organizer")
def draft(body: dict[str, Any]) -> dict[str, Any]:
    """Draft a task with its shifts; members see it once it is published."""
    actor = current_actor()
    paths = actor.paths("organizer")
    shifts = [
        NewShift(handle=draw_bytes(HANDLE_BYTES), **shift) for shift in body.pop("shifts")
    ]
    with transaction() as session:
        task_id = draft_task(
            session,
            **body,
            shifts=shifts,
            organizer_id=actor.member_id,
            paths=paths,
            zone=current_app.extensions["settings"].zone,
            now=clock.now(),
        )
    return shown_task(task_id, paths)


@api.post("/tasks/<id:task_id>/publication")
@api.response(200, TaskOut)
@roles_only("organizer")
def publish(task_id: int) -> dict[str, Any]:
    """Open a draft for claims; a repeat answers the same."""
    actor = current_actor()
    paths = actor.paths("organizer")
    with transaction() as session:
        publish_task(
            session, task_id=task_id, actor_id=actor.member_id, paths=paths, now=clock.now()
        )
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
        items = [task_out(task, standard) for task in found[: query["limit"]]]
    more = len(found) > query["limit"]
    return {"items": items, "next": cursor_from(after + query["limit"]) if more else None}


@api.get("/tasks/<id:task_id>")
@api.response(200, TaskOut)
@members_only
def show_task(task_id: int) -> dict[str, Any]:
    """Answer one task with all its shifts."""
    return shown_task(task_id, current_actor().paths("organizer"))
