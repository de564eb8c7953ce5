"""A shift on phones: the venue's code, the station's camera, the sheet, the passbook."""

import re
from datetime import timedelta

import pytest
from playwright.sync_api import Page, Route, expect

from pointsbank.attendance.models import Attendance, Scan
from pointsbank.core import clock
from tests.browser.fake_camera import FakeCamera
from tests.browser.people import DESK, PASSWORD, People, code_in

MINUTE = timedelta(minutes=1)


def held_to_the_camera(station: Page) -> None:
    """Let the organizer press the button that opens the camera."""
    station.get_by_role("button", name="开始扫码").click()


def verdict_on(station: Page) -> str:
    """Return the big word of the verdict that covers the station, once it has come."""
    title = station.locator("#verdict [data-slot=title]")
    expect(title).not_to_have_text(re.compile("^(正在发送)?$"))
    return title.inner_text()


def test_a_code_that_was_scanned_before_signing_in_checks_in(people: People) -> None:
    organizer = people.join("李敏", "organizer")
    volunteer = people.join("王桂兰")
    shift_id = people.shift(organizer, -20 * MINUTE, 100 * MINUTE, volunteer)
    screen = people.page_of(organizer, viewport=DESK)
    screen.goto(f"/shifts/{shift_id}/venue")
    expect(screen.locator("[data-venue-arrived]")).to_have_text("0")

    phone = people.stranger()
    phone.goto(code_in(screen.locator("[data-qr]")))
    expect(phone.get_by_text("您扫的码已记下")).to_be_visible()
    phone.get_by_label("手机号").fill(people.phone_of(volunteer))
    phone.get_by_label("密码").fill("not this one")
    phone.locator("main form button").click()
    expect(phone.get_by_role("alert")).to_contain_text("手机号或密码不对")
    expect(phone.get_by_label("手机号")).to_have_value(people.phone_of(volunteer))
    phone.get_by_label("密码").fill(PASSWORD)
    phone.locator("main form button").click()

    expect(phone.get_by_role("heading", name="河道清洁")).to_be_visible()
    assert people.count(Scan) == 0, "opening the address records nothing"
    phone.get_by_role("button", name="现在签到").click()
    expect(phone.get_by_role("heading", name="签到成功")).to_be_visible()
    assert people.count(Attendance, Attendance.state == "present") == 1
    expect(screen.locator("[data-venue-arrived]")).to_have_text("1")
    expect(screen.locator("[data-venue-recent]")).to_contain_text("王*兰")

    phone.reload()
    assert people.count(Attendance) == 1, "sent once more, it counts once"


def checked_out(station: Page, camera: FakeCamera, code: str) -> None:
    """Hold a code before the station's camera, and see its owner checked out."""
    camera.show(code)
    held_to_the_camera(station)
    assert verdict_on(station) == "签退成功"
    expect(station.locator("#verdict [data-slot=name]")).to_have_text("王*兰")
    expect(station.locator("#verdict [data-slot=line]")).to_contain_text("+20")
    expect(station.locator("#verdict")).to_be_hidden()  # a good scan closes by itself


def settled(sheet: Page) -> None:
    """Settle a shift from its sheet: one gets points, the one without a check-out is held."""
    sheet.get_by_role("button", name=re.compile("入账 20 分")).click()
    expect(sheet.get_by_text("这个班次已结算")).to_be_visible()
    expect(sheet.get_by_text("暂缓：没有签退")).to_be_visible()
    expect(sheet.get_by_role("button", name=re.compile("入账"))).to_have_count(0)


def one_line_in(book: Page) -> None:
    """Find the passbook as a member does, and in it the line of the shift."""
    book.goto("/")
    book.get_by_role("link", name="存折", exact=True).click()
    expect(book.locator(".book .bal")).to_contain_text("20")
    line = book.locator(".ledger tr[id^=line-]")
    expect(line).to_have_count(1)
    line.locator("summary").click()
    expect(line).to_contain_text("河道清洁 · 2小时")
    expect(line).to_contain_text("+20")


def test_the_station_checks_out_and_the_sheet_fills_the_passbook(
    people: People, camera: FakeCamera
) -> None:
    organizer = people.join("李敏", "organizer")
    volunteer, forgetful = people.join("王桂兰"), people.join("吴海燕")
    shift_id = people.shift(organizer, -130 * MINUTE, -5 * MINUTE, volunteer, forgetful)
    for member_id in (volunteer, forgetful):
        people.came(member_id, shift_id, clock.now() - 129 * MINUTE)
    station = people.page_of(organizer)
    station.goto(f"/shifts/{shift_id}/station?direction=out")
    checked_out(station, camera, people.personal_code(volunteer))
    last = station.locator("section:not(#verdict) > [data-last] li")
    expect(last).to_have_count(1)
    expect(last).to_contain_text("王*兰")
    present = station.locator("[data-count=present]").first
    expect(present).to_have_text("1")

    station.reload()
    station.get_by_role("button", name="撤销上一次").click()
    expect(station.get_by_text("已撤销，记录保留")).to_be_visible()
    expect(present).to_have_text("2")
    station.get_by_role("link", name="签退", exact=True).click()
    checked_out(station, camera, people.personal_code(volunteer))

    station.get_by_role("link", name="名单").click()
    settled(station)
    one_line_in(people.page_of(volunteer))


