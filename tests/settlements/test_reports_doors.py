"""Reports over their doors: the document, the page whose charts are tables, the files."""

import io

import openpyxl
import pytest
import time_machine

from pointsbank.core import clock
from pointsbank.settlements.pages.reports import short
from tests.browsing import Browser
from tests.builders import a_member, a_merchant, an_organization, signed_in, with_role
from tests.settlements.months import at, redeem, take_back

NOW = at(12, 3)
ADDRESS = "/api/v1/reports/points"


@pytest.fixture(autouse=True)
def travel():
    with time_machine.travel(NOW, tick=False) as traveller:
        yield traveller


@pytest.fixture
def people(counter, writing):
    """An administrator of all, an auditor of the counter's community, one of another."""
    with writing() as session:
        elsewhere = an_organization(session, "140303009", name="别处")
        a_merchant(session, "别处的店", elsewhere)
        return {
            "administrator": with_role(session, a_member(session, "周文"), "administrator"),
            "auditor": with_role(session, a_member(session, "郑明"), "auditor"),
            "stranger": with_role(session, a_member(session, "钱多"), "auditor", elsewhere),
        }


@pytest.fixture
def autumn(counter, writing):
    """One redemption in October, two in November, one of them taken back."""
    first = redeem(counter, writing, "A1", at(11, 3))
    redeem(counter, writing, "A2", at(11, 4))
    redeem(counter, writing, "A3", at(10, 30))
    take_back(writing, first.id, at(11, 3, 18))


def asked(counter, client, people, by="auditor", query="?first=2026-10&last=2026-11"):
    return client.get(ADDRESS + query, headers=signed_in(counter.app, people[by], clock.now()))


def test_the_document(counter, client, people, autumn):
    body = asked(counter, client, people).get_json()
    assert (body["first"], body["last"], body["opening"]) == ("2026-10", "2026-11", 0)
    assert [(m["month"], m["issued"], m["redeemed"], m["voided"]) for m in body["months"]] == [
        ("2026-10", 0, 20, 0),
        ("2026-11", 100, 40, 20),
    ]
    assert body["totals"]["outstanding"] == body["months"][1]["outstanding"] == 60
    place = body["communities"][0]
    assert (place["issued"], place["redeemed"], place["outstanding"]) == (100, 60, 60)
    assert body["merchants"] == [
        {
            "merchant": {"id": counter.merchant_id, "name": "惠民粮油店"},
            "redeemed": 60,
            "voided": 20,
            "net": 40,
        }
    ]
    assert body["rewards"][0]["reward"] == {"id": counter.reward_id, "name": "洗洁精一瓶"}


def test_everyone_sees_their_own_scope(counter, client, people, autumn):
    everything = asked(counter, client, people, "administrator").get_json()
    assert everything["totals"]["redeemed"] == 60
    nothing = asked(counter, client, people, "stranger").get_json()
    assert nothing["totals"]["redeemed"] == nothing["totals"]["outstanding"] == 0
    assert nothing["communities"] == nothing["merchants"] == nothing["rewards"] == []


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("?first=2026-11&last=2026-10", "bad_month_span"),
        ("?last=2027-01", "bad_month_span"),
        ("?first=2026", "not_a_month"),
    ],
)
def test_what_is_refused(counter, client, people, query, code):
    assert asked(counter, client, people, query=query).get_json()["code"] == code


def test_each_chart_is_a_table(counter, people, autumn):
    page = Browser(counter.app, people["auditor"]).open(
        "/reports/points?first=2026-10&last=2026-11"
    )
    assert page.status_code == 200
    assert page.text.count('<svg class="chart"') == page.text.count('class="as-table"') == 4
    assert "style=" not in page.text
    for words in ("2026年10月 至 2026年11月", "惠民粮油店", "洗洁精一瓶", "按商户"):
        assert words in page.text


def test_a_year_of_large_figures_is_short_in_charts_and_exact_in_tables(counter, people):
    with counter.app.test_request_context(headers={"Accept-Language": "en"}):
        assert [short(each) for each in (0, 9_999, 10_000, 99_900, 123_456)] == [
            "0",
            "9,999",
            "10k",
            "99k",
            "123k",
        ]


@pytest.mark.parametrize(
    ("by", "rows"),
    [
        ("months", [("2026-10", 0, 0, 20), ("2026-11", 100, 0, 40), ("合计", 100, 0, 60)]),
        ("communities", [("140303001002", "平潭街西社区居委会", 100, 0)]),
        ("merchants", [("惠民粮油店", 60, 20, 40)]),
        ("rewards", [("洗洁精一瓶", "惠民粮油店", 60, 20)]),
    ],
)
def test_the_files(counter, people, autumn, by, rows):
    browser = Browser(counter.app, people["auditor"])
    answer = browser.open(f"/reports/points.xlsx?by={by}&first=2026-10&last=2026-11")
    page = openpyxl.load_workbook(io.BytesIO(answer.data)).active
    found = [tuple(row[:4]) for row in page.iter_rows(min_row=4, values_only=True)]
    assert found == rows
    assert f"points-{by}-2026-10-2026-11.xlsx" in answer.headers["Content-Disposition"]


def test_a_file_of_something_else_is_none(counter, people):
    assert (
        Browser(counter.app, people["auditor"])
        .open("/reports/points.xlsx?by=people")
        .status_code
        == 404
    )
