"""No call takes a field that it does not name: nobody sets a role or a state besides."""

from typing import Any

# What follows from who asks and from what they did; none of it is ever taken from a body.
NEVER_TAKEN = {
    "actor_id",
    "amount_fen",
    "approved_by_id",
    "balance_after",
    "clerk_id",
    "counts",
    "credited_at",
    "handle",
    "hold_id",
    "is_lead",
    "net_points",
    "paid_by_id",
    "password_hash",
    "recorded_at",
    "settled_at",
    "transfer_id",
    "trust",
    "unit_points",
    "voucher_hash",
}


def bodies(document: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Return the schema of each JSON body, by method and path."""
    known = document["components"]["schemas"]
    found = {}
    for path, item in document["paths"].items():
        for method, call in item.items():
            if not isinstance(call, dict) or "requestBody" not in call:
                continue
            for kind, content in call["requestBody"]["content"].items():
                schema = content["schema"]
                name = schema.get("$ref", "").rpartition("/")[2]
                found[f"{method} {path} {kind}"] = known.get(name, schema)
    return found


def test_every_body_is_closed_and_takes_nothing_that_is_ours_to_say(client):
    found = bodies(client.get("/api/openapi.json").get_json())
    assert len(found) > 60
    of_json = {call: each for call, each in found.items() if call.endswith("json")}
    is_open = [
        c for c, each in of_json.items() if each.get("additionalProperties") is not False
    ]
    assert is_open == []
    for call, schema in of_json.items():
        assert not NEVER_TAKEN & set(schema.get("properties", {})), call


def test_the_look_finds_an_open_body():
    schema = {"type": "object", "properties": {"points": {}}}
    call = {"requestBody": {"content": {"application/json": {"schema": schema}}}}
    document = {"components": {"schemas": {}}, "paths": {"/x": {"post": call}}}
    (found,) = bodies(document).values()
    assert found.get("additionalProperties") is not False
