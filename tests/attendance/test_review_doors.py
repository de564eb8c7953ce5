"""The doors around reviews: what a program is answered, and what the pages show."""

import re
from datetime import timedelta

import pytest
from sqlalchemy import select

from pointsbank.attendance.models import Attendance, RollCall, Scan, ScanDifference
from pointsbank.core import clock
from pointsbank.members.models import Member
from tests.attendance.crowd import a_reviewer, many_come
from tests.attendance.scene import ENDS, STARTS
from tests.builders import a_token, how_many, signed_in

MIDDLE = STARTS + timedelta(hours=1)
AFTER = ENDS + timedelta(minutes=30)


@pytest.fixture
def at(monkeypatch):
    """Set the service's clock."""

    def set_clock(moment):
        monkeypatch.setattr(clock, "now", lambda: moment)

    set_clock(MIDDLE)
    return set_clock


def page(app, writing, member_id, now):
    """Return a browser in which this member is signed in, and its form's token."""
    with writing() as session:
        token = a_token(session, member_id, now)
    browser = app.test_client()
    browser.set_cookie("pointsbank", token)
    found = re.search(r'name="csrf_token" value="([^"]+)"', browser.get("/me").text)
    assert found
    return browser, found[1]


def lead_of(app, scene, now=MIDDLE):
    return signed_in(app, scene.organizer.member_id, now)


def test_a_batch_carries_what_the_station_showed(app, client, scene, writing, at):
    at(AFTER)
    headers = lead_of(app, scene, AFTER)
    body = {
        "nonce": "kept-1",
        "code": scene.personal(scene.stranger, STARTS),
        "shift_id": scene.shift_id,
        "offline": True,
        "scanned_at": STARTS.isoformat(),
        "device_id": "station-1",
        "device_verdict": {"result": "ok", "reason": "ok_in", "direction": "in"},
    }
    secret = app.extensions["settings"].secret_key
    assert secret
    answer = client.post("/api/v1/scans/batch", json={"scans": [body]}, headers=headers)
    assert answer.status_code == 200, answer.text
    listed = client.get(f"/api/v1/shifts/{scene.shift_id}/differences", headers=headers)
    item = listed.get_json()["items"][0]
    assert listed.get_json()["open"] == 1
    assert (item["device"]["reason"], item["server"]["reason"]) == (
        "ok_in",
        answer.get_json()["verdicts"][0]["reason"],
    )
    decided = client.post(
        f"/api/v1/differences/{item['scan_id']}/decision",
        json={"decision": "leave_out"},
        headers=headers,
    )
    assert decided.get_json()["decision"] == "leave_out"
    other = client.post(
        f"/api/v1/differences/{item['scan_id']}/decision",
        json={"decision": "let_in", "note": "在场"},
        headers=headers,
    )
    assert (other.status_code, other.get_json()["code"]) == (409, "difference_decided")


@pytest.mark.parametrize(
    "wrong",
    [
        {"result": "ok"},
        {"result": "fine", "reason": "ok_in"},
        {"result": "ok", "reason": "OK IN"},
        {"result": "ok", "reason": "ok_in", "direction": "up"},
        {"result": "ok", "reason": "ok_in", "name": "王桂兰"},
        "ok",
    ],
)
def test_a_station_says_it_in_one_form_only(app, client, scene, writing, at, wrong):
    body = {"nonce": "n", "code": "X", "device_verdict": wrong}
    answer = client.post(
        "/api/v1/scans/batch", json={"scans": [body]}, headers=lead_of(app, scene)
    )
    assert (answer.status_code, answer.get_json()["code"]) == (422, "bad_fields")
    with writing() as session:
        assert (how_many(session, Scan), how_many(session, ScanDifference)) == (0, 0)


def test_heads_and_rolls_over_http(app, client, scene, writing, at):
    many_come(scene, writing, 5)
    headers, shift = lead_of(app, scene), f"/api/v1/shifts/{scene.shift_id}"
    counted = client.post(f"{shift}/head-counts", json={"counted": 4}, headers=headers)
    assert (counted.status_code, counted.get_json()["by_scans"]) == (201, 5)
    assert client.get(f"{shift}/roll-call", headers=headers).status_code == 404
    roll = client.post(f"{shift}/roll-call", headers=headers).get_json()
    assert (roll["open"], len(roll["people"])) == (True, 3)
    assert client.post(f"{shift}/roll-call", headers=headers).get_json() == roll
    called = roll["people"][0]["member_id"]
    answered = client.post(
        f"/api/v1/roll-calls/{roll['id']}/answers",
        json={"member_id": called, "here": False},
        headers=headers,
    ).get_json()
    assert [each["here"] for each in answered["people"]] == [False, None, None]
    for wrong in (-1, 1.5, "3", True, 10_001):
        refused = client.post(f"{shift}/head-counts", json={"counted": wrong}, headers=headers)
        assert refused.status_code == 422
    assert len(client.get(f"{shift}/head-counts", headers=headers).get_json()["items"]) == 1


