"""The till's one field for codes: a voucher in it is handed over, a code leads to a sale."""

import pytest
from sqlalchemy import text

from pointsbank.core import clock
from pointsbank.core.keys import draw_number, draw_token
from pointsbank.ledger.verifying import offenders
from pointsbank.rewards.locking import WRONG_CODES_MAX
from pointsbank.rewards.ordering import NewOrder, order_reward
from pointsbank.rewards.vouchers import grouped, voucher_code, voucher_url
from tests.browsing import Browser, words_of
from tests.builders import a_member, a_merchant, a_reward, with_points, with_role
from tests.rewards.traces import everything

PUBLIC = "https://points.example"


@pytest.fixture
def clerk(counter):
    return Browser(counter.app, counter.clerk_id)


@pytest.fixture
def ordered(counter, writing):
    """Set two of a reward aside in real time, and return the voucher's bare code."""

    def act(reward_id=None, member_id=None) -> str:
        number = draw_number(14)
        new = NewOrder(
            reward_id or counter.reward_id, 2, member_id or counter.member_id, number
        )
        with writing() as session:
            order_reward(
                session, new, secret=counter.secret, today=clock.now().date(), now=clock.now()
            )
        return voucher_code(counter.secret, number)

    return act


def look(counter, clerk, way, code):
    """Type a code into the form of the deal; with the code first the scanner's stands above."""
    page = clerk.open(f"/till/{counter.merchant_id}?way={way}")
    return clerk.send(clerk.forms(page, "/look")[-1 if way == "code" else 0], code=code)


SPELLINGS = {
    "bare": lambda code: code,
    "grouped": lambda code: grouped(code).lower(),
    "scanned": lambda code: voucher_url(PUBLIC, code),
    "full width": lambda code: "".join(chr(ord(each) + 0xFEE0) for each in code),
}


@pytest.mark.parametrize("spelling", SPELLINGS)
@pytest.mark.parametrize("way", ["reward", "points", "code"])
def test_a_voucher_is_handed_over_from_the_till(
    counter, clerk, ordered, writing, way, spelling
):
    code = SPELLINGS[spelling](ordered())
    seen = look(counter, clerk, way, code)
    assert seen.status_code == 200
    assert "王*兰" in words_of(seen)
    assert "2 / 2" in words_of(seen)
    receipt = clerk.send(clerk.form(seen, "/handing"), quantity=2)
    assert "兑换成功" in words_of(receipt)
    assert counter.points() == 60
    with writing() as session:
        assert session.scalar(text("SELECT way FROM redemption")) == "voucher"
        assert offenders(session) == []


def test_the_scanners_own_form_takes_a_voucher_without_a_script(counter, clerk, ordered):
    page = clerk.open(f"/till/{counter.merchant_id}?way=reward")
    scanners = clerk.forms(page, "/look")[1]
    assert "/handing" in clerk.send(scanners, code=ordered()).text
    # A code of a person needs a reward as well; it stays in its field.
    slip = clerk.send(scanners, code="770000")
    assert slip.status_code == 400
    assert clerk.form(slip, "/look").fields["code"] == "770000"


def test_a_voucher_that_is_none_is_counted_and_locks_the_till(counter, clerk, ordered):
    code = ordered()
    for _ in range(WRONG_CODES_MAX):
        page = look(counter, clerk, "reward", "0000-0000-0000")
        assert page.status_code == 404
        assert "本店没有这张兑换券" in words_of(page)
        assert clerk.form(page, "/look").fields["way"] == "reward"
    assert look(counter, clerk, "reward", code).status_code == 429


def test_another_merchants_voucher_is_none_here(counter, clerk, ordered, writing):
    with writing() as session:
        elsewhere = a_merchant(session, "别家店")
        foreign = a_reward(session, elsewhere)
    code = ordered(foreign)
    assert look(counter, clerk, "reward", code).status_code == 404
    with writing() as session:
        assert session.scalar(text("SELECT failures FROM wrong_code")) == 1
        stranger = with_role(session, a_member(session), "clerk", None, elsewhere)
    there = Browser(counter.app, stranger)
    form = clerk.form(clerk.open(f"/till/{counter.merchant_id}?way=reward"), "/look")
    token = there.form(there.open("/till"), "/display").fields["csrf_token"]
    assert there.send(form, code=code, csrf_token=token).status_code == 404


def test_a_clerk_hands_nothing_to_themself(counter, clerk, ordered, writing):
    with writing() as session:
        with_points(session, counter.clerk_id, 100)
    seen = look(counter, clerk, "reward", ordered(member_id=counter.clerk_id))
    refused = clerk.send(clerk.form(seen, "/handing"), quantity=2)
    assert refused.status_code == 403
    assert "请换一位同事" in words_of(refused)


def test_nothing_goes_to_a_person_whose_account_is_stopped(counter, clerk, ordered, writing):
    seen = look(counter, clerk, "reward", ordered())
    with writing() as session:
        session.execute(
            text("UPDATE member SET state = 'suspended' WHERE id = :id"),
            {"id": counter.member_id},
        )
    refused = clerk.send(clerk.form(seen, "/handing"), quantity=2)
    assert refused.status_code == 409
    assert "账号已停用" in words_of(refused)
    assert counter.points() == 60, "set aside as before"
    clerk.send(clerk.form(refused, "/cancellation"))
    assert counter.points() == 100


@pytest.mark.parametrize("path", ["/redemptions", "/loans"])
def test_programs_are_told_that_it_is_a_voucher(counter, client, ordered, writing, path):
    code = ordered()
    body = (
        counter.body(code=code)
        if path == "/redemptions"
        else {
            "merchant_id": counter.merchant_id,
            "reward_id": counter.reward_id,
            "code": code,
        }
    )
    with writing() as session:
        before = everything(session)
    headers = {**counter.headers(), "Idempotency-Key": draw_token()}
    answer = client.post(f"/api/v1{path}", json=body, headers=headers)
    assert (answer.status_code, answer.get_json()["code"]) == (400, "voucher_shown")
    with writing() as session:
        assert everything(session) == before
