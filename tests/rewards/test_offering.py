"""What a merchant says of a reward: each field in and out, drafts, changes, the price."""

from datetime import timedelta

import pytest
from sqlalchemy import text

from pointsbank.core import clock
from pointsbank.rewards.days import monthday_bits, monthday_numbers, weekday_bits, weekday_names
from pointsbank.rewards.models import REWARD_POINTS_MAX
from pointsbank.rewards.policy import points_for
from tests.browsing import Browser, words_of
from tests.builders import a_member, a_merchant, a_reward, an_organization, with_role

URL = "/api/v1/rewards"
SHELF_WORDS = (
    "磨刀一次",
    "草稿",
    "125",
    "不计库存",
    "每周五、每月 1、15 日",
    "每人每月最多 2 份",
)
BACKWARDS = {
    "valid_from": "2026-12-02T00:00:00+08:00",
    "valid_until": "2026-12-01T00:00:00+08:00",
}


def offered(counter, client, **fields):
    body = {"merchant_id": counter.merchant_id, "name": "羽绒服清洗", "points": 60, "stock": 5}
    body = {name: each for name, each in {**body, **fields}.items() if each != "left out"}
    return client.post(URL, json=body, headers=counter.headers())


def seen(counter, client, reward_id, member_id=None):
    return client.get(f"{URL}/{reward_id}", headers=counter.headers(member_id))


@pytest.mark.parametrize(
    ("market_fen", "rate_fen", "points"),
    [(1000, 1000, 100), (1, 1000, 1), (1001, 1000, 101), (995, 1000, 100), (1250, 900, 139)],
)
def test_a_price_in_points_is_rounded_up(market_fen, rate_fen, points):
    assert points_for(market_fen, rate_fen) == points


def test_days_are_kept_as_bits_and_told_in_order():
    assert weekday_names(weekday_bits(["SU", "FR", "FR"])) == ["FR", "SU"]
    assert monthday_numbers(monthday_bits([31, 15, 1, 15])) == [1, 15, 31]
    assert (weekday_names(0), monthday_numbers(0)) == ([], [])


def test_every_field_goes_in_and_comes_out(counter, client, writing):
    with writing() as session:
        code = "140303009"
        audience = an_organization(session, code, "street", name="别的街道")
    fields = {
        "kind": "service",
        "category": "home",
        "description": "先打电话\n再送来",
        "market_fen": 4500,
        "limit_per_member": 2,
        "limit_period": "month",
        "weekdays": ["FR", "SA"],
        "monthdays": [15, 31],
        "stars_min": 2,
        "valid_from": "2026-11-01T00:00:00+00:00",
        "valid_until": None,
    }
    answer = offered(counter, client, stock=None, audience_code=code, **fields)
    assert answer.status_code == 201
    body = seen(counter, client, answer.get_json()["id"]).get_json()
    assert {name: body[name] for name in fields} == fields
    assert (body["stock"], body["loan_days"], body["picture"]) == (None, None, None)
    assert body["audience"] == {"id": audience, "name": "别的街道"}
    assert body["obstacle"]["code"] in ("reward_not_today", "reward_for_others")
    loan = offered(counter, client, kind="loan", loan_days=7).get_json()["id"]
    assert seen(counter, client, loan).get_json()["loan_days"] == 7


@pytest.mark.parametrize(
    ("fields", "status", "code"),
    [
        ({"kind": "by_points"}, 422, "bad_fields"),
        ({"category": "cars"}, 422, "bad_fields"),
        ({"weekdays": ["XX"]}, 422, "bad_fields"),
        ({"weekdays": "FR"}, 422, "bad_fields"),
        ({"monthdays": [0]}, 422, "bad_fields"),
        ({"monthdays": [32]}, 422, "bad_fields"),
        ({"monthdays": ["1"]}, 422, "bad_fields"),
        ({"stars_min": 6}, 422, "bad_fields"),
        ({"limit_period": "hour"}, 422, "bad_fields"),
        ({"description": "长" * 1001}, 422, "bad_fields"),
        ({"market_fen": 0}, 422, "bad_fields"),
        ({"loan_days": 91, "kind": "loan"}, 422, "bad_fields"),
        ({"kind": "loan"}, 400, "loan_days_missing"),
        ({"loan_days": 7}, 400, "loan_days_missing"),
        ({"audience_code": "nowhere"}, 404, "organization_not_found"),
        ({"points": "left out"}, 400, "price_missing"),
        ({"draft": "yes"}, 422, "bad_fields"),
        ({"stock": "left out"}, 422, "bad_fields"),
    ],
    ids=str,
)
def test_an_offer_that_cannot_stand_is_refused_and_leaves_nothing(
    counter, client, writing, fields, status, code
):
    answer = offered(counter, client, **fields)
    assert (answer.status_code, answer.get_json()["code"]) == (status, code)
    with writing() as session:
        assert session.scalar(text("SELECT COUNT(*) FROM reward")) == 1


def test_a_price_in_money_becomes_points_at_the_merchants_rate(counter, client):
    price = client.get(
        f"/api/v1/merchants/{counter.merchant_id}/price?market_fen=1255",
        headers=counter.headers(),
    )
    assert price.get_json() == {"points": 126, "rate_fen": 1000}
    made = offered(counter, client, points="left out", market_fen=1255).get_json()["id"]
    assert seen(counter, client, made).get_json()["points"] == 126
    dear = offered(counter, client, points="left out", market_fen=9_999_999).get_json()["id"]
    assert seen(counter, client, dear).get_json()["points"] == REWARD_POINTS_MAX


