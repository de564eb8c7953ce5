"""The JSON door of those who look after notices: drafts, review, archive."""

from typing import Any

from pointsbank.core import clock
from pointsbank.core.calendar import local_day
from pointsbank.core.db import reading, run
from pointsbank.notices.policy import READERS, REVIEWERS
from pointsbank.notices.queries import (
    notice_of,
    notices_within,
    shown_lines,
    undecided_by_notice,
)
from pointsbank.notices.reviewing import review_notice, take_back
from pointsbank.notices.schemas import (
    NoticeOut,
    NoticeReviewed,
    NoticesOut,
    NoticesQuery,
    Withdrawal,
    listed,
    notice_out,
)
from pointsbank.web.access import current_actor, roles_only
from pointsbank.web.contract import Blueprint, cursor_from, position_from
from pointsbank.web.forms import settings

api = Blueprint("notices_api", __name__, description="Drafts of notices, reviews, the archive.")


@api.get("/notices")
@api.arguments(NoticesQuery, location="query")
@api.response(200, NoticesOut)
@roles_only(*READERS)
def list_notices(query: dict[str, Any]) -> dict[str, Any]:
    """List the notices of one's scope, newest first."""
    limit = query["limit"]
    with reading() as session:
        found = notices_within(
            session,
            current_actor().paths(*READERS),
            is_alive=query["state"] == "alive",
            before_id=position_from(query.get("cursor")),
            limit=limit + 1,
        )
        waiting = undecided_by_notice(session, [each.id for each in found])
    return {
        "items": [listed(each, waiting.get(each.id, 0)) for each in found[:limit]],
        "next": cursor_from(found[limit - 1].id) if len(found) > limit else None,
    }


@api.get("/notices/<id:notice_id>")
@api.response(200, NoticeOut)
@roles_only(*READERS)
def show_notice(notice_id: int) -> dict[str, Any]:
    """Answer a notice of one's scope in any state, with its lines."""
    return seen(notice_id)


def seen(notice_id: int) -> dict[str, Any]:
    """Return a notice of one's scope."""
    with reading() as session:
        found = notice_of(session, notice_id, current_actor().paths(*READERS))
        return notice_out(found, shown_lines(session, notice_id))


@api.post("/notices/<id:notice_id>/review")
@api.response(200, NoticeReviewed)
@roles_only(*REVIEWERS)
def review(notice_id: int) -> dict[str, Any]:
    """Review a draft of somebody else; whose own line it has needs a second reviewer."""
    actor, now = current_actor(), clock.now()
    reviewed = run(
        lambda session: review_notice(
            session,
            notice_id=notice_id,
            actor=actor,
            today=local_day(now, settings().zone),
            now=now,
        )
    )
    return {"id": notice_id, **vars(reviewed)}


@api.post("/notices/<id:notice_id>/withdrawal")
@api.arguments(Withdrawal)
@api.response(200, NoticeOut)
@roles_only(*REVIEWERS)
def withdraw(body: dict[str, Any], notice_id: int) -> dict[str, Any]:
    """Take a notice back for good, with a reason."""
    actor, now = current_actor(), clock.now()
    run(
        lambda session: take_back(
            session, notice_id=notice_id, actor=actor, reason=body["reason"], now=now
        )
    )
    return seen(notice_id)
