"""The counter beyond the usual deal: by points, a yes on the phone, pieces, the day's end."""

import pytest
from sqlalchemy import text

from pointsbank.core.keys import draw_token
from pointsbank.ledger.verifying import offenders
from tests.browsing import Browser, words_of
from tests.builders import a_member, a_reward, with_points, with_role

DEAR = 250


@pytest.fixture
def clerk(counter):
    return Browser(counter.app, counter.clerk_id)


@pytest.fixture
def member(counter):
    return Browser(counter.app, counter.member_id)


@pytest.fixture
def dear(counter, writing) -> int:
    """A reward of 250 points, and a member who can pay for one."""
    with writing() as session:
        with_points(session, counter.member_id, 200)
        return a_reward(session, counter.merchant_id, "电饭煲", DEAR, 4)


def till_form(counter, clerk, way):
    return clerk.form(clerk.open(f"/till/{counter.merchant_id}?way={way}"), "/look")


def asked(counter, clerk, reward_id, **filled):
    """Take a dear deal up to the page that comes after the last button."""
    form = till_form(counter, clerk, "reward")
    look = clerk.send(form, reward_id=reward_id, quantity=1, code=counter.code(), **filled)
    return look, clerk.form(look, "/redemptions")


def taken(counter, clerk, **filled):
    """Take a deal of some bottles and return its receipt."""
    form = till_form(counter, clerk, "reward")
    look = clerk.send(
        form, reward_id=counter.reward_id, code=counter.code(), **{"quantity": 1, **filled}
    )
    return clerk.send(clerk.form(look, "/redemptions"))


def test_by_points_as_many_as_the_bill_asks_for(counter, clerk, member, writing):
    for points, balance in (("３０", 70), ("5", 65)):
        look = clerk.send(
            till_form(counter, clerk, "points"), points=points, code=counter.code()
        )
        assert f"→ {balance}" in words_of(look)
        receipt = clerk.send(clerk.form(look, "/redemptions"))
        assert "兑换成功" in words_of(receipt)
        assert "按积分" in words_of(receipt)
    assert counter.points() == 65
    with writing() as session:
        rows = session.execute(text("SELECT name FROM reward WHERE kind = 'by_points'")).all()
        assert [row.name for row in rows] == ["按积分"]
        assert offenders(session) == []
    assert "按积分 · 惠民粮油店" in words_of(member.open("/passbook"))
    assert "按积分 ×" not in words_of(clerk.open(f"/till/{counter.merchant_id}"))


@pytest.mark.parametrize("points", ["", "0", "-5", "2001", "1.5", "x"])
def test_points_that_are_none_are_said_to_be(counter, clerk, points):
    page = clerk.send(till_form(counter, clerk, "points"), points=points, code=counter.code())
    assert page.status_code == 400
    assert counter.points() == 100


def test_a_scanned_code_pays_by_points_too(counter, clerk):
    form = till_form(counter, clerk, "code")
    look = clerk.send(form, reward_id="points", points="40", code=counter.code())
    assert clerk.send(clerk.form(look, "/redemptions")).status_code == 200
    assert counter.points() == 60


def test_above_200_points_the_member_confirms_on_their_phone(counter, clerk, member, dear):
    look, form = asked(counter, clerk, dear)
    assert "在自己手机上确认" in words_of(look)
    waiting = clerk.send(form)
    path = waiting.request.path
    assert "请会员在自己手机上点" in words_of(waiting)
    assert "王*兰" in words_of(waiting)
    assert "等会员确认" in words_of(clerk.open(f"/till/{counter.merchant_id}"))
    question = member.open("/redemptions/waiting")
    assert question.request.path == path
    said = words_of(question)
    assert "惠民粮油店" in said
    assert "电饭煲" in said
    assert "250" in said
    token = clerk.form(waiting, "/confirmation").fields["csrf_token"]
    yes, no = member.forms(question, "/confirmation")
    # The clerk cannot say yes for the member.
    assert "只有会员本人" in words_of(clerk.send(yes, csrf_token=token))
    for form in (yes, yes):
        assert "兑换成功" in words_of(member.send(form))
    assert "要退，请店员撤销" in words_of(member.send(no))
    assert counter.points() == 50
    assert "已交付" in words_of(clerk.open(f"/till/{counter.merchant_id}"))


