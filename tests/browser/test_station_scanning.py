"""Scanning at the station: the camera, a scanner that types, the strip, taking back."""

from datetime import timedelta

import pytest
from playwright.sync_api import Page, expect

from pointsbank.attendance.codes import slot_at, venue_text
from pointsbank.attendance.models import Attendance, Scan, ScanDifference
from pointsbank.core import clock
from pointsbank.core.audit import AuditEntry
from pointsbank.core.codes import Purpose, url_of
from pointsbank.core.db import reading
from pointsbank.tasks.models import Claim, Shift
from tests.browser.cable import Cable
from tests.browser.fake_camera import FakeCamera
from tests.browser.laid_cable import an_event, cable, live_server
from tests.browser.people import People
from tests.browser.scanner_gun import pull_trigger
from tests.browser.stations import Station, shift_code

__all__ = ["cable", "live_server"]  # pytest finds fixtures by name

MINUTE = timedelta(minutes=1)


def venue_code(people: People, shift_id: int) -> str:
    """Return the address in the code on the venue's screen now."""
    with people.app.app_context(), reading() as session:
        handle = session.get_one(Shift, shift_id).handle
    text = venue_text(people.settings.secret_key, handle, slot_at(clock.now()), "in")
    return url_of(people.address, Purpose.VENUE, text)


def seen_by_camera(station: Station, camera: FakeCamera, text: str) -> str:
    """Hold a code before a camera that was just opened, and return the verdict."""
    camera.show(text)
    station.page.reload()
    station.is_ready()
    station.page.get_by_role("button", name="开始扫码").click()
    said = station.verdict()
    station.page.locator("#verdict").dispatch_event("pointerdown")
    return said


@pytest.mark.engine("sqlite")
@pytest.mark.parametrize("network", ["good", "cut"])
def test_the_camera_tells_codes_apart(
    people: People, cable: Cable, camera: FakeCamera, network: str
) -> None:
    organizer, shift_id, (wang,) = an_event(people, "王桂兰")
    station = Station(people.page_of(organizer), shift_id).open().has_list()
    if network == "cut":
        cable.cut()

    def genuine() -> str:
        return shift_code(people, wang, shift_id)

    def damaged() -> str:
        code = genuine()
        return code[:-3] + ("A" if code[-3] != "A" else "B") + code[-2:]

    kept = "已离线签到" if network == "cut" else "签到成功"
    expected = [
        (lambda: venue_code(people, shift_id), "码拿错了", "现场大屏的码"),
        (damaged, "码不是真的", ""),
        (lambda: "https://example.org/parcel/12345", "不是本系统的码", ""),
        (genuine, kept, "王*兰"),
    ]
    for text_now, title, words in expected:
        assert seen_by_camera(station, camera, text_now()) == title
        expect(station.panel).to_contain_text(words)
    if network == "cut":
        cable.mend()
        station.uploaded()
    assert people.count(Attendance) == 1
    assert people.count(Scan, Scan.result == "refuse") == 3, "what was refused is kept"


@pytest.mark.engine("sqlite")
def test_a_scanner_that_types_is_read_wherever_the_focus_is(
    people: People, cable: Cable
) -> None:
    organizer, shift_id, (wang, wu) = an_event(people, "王桂兰", "吴海燕")
    station = Station(people.page_of(organizer), shift_id).open().has_list()
    page = station.page
    page.evaluate("document.activeElement.blur()")
    pull_trigger(page, shift_code(people, wang, shift_id))
    assert station.verdict() == "签到成功"
    # The next one is scanned while the verdict still covers the screen.
    pull_trigger(page, people.number_of(wu))
    expect(station.panel.locator("[data-slot=name]")).to_have_text("吴*燕")
    expect(station.panel).to_be_hidden()
    assert people.count(Attendance) == 2

    field = page.locator("#typed-code")
    field.fill("half a word")
    field.focus()
    pull_trigger(page, people.number_of(wang))
    assert station.verdict() == "刚刚已记录"
    expect(field).to_have_value("half a word")
    assert people.count(Scan) == 3, "read once, not by the field as well"


