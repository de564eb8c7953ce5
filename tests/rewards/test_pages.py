"""The pages of a counter: from the tap to the receipt, whatever is clicked twice."""

from datetime import timedelta

import pytest
from sqlalchemy import text

from pointsbank.core import clock
from pointsbank.core.codes import Purpose, url_of
from pointsbank.core.db import transaction
from pointsbank.core.keys import draw_number
from pointsbank.ledger.verifying import offenders
from pointsbank.members.codes import redemption_text
from pointsbank.members.showing import draw_redemption_code
from tests.browsing import Browser, words_of
from tests.builders import a_member, a_merchant, a_reward, an_organization, with_role
from tests.racing import race, times


@pytest.fixture
def clerk(counter):
    return Browser(counter.app, counter.clerk_id)


@pytest.fixture
def member(counter):
    return Browser(counter.app, counter.member_id)


def looked_over(counter, clerk, code, **filled):
    """Fill the till's form in and return the page that comes."""
    till = clerk.open(f"/till/{counter.merchant_id}?way=reward")
    form = clerk.form(till, "/look")
    values = {"reward_id": counter.reward_id, "quantity": 1, "code": code, **filled}
    return clerk.send(form, **values)


def redemptions(writing) -> int:
    with writing() as session:
        assert offenders(session) == []
        return session.scalar(text("SELECT COUNT(*) FROM redemption"))


def scanned_path(counter, moment=None) -> str:
    """Draw a redemption code and return the path its QR code leads to."""
    number, now = draw_number(15), moment or clock.now()
    with counter.app.app_context(), transaction() as session:
        draw_redemption_code(
            session,
            member_id=counter.member_id,
            number=number,
            secret=counter.secret,
            now=now,
        )
    url = url_of("http://x", Purpose.REDEMPTION, redemption_text(counter.secret, number))
    return url.removeprefix("HTTP://X")


@pytest.mark.parametrize(
    "spelled",
    [
        lambda digits: f"{digits[:4]} {digits[4:8]} {digits[8:12]} {digits[12:]}",
        lambda digits: "".join(chr(ord(each) + 0xFEE0) for each in digits),
    ],
    ids=["in groups", "full-width"],
)
def test_from_the_till_to_the_receipt(counter, clerk, writing, spelled):
    till = clerk.open("/till")
    assert "收积分" in words_of(till)
    assert "惠民粮油店" in words_of(till)
    look = looked_over(counter, clerk, spelled(counter.code()), quantity="２")
    assert look.status_code == 200
    assert "王*兰" in words_of(look)
    assert "100 → 60" in words_of(look)
    assert counter.points() == 100
    receipt = clerk.send(clerk.form(look, "/redemptions"))
    assert receipt.status_code == 200
    assert receipt.request.path.startswith("/redemptions/")
    assert "兑换成功" in words_of(receipt)
    assert "王*兰" in words_of(receipt)
    assert counter.points() == 60
    again = words_of(clerk.open(f"/till/{counter.merchant_id}"))
    assert "已交付" in again
    assert redemptions(writing) == 1


def test_a_form_sent_twice_leads_to_the_same_receipt(counter, clerk, writing):
    form = clerk.form(looked_over(counter, clerk, counter.code()), "/redemptions")
    first = clerk.send(form, follow=False)
    assert first.status_code == 303
    for _ in range(3):
        again = clerk.send(form, follow=False)
        assert (again.status_code, again.location) == (303, first.location)
    assert counter.points() == 80
    assert redemptions(writing) == 1


def test_a_form_sent_many_times_at_once_leads_to_one_receipt(counter, clerk, writing):
    form = clerk.form(looked_over(counter, clerk, counter.code()), "/redemptions")
    cookies = {
        name: clerk.client.get_cookie(name).value for name in ("pointsbank", "pointsbank_form")
    }

    def send():
        browser = Browser(counter.app)
        for name, value in cookies.items():
            browser.client.set_cookie(name, value)
        return browser.send(form, follow=False).location

    locations = race(counter.app, times(10, send))
    assert len(set(locations)) == 1, locations
    assert locations[0].startswith("/redemptions/")
    assert redemptions(writing) == 1


