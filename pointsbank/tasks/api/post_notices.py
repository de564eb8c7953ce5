"""The JSON door of notices of who takes which post."""

from typing import Any

from marshmallow import Schema, fields

from pointsbank.core import clock
from pointsbank.core.db import run
from pointsbank.notices.drafting import REASON_LENGTH_MAX
from pointsbank.tasks.post_notices import DRAFTERS, draft_post_notice
from pointsbank.web.access import current_actor, roles_only
from pointsbank.web.contract import Blueprint, Body, Text
from pointsbank.web.forms import settings

api = Blueprint("post_notices_api", __name__, description="Notices of who takes which post.")


class NewPostNotice(Body):
    """Why the notice that is there is replaced; of no matter for a first one."""

    reason = Text(length_max=REASON_LENGTH_MAX, length_min=0, load_default="")


class PostNoticeDrafted(Schema):
    """The notice that was drafted."""

    notice_id = fields.Integer()


@api.post("/tasks/<id:task_id>/post-notice")
@api.arguments(NewPostNotice)
@api.response(201, PostNoticeDrafted)
@roles_only(*DRAFTERS)
def draft(body: dict[str, Any], task_id: int) -> dict[str, Any]:
    """Draft the notice of who takes which post, or its corrected version."""
    actor, now = current_actor(), clock.now()
    notice_id = run(
        lambda session: draft_post_notice(
            session,
            task_id=task_id,
            paths=actor.paths(*DRAFTERS),
            actor_id=actor.member_id,
            reason=body["reason"],
            zone=settings().zone,
            now=now,
        )
    )
    return {"notice_id": notice_id}
