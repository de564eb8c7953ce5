"""The JSON doors of merchants: what comes in, what goes out, what is said about bad input."""

import io

import pytest

from pointsbank.core.codes import Purpose, read_code
from tests.builders import COMMUNITY_CODE, a_member, a_merchant, an_organization, signed_in
from tests.merchants.partners import a_clerk, a_shop, an_administrator
from tests.merchants.pictures import PDF, a_bomb, a_picture
from tests.moments import NOON

BODY = {
    "name": "惠民粮油店",
    "kind": "shop",
    "organization_code": COMMUNITY_CODE,
    "license_no": "91350100M000100Y43",
    "address": "平潭街 8 号",
}
CONTRACT = {
    "reference": "2026-07",
    "valid_from": "2026-11-01",
    "valid_until": "2027-10-31",
    "rate_fen": 1_250,
    "month_points_max": 9_000,
}
HOURS = [{"weekday": 5, "opens": "08:00", "closes": "20:00"}]
APPLICATIONS = "/api/v1/merchant-applications"


@pytest.fixture(autouse=True)
def at_noon(monkeypatch):
    monkeypatch.setattr("pointsbank.core.clock.now", lambda: NOON)


@pytest.fixture
def people(app, writing):
    """Headers of an applicant, two administrators, and a merchant with its clerk."""
    with writing() as session:
        an_organization(session)
        merchant_id = a_merchant(session)
        ids = {
            "applicant": a_member(session, "赵老板"),
            "first": an_administrator(session).member_id,
            "second": an_administrator(session).member_id,
            "clerk": a_clerk(session, merchant_id).member_id,
        }
        shop_id = a_shop(session, merchant_id)
    headers = {name: signed_in(app, member_id, NOON) for name, member_id in ids.items()}
    return {**headers, "merchant": merchant_id, "shop": shop_id}


def attach(client, application_id, headers, content=PDF, **form):
    return client.post(
        f"{APPLICATIONS}/{application_id}/papers",
        data={"file": (io.BytesIO(content), "license.pdf"), **(form or {"kind": "license"})},
        headers=headers,
    )


def test_from_an_application_to_a_merchant_with_a_contract(client, people):
    mine, first, second = people["applicant"], people["first"], people["second"]
    sent = client.post(APPLICATIONS, json=BODY, headers=mine)
    assert (sent.status_code, sent.json["state"], sent.json["papers"]) == (201, "waiting", [])
    address = f"{APPLICATIONS}/{sent.json['id']}"
    assert sent.json["applicant"]["display_name"] == "赵*板"
    early = client.post(f"{address}/decision", json={"decision": "approve"}, headers=first)
    assert (early.status_code, early.json["code"]) == (400, "license_missing")
    paper = attach(client, sent.json["id"], mine)
    assert (paper.status_code, paper.json["media_type"]) == (201, "application/pdf")
    shown = client.get(f"/api/v1/merchant-papers/{paper.json['id']}", headers=first)
    assert (shown.data, shown.mimetype) == (PDF, "application/pdf")
    assert shown.headers["Content-Disposition"].startswith("attachment")
    done = client.post(f"{address}/decision", json={"decision": "approve"}, headers=first)
    assert (done.status_code, done.json["state"]) == (200, "approved")
    merchant = f"/api/v1/merchants/{done.json['merchant_id']}"
    proposed = client.post(f"{merchant}/contracts", json=CONTRACT, headers=first)
    assert (proposed.status_code, proposed.json["state"]) == (201, "proposed")
    decision = f"/api/v1/merchant-contracts/{proposed.json['id']}/decision"
    own = client.post(decision, json={"decision": "approve"}, headers=first)
    assert (own.status_code, own.json["code"]) == (403, "contract_second_person")
    signed = client.post(decision, json={"decision": "approve"}, headers=second)
    assert (signed.status_code, signed.json["state"]) == (200, "in_force")
    file = client.get(merchant, headers=mine).json
    assert (file["rate_fen"], file["takes_until"], file["month_points_max"]) == (
        1_250,
        "2027-10-31",
        9_000,
    )
    assert file["takes_points"] is True
    assert client.get(f"{merchant}/clerks", headers=mine).json["items"][0]["display_name"] == (
        "赵*板"
    )
    end = f"/api/v1/merchant-contracts/{proposed.json['id']}/end"
    ended = client.post(end, json={"last_on": "2026-11-30"}, headers=first).json
    assert ended["valid_until"] == "2026-11-30"
    assert client.get(f"{merchant}/contracts", headers=mine).json["items"] == [ended]


