"""What phones and screens compute by themselves: the same as Python, and without a network."""

import json
import re
from datetime import timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from pointsbank.attendance.codes import digits_slot_at, venue_digits
from pointsbank.attendance.models import Attendance
from pointsbank.core import clock
from pointsbank.core.db import reading
from pointsbank.tasks.models import Shift
from tests.browser.people import DESK, People, code_in, until

MINUTE = timedelta(minutes=1)
VECTORS = json.loads((Path(__file__).parents[1] / "vectors" / "codes.json").read_text())
SIDE_LEAST = 240

ALL_CODES = """async (vectors) => {
    const { personalCode, signingKey } = await import("/static/js/personalcode.js");
    const { venueDigits } = await import("/static/js/venuedigits.js");
    const personal = vectors.personal.map(async (one) => personalCode(
        { ...one, shiftHandle: one.shift_handle, key: await signingKey(one.key) }, one.step));
    const digits = vectors.digits.map((one) => venueDigits(one.key, one.slot));
    return [await Promise.all(personal), await Promise.all(digits)];
}"""


@pytest.mark.engine("sqlite")
def test_scripts_make_the_codes_that_python_makes(people: People) -> None:
    page = people.stranger()
    page.goto("/sign-in")
    personal, digits = page.evaluate(ALL_CODES, VECTORS)
    assert personal == [vector["code"] for vector in VECTORS["personal"]]
    assert digits == [vector["digits"] for vector in VECTORS["digits"]]


@pytest.mark.engine("sqlite")
def test_my_code_goes_on_in_a_cellar(people: People) -> None:
    organizer, volunteer = people.join("李敏", "organizer"), people.join("王桂兰")
    shift_id = people.shift(organizer, -20 * MINUTE, 100 * MINUTE, volunteer)
    station = people.page_of(organizer)
    station.goto("/")
    phone = people.page_of(volunteer)
    phone.goto("/my-code")
    box = phone.locator("[data-qr]")
    expect(phone.locator("[data-clock-wrong]")).to_be_hidden()
    assert phone.locator("[data-codes]").count() == 0, "the key leaves the page once it is read"
    path = box.locator("path").first.get_attribute("d")
    phone.context.set_offline(True)
    expect(box.locator("path").first).not_to_have_attribute("d", path or "", timeout=60_000)
    expect(phone.locator("[data-code-problem]")).to_be_hidden()
    address = code_in(box, reader=station)
    station.goto(address)
    station.get_by_role("button", name="在这里签到").click()
    expect(station.get_by_role("heading", name="签到成功")).to_be_visible()
    assert people.count(Attendance, Attendance.shift_id == shift_id) == 1


KEPT_CODES = """() => new Promise((done, failed) => {
    const request = indexedDB.open("pointsbank-own-codes", 1);
    request.onerror = () => failed(request.error);
    request.onsuccess = () => {
        if (!request.result.objectStoreNames.contains("codes")) {
            done([]);
            return;
        }
        const all = request.result.transaction("codes").objectStore("codes").getAll();
        all.onsuccess = () => done(all.result.map(
            ({ id, key }) => ({ id, canBeRead: key.extractable, usages: key.usages })));
        all.onerror = () => failed(all.error);
    };
})"""
# Wait up to a minute until the worker keeps the page, and is at work.
KEEPS_SHELL = """async () => {
    await navigator.serviceWorker.ready;
    for (let tries = 0; tries < 240; tries += 1) {
        for (const name of await caches.keys()) {
            const cache = await caches.open(name);
            if (await cache.match("/my-code-shell")) return true;
        }
        await new Promise((done) => { setTimeout(done, 250); });
    }
    return false;
}"""


def a_phone_that_keeps_codes(people: People, member_id: int, *shifts: int) -> Page:
    phone = people.page_of(member_id)
    phone.goto("/my-code")
    assert phone.evaluate(KEEPS_SHELL)
    kept = [{"id": each, "canBeRead": False, "usages": ["sign"]} for each in shifts]
    assert phone.evaluate(KEPT_CODES) == kept
    return phone


@pytest.mark.engine("sqlite")
def test_my_code_survives_a_reload_without_network_until_its_person_signs_out(
    people: People,
) -> None:
    organizer, volunteer = people.join("李敏", "organizer"), people.join("王桂兰")
    soon = people.shift(organizer, -20 * MINUTE, 100 * MINUTE, volunteer)
    later = people.shift(organizer, 60 * MINUTE, 120 * MINUTE, volunteer)
    station = people.page_of(organizer)
    station.goto("/")
    phone = a_phone_that_keeps_codes(people, volunteer, soon, later)

    phone.context.set_offline(True)
    phone.reload()
    box = phone.locator("[data-qr]")
    expect(box.locator("path").first).to_have_attribute("d", re.compile("^M"))
    expect(phone.get_by_text("王*兰")).to_be_visible()
    expect(phone.get_by_text(people.number_of(volunteer))).to_be_visible()
    expect(phone.locator("[data-slot=where]")).to_contain_text("起可签到")
    station.goto(code_in(box, reader=station))
    station.get_by_role("button", name="在这里签到").click()
    expect(station.get_by_role("heading", name="签到成功")).to_be_visible()
    assert people.count(Attendance, Attendance.shift_id == soon) == 1
    # The code of the next shift is one tap away, still without a network.
    first = box.locator("path").first.get_attribute("d") or ""
    phone.locator("[data-slot=others] a").click()
    expect(phone).to_have_url(re.compile(f"shift={later}$"))
    expect(box.locator("path").first).not_to_have_attribute("d", first)

    phone.context.set_offline(False)
    # From a page that is not at keeping all of it anew in this moment.
    phone.goto("/")
    phone.get_by_role("button", name="退出登录").click()
    expect(phone).to_have_url(re.compile("/sign-in"))
    assert phone.evaluate(KEPT_CODES) == []
    assert phone.evaluate("caches.keys()") == []
    assert phone.evaluate("localStorage.length") == 0


