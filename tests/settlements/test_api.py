"""Statements over the JSON door: shape, both sides, what is refused, lists."""

import pytest
import time_machine

from pointsbank.core import clock
from pointsbank.core.calendar import read_period
from tests.builders import SHANGHAI, a_member, a_merchant, signed_in, with_role
from tests.settlements.months import at, close, redeem, take_back

NOW = at(12, 3)


@pytest.fixture(autouse=True)
def travel():
    with time_machine.travel(NOW, tick=False) as traveller:
        yield traveller


@pytest.fixture
def desk(counter, writing, client):
    """Calls about the counter's statements, by its clerk unless said otherwise."""
    with writing() as session:
        ids = {
            "clerk": counter.clerk_id,
            "first": with_role(session, a_member(session, "周文"), "administrator"),
            "second": with_role(session, a_member(session, "吴静"), "administrator"),
            "auditor": with_role(session, a_member(session, "郑明"), "auditor"),
            "stranger": with_role(
                session,
                a_member(session, "钱多"),
                "clerk",
                merchant_id=a_merchant(session, "隔壁小店"),
            ),
        }

    def call(path="", *, by="clerk", json=None, month="2026-11"):
        address = f"/api/v1/merchants/{counter.merchant_id}/statements/{month}{path}"
        headers = signed_in(counter.app, ids[by], clock.now())
        if not path:
            return client.get(address, headers=headers)
        return client.post(address, headers=headers, json={} if json is None else json)

    call.headers = lambda by: signed_in(counter.app, ids[by], clock.now())
    return call


@pytest.fixture
def november(counter, writing):
    """Two redemptions of 20 points, one of them taken back, and the cut-off."""
    first = redeem(counter, writing, "A1", at(11, 3))
    redeem(counter, writing, "A2", at(11, 4))
    take_back(writing, first.id, at(11, 3, 18))
    with writing() as session:
        close(session, counter)


def test_a_statement_says_lines_and_totals(desk, november):
    answer = desk()
    assert answer.status_code == 200
    body = answer.get_json()
    assert (body["month"], body["state"], body["late"]) == ("2026-11", "closed", None)
    assert body["totals"] == {
        "redeemed_points": 40,
        "voided_points": 20,
        "net_points": 20,
        "amount_yuan": "2.00",
        "correction_yuan": "0.00",
        "due_yuan": "2.00",
    }
    assert [
        (line["no"], line["kind"], line["points"], line["number"], line["amount_yuan"])
        for line in body["lines"]
    ] == [
        (1, "redemption", 20, "A1", "2.00"),
        (2, "redemption", 20, "A2", "2.00"),
        (3, "void", -20, "A1", "-2.00"),
    ]
    assert body["confirm_by"].startswith("2026-12-05T16:00:00")
    assert len(bytes.fromhex(body["digest"])) == 32


def test_the_running_month_is_counted_live_and_an_empty_one_is_empty(
    counter, writing, desk, november
):
    redeem(counter, writing, "A3", at(12, 1))
    body = desk(month="2026-12").get_json()
    assert (body["state"], body["totals"]["net_points"]) == ("open", 20)
    assert [line["number"] for line in body["lines"]] == ["A3"]
    assert (body["digest"], body["confirmed_by"], body["line_count"]) == (None, None, 1)
    body = desk(month="2026-08").get_json()
    assert (body["state"], body["lines"], body["totals"]["amount_yuan"]) == (
        "empty",
        [],
        "0.00",
    )


def test_a_month_that_waits_for_its_cut_off_does_not_run_into_the_next(counter, writing, desk):
    redeem(counter, writing, "A1", at(11, 30, 23))
    redeem(counter, writing, "A2", at(12, 1, 1))
    for month, number in (("2026-11", "A1"), ("2026-12", "A2")):
        body = desk(month=month).get_json()
        assert (body["state"], [line["number"] for line in body["lines"]]) == ("open", [number])


@pytest.mark.parametrize(
    ("month", "status", "code"),
    [
        ("2027-01", 400, "month_ahead"),
        ("2026-13", 404, "not_found"),
        ("2026", 404, "not_found"),
    ],
)
def test_months_that_are_none(desk, month, status, code):
    answer = desk(month=month)
    assert (answer.status_code, answer.get_json()["code"]) == (status, code)


