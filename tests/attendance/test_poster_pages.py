"""The poster's page and its PDF: read back by a phone, opened, with and without the digits."""

from datetime import timedelta
from pathlib import Path

import pytest
import time_machine
from sqlalchemy import select

from pointsbank.attendance.codes import digits_slot_at, poster_text, venue_digits
from pointsbank.attendance.models import Attendance, Scan
from pointsbank.core.printing import KNOWN_FONTS
from tests.attendance.scene import SECRET, STARTS
from tests.browsing import Browser, words_of
from tests.builders import how_many, signed_in
from tests.paper_codes import codes_on, sheets_of, words_on

needs_font = pytest.mark.skipif(
    not any(Path(place).is_file() for place in KNOWN_FONTS),
    reason="this machine has no font with Chinese characters",
)


@pytest.fixture(autouse=True)
def travel():
    with time_machine.travel(STARTS, tick=False) as traveller:
        yield traveller


def digits_of(scene, at=STARTS):
    return venue_digits(SECRET, scene.shift_handle, digits_slot_at(at))


def opened(scene, member_id=None):
    """Open a poster's address in a browser, and return both it and the page it led to."""
    browser = Browser(scene.app, member_id or scene.volunteer.member_id)
    return browser, browser.open(f"/P/{poster_text(SECRET, scene.shift_handle)}")


@needs_font
def test_the_posters_code_is_read_back_and_opens_the_question(scene, app):
    lead = Browser(app, scene.organizer.member_id)
    answer = lead.client.get(f"/shifts/{scene.shift_id}/poster")
    assert (answer.status_code, answer.mimetype) == (200, "application/pdf")
    (code,) = codes_on(answer.data)
    assert sheets_of(answer.data) == 1
    assert code.side_mm > 80
    words = words_on(answer.data)[0]
    for said in (
        "河道清洁",
        "东门桥头",
        "输入现场屏幕上的四位数字",
        "Scan again when you leave",
    ):
        assert said in words
    path = "/" + code.text.split("/", 3)[3]
    assert "现场屏幕上的四位数字" in words_of(
        Browser(app, scene.volunteer.member_id).open(path)
    )


def test_programs_have_the_code_and_the_digits_of_now(scene, app, client):
    headers = signed_in(app, scene.organizer.member_id, STARTS)
    answer = client.get(f"/api/v1/shifts/{scene.shift_id}/poster", headers=headers)
    assert answer.json["digits"] == digits_of(scene)
    assert answer.json["code"] == poster_text(SECRET, scene.shift_handle)


def test_opening_records_nothing_and_the_digits_check_in(scene, writing):
    browser, page = opened(scene)
    with writing() as session:
        assert how_many(session, Scan) == 0
    done = browser.send(browser.form(page, "/scan"), digits=digits_of(scene))
    assert "签到成功" in words_of(done)
    with writing() as session:
        assert session.scalars(select(Attendance.flags)).all() == [[]]


def test_wrong_digits_are_said_and_tried_again(scene, writing):
    browser, page = opened(scene)
    good = {digits_of(scene), digits_of(scene, STARTS - timedelta(minutes=5))}
    bad = next(each for each in ("0000", "1111", "2222") if each not in good)
    refused = browser.send(browser.form(page, "/scan"), digits=bad)
    assert "数字不对" in words_of(refused)
    again = browser.open("/scan")
    done = browser.send(browser.form(again, "/scan"), digits=digits_of(scene))
    assert "签到成功" in words_of(done)
    with writing() as session:
        assert how_many(session, Scan) == 2


def test_without_a_screen_it_goes_on_and_waits(scene, writing):
    browser, page = opened(scene)
    form = browser.form(page, "/scan")
    answer = browser.client.post(
        "/scan",
        data={"csrf_token": form.fields["csrf_token"], "nonce": "open-1", "confirm": "1"},
    )
    assert "等负责人确认后才算数" in words_of(answer)
    with writing() as session:
        assert session.scalars(select(Attendance.flags)).all() == [["poster_unconfirmed"]]


def test_whoever_claimed_nothing_joins_with_the_digits(scene, writing):
    browser, page = opened(scene, scene.stranger.member_id)
    assert "没有报名" in words_of(page)
    done = browser.send(browser.form(page, "/scan"), digits=digits_of(scene))
    assert "签到成功" in words_of(done)


def test_days_before_the_poster_leads_to_the_task(scene, travel):
    travel.move_to(STARTS - timedelta(days=2))
    _, page = opened(scene)
    assert "/tasks/" in page.text
    assert 'name="digits"' not in page.text


def test_a_stranger_signs_in_first_and_goes_on(scene, app):
    browser = Browser(app)
    page = browser.open(f"/p/{poster_text(SECRET, scene.shift_handle).lower()}")
    assert page.request.path == "/sign-in"
    assert "河道清洁" in words_of(page)


def test_a_forged_poster_opens_nothing(scene):
    text = poster_text("another key of fair length, made up", scene.shift_handle)
    browser = Browser(scene.app, scene.volunteer.member_id)
    page = browser.open(f"/P/{text}")
    assert "河道清洁" not in words_of(page)
    assert "码不是真的" in words_of(page)


def test_what_waits_by_a_poster_is_held_at_the_settlement(scene, app, client, writing, travel):
    browser, page = opened(scene)
    token = browser.form(page, "/scan").fields["csrf_token"]
    browser.client.post("/scan", data={"csrf_token": token, "nonce": "open-1", "confirm": "1"})
    out = STARTS + timedelta(minutes=140)
    travel.move_to(out)
    scene.check_out(out)
    travel.move_to(STARTS + timedelta(hours=3))
    headers = signed_in(app, scene.organizer.member_id, STARTS + timedelta(hours=3))
    answer = client.post(f"/api/v1/shifts/{scene.shift_id}/settlement", headers=headers)
    assert answer.status_code == 200, answer.text
    assert answer.json["awarded"] == []
    assert [held["reason"] for held in answer.json["held"]] == ["review"]
