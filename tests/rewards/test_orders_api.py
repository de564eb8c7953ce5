"""The JSON door of orders: the contract, resending, wrong codes, and wrong input."""

from datetime import timedelta

import pytest
from sqlalchemy import text

from pointsbank.core import clock
from pointsbank.core.db import run
from pointsbank.core.keys import draw_token
from pointsbank.ledger.verifying import offenders
from pointsbank.merchants.models import Shop
from pointsbank.merchants.tills import till_text
from pointsbank.rewards.locking import WRONG_CODES_MAX
from pointsbank.rewards.ordering import expire_next_order
from tests.builders import a_member, a_merchant, a_reward, with_points, with_role
from tests.merchants.partners import a_shop
from tests.racing import race, times
from tests.rewards.traces import everything

NEVER_MADE = "0000-0000-0000"


def post(client, headers, url, body=None, key=None):
    more = {"Idempotency-Key": key or draw_token()}
    return client.post(f"/api/v1{url}", json=body or {}, headers={**headers, **more})


@pytest.fixture
def mine(counter):
    return counter.headers(counter.member_id)


@pytest.fixture
def order(counter, client, mine):
    """Order so many bottles as the member, and return the answer's body."""

    def make(**body):
        answer = post(client, mine, f"/rewards/{counter.reward_id}/orders", body)
        assert answer.status_code == 201, answer.get_json()
        return answer.get_json()

    return make


def spoil(writing, ordered) -> None:
    """Let an order's time be over."""
    with writing() as session:
        session.execute(
            text("UPDATE reward_order SET expires_at = ordered_at WHERE id = :id"), ordered
        )


def test_an_order_answers_what_the_contract_says(counter, client, mine, order):
    body = order(quantity=2)
    assert set(body) == {"id", "number", "voucher", "word", "points", "expires_at"}
    assert (body["points"], body["word"]) == (40, None)
    assert len(body["voucher"].replace("-", "")) == 12
    assert counter.points() == 60
    seen = client.get(f"/api/v1/orders/{body['id']}", headers=mine).get_json()
    assert (seen["state"], seen["voucher"]) == ("reserved", body["voucher"])
    listed = client.get("/api/v1/me/orders", headers=mine).get_json()["items"]
    assert listed == [seen]


def test_a_resent_order_is_one(counter, client, app, mine):
    url = f"/rewards/{counter.reward_id}/orders"
    answers = race(
        app, times(8, lambda: post(app.test_client(), mine, url, {"quantity": 1}, "k1"))
    )
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.data for answer in answers}) == 1
    assert counter.points() == 80
    other = post(client, mine, url, {"quantity": 2}, "k1")
    assert (other.status_code, other.get_json()["code"]) == (409, "key_reused")


def test_no_voucher_is_kept_where_answers_are(counter, writing, order):
    code = order()["voucher"]
    with writing() as session:
        kept = repr(everything(session))
    assert code not in kept
    assert code.replace("-", "") not in kept


def test_a_voucher_is_handed_over_once(counter, client, order):
    ordered, headers = order(quantity=2), counter.headers()
    url = f"/vouchers/{ordered['voucher']}/redemption"
    first = post(client, headers, url, key="k1")
    assert first.status_code == 201
    body = first.get_json()
    assert (body["state"], body["points"], body["quantity"]) == ("completed", 40, 2)
    assert (body["balance_after"], body["member"]) == (60, {"display_name": "王*兰"})
    assert body["order"] == {"id": ordered["id"], "state": "delivered", "left": 0}
    again = post(client, headers, url, key="k1")
    assert (again.status_code, again.data) == (201, first.data)
    assert again.headers["Idempotency-Replayed"] == "true"
    anew = post(client, headers, url)
    assert (anew.status_code, anew.get_json()["code"]) == (409, "already_redeemed")


def test_parts_are_handed_over(counter, client, order):
    url = f"/vouchers/{order(quantity=3)['voucher']}/redemption"
    part = post(client, counter.headers(), url, {"quantity": 1}).get_json()
    assert (part["points"], part["order"]["left"]) == (20, 2)
    more = post(client, counter.headers(), url, {"quantity": 3})
    assert (more.status_code, more.get_json()["code"]) == (409, "fewer_ordered")
    assert more.get_json()["left"] == 2


def test_a_voucher_that_ran_out_is_gone(counter, client, writing, order):
    ordered = order()
    spoil(writing, ordered)
    url = f"/vouchers/{ordered['voucher']}/redemption"
    for _ in range(2):
        answer = post(client, counter.headers(), url)
        assert (answer.status_code, answer.get_json()["code"]) == (410, "voucher_expired")
        with counter.app.app_context():
            run(lambda session: expire_next_order(session, now=clock.now()))
    assert counter.points() == 100