def test_both_sides_sign(desk, november, travel):
    assert desk("/confirmation").get_json()["confirmed_by"] == {"display_name": "李*军"}
    assert desk("/approval", by="first").get_json()["state"] == "approved"
    payment = {"reference": "2026-1205-17"}
    same = desk("/payment", by="first", json=payment)
    assert (same.status_code, same.get_json()["code"]) == (403, "statement_second_person")
    paid = desk("/payment", by="second", json=payment).get_json()
    assert (paid["state"], paid["payment_reference"]) == ("paid", "2026-1205-17")
    assert (paid["by_silence"], paid["paid_by"]) == (False, {"display_name": "吴*"})
    travel.move_to(at(12, 30))
    assert desk().get_json()["late"] is None


def test_a_dispute_is_answered_with_money(desk, november):
    disputed = desk("/lines/2/dispute", json={"reason": "实际交了两件"})
    assert disputed.get_json()["state"] == "disputed"
    waits = desk("/confirmation")
    assert (waits.status_code, waits.get_json()["code"]) == (409, "disputes_open")
    answer = {"decision": "accept", "reason": "核对属实"}
    for amount, code in (
        ("0", "correction_missing"),
        ("4.01", "correction_too_large"),
        ("1.234", "bad_amount"),
        ("1e3", "bad_amount"),
        ("", "bad_fields"),
    ):
        refused = desk(
            "/lines/2/answer", by="first", json={**answer, "correction_yuan": amount}
        )
        assert refused.get_json()["code"] == code
    body = desk("/lines/2/answer", by="first", json={**answer, "correction_yuan": "-0.50"})
    assert body.get_json()["totals"]["due_yuan"] == "1.50"
    assert body.get_json()["lines"][1]["dispute"] == {
        "state": "accepted",
        "reason": "实际交了两件",
        "answer": "核对属实",
        "correction_yuan": "-0.50",
    }


@pytest.mark.parametrize(
    ("path", "by", "json", "status"),
    [
        ("/confirmation", "first", {}, 403),
        ("/approval", "clerk", {}, 403),
        ("/approval", "auditor", {}, 403),
        ("/payment", "second", {"reference": " "}, 422),
        ("/lines/2/dispute", "clerk", {"reason": "长" * 201}, 422),
        ("/lines/9/dispute", "clerk", {"reason": "没有"}, 404),
        ("/lines/2/answer", "first", {"decision": "perhaps", "reason": "x"}, 422),
        ("/confirmation", "stranger", {}, 404),
        ("", "stranger", None, 404),
    ],
)
def test_what_is_refused(desk, november, path, by, json, status):
    assert desk(path, by=by, json=json).status_code == status


def test_lists_of_a_merchant_and_of_a_month(counter, client, desk, november, travel):
    travel.move_to(at(12, 17))
    address = f"/api/v1/merchants/{counter.merchant_id}/statements"
    body = client.get(f"{address}?limit=1", headers=desk.headers("clerk")).get_json()
    assert [each["month"] for each in body["items"]] == ["2026-11"]
    assert body["next"] is None
    for query in ("", "?month=2026-11"):
        body = client.get(f"/api/v1/statements{query}", headers=desk.headers("auditor"))
        item = body.get_json()["items"][0]
        assert (item["merchant"]["id"], item["late"]) == (counter.merchant_id, "confirmation")
        assert body.get_json()["totals"] == {
            "statements": 1,
            "net_points": 20,
            "due_yuan": "2.00",
            "paid_yuan": "0.00",
        }
    wrong = client.get("/api/v1/statements?month=2026", headers=desk.headers("auditor"))
    assert wrong.get_json()["code"] == "not_a_month"


def test_many_months_are_paged(counter, client, desk, writing):
    for month in (8, 9, 10):
        redeem(counter, writing, f"A{month}", at(month, 3))
    from_months = ("2026-08", "2026-09", "2026-10")
    with writing() as session:
        for month in from_months:
            close(session, counter, read_period(month), at(12, 1).astimezone(SHANGHAI))
    address = f"/api/v1/merchants/{counter.merchant_id}/statements"
    headers, found, cursor = desk.headers("clerk"), [], ""
    while cursor is not None:
        page = client.get(f"{address}?limit=2&cursor={cursor}", headers=headers).get_json()
        found += [each["month"] for each in page["items"]]
        cursor = page["next"]
    assert found == sorted(from_months, reverse=True)
