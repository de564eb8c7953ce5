"""The station without a network: judged on the device, kept through reloads, uploaded once."""

import json
import re

import pytest
from playwright.sync_api import Page, Route, expect

from pointsbank.attendance.models import Attendance, Scan, ScanDifference
from pointsbank.core import clock
from pointsbank.ledger.models import Transfer
from tests.browser.cable import HOTEL, Cable, answer
from tests.browser.laid_cable import MINUTE, an_event, cable, live_server
from tests.browser.people import SESSION_COOKIE, People, until
from tests.browser.stations import Station, shift_code
from tests.builders import signed_in

LATE_MS = 1000

__all__ = ["cable", "live_server"]  # pytest finds fixtures by name


def test_scans_without_a_network_survive_a_reload_and_count_once(
    people: People, cable: Cable
) -> None:
    organizer, shift_id, (wang, wu, zhao) = an_event(people, "王桂兰", "吴海燕", "赵国强")
    station = Station(people.page_of(organizer), shift_id).open().has_list()
    assert station.type(people.number_of(wang)) == "签到成功"
    expect(station.panel).to_be_hidden()
    assert people.count(Attendance) == 1

    cable.cut()
    assert station.type(shift_code(people, wu, shift_id)) == "已离线签到"
    expect(station.panel).to_contain_text("吴*燕")
    expect(station.panel).to_contain_text("网络慢")
    expect(station.waiting).to_have_text("1")
    station.back()
    assert station.type(people.number_of(wang)) == "刚刚已记录", "it knows what the server said"
    expect(station.panel).to_be_hidden()
    expect(station.page.locator("[data-line-words]")).to_contain_text("没有网络")

    station.page.reload()
    station.is_ready()
    expect(station.page.locator(".top .title")).to_have_text("河道清洁")
    expect(station.waiting).to_have_text("2")
    assert station.type(people.number_of(wu)) == "刚刚已记录", "it remembers its own"
    expect(station.panel).to_be_hidden()
    assert station.type(people.number_of(zhao)) == "已离线签到"
    expect(station.waiting).to_have_text("4")
    station.back()

    cable.mend()
    station.uploaded()
    assert people.count(Attendance, Attendance.state == "present") == 3
    assert people.count(Scan, Scan.counts) == 3
    assert people.count(Scan, Scan.is_offline) == 4
    expect(station.page.locator("[data-line-words]")).to_contain_text("网络正常")


def test_two_stations_that_both_let_a_person_in_make_one_attendance(
    people: People, cable: Cable
) -> None:
    organizer, shift_id, (wang,) = an_event(people, "王桂兰")
    stations = [Station(people.page_of(organizer), shift_id).open().has_list() for _ in "ab"]
    cable.cut()
    for station in stations:
        assert station.type(shift_code(people, wang, shift_id)) == "已离线签到"
        station.back()
    cable.mend()
    for station in stations:
        station.uploaded()
    assert people.count(Attendance) == 1
    assert people.count(Scan, Scan.counts) == 1
    assert people.count(Scan) == 2, "both scans are kept"
    # The second device told the person the same as the first: there is nothing to settle.
    assert people.count(ScanDifference) <= 1


def test_what_two_stations_let_out_offline_is_awarded_once(
    people: People, cable: Cable
) -> None:
    organizer, wang = people.join("李敏", "organizer"), people.join("王桂兰")
    shift_id = people.shift(organizer, -130 * MINUTE, -5 * MINUTE, wang)
    people.came(wang, shift_id, clock.now() - 129 * MINUTE)
    stations = [
        Station(people.page_of(organizer), shift_id).open("out").has_list() for _ in "ab"
    ]
    cable.cut()
    for station in stations:
        assert station.type(shift_code(people, wang, shift_id)) == "已离线签退"
        expect(station.panel).to_contain_text("今天2小时")
        station.page.reload()
        station.is_ready()
        expect(station.waiting).to_have_text("1")
    cable.mend()
    for station in stations:
        station.uploaded()
    sheet = stations[0].page
    sheet.goto(f"/shifts/{shift_id}/attendance")
    sheet.get_by_role("button", name=re.compile("入账 20 分")).click()
    expect(sheet.get_by_text("这个班次已结算")).to_be_visible()
    assert people.count(Transfer, Transfer.kind == "earn") == 1
    assert people.count(Attendance, Attendance.state == "credited") == 1


