"""The JSON contract: strict fields, bodies that break readers, cursors, errors' form."""

import json
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from marshmallow import ValidationError

from pointsbank.web.contract import (
    ID_MAX,
    BadCursor,
    Body,
    PageQuery,
    QueryWhole,
    RowId,
    Text,
    When,
    Whole,
    cursor_from,
    position_from,
    positions_from,
)


class Everything(Body):
    """One field of each kind."""

    number = Whole(least=1, most=100)
    row = RowId()
    name = Text(length_max=5)
    when = When()


def faults_of(**values: object) -> set[str]:
    try:
        Everything().load(values)
    except ValidationError as error:
        return set(error.messages_dict)
    return set()


STRANGE_NUMBERS = [
    "7",
    "７",
    "1_000",
    "",
    1.0,
    1.9,
    True,
    False,
    None,
    float("nan"),
    float("inf"),
    10**30,
    -(10**30),
    0,
    -1,
    101,
    [],
    {},
    [1],
    b"7",
]


@pytest.mark.parametrize("value", STRANGE_NUMBERS, ids=repr)
def test_a_number_is_a_whole_number_within_its_bounds(value):
    assert faults_of(number=value) == {"number"}


@pytest.mark.parametrize("value", [1, 100])
def test_the_bounds_themselves_are_taken(value):
    assert Everything().load({"number": value}) == {"number": value}


@pytest.mark.parametrize("value", [0, -1, ID_MAX + 1, "1", True])
def test_an_id_is_one_that_a_row_can_have(value):
    assert faults_of(row=value) == {"row"}
    assert faults_of(row=ID_MAX) == set()


@pytest.mark.parametrize("value", ["", " ", "\u200b", "\u202e\u2066", "abcdef", 7, None, ["a"]])
def test_text_is_bounded_after_it_was_cleaned(value):
    assert faults_of(name=value) == {"name"}


def test_text_loses_what_nobody_sees_and_keeps_the_rest():
    loaded = Everything().load({"name": " \u202e王\x00\u200b桂\ud800<b "})
    assert loaded["name"] == "王桂<b"


@pytest.mark.parametrize(
    "value", ["2026-11-21T12:00:00", "2026-11-21", "12:00", 1763697600, "x", None]
)
def test_a_moment_needs_its_offset(value):
    assert faults_of(when=value) == {"when"}
    assert faults_of(when="2026-11-21T12:00:00+08:00") == set()


def test_unknown_fields_are_refused():
    assert faults_of(points=3, is_admin=True) == {"points", "is_admin"}


@pytest.mark.parametrize(
    "value", ["１２", "1_0", " 1", "+1", "-1", "0", "201", "1e1", "²", "9" * 30]
)
def test_a_querys_number_is_plain_digits(value):
    with pytest.raises(ValidationError):
        PageQuery().load({"limit": value})


def test_a_querys_number_is_read():
    assert PageQuery().load({"limit": "200"})["limit"] == 200
    assert QueryWhole(least=1, most=9).deserialize("7") == 7


@given(st.lists(st.integers(0, ID_MAX), min_size=1, max_size=3))
def test_a_cursor_comes_back_as_it_went(numbers):
    assert positions_from(cursor_from(*numbers), len(numbers)) == tuple(numbers)


BAD_CURSORS = ["x", "djE6", cursor_from("-1"), cursor_from("1.5"), cursor_from(10**30)]
MORE_BAD_CURSORS = [cursor_from("１"), cursor_from("²"), cursor_from(1, 2), "é", "%00", "=" * 9]


@pytest.mark.parametrize("cursor", BAD_CURSORS + MORE_BAD_CURSORS)
def test_a_cursor_that_is_none_of_ours_is_refused(cursor):
    with pytest.raises(BadCursor):
        position_from(cursor)


@given(st.text(max_size=60))
@hypothesis_settings(max_examples=500, deadline=None, database=None)
def test_no_cursor_is_a_fault(cursor):
    with suppress(BadCursor):
        assert position_from(cursor) is None or cursor


