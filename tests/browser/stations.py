"""The organizer's station as tests use it: opened, scanned at, and read."""

import re
from dataclasses import dataclass
from typing import Any

from playwright.sync_api import Locator, Page, expect

from pointsbank.core import clock
from pointsbank.core.codes import Purpose, url_of
from pointsbank.core.db import reading
from pointsbank.members.codes import personal_text
from pointsbank.members.models import Member
from pointsbank.tasks.models import Shift
from tests.browser.people import People

NOTHING_WAITS = "0"
# What waits goes out by itself: after doubling pauses of up to 75 seconds, on two busy cores.
UPLOAD_MS = 120_000


@dataclass
class Station:
    """One device's station."""

    page: Page
    shift_id: int
    address: str = ""

    @property
    def panel(self) -> Locator:
        """The verdict that covers the screen."""
        return self.page.locator("#verdict")

    @property
    def waiting(self) -> Locator:
        """The count of scans that wait for upload."""
        return self.page.locator("[data-scanning] [data-count=waiting]").first

    def open(self, direction: str = "in") -> "Station":
        """Open the page and wait until its script runs."""
        self.page.goto(f"{self.address}/shifts/{self.shift_id}/station?direction={direction}")
        return self.is_ready()

    def is_ready(self) -> "Station":
        """Wait until the script runs."""
        expect(self.panel).to_have_attribute("data-ready", "yes")
        return self

    def has_list(self) -> "Station":
        """Wait until the list is on board and the page's files are kept."""
        expect(self.page.locator("[data-list-words]")).to_contain_text("名单")
        expect(self.page.locator("[data-list-words]")).to_contain_text("已备好")
        assert self.page.evaluate(KEEPS_SHELL)
        return self

    def holds_verdicts(self) -> "Station":
        """Let a finger rest on each verdict, until the page is loaded anew: a good one would
        close by itself before a slow machine has looked at it."""
        self.panel.evaluate(REST_A_FINGER)
        return self

    def type(self, text: str) -> str:
        """Type a number or a code, and return the big word of the verdict."""
        # Without a network the last verdict's word stands there until this one is judged.
        self.panel.locator("[data-slot=title]").evaluate("(title) => title.replaceChildren()")
        self.page.locator("#typed-code").fill(text)
        self.page.get_by_role("button", name="记上").click()
        return self.verdict()

    def verdict(self) -> str:
        """Return the big word of the verdict, once it has come."""
        title = self.panel.locator("[data-slot=title]")
        expect(title).not_to_have_text(re.compile("^(正在发送)?$"))
        return title.inner_text()

    def back(self) -> None:
        """Close the verdict, unless it closed by itself."""
        self.panel.evaluate(PRESS_BACK)
        expect(self.panel).to_be_hidden()

    def hurry(self) -> None:
        """Press the button for uploading, which may be gone because nothing waits any more."""
        self.page.locator("[data-upload-now]").evaluate("(button) => button.click()")

    def uploaded(self) -> None:
        """Wait until nothing waits for upload any more."""
        expect(self.waiting).to_have_text(NOTHING_WAITS, timeout=UPLOAD_MS)

    def kept(self, store: str) -> list[Any]:
        """Return what stands in one of the device's stores."""
        return self.page.evaluate(READ_STORE, store)


REST_A_FINGER = """(panel) => {
    new MutationObserver(() => { panel.dispatchEvent(new Event("pointerdown")); })
        .observe(panel, { attributes: true, childList: true, subtree: true });
}"""
# The way back is the last of a verdict's buttons.
PRESS_BACK = """(panel) => {
    if (!panel.hidden) [...panel.querySelectorAll("[data-slot=acts] .btn")].at(-1).click();
}"""
# Wait up to a minute until the worker keeps the page.
KEEPS_SHELL = """async () => {
    await navigator.serviceWorker.ready;
    for (let tries = 0; tries < 240; tries += 1) {
        for (const name of await caches.keys()) {
            if (await (await caches.open(name)).match("/shifts/station-shell")) return true;
        }
        await new Promise((done) => { setTimeout(done, 250); });
    }
    return false;
}"""
READ_STORE = """(name) => new Promise((done, failed) => {
    const request = indexedDB.open("pointsbank-station");
    request.onerror = () => failed(request.error);
    request.onsuccess = () => {
        const all = request.result.transaction(name).objectStore(name).getAll();
        all.onsuccess = () => { request.result.close(); done(all.result); };
    };
})"""


def shift_code(people: People, member_id: int, shift_id: int) -> str:
    """Return the address in the code for one shift that stands on a person's phone now."""
    with people.app.app_context(), reading() as session:
        handle = session.get_one(Member, member_id).handle
        shift_handle = session.get_one(Shift, shift_id).handle
    text = personal_text(people.settings.secret_key, handle, shift_handle, clock.now())
    return url_of(people.address, Purpose.PERSONAL, text)
