"""Roles, contact, approval and acceptance over HTTP."""

from datetime import timedelta

import pytest
import time_machine

from tests.builders import COMMUNITY_CODE, a_claim, a_member, a_shift, signed_in, with_role
from tests.moments import NOON

STARTS = NOON + timedelta(days=2)
LEADER = {"rule": "kind", "in": ["party_member"]}


@pytest.fixture(autouse=True)
def _at_noon():
    with time_machine.travel(NOON, tick=False):
        yield


@pytest.fixture
def people(app, writing):
    """An organizer, a secretary and a volunteer, each as headers."""
    with writing() as session:
        ids = {
            "organizer": with_role(session, a_member(session, "李敏"), "organizer"),
            "secretary": with_role(session, a_member(session, "赵书记"), "secretary"),
            "volunteer": a_member(session),
        }
    return {name: signed_in(app, member_id) for name, member_id in ids.items()}


def body(*roles, **changes):
    shift = {
        "starts_at": STARTS.isoformat(),
        "ends_at": (STARTS + timedelta(hours=3)).isoformat(),
        "place_name": "东门桥头",
        "break_minutes": 15,
        "roles": list(roles or ({"name": "司机", "places": 2}, {"name": "保洁", "places": 6})),
    }
    return {
        "title": "河道清洁",
        "kind": "activity",
        "organization_code": COMMUNITY_CODE,
        "scoring_item": "volunteer_hour",
        "risk_note": "岸边湿滑",
        "contact_name": "李敏",
        "contact_phone": "13912345678",
        "skills": ["driving"],
        "shifts": [shift],
        **changes,
    }


def drafted(client, people, **changes):
    answer = client.post("/api/v1/tasks", json=body(**changes), headers=people["organizer"])
    assert answer.status_code == 201, answer.text
    return answer.json


def published(client, people, **changes):
    task = drafted(client, people, **changes)
    path = f"/api/v1/tasks/{task['id']}"
    answer = client.post(f"{path}/publication", headers=people["organizer"])
    assert answer.status_code == 200, answer.text
    return path, answer.json


def test_a_task_with_roles_comes_back_as_it_was_planned(client, people):
    task = drafted(client, people)
    (shift,) = task["shifts"]
    assert (shift["places"], shift["break_minutes"]) == (8, 15)
    assert [(role["name"], role["places"]) for role in shift["roles"]] == [
        ("司机", 2),
        ("保洁", 6),
    ]
    assert task["skills"] == ["driving"]
    assert (task["risk_level"], task["is_insured"]) == ("low", False)


def test_the_contact_is_for_people_with_a_claim_and_for_organizers(client, people):
    path, task = published(client, people)
    contact = {"name": "李敏", "phone": "13912345678"}
    assert task["contact"] == contact
    seen = client.get(path, headers=people["volunteer"]).json
    assert seen["contact"] is None
    assert "13912345678" not in client.get("/api/v1/tasks", headers=people["volunteer"]).text
    claims = f"/api/v1/shifts/{task['shifts'][0]['id']}/claims"
    claim = client.post(claims, headers=people["volunteer"]).json
    assert client.get(path, headers=people["volunteer"]).json["contact"] == contact
    (mine,) = client.get("/api/v1/me/claims", headers=people["volunteer"]).json["items"]
    assert (mine["contact"], mine["role_name"]) == (contact, "司机")
    client.delete(f"/api/v1/claims/{claim['id']}", headers=people["volunteer"])
    assert client.get(path, headers=people["volunteer"]).json["contact"] is None


def test_a_role_is_chosen_and_one_not_fit_for_is_explained(client, people):
    leader = {"name": "领队", "places": 1, "eligibility": LEADER}
    helper = {"name": "保洁", "places": 1}
    path, _ = published(client, people, shifts=body(leader, helper)["shifts"])
    (shift,) = client.get(path, headers=people["volunteer"]).json["shifts"]
    leading, helping = shift["roles"]
    assert (leading["is_eligible"], leading["missing"]) == (False, [LEADER])
    assert (helping["is_eligible"], helping["missing"]) == (True, [])
    claims = f"/api/v1/shifts/{shift['id']}/claims"
    refused = client.post(claims, json={"role_id": leading["id"]}, headers=people["volunteer"])
    assert (refused.status_code, refused.json["code"]) == (403, "not_eligible")
    assert refused.json["missing"] == [LEADER]
    held = client.post(claims, json={"role_id": helping["id"]}, headers=people["volunteer"])
    assert (held.status_code, held.json["role_id"]) == (201, helping["id"])
    nowhere = client.post(claims, json={"role_id": 10**9}, headers=people["secretary"])
    assert (nowhere.status_code, nowhere.json["code"]) == (404, "shift_role_not_found")


