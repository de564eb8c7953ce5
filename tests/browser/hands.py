"""Hands at a counter: each tap, digit and scan counted, each screen measured on the way."""

import json
import os
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from playwright.sync_api import Locator, Page, expect

from pointsbank.core.settings import ROOT
from tests.browser.scanner_gun import pull_trigger

# What a hand needs beside the machine's time, after S. K. Card, T. P. Moran and A. Newell, "The
# keystroke-level model for user performance time with interactive systems" (1980): to point at
# a target, and to press a key of a row of digits that says nothing.
POINT_SECONDS = 1.1
DIGIT_SECONDS = 0.5
# Thinking, talking and handing over the goods are in neither.

SHOTS = os.environ.get("POINTSBANK_SHOTS")
CHECK = (ROOT / "tools" / "look.js").read_text()
# A target is in sight when a finger that taps its middle meets it, or what labels it.
IN_SIGHT = """async (target) => {
    const at = () => JSON.stringify(target.getBoundingClientRect());
    const frame = () => new Promise((done) => { requestAnimationFrame(done); });
    for (let before = ""; before !== at();) {
        before = at();
        await frame();
        await frame();
    }
    const box = target.getBoundingClientRect();
    const met = document.elementFromPoint(box.x + box.width / 2, box.y + box.height / 2);
    return Boolean(met) && (target.contains(met) || met.contains(target));
}"""


@dataclass
class Tally:
    """One deal as it is measured, from the first act at the counter to what the clerk sees."""

    taps: Counter[str] = field(default_factory=Counter)
    swipes: list[str] = field(default_factory=list)
    digits: int = 0
    scans: int = 0
    began_at: float = 0
    aside: float = 0
    machine: float = 0
    faults: list[str] = field(default_factory=list)

    def turn(self) -> None:
        """Let the deal begin: what the member did before, they did while others were served."""
        self.taps["before"], self.taps["member"] = self.taps["member"], 0
        self.began_at, self.aside = time.monotonic(), 0

    def done(self) -> None:
        """Let the deal be over: the clerk sees how it ended."""
        self.machine = time.monotonic() - self.began_at - self.aside

    @property
    def hands(self) -> float:
        """The seconds that these acts take people."""
        points = self.taps["clerk"] + self.taps["member"] + self.scans + len(self.swipes)
        return points * POINT_SECONDS + self.digits * DIGIT_SECONDS


@dataclass
class Hand:
    """Somebody with a page before them: "clerk" or "member"."""

    tally: Tally
    who: str
    page: Page

    def tap(self, target: Locator) -> None:
        """Tap, with a swipe before it when the target is not in sight."""
        target.wait_for()
        if not target.evaluate(IN_SIGHT):
            self.tally.swipes.append(f"{self.who}: {target}")
        self.tally.taps[self.who] += 1
        target.tap()

    def type(self, target: Locator, digits: str) -> None:
        """Type into what has the focus, so that no tap is forgotten."""
        expect(target).to_be_focused()
        self.tally.digits += sum(each.isdigit() for each in digits)
        # Without pauses this would look like a scanner gun.
        self.page.keyboard.insert_text(digits)

    def scan(self, address: str) -> None:
        """Hold the system's camera at a code, and tap the notice that it shows."""
        self.tally.scans += 1
        self.tally.taps[self.who] += 1
        self.page.goto(address)

    def shoot(self, text: str) -> None:
        """Pull a hand scanner's trigger at a code: it types what it reads, and Enter."""
        self.tally.scans += 1
        pull_trigger(self.page, text)

    def hold_still(self) -> None:
        """Hold a code before the page's own camera, which is open."""
        self.tally.scans += 1

    def see(self, name: str) -> None:
        """Measure this screen, and leave its picture where asked for; no time is counted."""
        began_at = time.monotonic()
        found = self.page.evaluate(CHECK, "zh")
        self.tally.faults += [f"{name}: {one}" for one in found]
        if SHOTS:
            folder = Path(SHOTS) / "counter"
            folder.mkdir(parents=True, exist_ok=True)
            self.page.screenshot(path=folder / f"{name}.png")
        self.tally.aside += time.monotonic() - began_at


def demand_no_faults(tally: Tally) -> None:
    """See that every screen fitted: nothing too small to hit or read, no sideways scrolling."""
    assert tally.faults == [], json.dumps(tally.faults, ensure_ascii=False, indent=1)