@pytest.mark.engine("sqlite")
def test_the_station_says_what_is_wrong_with_a_code(people: People, camera: FakeCamera) -> None:
    organizer, volunteer = people.join("李敏", "organizer"), people.join("王桂兰")
    shift_id = people.shift(organizer, -20 * MINUTE, 100 * MINUTE, volunteer)
    station = people.page_of(organizer)
    station.goto(f"/shifts/{shift_id}/station")
    camera.show("https://example.org/parcel/12345")
    held_to_the_camera(station)
    assert verdict_on(station) == "不是本系统的码"
    station.get_by_role("button", name="再扫一次").click()
    expect(station.locator("#verdict")).to_be_hidden()

    forged = people.personal_code(volunteer)
    station.locator("#typed-code").fill(forged[:-1] + ("A" if forged[-1] != "A" else "B"))
    station.get_by_role("button", name="记上").click()
    assert verdict_on(station) == "码不是真的"
    assert people.count(Attendance) == 0
    assert people.count(Scan, Scan.result == "refuse") == 2, "what was refused is kept"


@pytest.mark.engine("sqlite")
def test_what_is_typed_before_the_station_has_begun_is_not_lost(people: People) -> None:
    organizer, volunteer = people.join("李敏", "organizer"), people.join("王桂兰")
    shift_id = people.shift(organizer, -20 * MINUTE, 100 * MINUTE, volunteer)
    station = people.page_of(organizer)
    held: list[Route] = []
    station.route("**/station/offline.js", lambda route: held.append(route))
    with station.expect_request("**/station/offline.js"):
        station.goto(f"/shifts/{shift_id}/station")
    field = station.get_by_label("或输会员号、数字码")
    field.fill(people.number_of(volunteer))
    station.get_by_role("button", name="记上").click()
    expect(field).to_have_value("")
    held[0].continue_()
    assert verdict_on(station) == "签到成功"


@pytest.mark.engine("sqlite")
def test_who_has_no_phone_tells_a_member_number(people: People) -> None:
    organizer, volunteer = people.join("李敏", "organizer"), people.join("王桂兰")
    shift_id = people.shift(organizer, -20 * MINUTE, 100 * MINUTE, volunteer)
    station = people.page_of(organizer)
    station.goto(f"/shifts/{shift_id}/station")
    station.get_by_label("或输会员号、数字码").fill(people.number_of(volunteer))
    station.get_by_role("button", name="记上").click()
    assert verdict_on(station) == "签到成功"
    expect(station.locator("#verdict [data-slot=name]")).to_have_text("王*兰")
    assert people.count(Scan, Scan.code_kind == "manual") == 1


@pytest.mark.engine("sqlite")
def test_the_venue_screen_goes_on_without_a_network(people: People) -> None:
    organizer, volunteer = people.join("李敏", "organizer"), people.join("王桂兰")
    shift_id = people.shift(organizer, -20 * MINUTE, 100 * MINUTE, volunteer)
    phone = people.page_of(volunteer)
    phone.goto("/")
    screen = people.page_of(organizer, viewport=DESK)
    screen.goto(f"/shifts/{shift_id}/venue")
    box = screen.locator("[data-qr]")
    with_network = code_in(box)
    path = box.locator("path").first.get_attribute("d")
    screen.context.set_offline(True)
    for _ in range(2):  # the first new one may have been drawn before the network went
        expect(box.locator("path").first).not_to_have_attribute("d", path or "")
        path = box.locator("path").first.get_attribute("d")
    without_network = code_in(box, reader=phone)
    assert without_network != with_network
    phone.goto(without_network)
    phone.get_by_role("button", name="现在签到").click()
    expect(phone.get_by_role("heading", name="签到成功")).to_be_visible()


@pytest.mark.engine("sqlite")
def test_an_organizer_without_a_station_opens_the_code_itself(people: People) -> None:
    organizer, volunteer = people.join("李敏", "organizer"), people.join("王桂兰")
    people.shift(organizer, -20 * MINUTE, 100 * MINUTE, volunteer)
    held_up = people.page_of(volunteer)
    held_up.goto("/my-code")
    address = code_in(held_up.locator("[data-qr]"))

    stranger = people.stranger()
    stranger.goto(address)
    expect(stranger.get_by_role("heading", name="这是志愿者的码")).to_be_visible()
    expect(stranger.locator("body")).not_to_contain_text("王")

    phone = people.page_of(organizer)
    phone.goto(address)
    expect(phone.get_by_role("heading", name="王*兰")).to_be_visible()
    assert people.count(Attendance) == 0
    phone.get_by_role("button", name="在这里签到").click()
    expect(phone.get_by_role("heading", name="签到成功")).to_be_visible()
    assert people.count(Attendance, Attendance.state == "present") == 1