def test_no_cursor_is_the_beginning():
    assert position_from(None) is None
    assert position_from("") is None


SIGN_IN = "/api/v1/sessions"


def problem_of(answer):
    assert answer.content_type == "application/problem+json", answer.data
    body = answer.get_json()
    assert {"type", "title", "status", "detail", "code"} <= set(body)
    assert body["status"] == answer.status_code
    assert body["type"] == f"urn:pointsbank:problem:{body['code']}"
    return body["code"]


@pytest.mark.parametrize(
    "sent",
    [
        b"",
        b"{",
        b"nonsense",
        b'"text"',
        b"[]",
        b"null",
        b"1",
        b"\xff\xfe",
        b"\x00",
        b"[" * 100_000,
        b'{"a":' * 50_000,
        b'{"phone": ' + b"9" * 5000 + b"}",
        b'{"phone": NaN, "password": Infinity}',
        b'{"phone": "\\ud800", "password": "x"}',
        b'{"\\ud800": 1}',
        b'{"phone": {"a": 1}, "password": []}',
        '{"phone": "１３８"}'.encode("utf-16"),
    ],
    ids=lambda sent: repr(sent[:30]),
)
def test_no_body_is_a_fault(client, sent):
    answer = client.post(SIGN_IN, data=sent, content_type="application/json")
    assert answer.status_code in (400, 422)
    assert problem_of(answer) in ("bad_request", "bad_fields")


@pytest.mark.parametrize("kind", ["text/plain", "application/xml", "multipart/form-data", ""])
def test_another_kind_of_content_is_refused(client, kind):
    answer = client.post(SIGN_IN, data=b'{"phone": "1"}', content_type=kind)
    assert answer.status_code in (400, 415, 422)
    problem_of(answer)


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(st.text(max_size=9) | st.just("phone"), inner, max_size=3)
        ),
        max_leaves=8,
    )
)
def test_any_json_at_all_is_answered(value):
    faults = set()
    try:
        Everything().load(value)
    except ValidationError as error:
        faults = set(map(str, error.messages_dict))
    assert faults or isinstance(value, dict)


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/api/v1/nothing", 404, "not_found"),
        ("GET", "/api/v1/merchants/0/redemptions", 404, "not_found"),
        ("GET", f"/api/v1/merchants/{ID_MAX + 1}/redemptions", 404, "not_found"),
        ("DELETE", "/api/v1/rewards", 405, "method_not_allowed"),
        ("TRACE", "/api/v1/rewards", 405, "method_not_allowed"),
        ("GET", "/api/v1/me", 401, "sign_in_needed"),
        ("POST", "/api/v1/redemptions", 401, "sign_in_needed"),
    ],
)
def test_errors_are_problem_details(client, method, path, status, code):
    answer = client.open(path, method=method)
    assert (answer.status_code, problem_of(answer)) == (status, code)


def test_a_method_that_is_not_taken_names_those_that_are(client):
    assert "GET" in client.delete("/api/v1/rewards").headers["Allow"]


def test_a_stranger_is_told_how_to_sign_in(client):
    assert client.get("/api/v1/me").headers["WWW-Authenticate"] == "Bearer"


def test_a_body_over_a_million_bytes_is_too_large(client):
    sent = json.dumps({"phone": "1" * 1_000_001}).encode()
    answer = client.post(SIGN_IN, data=sent, content_type="application/json")
    assert (answer.status_code, problem_of(answer)) == (413, "request_entity_too_large")


def test_a_page_answers_errors_as_a_page(client):
    answer = client.get("/nothing")
    assert answer.status_code == 404
    assert answer.content_type.startswith("text/html")
    assert "这里什么也没有" in answer.text or "没有" in answer.text


def test_the_openapi_document_is_there_for_everyone(client):
    document = client.get("/api/openapi.json").get_json()
    assert document["openapi"].startswith("3.1")
    assert "/api/v1/redemptions" in document["paths"]
