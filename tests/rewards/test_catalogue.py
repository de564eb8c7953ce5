"""The catalogue as a member reads it: order, obstacles, search, pages."""

import pytest

from pointsbank.rewards.catalogue import Reader, Wanted, find_rewards, words_of
from tests import browsing
from tests.browsing import Browser
from tests.builders import (
    SHANGHAI,
    a_member,
    a_merchant,
    a_reward,
    an_organization,
    with_points,
)
from tests.counting import statements_of
from tests.moments import NOON

URL = "/api/v1/rewards"
FRIDAY, SATURDAY = 1 << 4, 1 << 5


def found(session, counter, wanted=None, balance=100, **more):
    reader = Reader(counter.member_id, balance, NOON, SHANGHAI)
    return find_rewards(session, reader, wanted or Wanted(), **more)


def names(entries):
    return [each.reward.name for each in entries]


def test_what_can_be_had_now_leads_and_the_rest_says_why_not(counter, writing):
    with writing() as session:
        shop = counter.merchant_id
        a_reward(session, shop, "周六", points=30, weekdays=SATURDAY)
        a_reward(session, shop, "周五", points=5, weekdays=FRIDAY)
        a_reward(session, shop, "二星", points=6, stars_min=2)
        a_reward(session, shop, "贵", points=101)
        a_reward(session, shop, "便宜", points=1, stock=None)
        elsewhere = an_organization(session, "140303009", "street", name="别的街道")
        a_reward(session, shop, "给别处", points=2, audience_id=elsewhere)
        a_reward(session, shop, "没了", points=3, stock=0)
        a_reward(session, shop, "草稿", points=3, is_draft=True)
        entries = found(session, counter)
    assert names(entries) == ["便宜", "洗洁精一瓶", "周六", "周五", "二星", "贵"]
    assert [each.is_now for each in entries] == [True] * 3 + [False] * 3
    assert [each.obstacle and each.obstacle.code for each in entries] == [
        None,
        None,
        None,
        "reward_not_today",
        "stars_missing",
        None,
    ]


@pytest.mark.parametrize("limit", [1, 2, 3, 50])
def test_pages_of_every_size_tell_the_same_list(counter, writing, limit):
    with writing() as session:
        for number in range(6):
            a_reward(session, counter.merchant_id, str(number), 40 + 30 * (number // 2))
        whole = names(found(session, counter))
        told, after = [], None
        while True:
            page = found(session, counter, limit=limit, after=after)
            if not page:
                break
            told += names(page)
            after = page[-1].position
    assert told == whole
    assert len(told) == 7


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        (Wanted(words="洗衣"), ["洗衣液", "衬衫清洗"]),
        (Wanted(words="洗衣 浓缩"), ["洗衣液"]),
        (Wanted(words="SOAP"), ["洗衣液"]),
        (Wanted(words="100%"), []),
        (Wanted(words="_"), []),
        (Wanted(category="home"), ["衬衫清洗"]),
        (Wanted(kind="service"), ["衬衫清洗"]),
        (Wanted(kind="coupon"), []),
        (Wanted(most_points=40), ["洗洁精一瓶", "洗衣液"]),
        (Wanted(merchant_id=10**12), []),
    ],
    ids=str,
)
def test_a_search_narrows_by_each_word_and_choice(counter, writing, wanted, expected):
    with writing() as session:
        a_reward(session, counter.merchant_id, "洗衣液", points=40, description="浓缩 soap")
        laundry = a_merchant(session, "洁净洗衣")
        a_reward(session, laundry, "衬衫清洗", points=50, kind="service", category="home")
        assert names(found(session, counter, wanted)) == expected


def test_words_are_cleaned_and_bounded():
    assert words_of("  洗\u200b衣\t液 ") == ["洗衣", "液"]
    assert len(words_of("a " * 50)) == 5


def test_the_list_takes_two_statements_however_long(counter, writing):
    with writing() as session:
        for number in range(20):
            a_reward(session, counter.merchant_id, str(number), points=30 + number)
        with statements_of(counter.app) as statements:
            assert len(found(session, counter)) == 21
        assert len(statements) == 2


def test_the_api_tells_obstacles_and_what_is_affordable(counter, client, writing):
    with writing() as session:
        a_reward(session, counter.merchant_id, "二星", points=6, stars_min=2)
        other = with_points(session, a_member(session), 10)
    items = client.get(URL, headers=counter.headers(counter.member_id)).get_json()["items"]
    assert [(each["name"], each["affordable"]) for each in items] == [
        ("洗洁精一瓶", True),
        ("二星", True),
    ]
    assert items[0]["obstacle"] is None
    assert items[1]["obstacle"]["code"] == "stars_missing"
    assert "2 星志愿者" in items[1]["obstacle"]["detail"]
    poor = client.get(f"{URL}?words=洗洁&limit=1", headers=counter.headers(other)).get_json()
    assert [each["affordable"] for each in poor["items"]] == [False]
    for query in ("category=cars", "kind=by_points", "most_points=0", "words=" + "长" * 61):
        answer = client.get(f"{URL}?{query}", headers=counter.headers())
        assert (answer.status_code, answer.get_json()["code"]) == (422, "bad_fields")
    assert client.get(f"{URL}?cursor=djE6MQ", headers=counter.headers()).status_code == 400


def test_the_page_searches_and_says_when_nothing_is_like_that(counter, writing):
    with writing() as session:
        a_reward(session, counter.merchant_id, "理发", points=30, kind="service")
    browser = Browser(counter.app, counter.member_id)
    said = browsing.words_of(browser.open("/rewards?words=理发&category=&kind=service"))
    assert "理发" in said
    assert "洗洁精一瓶" not in said
    nothing = browsing.words_of(browser.open("/rewards?words=<script>&category=x&kind=y"))
    assert "现在没有这样的奖品可换" in nothing
    assert browser.open("/rewards?cursor=nonsense").status_code == 400
