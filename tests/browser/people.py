"""People with phones: how they sign in, what they hold up and read from screens."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from flask import Flask
from playwright.sync_api import Locator, Page
from sqlalchemy import func, select

from pointsbank.attendance.codes import slot_at, venue_text
from pointsbank.attendance.finding import Desk, NewScan
from pointsbank.attendance.policy import Rules
from pointsbank.attendance.recording import record_scan
from pointsbank.core import clock
from pointsbank.core.actor import Actor
from pointsbank.core.codes import Purpose, url_of
from pointsbank.core.db import reading, transaction
from pointsbank.core.keys import draw_token
from pointsbank.core.settings import Settings
from pointsbank.members.codes import GENERAL, personal_text
from pointsbank.members.models import Member
from pointsbank.tasks.models import Shift
from tests.builders import a_claim, a_member, a_shift, a_token, with_role

PASSWORD = "a quiet river bank"
SESSION_COOKIE = "pointsbank"
# A machine with two busy cores may need this long for a page.
PATIENCE_MS = 30_000
PAUSE_MS = 50
DESK = {"width": 1280, "height": 800}

# What is drawn in a page's picture of a code, read by our own decoder.
READ_PICTURE = """async (picture) => {
    const { default: decode } = await import("/static/vendor/qr/decode.js");
    const svg = new DOMParser().parseFromString(picture, "text/html").querySelector("svg");
    const side = Number(svg.getAttribute("viewBox").split(" ")[2]), scale = 8;
    const canvas = document.createElement("canvas");
    canvas.width = canvas.height = side * scale;
    const pen = canvas.getContext("2d");
    pen.fillStyle = "#fff";
    pen.fillRect(0, 0, canvas.width, canvas.height);
    pen.fillStyle = "#000";
    pen.scale(scale, scale);
    pen.fill(new Path2D(svg.querySelector("path").getAttribute("d")));
    return decode(pen.getImageData(0, 0, canvas.width, canvas.height));
}"""


def code_in(picture: Locator, reader: Page | None = None) -> str:
    """Return what the code says that stands in this part of a page.

    reader: a page that has a network, when the page itself has none.
    """
    drawn = picture.locator("svg").first.evaluate("(svg) => svg.outerHTML")
    return (reader or picture.page).evaluate(READ_PICTURE, drawn)


def until(is_so: Callable[[], bool], page: Page | None = None) -> None:
    """Wait until something has happened on the server, or to what this page sends."""
    deadline = time.monotonic() + PATIENCE_MS / 1000
    while not is_so():
        assert time.monotonic() < deadline
        if page:
            page.wait_for_timeout(PAUSE_MS)
        else:
            time.sleep(PAUSE_MS / 1000)


@dataclass
class People:
    """Makes people in the service's database and opens pages as them."""

    app: Flask
    address: str
    open_page: Callable[..., Page]

    @property
    def settings(self) -> Settings:
        """The settings of the service; its address is the one it is served at."""
        return self.app.extensions["settings"]

    def join(self, name: str = "王桂兰", role: str = "", **more: Any) -> int:
        """Take a person in, a week ago, who can sign in with PASSWORD; return their id."""
        joined_at = clock.now() - timedelta(days=7)
        with self.app.app_context(), transaction() as session:
            member_id = a_member(session, name, password=PASSWORD, now=joined_at)
            if role:
                with_role(session, member_id, role, now=joined_at, **more)
        return member_id

    def phone_of(self, member_id: int) -> str:
        """Return a person's phone number."""
        with self.app.app_context(), reading() as session:
            return session.get_one(Member, member_id).phone

    def number_of(self, member_id: int) -> str:
        """Return a person's member number."""
        with self.app.app_context(), reading() as session:
            return session.get_one(Member, member_id).volunteer_no

    def page_of(self, member_id: int, **options: Any) -> Page:
        """Open a browser in which this person is signed in."""
        with self.app.app_context(), transaction() as session:
            token = a_token(session, member_id)
        page = self.open_page(**options)
        page.set_default_timeout(PATIENCE_MS)
        page.context.add_cookies(
            [{"name": SESSION_COOKIE, "value": token, "url": self.address}]
        )
        return page

    def stranger(self, **options: Any) -> Page:
        """Open a browser in which nobody is signed in."""
        page = self.open_page(**options)
        page.set_default_timeout(PATIENCE_MS)
        return page

    def shift(self, organizer_id: int, begins: timedelta, ends: timedelta, *claims: int) -> int:
        """Return a shift that begins and ends so far from now, claimed by some."""
        now = clock.now()
        planned_at = now - timedelta(days=2)
        minutes = int((ends - begins).total_seconds()) // 60
        with self.app.app_context(), transaction() as session:
            shift_id = a_shift(
                session, now + begins, minutes, organizer_id=organizer_id, now=planned_at
            )
            for member_id in claims:
                a_claim(session, shift_id, member_id, planned_at)
        return shift_id

    def came(self, member_id: int, shift_id: int, at: datetime) -> None:
        """Let somebody have scanned the venue's code at an earlier moment."""
        with self.app.app_context(), transaction() as session:
            shift = session.get_one(Shift, shift_id)
            secret = self.settings.secret_key
            code = venue_text(secret, shift.handle, slot_at(at), "in")
            record_scan(
                session,
                Actor(member_id, "", 0, 0),
                NewScan(nonce=draw_token(), code=code),
                Desk(secret, Rules(opens_minutes=30, stays_minutes=60), self.zone),
                now=at,
            )

    @property
    def zone(self) -> ZoneInfo:
        """The district's time zone."""
        return self.settings.zone

    def personal_code(self, member_id: int) -> str:
        """Return the address in the code that stands on this person's phone now."""
        with self.app.app_context(), reading() as session:
            handle = session.get_one(Member, member_id).handle
        text = personal_text(self.settings.secret_key, handle, GENERAL, clock.now())
        return url_of(self.address, Purpose.PERSONAL, text)

    def count(self, model: type, *conditions: Any) -> int:
        """Return how many rows of a table stand in the database now."""
        with self.app.app_context(), reading() as session:
            query = select(func.count()).select_from(model).where(*conditions)
            return session.scalar(query) or 0
