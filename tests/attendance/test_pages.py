"""The pages of a scan: the way from code to verdict, and the organizer's screens."""

from datetime import timedelta

import pytest
import time_machine
from sqlalchemy import select

from pointsbank.attendance.models import Attendance, Scan
from tests.attendance.scene import ENDS, STARTS, actor_of
from tests.browsing import SESSION_COOKIE, Browser, words_of
from tests.builders import a_claim, a_member, a_token, how_many
from tests.counting import statements_of


@pytest.fixture(autouse=True)
def clock():
    """The clock on the wall, standing at the beginning of the shift."""
    with time_machine.travel(STARTS, tick=False) as traveller:
        yield traveller


@pytest.fixture
def browser(app):
    """Open a browser, signed in when somebody is given."""
    return lambda actor=None: Browser(app, actor and actor.member_id)


def rows(writing) -> tuple[int, int]:
    """Return how many scans and attendances there are."""
    with writing() as session:
        return how_many(session, Scan), how_many(session, Attendance)


def test_opening_a_code_changes_nothing_and_one_button_does(browser, scene, writing):
    mine = browser(scene.volunteer)
    opened = mine.client.get(f"/s/{scene.venue(STARTS).lower()}")
    assert (opened.status_code, opened.location) == (302, "/scan")
    page = mine.open("/scan")
    assert "河道清洁" in words_of(page)
    assert "现在签到" in words_of(page)
    assert rows(writing) == (0, 0)
    form = mine.form(page, "/scan")
    for _ in range(2):
        assert "签到成功" in words_of(mine.send(form))
    assert rows(writing) == (1, 1)


def test_a_ticket_outlives_signing_in_and_judges_as_of_its_scan(browser, scene, writing, clock):
    mine = browser()
    opened = mine.client.get(f"/S/{scene.venue(STARTS)}")
    assert opened.location == "/sign-in?next=/scan"
    assert "河道清洁" in words_of(mine.open(opened.location))
    assert mine.client.get("/scan").location.startswith("/sign-in")
    clock.shift(timedelta(minutes=4))
    with writing() as session:
        mine.client.set_cookie(SESSION_COOKIE, a_token(session, scene.volunteer.member_id))
    result = mine.send(mine.form(mine.open("/scan"), "/scan"))
    assert "签到成功" in words_of(result)
    assert rows(writing) == (1, 1)


def test_a_ticket_is_over_after_five_minutes(browser, scene, clock, writing):
    mine = browser(scene.volunteer)
    form = mine.form(mine.open(f"/S/{scene.venue(STARTS)}"), "/scan")
    clock.shift(timedelta(minutes=5, seconds=1))
    assert "请重新扫码" in words_of(mine.open("/scan"))
    assert "请重新扫码" in words_of(mine.send(form))
    assert rows(writing) == (0, 0)


def test_a_ticket_belongs_to_its_browser(browser, scene):
    browser(scene.volunteer).open(f"/S/{scene.venue(STARTS)}")
    assert "请重新扫码" in words_of(browser(scene.stranger).open("/scan"))


def test_without_the_forms_token_nothing_happens(browser, scene, writing):
    mine = browser(scene.volunteer)
    mine.open(f"/S/{scene.venue(STARTS)}")
    assert mine.client.post("/scan").status_code == 400
    assert rows(writing) == (0, 0)


def test_an_old_code_says_so_and_has_no_button(browser, scene):
    page = browser(scene.volunteer).open(f"/S/{scene.venue(STARTS - timedelta(minutes=2))}")
    assert "已过期" in words_of(page)
    assert "现在签到" not in words_of(page)


@pytest.mark.parametrize("code", ["A", "x" * 300, "%00", "..%2F..", "中文", "<script>"])
def test_strange_addresses_are_no_fault(browser, scene, code):
    mine = browser(scene.volunteer)
    assert mine.client.get(f"/S/{code}").status_code in (302, 404)
    assert mine.open("/scan").status_code == 200


