"""The station without a network: judged on the device, kept through reloads, uploaded once."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest
from playwright.sync_api import expect

from pointsbank.attendance.models import Attendance, Scan
from pointsbank.core.settings import Settings
from tests.browser.cable import Cable, cable_to
from tests.browser.people import People
from tests.browser.stations import Station, shift_code
from tests.serving import free_port, serving
from tests.shelf import shelf_folder

MINUTE = timedelta(minutes=1)


@pytest.fixture
def cable(settings: Settings) -> Iterator[Cable]:
    """The service, and the cable that leads to it."""
    near, far = free_port(), free_port()
    address = f"http://127.0.0.1:{near}"
    behind = replace(settings, port=far, public_url=address)
    with cable_to(near, far) as laid, serving(behind, shelf_folder()):
        yield laid


@pytest.fixture
def live_server(cable: Cable) -> str:
    """The service's address at the phones' end of the cable."""
    return cable.url


def an_event(people: People, *names: str) -> tuple[int, int, list[int]]:
    """Return an organizer, a shift that runs, and the volunteers who claimed it."""
    organizer = people.join("李敏", "organizer")
    volunteers = [people.join(name) for name in names]
    return (
        organizer,
        people.shift(organizer, -20 * MINUTE, 100 * MINUTE, *volunteers),
        volunteers,
    )


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