@pytest.mark.engine("sqlite")
def test_a_hand_that_types_slowly_is_no_scanner(people: People, cable: Cable) -> None:
    organizer, shift_id, (wang,) = an_event(people, "王桂兰")
    station = Station(people.page_of(organizer), shift_id).open()
    station.page.evaluate("document.activeElement.blur()")
    station.page.keyboard.type(people.number_of(wang), delay=120)
    station.page.keyboard.press("Enter")
    expect(station.panel).to_be_hidden()
    assert people.count(Scan) == 0


@pytest.mark.engine("sqlite")
def test_quick_mode_shows_a_strip_and_goes_on(people: People, cable: Cable) -> None:
    organizer, shift_id, (wang, wu) = an_event(people, "王桂兰", "吴海燕")
    walk_in = people.join("赵国强")
    station = Station(people.page_of(organizer), shift_id).open().has_list()
    page = station.page
    page.get_by_text("连扫").click()
    strip = page.locator("[data-strip]")
    for member_id, name in ((wang, "王*兰"), (wu, "吴*燕")):
        page.locator("#typed-code").fill(people.number_of(member_id))
        page.get_by_role("button", name="记上").click()
        expect(strip.locator("[data-slot=name]")).to_have_text(name)
        expect(strip.locator("[data-slot=title]")).to_have_text("签到成功")
        expect(station.panel).to_be_hidden()
    page.locator("#typed-code").fill(people.number_of(walk_in))
    page.get_by_role("button", name="记上").click()
    expect(strip.locator("[data-slot=title]")).to_have_text("没有报名")
    strip.get_by_role("button", name="现场加入").click()
    expect(strip.locator("[data-slot=title]")).to_have_text("签到成功")
    assert people.count(Attendance) == 3
    page.reload()
    station.is_ready()
    expect(page.get_by_label("连扫")).to_be_checked()


@pytest.mark.engine("sqlite")
def test_a_scan_is_taken_back_with_and_without_a_network(people: People, cable: Cable) -> None:
    organizer, shift_id, (wang, wu) = an_event(people, "王桂兰", "吴海燕")
    station = Station(people.page_of(organizer), shift_id).open().has_list().holds_verdicts()
    for member_id, title in ((wang, "签到成功"), (wu, "已离线签到")):
        if member_id == wu:
            cable.cut()
        assert station.type(people.number_of(member_id)) == title
        station.panel.get_by_role("button", name="撤销").click()
        expect(station.panel.locator("[data-slot=title]")).to_have_text("已撤销")
        station.back()
    expect(station.waiting).to_have_text("1")
    assert people.count(Attendance) == 0
    assert station.type(people.number_of(wu)) == "已离线签到", (
        "taken back here, it is open again"
    )
    station.panel.get_by_role("button", name="撤销").click()
    expect(station.panel.locator("[data-slot=title]")).to_have_text("已撤销")
    station.back()
    cable.mend()
    station.uploaded()
    assert people.count(Attendance) == 0
    assert people.count(Scan, Scan.undone_at.is_not(None)) == 3, "they stand on record"


@pytest.mark.engine("sqlite")
def test_a_tap_on_a_line_opens_its_verdict_again(people: People, cable: Cable) -> None:
    organizer, shift_id, (wang,) = an_event(people, "王桂兰")
    other = people.join("赵国强")
    station = Station(people.page_of(organizer), shift_id).open().has_list()
    assert station.type(people.number_of(other)) == "没有报名"
    station.back()
    assert station.type(people.number_of(wang)) == "签到成功"
    expect(station.panel).to_be_hidden()
    station.page.locator("section:not(#verdict) [data-last] button").nth(1).click()
    expect(station.panel.locator("[data-slot=title]")).to_have_text("没有报名")
    name = station.panel.locator("[data-slot=name]")
    station.panel.get_by_role("button", name="现场加入").click()
    expect(station.panel.locator("[data-slot=title]")).to_have_text("签到成功")
    expect(name).to_have_text("赵*强")
    assert people.count(Attendance) == 2


