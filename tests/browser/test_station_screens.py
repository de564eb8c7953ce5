"""Each verdict has its screen: sign, word and colour, a name, one large act, on any phone.

With POINTSBANK_SHOTS=folder a picture of each screen is left there, to be looked at.
"""

import json
import os
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from playwright.sync_api import Page, Route, expect

from pointsbank.attendance.recording import Verdict
from pointsbank.attendance.schemas import verdict_out
from pointsbank.core import clock
from tests.browser.people import People
from tests.browser.stations import Station, shift_code

MINUTE = timedelta(minutes=1)
VECTORS = json.loads((Path(__file__).parents[1] / "vectors" / "judge.json").read_text())
SHOTS = os.environ.get("POINTSBANK_SHOTS")
PHONES = {"large": {"width": 390, "height": 844}, "small": {"width": 360, "height": 640}}
if SHOTS:
    PHONES |= {"tiny": {"width": 320, "height": 640}, "desk": {"width": 1280, "height": 800}}
# Reasons after which nobody is told whom or what was scanned.
NAMELESS = ("bad_code", "bad_signature", "wrong_purpose", "not_member", "no_permission")
FAMILIES = {"ok": "ok", "confirm": "warn", "refuse": "no"}
LOOKED_AT_AGAIN = ("code_expired",)
VERDICT_PIXELS, NAME_PIXELS, ACT_PIXELS = 50, 40, 60
# Five characters of a title still stand beside each other on the narrowest phone.
VERDICT_PIXELS_TINY = 48


def told_verdicts() -> dict[str, dict[str, Any]]:
    """Return what the evaluator can say, by a name for each screen."""
    found: dict[str, dict[str, Any]] = {}
    for vector in VECTORS["cases"]:
        expected = vector["expect"]
        name = f"{expected['reason']}-{expected['result']}"
        if expected.get("may_confirm"):
            found[name] = expected
        found.setdefault(name, expected)
    return found


def facts_of(expected: dict[str, Any]) -> dict[str, Any]:
    """Return a verdict as the server keeps it, with people and times filled in."""
    now = clock.now()
    reason, at = expected["reason"], now.isoformat()
    shift = {
        "id": 1,
        "title": "河道清洁",
        "place_name": "东门桥头",
        "starts_at": (now - 60 * MINUTE).isoformat(),
        "ends_at": (now - 40 * MINUTE).isoformat(),
    }
    is_open = reason not in NAMELESS
    is_ok = reason in ("ok_in", "ok_out")
    return {
        "result": expected["result"],
        "reason": reason,
        "direction": expected["direction"],
        "code_kind": "redemption" if reason == "wrong_purpose" else "personal",
        "may_confirm": expected.get("may_confirm", False),
        "needs_reason": expected.get("needs_note", False),
        "person": {"display_name": "欧*民"} if is_open else None,
        "shift": shift if is_open else None,
        "counts": {"places": 25, "claimed": 22, "arrived": 18, "present": 16, "waiting": 2}
        if is_open
        else None,
        "first": {"at": at, "by": "李*", "gate": None},
        "elsewhere": {"title": "社区图书角值守", "starts_at": at},
        "position": 2 if reason in ("full", "waitlisted") else None,
        "minutes": 150,
        "points_preview": {"points": 25, "service_minutes": 150},
        "flags": [],
        "missing": [],
        "occurrence": 1,
        "undo_until": (now + MINUTE).isoformat() if is_ok else None,
        "opens_at": at,
        "at": at,
        "server_time": at,
    }


def answered(app: Flask, expected: dict[str, Any]) -> str:
    """Return the JSON that a station gets for such a verdict, in Chinese."""
    with app.test_request_context("/"):
        return json.dumps(verdict_out(Verdict(7, facts_of(expected))))


def look_at(station: Station, name: str, family: str) -> None:
    """Measure the screen that shows, and take its picture where it was asked for."""
    page, panel = station.page, station.panel
    classes = (panel.get_attribute("class") or "").split()
    assert family in classes, (name, classes)
    if SHOTS:
        size = page.viewport_size or {}
        Path(SHOTS).mkdir(parents=True, exist_ok=True)
        page.screenshot(path=f"{SHOTS}/{name}-{size['width']}.png")
    measured = panel.evaluate(MEASURE)
    assert measured["sideways"] == 0, (name, "scrolls sideways")
    is_tiny = page.viewport_size == PHONES.get("tiny")
    least = VERDICT_PIXELS_TINY if is_tiny else VERDICT_PIXELS
    assert measured["title"] >= least, (name, measured)
    assert measured["name"] in (0, NAME_PIXELS), (name, measured)
    assert measured["acts"], name
    assert min(measured["acts"]) >= ACT_PIXELS, (name, measured)
    assert measured["act_bottom"] <= measured["height"], (name, "the act is below the edge")
    assert measured["glyph"], name


