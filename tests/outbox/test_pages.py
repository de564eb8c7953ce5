"""The pages of webhooks, as an administrator of everything goes through them."""

import re

import pytest
from sqlalchemy import select, update

from pointsbank.outbox.calling import PROBLEMS, Answer
from pointsbank.outbox.delivering import claim_batch, record_answer
from pointsbank.outbox.models import Webhook
from pointsbank.outbox.schemas import PROBLEM_WORDS
from tests.browsing import Browser, words_of
from tests.builders import a_member, an_organization, with_role
from tests.moments import NOON
from tests.outbox.sealed import a_claim, a_webhook, sealed, webhook_row

URL = "https://1.1.1.1/hooks"
SECRET = re.compile(r"whsec_[A-Za-z0-9+/=]+")


@pytest.fixture
def browser(app, writing):
    with writing() as session:
        member_id = with_role(session, a_member(session, "孙丽华"), "administrator")
    return Browser(app, member_id)


def test_a_webhook_is_added_and_its_secret_shown_once(browser, writing):
    with writing() as session:
        sealed(session, 4)
    assert "还没有其他系统接收消息" in words_of(browser.open("/webhooks"))
    form = browser.form(browser.open("/webhooks/new"), "/webhooks/new")
    page = browser.send(form, name="区平台", url=URL, start="now")
    secret = SECRET.findall(page.text)
    assert len(secret) == 1
    assert page.headers["Cache-Control"] == "no-store"
    with writing() as session:
        webhook = session.scalars(select(Webhook)).one()
        assert (webhook.url, webhook.position) == (URL, 4)
        here = f"/webhooks/{webhook.id}"
    for path in ("/webhooks", here):
        shown = browser.open(path)
        assert "区平台" in words_of(shown)
        assert SECRET.findall(shown.text) == []


@pytest.mark.parametrize(
    ("filled", "sentence"),
    [
        ({"name": "", "url": URL}, "请填写系统名称"),
        ({"name": "x", "url": "https://127.0.0.1/"}, "内部网络"),
        ({"name": "x", "url": "javascript:alert(1)"}, "回调地址要像"),
        ({"name": "x", "url": ""}, "回调地址要像"),
    ],
)
def test_what_is_wrong_is_said_beside_its_field(browser, filled, sentence):
    form = browser.form(browser.open("/webhooks/new"), "/webhooks/new")
    page = browser.send(form, **filled)
    assert page.status_code == 422
    assert sentence in words_of(page)


def test_it_is_paused_sent_again_given_a_secret_and_removed(browser, writing):
    with writing() as session:
        sealed(session, 3)
        webhook_id = a_webhook(session, URL, after=3)
    here = f"/webhooks/{webhook_id}"

    def press(action, **filled):
        return browser.send(browser.form(browser.open(here), action), **filled)

    assert "已暂停" in words_of(press(f"{here}/state"))
    assert "使用中" in words_of(press(f"{here}/state"))
    assert "两分钟内" in words_of(press(f"{here}/resending", after="１"))
    with writing() as session:
        row = webhook_row(session, webhook_id)
        assert (row.state, row.position, row.series) == ("active", 1, 1)
    assert press(f"{here}/resending", after="x").status_code == 422
    assert "最新的序号是 3" in words_of(press(f"{here}/resending", after="4"))
    page = press(f"{here}/secret")
    assert len(SECRET.findall(page.text)) == 1
    assert "原来的密钥也有效" in words_of(page)
    assert "回调已删除" in words_of(press(f"{here}/removal"))
    assert browser.open(here).status_code == 404


def test_tries_and_failures_are_told(browser, writing):
    with writing() as session:
        sealed(session, 3)
        webhook_id = a_webhook(session, URL)
    with writing() as session:
        for number, answer in enumerate(
            [Answer(204, None, 5), Answer(503, "bad_status", 70), Answer(None, "no_answer", 9)]
        ):
            session.execute(update(Webhook).values(next_try_at=None))
            batch = claim_batch(
                session, claim=a_claim(), service_secret="x" * 32, now=NOON, limit=1
            )
            assert batch is not None, number
            record_answer(session, batch, answer, jitter=0.0, now=NOON)
    page = browser.open(f"/webhooks/{webhook_id}")
    said = words_of(page)
    assert "最近 2 次都没有发送成功" in said
    assert "对方没有接收 HTTP 503" in said
    assert "没有及时回应" in said
    assert "已接收" in said
    with writing() as session:
        session.execute(update(Webhook).values(state="failed"))
    assert "内容没有丢失" in words_of(browser.open(f"/webhooks/{webhook_id}"))
    browser.client.set_cookie("pointsbank_locale", "en")
    assert "Given up" in words_of(browser.open("/webhooks"))


def test_each_problem_has_words():
    assert set(PROBLEM_WORDS) == set(PROBLEMS)


def test_who_looks_after_a_part_neither_sees_the_way_nor_gets_in(app, writing):
    with writing() as session:
        top = an_organization(session, "140303", "district", None, "矿区")
        part = an_organization(session, "140303001", "street", top, "街道")
        whole_id = with_role(session, a_member(session), "administrator", top)
        part_id = with_role(session, a_member(session), "administrator", part)
    seen = Browser(app, whole_id).open("/me")
    assert 'href="/webhooks"' in seen.text
    other = Browser(app, part_id)
    assert 'href="/webhooks"' not in other.open("/me").text
    assert other.open("/webhooks").status_code == 403
