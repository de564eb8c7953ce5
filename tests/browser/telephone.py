"""A telephone of its own: its profile outlives its battery, and its processor may be slow."""

import os
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from tests.browser.fake_camera import FakeCamera
from tests.browser.people import PATIENCE_MS
from tests.browser.phones import ARGUMENTS, CHROMIUM

START_SECONDS = 60


def slowed(page: Page, rate: int) -> None:
    """Make a page's processor so many times slower."""
    page.context.new_cdp_session(page).send("Emulation.setCPUThrottlingRate", {"rate": rate})


class Telephone:
    """A browser in a process of its own, whose battery may die; its profile stays."""

    def __init__(self, folder: Path, film: Path) -> None:
        self.folder, self.film = folder, film
        self.process: subprocess.Popen | None = None

    def start(self) -> str:
        """Switch it on, and return the address at which it is driven."""
        port_file = self.folder / "DevToolsActivePort"
        port_file.unlink(missing_ok=True)
        self.process = subprocess.Popen(
            [
                str(CHROMIUM),
                *ARGUMENTS,
                "--remote-debugging-port=0",
                "--lang=zh-CN",
                "--accept-lang=zh-CN",
                f"--use-file-for-fake-video-capture={self.film}",
                f"--user-data-dir={self.folder}",
                "about:blank",
            ],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        deadline = time.monotonic() + START_SECONDS
        while not port_file.exists() or not port_file.read_text().strip():
            assert time.monotonic() < deadline, "the browser did not start"
            time.sleep(0.1)
        return f"http://127.0.0.1:{port_file.read_text().splitlines()[0]}"

    def dies(self) -> None:
        """Take the battery out: nothing is closed, nothing is said goodbye to."""
        if self.process is None:
            return
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        self.process = None


@pytest.fixture
def telephone(tmp_path: Path, camera_film: FakeCamera) -> Iterator[Telephone]:
    """A telephone that is switched off at the end."""
    own = Telephone(tmp_path / "profile", camera_film.path)
    own.folder.mkdir()
    yield own
    own.dies()


@contextmanager
def page_on(telephone: Telephone, browser: Browser) -> Iterator[Page]:
    """Switch a telephone on and open a page; then the battery dies."""
    driven = browser.browser_type.connect_over_cdp(telephone.start())
    page = driven.contexts[0].new_page()
    page.set_default_timeout(PATIENCE_MS)
    yield page
    telephone.dies()
