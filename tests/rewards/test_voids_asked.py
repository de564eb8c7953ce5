"""Voids that wait for a second administrator: listed within one's scope, counted, decided."""

from datetime import timedelta

import pytest

from pointsbank.core.actor import Actor, Grant
from pointsbank.rewards.voiding import refuse_void, void_redemption
from pointsbank.rewards.voids_queries import count_voids_to_decide, voids_asked
from tests.browsing import Browser, words_of
from tests.builders import a_member, a_merchant, an_organization, with_points, with_role
from tests.moments import NOON

URL = "/api/v1/redemptions/voids"
DAY = {"today": NOON.date() + timedelta(days=1), "now": NOON + timedelta(days=1)}


@pytest.fixture
def administrators(writing) -> list[int]:
    """Two administrators over everything."""
    with writing() as session:
        return [
            with_role(session, a_member(session, name), "administrator")
            for name in ("管理员", "副主任")
        ]


def actor(member_id: int) -> Actor:
    return Actor(member_id, "管理员", 1, 1, (Grant("administrator", "/"),))


@pytest.fixture
def asked(counter, writing, administrators):
    """Redeem two bottles, and let the first administrator ask to void one the next day."""

    def act() -> int:
        code = counter.code(now=NOON)
        with writing() as session:
            with_points(session, counter.member_id, 40)
            done = counter.redeem(session, counter.order(code, quantity=2))
        with writing() as session:
            void_redemption(
                session,
                redemption_id=done.id,
                actor=actor(administrators[0]),
                reason="拿错了",
                quantity=1,
                **DAY,
            )
        return done.id

    return act


def listed(client, counter, member_id, query=""):
    answer = client.get(URL + query, headers=counter.headers(member_id))
    assert answer.status_code == 200, answer.data
    return answer.get_json()


def test_what_was_asked_for_is_listed_with_nobodys_whole_name(
    counter, client, asked, administrators
):
    redemption_id = asked()
    first, second = administrators
    (item,) = listed(client, counter, second)["items"]
    assert item["redemption_id"] == redemption_id
    assert item["merchant"] == {"id": counter.merchant_id, "name": "惠民粮油店"}
    assert (item["reward"], item["quantity"], item["points"]) == ("洗洁精一瓶", 1, 20)
    assert (item["reason"], item["day"]) == ("拿错了", NOON.date().isoformat())
    assert item["member"] == {"display_name": "王*兰"}
    assert item["asked_by"] == {"display_name": "管*员"}
    assert item["decidable"] is True
    (own,) = listed(client, counter, first)["items"]
    assert own == {**item, "decidable": False}


def test_it_goes_when_it_is_decided_either_way(counter, client, asked, administrators, writing):
    first, second = administrators
    agreed, refused = asked(), asked()
    with writing() as session:
        void_redemption(session, redemption_id=agreed, actor=actor(second), reason=None, **DAY)
        left = [each.redemption_id for each in voids_asked(session, ("/",))]
        assert left == [refused]
        assert count_voids_to_decide(session, ("/",), second) == 1
        assert count_voids_to_decide(session, ("/",), first) == 0
        refuse_void(session, redemption_id=refused, actor=actor(second), **DAY)
        assert voids_asked(session, ("/",)) == []
    assert listed(client, counter, second) == {"items": [], "next": None}


def test_what_its_clerk_voided_meanwhile_needs_nobodys_word(
    counter, asked, writing, administrators
):
    redemption_id = asked()
    with writing() as session:
        counter.void(session, redemption_id)
        assert voids_asked(session, ("/",)) == []
        assert count_voids_to_decide(session, ("/",), administrators[1]) == 0
    second = Browser(counter.app, administrators[1])
    assert "同意撤销" not in words_of(second.open(f"/redemptions/{redemption_id}"))


def test_only_what_is_in_ones_scope(counter, asked, client, writing):
    asked()
    with writing() as session:
        elsewhere = an_organization(session, "C-ELSEWHERE", name="别的社区")
        stranger = with_role(session, a_member(session), "administrator", elsewhere)
        assert voids_asked(session, ()) == []
        clerk = with_role(
            session, a_member(session), "clerk", None, a_merchant(session, "别家")
        )
    assert listed(client, counter, stranger)["items"] == []
    for nobody in (clerk, counter.clerk_id, counter.member_id):
        assert client.get(URL, headers=counter.headers(nobody)).status_code == 403


def test_the_pages_of_the_list_go_on(counter, client, asked, administrators):
    ids = [asked() for _ in range(3)]
    first = listed(client, counter, administrators[1], "?limit=2")
    rest = listed(client, counter, administrators[1], f"?limit=2&cursor={first['next']}")
    found = [each["redemption_id"] for each in (*first["items"], *rest["items"])]
    assert (found, rest["next"]) == (ids, None)


def test_from_the_dashboard_to_the_decision(counter, asked, administrators):
    redemption_id = asked()
    first, second = (Browser(counter.app, each) for each in administrators)
    assert "决定兑换的撤销" not in words_of(first.open("/dashboard"))
    dashboard = second.open("/dashboard")
    assert "决定兑换的撤销" in words_of(dashboard)
    assert 'href="/redemptions/voids"' in dashboard.text
    mine = words_of(first.open("/redemptions/voids"))
    assert "要由别人决定" in mine
    page = second.open("/redemptions/voids")
    for words in ("惠民粮油店", "王*兰", "管*员 申请", "拿错了", "请您决定"):
        assert words in words_of(page), words
    assert "王桂兰" not in page.text
    assert f'href="/redemptions/{redemption_id}"' in page.text
    receipt = second.open(f"/redemptions/{redemption_id}")
    agree = second.forms(receipt, "/void")[0]
    assert agree.fields["decision"] == "agree"
    second.send(agree)
    assert "没有等待决定的撤销" in words_of(second.open("/redemptions/voids"))
    assert counter.points() == 120
