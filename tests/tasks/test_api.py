"""Tasks over HTTP: draft, publish, find, claim; and what bad input is answered."""

from datetime import timedelta

import pytest
import time_machine

from tests.builders import (
    COMMUNITY_CODE,
    a_claim,
    a_member,
    a_plan,
    a_shift,
    a_task,
    an_organization,
    signed_in,
    with_role,
)
from tests.moments import NOON

STARTS = NOON + timedelta(minutes=90)


@pytest.fixture(autouse=True)
def _at_noon():
    with time_machine.travel(NOON, tick=False):
        yield


@pytest.fixture
def people(app, writing):
    """An organizer, a volunteer, and an organizer of another community, each as headers."""
    with writing() as session:
        organizer = with_role(session, a_member(session, "李敏"), "organizer")
        other_place = an_organization(session, "140303005004", name="别处社区")
        foreign = with_role(
            session, a_member(session, organization_id=other_place), "organizer", other_place
        )
        volunteer = a_member(session)
    return {
        name: signed_in(app, member_id)
        for name, member_id in (
            ("organizer", organizer),
            ("foreign", foreign),
            ("volunteer", volunteer),
        )
    }


def body(**changes):
    shift = {
        "starts_at": STARTS.isoformat(),
        "ends_at": (STARTS + timedelta(minutes=150)).isoformat(),
        "places": 3,
        "place_name": "东门桥头",
    }
    shift.update(changes.pop("shift", {}))
    whole = {
        "title": "河道清洁",
        "kind": "activity",
        "organization_code": COMMUNITY_CODE,
        "scoring_item": "volunteer_hour",
        "summary": "沿河捡拾垃圾",
        "risk_note": "岸边湿滑",
        "shifts": [shift],
    }
    return {**whole, **changes}


def test_a_draft_is_seen_by_its_organizers_only(client, people):
    drafted = client.post("/api/v1/tasks", json=body(), headers=people["organizer"])
    assert drafted.status_code == 201
    task = drafted.json
    assert task["state"] == "draft"
    shift = task["shifts"][0]
    assert (shift["places"], shift["claimed"], shift["waitlisted"]) == (3, 0, 0)
    assert (shift["points"], shift["service_minutes"]) == (25, 150)
    assert "handle" not in shift
    path = f"/api/v1/tasks/{task['id']}"
    for who, status in (("organizer", 200), ("foreign", 404), ("volunteer", 404)):
        assert client.get(path, headers=people[who]).status_code == status
    assert client.get("/api/v1/tasks", headers=people["volunteer"]).json["items"] == []
    claim = client.post(f"/api/v1/shifts/{shift['id']}/claims", headers=people["volunteer"])
    assert claim.status_code == 404
    for who, status in (("volunteer", 403), ("foreign", 404), ("organizer", 200)):
        published = client.post(f"{path}/publication", headers=people[who])
        assert published.status_code == status
    assert client.post(f"{path}/publication", headers=people["organizer"]).status_code == 200
    assert client.get(path, headers=people["volunteer"]).json["state"] == "open"


def test_claiming_over_http(client, people, writing):
    with writing() as session:
        shift_id = a_shift(session, places=1)
        a_claim(session, shift_id)
    path = f"/api/v1/shifts/{shift_id}/claims"
    first = client.post(path, headers=people["volunteer"])
    assert first.status_code == 201
    assert first.json["state"] == "waitlisted"
    assert first.json["position"] == 1
    assert client.post(path, headers=people["volunteer"]).json == first.json
    mine = client.get("/api/v1/me/claims", headers=people["volunteer"]).json["items"]
    assert [(each["id"], each["task"]["title"]) for each in mine] == [
        (first.json["id"], "河道清洁")
    ]
    claim = f"/api/v1/claims/{first.json['id']}"
    assert client.delete(claim, headers=people["foreign"]).status_code == 404
    for _ in range(2):
        assert client.delete(claim, headers=people["volunteer"]).status_code == 204
    assert client.get("/api/v1/me/claims", headers=people["volunteer"]).json["items"] == []


def test_full_shifts_are_not_offered_and_filters_narrow(client, people, writing):
    with writing() as session:
        full = a_shift(session, places=1, title="full")
        a_claim(session, full)
        near = a_shift(session, latitude=37.80, longitude=113.60, title="near")
        far = a_shift(session, STARTS + timedelta(days=3), latitude=38.2, longitude=113.6)
        other_place = an_organization(session, "140303006001", name="第三社区")
        away = a_task(session, organization_id=other_place, title="away")
        del near, far, away

    def titles(query=""):
        found = client.get(f"/api/v1/tasks{query}", headers=people["volunteer"])
        assert found.status_code == 200, found.text
        return [item["title"] for item in found.json["items"]]

    assert titles() == ["near", "away", "河道清洁"]
    assert titles("?organization_code=140303006001") == ["away"]
    assert titles("?kind=visit") == []
    assert titles("?from=2026-11-23") == ["河道清洁"]
    assert titles("?to=2026-11-22T00:00:00%2B08:00") == ["near", "away"]
    assert titles("?near=38.2,113.6") == ["河道清洁", "near", "away"]
    assert titles("?near=home")[-1] == "away"
    first = client.get("/api/v1/tasks?limit=2", headers=people["volunteer"]).json
    assert [item["title"] for item in first["items"]] == ["near", "away"]
    assert titles(f"?limit=2&cursor={first['next']}") == ["河道清洁"]