def test_an_application_is_refused_with_a_reason_or_taken_back(client, people):
    mine, first = people["applicant"], people["first"]
    ids = [
        client.post(APPLICATIONS, json={**BODY, "name": name}, headers=mine).json["id"]
        for name in ("一店", "二店", "三店")
    ]
    silent = client.post(
        f"{APPLICATIONS}/{ids[0]}/decision", json={"decision": "refuse"}, headers=first
    )
    assert (silent.status_code, silent.json["code"]) == (400, "reason_missing")
    refused = client.post(
        f"{APPLICATIONS}/{ids[0]}/decision",
        json={"decision": "refuse", "reason": "照片看不清"},
        headers=first,
    )
    assert (refused.json["state"], refused.json["decision_note"]) == ("refused", "照片看不清")
    assert client.delete(f"{APPLICATIONS}/{ids[1]}", headers=mine).status_code == 204
    listed = client.get(f"{APPLICATIONS}?limit=2", headers=mine).json
    assert [each["state"] for each in listed["items"]] == ["waiting", "withdrawn"]
    rest = client.get(f"{APPLICATIONS}?cursor={listed['next']}", headers=mine).json
    assert [each["id"] for each in rest["items"]] == ids[:1]
    waiting = client.get(f"{APPLICATIONS}?state=waiting", headers=first).json["items"]
    assert [each["id"] for each in waiting] == ids[2:]


@pytest.mark.parametrize(
    ("change", "status", "code"),
    [
        ({"name": " "}, 422, "bad_fields"),
        ({"kind": "bank"}, 422, "bad_fields"),
        ({"more": 1}, 422, "bad_fields"),
        ({"address": "x" * 201}, 422, "bad_fields"),
        ({"license_no": "91350100M000100Y44"}, 400, "bad_license"),
        ({"license_no": ""}, 400, "bad_license"),
        ({"organization_code": "404"}, 404, "organization_not_found"),
    ],
)
def test_a_bad_application(client, people, change, status, code):
    answer = client.post(APPLICATIONS, json={**BODY, **change}, headers=people["applicant"])
    assert (answer.status_code, answer.json["code"]) == (status, code)


@pytest.mark.parametrize(
    ("content", "form", "status", "code"),
    [
        (b"<html>", {"kind": "license"}, 400, "bad_paper"),
        (a_bomb(), {"kind": "license"}, 400, "bad_paper"),
        (PDF, {"kind": "passport"}, 422, "bad_fields"),
        (PDF, {"more": "1"}, 422, "bad_fields"),
    ],
)
def test_a_bad_paper(client, people, content, form, status, code):
    sent = client.post(APPLICATIONS, json=BODY, headers=people["applicant"]).json
    answer = attach(client, sent["id"], people["applicant"], content, **form)
    assert (answer.status_code, answer.json["code"]) == (status, code)


def test_a_paper_that_is_too_large(client, people, monkeypatch):
    monkeypatch.setattr("pointsbank.merchants.papers.PAPER_BYTES_MAX", len(PDF) - 1)
    sent = client.post(APPLICATIONS, json=BODY, headers=people["applicant"]).json
    answer = attach(client, sent["id"], people["applicant"])
    assert (answer.status_code, answer.json["code"]) == (400, "paper_too_large")


def test_a_picture_is_shown_as_a_picture(client, people):
    sent = client.post(APPLICATIONS, json=BODY, headers=people["applicant"]).json
    paper = attach(client, sent["id"], people["applicant"], a_picture("PNG")).json
    shown = client.get(f"/api/v1/merchant-papers/{paper['id']}", headers=people["first"])
    assert (shown.mimetype, shown.data[:3]) == ("image/jpeg", b"\xff\xd8\xff")
    assert shown.headers["Content-Disposition"].startswith("inline")
    assert shown.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize(
    ("change", "status", "code"),
    [
        ({"rate_fen": 0}, 422, "bad_fields"),
        ({"rate_fen": "1000"}, 422, "bad_fields"),
        ({"rate_fen": 100_001}, 422, "bad_fields"),
        ({"month_points_max": 0}, 422, "bad_fields"),
        ({"valid_from": "1.11.2026"}, 422, "bad_fields"),
        ({"valid_from": "2026-10-31"}, 400, "bad_term"),
        ({"valid_until": "2026-11-20"}, 400, "bad_term"),
        ({"reference": ""}, 422, "bad_fields"),
    ],
)
def test_a_bad_contract(client, people, change, status, code):
    answer = client.post(
        f"/api/v1/merchants/{people['merchant']}/contracts",
        json={**CONTRACT, **change},
        headers=people["first"],
    )
    assert (answer.status_code, answer.json["code"]) == (status, code)