@pytest.mark.engine("sqlite")
def test_a_scan_whose_answer_was_lost_counts_once(people: People, cable: Cable) -> None:
    organizer, shift_id, (wang,) = an_event(people, "王桂兰")
    station = Station(people.page_of(organizer), shift_id).open().has_list()
    cable.turn("deaf")
    assert station.type(people.number_of(wang)) == "已离线签到"
    # The server has it, and cannot say so; the device may have given it up sooner.
    until(lambda: people.count(Attendance) == 1)
    nonces = [item["nonce"] for item in station.kept("queue")]
    station.back()
    cable.mend()
    station.uploaded()
    assert (people.count(Attendance), people.count(Scan)) == (1, 1)
    assert people.count(Scan, Scan.nonce == nonces[0]) == 1, "it came again under its nonce"


REFUSALS = {
    "busy": (
        answer("503 Service Unavailable", b'{"code":"busy"}', "application/json"),
        "服务器忙",
    ),
    "broken": (answer("500 Internal Server Error", b"<h1>oops</h1>"), "服务器忙"),
    "conflict": (answer("409 Conflict", b'{"code":"again"}', "application/json"), "服务器忙"),
    "forbidden": (
        answer("403 Forbidden", b'{"code":"not_allowed"}', "application/json"),
        "这个账号不能上传",
    ),
    "hotel": (answer("200 OK", HOTEL), "可能要先登录"),
    "nothing said": (
        answer("200 OK", b'{"verdicts":[]}', "application/json"),
        "可能要先登录",
    ),
}


@pytest.mark.engine("sqlite")
def test_whatever_comes_instead_of_an_answer_nothing_is_dropped(
    people: People, cable: Cable
) -> None:
    names = [f"王{letter}兰" for letter in "一二三四五六"]
    organizer, shift_id, volunteers = an_event(people, *names)
    station = Station(people.page_of(organizer), shift_id).open().has_list()
    for number, (answered, words) in enumerate(REFUSALS.values(), start=1):
        cable.turn(answered)
        station.type(people.number_of(volunteers[number - 1]))
        station.back()
        station.page.get_by_role("button", name="马上上传").click()
        expect(station.page.locator("[data-upload-trouble]")).to_contain_text(words)
        expect(station.page.locator("[data-upload-trouble]")).to_contain_text("不会丢")
        expect(station.waiting).to_have_text(str(number))
        assert people.count(Scan) == 0
    cable.mend()
    station.uploaded()
    assert people.count(Attendance) == len(REFUSALS)
    expect(station.page.locator("[data-upload-trouble]")).to_be_hidden()


@pytest.mark.engine("sqlite")
def test_after_the_session_ended_scans_wait_for_signing_in(
    people: People, cable: Cable
) -> None:
    organizer, shift_id, (wang, wu) = an_event(people, "王桂兰", "吴海燕")
    station = Station(people.page_of(organizer), shift_id).open().has_list()
    station.page.context.clear_cookies()
    for number in (wang, wu):
        assert station.type(people.number_of(number)) == "已离线签到"
        station.back()
    expect(station.page.locator("[data-upload-trouble]")).to_contain_text("请重新登录")
    token = signed_in(people.app, organizer)["Authorization"].removeprefix("Bearer ")
    station.page.context.add_cookies(
        [{"name": SESSION_COOKIE, "value": token, "url": people.address}]
    )
    station.hurry()
    station.uploaded()
    assert people.count(Attendance) == 2


NO_STORE = "Object.defineProperty(window, 'indexedDB', { value: undefined });"
FULL_STORE = """
const put = IDBObjectStore.prototype.put;
IDBObjectStore.prototype.put = function (...values) {
    if (this.name === "queue") throw new DOMException("no room", "QuotaExceededError");
    return put.apply(this, values);
};
"""


