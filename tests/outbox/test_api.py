"""The JSON door: the outbox read to its end, webhooks looked after."""

import json

import pytest
from standardwebhooks import Webhook as StandardWebhook

from pointsbank.core import clock
from pointsbank.core.audit import AuditEntry
from pointsbank.core.keys import draw_bytes
from pointsbank.ledger.sealing import seal
from pointsbank.outbox.delivering import BATCH_MAX, body_of, claim_batch
from pointsbank.outbox.models import Webhook
from pointsbank.outbox.signing import signed_headers
from tests.builders import a_member, an_organization, how_many, signed_in, with_role
from tests.moments import NOON
from tests.outbox.sealed import a_claim, sealed, some_transfers

URL = "https://1.1.1.1/hooks"


@pytest.fixture
def administrator(app, writing):
    with writing() as session:
        member_id = with_role(session, a_member(session), "administrator")
    return signed_in(app, member_id)


def added(client, administrator, **more):
    answer = client.post(
        "/api/v1/webhooks", json={"name": "区平台", "url": URL, **more}, headers=administrator
    )
    assert answer.status_code == 201, answer.text
    return answer.json


def test_the_outbox_is_read_to_its_end_and_on(client, administrator, writing):
    with writing() as session:
        ids = sealed(session, 3, 4)
        some_transfers(session, 2)

    def read(after, limit=3):
        answer = client.get(
            f"/api/v1/outbox?after={after}&limit={limit}", headers=administrator
        )
        assert answer.status_code == 200
        return answer.json

    found, at = [], 0
    while (page := read(at))["items"]:
        found += page["items"]
        at = page["next"]
    assert [item["id"] for item in found] == ids
    assert [item["position"] for item in found] == list(range(1, 8))
    assert page == {"items": [], "next": 7}
    assert set(found[0]) == {
        "position",
        "block",
        "id",
        "key",
        "kind",
        "source",
        "target",
        "points",
        "occurred_at",
        "recorded_at",
        "expires_on",
        "reverses_id",
        "line",
        "balance_after",
    }
    with writing() as session:
        assert seal(session, now=NOON, salt=draw_bytes(32)) == 2
    assert [item["position"] for item in read(7)["items"]] == [8, 9]


def test_both_ways_tell_the_same(app, client, administrator, writing):
    with writing() as session:
        sealed(session, 2)
    hook = added(client, administrator)
    with writing() as session:
        batch = claim_batch(
            session,
            claim=a_claim(),
            service_secret=app.extensions["settings"].secret_key,
            now=clock.now(),
        )
    body = body_of(batch)
    read = client.get("/api/v1/outbox", headers=administrator).json
    assert json.loads(body)["data"] == read
    headers = signed_headers(
        batch.secrets, message_id=batch.message_id, at=clock.now(), body=body
    )
    assert StandardWebhook(hook["secret"]).verify(body, headers)["data"] == read
    assert len(batch.entries) <= BATCH_MAX


@pytest.mark.parametrize("query", ["after=-1", "after=x", "after=1.5", "limit=0", "limit=201"])
def test_a_bad_position_is_said_so(client, administrator, query):
    answer = client.get(f"/api/v1/outbox?{query}", headers=administrator)
    assert (answer.status_code, answer.json["code"]) == (422, "bad_fields")


def test_a_role_over_the_one_top_of_the_tree_is_enough(app, client, writing):
    with writing() as session:
        top = an_organization(session, "140303", "district", None, "矿区")
        below = an_organization(session, "140303001", "street", top, "街道")
        one, other = (
            a_member(session, organization_id=top),
            a_member(session, organization_id=top),
        )
        with_role(session, one, "auditor", top)
        with_role(session, other, "auditor", below)
    auditor = signed_in(app, one)
    assert client.get("/api/v1/outbox", headers=auditor).status_code == 200
    refused = client.get("/api/v1/outbox", headers=signed_in(app, other))
    assert (refused.status_code, refused.json["code"]) == (403, "outbox_for_whole")
    # An auditor reads; adding is the administrators'.
    assert client.get("/api/v1/webhooks", headers=auditor).status_code == 403
    with writing() as session:
        an_organization(session, "140304", "district", None, "另一个区")
    assert client.get("/api/v1/outbox", headers=auditor).status_code == 403