def test_back_then_another_reward_under_the_same_key_is_refused(counter, clerk, writing):
    with writing() as session:
        other = a_reward(session, counter.merchant_id, name="别的", points=1)
    form = clerk.form(looked_over(counter, clerk, counter.code()), "/redemptions")
    clerk.send(form)
    changed = clerk.send(form, reward_id=other)
    assert changed.status_code == 409
    assert counter.points() == 80
    assert redemptions(writing) == 1


def test_looking_over_changes_nothing_and_the_code_stays_good(counter, clerk, writing):
    code = counter.code()
    for _ in range(3):
        assert looked_over(counter, clerk, code).status_code == 200
    assert redemptions(writing) == 0
    assert (
        clerk.send(clerk.form(looked_over(counter, clerk, code), "/redemptions")).status_code
        == 200
    )
    assert counter.points() == 80


def test_too_few_points_say_what_there_is_and_what_can_be_had(counter, clerk, writing):
    with writing() as session:
        dear = a_reward(session, counter.merchant_id, name="电饭煲", points=500)
    page = looked_over(counter, clerk, counter.code(), reward_id=dear)
    said = words_of(page)
    assert page.status_code == 409
    assert "积分不够：有 100 分，要 500 分" in said
    assert "现在可以换这些" in said
    assert said.index("现在可以换这些") < said.index("洗洁精一瓶")


@pytest.mark.parametrize(
    ("filled", "status", "said"),
    [
        ({"quantity": 11}, 409, "还剩 10 份"),
        ({"quantity": 0}, 400, "请选奖品和份数"),
        ({"quantity": "1.5"}, 400, "请选奖品和份数"),
        ({"quantity": "x" * 999}, 400, "请选奖品和份数"),
        ({"quantity": 10**30}, 400, "请选奖品和份数"),
        ({"reward_id": "x"}, 400, "请选奖品和份数"),
        ({"reward_id": 10**17}, 404, "没有这件奖品"),
        ({"code": ""}, 400, "请选奖品和份数"),
        ({"code": "<script>alert(1)</script>"}, 400, ""),
        ({"code": "\x00\ud800".encode("utf-8", "surrogatepass").decode("latin-1")}, 400, ""),
        ({"pin": "123456"}, 400, ""),
    ],
    ids=lambda value: str(value)[:30],
)
def test_what_cannot_be_is_said_on_the_page(counter, clerk, writing, filled, status, said):
    page = looked_over(counter, clerk, **{"code": counter.code(), **filled})
    assert page.status_code == status
    assert said in words_of(page)
    assert "<script>alert" not in page.text
    assert redemptions(writing) == 0


def test_a_refusal_at_the_last_step_takes_nothing_and_asks_for_a_new_code(
    counter, clerk, writing
):
    form = clerk.form(looked_over(counter, clerk, counter.code()), "/redemptions")
    counter.code()
    page = clerk.send(form)
    assert page.status_code == 410
    assert clerk.form(page, "/look").fields["code"] == ""
    assert counter.points() == 100
    assert redemptions(writing) == 0


def test_wrong_codes_lock_the_till_on_the_page_too(counter, clerk):
    for _ in range(5):
        assert looked_over(counter, clerk, "12345").status_code == 400
    locked = looked_over(counter, clerk, counter.code())
    assert locked.status_code == 429
    assert "错码太多" in words_of(locked)


def test_a_card_and_its_six_digits(counter, clerk):
    card = counter.card("246810")
    assert looked_over(counter, clerk, card).status_code == 400
    assert looked_over(counter, clerk, card, pin="111111").status_code == 400
    look = looked_over(counter, clerk, card, pin="246810")
    assert clerk.send(clerk.form(look, "/redemptions")).status_code == 200
    assert counter.points() == 80


def test_a_void_on_the_page_returns_everything_once(counter, clerk, writing):
    look = looked_over(counter, clerk, counter.code())
    receipt = clerk.send(clerk.form(look, "/redemptions"))
    form = clerk.form(receipt, "/void")
    for _ in range(2):
        voided = clerk.send(form, reason="拿错了")
        assert voided.status_code == 200
        assert "已撤销" in words_of(voided)
    assert counter.points() == 100
    assert "/void" not in voided.text
    assert redemptions(writing) == 1