def test_people_are_found_and_no_phone_goes_out(app, client, scene, writing, at):
    with writing() as session:
        phone = session.get_one(Member, scene.volunteer.member_id).phone
    found = client.post(
        f"/api/v1/shifts/{scene.shift_id}/people/search",
        json={"words": phone[-4:]},
        headers=lead_of(app, scene),
    )
    assert [each["member_id"] for each in found.get_json()["items"]] == [
        scene.volunteer.member_id
    ]
    assert phone not in found.text


def test_a_person_without_a_code_is_checked_in_by_hand_with_a_reason(app, scene, writing, at):
    with writing() as session:
        number = session.get_one(Member, scene.volunteer.member_id).volunteer_no
    browser, token = page(app, writing, scene.organizer.member_id, MIDDLE)
    here = f"/shifts/{scene.shift_id}/people"
    assert browser.get(here).status_code == 200
    shown = browser.post(here, data={"csrf_token": token, "words": "桂兰"})
    assert number in shown.text
    form = {"csrf_token": token, "volunteer_no": number, "direction": "in"}
    asked = browser.post(f"{here}/scans", data=form)
    assert asked.status_code == 422
    done = browser.post(f"{here}/scans", data=form | {"reason": "手机没电", "nonce": "hand-1"})
    assert 'class="verdict ok' in done.text
    with writing() as session:
        scan = session.scalars(select(Scan)).one()
        assert (scan.code_kind, scan.note, scan.counts) == ("manual", "手机没电", True)
        scan_id = scan.id
    undo = browser.post(
        f"/shifts/{scene.shift_id}/scans/{scan_id}/undo", data={"csrf_token": token}
    )
    assert undo.status_code == 303
    with writing() as session:
        assert how_many(session, Attendance) == 0


def test_a_walk_in_by_hand_is_asked_about_first(app, scene, writing, at):
    with writing() as session:
        number = session.get_one(Member, scene.stranger.member_id).volunteer_no
    browser, token = page(app, writing, scene.organizer.member_id, MIDDLE)
    form = {
        "csrf_token": token,
        "volunteer_no": number,
        "direction": "in",
        "reason": "没带手机",
    }
    here = f"/shifts/{scene.shift_id}/people/scans"
    asked = browser.post(here, data=form)
    assert 'name="confirm" value="1"' in asked.text
    assert 'name="reason" value="没带手机"' in asked.text
    done = browser.post(here, data=form | {"confirm": "1"})
    assert 'class="verdict ok' in done.text


def test_the_page_of_counts_and_roll_calls(app, scene, writing, at):
    many_come(scene, writing, 4)
    browser, token = page(app, writing, scene.organizer.member_id, MIDDLE)
    here = f"/shifts/{scene.shift_id}"
    for typed, told in (("三", "整数"), ("３", "人数已记下")):
        browser.post(f"{here}/head-counts", data={"csrf_token": token, "counted": typed})
        assert told in browser.get(f"{here}/watching").text
    browser.post(f"{here}/roll-call", data={"csrf_token": token})
    with writing() as session:
        roll_id = session.scalars(select(RollCall.id)).one()
    shown = browser.get(f"{here}/watching").text
    person = re.search(r'name="member_id" value="(\d+)"', shown)[1]
    browser.post(
        f"/roll-calls/{roll_id}/answers",
        data={
            "csrf_token": token,
            "member_id": person,
            "shift_id": scene.shift_id,
            "here": "yes",
        },
    )
    assert "已标记：在场" in browser.get(f"{here}/watching").text


@pytest.fixture
def waiting(app, client, scene, writing, at):
    """Two on one phone within a second, settled over HTTP; and their secretary."""
    with writing() as session:
        secretary = a_reviewer(session)
    for actor in (scene.volunteer, scene.stranger):
        scene.scan(actor, scene.venue(STARTS), STARTS, device_id="one", confirm=True)
        scene.scan(actor, scene.venue(ENDS, "out"), ENDS, device_id="one")
    at(AFTER)
    settled = client.post(
        f"/api/v1/shifts/{scene.shift_id}/settlement", headers=lead_of(app, scene, AFTER)
    ).get_json()
    assert [each["reason"] for each in settled["held"]] == ["review", "review"]
    assert "open_differences" not in settled
    return secretary


