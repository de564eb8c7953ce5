"""The JSON door of one's own inbox."""

from typing import Any

from pointsbank.core import clock
from pointsbank.core.db import reading, transaction
from pointsbank.messages.queries import inbox, unread_count
from pointsbank.messages.schemas import InboxOut, Reading, ReadOut, message_out
from pointsbank.messages.service import mark_read
from pointsbank.web.access import current_actor, members_only
from pointsbank.web.contract import Blueprint, PageQuery, cursor_from, position_from

api = Blueprint("messages_api", __name__, description="What the service has to tell one.")


@api.get("/me/messages")
@api.arguments(PageQuery, location="query")
@api.response(200, InboxOut)
@members_only
def my_messages(query: dict[str, Any]) -> dict[str, Any]:
    """List one's own messages, newest first; looking marks nothing as read."""
    limit, member_id = query["limit"], current_actor().member_id
    with reading() as session:
        lines = inbox(
            session,
            member_id,
            before_id=position_from(query.get("cursor")),
            limit=limit + 1,
        )
        unread = unread_count(session, member_id)
    shown = lines[:limit]
    return {
        "items": [message_out(line) for line in shown],
        "next": cursor_from(shown[-1].id) if len(lines) > limit else None,
        "unread": unread,
    }


@api.post("/me/messages/reading")
@api.arguments(Reading)
@api.response(200, ReadOut)
@members_only
def read_messages(body: dict[str, Any]) -> dict[str, Any]:
    """Mark one's messages through this one as read; a repeat changes nothing."""
    member_id = current_actor().member_id
    with transaction() as session:
        mark_read(session, member_id=member_id, up_to_id=body["up_to"], now=clock.now())
        return {"unread": unread_count(session, member_id)}