def test_a_deal_is_called_off_by_the_counter(counter, clerk, member, dear):
    waiting = clerk.send(asked(counter, clerk, dear)[1])
    off = clerk.send(clerk.form(waiting, "/confirmation"))
    assert "没有兑换" in words_of(off)
    assert counter.points() == 300
    assert "没有要您确认的" in words_of(member.open("/redemptions/waiting"))


def test_a_counter_has_a_bar_of_its_own(counter, clerk, member):
    till = f"/till/{counter.merchant_id}"
    scan = f'href="{till}?way=code#deal" class="code"'
    for path in (till, f"{till}/vouchers", f"{till}/loans"):
        assert scan in clerk.open(path).text, path
    day = clerk.open(f"/merchants/{counter.merchant_id}/redemptions").text
    assert 'redemptions" aria-current="page"' in day
    assert 'class="code"' in member.open("/rewards").text
    assert "way=code" not in member.open("/rewards").text


def test_of_nothing_no_number_is_told(counter, member, writing):
    path = f"/rewards/{counter.reward_id}"
    assert "现在没有了" not in words_of(member.open(path))
    with writing() as session:
        session.execute(text("UPDATE reward SET stock = 0"))
    said = words_of(member.open(path))
    assert "现在没有了" in said
    assert "还剩 0" not in said


def test_a_minute_that_went_by_is_said_on_the_page(counter, clerk, writing, dear):
    waiting = clerk.send(asked(counter, clerk, dear)[1])
    with writing() as session:
        session.execute(text("UPDATE redemption SET confirm_by = '2026-01-01 00:00:00+00:00'"))
    assert "超时未确认" in words_of(clerk.open(waiting.request.path))
    assert "超时未确认" in words_of(clerk.open(f"/till/{counter.merchant_id}"))


def test_six_digits_at_the_till_are_a_yes(counter, clerk, dear):
    counter.card("246810")
    _, form = asked(counter, clerk, dear)
    wrong = clerk.send(form, pin="111111")
    assert wrong.status_code == 400
    again = clerk.form(wrong, "/look")
    assert again.fields["code"], "the code is as good as before"
    assert counter.points() == 300
    done = clerk.send(form, pin="246810")
    assert "兑换成功" in words_of(done)
    assert counter.points() == 50


def test_a_member_without_a_card_is_told_to_use_the_phone(counter, clerk, dear):
    page = clerk.send(asked(counter, clerk, dear)[1], pin="246810")
    assert "没有带六位密码的卡" in words_of(page)
    assert counter.points() == 300


def test_pieces_are_voided_once_for_one_form(counter, clerk, writing):
    receipt = taken(counter, clerk, quantity=3)
    form = clerk.form(receipt, "/void")
    for _ in range(2):
        part = clerk.send(form, quantity="1", reason="少给一瓶")
        assert "1 / 3" in words_of(part)
    assert counter.points() == 60
    assert "撤销了一部分" in words_of(clerk.open(f"/till/{counter.merchant_id}"))
    keyless = clerk.send(form, quantity="1", reason="x", idempotency_key="")
    assert counter.points() == 60
    rest = clerk.send(clerk.form(keyless, "/void"), quantity="", reason="都退")
    assert "已撤销" in words_of(rest)
    assert counter.points() == 100
    with writing() as session:
        assert offenders(session) == []


def test_two_administrators_void_on_the_page(counter, clerk, writing):
    path = taken(counter, clerk, quantity=2).request.path
    with writing() as session:
        ids = [
            with_role(session, a_member(session, name), "administrator")
            for name in ("管理员", "副管理员")
        ]
    first, second = (Browser(counter.app, each) for each in ids)
    asking = first.send(first.form(first.open(path), "/void"), reason="东西坏了")
    assert "要第二位管理员同意" in words_of(asking)
    assert "/void" not in asking.text
    assert counter.points() == 60
    assert "东西坏了" in words_of(second.open(path))
    assert "有人申请撤销一笔 40 分的兑换" in words_of(second.open("/messages"))
    agree, refuse = second.forms(second.open(path), "/void")
    assert "不同意撤销" in words_of(second.send(refuse))
    assert "没有人申请" in words_of(second.send(refuse))
    first.send(first.form(first.open(path), "/void"), reason="东西坏了")
    assert "已撤销" in words_of(second.send(agree))
    assert counter.points() == 100


