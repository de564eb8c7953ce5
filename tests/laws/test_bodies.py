"""No call takes a field that it does not name: nobody sets a role or a state besides."""

from typing import Any

# What follows from who asks and from what they did; none of it is ever taken from a body.
NEVER_TAKEN = {
    "actor_id",
    "advised",
    "amount_fen",
    "approved_by_id",
    "balance_after",
    "barred_until",
    "base_hundredths",
    "clerk_id",
    "confirmed_at",
    "confirmed_by_id",
    "counts",
    "credited_at",
    "cut_at",
    "decided_at",
    "decided_by_id",
    "drafted_by_id",
    "entered_at",
    "entered_by_id",
    "handle",
    "hold_id",
    "is_lead",
    "locked_at",
    "net_points",
    "opens_on",
    "paid_by_id",
    "password_hash",
    "proposed_by_id",
    "published_by_id",
    "rank",
    "recorded_at",
    "reviewed_by_id",
    "settled_at",
    "side",
    "sum_points",
    "transfer_id",
    "trust",
    "unit_points",
    "voucher_hash",
}


PLACES = {"latitude", "longitude"}


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


def loose_numbers(name: str, schema: dict[str, Any], known: dict[str, Any]) -> list[str]:
    """Return the numbers of a body, at any depth, that have no bounds or are not whole.

    Places on the earth are no whole numbers; they have bounds all the same.
    """
    found = []
    schema = known.get(schema.get("$ref", "").rpartition("/")[2], schema)
    kinds = schema.get("type", [])
    kinds = [kinds] if isinstance(kinds, str) else kinds
    is_broken = "number" in kinds and name.rpartition(".")[2] not in PLACES
    has_bounds = {"minimum", "maximum"} <= set(schema)
    if is_broken or ({"integer", "number"} & set(kinds) and not has_bounds):
        found.append(name)
    for inner, its in schema.get("properties", {}).items():
        found += loose_numbers(f"{name}.{inner}", its, known)
    if "items" in schema:
        found += loose_numbers(f"{name}[]", schema["items"], known)
    return found


def test_every_number_is_whole_and_has_bounds(client):
    """Negative, huge and broken ones are refused before anything is asked."""
    document = client.get("/api/openapi.json").get_json()
    known = document["components"]["schemas"]
    found = [
        loose
        for call, schema in bodies(document).items()
        if call.endswith("json")
        for loose in loose_numbers(call, schema, known)
    ]
    assert found == []


def test_the_look_finds_a_loose_number():
    schema = {
        "type": "object",
        "properties": {
            "points": {"type": "integer", "minimum": 1},
            "rate": {"type": ["number", "null"]},
            "minutes": {"type": "integer", "minimum": 1, "maximum": 9},
            "items": {"type": "array", "items": {"$ref": "#/components/schemas/Inner"}},
        },
    }
    inner = {"type": "object", "properties": {"times": {"type": "integer"}}}
    assert loose_numbers("x", schema, {"Inner": inner}) == [
        "x.points",
        "x.rate",
        "x.items[].times",
    ]


def test_the_look_finds_an_open_body():
    schema = {"type": "object", "properties": {"points": {}}}
    call = {"requestBody": {"content": {"application/json": {"schema": schema}}}}
    document = {"components": {"schemas": {}}, "paths": {"/x": {"post": call}}}
    (found,) = bodies(document).values()
    assert found.get("additionalProperties") is not False
