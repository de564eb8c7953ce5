"""The first page and the frame: large text, languages, signing out, forms that come back."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from pointsbank.organizations.models import Organization
from pointsbank.tasks.models import Claim, Task
from tests.browser.people import DESK, PASSWORD, People

pytestmark = pytest.mark.engine("sqlite")

ORGANIZATIONS = Path(__file__).parents[2] / "pointsbank" / "commands" / "data" / "kuangqu.csv"
BAD_FILE = """编码,名称,类型,上级编码
140399,新区,区县,
140399001,新街道,街道,140399
140399001,又一个,街道,140399
140399002,无名,城堡,140399
"""
TOO_WIDE = "() => document.documentElement.scrollWidth > document.documentElement.clientWidth"


def test_large_text_and_language_are_chosen_before_signing_in_and_kept(people: People) -> None:
    volunteer = people.join("王桂兰")
    phone = people.stranger()
    phone.goto("/")
    html = phone.locator("html")
    expect(html).to_have_attribute("lang", "zh-Hans")
    phone.get_by_role("banner").get_by_role("button", name="大字版").click()
    expect(html).to_have_attribute("data-mode", "elder")
    phone.get_by_role("button", name="English").click()
    expect(html).to_have_attribute("lang", "en")
    expect(html).to_have_attribute("data-mode", "elder")
    phone.get_by_role("link", name="Sign in with your phone number").click()
    phone.get_by_label("Phone number").fill(people.phone_of(volunteer))
    phone.get_by_label("Password").fill(PASSWORD)
    phone.get_by_role("button", name="Sign in").click()
    expect(phone.get_by_role("heading", name="No task today")).to_be_visible()
    expect(phone.get_by_role("navigation", name="Main menu").get_by_role("link")).to_have_count(
        3
    )
    phone.get_by_role("button", name="中文").click()
    expect(phone.get_by_role("heading", name="今天没有岗位")).to_be_visible()
    phone.get_by_role("button", name="标准版").first.click()
    expect(html).not_to_have_attribute("data-mode", "elder")
    phone.get_by_role("button", name="退出登录").click()
    expect(phone).to_have_url(re.compile("/sign-in"))
    phone.goto("/passbook")
    expect(phone).to_have_url(re.compile("/sign-in"))


@pytest.mark.parametrize("mode", ["", "elder-xl"])
def test_no_page_of_a_member_is_wider_than_a_narrow_phone(people: People, mode: str) -> None:
    member = people.join("欧阳志强")
    phone = people.page_of(member, viewport={"width": 320, "height": 640})
    if mode:
        phone.context.add_cookies(
            [{"name": "pointsbank_display", "value": mode, "url": people.address}]
        )
    paths = ("/", "/tasks", "/my-code", "/my-code/redeem", "/passbook", "/rewards", "/me")
    for path in paths:
        phone.goto(path)
        assert not phone.evaluate(TOO_WIDE), f"{path} is too wide"


def upload(page: Page, name: str, content: bytes, *, for_good: bool) -> None:
    """Send a file by the form of an import."""
    page.locator("input[type=file]").set_input_files(
        {"name": name, "mimeType": "text/csv", "buffer": content}
    )
    page.get_by_label("只检查文件").set_checked(not for_good)
    page.get_by_role("button", name="上传文件").click()


def test_an_administrator_imports_the_real_organizations(people: People) -> None:
    administrator = people.join("郑明", "administrator")
    before = people.count(Organization)
    desk = people.page_of(administrator, viewport=DESK)
    desk.goto("/")
    desk.get_by_role("link", name="组织", exact=True).click()
    desk.get_by_role("link", name="导入文件").click()
    upload(desk, "bad.csv", BAD_FILE.encode("gb18030"), for_good=True)
    expect(desk.get_by_text("一条也没有导入")).to_be_visible()
    rows = desk.locator(".report tbody tr")
    expect(rows.nth(0)).to_contain_text("第 4 行")
    expect(rows.nth(0)).to_contain_text("编码")
    expect(rows.nth(1)).to_contain_text("第 5 行")
    expect(rows.nth(1)).to_contain_text("没有这个类型")
    assert people.count(Organization) == before

    content = ORGANIZATIONS.read_bytes()
    upload(desk, "kuangqu.csv", content, for_good=False)
    expect(desk.get_by_text("还没有改动任何数据")).to_be_visible()
    assert people.count(Organization) == before
    upload(desk, "kuangqu.csv", content, for_good=True)
    expect(desk.get_by_text("已经导入")).to_be_visible()
    assert people.count(Organization) > before + 50
    desk.get_by_role("link", name="组织", exact=True).click()
    desk.get_by_role("link", name="矿区").click()
    expect(desk.get_by_role("link", name=re.compile("平潭街街道"))).to_be_visible()


def plan(page: Page, ends: str) -> None:
    """Fill the form of a new task in."""
    page.get_by_label("做什么").fill("清理河道 <b>周末</b>")
    page.get_by_label("开始", exact=True).fill("2031-05-10T09:00")
    page.get_by_label("结束", exact=True).fill(ends)
    page.get_by_label("需要几个人").fill("3")
    page.get_by_label("集合地点").fill("东门桥头")
    page.get_by_role("button", name="保存草稿").click()


def test_an_organizer_plans_a_task_and_a_volunteer_claims_it(people: People) -> None:
    organizer, volunteer = people.join("李敏", "organizer"), people.join("王桂兰")
    desk = people.page_of(organizer)
    desk.goto("/")
    desk.get_by_role("navigation", name="工作菜单").get_by_role(
        "link", name=re.compile("任务")
    ).click()
    desk.get_by_role("link", name="新建任务").first.click()
    plan(desk, ends="2031-05-10T08:00")
    expect(desk.get_by_role("alert")).to_be_visible()
    expect(desk.get_by_label("做什么")).to_have_value("清理河道 <b>周末</b>")
    expect(desk.get_by_label("集合地点")).to_have_value("东门桥头")
    assert people.count(Task) == 0
    plan(desk, ends="2031-05-10T11:00")
    desk.get_by_role("button", name="发布这个任务").click()
    expect(desk.get_by_text("已发布").first).to_be_visible()

    phone = people.page_of(volunteer)
    phone.goto("/")
    phone.get_by_role("link", name="报名", exact=True).click()
    phone.get_by_role("link", name="清理河道 <b>周末</b>").click()
    phone.get_by_role("button", name="认领这个岗位").click()
    expect(phone.get_by_text("您已认领。")).to_be_visible()
    assert people.count(Claim, Claim.state == "claimed") == 1
    phone.get_by_text("我来不了", exact=True).click()
    phone.get_by_role("button", name="让出名额").click()
    expect(phone.get_by_text("您还没有认领接下来的班次")).to_be_visible()
    assert people.count(Claim, Claim.state == "claimed") == 0