def test_a_draft_is_seen_by_its_own_people_until_it_is_offered(counter, client, writing):
    draft = offered(counter, client, draft=True).get_json()["id"]
    with writing() as session:
        foreign = with_role(session, a_member(session), "clerk", None, a_merchant(session))
    assert seen(counter, client, draft).get_json()["state"] == "draft"
    for who in (counter.member_id, foreign):
        assert seen(counter, client, draft, who).status_code == 404
        assert Browser(counter.app, who).open(f"/rewards/{draft}").status_code == 404
    listed = client.get(URL, headers=counter.headers(counter.member_id)).get_json()
    assert draft not in [each["id"] for each in listed["items"]]
    own = client.get(
        f"/api/v1/merchants/{counter.merchant_id}/rewards", headers=counter.headers()
    )
    assert [each["state"] for each in own.get_json()["items"]] == ["offered", "draft"]
    out = client.patch(f"{URL}/{draft}", json={"state": "offered"}, headers=counter.headers())
    assert out.get_json()["state"] == "offered"
    assert seen(counter, client, draft, counter.member_id).status_code == 200


def test_changes_are_kept_once_and_noted(counter, client, writing):
    here, headers = f"{URL}/{counter.reward_id}", counter.headers()
    changes = {"name": "洗洁精两瓶", "points": 35, "weekdays": ["MO"], "limit_per_member": 1}
    for _ in range(2):
        answer = client.patch(here, json=changes, headers=headers)
        assert answer.status_code == 200
        body = answer.get_json()
        assert {name: body[name] for name in changes} == changes
        assert body["stock"] == 10
    with writing() as session:
        notes = text("SELECT COUNT(*) FROM audit_entry WHERE action = 'edit_reward'")
        assert session.scalar(notes) == 1
    for refused, code in (
        ({"kind": "service"}, "kind_fixed"),
        ({"stock": 3}, "stock_counted"),
        ({"loan_days": 3}, "loan_days_missing"),
        (BACKWARDS, "bad_validity"),
        ({}, "bad_fields"),
        ({"stock": None, "add_stock": 2}, "stock_not_counted"),
    ):
        answer = client.patch(here, json=refused, headers=headers)
        assert answer.get_json()["code"] == code
    assert seen(counter, client, counter.reward_id).get_json()["stock"] == 10
    uncounted = client.patch(here, json={"stock": None}, headers=headers).get_json()
    assert uncounted["stock"] is None
    assert client.patch(here, json={"stock": 7}, headers=headers).get_json()["stock"] == 7


def test_what_the_counter_makes_for_itself_is_nobodys_to_change(counter, client, writing):
    with writing() as session:
        own = a_reward(
            session, counter.merchant_id, "按分兑换", points=1, stock=None, kind="by_points"
        )
    listed = client.get(URL, headers=counter.headers(counter.member_id)).get_json()
    assert own not in [each["id"] for each in listed["items"]]
    changed = client.patch(f"{URL}/{own}", json={"points": 2}, headers=counter.headers())
    assert (changed.status_code, changed.get_json()["code"]) == (404, "reward_not_found")


def test_the_form_of_a_reward_takes_words_money_and_days(counter, writing):
    clerk = Browser(counter.app, counter.clerk_id)
    here = f"/merchants/{counter.merchant_id}/rewards"
    form = clerk.form(clerk.open(f"{here}/new"), "/rewards")
    bad = clerk.send(form, name="磨刀", points="", market_yuan="x", monthdays="40", stock="-1")
    assert bad.status_code == 422
    assert "比如 12.50" in words_of(bad)
    assert "比如 1、15" in words_of(bad)
    nothing = clerk.send(form, name="磨刀", points="", market_yuan="")
    assert "或者填市价" in words_of(nothing)
    done = clerk.send(
        form,
        name="磨刀一次",
        points="",
        market_yuan="１２.5",
        stock="",
        kind="service",
        category="home",
        weekdays="FR",
        monthdays="1、15",
        limit_per_member="2",
        limit_period="month",
        description="带刀来",
        draft="1",
    )
    said = words_of(done)
    assert done.status_code == 200
    for part in SHELF_WORDS:
        assert part in said
    with writing() as session:
        reward_id = session.scalar(text("SELECT id FROM reward WHERE name = '磨刀一次'"))
    edit = clerk.open(f"/rewards/{reward_id}/edit")
    form = clerk.form(edit, f"/rewards/{reward_id}/edit")
    assert (form.fields["market_yuan"], form.fields["monthdays"]) == ("12.50", "1, 15")
    kept = clerk.send(
        form, kind="service", limit_period="month", points="90", description="带一把刀来"
    )
    assert "改动已保存" in words_of(kept)
    clerk.send(clerk.form(kept, f"/rewards/{reward_id}/state"))
    member = Browser(counter.app, counter.member_id)
    page = words_of(member.open(f"/rewards/{reward_id}"))
    for part in ("带一把刀来", "每周五、每月 1、15 日", "服务", "90"):
        assert part in page
    refused = clerk.send(form, kind="goods", limit_period="month")
    assert refused.status_code == 422
    assert "只有草稿才能改类型" in words_of(refused)


def test_a_foreign_clerk_finds_no_form(counter, writing):
    with writing() as session:
        foreign = with_role(session, a_member(session), "clerk", None, a_merchant(session))
    browser = Browser(counter.app, foreign)
    assert browser.open(f"/rewards/{counter.reward_id}/edit").status_code == 404


def test_the_last_moment_is_exclusive_on_the_page_too(counter, writing):
    with writing() as session:
        over = a_reward(
            session, counter.merchant_id, valid_until=clock.now() - timedelta(seconds=1)
        )
    page = Browser(counter.app, counter.member_id).open(f"/rewards/{over}")
    assert "出示兑换码" not in words_of(page)