@pytest.mark.engine("sqlite")
def test_somebody_on_no_list_is_taken_in_offline_and_added_later(
    people: People, cable: Cable
) -> None:
    organizer, shift_id, (wang,) = an_event(people, "王桂兰")
    stranger, forger = people.join("赵国强"), "V99999999"
    station = Station(people.page_of(organizer), shift_id).open().has_list()
    cable.cut()
    for text in (people.personal_code(stranger), forger, people.personal_code(wang)):
        assert station.type(text) == "这里核不了"
        station.panel.get_by_role("button", name="先记下").click()
        expect(station.panel.locator("[data-slot=title]")).to_have_text("已离线签到")
        station.back()
    cable.mend()
    station.uploaded()
    assert people.count(Attendance) == 2, "nobody is made of a number that nobody has"
    assert people.count(Claim, Claim.member_id == stranger) == 1
    differing = station.page.locator("[data-differing]")
    expect(differing).to_contain_text("1 条")
    assert people.count(ScanDifference, ScanDifference.server_reason == "not_member") == 1
    differing.get_by_role("link", name="去核对").click()
    expect(station.page.get_by_role("heading", name="不明的码")).to_be_visible()


@pytest.mark.engine("sqlite")
def test_without_a_network_a_tapped_name_tells_its_last_digits(
    people: People, cable: Cable
) -> None:
    organizer, shift_id, (wang,) = an_event(people, "王桂兰")
    station = Station(people.page_of(organizer), shift_id).open().has_list().holds_verdicts()
    cable.cut()
    assert station.type(people.number_of(wang)) == "已离线签到"
    name = station.panel.locator("[data-slot=name]")
    name.click()
    expect(name).to_contain_text(f"尾号 {people.number_of(wang)[-3:]}")
    expect(station.panel).to_be_visible()


@pytest.mark.engine("sqlite")
def test_by_itself_the_next_step_is_taken(people: People, cable: Cable) -> None:
    organizer, shift_id, (wang, wu) = an_event(people, "王桂兰", "吴海燕")
    people.came(wang, shift_id, clock.now() - 10 * MINUTE)
    station = Station(people.page_of(organizer), shift_id).open().has_list()
    station.page.get_by_role("link", name="自动").click()
    assert station.type(people.number_of(wang)) == "签退成功"
    expect(station.panel).to_be_hidden()
    cable.cut()
    assert station.type(people.number_of(wu)) == "已离线签到"
    station.back()
    cable.mend()
    station.uploaded()
    assert people.count(Attendance) == 2


@pytest.mark.engine("sqlite")
def test_the_network_is_left_and_taken_up_by_hand(people: People, cable: Cable) -> None:
    organizer, shift_id, (wang,) = an_event(people, "王桂兰")
    station = Station(people.page_of(organizer), shift_id).open().has_list()
    mode: Page = station.page
    mode.get_by_role("button", name="改为离线").click()
    expect(mode.locator("[data-line-words]")).to_contain_text("已手动离线")
    assert station.type(people.number_of(wang)) == "已离线签到"
    station.back()
    mode.get_by_role("button", name="恢复联网").click()
    expect(mode.locator("[data-line-words]")).to_contain_text("网络正常")
    station.uploaded()
    assert people.count(Attendance) == 1


@pytest.mark.engine("sqlite")
def test_a_tap_shows_the_full_name_and_is_kept(people: People) -> None:
    organizer, wang = people.join("李敏", "organizer"), people.join("王桂兰")
    shift_id = people.shift(organizer, -20 * MINUTE, 100 * MINUTE, wang)
    station = Station(people.page_of(organizer), shift_id).open().holds_verdicts()
    assert station.type(people.number_of(wang)) == "签到成功"
    name = station.panel.locator("[data-slot=name]")
    name.click()
    expect(name).to_have_text("王桂兰")
    assert people.count(AuditEntry, AuditEntry.action == "name_revealed") == 1
    name.click()
    expect(name).to_have_text("王*兰")
    assert people.count(AuditEntry, AuditEntry.action == "name_revealed") == 1