@pytest.mark.engine("sqlite")
def test_the_keys_go_when_the_service_asks_who_is_there(people: People) -> None:
    organizer, volunteer = people.join("李敏", "organizer"), people.join("王桂兰")
    shift_id = people.shift(organizer, -20 * MINUTE, 100 * MINUTE, volunteer)
    phone = a_phone_that_keeps_codes(people, volunteer, shift_id)
    phone.context.clear_cookies()
    phone.goto("/my-code")
    expect(phone).to_have_url(re.compile("/sign-in"))
    until(lambda: phone.evaluate("localStorage.length") == 0, phone)
    assert phone.evaluate(KEPT_CODES) == []


@pytest.mark.engine("sqlite")
def test_the_kept_page_says_plainly_that_nothing_is_kept(people: People) -> None:
    phone = people.stranger()
    phone.goto("/my-code-shell")
    expect(phone.get_by_text("这部手机里没有存码")).to_be_visible()
    expect(phone.locator("[data-code-card]")).to_be_hidden()


@pytest.mark.engine("sqlite")
@pytest.mark.parametrize(("seconds", "is_told"), [(85, False), (-600, True), (600, True)])
def test_a_wrong_clock_is_told_and_the_code_is_right_all_the_same(
    people: People, seconds: int, is_told: bool
) -> None:
    organizer, volunteer = people.join("李敏", "organizer"), people.join("王桂兰")
    people.shift(organizer, -20 * MINUTE, 100 * MINUTE, volunteer)
    phone = people.page_of(volunteer)
    real = "Date.now.bind(Date)"
    phone.add_init_script(
        f"(() => {{ const real = {real}; Date.now = () => real() + {seconds * 1000}; }})()"
    )
    phone.goto("/my-code")
    warning = phone.locator("[data-clock-wrong]")
    expect(warning).to_be_visible() if is_told else expect(warning).to_be_hidden()
    box = phone.locator("[data-qr]")
    path = box.locator("path").first.get_attribute("d")
    expect(box.locator("path").first).not_to_have_attribute("d", path or "", timeout=60_000)
    lead = people.page_of(organizer)
    lead.goto(code_in(box))
    lead.get_by_role("button", name="在这里签到").click()
    expect(lead.get_by_role("heading", name="签到成功")).to_be_visible()


@pytest.mark.engine("sqlite")
def test_the_venue_screen_is_large_tells_digits_and_what_it_cannot_do(people: People) -> None:
    organizer, volunteer = people.join("李敏", "organizer"), people.join("王桂兰")
    shift_id = people.shift(organizer, -20 * MINUTE, 100 * MINUTE, volunteer)
    for size in (DESK, {"width": 390, "height": 844}, {"width": 320, "height": 568}):
        screen = people.page_of(organizer, viewport=size)
        screen.add_init_script(
            "Object.defineProperty(navigator, 'wakeLock', {value: undefined});"
        )
        screen.goto(f"/shifts/{shift_id}/venue")
        box = screen.locator("[data-qr]").bounding_box()
        assert box is not None
        assert min(box["width"], box["height"]) >= SIDE_LEAST
        expect(screen.locator("[data-venue-wake]")).to_be_visible()
        wide = screen.evaluate("document.documentElement.scrollWidth - innerWidth")
        assert wide <= 0
    with people.app.app_context(), reading() as session:
        handle = session.get_one(Shift, shift_id).handle
    shown = screen.locator("[data-venue-digits]").inner_text()
    # Read after the screen: it may show the digits before these, and never those after.
    secret, slot = people.settings.secret_key, digits_slot_at(clock.now())
    good = [venue_digits(secret, handle, slot - back) for back in (0, 1)]
    assert shown in good
    # Five minutes later, without a network, the page has made the next ones.
    screen.context.set_offline(True)
    screen.evaluate("const real = Date.now.bind(Date); Date.now = () => real() + 300_000;")
    later = re.compile(venue_digits(secret, handle, slot + 1))
    later_still = venue_digits(secret, handle, slot + 2)
    expect(screen.locator("[data-venue-digits]")).to_have_text(
        re.compile(f"{later.pattern}|{later_still}")
    )


@pytest.mark.engine("sqlite")
def test_a_poster_checks_in_with_the_screens_digits(people: People) -> None:
    organizer, volunteer = people.join("李敏", "organizer"), people.join("王桂兰")
    shift_id = people.shift(organizer, -20 * MINUTE, 100 * MINUTE, volunteer)
    screen = people.page_of(organizer, viewport=DESK)
    screen.goto(f"/shifts/{shift_id}/venue")
    address = f"/api/v1/shifts/{shift_id}/poster"
    poster = screen.evaluate(
        "(address) => fetch(address).then((answer) => answer.json())", address
    )
    phone = people.page_of(volunteer)
    phone.goto(poster["url"].replace(people.address.upper(), people.address))
    expect(phone.get_by_role("heading", name="河道清洁")).to_be_visible()
    phone.get_by_label("现场屏幕上的四位数字").fill(
        screen.locator("[data-venue-digits]").inner_text()
    )
    phone.get_by_role("button", name="现在签到").click()
    expect(phone.get_by_role("heading", name="签到成功")).to_be_visible()
    expect(screen.locator("[data-venue-arrived]")).to_have_text("1")