def test_a_webhook_is_added_looked_at_paused_and_removed(client, administrator, writing):
    with writing() as session:
        sealed(session, 3)
    hook = added(client, administrator, after=1)
    assert hook["secret"].startswith("whsec_")
    assert (hook["state"], hook["position"], hook["behind"]) == ("active", 1, 2)
    address = f"/api/v1/webhooks/{hook['id']}"
    shown = client.get(address, headers=administrator).json
    assert shown == {name: value for name, value in hook.items() if name != "secret"}
    listed = client.get("/api/v1/webhooks", headers=administrator).json
    assert listed == {"items": [shown], "next": None}
    for state in ("paused", "paused", "active"):
        answer = client.patch(address, json={"state": state}, headers=administrator)
        assert (answer.status_code, answer.json["state"]) == (200, state)
    bad = client.patch(address, json={"state": "failed"}, headers=administrator)
    assert bad.status_code == 422
    again = client.post(f"{address}/resending", json={"after": 0}, headers=administrator)
    assert (again.status_code, again.json["position"]) == (200, 0)
    ahead = client.post(f"{address}/resending", json={"after": 4}, headers=administrator)
    assert (ahead.status_code, ahead.json["code"]) == (400, "position_ahead")
    tries = client.get(f"{address}/tries", headers=administrator).json
    assert tries == {"items": [], "next": None}
    assert client.delete(address, headers=administrator).status_code == 204
    gone = client.get(address, headers=administrator)
    assert (gone.status_code, gone.json["code"]) == (404, "webhook_not_found")


def test_a_secret_is_shown_once_and_stands_in_no_table(app, client, administrator, writing):
    hook = added(client, administrator)
    answer = client.post(f"/api/v1/webhooks/{hook['id']}/secret", headers=administrator)
    assert answer.status_code == 201
    second = answer.json["secret"]
    assert second != hook["secret"]
    shown = client.get(f"/api/v1/webhooks/{hook['id']}", headers=administrator).json
    assert shown["previous_until"] == answer.json["previous_until"]
    assert "whsec_" not in client.get("/api/v1/webhooks", headers=administrator).text
    with writing() as session:
        row = session.get(Webhook, hook["id"])
        kept = repr(
            [getattr(row, column.name) for column in Webhook.__table__.columns]
            + [entry.facts for entry in session.query(AuditEntry)]
        )
    for secret in (hook["secret"], second):
        assert secret not in kept
        assert secret.removeprefix("whsec_")[:20] not in kept


@pytest.mark.parametrize(
    ("url", "code"),
    [
        ("http://10.0.0.1:22/", "bad_address"),
        ("https://admin:pw@1.1.1.1/", "bad_address"),
        ("https://localhost/", "bad_address"),
        ("https://2130706433/", "bad_address"),
        ("https://169.254.169.254/", "address_not_public"),
        ("https://[::ffff:10.0.0.1]/", "address_not_public"),
        ("http://127.0.0.1/", "address_not_public"),
    ],
)
def test_a_private_address_is_refused_when_it_is_added(
    client, administrator, writing, url, code
):
    answer = client.post(
        "/api/v1/webhooks", json={"name": "x", "url": url}, headers=administrator
    )
    assert (answer.status_code, answer.json["code"]) == (400, code)
    with writing() as session:
        assert how_many(session, Webhook) == 0


def test_a_host_that_is_not_there_is_said_so(client, administrator, monkeypatch):
    def nowhere(*_args, **_more):
        raise OSError("no such name")

    monkeypatch.setattr("socket.getaddrinfo", nowhere)
    answer = client.post(
        "/api/v1/webhooks",
        json={"name": "x", "url": "https://nowhere.example/"},
        headers=administrator,
    )
    assert (answer.status_code, answer.json["code"]) == (400, "address_not_found")
