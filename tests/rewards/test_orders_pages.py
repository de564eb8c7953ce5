"""Pages of orders: a member sets something aside and shows it, a clerk hands it over."""

import re

import pytest
from sqlalchemy import text

from pointsbank.core import clock
from pointsbank.core.db import run
from pointsbank.ledger.verifying import offenders
from pointsbank.rewards.locking import WRONG_CODES_MAX
from pointsbank.rewards.ordering import expire_next_order
from tests.browsing import Browser, words_of
from tests.builders import a_member, a_merchant, a_reward, with_role

CODE = re.compile(r"\b[0-9A-HJKMNP-TV-Z]{4}(?:-[0-9A-HJKMNP-TV-Z]{4}){2}\b")


@pytest.fixture
def clerk(counter):
    return Browser(counter.app, counter.clerk_id)


@pytest.fixture
def member(counter):
    return Browser(counter.app, counter.member_id)


def order(counter, member, quantity=1):
    """Order as a member does, and return the page it leads to."""
    page = member.open(f"/rewards/{counter.reward_id}")
    assert f"/rewards/{counter.reward_id}/order" in page.text
    asked = member.open(f"/rewards/{counter.reward_id}/order")
    return member.send(member.form(asked, "/order"), quantity=quantity)


def code_on(page) -> str:
    found = CODE.search(words_of(page))
    assert found, words_of(page)
    return found[0]


def looked_at(counter, clerk, code):
    page = clerk.open(f"/till/{counter.merchant_id}/vouchers")
    return clerk.send(clerk.form(page, "/vouchers"), code=code)


def test_a_voucher_from_the_reward_to_the_receipt(counter, member, clerk, writing):
    voucher = order(counter, member, "２")
    assert voucher.status_code == 200
    assert "您的兑换券" in words_of(voucher)
    assert '<svg class="qr"' in voucher.text
    assert counter.points() == 60
    look = looked_at(counter, clerk, code_on(voucher).lower())
    assert "王*兰" in words_of(look)
    assert "王桂兰" not in look.text
    receipt = clerk.send(clerk.form(look, "/handing"), quantity=2)
    assert "兑换成功" in words_of(receipt)
    after = member.open("/orders")
    assert "已领取" in words_of(after)
    with writing() as session:
        assert offenders(session) == []


def test_the_same_form_twice_orders_and_hands_over_once(counter, member, clerk):
    form = member.form(member.open(f"/rewards/{counter.reward_id}/order"), "/order")
    first, again = (member.send(form, quantity=1) for _ in range(2))
    assert code_on(first) == code_on(again)
    assert counter.points() == 80
    handing = clerk.form(looked_at(counter, clerk, code_on(first)), "/handing")
    receipts = [clerk.send(handing, follow=False).headers["Location"] for _ in range(2)]
    assert receipts[0] == receipts[1]
    look = looked_at(counter, clerk, code_on(first))
    assert "已经交付过了" in words_of(look)
    assert "/handing" not in look.text


def test_parts_are_handed_over_one_by_one(counter, member, clerk):
    code = code_on(order(counter, member, 3))
    look = looked_at(counter, clerk, code)
    stale = clerk.form(look, "/handing")
    clerk.send(clerk.form(look, "/handing"), quantity=1)
    look = looked_at(counter, clerk, code)
    assert "2 / 3" in words_of(look)
    clerk.send(clerk.form(look, "/handing"), quantity=1)
    refused = clerk.send(stale, quantity=2, idempotency_key="another")
    assert refused.status_code == 409
    assert "只剩 1 件" in words_of(refused)
    assert "已领 2 / 3" in words_of(member.open("/orders/1"))


def test_the_code_scanned_with_the_systems_camera(counter, member, clerk, writing):
    code = code_on(order(counter, member)).replace("-", "")
    look = clerk.open(f"/V/{code}")
    assert clerk.form(look, "/handing").fields["quantity"] == "1"
    assert "您的兑换券" in words_of(member.open(f"/v/{code.lower()}"))
    with writing() as session:
        stranger_id = a_member(session, "张伟")
        elsewhere = a_merchant(session, "别家店")
        foreign = with_role(session, a_member(session), "clerk", None, elsewhere)
    stranger = Browser(counter.app, stranger_id)
    foreign_clerk = Browser(counter.app, foreign)
    assert "只有这家店的店员" in words_of(stranger.open(f"/V/{code}"))
    assert foreign_clerk.open(f"/V/{code}").status_code == 404


def test_wrong_codes_lock_the_till(counter, member, clerk):
    code = code_on(order(counter, member))
    for _ in range(WRONG_CODES_MAX):
        page = looked_at(counter, clerk, "0000-0000-0000")
        assert page.status_code == 404
        assert "本店没有这张兑换券" in words_of(page)
    assert looked_at(counter, clerk, code).status_code == 429


def test_a_member_calls_an_order_off(counter, member):
    voucher = order(counter, member)
    done = member.send(member.form(voucher, "/cancellation"))
    assert "已取消" in words_of(done)
    assert '<svg class="qr"' not in done.text
    assert counter.points() == 100


def test_a_clerk_calls_off_what_is_not_there(counter, member, clerk):
    look = looked_at(counter, clerk, code_on(order(counter, member)))
    done = clerk.send(clerk.form(look, "/cancellation"))
    assert "积分已退还给本人" in words_of(done)
    assert counter.points() == 100


def test_a_voucher_that_ran_out_shows_no_code(counter, member, clerk, writing):
    code = code_on(order(counter, member))
    with writing() as session:
        session.execute(text("UPDATE reward_order SET expires_at = ordered_at"))
    page = member.open("/orders/1")
    assert not CODE.search(words_of(page))
    assert "超时" in words_of(page) or "过期" in words_of(page)
    assert "/handing" not in looked_at(counter, clerk, code).text
    with counter.app.app_context():
        assert run(lambda session: expire_next_order(session, now=clock.now()))
    assert counter.points() == 100


@pytest.mark.parametrize("quantity", ["", "0", "一", "6", "99999999999999999999"])
def test_a_slip_in_the_form_is_said(counter, member, quantity):
    page = order(counter, member, quantity)
    assert page.status_code in (400, 409)
    assert member.form(page, "/order").fields["idempotency_key"]
    assert counter.points() == 100


def test_a_tool_is_not_ordered(counter, member, writing):
    with writing() as session:
        tool = a_reward(session, counter.merchant_id, kind="loan", loan_days=7)
    assert member.open(f"/rewards/{tool}/order").status_code == 404
    assert f"/rewards/{tool}/order" not in member.open(f"/rewards/{tool}").text


def test_an_order_is_its_members_own(counter, member, clerk):
    order(counter, member)
    assert clerk.open("/orders/1").status_code == 404
    assert "还没有预订" in words_of(clerk.open("/orders"))