def test_who_may_open_a_receipt(counter, clerk, member, writing):
    look = looked_over(counter, clerk, counter.code())
    path = clerk.send(clerk.form(look, "/redemptions")).request.path
    with writing() as session:
        stranger = a_member(session, "张伟")
        elsewhere = an_organization(session, "140303002001", name="别处社区")
        foreign = with_role(session, a_member(session), "administrator", elsewhere)
        foreign_clerk = with_role(
            session, a_member(session), "clerk", None, a_merchant(session, "别家店")
        )
        administrator = with_role(session, a_member(session), "administrator")
    assert "王*兰" in words_of(member.open(path))
    assert "/void" not in member.open(path).text
    assert "/void" in Browser(counter.app, administrator).open(path).text
    for who in (stranger, foreign, foreign_clerk):
        assert Browser(counter.app, who).open(path).status_code == 404
    assert (
        Browser(counter.app, foreign_clerk).open(f"/till/{counter.merchant_id}").status_code
        == 404
    )


def test_a_scanned_code_leads_each_person_where_they_belong(counter, clerk, member, writing):
    path = scanned_path(counter)
    with writing() as session:
        stranger = a_member(session, "张伟")
    assert "这是您自己的兑换码" in words_of(member.open(path))
    said = words_of(Browser(counter.app, stranger).open(path))
    assert "这是志愿者的码" in said
    assert "王" not in said
    nobody = Browser(counter.app).client.get(path)
    assert nobody.status_code == 302
    assert nobody.location.startswith("/sign-in")
    for spelled in (path, f"/r/{path.rpartition('/')[2].lower()}"):
        till = clerk.open(spelled)
        form = clerk.form(till, "/look")
        assert form.fields["code"] == path.rpartition("/")[2]
        assert form.fields["way"] == "code"
    look = clerk.send(form, reward_id=counter.reward_id)
    assert "王*兰" in words_of(look)
    assert clerk.send(clerk.form(look, "/redemptions")).status_code == 200
    assert clerk.open(path).status_code == 409
    assert redemptions(writing) == 1


def test_scanned_codes_that_are_not_good_say_so_to_a_clerk(counter, clerk):
    old = scanned_path(counter, clock.now() - timedelta(seconds=61))
    assert clerk.open(old).status_code == 410
    forged = old[:-1] + ("A" if old[-1] != "A" else "B")
    assert clerk.open(forged).status_code == 400
    # The short digits are not tried out in an address, where nobody counts.
    digits = counter.code()
    for typed in (digits, f"{digits[:4]}-{digits[4:]}", f"{digits[:4]} {digits[4:]}"):
        assert clerk.open(f"/R/{typed}").status_code == 400, typed


def test_a_clerk_of_two_shops_chooses_first(counter, writing):
    with writing() as session:
        second = a_merchant(session, "别家店")
        both = with_role(session, a_member(session, "周芳"), "clerk", None, counter.merchant_id)
        with_role(session, both, "clerk", None, second)
    browser, path = Browser(counter.app, both), scanned_path(counter)
    for address in ("/till", path):
        said = words_of(browser.open(address))
        assert "惠民粮油店" in said
        assert "别家店" in said
    chosen = browser.open(f"{path}?merchant={counter.merchant_id}")
    assert browser.form(chosen, "/look").fields["code"]
    for other in ("x", "10" * 30, "999999"):
        assert "别家店" in words_of(browser.open(f"{path}?merchant={other}"))


def test_a_member_sees_first_what_can_be_had_now(counter, member, writing):
    with writing() as session:
        a_reward(session, counter.merchant_id, name="自行车", points=1500)
        a_reward(session, counter.merchant_id, name="售完了", stock=0)
        gone = a_reward(session, counter.merchant_id, name="过期了", valid_until=clock.now())
    said = words_of(member.open("/rewards"))
    assert said.index("现在就能换") < said.index("洗洁精一瓶") < said.index("再攒一攒")
    assert said.index("再攒一攒") < said.index("自行车")
    assert "还差 1,400 分" in said
    assert "售完了" not in said
    assert "兑换时间已过" in words_of(member.open(f"/rewards/{gone}"))
    assert "出示兑换码" in words_of(member.open(f"/rewards/{counter.reward_id}"))
    assert member.open("/rewards/999999").status_code == 404
    assert "You can have these now" in words_of(
        member.client.get("/rewards", headers={"Accept-Language": "en"})
    )