def test_another_merchants_voucher_is_not_found_and_counted(counter, client, writing, order):
    with writing() as session:
        elsewhere = a_merchant(session, "别家店")
        foreign = with_role(session, a_member(session), "clerk", None, elsewhere)
    url = f"/vouchers/{order()['voucher']}/redemption"
    answer = post(client, counter.headers(foreign), url)
    assert (answer.status_code, answer.get_json()["code"]) == (404, "voucher_not_found")
    with writing() as session:
        assert session.scalar(text("SELECT failures FROM wrong_code")) == 1


def test_wrong_vouchers_lock_the_till(counter, client, order):
    ordered, headers = order(), counter.headers()
    for _ in range(WRONG_CODES_MAX):
        answer = post(client, headers, f"/vouchers/{NEVER_MADE}/redemption")
        assert (answer.status_code, answer.get_json()["code"]) == (404, "voucher_not_found")
    answer = post(client, headers, f"/vouchers/{ordered['voucher']}/redemption")
    assert (answer.status_code, answer.get_json()["code"]) == (429, "till_locked")
    assert answer.headers["Retry-After"]
    assert counter.points() == 80


def test_a_right_voucher_forgets_wrong_ones(counter, client, writing, order):
    post(client, counter.headers(), f"/vouchers/{NEVER_MADE}/redemption")
    ok = post(client, counter.headers(), f"/vouchers/{order()['voucher']}/redemption")
    assert ok.status_code == 201
    with writing() as session:
        assert session.scalar(text("SELECT COUNT(*) FROM wrong_code")) == 0


def test_an_order_at_the_till_shows_its_word_on_both_sides(counter, client, writing, mine):
    with writing() as session:
        shop_id = a_shop(session, counter.merchant_id)
        code = till_text(counter.secret, session.get_one(Shop, shop_id).till_handle)
    url = f"/rewards/{counter.reward_id}/orders"
    made = post(client, mine, url, {"till": code}).get_json()
    assert made["voucher"] is None
    assert made["word"].isdigit()
    assert len(made["word"]) == 4
    headers = counter.headers()
    till = f"/api/v1/merchants/{counter.merchant_id}/orders?way=counter"
    [waiting] = client.get(till, headers=headers).get_json()["items"]
    assert (waiting["word"], waiting["voucher"]) == (made["word"], None)
    assert waiting["member"] == {"display_name": "王*兰"}
    done = post(client, headers, f"/orders/{made['id']}/redemption")
    assert (done.status_code, done.get_json()["points"]) == (201, 20)
    assert client.get(till, headers=headers).get_json()["items"] == []
    wrong = post(client, mine, url, {"till": "nonsense"})
    assert (wrong.status_code, wrong.get_json()["code"]) == (400, "bad_code")


def test_a_clerk_never_sees_the_voucher(counter, client, order):
    ordered, headers = order(), counter.headers()
    seen = client.get(f"/api/v1/orders/{ordered['id']}", headers=headers).get_json()
    assert seen["voucher"] is None
    [listed] = client.get(
        f"/api/v1/merchants/{counter.merchant_id}/orders", headers=headers
    ).get_json()["items"]
    assert listed == seen
    blind = post(client, headers, f"/orders/{ordered['id']}/redemption")
    assert (blind.status_code, blind.get_json()["code"]) == (400, "voucher_needed")


def test_an_order_is_called_off_once(counter, client, mine, order, writing):
    url = f"/orders/{order(quantity=2)['id']}/cancellation"
    for _ in range(2):
        answer = post(client, mine, url)
        assert (answer.status_code, answer.get_json()["state"]) == (200, "cancelled")
    assert counter.points() == 100
    with writing() as session:
        assert offenders(session) == []


@pytest.mark.parametrize("quantity", [None, 0, -1, 1.5, "2", True, 10**9, [], {}])
def test_numbers_that_are_none_are_said_to_be(counter, client, mine, quantity):
    answer = post(client, mine, f"/rewards/{counter.reward_id}/orders", {"quantity": quantity})
    assert answer.status_code == 422
    assert counter.points() == 100


@pytest.mark.parametrize("body", [{"points": 1}, {"voucher": "x"}, {"till": ""}, {"till": 7}])
def test_a_body_that_breaks_its_form_is_422(counter, client, mine, body):
    answer = post(client, mine, f"/rewards/{counter.reward_id}/orders", body)
    assert (answer.status_code, answer.get_json()["code"]) == (422, "bad_fields")


def test_what_moves_points_needs_a_key(counter, client, mine, order):
    code = order()["voucher"]
    for headers, url in (
        (mine, f"/rewards/{counter.reward_id}/orders"),
        (counter.headers(), f"/vouchers/{code}/redemption"),
    ):
        answer = client.post(f"/api/v1{url}", json={}, headers=headers)
        assert answer.get_json()["code"] == "idempotency_key_missing"


def test_what_cannot_be_had_is_not_ordered(counter, client, mine, writing):
    with writing() as session:
        with_points(session, counter.member_id, 100)
        soon = clock.now() + timedelta(days=1)
        ahead = a_reward(session, counter.merchant_id, valid_from=soon)
    answer = post(client, mine, f"/rewards/{ahead}/orders")
    assert (answer.status_code, answer.get_json()["code"]) == (409, "reward_not_yet")