def test_a_day_is_closed_once_with_what_was_counted(counter, clerk, client, writing, dear):
    taken(counter, clerk)
    here = f"/till/{counter.merchant_id}"
    waiting = clerk.send(asked(counter, clerk, dear)[1])
    form = clerk.form(clerk.open(here), "/closing")
    assert "等会员确认，请等一分钟" in words_of(clerk.send(form))
    clerk.send(clerk.form(waiting, "/confirmation"))
    closed = words_of(clerk.send(form, note="零钱少一角"))
    assert "日结：1 笔，共 20 分" in closed
    assert "零钱少一角" in closed
    taken(counter, clerk)
    later = words_of(clerk.send(form, note="再来一次"))
    assert "日结：1 笔，共 20 分" in later
    assert "再来一次" not in later
    assert "日结以后又有兑换" in later
    url = f"/api/v1/merchants/{counter.merchant_id}"
    headers = counter.headers()
    day = client.get(f"{url}/redemptions", headers=headers).get_json()
    assert (day["totals"]["points"], day["closing"]["points"]) == (40, 20)
    again = client.post(f"{url}/closings", json={}, headers=headers)
    assert (again.status_code, again.get_json()) == (201, day["closing"])
    ahead = client.post(f"{url}/closings", json={"day": "2099-01-01"}, headers=headers)
    assert (ahead.status_code, ahead.get_json()["code"]) == (400, "day_not_closable")
    early = client.post(f"{url}/closings", json={"day": "2026-01-01"}, headers=headers)
    assert (early.status_code, early.get_json()["redemptions"]) == (201, 0)


def test_the_api_asks_and_answers_as_the_pages_do(counter, client, writing, dear):
    headers, own = counter.headers(), counter.headers(counter.member_id)
    key = {**headers, "Idempotency-Key": draw_token()}
    body = counter.body(reward_id=dear)
    answer = client.post("/api/v1/redemptions", json=body, headers=key)
    deal = answer.get_json()
    assert (answer.status_code, deal["state"], deal["balance_after"]) == (201, "waiting", None)
    assert deal["confirm_by"] > deal["created_at"]
    assert client.post("/api/v1/redemptions", json=body, headers=key).get_json() == deal
    mine = client.get("/api/v1/me/redemptions?state=waiting", headers=own).get_json()
    assert [each["id"] for each in mine["items"]] == [deal["id"]]
    url = f"/api/v1/redemptions/{deal['id']}"
    for who in (headers, own):
        assert client.get(url, headers=who).get_json()["state"] == "waiting"
    yes = {"decision": "confirm"}
    refused = client.post(f"{url}/confirmation", json=yes, headers=headers)
    assert (refused.status_code, refused.get_json()["code"]) == (403, "member_confirms")
    for _ in range(2):
        done = client.post(f"{url}/confirmation", json=yes, headers=own).get_json()
        assert (done["state"], done["balance_after"]) == ("completed", 50)
    for wrong in (
        {},
        {"decision": "maybe"},
        {"decision": None},
        {"decision": "confirm", "x": 1},
    ):
        assert client.post(f"{url}/confirmation", json=wrong, headers=own).status_code == 422
    with writing() as session:
        stranger_id = a_member(session, "张伟")
    stranger = counter.headers(stranger_id)
    assert client.get(url, headers=stranger).status_code == 404
    assert client.post(f"{url}/confirmation", json=yes, headers=stranger).status_code == 404


def test_the_api_takes_points_and_six_digits_with_a_code(counter, client, dear):
    counter.card("246810")
    headers = counter.headers()

    def send(**body):
        key = {**headers, "Idempotency-Key": draw_token()}
        return client.post("/api/v1/redemptions", json=counter.body(**body), headers=key)

    plain = {"reward_id": None, "quantity": None}
    done = send(**plain, points=30).get_json()
    assert (done["points"], done["quantity"], done["balance_after"]) == (30, 30, 270)
    sure = send(reward_id=dear, pin="246810").get_json()
    assert (sure["state"], sure["balance_after"]) == ("completed", 20)
    assert send(reward_id=dear, pin="000000").get_json()["code"] == "card_pin_wrong"
    for body in ({**plain, "points": 0}, {**plain}, {"points": 5, "quantity": None}):
        assert send(**body).status_code == 422
