"""Each verdict on the page of its own that a volunteer sees: fits, reads, and leads on.

With POINTSBANK_SHOTS=folder a picture of each is left there, in every view, to be looked at.
"""

import json
from pathlib import Path
from typing import Any

import pytest
from flask import Flask, render_template
from playwright.sync_api import Page

from pointsbank.attendance.recording import Verdict
from pointsbank.attendance.schemas import verdict_out
from pointsbank.attendance.words import result_words
from pointsbank.core.settings import ROOT
from tests.browser.people import DESK, People
from tests.browser.test_station_screens import SHOTS, facts_of, told_verdicts

CHECK = (ROOT / "tools" / "look.js").read_text()
LONG_TITLE = "地下活动室邻里联欢暨防范电信网络诈骗宣传"
# Who stands there reads and presses at once: without scrolling, also on a small old phone.
VIEWS: dict[str, dict[str, Any]] = {
    "360": {"viewport": {"width": 360, "height": 640}},
    "320-elder-xl": {"viewport": {"width": 320, "height": 640}},
    "320": {"viewport": {"width": 320, "height": 640}},
    "390": {"viewport": {"width": 390, "height": 844}},
    "390-dark": {"viewport": {"width": 390, "height": 844}, "color_scheme": "dark"},
    "390-elder": {"viewport": {"width": 390, "height": 844}},
    "390-en": {"viewport": {"width": 390, "height": 844}},
    "1280": {"viewport": DESK},
}
COOKIES = {
    "390-en": "pointsbank_locale=en",
    "390-elder": "pointsbank_display=elder",
    "320-elder-xl": "pointsbank_display=elder-xl",
}
MEASURED = ("360", "320-elder-xl")


def pages(app: Flask, view: str) -> dict[str, str]:
    """Return what a volunteer is answered for each verdict, as the page of one verdict."""
    headers = {"Cookie": COOKIES[view]} if view in COOKIES else {}
    made = {}
    for name, expected in told_verdicts().items():
        facts = facts_of(expected)
        if facts["shift"]:
            facts["shift"]["title"] = LONG_TITLE
        facts["elsewhere"]["title"] = LONG_TITLE
        with app.test_request_context("/", headers=headers):
            shown = verdict_out(Verdict(7, facts))
            home = "To the home page" if view.endswith("-en") else "回首页"
            acts = [{"label": home, "href": "/"}]
            if shown["action"] and shown["may_confirm"]:
                acts.insert(0, {"label": shown["action"], "action": "/scan", "fields": {}})
            made[name] = render_template(
                "attendance/result.html", **result_words(shown, acts=acts)
            )
    return made


def acts_in_sight(page: Page) -> bool:
    """Tell whether the first act stands on the screen without scrolling."""
    box = page.locator(".verdict .acts .btn").first.bounding_box()
    assert box is not None
    assert page.viewport_size is not None
    return box["y"] + box["height"] <= page.viewport_size["height"]


@pytest.mark.engine("sqlite")
@pytest.mark.parametrize("view", VIEWS if SHOTS else MEASURED)
def test_each_verdict_has_a_page_for_the_volunteer(
    app: Flask, people: People, view: str
) -> None:
    made = pages(app, view)
    page = people.stranger(**VIEWS[view])
    page.route(
        "**/look/*",
        lambda route: route.fulfill(
            content_type="text/html", body=made[route.request.url.rsplit("/", 1)[1]]
        ),
    )
    assert len(made) >= 25
    faults = {}
    for name in made:
        page.goto(f"/look/{name}")
        found = page.evaluate(CHECK, "en" if view.endswith("-en") else "zh")
        if not acts_in_sight(page) and "xl" not in view:
            found.append("the act is below the edge")
        if SHOTS:
            folder = Path(SHOTS) / "result"
            folder.mkdir(parents=True, exist_ok=True)
            page.screenshot(path=folder / f"{name}-{view}.png", full_page=True)
        if found:
            faults[name] = found
    assert faults == {}, json.dumps(faults, ensure_ascii=False, indent=1)