def test_a_task_can_be_called_off(client, people, writing):
    with writing() as session:
        task_id = a_task(session)
    path = f"/api/v1/tasks/{task_id}/cancellation"
    assert (
        client.post(path, json={"reason": "大雨"}, headers=people["foreign"]).status_code == 404
    )
    done = client.post(path, json={"reason": "大雨"}, headers=people["organizer"])
    assert (done.status_code, done.json["state"]) == (200, "cancelled")
    again = client.post(f"/api/v1/tasks/{task_id}/publication", headers=people["organizer"])
    assert (again.status_code, again.json["code"]) == (409, "task_not_open")


BAD_SHIFTS = [
    {"starts_at": "2026-11-21T13:30:00"},  # no offset: nobody knows when that is
    {"starts_at": "tomorrow"},
    {"starts_at": 1795239000},
    {"starts_at": "0001-01-01T00:00:00+14:00"},
    {"starts_at": "9999-12-31T23:59:59-14:00"},
    {"ends_at": None},
    {"places": 0},
    {"places": -1},
    {"places": 2001},
    {"places": 1.5},
    {"places": "3"},
    {"places": "３"},
    {"places": True},
    {"places": 10**30},
    {"place_name": "   "},
    {"place_name": "x" * 121},
    {"latitude": 91, "longitude": 0},
    {"latitude": "NaN", "longitude": 0},
    {"latitude": 1e400, "longitude": 0},
    {"handle": "mine"},
]
BAD_BODIES = [
    {"title": ""},
    {"title": "\u200b\u202e"},
    {"title": "x" * 81},
    {"title": ["河道清洁"]},
    {"kind": "war"},
    {"shifts": []},
    {"shifts": None},
    {"shifts": [{}]},
    {"shifts": "none"},
    {"points": 1000},
    {"state": "open"},
    {"organizer_id": 1},
    {"summary": None},
    {"summary": "x" * 2001},
]


@pytest.mark.parametrize("shift", BAD_SHIFTS, ids=str)
def test_a_bad_shift_is_refused_field_by_field(client, people, shift):
    answer = client.post("/api/v1/tasks", json=body(shift=shift), headers=people["organizer"])
    assert (answer.status_code, answer.json["code"]) == (422, "bad_fields")
    assert answer.json["errors"]["shifts"]["0"]


@pytest.mark.parametrize("changes", BAD_BODIES, ids=lambda changes: str(changes)[:40])
def test_a_bad_body_is_refused(client, people, changes):
    answer = client.post("/api/v1/tasks", json=body(**changes), headers=people["organizer"])
    assert answer.status_code == 422
    assert answer.json["errors"]


@pytest.mark.parametrize(
    ("changes", "status", "code"),
    [
        ({"shift": {"ends_at": STARTS.isoformat()}}, 400, "ends_before_start"),
        ({"shift": {"ends_at": NOON.isoformat()}}, 400, "ends_before_start"),
        (
            {"shift": {"ends_at": (STARTS + timedelta(hours=25)).isoformat()}},
            400,
            "shift_too_long",
        ),
        ({"shift": {"latitude": 37.8}}, 400, "half_a_position"),
        ({"scoring_item": "daily_sign_in"}, 400, "unknown_scoring_item"),
        ({"organization_code": "140303005004"}, 404, "organization_not_found"),
        ({"organization_code": "nowhere"}, 404, "organization_not_found"),
    ],
)
def test_what_breaks_a_rule_has_a_code(client, people, changes, status, code):
    answer = client.post("/api/v1/tasks", json=body(**changes), headers=people["organizer"])
    assert (answer.status_code, answer.json["code"]) == (status, code)


def test_the_past_cannot_be_published(client, people, writing):
    with writing() as session:
        past = a_plan(NOON - timedelta(hours=5))
        task_id = a_task(session, shifts=[past], is_open=False)
    answer = client.post(f"/api/v1/tasks/{task_id}/publication", headers=people["organizer"])
    assert (answer.status_code, answer.json["code"]) == (400, "shift_in_the_past")


@pytest.mark.parametrize(
    "title", ["<script>alert(1)</script>", "河道清洁 😀", "مهمة\u202eabc", "' OR 1=1 --"]
)
def test_strange_titles_stay_words(client, people, title):
    answer = client.post("/api/v1/tasks", json=body(title=title), headers=people["organizer"])
    assert answer.status_code == 201
    assert answer.json["title"] == title.replace("\u202e", "")


@pytest.mark.parametrize(
    "query",
    [
        "limit=0",
        "limit=201",
        "limit=x",
        "cursor=nonsense",
        "kind=war",
        "from=yesterday",
        "from=2026-13-01",
        "from=2026-11-21T00:00:00",
        "to=0001-01-01T00:00:00%2B14:00",
        "near=1",
        "near=a,b",
        "near=nan,nan",
        "near=1,2,3",
        "near=99,0",
    ],
)
def test_bad_filters_are_refused(client, people, query):
    answer = client.get(f"/api/v1/tasks?{query}", headers=people["volunteer"])
    assert answer.status_code in (400, 422)


@pytest.mark.parametrize("path", ["tasks/0", "tasks/9223372036854775808", "tasks/-1"])
def test_ids_that_no_row_has_are_nothing(client, people, path):
    assert client.get(f"/api/v1/{path}", headers=people["volunteer"]).status_code == 404


def test_nobody_claims_without_signing_in(client, writing):
    with writing() as session:
        shift_id = a_shift(session)
    assert client.post(f"/api/v1/shifts/{shift_id}/claims").status_code in (400, 401)
