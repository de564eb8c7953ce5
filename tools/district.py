"""A demonstration district for pictures, served from this process at a chosen hour."""

import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import time_machine
from flask import Flask
from flask_migrate import upgrade
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright
from sqlalchemy import Select, select
from sqlalchemy.orm import Session
from werkzeug.serving import WSGIRequestHandler, make_server

from pointsbank.app import create_app
from pointsbank.attendance.models import Attendance, ScanDifference
from pointsbank.commands.demonstrating import load, printed_people
from pointsbank.commands.demonstration.people import PASSWORD
from pointsbank.core import clock
from pointsbank.core.codes import Purpose, url_of
from pointsbank.core.db import reading, transaction
from pointsbank.core.keys import draw_number, draw_token
from pointsbank.core.settings import Settings
from pointsbank.members.codes import (
    GENERAL,
    REDEMPTION_NUMBER_DIGITS,
    personal_text,
    redemption_digits,
    redemption_text,
)
from pointsbank.members.models import Member, MemberRole
from pointsbank.members.showing import draw_redemption_code
from pointsbank.rewards.models import Reward
from pointsbank.tasks.models import GroupClaim, Series, Shift, Task

CHROMIUM = "/usr/bin/chromium"
ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--lang=zh-CN",
)
# An afternoon: at night the shift that is under way would look strange.
HOUR, MINUTE = 13, 52
ZONE = ZoneInfo("Asia/Shanghai")
WAIT_MS = 20_000
# Pages show the time of their own device beside the server's.
SHIFTED_CLOCK = """(() => {
  const Real = Date, ahead = %d;
  Date = class extends Real {
    constructor(...parts) { parts.length ? super(...parts) : super(Real.now() + ahead); }
    static now() { return Real.now() + ahead; }
  };
})()"""


@dataclass(frozen=True)
class District:
    """What pages are opened with: where it is served, who signs in, the rows addresses name.

    codes: what stands in addresses beside them. ahead_ms: how far its clock is ahead of the
    real one.
    """

    app: Flask
    address: str
    phones: dict[str, str]
    rows: dict[str, int]
    ahead_ms: int
    codes: dict[str, str] = field(default_factory=dict)

    def personal_code(self) -> str:
        """Return what stands on the volunteer's phone just now."""
        settings: Settings = self.app.extensions["settings"]
        with self.app.app_context(), reading() as session:
            handle = session.scalar(
                select(Member.handle).where(Member.id == self.rows["volunteer"])
            )
        assert handle is not None
        text = personal_text(settings.secret_key, handle, GENERAL, clock.now())
        return url_of(settings.public_url, Purpose.PERSONAL, text)

    def redemption_digits(self) -> str:
        """Return the 18 digits of a redemption code that the volunteer has just asked for."""
        return redemption_digits(self._redemption_number())

    def redemption_text(self) -> str:
        """Return the text in the picture of such a code."""
        settings: Settings = self.app.extensions["settings"]
        return redemption_text(settings.secret_key, self._redemption_number())

    def _redemption_number(self) -> str:
        settings: Settings = self.app.extensions["settings"]
        number = draw_number(REDEMPTION_NUMBER_DIGITS)
        with self.app.app_context(), transaction() as session:
            draw_redemption_code(
                session,
                member_id=self.rows["volunteer"],
                number=number,
                secret=settings.secret_key,
                now=clock.now(),
            )
        return number


class Quiet(WSGIRequestHandler):
    """Serves without a line for each request."""

    def log(self, *_: Any) -> None:
        """Say nothing."""


@contextmanager
def the_district() -> Iterator[District]:
    """Load the demonstration and serve it, as if it were early afternoon today."""
    real = datetime.now(ZONE)
    moment = real.replace(hour=HOUR, minute=MINUTE, second=0, microsecond=0)
    with tempfile.TemporaryDirectory() as folder, time_machine.travel(moment, tick=True):
        settings = Settings(
            database_url=f"sqlite:///{Path(folder) / 'pictures.db'}",
            secret_key=draw_token(),
            environment="development",
            public_url="http://127.0.0.1",
            log_level="ERROR",
            argon2_cheap=True,
        )
        app = create_app(settings)
        with app.app_context():
            upgrade()
            load(settings, clock.now())
            people = printed_people()
            phones = {role: phone for role, (_name, phone) in people.items()}
            with reading() as session:
                rows = rows_of(session, phones)
        server = make_server("127.0.0.1", 0, app, threaded=True, request_handler=Quiet)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        address = f"http://127.0.0.1:{server.server_port}"
        yield District(app, address, phones, rows, int((moment - real).total_seconds() * 1000))
        server.shutdown()