@pytest.mark.engine("sqlite")
@pytest.mark.parametrize(
    ("script", "words"),
    [(NO_STORE, "存不了数据"), (FULL_STORE, "存满了")],
    ids=["none", "full"],
)
def test_a_device_that_keeps_nothing_says_so_and_scans_on(
    people: People, cable: Cable, script: str, words: str
) -> None:
    organizer, shift_id, (wang, wu) = an_event(people, "王桂兰", "吴海燕")
    page = people.page_of(organizer)
    page.add_init_script(script)
    station = Station(page, shift_id).open().has_list()
    cable.cut()
    for number, member_id in enumerate((wang, wu), start=1):
        assert station.type(people.number_of(member_id)) == "已离线签到"
        station.back()
        expect(station.waiting).to_have_text(str(number))
    expect(page.locator("[data-store-trouble]")).to_contain_text(words)
    cable.mend()
    station.uploaded()
    assert people.count(Attendance) == 2


class Customs:
    """Holds the uploads of several pages back, so that one asks while another waits."""

    def __init__(self) -> None:
        self.nonces: list[str] = []
        self.held: list[Route] = []
        self.is_open = False

    def watch(self, page: Page) -> None:
        """Note what a page uploads, and hold it back while this is closed."""
        page.route("**/scans/batch", self._take)

    def _take(self, route: Route) -> None:
        scans = json.loads(route.request.post_data or "{}")["scans"]
        self.nonces.extend(scan["nonce"] for scan in scans)
        if self.is_open:
            route.continue_()
        else:
            self.held.append(route)

    def holds(self, number: int, page: Page) -> None:
        """Wait until so many uploads are held back; page: any that is open."""
        until(lambda: len(self.held) >= number, page)

    def open(self) -> None:
        """Let go on what was held back, and all that comes."""
        self.is_open = True
        for route in self.held:
            route.continue_()


NO_LOCKS = "Object.defineProperty(navigator, 'locks', { value: undefined });"
# A lock that everybody gets is none: what the two tests below guard against.
NO_GUARD = """Object.defineProperty(navigator, "locks", {
    value: { request: (name, options, act) => act({}) },
});"""


def nonces_of_two_pages(
    people: People, cable: Cable, script: str, uploads: int
) -> tuple[list[str], int]:
    """Let two pages of one device upload three scans at once; return the nonces they sent.

    uploads: how many requests are out at the same time, at least.
    """
    organizer, shift_id, volunteers = an_event(people, "王一兰", "王二兰", "王三兰")
    first = people.page_of(organizer)
    if script:
        first.context.add_init_script(script)
    one = Station(first, shift_id).open().has_list()
    two = Station(first.context.new_page(), shift_id).open().has_list()
    for station in (one, two):
        station.page.get_by_role("button", name="改为离线").click()
    cable.cut()
    for member_id in volunteers:
        one.type(people.number_of(member_id))
        one.back()
    expect(two.waiting).to_have_text("3")
    customs = Customs()
    for station in (one, two):
        customs.watch(station.page)
    cable.mend()
    one.hurry()
    customs.holds(1, one.page)
    # The second page asks while the first one waits for its answer.
    two.hurry()
    two.page.wait_for_timeout(LATE_MS)
    customs.holds(uploads, two.page)
    customs.open()
    for station in (one, two):
        station.uploaded()
    return customs.nonces, people.count(Attendance)


@pytest.mark.engine("sqlite")
@pytest.mark.parametrize("script", ["", NO_LOCKS], ids=["locks", "lease"])
def test_two_pages_of_one_device_upload_once(people: People, cable: Cable, script: str) -> None:
    sent, attendances = nonces_of_two_pages(people, cable, script, uploads=1)
    assert (len(sent), len(set(sent)), attendances) == (3, 3, 3)


@pytest.mark.engine("sqlite")
def test_without_the_lock_two_pages_upload_twice_and_it_counts_once(
    people: People, cable: Cable
) -> None:
    sent, attendances = nonces_of_two_pages(people, cable, NO_GUARD, uploads=2)
    assert len(sent) > len(set(sent)) == attendances == 3
