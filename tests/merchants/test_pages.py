"""The pages of merchants, as a shopkeeper and an administrator walk through them."""

import io
from dataclasses import replace
from datetime import date

import pypdfium2
import pytest
import zxingcpp
from sqlalchemy import select

from pointsbank.members.queries import member_of, standing_roles
from pointsbank.merchants.contracts import contract_of
from pointsbank.merchants.models import MerchantApplication
from pointsbank.merchants.queries import shop_of, shops_of
from pointsbank.merchants.standing import standing_of
from pointsbank.merchants.tills import shop_of_till
from tests.browsing import Browser, words_of
from tests.builders import (
    COMMUNITY_CODE,
    a_branch,
    a_member,
    a_merchant,
    a_reward,
    an_organization,
    with_role,
)
from tests.merchants.partners import (
    a_clerk,
    a_contract,
    a_proposal,
    a_shop,
    an_administrator,
)
from tests.merchants.pictures import PDF, a_picture
from tests.moments import NOON

FORM = {
    "name": "惠民粮油店",
    "kind": "shop",
    "organization_code": COMMUNITY_CODE,
    "address": "平潭街 8 号",
    "license_no": "91350100M000100Y43",
}


@pytest.fixture(autouse=True)
def at_noon(monkeypatch):
    monkeypatch.setattr("pointsbank.core.clock.now", lambda: NOON)


@pytest.fixture
def judge(app, writing):
    with writing() as session:
        member_id = an_administrator(session).member_id
    return Browser(app, member_id)


@pytest.fixture
def second(app, writing):
    with writing() as session:
        member_id = an_administrator(session).member_id
    return Browser(app, member_id)


@pytest.fixture
def merchant_id(writing):
    with writing() as session:
        return a_merchant(session)


@pytest.fixture
def clerk(app, writing, merchant_id):
    with writing() as session:
        member_id = a_clerk(session, merchant_id).member_id
    return Browser(app, member_id)


def send(browser, page, action, files=None, **filled):
    """Send a form that carries files."""
    form = browser.form(page, action)
    values = {**form.fields, **filled}
    for name, (content, file_name) in (files or {}).items():
        values[name] = (io.BytesIO(content), file_name)
    return browser.client.post(
        form.action or page.request.path,
        data=values,
        follow_redirects=True,
        content_type="multipart/form-data",
    )


@pytest.fixture
def shopkeeper(app, writing):
    with writing() as session:
        an_organization(session)
        member_id = a_member(session, "赵老板", a_branch(session))
    return Browser(app, member_id)


def test_a_shopkeeper_applies_and_becomes_a_merchant(shopkeeper, judge, writing):
    page = shopkeeper.open("/merchant-applications/new")
    assert f'<option value="{COMMUNITY_CODE}" selected>' in page.text
    sent = send(shopkeeper, page, "", {"license": (a_picture("JPEG"), "IMG_1.jpg")}, **FORM)
    assert "申请已提交" in words_of(sent)
    listed = judge.open("/merchant-applications")
    assert "惠民粮油店" in words_of(listed)
    with writing() as session:
        application_id = session.scalars(select(MerchantApplication.id)).one()
    address = f"/merchant-applications/{application_id}"
    opened = judge.open(address)
    assert "营业执照" in words_of(opened)
    done = judge.send(judge.form(opened, "/decision"))
    assert "已成为商户" in words_of(done)
    after = shopkeeper.open(address)
    with writing() as session:
        merchant_id = session.scalars(select(MerchantApplication.merchant_id)).one()
    assert f"/merchants/{merchant_id}" in after.text
    assert "收积分" in words_of(shopkeeper.open(f"/merchants/{merchant_id}"))


