"""The balance of a past moment, in JSON and on the page."""

from datetime import datetime, timedelta

import pytest
import time_machine

from tests.builders import a_member, points_for, points_spent, signed_in
from tests.moments import NOON


@pytest.fixture(autouse=True)
def travel():
    with time_machine.travel(NOON, tick=False) as traveller:
        yield traveller


@pytest.fixture
def member(writing):
    with writing() as session:
        return a_member(session)


@pytest.mark.parametrize(
    ("at", "balance"),
    [
        (NOON - timedelta(days=2), 0),
        (NOON - timedelta(days=1), 45),
        (NOON - timedelta(seconds=1), 45),
        (NOON, 25),
        (NOON + timedelta(days=900), 25),
    ],
)
def test_the_balance_of_a_past_moment(app, client, writing, member, at, balance):
    with writing() as session:
        points_for(session, member, 45, "award:1", NOON - timedelta(days=1))
        points_spent(session, member, 20, "redeem:R1")
    answer = client.get(
        "/api/v1/me/passbook/balance",
        query_string={"at": at.isoformat()},
        headers=signed_in(app, member, NOON),
    )
    assert answer.status_code == 200, answer.text
    assert answer.json["balance"] == balance
    assert datetime.fromisoformat(answer.json["at"]) == at


@pytest.mark.parametrize(
    "at", ["", "2026-11-21", "2026-11-21T12:00:00", "0001-01-01T00:00:00+14:00", "now"]
)
def test_what_is_no_moment_is_refused(app, client, member, at):
    answer = client.get(
        "/api/v1/me/passbook/balance",
        query_string={"at": at},
        headers=signed_in(app, member, NOON),
    )
    assert (answer.status_code, answer.json["code"]) == (422, "bad_fields")


@pytest.mark.parametrize(
    ("day", "said"),
    [
        ("2026-11-20", "日终余额 45 分"),
        ("2026-11-21", "日终余额 25 分"),
        ("2026-11-19", "日终余额 0 分"),
        ("9999-12-31", None),
        ("0001-01-01", "日终余额 0 分"),
        ("nonsense", None),
    ],
)
def test_the_page_tells_the_balance_of_a_day(app, client, writing, member, day, said):
    with writing() as session:
        points_for(session, member, 45, "award:1", NOON - timedelta(days=1))
        points_spent(session, member, 20, "redeem:R1")
    page = client.get(f"/passbook?day={day}", headers=signed_in(app, member, NOON))
    assert page.status_code == 200
    assert (said or "日终余额") in page.text or said is None
    assert ("日终余额" in page.text) == (said is not None)
