"""The counter on phones: a code read by the camera or typed, confirmed once, voided once."""

import re

import pytest
from flask import Flask
from playwright.sync_api import Page, expect

from pointsbank.core.db import reading, transaction
from pointsbank.ledger.queries import balance_of
from pointsbank.ledger.verifying import offenders
from pointsbank.rewards.models import Redemption, Reward
from tests.browser.fake_camera import FakeCamera
from tests.browser.people import People, code_in
from tests.builders import a_merchant, a_reward, with_points, with_role

# What a browser does that sends a form again: after "back", or because no answer came.
SEND_AGAIN = """async ({ action, fields }) => {
    const answer = await fetch(action, { method: "POST", body: new URLSearchParams(fields) });
    return { address: answer.url, page: await answer.text() };
}"""
READ_FORM = """(form) => ({
    action: form.action,
    fields: Object.fromEntries(new FormData(form)),
})"""


@pytest.fixture
def counter(app: Flask, people: People) -> tuple[int, int, int]:
    """A clerk, a member with 100 points, and a merchant with two rewards."""
    clerk, member = people.join("赵小梅"), people.join("王桂兰")
    with app.app_context(), transaction() as session:
        merchant = a_merchant(session)
        with_role(session, clerk, "clerk", merchant_id=merchant)
        a_reward(session, merchant, "洗洁精一瓶", 20, 10)
        a_reward(session, merchant, "大米 5 公斤", 150, 10)
        with_points(session, member, 100)
    return clerk, member, merchant


def balance(app: Flask, member_id: int) -> int:
    """Return what a member can spend, and see that the ledger is sound."""
    with app.app_context(), reading() as session:
        assert offenders(session) == []
        return balance_of(session, f"member:{member_id}").available


def at_the_till(page: Page, way: str) -> None:
    """Go to the till as a clerk does: by the menu, then by one of the two big ways in."""
    page.goto("/")
    page.get_by_role("link", name="收积分").click()
    page.get_by_role("link", name=re.compile(way)).click()


def digits_on(phone: Page) -> str:
    """Return the 18 digits that a member's phone shows after asking for a redemption code."""
    phone.goto("/my-code/redeem")
    expect(phone.locator("[data-digits]")).to_contain_text(re.compile("^77"))
    return phone.locator("[data-digits]").inner_text()


def read_by_camera(till: Page, phone: Page, camera: FakeCamera) -> None:
    """Let a member find their code, hold it before the till's camera, and the clerk choose."""
    phone.goto("/")
    phone.get_by_role("navigation").get_by_role("link", name="我的码").click()
    phone.get_by_role("link", name="兑换", exact=True).click()
    expect(phone.locator("[data-digits]")).to_contain_text(re.compile("^77"))
    at_the_till(till, "先扫码")
    camera.show(code_in(phone.locator("[data-qr]")))
    till.get_by_role("button", name="开始扫码").click()
    expect(till.get_by_label("兑换码或纸卡号")).not_to_have_value("")
    till.get_by_label("洗洁精一瓶").check()
    till.get_by_role("button", name="核对").click()


def test_a_code_before_the_camera_is_redeemed_once(
    app: Flask, people: People, camera: FakeCamera, counter: tuple[int, int, int]
) -> None:
    clerk, member, _ = counter
    till, phone = people.page_of(clerk), people.page_of(member)
    read_by_camera(till, phone, camera)
    sheet = till.get_by_role("dialog")
    expect(sheet).to_contain_text("王*兰")
    expect(sheet).to_contain_text("100 → 80")
    assert balance(app, member) == 100, "a look takes nothing"
    form = till.locator("form[data-ask-again]").evaluate(READ_FORM)
    till.get_by_role("button", name="确认，扣 20 分").dblclick()
    expect(till.get_by_role("heading", name="兑换成功")).to_be_visible()
    receipt = till.url
    assert people.count(Redemption) == 1
    again = till.evaluate(SEND_AGAIN, form)
    assert again["address"] == receipt, "the same form leads to the same receipt"
    till.go_back()
    expect(till.get_by_role("dialog")).to_have_count(0)
    assert (people.count(Redemption), balance(app, member)) == (1, 80)


def test_a_void_gives_points_and_goods_back_once(
    app: Flask, people: People, counter: tuple[int, int, int]
) -> None:
    clerk, member, _ = counter
    till, phone = people.page_of(clerk), people.page_of(member)
    at_the_till(till, "按奖品")
    till.get_by_label("洗洁精一瓶").check()
    till.get_by_label("兑换码或纸卡号").fill(digits_on(phone))
    till.get_by_role("button", name="确认，扣 20 分").click()
    till.get_by_text("撤销这笔").click()
    till.get_by_label("请写一句原因").fill("拿错了")
    form = till.locator("form[action$='/void']")
    sent = form.evaluate(READ_FORM)
    form.get_by_role("button", name="撤销").click()
    expect(till.get_by_role("heading", name="已撤销")).to_be_visible()
    till.evaluate(SEND_AGAIN, sent)
    assert balance(app, member) == 100
    assert people.count(Reward, Reward.stock == 10) == 2, "the goods are back on the shelf"
    phone.goto("/passbook")
    expect(phone.locator(".ledger")).to_contain_text("冲正")


@pytest.mark.engine("sqlite")
def test_digits_are_typed_and_a_refusal_keeps_what_was_typed(
    app: Flask, people: People, counter: tuple[int, int, int]
) -> None:
    clerk, member, _ = counter
    till, phone = people.page_of(clerk), people.page_of(member)
    digits = digits_on(phone)
    at_the_till(till, "按奖品")
    till.get_by_label("大米 5 公斤").check()
    till.get_by_label("兑换码或纸卡号").fill("77 1234 5678 9012 3456")
    expect(till.get_by_role("alert")).to_contain_text("不是本系统的码")
    expect(till.get_by_label("大米 5 公斤")).to_be_checked()
    expect(till.get_by_label("兑换码或纸卡号")).to_have_value("77 1234 5678 9012 3456")

    till.get_by_label("兑换码或纸卡号").fill(digits)
    expect(till.get_by_role("alert")).to_contain_text("积分不够")
    expect(till.get_by_text("可以换这些")).to_be_visible()
    till.get_by_label("洗洁精一瓶").check()
    till.get_by_label("兑换码或纸卡号").fill(digits)
    till.get_by_role("button", name="确认，扣 20 分").click()
    expect(till.get_by_role("heading", name="兑换成功")).to_be_visible()
    assert balance(app, member) == 80

    till.get_by_role("link", name="下一位").click()
    expect(till.get_by_text("王*兰")).to_be_visible()
    at_the_till(till, "按奖品")
    till.get_by_label("洗洁精一瓶").check()
    till.get_by_label("兑换码或纸卡号").fill(digits)
    expect(till.get_by_role("alert")).to_contain_text("用过")
    assert people.count(Redemption) == 1
