"""Attendance over HTTP: codes, scans, the sheet, settlement; and what bad input is answered."""

from datetime import datetime, timedelta

import pytest
import time_machine

from pointsbank.attendance.models import Scan
from tests.attendance.scene import ENDS, STARTS
from tests.builders import a_member, an_organization, how_many, signed_in, with_role


@pytest.fixture
def clock():
    """The clock on the wall, standing at the beginning of the shift."""
    with time_machine.travel(STARTS, tick=False) as traveller:
        yield traveller


@pytest.fixture
def people(app, writing, scene, clock):
    """The scene's people as headers, and an organizer of another community."""
    with writing() as session:
        place = an_organization(session, "140303005004", name="别处社区")
        foreign = with_role(
            session, a_member(session, organization_id=place), "organizer", place
        )
    return {
        "organizer": signed_in(app, scene.organizer.member_id),
        "volunteer": signed_in(app, scene.volunteer.member_id),
        "stranger": signed_in(app, scene.stranger.member_id),
        "foreign": signed_in(app, foreign),
    }


@pytest.fixture
def send(client, people):
    """Send one scan and return the verdict."""
    numbers = iter(range(1, 1000))

    def send(who, code, **more):
        body = {"nonce": f"scan-{next(numbers)}", "code": code, **more}
        answer = client.post("/api/v1/scans", json=body, headers=people[who])
        assert answer.status_code == 200, answer.text
        return answer.json

    return send


def test_the_venue_code_is_the_organizers(client, people, scene):
    path = f"/api/v1/shifts/{scene.shift_id}/venue-code"
    for who, status in (("volunteer", 403), ("foreign", 404), ("organizer", 200)):
        assert client.get(path, headers=people[who]).status_code == status
    shown = client.get(f"{path}?direction=out", headers=people["organizer"]).json
    assert shown["code"] == scene.venue(STARTS, "out")
    assert shown["url"] == f"HTTP://127.0.0.1:8000/S/{shown['code']}"
    assert shown["refresh_seconds"] == 15
    left = datetime.fromisoformat(shown["expires_at"]) - STARTS
    assert timedelta(0) < left <= timedelta(seconds=15)
    assert client.get(f"{path}?direction=up", headers=people["organizer"]).status_code == 422


def test_a_verdict_says_everything_a_screen_needs(send, scene):
    verdict = send("volunteer", scene.venue(STARTS))
    assert verdict["title"] == "签到成功"
    assert "第 1 位，共 25 人" in verdict["detail"]
    assert verdict["action"] == "撤销"
    assert set(verdict) >= {
        *("scan_id", "result", "reason", "title", "detail", "action", "person", "counts"),
        *("first", "points_preview", "undo_until", "server_time"),
    }
    undo_until = datetime.fromisoformat(verdict["undo_until"])
    assert undo_until - datetime.fromisoformat(verdict["server_time"]) == timedelta(seconds=60)


def test_checking_out_says_what_it_will_give(send, scene, clock):
    send("volunteer", scene.venue(STARTS))
    clock.move_to(ENDS)
    verdict = send("volunteer", scene.venue(ENDS, "out"))
    assert verdict["title"] == "签退成功"
    assert verdict["detail"] == "今天2小时30分 · 预计+25分"


def test_a_second_check_in_says_when_and_by_whom(send, scene, clock):
    send("organizer", scene.personal(scene.volunteer, STARTS), shift_id=scene.shift_id)
    clock.shift(timedelta(minutes=30))
    now = STARTS + timedelta(minutes=30)
    verdict = send("volunteer", scene.venue(now))
    assert (verdict["result"], verdict["reason"]) == ("confirm", "already_in")
    assert "13:30" in verdict["detail"]
    assert "李*" in verdict["detail"]
    assert verdict["action"] == "改为签退"
    assert verdict["direction"] == "out"


def test_every_reason_has_words_in_both_languages(client, people, scene, clock, send):
    texts = {
        "bad_code": "hello",
        "code_expired": scene.venue(STARTS - timedelta(minutes=5)),
        "not_claimed": scene.venue(STARTS),
    }
    for reason, code in texts.items():
        chinese = send("stranger", code)
        assert chinese["reason"] == reason
        english = client.post(
            "/api/v1/scans",
            json={"nonce": f"en-{reason}", "code": code},
            headers={**people["stranger"], "Accept-Language": "en"},
        ).json
        assert english["title"].isascii()
        assert not chinese["title"].isascii()