@pytest.mark.parametrize(
    ("change", "content", "said"),
    [
        ({"license_no": "91350100M000100Y44"}, PDF, "请再核对一遍"),
        ({"name": ""}, PDF, "请填写这一项"),
        ({}, None, "请上传营业执照照片"),
        ({}, b"<html>", "请选择能打开的照片"),
        ({"organization_code": "404"}, PDF, "没有这个组织"),
    ],
)
def test_the_form_says_what_is_wrong_and_keeps_what_was_typed(
    shopkeeper, writing, change, content, said
):
    page = shopkeeper.open("/merchant-applications/new")
    files = {"license": (content, "x")} if content else {}
    answer = send(shopkeeper, page, "", files, **{**FORM, **change})
    assert answer.status_code == 422
    assert said in words_of(answer)
    assert 'value="平潭街 8 号"' in answer.text
    with writing() as session:
        assert session.scalars(select(MerchantApplication.id)).all() == []


def test_an_application_is_refused_taken_back_and_completed(shopkeeper, judge, writing):
    page = shopkeeper.open("/merchant-applications/new")
    store = {**FORM, "kind": "community_store", "license_no": ""}
    opened = send(shopkeeper, page, "", **store)
    more = send(shopkeeper, opened, "/papers", {"file": (PDF, "permit.pdf")}, kind="permit")
    assert "材料已上传" in words_of(more)
    with writing() as session:
        application_id = session.scalars(select(MerchantApplication.id)).one()
    address = f"/merchant-applications/{application_id}"
    page = judge.open(address)
    forms = judge.form(page, "/decision")
    silent = judge.send(forms, decision="refuse")
    assert "请写明理由" in words_of(silent)
    assert "已答复不同意" in words_of(judge.send(forms, decision="refuse", reason="不符合"))
    assert "不符合" in words_of(shopkeeper.open(address))
    again = send(shopkeeper, shopkeeper.open("/merchant-applications/new"), "", **store)
    taken = shopkeeper.send(shopkeeper.form(again, "/withdrawal"))
    assert "申请已撤回" in words_of(taken)


def test_a_contract_is_proposed_signed_and_ended(judge, second, clerk, merchant_id, writing):
    address = f"/merchants/{merchant_id}/contracts"
    page = judge.open(address)
    assert "按通用标准结算" in words_of(page)
    proposed = judge.send(
        judge.form(page, address),
        reference="2026-07",
        valid_from="2026-11-01",
        valid_until="2027-10-31",
        rate="１2.5",
        month_points_max="9,000",
    )
    assert "等第二位管理员签署" in words_of(proposed)
    assert "要由另一位管理员签署" in words_of(proposed)
    signed = second.send(second.form(second.open(address), "/decision"), decision="approve")
    assert "协议已签署" in words_of(signed)
    assert "12.50" in words_of(signed)
    shown = clerk.open(address)
    assert "2027-10-31" in words_of(shown)
    assert "提前终止" not in words_of(shown)
    ended = judge.send(judge.form(judge.open(address), "/end"), last_on="2026-11-25")
    assert "2026-11-25" in words_of(ended)
    assert "请及时续签" in words_of(clerk.open(f"/merchants/{merchant_id}"))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"rate": "ten"}, "请填金额"),
        ({"rate": "0"}, "请填金额"),
        ({"valid_from": "soon"}, "请选择日期"),
        ({"month_points_max": "-1"}, "请填整数积分"),
        ({"reference": ""}, "请填写这一项"),
        ({"valid_until": "2026-11-02"}, "最早从"),
    ],
)
def test_the_contracts_form_says_what_is_wrong(judge, merchant_id, change, said):
    address = f"/merchants/{merchant_id}/contracts"
    typed = {
        "reference": "2026-07",
        "valid_from": "2026-11-21",
        "valid_until": "2027-10-31",
        "rate": "10",
    }
    form = judge.form(judge.open(address), address)
    answer = judge.send(form, **{**typed, **change})
    assert answer.status_code == 422
    assert said in words_of(answer)


