"""The shop's own till code: the member picks, both see one word, one tap hands it over."""

import re

import pytest
from sqlalchemy import text

from pointsbank.core import clock
from pointsbank.core.db import transaction
from pointsbank.core.keys import draw_bytes
from pointsbank.ledger.verifying import offenders
from pointsbank.merchants.models import TILL_HANDLE_BYTES, Shop
from pointsbank.merchants.tills import till_text
from tests.browsing import Browser, words_of
from tests.builders import a_member, a_merchant, a_reward, an_organization, with_role
from tests.moments import NOON

WORD = re.compile(r"\b(\d\d \d\d)\b")
CLOCK = re.compile(r"1[45]:[0-5]\d\s*分钟内交付有效")


@pytest.fixture
def till_code(counter) -> str:
    """The text of the code that stands at the counter."""
    handle = draw_bytes(TILL_HANDLE_BYTES)
    with counter.app.app_context(), transaction() as session:
        session.add(
            Shop(
                merchant_id=counter.merchant_id,
                name="总店",
                till_handle=handle,
                added_at=clock.now(),
            )
        )
    return till_text(counter.secret, handle)


@pytest.fixture
def member(counter):
    return Browser(counter.app, counter.member_id)


@pytest.fixture
def clerk(counter):
    return Browser(counter.app, counter.clerk_id)


def picked(counter, member, code, **filled):
    """Pick two bottles, unless said otherwise, and return the page that comes."""
    form = member.form(member.open(f"/T/{code}"), f"/T/{code}")
    values = {"reward_id": counter.reward_id, "quantity": 2, **filled}
    return form, member.send(form, **values)


def test_from_the_shops_code_to_the_receipt(counter, clerk, member, writing, till_code):
    said = words_of(member.open(f"/t/{till_code.lower()}"))
    assert "惠民粮油店 · 总店" in said
    assert "洗洁精一瓶" in said
    form, page = picked(counter, member, till_code)
    path = page.request.path
    word = WORD.search(words_of(page))
    assert word, words_of(page)
    assert CLOCK.search(words_of(page)), "minutes are read, not 900 seconds"
    again = member.send(form, reward_id=counter.reward_id, quantity=2)
    assert again.request.path == path, "a form sent twice is one order"
    assert counter.points() == 60
    till = clerk.open(f"/till/{counter.merchant_id}")
    assert word[1] in words_of(till)
    assert "王*兰" in words_of(till)
    handing = clerk.form(till, "/handing")
    receipt = clerk.send(handing)
    assert "兑换成功" in words_of(receipt)
    assert clerk.send(handing).request.path == receipt.request.path
    done = words_of(member.open(path))
    assert "兑换成功" in done
    assert word[1] not in words_of(clerk.open(f"/till/{counter.merchant_id}"))
    with writing() as session:
        assert session.scalar(text("SELECT COUNT(*) FROM redemption")) == 1
        assert session.scalar(text("SELECT way FROM redemption")) == "counter"
        assert offenders(session) == []
    assert counter.points() == 60


@pytest.mark.parametrize("who", ["member", "clerk"])
def test_an_order_is_called_off_by_either_side(counter, clerk, member, till_code, who):
    _, page = picked(counter, member, till_code)
    if who == "member":
        after = member.send(member.form(page, "/cancellation"))
        assert "没有扣分" in words_of(after)
    else:
        till = clerk.open(f"/till/{counter.merchant_id}")
        handing = clerk.form(till, "/handing")
        clerk.send(clerk.form(till, "/cancellation"))
        assert "兑换成功" not in words_of(clerk.send(handing))
    assert counter.points() == 100
    assert "没有兑换" in words_of(member.open(page.request.path))


def test_by_points_as_the_clerk_says(counter, clerk, member, writing, till_code):
    _, page = picked(counter, member, till_code, reward_id="points", points="35")
    assert "按积分" in words_of(page)
    till = clerk.open(f"/till/{counter.merchant_id}")
    assert "按积分" in words_of(clerk.send(clerk.form(till, "/handing")))
    assert counter.points() == 65
    with writing() as session:
        assert offenders(session) == []


def test_what_cannot_be_is_said_on_the_page(counter, member, till_code, writing):
    cases = [
        ({"quantity": 11}, 409),
        ({"quantity": 6}, 409),
        ({"quantity": "x"}, 400),
        ({"reward_id": "points", "points": ""}, 400),
        ({"reward_id": 10**17}, 404),
        ({"idempotency_key": ""}, 400),
        ({"csrf_token": ""}, 400),
    ]
    for filled, status in cases:
        _, page = picked(counter, member, till_code, **filled)
        assert page.status_code == status, filled
    assert counter.points() == 100
    with writing() as session:
        assert session.scalar(text("SELECT COUNT(*) FROM reward_order")) == 0


