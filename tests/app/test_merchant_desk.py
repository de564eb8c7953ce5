"""A merchant's own page: its figures are those of its deals, limit and statements."""

from datetime import timedelta

import pytest
import time_machine

from pointsbank.app.merchant_figures import DaySum, RewardSum, limit_used, month_figures
from pointsbank.core import clock
from pointsbank.core.actor import Actor, Grant
from pointsbank.core.calendar import read_period
from pointsbank.merchants.contracting import copy_terms
from pointsbank.rewards.redeeming import redeem_reward
from pointsbank.rewards.till import reward_by_points
from pointsbank.rewards.voiding import void_redemption
from tests.browsing import Browser, words_of
from tests.builders import SHANGHAI, a_member, a_merchant, a_reward, signed_in, with_role
from tests.merchants.partners import a_contract
from tests.rewards.conftest import counter
from tests.settlements.months import NOVEMBER, at, close

__all__ = ["counter"]

NOW = at(12, 3)
TODAY = NOW.date()
DECEMBER = read_period("2026-12")


@pytest.fixture(autouse=True)
def travel():
    with time_machine.travel(NOW, tick=False) as traveller:
        yield traveller


def redeem(counter, writing, number, moment, **changes):
    code = counter.code(now=moment)
    with writing() as session:
        return redeem_reward(
            session,
            counter.order(code, **changes),
            clerk_id=counter.clerk_id,
            number=number,
            secret=counter.secret,
            today=moment.astimezone(SHANGHAI).date(),
            now=moment,
        )


def void(counter, writing, redemption_id, moment, quantity=None):
    clerk = Actor(
        counter.clerk_id, "李建军", 1, 1, (Grant("clerk", None, counter.merchant_id),)
    )
    with writing() as session:
        void_redemption(
            session,
            redemption_id=redemption_id,
            actor=clerk,
            reason="拿错了",
            quantity=quantity,
            today=moment.astimezone(SHANGHAI).date(),
            now=moment,
        )


@pytest.fixture
def autumn(counter, writing):
    """Four deals: one of the last minute of November, one voided in part, one wholly."""
    redeem(counter, writing, "A1", at(11, 30, 23) + timedelta(minutes=59))
    part = redeem(counter, writing, "A2", at(12, 1), quantity=2)
    void(counter, writing, part.id, at(12, 1, 13), quantity=1)
    gone = redeem(counter, writing, "A3", at(12, 3, 9))
    void(counter, writing, gone.id, at(12, 3, 10))
    with counter.app.app_context():
        points_id = reward_by_points(counter.merchant_id, at(12, 3))
    redeem(counter, writing, "A4", at(12, 3, 11), reward_id=points_id, quantity=7)


def test_a_month_is_its_deals_day_by_day(counter, writing, autumn):
    with writing() as session:
        found = month_figures(session, counter.merchant_id, DECEMBER, TODAY)
        november = month_figures(session, counter.merchant_id, NOVEMBER, TODAY)
    assert list(found.days) == [
        DaySum(at(12, 1).date(), 1, 20, 0, 20),
        DaySum(at(12, 2).date()),
        DaySum(at(12, 3).date(), 1, 7, 1, 20),
    ]
    assert found.rewards == [RewardSum("洗洁精一瓶", 1, 20), RewardSum(None, 7, 7)]
    assert found.total == DaySum(DECEMBER.first_on, 2, 27, 1, 40)
    # A month that is over has all its days; its last minute is its own.
    assert len(november.days) == 30
    assert november.days[-1] == DaySum(at(11, 30).date(), 1, 20, 0, 0)


def with_limit(counter, writing, most):
    with writing() as session:
        a_contract(session, counter.merchant_id, TODAY, TODAY, 1_000, month_points_max=most)
        copy_terms(session, counter.merchant_id, TODAY)


def test_what_is_used_of_a_limit_is_what_the_till_counts(counter, client, writing, autumn):
    with_limit(counter, writing, 90)
    with writing() as session:
        assert limit_used(session, counter.merchant_id, DECEMBER) is None
    # Nothing was counted yet: the month's deals are what is used.
    limit = asked(counter, client, counter.clerk_id).get_json()["limit"]
    assert limit == {"used": 27, "most": 90}
    redeem(counter, writing, "A5", NOW)
    with writing() as session:
        assert limit_used(session, counter.merchant_id, DECEMBER) == 47
    said = words_of(Browser(counter.app, counter.clerk_id).open(desk(counter)))
    assert "本月限额已用 47 分，共 90 分" in said
    assert "43" in said


def desk(counter):
    return f"/merchants/{counter.merchant_id}"


def asked(counter, client, member_id, query=""):
    return client.get(
        f"/api/v1/merchants/{counter.merchant_id}/dashboard{query}",
        headers=signed_in(counter.app, member_id, clock.now()),
    )


def test_the_document(counter, client, writing, autumn):
    with writing() as session:
        close(session, counter)
    body = asked(counter, client, counter.clerk_id).get_json()
    assert body["today"] == {
        "day": "2026-12-03",
        "deals": 1,
        "points": 7,
        "voids": 1,
        "voided_points": 20,
    }
    assert [each["points"] for each in body["days"]] == [20, 0, 7]
    assert body["limit"] is None
    assert [(each["month"], each["state"]) for each in body["statements"]] == [
        ("2026-12", "open"),
        ("2026-11", "closed"),
    ]
    # The statement counts the same deals: 40 - 20 + 20 - 20 + 7.
    assert (body["statements"][0]["net_points"], body["statements"][0]["due_yuan"]) == (
        27,
        "2.70",
    )
    earlier = asked(counter, client, counter.clerk_id, "?month=2026-11").get_json()
    assert (earlier["total"]["points"], earlier["today"]["points"]) == (20, 7)
    for query, code in (("?month=2027-01", "month_ahead"), ("?month=2026", "not_a_month")):
        assert asked(counter, client, counter.clerk_id, query).get_json()["code"] == code


def test_the_page_shows_it_with_a_chart_that_is_a_table(counter, writing, autumn, travel):
    with writing() as session:
        close(session, counter)
    clerk = Browser(counter.app, counter.clerk_id)
    page = clerk.open("/merchants/mine")
    assert page.request.path == desk(counter)
    said = words_of(page)
    for words in ("2026年12月", "按积分", "洗洁精一瓶", "¥2.70", "等商户确认"):
        assert words in said
    assert page.text.count('<svg class="chart"') == page.text.count('class="as-table"') == 1
    assert "12月3日" in said
    november = words_of(clerk.open(f"{desk(counter)}?month=2026-11"))
    assert "11月30日 20" in november
    travel.move_to(at(12, 7))
    late = Browser(counter.app, counter.clerk_id).open(desk(counter))
    assert "确认已逾期" in words_of(late)


def test_a_clerk_of_two_shops_chooses(counter, writing):
    with writing() as session:
        other = a_merchant(session, "利民理发店")
        a_reward(session, other)
        with_role(session, counter.clerk_id, "clerk", merchant_id=other)
    page = Browser(counter.app, counter.clerk_id).open("/merchants/mine")
    for merchant_id in (other, counter.merchant_id):
        assert f'href="/merchants/{merchant_id}"' in page.text


def test_a_foreign_clerk_finds_no_such_merchant(counter, client, writing):
    with writing() as session:
        other = a_merchant(session, "利民理发店")
        clerk_id = with_role(session, a_member(session), "clerk", merchant_id=other)
    answer = asked(counter, client, clerk_id)
    assert (answer.status_code, answer.get_json()["code"]) == (404, "merchant_not_found")