def test_a_shop_is_written_and_seen_by_members(client, people):
    shops = f"/api/v1/merchants/{people['merchant']}/shops"
    body = {"name": "二店", "address": "东街", "latitude": 37.8, "longitude": 113.5}
    made = client.post(shops, json={**body, "hours": HOURS}, headers=people["clerk"])
    assert (made.status_code, made.json["hours"], made.json["is_open"]) == (201, HOURS, True)
    seen = client.get(shops, headers=people["applicant"]).json["items"]
    assert {each["name"]: each["is_open"] for each in seen} == {"二店": True, "总店": True}
    assert "till_handle" not in seen[0]
    address = f"/api/v1/shops/{made.json['id']}"
    changed = client.put(address, json={"name": "二店"}, headers=people["clerk"]).json
    assert (changed["hours"], changed["is_open"], changed["address"]) == ([], None, "")
    client.post(f"{address}/state", json={"state": "closed"}, headers=people["clerk"])
    seen = client.get(shops, headers=people["applicant"]).json["items"]
    assert [each["name"] for each in seen] == ["总店"]
    kept = client.get(shops, headers=people["clerk"]).json["items"]
    assert [(each["name"], each["is_open"]) for each in kept] == [
        ("总店", True),
        ("二店", False),
    ]


def test_a_tills_code_is_shown_and_drawn_anew(client, people):
    address = f"/api/v1/shops/{people['shop']}/till-code"
    shown = client.get(address, headers=people["clerk"]).json
    assert read_code(shown["url"]).purpose is Purpose.TILL
    assert shown["url"].endswith(f"/T/{shown['code']}")
    assert client.get(address, headers=people["clerk"]).json == shown
    drawn = client.post(address, headers=people["clerk"])
    assert drawn.status_code == 201
    assert drawn.json["code"] != shown["code"]
    assert client.get(address, headers=people["clerk"]).json == drawn.json


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({}, 422, "bad_fields"),
        ({"name": "总店"}, 409, "shop_name_taken"),
        ({"name": "x", "latitude": 37.0}, 400, "position_incomplete"),
        ({"name": "x", "latitude": 91, "longitude": 0}, 422, "bad_fields"),
        ({"name": "x", "latitude": "NaN", "longitude": 0}, 422, "bad_fields"),
        ({"name": "x", "hours": [{"weekday": 7, "opens": "1:00", "closes": "2:00"}]}, 422, ""),
        ({"name": "x", "hours": [{"weekday": 0, "opens": "9", "closes": "10"}]}, 400, ""),
        ({"name": "x", "hours": HOURS * 2}, 400, "bad_hours"),
        ({"name": "x", "hours": HOURS * 22}, 422, "bad_fields"),
        ({"name": "x", "hours": "daily"}, 422, "bad_fields"),
    ],
)
def test_a_bad_shop(client, people, body, status, code):
    shops = f"/api/v1/merchants/{people['merchant']}/shops"
    answer = client.post(shops, json=body, headers=people["clerk"])
    assert answer.status_code == status
    assert answer.json["code"] == (code or {400: "bad_hours", 422: "bad_fields"}[status])


def test_a_merchant_is_stopped_and_returns(client, people):
    address = f"/api/v1/merchants/{people['merchant']}/state"
    silent = client.post(address, json={"state": "suspended"}, headers=people["first"])
    assert (silent.status_code, silent.json["code"]) == (400, "reason_missing")
    stopped = client.post(
        address, json={"state": "suspended", "reason": "价格不符"}, headers=people["first"]
    ).json
    assert (stopped["state"], stopped["stopped_reason"], stopped["takes_points"]) == (
        "suspended",
        "价格不符",
        False,
    )
    returned = client.post(address, json={"state": "active"}, headers=people["first"]).json
    assert (returned["takes_points"], returned["stopped_reason"]) == (True, None)