def test_each_person_is_led_where_they_belong(counter, clerk, member, writing, till_code):
    assert clerk.open(f"/T/{till_code}").request.path == f"/till/{counter.merchant_id}"
    nobody = Browser(counter.app).client.get(f"/T/{till_code}")
    assert nobody.status_code == 302
    forged = till_code[:-1] + ("A" if till_code[-1] != "A" else "B")
    assert member.open(f"/T/{forged}").status_code == 400
    assert member.open("/T/NONSENSE").status_code == 400
    _, page = picked(counter, member, till_code)
    path = page.request.path
    with writing() as session:
        stranger_id = a_member(session, "张伟")
        foreign_id = with_role(
            session, a_member(session), "clerk", None, a_merchant(session, "别家店")
        )
    stranger, foreign = (Browser(counter.app, each) for each in (stranger_id, foreign_id))
    for browser in (stranger, foreign, clerk):
        assert browser.open(path).status_code == 404
    handing = clerk.form(clerk.open(f"/till/{counter.merchant_id}"), "/handing")
    token = foreign.form(foreign.open("/till"), "/display").fields["csrf_token"]
    assert foreign.send(handing, csrf_token=token).status_code == 404
    assert counter.points() == 60


def test_only_what_one_can_have_now_is_shown(counter, member, writing, till_code):
    with writing() as session:
        a_reward(session, counter.merchant_id, "自行车", 1500)
        a_reward(session, counter.merchant_id, "只给五星", 5, stars_min=5)
        a_reward(session, counter.merchant_id, "电钻", 5, kind="loan", loan_days=7)
    said = words_of(member.open(f"/T/{till_code}"))
    assert "洗洁精一瓶" in said
    for name in ("自行车", "只给五星", "电钻"):
        assert name not in said


TODAYS_BIT = 1 << NOON.weekday()
OTHER_DAYS = 127 - TODAYS_BIT
HAD_NINE = """
    INSERT INTO reward_taken (reward_id, member_id, period, quantity)
    SELECT reward.id, member.id, '', 9 FROM reward, member WHERE member.name = '王桂兰'
"""
# What the till would refuse, and what the page says instead of offering it.
REFUSED = {
    "another day": (f"UPDATE reward SET weekdays = {OTHER_DAYS}", ""),
    "not yet": ("UPDATE reward SET valid_from = '2099-01-01'", ""),
    "for others": ("UPDATE reward SET audience_id = (SELECT MAX(id) FROM organization)", ""),
    "had enough": (HAD_NINE, ""),
    "stopped": ("UPDATE merchant SET state = 'suspended'", "这家店现在不收积分"),
    "contract over": ("UPDATE merchant SET takes_until = '2026-01-01'", "这家店现在不收积分"),
    "month full": ("UPDATE merchant SET month_points_max = 0", "请改天再来"),
}


@pytest.mark.parametrize("why", REFUSED)
def test_nobody_picks_what_the_till_would_refuse(counter, member, writing, till_code, why):
    statement, said = REFUSED[why]
    with writing() as session:
        session.execute(text("UPDATE reward SET limit_per_member = 9"))
        an_organization(session, "C-ELSEWHERE", name="别的社区")
    assert "洗洁精一瓶" in words_of(member.open(f"/T/{till_code}"))
    with writing() as session:
        session.execute(text(statement))
    page = member.open(f"/T/{till_code}")
    assert "洗洁精一瓶" not in words_of(page)
    assert said in words_of(page)
    # Where nothing at all can be had there is no form, not even by points.
    assert ("按积分" not in words_of(page)) == bool(said)


def test_what_is_left_of_the_day_bounds_the_choice(counter, member, writing, till_code):
    today = NOON.date().isoformat()
    with writing() as session:
        session.execute(
            text(
                "INSERT INTO spent_by_day (member_id, day, points)"
                f" VALUES ({counter.member_id}, '{today}', 1985)"
            )
        )
    page = member.open(f"/T/{till_code}")
    assert "洗洁精一瓶" not in words_of(page)
    assert 'max="15"' in page.text
    _, refused = picked(counter, member, till_code, reward_id="points", points=16)
    assert refused.status_code == 409
    assert "一天最多" in words_of(refused)
    _, taken = picked(counter, member, till_code, reward_id="points", points=15)
    assert WORD.search(words_of(taken))
