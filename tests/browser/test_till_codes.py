"""What a clerk's camera and hand scanner do beside a sale: vouchers, tools, and after a no."""

import re

import pytest
from flask import Flask
from playwright.sync_api import Page, expect

from pointsbank.core import clock
from pointsbank.core.db import reading, transaction
from pointsbank.core.keys import draw_number
from pointsbank.ledger.queries import balance_of
from pointsbank.ledger.verifying import offenders
from pointsbank.rewards.ordering import NewOrder, order_reward
from pointsbank.rewards.orders_models import Loan, RewardOrder
from pointsbank.rewards.vouchers import grouped, voucher_code
from tests.browser.fake_camera import FakeCamera
from tests.browser.people import People, code_in
from tests.browser.test_till import digits_on
from tests.builders import a_merchant, a_reward, with_points, with_role

pytestmark = pytest.mark.engine("sqlite")


@pytest.fixture
def counter(app: Flask, people: People) -> tuple[int, int, int]:
    """A clerk, a member with 100 points, and a merchant with two rewards and two tools."""
    clerk, member = people.join("赵小梅"), people.join("王桂兰")
    with app.app_context(), transaction() as session:
        merchant = a_merchant(session)
        with_role(session, clerk, "clerk", merchant_id=merchant)
        a_reward(session, merchant, "洗洁精一瓶", 20, 10)
        a_reward(session, merchant, "大米 5 公斤", 150, 10)
        for name in ("电钻", "梯子"):
            a_reward(session, merchant, name, 60, 2, kind="loan", loan_days=7)
        with_points(session, member, 100)
    return clerk, member, merchant


@pytest.fixture
def voucher(app: Flask, people: People, counter: tuple[int, int, int]) -> str:
    """The bare code of a voucher for one bottle."""
    now, number = clock.now(), draw_number(14)
    secret = people.settings.secret_key
    with app.app_context(), transaction() as session:
        new = NewOrder(1, 1, counter[1], number)
        order_reward(session, new, secret=secret, today=now.date(), now=now)
    return voucher_code(secret, number)


def balance(app: Flask, member_id: int) -> int:
    """Return what a member can spend, and see that the ledger is sound."""
    with app.app_context(), reading() as session:
        assert offenders(session) == []
        return balance_of(session, f"member:{member_id}").available


def handed_over(till: Page) -> None:
    """Hand over what the page shows, and see the receipt."""
    expect(till.get_by_text("王*兰")).to_be_visible()
    till.get_by_role("button", name="确认交付").click()
    expect(till.get_by_role("heading", name="兑换成功")).to_be_visible()


@pytest.mark.parametrize("path", ["/till/{}?way=code", "/till/{}/vouchers"])
def test_a_voucher_before_the_camera_needs_nothing_chosen(
    app: Flask,
    people: People,
    camera: FakeCamera,
    counter: tuple[int, int, int],
    voucher: str,
    path: str,
) -> None:
    clerk, member, merchant = counter
    phone, till = people.page_of(member), people.page_of(clerk)
    phone.goto("/orders/1")
    camera.show(code_in(phone.locator("[data-qr]")))
    till.goto(path.format(merchant))
    till.get_by_role("button", name="开始扫码").click()
    handed_over(till)
    assert people.count(RewardOrder, RewardOrder.state == "delivered") == 1
    assert balance(app, member) == 80


def test_a_voucher_is_typed_into_the_tills_one_field(
    app: Flask, people: People, counter: tuple[int, int, int], voucher: str
) -> None:
    clerk, member, merchant = counter
    till = people.page_of(clerk)
    till.goto(f"/till/{merchant}?way=reward")
    field = till.get_by_label("兑换码或纸卡号")
    field.fill("77 1234")
    field.press("Enter")
    expect(till).to_have_url(re.compile("way=reward"))  # a code of a person needs a reward
    field.fill(grouped(voucher).lower())
    field.press("Enter")
    handed_over(till)
    assert balance(app, member) == 80


def test_a_tool_is_lent_for_a_code_before_the_camera(
    app: Flask, people: People, camera: FakeCamera, counter: tuple[int, int, int]
) -> None:
    clerk, member, merchant = counter
    phone, till = people.page_of(member), people.page_of(clerk)
    digits_on(phone)
    camera.show(code_in(phone.locator("[data-qr]")))
    till.goto(f"/till/{merchant}/loans")
    till.get_by_label("梯子").check()
    till.get_by_role("button", name="开始扫码").click()
    expect(till.get_by_text("已借出给 王*兰")).to_be_visible()
    assert people.count(Loan, Loan.state == "out") == 1
    assert balance(app, member) == 40


def test_a_hand_scanner_lends_once_the_tool_is_chosen(
    app: Flask, people: People, counter: tuple[int, int, int]
) -> None:
    clerk, member, merchant = counter
    phone, till = people.page_of(member), people.page_of(clerk)
    digits = " ".join(digits_on(phone).split())
    till.goto(f"/till/{merchant}/loans")
    gun = till.locator("#typed-code")
    gun.fill(digits)
    gun.press("Enter")
    expect(till.locator("[data-code-target]")).to_have_value(digits)
    assert people.count(Loan) == 0
    till.get_by_label("电钻").check()
    till.get_by_role("button", name="冻结押金，借出").click()
    expect(till.get_by_text("已借出给 王*兰")).to_be_visible()
    assert balance(app, member) == 40


def test_after_a_refusal_the_till_works_on(
    app: Flask, people: People, camera: FakeCamera, counter: tuple[int, int, int], voucher: str
) -> None:
    """The page of a refusal takes the place of the sheet; its camera starts as on any page."""
    clerk, member, merchant = counter
    phone, till = people.page_of(member), people.page_of(clerk)
    digits = digits_on(phone)
    till.goto(f"/till/{merchant}?way=reward")
    till.get_by_label("洗洁精一瓶").check()
    till.get_by_label("兑换码或纸卡号").fill(digits)
    expect(till.get_by_role("dialog")).to_be_visible()
    digits_on(phone)  # a new code: the one that was looked over is none any more
    phone.goto("/orders/1")
    camera.show(code_in(phone.locator("[data-qr]")))
    till.get_by_role("button", name="确认，扣 20 分").click()
    expect(till.get_by_role("alert").first).to_contain_text("码")
    till.get_by_role("button", name="开始扫码").click()
    handed_over(till)
    assert balance(app, member) == 80
