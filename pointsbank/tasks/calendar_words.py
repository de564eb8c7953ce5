"""A person's calendar in their language, as the doors hand it out."""

from datetime import datetime
from urllib.parse import urlsplit

from flask import Response
from flask_babel import gettext
from sqlalchemy.orm import Session

from pointsbank.tasks.calendars import calendar_file, entries_of
from pointsbank.web.forms import settings


def calendar_answer(session: Session, member_id: int, now: datetime) -> Response:
    """Return a member's calendar as an answer."""
    public_url = settings().public_url.rstrip("/")
    content = calendar_file(
        entries_of(session, member_id, now),
        name=gettext("My service"),
        waiting=gettext("(waiting list)"),
        host=urlsplit(public_url).hostname or "pointsbank",
        public_url=public_url,
    )
    answer = Response(content, content_type="text/calendar; charset=utf-8")
    answer.headers["Content-Disposition"] = 'inline; filename="pointsbank.ics"'
    return answer
