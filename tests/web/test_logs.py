"""Logs: what a person could be known by stays out, wherever it stands."""

import logging
from http import HTTPStatus

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from pointsbank.core.db import db
from pointsbank.web.logs import SECRET_NAMES, hide_secrets

PHONE = "13812345678"


def hidden(**event):
    return hide_secrets(None, "info", dict(event))


@pytest.mark.parametrize(
    "event",
    [
        {"event": f"call {PHONE} now"},
        {"event": PHONE},
        {"number": int(PHONE)},
        {"facts": {"inner": [PHONE, {"deep": f"<{PHONE}>"}]}},
        {"facts": ({PHONE},)},
        {"exception": f"Key (phone)=({PHONE}) already exists."},
        {"exception": f"DETAIL: Failing row contains (7, 王桂兰, {PHONE}).\nmore"},
    ],
    ids=str,
)
def test_a_phone_is_hidden_by_its_form(event):
    said = str(hidden(**event))
    assert PHONE not in said
    assert "王桂兰" not in said


@pytest.mark.parametrize("name", sorted(SECRET_NAMES))
def test_a_value_is_hidden_by_its_name(name):
    for key in (name, name.upper(), f"new_{name}", f"{name}_of_member"):
        assert hidden(**{key: "王桂兰"}) == {key: "[hidden]"}
        assert "王桂兰" not in str(hidden(facts={key: "王桂兰"}))
        assert "王桂兰" not in str(hidden(facts=[{key: ["王桂兰"]}]))


def test_what_is_no_secret_stays():
    event = {"event": "request", "route": "/R/<code>", "status": 200, "took_ms": 1.5}
    assert hidden(**event) == event
    assert hidden(number=123, longer="138123456789", shorter="1381234567") == {
        "number": 123,
        "longer": "138123456789",
        "shorter": "1381234567",
    }


@given(st.text(), st.text())
def test_a_phone_between_other_words_is_hidden(before, after):
    if before[-1:].isdigit() or after[:1].isdigit():
        return
    assert PHONE not in hidden(event=f"{before}{PHONE}{after}")["event"]


def test_a_request_line_holds_the_route_and_not_what_was_asked(client, caplog, request):
    root = logging.getLogger("pointsbank")
    root.addHandler(caplog.handler)
    request.addfinalizer(lambda: root.removeHandler(caplog.handler))
    client.get(f"/R/SECRETCODE{PHONE}?phone={PHONE}", headers={"Authorization": "Bearer tok"})
    said = " ".join(str(record.msg) for record in caplog.records)
    assert str(HTTPStatus.FOUND.value) in said or "401" in said or "404" in said
    for secret in ("SECRETCODE", PHONE, "tok"):
        assert secret not in said


def test_a_fault_of_the_database_does_not_quote_its_values(app):
    insert = text("INSERT INTO account (code, kind) VALUES (:code, 'member')")
    twice = [{"code": f"member:{PHONE}"}] * 2
    with app.app_context(), db.engine.connect() as connection:
        with pytest.raises(IntegrityError) as fault:
            connection.execute(insert, twice)
    said = hidden(exception=str(fault.value))["exception"]
    assert PHONE not in said
