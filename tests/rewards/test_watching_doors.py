"""Unusual patterns over their doors: reasons, links, masked names, everyone's own scope."""

import pytest
import time_machine

from pointsbank.core import clock
from tests.browsing import Browser, words_of
from tests.builders import a_member, an_organization, signed_in, with_role
from tests.moments import NOON
from tests.rewards.test_watching import pattern

__all__ = ["pattern"]


@pytest.fixture(autouse=True)
def travel():
    with time_machine.travel(NOON, tick=False) as traveller:
        yield traveller


@pytest.fixture
def people(counter, writing):
    with writing() as session:
        elsewhere = an_organization(session, "140303009", name="别处")
        return {
            "auditor": with_role(session, a_member(session, "郑明"), "auditor"),
            "stranger": with_role(session, a_member(session, "钱多"), "auditor", elsewhere),
        }


def asked(counter, client, member_id, query=""):
    headers = signed_in(counter.app, member_id, clock.now())
    return client.get(f"/api/v1/redemptions/unusual{query}", headers=headers)


def test_a_finding_says_why_and_where(counter, client, pattern, people):
    body = asked(counter, client, people["auditor"]).get_json()
    assert (body["first"], body["last"]) == ("2026-10-23", "2026-11-21")
    finding = body["items"][0]
    assert (finding["kind"], finding["times"], finding["points"]) == ("own_family", 2, 40)
    assert finding["redemptions"] == [each.id for each in pattern]
    assert finding["merchant"] == {"id": counter.merchant_id, "name": "惠民粮油店"}
    assert (finding["clerk"], finding["member"]) == (
        {"display_name": "李*军"},
        {"display_name": "王*兰"},
    )
    assert finding["reason"] == "李*军为同一家庭的王*兰办理了 2 次兑换，共 40 分。"
    assert [each["kind"] for each in body["items"]] == ["own_family", "after_hours"]


def test_everyone_sees_their_own_scope(counter, client, pattern, people):
    assert asked(counter, client, people["stranger"]).get_json()["items"] == []
    earlier = asked(counter, client, people["auditor"], "?first=2026-11-01&last=2026-11-20")
    assert earlier.get_json()["items"] == []
    wrong = asked(counter, client, people["auditor"], "?first=2026-11-31")
    assert (wrong.status_code, wrong.get_json()["code"]) == (400, "bad_day_span")


def test_the_page_leads_to_the_receipts(counter, pattern, people):
    browser = Browser(counter.app, people["auditor"])
    page = browser.open("/redemptions/unusual")
    words = words_of(page)
    assert "李*军为同一家庭的王*兰办理了 2 次兑换，共 40 分。" in words
    assert "王桂兰" not in page.text
    for each in pattern:
        assert f'href="/redemptions/{each.id}"' in page.text
        assert browser.open(f"/redemptions/{each.id}").status_code == 200
    empty = Browser(counter.app, people["stranger"]).open("/redemptions/unusual")
    assert "这段时间没有异常" in empty.text