def test_a_merchant_is_stopped_from_its_page(judge, clerk, merchant_id, writing):
    address = f"/merchants/{merchant_id}/contracts"
    form = judge.form(judge.open(address), "/standing")
    assert "请写明理由" in words_of(judge.send(form))
    assert "已暂停收积分" in words_of(judge.send(form, reason="价格不符"))
    assert "价格不符" in words_of(clerk.open(f"/merchants/{merchant_id}"))
    back = judge.send(judge.form(judge.open(address), "/standing"))
    assert "已恢复收积分" in words_of(back)
    with writing() as session:
        assert standing_of(session, merchant_id).state == "active"


def test_a_clerk_adds_a_shop_and_changes_its_hours(clerk, merchant_id, writing):
    page = clerk.open(f"/merchants/{merchant_id}/shops/new")
    wrong = clerk.client.post(
        f"/merchants/{merchant_id}/shops/new",
        data={**clerk.form(page, "").fields, "name": "二店", "usual": "all day"},
    )
    assert wrong.status_code == 422
    assert "营业时间请写成" in words_of(wrong)
    assert 'value="all day"' in wrong.text
    nameless = clerk.client.post(
        f"/merchants/{merchant_id}/shops/new",
        data={**clerk.form(page, "").fields, "name": ""},
    )
    assert "请填写这一项" in words_of(nameless)
    done = clerk.client.post(
        f"/merchants/{merchant_id}/shops/new",
        data={
            **clerk.form(page, "").fields,
            "name": "二店",
            "usual": "8：00-12：00，14：00－18：00",
            "day_6": "休息",
        },
        follow_redirects=True,
    )
    said = words_of(done)
    assert "星期一–星期六" in said
    assert "08:00-12:00, 14:00-18:00" in said
    assert "现在休息" in said
    with writing() as session:
        (shop,) = shops_of(session, merchant_id)
    form = clerk.form(clerk.open(f"/shops/{shop.id}"), "")
    assert (form.fields["usual"], form.fields["day_6"]) == ("08:00-12:00, 14:00-18:00", "休息")
    clerk.client.post(f"/shops/{shop.id}", data={**form.fields, "usual": "08:00-20:00"})
    with writing() as session:
        assert len(shop_of(session, shop.id).hours) == 6


def test_the_poster_of_a_till_is_read_by_a_camera(app, clerk, merchant_id, writing):
    with writing() as session:
        shop_id = a_shop(session, merchant_id, address="平潭街 8 号")
    answer = clerk.open(f"/shops/{shop_id}/till-poster")
    assert answer.mimetype == "application/pdf"
    page = pypdfium2.PdfDocument(answer.data)[0]
    (code,) = zxingcpp.read_barcodes(page.render(scale=2).to_pil())
    secret = app.extensions["settings"].secret_key
    with writing() as session:
        assert shop_of_till(session, code.text, secret).id == shop_id
    told = page.get_textpage().get_text_range()
    assert "惠民粮油店 · 总店" in told
    assert "平潭街 8 号" in told


def test_a_shops_code_and_doors_are_closed(clerk, merchant_id, writing):
    with writing() as session:
        shop_id = a_shop(session, merchant_id)
        before = shop_of(session, shop_id).till_handle
    page = clerk.open(f"/merchants/{merchant_id}/shops")
    assert "收银台码已更换" in words_of(clerk.send(clerk.form(page, "/till-code")))
    closed = clerk.send(clerk.form(page, f"/shops/{shop_id}/state"))
    assert "已停业" in words_of(closed)
    with writing() as session:
        shop = shop_of(session, shop_id)
    assert (shop.state, shop.till_handle != before) == ("closed", True)
    clerk.send(clerk.form(closed, f"/shops/{shop_id}/state"))
    with writing() as session:
        assert shop_of(session, shop_id).state == "open"


