"""The HTML door of whoever approves tasks for many people."""

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext

from pointsbank.core import clock
from pointsbank.core.db import reading, transaction
from pointsbank.core.text import masked_name
from pointsbank.tasks.eligibility_words import requirement_words
from pointsbank.tasks.publishing import APPROVING_ROLES, approve_task, send_back_task
from pointsbank.tasks.queries import own_task, tasks_waiting
from pointsbank.tasks.schemas import kind_words, risk_words
from pointsbank.web.access import current_actor, roles_only
from pointsbank.web.contract import cursor_from, position_from
from pointsbank.web.forms import attempt, typed

pages = Blueprint("approving_pages", __name__)

TASKS_A_PAGE = 30


@pages.get("/approvals")
@roles_only(*APPROVING_ROLES)
def list_tasks() -> ResponseReturnValue:
    """Show the tasks of the person's scope that wait for approval."""
    after_id = position_from(request.args.get("cursor")) or 0
    paths = current_actor().paths(*APPROVING_ROLES)
    with reading() as session:
        found = tasks_waiting(session, paths, after_id=after_id, limit=TASKS_A_PAGE + 1)
    shown, has_more = found[:TASKS_A_PAGE], len(found) > TASKS_A_PAGE
    return render_template(
        "tasks/approvals.html",
        tasks=[
            {
                "href": url_for("approving_pages.show_task", task_id=task.id),
                "title": task.title,
                "organization": task.organization_name,
                "starts_at": task.shifts[0].starts_at,
                "places": task.places,
            }
            for task in shown
        ],
        links={
            "next": has_more
            and url_for("approving_pages.list_tasks", cursor=cursor_from(shown[-1].id)),
            "first": after_id and url_for("approving_pages.list_tasks"),
        },
    )


@pages.get("/approvals/<id:task_id>")
@roles_only(*APPROVING_ROLES)
def show_task(task_id: int) -> ResponseReturnValue:
    """Show a task with all that an approval rests on."""
    actor = current_actor()
    with reading() as session:
        task = own_task(session, task_id, actor.paths(*APPROVING_ROLES))
    return render_template(
        "tasks/approval.html",
        task={
            "title": task.title,
            "kind": kind_words()[task.kind],
            "organization": task.organization_name,
            "organizer": masked_name(task.organizer_name),
            "summary": task.summary,
            "risk_note": task.risk_note,
            "risk": risk_words()[task.risk_level],
            "coefficient_percent": task.coefficient_percent,
            "insurance_ref": task.insurance_ref,
            "places": task.places,
            "state": task.state,
        },
        asks=requirement_words(task.eligibility),
        shifts=task.shifts,
        is_own=task.organizer_id == actor.member_id,
        links={
            "back": url_for("approving_pages.list_tasks"),
            "decide": url_for("approving_pages.decide", task_id=task_id),
        },
    )


@pages.post("/approvals/<id:task_id>/decision")
@roles_only(*APPROVING_ROLES)
def decide(task_id: int) -> ResponseReturnValue:
    """Approve a task, or send it back with a reason, and show what still waits."""
    actor, now = current_actor(), clock.now()
    paths, reason = actor.paths(*APPROVING_ROLES), typed("reason", 200)
    is_approved = request.form.get("decision") == "approve"

    def act() -> None:
        with transaction() as session:
            if is_approved:
                approve_task(
                    session, task_id=task_id, actor_id=actor.member_id, paths=paths, now=now
                )
                return
            send_back_task(
                session,
                task_id=task_id,
                actor_id=actor.member_id,
                paths=paths,
                reason=reason or str(gettext("no reason given")),
                now=now,
            )

    approved = gettext("Approved. Members can claim places now.")
    sent_back = gettext("Sent back. Its organizer is told why.")
    attempt(act, approved if is_approved else sent_back)
    return redirect(url_for("approving_pages.list_tasks"), 303)