def rows_of(session: Session, phones: dict[str, str]) -> dict[str, int]:
    """Find the rows that addresses name."""

    def first(query: Select[tuple[int]]) -> int:
        found = session.scalar(query.limit(1))
        assert found is not None, query
        return found

    now = clock.now()
    volunteer = first(select(Member.id).where(Member.phone == phones["volunteer"]))
    merchant = first(
        select(MemberRole.merchant_id)
        .join(Member, Member.id == MemberRole.member_id)
        .where(Member.phone == phones["clerk"], MemberRole.role == "clerk")
    )
    shift = first(select(Shift.id).where(Shift.starts_at < now, Shift.ends_at > now))
    organizer = first(select(Member.id).where(Member.phone == phones["organizer"]))
    own_tasks = select(Task.id).where(Task.organizer_id == organizer)
    return {
        "volunteer": volunteer,
        "merchant": merchant,
        "shift": shift,
        "task": first(select(Shift.task_id).where(Shift.id == shift)),
        "settled_shift": first(
            select(Attendance.shift_id)
            .join(Shift, Shift.id == Attendance.shift_id)
            .where(Attendance.settled_at.is_not(None), Shift.task_id.in_(own_tasks))
            .order_by(Attendance.id.desc())
        ),
        "coming_task": first(
            select(Task.id)
            .join(Shift, Shift.task_id == Task.id)
            .where(Task.state == "open", Shift.starts_at > now, Shift.claimed < Shift.places)
            .where(Task.id.in_(own_tasks))
            .order_by(Shift.starts_at)
        ),
        "differing_shift": first(select(ScanDifference.shift_id)),
        "doubtful": first(select(Attendance.id).where(Attendance.review_state == "waiting")),
        "series": first(select(Series.id).order_by(Series.id)),
        "group": first(select(GroupClaim.id).order_by(GroupClaim.id)),
        "coming_shift": first(
            select(Shift.id).where(Shift.starts_at > now, Shift.task_id.in_(own_tasks))
        ),
        "draft": first(own_tasks.where(Task.state == "draft")),
        "reward": first(
            select(Reward.id).where(Reward.merchant_id == merchant).order_by(Reward.points)
        ),
    }


class People:
    """Opens pages of the district as somebody, in browsers that each have their own cookies."""

    def __init__(self, browser: Browser, district: District) -> None:
        self.browser = browser
        self.district = district
        self._signed_in: dict[str, Any] = {}

    @contextmanager
    def page_of(self, role: str, **options: Any) -> Iterator[Page]:
        """Open a browser of somebody who is signed in; "" is a stranger."""
        context = self._context(storage_state=self._state_of(role), **options)
        yield context.new_page()
        context.close()

    def _context(self, **options: Any) -> BrowserContext:
        context = self.browser.new_context(
            base_url=self.district.address,
            locale="zh-CN",
            timezone_id="Asia/Shanghai",
            reduced_motion="reduce",
            **options,
        )
        context.set_default_timeout(WAIT_MS)
        context.add_init_script(SHIFTED_CLOCK % self.district.ahead_ms)
        return context

    def _state_of(self, role: str) -> Any:
        if not role:
            return None
        if role not in self._signed_in:
            context = self._context()
            page = context.new_page()
            page.goto("/sign-in")
            page.locator("input[name=phone]").fill(self.district.phones[role])
            page.locator("input[name=password]").fill(PASSWORD)
            page.locator("main form button[type=submit]").click()
            page.wait_for_url(lambda url: "/sign-in" not in url)
            self._signed_in[role] = context.storage_state()
            context.close()
        return self._signed_in[role]


@contextmanager
def photographers() -> Iterator[People]:
    """Yield people with browsers, in a district of their own."""
    with the_district() as district, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=list(ARGUMENTS))
        yield People(browser, district)
        browser.close()