def test_a_member_finds_what_they_had(counter, clerk, member):
    assert "还没有" in words_of(member.open("/redemptions"))
    look = looked_over(counter, clerk, counter.code())
    clerk.send(clerk.form(look, "/redemptions"))
    assert "洗洁精一瓶" in words_of(member.open("/redemptions"))


def test_a_clerk_keeps_the_offer(counter, clerk, writing):
    here = f"/merchants/{counter.merchant_id}/rewards"
    form = clerk.form(clerk.open(f"{here}/new"), "/rewards")
    bad = clerk.send(form, name=" ", points="1.5", stock="-1", limit_per_member="x")
    assert bad.status_code == 422
    assert "请填 1 到 2000 的整数" in words_of(bad)
    late = {"valid_from": "2026-12-02T08:00", "valid_until": "2026-12-01T08:00"}
    assert clerk.send(form, name="磨刀", points="５", stock=1, **late).status_code == 422
    done = clerk.send(
        form, name="磨刀一次", points="５", stock=3, valid_from="2026-11-01T08:00"
    )
    assert "磨刀一次" in words_of(done)
    with writing() as session:
        row = session.execute(
            text("SELECT id, points, stock FROM reward WHERE name = '磨刀一次'")
        ).one()
    assert (row.points, row.stock) == (5, 3)
    stock = clerk.form(done, f"/rewards/{row.id}/stock")
    assert "库存已加" in words_of(clerk.send(stock, more="４"))
    for more in ("0", "-1", "x", "1.5", "9999999"):
        assert "整数" in words_of(clerk.send(stock, more=more)) or more == "9999999"
    with writing() as session:
        assert session.scalar(text(f"SELECT stock FROM reward WHERE id = {row.id}")) == 7
    state = clerk.form(done, f"/rewards/{row.id}/state")
    assert "已下架" in words_of(clerk.send(state))
    assert "磨刀一次" not in words_of(Browser(counter.app, counter.member_id).open("/rewards"))


def test_the_offer_and_the_day_belong_to_their_shop(counter, clerk, writing):
    look = looked_over(counter, clerk, counter.code())
    clerk.send(clerk.form(look, "/redemptions"))
    with writing() as session:
        foreign = with_role(session, a_member(session), "clerk", None, a_merchant(session))
        auditor = with_role(session, a_member(session), "auditor")
    browser = Browser(counter.app, foreign)
    own = browser.open("/till")
    for path in ("rewards", "rewards/new", "redemptions"):
        assert browser.open(f"/merchants/{counter.merchant_id}/{path}").status_code == 404
    for path in ("stock", "state"):
        form = clerk.form(
            clerk.open(f"/merchants/{counter.merchant_id}/rewards"),
            f"/rewards/{counter.reward_id}/{path}",
        )
        token = browser.form(own, "/display").fields["csrf_token"]
        assert browser.send(form, csrf_token=token, more=1).status_code == 404
    day = Browser(counter.app, auditor).open(f"/merchants/{counter.merchant_id}/redemptions")
    assert "洗洁精一瓶" in words_of(day)
    assert "王*兰" in words_of(day)
    empty = clerk.open(f"/merchants/{counter.merchant_id}/redemptions?day=2020-01-01")
    assert "这一天没有兑换" in words_of(empty)
    assert (
        clerk.open(
            f"/merchants/{counter.merchant_id}/redemptions?day=nonsense&cursor=%00"
        ).status_code
        == 400
    )


def test_no_page_moves_points_without_its_form_token(counter, clerk, writing):
    form = clerk.form(looked_over(counter, clerk, counter.code()), "/redemptions")
    assert clerk.send(form, csrf_token="").status_code == 400
    assert clerk.send(form, idempotency_key="").status_code == 400
    assert redemptions(writing) == 0


def test_pages_hold_no_inline_script_or_style(counter, clerk, member):
    for browser, path in [
        (clerk, f"/till/{counter.merchant_id}?way=reward"),
        (clerk, f"/merchants/{counter.merchant_id}/rewards"),
        (member, "/rewards"),
    ]:
        page = browser.open(path).text
        assert " style=" not in page
        assert "<style" not in page
        assert "<script>" not in page
        assert " onclick" not in page
