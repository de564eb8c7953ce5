"""Chromium at the service: phones with a camera, and what must never happen on their pages."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from flask import Flask
from playwright.sync_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    Page,
    Request,
    expect,
    sync_playwright,
)

from tests.browser.fake_camera import FakeCamera
from tests.browser.people import PATIENCE_MS, People
from tests.shelf import shelf_folder

CHROMIUM = Path(os.environ.get("POINTSBANK_CHROMIUM", "/usr/bin/chromium"))
REQUIRED = os.environ.get("POINTSBANK_REQUIRE_BROWSER") == "1"

ARGUMENTS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--use-fake-device-for-media-stream",
    "--use-fake-ui-for-media-stream",
)
PHONE = {"width": 390, "height": 844}
OWN_SCHEMES = ("data:", "blob:", "about:")
# Chromium says this of each answer above 399; what a page makes of it is the test's matter.
REFUSED_ANSWER = "Failed to load resource"


class Watch:
    """Notes what must never happen: a script's error, a broken policy, a stranger asked."""

    def __init__(self, home: str) -> None:
        self.home = home
        self.faults: list[str] = []

    def over(self, context: BrowserContext) -> None:
        """Watch every page of a context, those opened later too."""
        context.on("weberror", lambda error: self.faults.append(f"script: {error.error}"))
        context.on("console", self._on_console)
        context.on("request", self._on_request)

    def _on_console(self, message: ConsoleMessage) -> None:
        if message.type == "error" and not message.text.startswith(REFUSED_ANSWER):
            self.faults.append(f"console: {message.text}")

    def _on_request(self, request: Request) -> None:
        if not request.url.startswith((f"{self.home}/", *OWN_SCHEMES)):
            self.faults.append(f"request to a stranger: {request.url}")


@pytest.fixture(scope="session")
def camera_film() -> FakeCamera:
    """The film before the camera of this process's browser."""
    return FakeCamera(shelf_folder() / f"camera-{os.getpid()}.y4m")


@pytest.fixture(scope="session")
def browser_process(camera_film: FakeCamera) -> Iterator[Browser]:
    """Chromium, started once for all tests of this process."""
    if not CHROMIUM.exists():
        reason = f"{CHROMIUM} is not there; POINTSBANK_CHROMIUM may name another."
        pytest.fail(reason) if REQUIRED else pytest.skip(reason)
    film = f"--use-file-for-fake-video-capture={camera_film.path}"
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(
            executable_path=CHROMIUM, headless=True, args=[*ARGUMENTS, film]
        )
        yield started
        started.close()


@pytest.fixture
def camera(camera_film: FakeCamera) -> FakeCamera:
    """What is held before the camera: `camera.show(text)` before a page opens it."""
    camera_film.show_nothing()
    return camera_film


@pytest.fixture
def open_page(browser_process: Browser, live_server: str) -> Iterator[Callable[..., Page]]:
    """Open a page for one more person, with cookies of their own; options as of a context.

    At the end of the test no page may have had a script's error, broken the content security
    policy or asked another host for anything.
    """
    watch, contexts = Watch(live_server), []

    def open_one(**options: object) -> Page:
        context = browser_process.new_context(
            **{
                "base_url": live_server,
                "viewport": PHONE,
                "locale": "zh-CN",
                "timezone_id": "Asia/Shanghai",
                "permissions": ["camera"],
                **options,
            }
        )
        context.set_default_timeout(PATIENCE_MS)
        watch.over(context)
        contexts.append(context)
        return context.new_page()

    yield open_one
    for context in contexts:
        context.close()
    assert not watch.faults, watch.faults


@pytest.fixture
def browser_page(open_page: Callable[..., Page]) -> Page:
    """A page on one person's phone, with the service as its base address."""
    return open_page()


@pytest.fixture
def people(app: Flask, live_server: str, open_page: Callable[..., Page]) -> People:
    """People of this test's service, and their phones."""
    expect.set_options(timeout=PATIENCE_MS)
    return People(app, live_server, open_page)