def test_the_same_nonce_has_the_same_answer_word_for_word(client, people, scene, clock):
    body = {"nonce": "once", "code": scene.venue(STARTS)}
    first = client.post("/api/v1/scans", json=body, headers=people["volunteer"])
    clock.shift(timedelta(seconds=20))
    again = client.post("/api/v1/scans", json=body, headers=people["volunteer"])
    assert first.data == again.data


def test_a_batch_is_answered_in_order(client, people, scene, clock):
    clock.move_to(ENDS)
    scans = [
        {
            "nonce": "b1",
            "code": scene.personal(scene.volunteer, STARTS),
            "shift_id": scene.shift_id,
            "direction": "in",
            "offline": True,
            "scanned_at": STARTS.isoformat(),
        },
        {"nonce": "b2", "code": "nonsense"},
        {
            "nonce": "b3",
            "code": scene.personal(scene.volunteer, ENDS),
            "shift_id": scene.shift_id,
        },
    ]
    answer = client.post(
        "/api/v1/scans/batch", json={"scans": scans}, headers=people["organizer"]
    )
    reasons = [verdict["reason"] for verdict in answer.json["verdicts"]]
    assert reasons == ["ok_in", "bad_code", "ok_out"]
    again = client.post(
        "/api/v1/scans/batch", json={"scans": scans}, headers=people["organizer"]
    )
    assert again.json == answer.json


def test_undo_over_http(client, people, scene, send, clock):
    verdict = send("volunteer", scene.venue(STARTS))
    path = f"/api/v1/scans/{verdict['scan_id']}/undo"
    assert client.post(path, headers=people["organizer"]).status_code == 404
    for _ in range(2):
        undone = client.post(path, headers=people["volunteer"])
        assert undone.status_code == 200
        assert undone.json["counts"] == {"arrived": 0, "present": 0}
    second = send("volunteer", scene.venue(STARTS))
    assert second["reason"] == "ok_in"
    clock.shift(timedelta(seconds=61))
    late = client.post(f"/api/v1/scans/{second['scan_id']}/undo", headers=people["volunteer"])
    assert (late.status_code, late.json["code"]) == (409, "undo_too_late")


def test_the_sheet_and_the_settlement(client, people, scene, send, clock):
    sheet = f"/api/v1/shifts/{scene.shift_id}/attendance"
    settlement = f"/api/v1/shifts/{scene.shift_id}/settlement"
    send("volunteer", scene.venue(STARTS))
    early = client.post(settlement, headers=people["organizer"])
    assert (early.status_code, early.json["code"]) == (409, "shift_not_over")
    clock.move_to(ENDS)
    send("volunteer", scene.venue(ENDS, "out"))
    (line,) = client.get(sheet, headers=people["organizer"]).json["items"]
    assert (line["display_name"], line["state"], line["minutes"]) == ("王*兰", "left", 150)
    assert line["would_award"] == {"points": 25, "service_minutes": 150}
    for who, status in (("volunteer", 403), ("foreign", 404)):
        assert client.get(sheet, headers=people[who]).status_code == status
        assert client.post(settlement, headers=people[who]).status_code == status
    for _ in range(2):
        done = client.post(settlement, headers=people["organizer"])
        assert done.status_code == 200
        assert done.json == {
            "awarded": [
                {"member_id": scene.volunteer.member_id, "points": 25, "service_minutes": 150}
            ],
            "held": [],
        }
    (line,) = client.get(sheet, headers=people["organizer"]).json["items"]
    assert line["state"] == "credited"


def test_the_screen_shows_who_came_last(client, people, scene, send):
    send("volunteer", scene.venue(STARTS))
    path = f"/api/v1/shifts/{scene.shift_id}/arrivals"
    shown = client.get(path, headers=people["organizer"]).json
    assert (shown["arrived"], shown["places"]) == (1, 25)
    assert shown["recent"] == [{"time": "13:30", "name": "王*兰"}]
    assert client.get(path, headers=people["foreign"]).status_code == 404


