"""The page of one's own inbox."""

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext

from pointsbank.core import clock
from pointsbank.core.db import reading, transaction
from pointsbank.messages.queries import inbox, newest_id, unread_count
from pointsbank.messages.schemas import message_out
from pointsbank.messages.service import mark_read
from pointsbank.web.access import current_actor, members_only
from pointsbank.web.contract import cursor_from, position_from
from pointsbank.web.forms import typed_id

pages = Blueprint("message_pages", __name__)

MESSAGES_A_PAGE = 30


@pages.get("/messages")
@members_only
def show_inbox() -> ResponseReturnValue:
    """Show one's messages, newest first; looking marks nothing as read."""
    member_id = current_actor().member_id
    before_id = position_from(request.args.get("cursor"))
    with reading() as session:
        lines = inbox(session, member_id, before_id=before_id, limit=MESSAGES_A_PAGE + 1)
        unread = unread_count(session, member_id)
        up_to = newest_id(session, member_id)
    shown = lines[:MESSAGES_A_PAGE]
    return render_template(
        "messages/inbox.html",
        messages=[message_out(line) for line in shown],
        unread_total=unread,
        up_to=up_to,
        links={
            "back": url_for("member_pages.show_me"),
            "read": url_for("message_pages.read_all"),
            "next": len(lines) > MESSAGES_A_PAGE
            and url_for("message_pages.show_inbox", cursor=cursor_from(shown[-1].id)),
            "first": before_id and url_for("message_pages.show_inbox"),
        },
    )


@pages.post("/messages/reading")
@members_only
def read_all() -> ResponseReturnValue:
    """Mark as read what the page showed or what is older, and show the inbox again."""
    up_to = typed_id("up_to")
    if up_to is not None:
        with transaction() as session:
            mark_read(
                session,
                member_id=current_actor().member_id,
                up_to_id=up_to,
                now=clock.now(),
            )
        flash(gettext("All messages are marked as read."), "success")
    return redirect(url_for("message_pages.show_inbox"), 303)