def test_whoever_has_not_claimed_is_asked_first(browser, scene, writing):
    mine = browser(scene.stranger)
    page = mine.open(f"/S/{scene.venue(STARTS)}")
    assert "没有报名" in words_of(page)
    assert "现场加入" in words_of(page)
    assert "签到成功" in words_of(mine.send(mine.form(page, "/scan")))
    assert rows(writing) == (1, 1)


def test_the_venue_screen_carries_its_own_shifts_key_only(browser, scene):
    page = browser(scene.organizer).open(f"/shifts/{scene.shift_id}/venue")
    assert page.status_code == 200
    assert 'data-key-in="' in page.text
    assert "a key that only tests know" not in page.text
    assert "HTTP://127.0.0.1:8000/S/" in page.text
    assert browser(scene.organizer).open("/shifts/999999/venue").status_code == 404
    assert browser(scene.volunteer).open(f"/shifts/{scene.shift_id}/venue").status_code == 403


def test_the_station_works_without_script(browser, scene, writing):
    lead, path = browser(scene.organizer), f"/shifts/{scene.shift_id}/station"
    form = lead.form(lead.open(path), "/station")
    code = scene.personal(scene.volunteer, STARTS)
    for _ in range(2):
        result = lead.send(form, code=code)
        assert "签到成功" in words_of(result)
    assert rows(writing) == (1, 1)
    undone = lead.send(lead.form(lead.open(path), "/undo"))
    assert undone.status_code == 200
    assert rows(writing) == (1, 0)


def test_the_lead_lets_somebody_in_with_a_reason(browser, scene, clock, writing):
    clock.move_to(STARTS - timedelta(hours=1))
    lead, path = browser(scene.organizer), f"/shifts/{scene.shift_id}/station"
    code = scene.personal(scene.volunteer, STARTS - timedelta(hours=1))
    asked = lead.send(lead.form(lead.open(path), "/station"), code=code)
    assert "13:00 起可签到" in words_of(asked)
    insist = lead.form(asked, "/station")
    assert "还没到时间" in words_of(lead.send(insist, reason=""))
    let_in = lead.send(lead.form(asked, "/station"), nonce="other", reason="来搬桌子")
    assert "签到成功" in words_of(let_in)
    with writing() as session:
        assert session.scalars(select(Attendance)).one().flags == ["let_in"]


def test_the_sheet_is_settled_from_its_page(browser, scene, clock):
    scene.check_in()
    lead, path = browser(scene.organizer), f"/shifts/{scene.shift_id}/attendance"
    assert "班次结束以后才能结算" in words_of(lead.open(path))
    clock.move_to(ENDS - timedelta(minutes=5))
    scene.check_out(ENDS - timedelta(minutes=5))
    page = lead.open(path)
    assert "王*兰" in page.text
    assert "王桂兰" not in page.text
    assert "+20" in page.text
    done = lead.send(lead.form(page, "/settlement"))
    assert "已结算" in words_of(done)
    assert "已入账" in words_of(done)


def test_no_page_asks_more_of_the_database_for_more_people(app, browser, scene, writing):
    lead = browser(scene.organizer)
    paths = [f"/shifts/{scene.shift_id}/{each}" for each in ("attendance", "station", "venue")]

    def statements() -> list[int]:
        counts = []
        for path in paths:
            with statements_of(app) as sent:
                assert lead.open(path).status_code == 200
            counts.append(sum(each.startswith(("SELECT", "\n")) for each in sent))
        return counts

    few = statements()
    with writing() as session:
        members = [a_member(session) for _ in range(12)]
        for member_id in members:
            a_claim(session, scene.shift_id, member_id)
        people = [actor_of(session, member_id) for member_id in members]
    for actor in people:
        scene.check_in(who=actor)
    assert statements() == few
    sheet, *screens = few
    assert max(screens) <= 8
    # The sheet foresees the settlement with its reviews: as many reads whoever came.
    assert sheet <= 20