BAD_SCANS = [
    {"nonce": ""},
    {"nonce": "x" * 65},
    {"nonce": "two words"},
    {"nonce": "中"},
    {"nonce": 7},
    {"nonce": None},
    {"code": ""},
    {"code": None},
    {"code": 123},
    {"code": ["A"]},
    {"code": "x" * 501},
    {"shift_id": 0},
    {"shift_id": -1},
    {"shift_id": 2**63},
    {"shift_id": "1"},
    {"shift_id": 1.5},
    {"direction": "up"},
    {"direction": None},
    {"scanned_at": "2026-11-21T13:30:00"},
    {"scanned_at": "0001-01-01T00:00:00+14:00"},
    {"scanned_at": 1},
    {"offline": "yes"},
    {"confirm": 1},
    {"device_id": "x" * 65},
    {"device_id": "a\x00b"},
    {"location": {"latitude": 91, "longitude": 0}},
    {"location": {"latitude": 1}},
    {"location": [1, 2]},
    {"location": {"latitude": "nan", "longitude": 0}},
    {"note": "x" * 201},
    {"note": ""},
    {"member_id": 1},
    {"points": 100},
    {"result": "ok"},
]


@pytest.mark.parametrize("changes", BAD_SCANS, ids=lambda changes: str(changes)[:40])
def test_a_bad_scan_is_refused_and_not_kept(client, people, writing, changes):
    body = {"nonce": "bad", "code": "AAAA", **changes}
    answer = client.post("/api/v1/scans", json=body, headers=people["volunteer"])
    assert (answer.status_code, answer.json["code"]) == (422, "bad_fields")
    with writing() as session:
        assert how_many(session, Scan) == 0


STRANGE_CODES = [
    "\x00",
    "\u202e\u200b",
    "😀" * 40,
    "ＡＢＣ",
    "1" * 18,
    "771234567890123456",
    "７７１２３４５６７８９０１２３４５２",
    "HTTPS://X/S/",
    "HTTPS://X/S/A",
    "http://evil/S/AAAA/../../x",
    "A" * 500,
    "IAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
    "' OR 1=1 --",
    "{{ 7*7 }}",
]


@pytest.mark.parametrize("code", STRANGE_CODES, ids=ascii)
def test_strange_codes_are_verdicts_never_faults(send, code):
    verdict = send("volunteer", code)
    assert verdict["result"] == "refuse"
    assert verdict["reason"] in ("bad_code", "bad_signature", "wrong_purpose")


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"null",
        b"[]",
        b'"scan"',
        b"{",
        b"\xff\xfe",
        b'{"nonce": "a", "code": "\\ud800"}',
        b'{"nonce": "a", "code": "A", "note": "\\ud800"}',
        b'{"nonce": "a", "code": "A", "shift_id": 1e400}',
        b'{"nonce": "a", "code": "A", "shift_id": NaN}',
        b'{"nonce": "a", "code": "A", "note": "\\u0000"}',
        b'{"nonce": "a", "code": "A"' + b"," * 1000 + b"}",
        b'{"scans": ' + b"[" * 5000 + b"]" * 5000 + b"}",
    ],
    ids=lambda raw: ascii(raw)[:44],
)
@pytest.mark.parametrize("path", ["scans", "scans/batch"])
def test_no_body_at_all_is_a_fault(client, people, path, raw):
    answer = client.post(
        f"/api/v1/{path}",
        data=raw,
        headers={**people["volunteer"], "Content-Type": "application/json"},
    )
    assert answer.status_code < 500, answer.text
    assert answer.status_code in (200, 400, 422)


@pytest.mark.parametrize("scans", [[], None, "x", [{}], [None], [[]], [{"code": "A"}] * 201])
def test_a_bad_batch_is_refused(client, people, scans):
    answer = client.post(
        "/api/v1/scans/batch", json={"scans": scans}, headers=people["volunteer"]
    )
    assert answer.status_code == 422


def test_a_scan_needs_a_person(client, scene):
    body = {"nonce": "a", "code": scene.venue(STARTS)}
    answer = client.post("/api/v1/scans", json=body)
    assert answer.status_code in (400, 401)