def test_clerks_are_appointed_by_their_number_and_dismissed(app, judge, merchant_id, writing):
    with writing() as session:
        number = member_of(session, a_member(session, "孙店员")).volunteer_no
    address = f"/merchants/{merchant_id}/clerks"
    form = judge.form(judge.open(address), "")
    wrong = judge.client.post(
        address, data={**form.fields, "volunteer_no": "404"}, follow_redirects=True
    )
    assert "没有这个人" in words_of(wrong)
    done = judge.client.post(
        address, data={**form.fields, "volunteer_no": number}, follow_redirects=True
    )
    assert "孙*员" in words_of(done)
    gone = judge.send(judge.form(done, "/withdrawal"))
    assert "孙*员" not in words_of(gone)


def test_the_desk_tells_what_is_low(clerk, merchant_id, writing):
    with writing() as session:
        a_reward(session, merchant_id, "大米 5 公斤", stock=2)
        a_reward(session, merchant_id, "食用油", stock=50)
        a_contract(session, merchant_id, NOON.date(), NOON.date(), month_points_max=900)
    said = words_of(clerk.open(f"/merchants/{merchant_id}"))
    assert "大米 5 公斤" in said
    assert "只剩 2 份" in said
    assert "食用油" not in said
    assert "12.00 元" in said


def test_a_form_that_says_nothing_decides_nothing(judge, clerk, merchant_id, writing):
    with writing() as session:
        shop_id = a_shop(session, merchant_id)
        signed = a_contract(session, merchant_id, NOON.date(), date(2027, 10, 31))
        proposed = a_proposal(session, merchant_id, date(2027, 11, 1), date(2028, 10, 31))
    address = f"/merchants/{merchant_id}/contracts"
    page = judge.open(address)
    assert "请重新选择" in words_of(judge.send(judge.form(page, "/decision"), decision=""))
    assert "请选择日期" in words_of(judge.send(judge.form(page, "/end"), last_on="soon"))
    shops = clerk.open(f"/merchants/{merchant_id}/shops")
    closed = clerk.send(clerk.form(shops, f"/shops/{shop_id}/state"), state="")
    assert "请重新选择" in words_of(closed)
    with writing() as session:
        assert shop_of(session, shop_id).state == "open"
        assert contract_of(session, signed).valid_until == date(2027, 10, 31)
        assert contract_of(session, proposed).state == "proposed"


def test_an_administrator_does_not_stop_or_release_their_own_shop(
    app, judge, merchant_id, writing
):
    with writing() as session:
        own_id = an_administrator(session).member_id
        with_role(session, own_id, "clerk", merchant_id=merchant_id)
    address = f"/merchants/{merchant_id}/contracts"
    judge.send(judge.form(judge.open(address), "/standing"), reason="价格不符")
    own = Browser(app, own_id)
    assert "恢复收积分" not in words_of(own.open(address))
    form = judge.form(judge.open(address), "/standing")
    token = own.form(own.open("/me"), "/me/password").fields["csrf_token"]
    answer = own.send(replace(form, fields={**form.fields, "csrf_token": token}))
    assert "要由另一位管理员来办" in words_of(answer)
    with writing() as session:
        assert standing_of(session, merchant_id).state == "suspended"


def test_a_clerk_from_elsewhere_is_dismissed_by_the_shops_administrator(
    app, merchant_id, writing
):
    with writing() as session:
        elsewhere = an_organization(session, "140303005004", name="别处")
        clerk_id = a_member(session, "孙店员", elsewhere)
        with_role(session, clerk_id, "clerk", merchant_id=merchant_id)
        here = an_organization(session)
        judge_id = with_role(session, a_member(session), "administrator", here)
        far_id = with_role(session, a_member(session), "administrator", elsewhere)
    address = f"/merchants/{merchant_id}/clerks"
    judge, far = Browser(app, judge_id), Browser(app, far_id)
    assert far.open(address).status_code == 404
    gone = judge.send(judge.form(judge.open(address), "/withdrawal"))
    assert "孙*员" not in words_of(gone)
    with writing() as session:
        assert standing_roles(session, clerk_id) == []
