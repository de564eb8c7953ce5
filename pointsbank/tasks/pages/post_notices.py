"""The page on which the notice of who takes which post is drafted."""

from flask import Blueprint, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext

from pointsbank.core import clock
from pointsbank.core.db import reading, run
from pointsbank.core.errors import Conflict, Invalid
from pointsbank.notices.drafting import REASON_LENGTH_MAX
from pointsbank.tasks.post_notices import (
    DRAFTERS,
    draft_post_notice,
    notices_of_posts,
    takers_of,
)
from pointsbank.tasks.queries import own_task
from pointsbank.web.access import current_actor, roles_only
from pointsbank.web.errors import sentence_of, status_of
from pointsbank.web.forms import settings, typed

pages = Blueprint("post_notice_pages", __name__)


@pages.get("/tasks/<id:task_id>/post-notice")
@roles_only(*DRAFTERS)
def ask(task_id: int) -> ResponseReturnValue:
    """Show who takes which post, and what notices there were."""
    return notice_page(task_id)


def notice_page(
    task_id: int, reason: str = "", error: str = "", status: int = 200
) -> ResponseReturnValue:
    """Render the page, with what was typed when it could not be taken."""
    actor, now = current_actor(), clock.now()
    with reading() as session:
        task = own_task(session, task_id, actor.paths(*DRAFTERS))
        takers = takers_of(session, task, now, settings().zone)
        notices = notices_of_posts(session, task_id)
    page = render_template(
        "tasks/post_notice.html",
        task={"title": task.title, "organization": task.organization_name},
        takers=takers,
        notices=notices,
        has_alive=any(each.is_alive for each in notices),
        may_draft=task.kind == "post" and task.state == "open" and bool(takers),
        reason=reason,
        error=error,
        limits={"reason": REASON_LENGTH_MAX},
        links={
            "back": url_for("task_pages.show_task", task_id=task_id),
            "draft": url_for("post_notice_pages.draft", task_id=task_id),
        },
    )
    return page, status


@pages.post("/tasks/<id:task_id>/post-notice")
@roles_only(*DRAFTERS)
def draft(task_id: int) -> ResponseReturnValue:
    """Draft the notice, or the corrected version of the one that is there."""
    actor, now = current_actor(), clock.now()
    reason = typed("reason", REASON_LENGTH_MAX)
    try:
        notice_id = run(
            lambda session: draft_post_notice(
                session,
                task_id=task_id,
                paths=actor.paths(*DRAFTERS),
                actor_id=actor.member_id,
                reason=reason,
                zone=settings().zone,
                now=now,
            )
        )
    except (Conflict, Invalid) as refusal:
        return notice_page(task_id, reason, sentence_of(refusal), status_of(refusal))
    flash(gettext("The notice is drafted. It opens once somebody else reviewed it."), "success")
    return redirect(url_for("notice_desk_pages.show_notice", notice_id=notice_id))