def test_many_places_are_approved_by_a_second_person(client, people):
    many = body({"name": "观众", "places": 51})["shifts"]
    path, task = published(client, people, shifts=many)
    assert task["state"] == "submitted"
    assert client.get(path, headers=people["volunteer"]).status_code == 404
    decision, waiting = f"{path}/decision", "/api/v1/tasks/submitted"
    assert client.get(waiting, headers=people["volunteer"]).status_code == 403
    (item,) = client.get(waiting, headers=people["secretary"]).json["items"]
    assert item["id"] == task["id"]
    unsaid = client.post(decision, json={"decision": "send_back"}, headers=people["secretary"])
    assert unsaid.status_code == 422
    back = {"decision": "send_back", "reason": "太多人"}
    assert client.post(decision, json=back, headers=people["secretary"]).status_code == 200
    again = client.post(f"{path}/publication", headers=people["organizer"])
    assert again.json["state"] == "submitted"
    approved = client.post(decision, json={"decision": "approve"}, headers=people["secretary"])
    assert approved.status_code == 200
    assert client.get(path, headers=people["volunteer"]).json["state"] == "open"


def test_a_draft_and_an_open_task_are_changed(client, people):
    task = drafted(client, people)
    path = f"/api/v1/tasks/{task['id']}"
    changed = client.put(
        f"{path}/plan", json=body(title="社区夜巡"), headers=people["organizer"]
    )
    assert (changed.status_code, changed.json["title"]) == (200, "社区夜巡")
    client.post(f"{path}/publication", headers=people["organizer"])
    whole = client.put(f"{path}/plan", json=body(), headers=people["organizer"])
    assert (whole.status_code, whole.json["code"]) == (409, "task_not_a_draft")
    shift_id = task["shifts"][0]["id"]
    words = {
        "summary": "带手套",
        "place_names": [{"shift_id": shift_id, "place_name": "西门"}],
    }
    answer = client.patch(f"{path}/words", json=words, headers=people["organizer"])
    assert (answer.status_code, answer.json["summary"]) == (200, "带手套")
    assert answer.json["shifts"][0]["place_name"] == "西门"


def test_a_place_is_accepted_and_given_up_with_a_reason(app, client, people, writing):
    with writing() as session:
        shift_id = a_shift(session, STARTS, places=1)
        first = a_member(session)
        held = a_claim(session, shift_id, first)
    path = f"/api/v1/shifts/{shift_id}/claims"
    mine = client.post(path, headers=people["volunteer"]).json
    assert (mine["state"], mine["position"], mine["accept_by"]) == ("waitlisted", 1, None)
    client.delete(f"/api/v1/claims/{held.id}", headers=signed_in(app, first))
    again = client.post(path, headers=people["volunteer"]).json
    assert again["state"] == "claimed"
    assert again["accept_by"] is not None
    claim = f"/api/v1/claims/{mine['id']}"
    assert client.post(f"{claim}/acceptance", headers=people["secretary"]).status_code == 404
    for _ in range(2):
        accepted = client.post(f"{claim}/acceptance", headers=people["volunteer"])
        assert (accepted.status_code, accepted.json["accept_by"]) == (200, None)
    for _ in range(2):
        gone = client.post(
            f"{claim}/withdrawal", json={"reason": "临时有事"}, headers=people["volunteer"]
        )
        assert gone.json == {"id": mine["id"], "state": "withdrawn", "told_in_time": True}


def test_an_overlap_is_told_with_the_claim(client, people, writing):
    with writing() as session:
        one = a_shift(session, STARTS, title="社区夜巡")
        other = a_shift(session, STARTS + timedelta(hours=1))
    client.post(f"/api/v1/shifts/{one}/claims", headers=people["volunteer"])
    held = client.post(f"/api/v1/shifts/{other}/claims", headers=people["volunteer"]).json
    assert held["state"] == "claimed"
    assert [each["title"] for each in held["overlaps"]] == ["社区夜巡"]


@pytest.mark.parametrize(
    "changes",
    [
        {"risk_level": "deadly"},
        {"contact_phone": "call me"},
        {"contact_phone": "139\u202e12345678x"},
        {"eligibility": []},
        {"skills": "driving"},
        {"claims_open_at": "soon"},
        {"approved_by_id": 1},
    ],
)
def test_a_bad_detail_is_refused(client, people, changes):
    answer = client.post("/api/v1/tasks", json=body(**changes), headers=people["organizer"])
    assert (answer.status_code, answer.json["code"]) == (422, "bad_fields")


@pytest.mark.parametrize(
    "shift",
    [
        {"roles": []},
        {"roles": [{"name": "司机", "places": 0}]},
        {"roles": [{"name": "司机"}]},
        {"roles": [{"name": "x" * 41, "places": 1}]},
        {"places": 9},
        {"break_minutes": -1},
        {"break_minutes": 1440},
    ],
)
def test_bad_roles_are_refused(client, people, shift):
    wrong = {**body()["shifts"][0], **shift}
    answer = client.post(
        "/api/v1/tasks", json=body(shifts=[wrong]), headers=people["organizer"]
    )
    assert answer.status_code == 422
    assert answer.json["errors"]["shifts"]["0"]