def test_a_program_decides_a_review(app, client, scene, waiting):
    headers = signed_in(app, waiting.member_id, AFTER)
    listed = client.get("/api/v1/reviews?limit=1", headers=headers).get_json()
    assert len(listed["items"]) == 1
    rest = client.get(
        "/api/v1/reviews", query_string={"cursor": listed["next"]}, headers=headers
    ).get_json()
    assert (len(rest["items"]), rest["next"]) == (1, None)
    review = listed["items"][0]
    assert review["may_decide"] is True
    shown = client.get(f"/api/v1/reviews/{review['id']}", headers=headers).get_json()
    assert [scan["device_people"] for scan in shown["evidence"]["scans"]] == [2, 2]
    no_reason = client.post(
        f"/api/v1/reviews/{review['id']}/decision",
        json={"decision": "refuse"},
        headers=headers,
    )
    assert (no_reason.status_code, no_reason.get_json()["code"]) == (400, "review_note_missing")
    decided = client.post(
        f"/api/v1/reviews/{review['id']}/decision",
        json={"decision": "approve"},
        headers=headers,
    ).get_json()
    assert (decided["state"], decided["attendance_state"]) == ("approved", "credited")
    after = client.get("/api/v1/reviews?state=decided", headers=headers).get_json()
    assert [each["id"] for each in after["items"]] == [review["id"]]


def test_the_pages_of_a_review(app, scene, writing, waiting):
    browser, token = page(app, writing, waiting.member_id, AFTER)
    listed = browser.get("/reviews").text
    review_id = int(re.search(r'href="/reviews/(\d+)"', listed)[1])
    shown = browser.get(f"/reviews/{review_id}").text
    assert "两秒内" in shown
    assert "这部手机为 2 人签过到" in shown
    browser.post(
        f"/reviews/{review_id}/decision",
        data={"csrf_token": token, "decision": "refuse", "reason": "一人代签"},
    )
    assert "一人代签" in browser.get(f"/reviews/{review_id}").text
    with writing() as session:
        member_id = session.get_one(Attendance, review_id).member_id
    own, _ = page(app, writing, member_id, AFTER)
    assert "一人代签" in own.get(f"/my-attendance/{review_id}").text
    assert f"/my-attendance/{review_id}" in own.get("/messages").text


def test_the_sheet_leads_to_what_is_open(app, scene, writing, at):
    scan_id = scene.check_in().scan_id
    with writing() as session:
        session.add(
            ScanDifference(
                scan_id=scan_id,
                shift_id=scene.shift_id,
                device_result="refuse",
                device_reason="some_newer_reason",
                server_result="ok",
                server_reason="ok_in",
                found_at=MIDDLE,
            )
        )
    browser, token = page(app, writing, scene.organizer.member_id, MIDDLE)
    sheet = browser.get(f"/shifts/{scene.shift_id}/attendance").text
    assert f"/shifts/{scene.shift_id}/differences" in sheet
    listed = browser.get(f"/shifts/{scene.shift_id}/differences").text
    assert "some_newer_reason" in listed
    scan_id = re.search(r"/differences/(\d+)/decision", listed)[1]
    form = {"csrf_token": token, "decision": "let_in", "shift_id": scene.shift_id}
    browser.post(f"/differences/{scan_id}/decision", data=form)
    assert "请写明原因" in browser.get(f"/shifts/{scene.shift_id}/differences").text
    browser.post(f"/differences/{scan_id}/decision", data=form | {"note": "在场"})
    assert "已按扫码时的时间计入" in browser.get(f"/shifts/{scene.shift_id}/differences").text


def test_the_page_on_which_somebody_signs(app, scene, writing, at):
    people = many_come(scene, writing, 3)
    lead, token = page(app, writing, scene.organizer.member_id, MIDDLE)
    here = f"/shifts/{scene.shift_id}/vouching"
    assert "<option" in lead.get(here).text
    lead.post(f"{here}/asking", data={"csrf_token": token, "member_id": people[0]})
    signer, token = page(app, writing, people[0], MIDDLE)
    assert here in signer.get("/messages").text
    assert signer.get(here).text.count("王*兰") >= 3
    signer.post(here, data={"csrf_token": token})
    assert "您已签名确认名单" in signer.get(here).text
    stranger, _ = page(app, writing, scene.stranger.member_id, MIDDLE)
    assert stranger.get(here).status_code == 404
