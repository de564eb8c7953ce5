"""At least three rewards within five hours' work in each community, or administrators hear."""

from datetime import timedelta

import pytest
from sqlalchemy import select, update

from pointsbank.jobs.reminding import remind
from pointsbank.messages.models import Message
from pointsbank.organizations.models import Merchant
from pointsbank.rewards.shortage import WITHIN_POINTS, short_places, tell_of_shortage
from tests.browsing import Browser, words_of
from tests.builders import (
    SHANGHAI,
    TODAY,
    a_member,
    a_merchant,
    a_reward,
    an_organization,
    how_many,
    with_role,
)
from tests.moments import NOON


def short(session, paths=("/",)):
    return {each.name: each.rewards for each in short_places(session, paths, NOON, SHANGHAI)}


HERE = "平潭街西社区居委会"


def test_three_within_fifty_points_are_enough(counter, writing):
    with writing() as session:
        assert short(session) == {HERE: 1}
        a_reward(session, counter.merchant_id, points=WITHIN_POINTS)
        a_reward(session, counter.merchant_id, points=WITHIN_POINTS + 1)
        assert short(session) == {HERE: 2}
        a_reward(session, counter.merchant_id, points=1, stock=None)
        assert short(session) == {}


@pytest.mark.parametrize(
    "more",
    [
        {"stock": 0},
        {"is_draft": True},
        {"stars_min": 1},
        {"kind": "loan", "loan_days": 3},
        {"valid_until": NOON},
        {"valid_from": NOON + timedelta(days=1)},
    ],
    ids=str,
)
def test_what_not_everyone_can_have_now_does_not_count(counter, writing, more):
    with writing() as session:
        for _ in range(2):
            a_reward(session, counter.merchant_id, points=10, **more)
        assert short(session) == {HERE: 1}


def test_a_merchant_above_serves_every_community_under_it(counter, writing):
    with writing() as session:
        street = an_organization(session, "140303009", "street", name="街道")
        community = an_organization(session, "140303009001", parent=street, name="桥头")
        an_organization(session, "140303009002", parent=street, name="没有人的")
        a_member(session, organization_id=community)
        shop = a_merchant(session, "街道爱心超市", street)
        first = [a_reward(session, shop, str(each), points=10) for each in range(3)]
        assert short(session) == {HERE: 1}
        an_audience = {"audience_id": an_organization(session)}
        a_reward(session, shop, "只给别处", points=10, **an_audience)
        session.execute(
            update(Merchant)
            .where(Merchant.id == shop)
            .values(takes_until=TODAY - timedelta(days=1))
        )
        assert short(session) == {HERE: 1, "桥头": 0}
        assert short(session, ["/999999/"]) == {}
        assert len(first) == 3


def test_administrators_hear_of_it_once_a_week(counter, writing):
    with writing() as session:
        here = an_organization(session)
        administrator = with_role(session, a_member(session), "administrator", here)
        everywhere = how_many(session, Message)
        told = tell_of_shortage(session, now=NOON, zone=SHANGHAI)
        assert told >= 1
        assert tell_of_shortage(session, now=NOON, zone=SHANGHAI) == 0
        sunday = NOON + timedelta(days=1)
        assert tell_of_shortage(session, now=sunday, zone=SHANGHAI) == 0
        assert tell_of_shortage(session, now=sunday + timedelta(days=1), zone=SHANGHAI) == told
        assert how_many(session, Message) == everywhere + 2 * told
    browser = Browser(counter.app, administrator)
    assert HERE in words_of(browser.open("/rewards/shortage"))
    assert "引进奖品" in words_of(browser.open("/dashboard"))


def test_the_mornings_reminders_tell_of_it(counter, writing):
    with writing() as session:
        administrator = with_role(
            session, a_member(session), "administrator", an_organization(session)
        )
        remind(session, NOON, SHANGHAI)
        told = select(Message.kind, Message.facts).where(Message.member_id == administrator)
        [message] = session.execute(told).all()
        assert message.kind == "few_rewards"
        assert message.facts == {"communities": 1, "rewards_needed": 3, "points": 50}


def test_the_api_lists_them_within_ones_scope(counter, client, writing):
    with writing() as session:
        here = an_organization(session)
        auditor = with_role(session, a_member(session), "auditor", here)
        elsewhere = an_organization(session, "140303009001", name="桥头")
        foreign = with_role(session, a_member(session), "administrator", elsewhere)
    url = "/api/v1/reward-shortages"
    assert client.get(url, headers=counter.headers(auditor)).get_json()["items"] == [
        {"organization": {"id": here, "name": HERE}, "rewards": 1, "needed": 3}
    ]
    assert client.get(url, headers=counter.headers(foreign)).get_json()["items"] == []
    assert client.get(url, headers=counter.headers()).status_code == 403
