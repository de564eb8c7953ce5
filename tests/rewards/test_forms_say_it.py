"""A form that says neither yes nor no decides nothing, and says so."""

import pytest
from sqlalchemy import text

from pointsbank.rewards.wishing import wish
from tests.browsing import Browser, Form, words_of
from tests.builders import a_member, a_reward, with_points, with_role
from tests.moments import NOON

CHOICES = {"decision", "state"}


def said(browser: Browser, form: Form, choice: str) -> str:
    """Send a form whose choice is none, and return what the next page says."""
    assert CHOICES & set(form.fields), form
    kept = {name: value for name, value in form.fields.items() if name not in CHOICES}
    field = (CHOICES & set(form.fields)).pop()
    filled = {field: choice} if choice else {}
    return words_of(browser.send(Form(form.action, form.method, kept), **filled))


@pytest.mark.parametrize("choice", ["", "maybe"])
def test_a_deal_is_neither_confirmed_nor_declined(counter, writing, choice):
    with writing() as session:
        with_points(session, counter.member_id, 200)
        dear = a_reward(session, counter.merchant_id, "电饭煲", 250, 4)
    clerk, member = (
        Browser(counter.app, each) for each in (counter.clerk_id, counter.member_id)
    )
    look = clerk.form(clerk.open(f"/till/{counter.merchant_id}?way=reward"), "/look")
    sheet = clerk.send(look, reward_id=dear, code=counter.code())
    clerk.send(clerk.form(sheet, "/redemptions"))
    question = member.forms(member.open("/redemptions/waiting"), "/confirmation")[0]
    assert "请重新选择" in said(member, question, choice)
    with writing() as session:
        assert session.scalar(text("SELECT state FROM redemption")) == "waiting"


@pytest.mark.parametrize("choice", ["", "maybe"])
def test_a_reward_is_neither_offered_nor_withdrawn(counter, writing, choice):
    clerk = Browser(counter.app, counter.clerk_id)
    url = f"/merchants/{counter.merchant_id}/rewards"
    form = clerk.form(clerk.open(url), f"/rewards/{counter.reward_id}/state")
    assert "请重新选择" in said(clerk, form, choice)
    with writing() as session:
        assert session.scalar(text("SELECT state FROM reward")) == "offered"
    assert "已经下架" in words_of(clerk.send(form))


@pytest.mark.parametrize("choice", ["", "maybe"])
def test_a_wish_is_not_answered(counter, writing, choice):
    with writing() as session:
        wish_id = wish(
            session, member_id=counter.member_id, title="雨伞", note_text="", now=NOON
        )
        chief = with_role(session, a_member(session, "管理员"), "administrator")
    browser = Browser(counter.app, chief)
    form = browser.form(browser.open(f"/reward-wishes/{wish_id}/answer"), "/answer")
    assert "请重新选择" in said(browser, form, choice)
    with writing() as session:
        assert session.scalar(text("SELECT state FROM reward_wish")) == "open"


def test_a_wish_for_nothing_is_asked_again(counter):
    member = Browser(counter.app, counter.member_id)
    form = member.form(member.open("/reward-wishes"), "/reward-wishes")
    assert "请写下您想要什么" in words_of(member.send(form, title="  "))
