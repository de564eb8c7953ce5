"""The JSON door of one's own calendar."""

from typing import Any

from flask import Response, url_for
from marshmallow import Schema, fields

from pointsbank.core import clock
from pointsbank.core.db import reading, run
from pointsbank.core.keys import draw_token, plain_hash
from pointsbank.tasks.calendar_words import calendar_answer
from pointsbank.tasks.calendars import make_feed, withdraw_feed
from pointsbank.web.access import current_actor, members_only
from pointsbank.web.contract import Blueprint
from pointsbank.web.forms import settings

api = Blueprint("calendars_api", __name__, description="One's own calendar.")


class AddressOut(Schema):
    """A calendar address; it is answered this once."""

    url = fields.String()
    made_at = fields.AwareDateTime(format="iso")


@api.get("/me/calendar.ics")
@members_only
def show_calendar() -> Response:
    """Answer one's own shifts as an iCalendar file."""
    with reading() as session:
        return calendar_answer(session, current_actor().member_id, clock.now())


@api.post("/me/calendar-address")
@api.response(201, AddressOut)
@members_only
def make_address() -> dict[str, Any]:
    """Draw a secret address at which programs read the calendar; the one before is dead."""
    actor, now, token = current_actor(), clock.now(), draw_token()
    run(
        lambda session: make_feed(
            session, member_id=actor.member_id, token_hash=plain_hash(token), now=now
        )
    )
    path = url_for("calendar_pages.read_calendar", token=token)
    return {"url": f"{settings().public_url.rstrip('/')}{path}", "made_at": now}


@api.delete("/me/calendar-address")
@api.response(204)
@members_only
def withdraw_address() -> None:
    """Let the address be dead; a repeat changes nothing."""
    actor, now = current_actor(), clock.now()
    run(lambda session: withdraw_feed(session, member_id=actor.member_id, now=now))
