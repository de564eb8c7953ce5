"""The HTML door of one's own calendar address, and the address itself."""

from flask import Blueprint, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import force_locale, gettext

from pointsbank.core import clock
from pointsbank.core.db import reading, run
from pointsbank.core.keys import draw_token, plain_hash
from pointsbank.tasks.calendar_words import calendar_answer
from pointsbank.tasks.calendars import feed_made_at, make_feed, reader_of_feed, withdraw_feed
from pointsbank.tasks.errors import CalendarNotFound
from pointsbank.web.access import anyone, current_actor, members_only
from pointsbank.web.forms import attempt, settings
from pointsbank.web.languages import LOCALES

pages = Blueprint("calendar_pages", __name__)

TOKEN_LENGTH_MAX = 64


@pages.get("/calendars/<token>.ics")
@anyone
def read_calendar(token: str) -> ResponseReturnValue:
    """Answer the calendar at a secret address, in its person's language.

    Raises CalendarNotFound, for a withdrawn address as for one that never was.
    """
    if len(token) > TOKEN_LENGTH_MAX:
        raise CalendarNotFound
    with reading() as session:
        reader = reader_of_feed(session, plain_hash(token))
        if reader is None:
            raise CalendarNotFound
        member_id, locale = reader
        with force_locale(locale if locale in LOCALES else LOCALES[0]):
            return calendar_answer(session, member_id, clock.now())


@pages.get("/my-calendar")
@members_only
def show_calendar() -> ResponseReturnValue:
    """Show whether one has a calendar address, and what to do with one."""
    return calendar_page("")


def calendar_page(address: str) -> str:
    """Return the page; the address is printed only in the answer that made it."""
    with reading() as session:
        made_at = feed_made_at(session, current_actor().member_id)
    return render_template(
        "tasks/calendar.html",
        address=address,
        made_at=made_at,
        links={
            "back": url_for("task_pages.list_claims"),
            "file": url_for("calendars_api.show_calendar"),
            "make": url_for("calendar_pages.make"),
            "withdraw": url_for("calendar_pages.withdraw"),
        },
    )


@pages.post("/my-calendar")
@members_only
def make() -> ResponseReturnValue:
    """Draw a calendar address, and show it this once; the one before is dead."""
    actor, now, token = current_actor(), clock.now(), draw_token()
    run(
        lambda session: make_feed(
            session, member_id=actor.member_id, token_hash=plain_hash(token), now=now
        )
    )
    return calendar_page(address_of(token))


def address_of(token: str) -> str:
    """Return the whole address, as a calendar program takes it."""
    path = url_for("calendar_pages.read_calendar", token=token)
    return f"{settings().public_url.rstrip('/')}{path}"


@pages.post("/my-calendar/withdrawal")
@members_only
def withdraw() -> ResponseReturnValue:
    """Let one's calendar address be dead."""
    actor, now = current_actor(), clock.now()
    attempt(
        lambda: run(lambda session: withdraw_feed(session, member_id=actor.member_id, now=now)),
        gettext("The address is dead. Calendars that read it get nothing any more."),
    )
    return redirect(url_for("calendar_pages.show_calendar"), 303)