MEASURE = """(panel) => {
    const size = (node) => parseFloat(getComputedStyle(node).fontSize);
    const name = panel.querySelector("[data-slot=name]");
    const acts = [...panel.querySelectorAll("[data-slot=acts] .btn")];
    return {
        sideways: panel.scrollWidth - panel.clientWidth,
        title: size(panel.querySelector("h1")),
        name: name.hidden ? 0 : size(name),
        acts: acts.map((act) => act.getBoundingClientRect().height),
        act_bottom: acts.length ? acts[0].getBoundingClientRect().bottom : 0,
        height: innerHeight,
        glyph: panel.querySelector(".glyph use")?.getAttribute("href"),
    };
}"""


@pytest.mark.engine("sqlite")
@pytest.mark.parametrize("phone", PHONES)
def test_each_verdict_of_the_server_has_its_screen(
    app: Flask, people: People, phone: str
) -> None:
    organizer, volunteer = people.join("李敏", "organizer"), people.join("王桂兰")
    shift_id = people.shift(organizer, -20 * MINUTE, 100 * MINUTE, volunteer)
    page = people.page_of(organizer, viewport=PHONES[phone], service_workers="block")
    station = Station(page, shift_id).open().holds_verdicts()
    answer = {"body": ""}
    page.route(
        "**/api/v1/scans",
        lambda route: route.fulfill(content_type="application/json", body=answer["body"]),
    )
    verdicts = told_verdicts()
    assert len({expected["reason"] for expected in verdicts.values()}) >= 25
    for name, expected in verdicts.items():
        answer["body"] = answered(app, expected)
        title = json.loads(answer["body"])["title"]
        assert station.type("V00000001") == title
        family = FAMILIES[expected["result"]]
        if expected["reason"] in LOOKED_AT_AGAIN:
            family = "warn"
        look_at(station, name, family)
        expect(station.panel.get_by_role("alert")).to_have_attribute("aria-live", "assertive")
        expect(station.waiting).to_have_text("0")  # who waits for a place is another number
        station.back()


def offline_screens(people: People, shift_id: int, ids: dict[str, int]) -> dict[str, str]:
    """Return what a station without a network is shown, by the name of its screen."""
    return {
        "offline-ok_in": shift_code(people, ids["listed"], shift_id),
        "offline-not_on_list": "V99999999",
        "offline-general_code": people.personal_code(ids["other"]),
        "offline-bad_code": "https://example.org/parcel/12345",
    }


@pytest.mark.engine("sqlite")
@pytest.mark.parametrize("phone", PHONES)
def test_each_verdict_of_the_device_has_its_screen(people: People, phone: str) -> None:
    organizer = people.join("李敏", "organizer")
    ids = {"listed": people.join("欧阳建国"), "other": people.join("王桂兰")}
    shift_id = people.shift(organizer, -20 * MINUTE, 100 * MINUTE, *ids.values())
    page = people.page_of(organizer, viewport=PHONES[phone], service_workers="block")
    station = Station(page, shift_id).open().holds_verdicts()
    expect(page.locator("[data-list-words]")).to_contain_text("已备好")
    page.context.set_offline(True)
    families = {"offline-ok_in": "kept", "offline-bad_code": "no"}
    for name, code in offline_screens(people, shift_id, ids).items():
        station.type(code)
        look_at(station, name, families.get(name, "warn"))
        station.back()
    if SHOTS:
        page.screenshot(
            path=f"{SHOTS}/offline-page-{PHONES[phone]['width']}.png", full_page=True
        )


def refuse_snapshot(route: Route) -> None:
    """Answer as a server that has no list to give."""
    route.abort()


@pytest.mark.engine("sqlite")
@pytest.mark.parametrize("phone", PHONES)
def test_without_a_list_the_device_keeps_and_says_that_it_judged_nothing(
    people: People, phone: str
) -> None:
    organizer, volunteer = people.join("李敏", "organizer"), people.join("王桂兰")
    shift_id = people.shift(organizer, -20 * MINUTE, 100 * MINUTE, volunteer)
    page: Page = people.page_of(organizer, viewport=PHONES[phone], service_workers="block")
    page.route("**/api/v1/shifts/*/station", refuse_snapshot)
    station = Station(page, shift_id).open()
    expect(page.locator("[data-list-words]")).to_contain_text("还没下载")
    page.context.set_offline(True)
    assert station.type(people.number_of(volunteer)) == "已记下，还没判断"
    look_at(station, "offline-server_busy", "wait")
    expect(station.waiting).to_have_text("1")
