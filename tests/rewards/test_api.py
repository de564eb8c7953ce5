"""The JSON door: the contract, resending, scopes, and input that nobody should send."""

import threading
from datetime import timedelta
from functools import partial

import pytest
from sqlalchemy import text

from pointsbank.core import clock
from pointsbank.core.db import reading, transaction
from pointsbank.ledger.verifying import offenders
from pointsbank.members.codes import redemption_digits
from pointsbank.rewards.locking import LOCK_SECONDS, WRONG_CODES_MAX
from pointsbank.rewards.models import WrongCode
from tests.builders import (
    a_member,
    a_merchant,
    a_reward,
    an_organization,
    with_points,
    with_role,
)
from tests.moments import NOON
from tests.racing import MEET_SECONDS_MAX, race, times

URL = "/api/v1/redemptions"
NEVER_DRAWN = redemption_digits("123456789012345")


def post(client, headers, body, key="k1", url=URL):
    return client.post(url, json=body, headers={**headers, "Idempotency-Key": key})


def test_a_redemption_answers_what_the_contract_says(counter, client):
    answer = post(client, counter.headers(), counter.body())
    assert answer.status_code == 201
    body = answer.get_json()
    assert (body["state"], body["points"], body["balance_after"]) == ("completed", 20, 80)
    assert body["member"] == {"display_name": "王*兰"}
    assert body["reward"] == {"id": counter.reward_id, "name": "洗洁精一瓶"}
    assert body["number"].isdigit()
    assert len(body["number"]) == 14
    assert body["created_at"].endswith("+00:00")
    assert "Idempotency-Replayed" not in answer.headers


def test_a_resent_redemption_answers_the_same_and_moves_nothing(counter, client):
    headers, body = counter.headers(), counter.body()
    first = post(client, headers, body)
    again = post(client, headers, body)
    assert (again.status_code, again.data) == (201, first.data)
    assert again.headers["Idempotency-Replayed"] == "true"
    assert counter.points() == 80
    other = post(client, headers, {**body, "quantity": 2})
    assert (other.status_code, other.get_json()["code"]) == (409, "key_reused")
    with_new_key = post(client, headers, body, key="k2")
    assert (with_new_key.status_code, with_new_key.get_json()["code"]) == (409, "code_used")


def test_one_request_sent_many_times_at_once_is_one(counter, app, writing):
    headers, body = counter.headers(), counter.body()

    def send():
        return post(app.test_client(), headers, body)

    answers = race(app, times(20, send))
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.data for answer in answers}) == 1
    replays = [answer.headers.get("Idempotency-Replayed") for answer in answers]
    assert replays.count("true") == 19
    assert counter.points() == 80
    with writing() as session:
        assert session.scalar(text("SELECT COUNT(*) FROM redemption")) == 1
        assert offenders(session) == []


@pytest.mark.parametrize("key", [None, "", "two words", "k" * 256, "钥匙", "k\x7f"])
def test_a_request_that_moves_points_needs_a_key(counter, client, key):
    headers = counter.headers()
    if key is not None:
        headers["Idempotency-Key"] = key.encode("utf-8").decode("latin-1")
    answer = client.post(URL, json=counter.body(), headers=headers)
    assert (answer.status_code, answer.get_json()["code"]) == (400, "idempotency_key_missing")
    assert counter.points() == 100


@pytest.mark.parametrize(
    ("changes", "status", "code"),
    [
        ({"quantity": 6}, 409, "not_enough_points"),
        ({"quantity": 11}, 409, "out_of_stock"),
        ({"reward_id": 10**12}, 404, "reward_not_found"),
        ({"merchant_id": 10**12}, 404, "merchant_not_found"),
        ({"code": NEVER_DRAWN}, 400, "bad_signature"),
        ({"code": "nonsense"}, 400, "bad_code"),
    ],
)
def test_refusals_have_the_contracts_status_and_leave_no_row(
    counter, client, writing, changes, status, code
):
    answer = post(client, counter.headers(), counter.body(**changes))
    assert answer.content_type == "application/problem+json"
    assert (answer.status_code, answer.get_json()["code"]) == (status, code)
    with writing() as session:
        for table in ("redemption", "idempotent_answer"):
            assert session.scalar(text(f"SELECT COUNT(*) FROM {table}")) == 0
    assert post(client, counter.headers(), counter.body()).status_code == 201


def test_an_expired_code_is_gone(counter, client):
    old = counter.code(now=clock.now() - timedelta(seconds=61))
    answer = post(client, counter.headers(), counter.body(code=old))
    assert (answer.status_code, answer.get_json()["code"]) == (410, "code_expired")


STRANGE = [None, True, "7", "７", "1_000", 1.9, 0, -1, 10**30, [], {}, float("inf")]


@pytest.mark.parametrize("value", STRANGE, ids=repr)
@pytest.mark.parametrize("field", ["merchant_id", "reward_id", "quantity"])
def test_numbers_that_are_none_are_said_to_be(counter, client, field, value):
    body = {**counter.body(), field: value}
    answer = post(client, counter.headers(), body)
    assert answer.status_code in (400, 422), answer.get_json()
    assert counter.points() == 100


@pytest.mark.parametrize(
    "body",
    [
        {"code": None},
        {"card": "x", "pin": "123456"},
        {"code": None, "card": "x"},
        {"code": ""},
        {"code": "7" * 501},
        {"code": 77},
        {"points": 1},
        {"price": 1},
        {"clerk_id": 1},
        {"quantity": 2001},
    ],
    ids=str,
)
def test_a_body_that_breaks_its_form_is_422(counter, client, body):
    """Also a price: the catalogue's is the only one, so nobody can overcharge."""
    answer = post(client, counter.headers(), counter.body(**body))
    assert (answer.status_code, answer.get_json()["code"]) == (422, "bad_fields")
    assert answer.get_json()["errors"]
    assert counter.points() == 100


def test_a_foreign_clerk_finds_no_such_merchant(counter, client, writing):
    with writing() as session:
        elsewhere = a_merchant(session, "别家店")
        foreign = with_role(session, a_member(session), "clerk", None, elsewhere)
        both = a_reward(session, elsewhere)
    headers = counter.headers(foreign)
    answer = post(client, headers, counter.body())
    assert (answer.status_code, answer.get_json()["code"]) == (404, "merchant_not_found")
    answer = post(client, counter.headers(), counter.body(reward_id=both))
    assert (answer.status_code, answer.get_json()["code"]) == (404, "reward_not_found")
    assert counter.points() == 100


def test_only_clerks_take_points(counter, client, writing):
    with writing() as session:
        administrator = with_role(session, a_member(session), "administrator")
    assert post(client, counter.headers(counter.member_id), counter.body()).status_code == 403
    assert post(client, counter.headers(administrator), counter.body()).status_code == 403
    assert client.post(URL, json=counter.body()).status_code in (400, 401)


def test_a_card_pays_with_its_six_digits(counter, client):
    card = counter.card("246810")
    wrong = post(client, counter.headers(), counter.body(code=None, card=card, pin="000000"))
    assert (wrong.status_code, wrong.get_json()["code"]) == (400, "card_pin_wrong")
    body = counter.body(code=None, card=card, pin="246810")
    first = post(client, counter.headers(), body, key="card")
    again = post(client, counter.headers(), body, key="card")
    assert (first.status_code, again.data) == (201, first.data)
    assert counter.points() == 80


def test_a_repeat_with_six_digits_is_answered_as_the_first(counter, client):
    """By then the code is used up, and the card may be locked: neither is judged again."""
    card, headers = counter.card("246810"), counter.headers()
    bodies = {
        "code": counter.body(pin="246810"),
        "card": counter.body(code=None, card=card, pin="246810"),
    }
    firsts = {key: post(client, headers, body, key=key) for key, body in bodies.items()}
    for n in range(5):
        wrong = counter.body(code=None, card=card, pin="000000")
        assert post(client, headers, wrong, key=f"w{n}").status_code == 400
    for key, body in bodies.items():
        again = post(client, headers, body, key=key)
        assert (firsts[key].status_code, again.data) == (201, firsts[key].data)
        assert again.headers["Idempotency-Replayed"] == "true"
        other = post(client, headers, {**body, "quantity": 2}, key=key)
        assert (other.status_code, other.get_json()["code"]) == (409, "key_reused")
    assert counter.points() == 60


def test_wrong_six_digits_stay_counted_and_lock_the_card(counter, client):
    card, headers = counter.card("246810"), counter.headers()
    for n in range(5):
        body = counter.body(code=None, card=card, pin="000000")
        assert post(client, headers, body, key=f"w{n}").status_code == 400
    body = counter.body(code=None, card=card, pin="246810")
    locked = post(client, headers, body, key="right")
    assert (locked.status_code, locked.get_json()["code"]) == (429, "card_locked")
    assert counter.points() == 100


def test_five_wrong_codes_lock_this_clerks_till_for_a_minute(counter, client, writing):
    headers = counter.headers()
    for n in range(WRONG_CODES_MAX):
        answer = post(client, headers, counter.body(code=NEVER_DRAWN), key=f"w{n}")
        assert answer.status_code == 400
    for code in (NEVER_DRAWN, counter.code()):
        locked = post(client, headers, counter.body(code=code), key=f"l{code}")
        assert (locked.status_code, locked.get_json()["code"]) == (429, "till_locked")
        assert 1 <= int(locked.headers["Retry-After"]) <= LOCK_SECONDS
    with writing() as session:
        colleague = with_role(
            session, a_member(session, "赵敏"), "clerk", None, counter.merchant_id
        )
    body = counter.body()
    assert post(client, counter.headers(colleague), body, key="c").status_code == 201
    with writing() as session:
        session.execute(
            text("UPDATE wrong_code SET locked_until = :past").bindparams(
                past=clock.now() - timedelta(seconds=1)
            )
        )
    answer = post(client, headers, counter.body(code=NEVER_DRAWN), key="anew")
    assert answer.status_code == 400
    assert post(client, headers, counter.body(), key="again").status_code == 201


def test_a_right_code_begins_the_count_anew(counter, client):
    headers = counter.headers()
    for turn in range(2):
        for n in range(WRONG_CODES_MAX - 1):
            wrong = counter.body(code="nonsense")
            assert post(client, headers, wrong, key=f"w{turn}{n}").status_code == 400
        assert post(client, headers, counter.body(), key=f"r{turn}").status_code == 201


def test_many_wrong_codes_at_once_are_all_counted(counter, app, writing):
    headers = counter.headers()
    tries = [
        partial(
            lambda n: post(app.test_client(), headers, counter.body(code="x"), key=f"{n}"), n
        )
        for n in range(12)
    ]
    statuses = [answer.status_code for answer in race(app, tries)]
    assert statuses.count(400) == WRONG_CODES_MAX
    assert statuses.count(429) == 12 - WRONG_CODES_MAX


def test_without_one_statement_wrong_codes_at_once_are_counted_as_one(counter, app, writing):
    """Control: read how many there were, then write one more: nobody's till is ever locked."""
    wrong = "SELECT COALESCE(SUM(failures), 0) FROM wrong_code"
    everyone_has_looked = threading.Barrier(12)

    def count() -> None:
        with reading() as session:
            failures = session.scalar(text(wrong))
        everyone_has_looked.wait(MEET_SECONDS_MAX)
        with transaction() as session:
            session.merge(
                WrongCode(clerk_id=counter.clerk_id, failures=failures + 1, failed_at=NOON)
            )

    with writing() as session:
        session.merge(WrongCode(clerk_id=counter.clerk_id, failures=0, failed_at=NOON))
    assert race(app, times(12, count)) == [None] * 12
    with writing() as session:
        assert session.scalar(text(wrong)) == 1


def test_a_void_returns_everything_once_under_any_key(counter, client):
    headers = counter.headers()
    done = post(client, headers, counter.body()).get_json()
    url = f"{URL}/{done['id']}/void"
    assert client.post(url, headers=headers).get_json()["code"] == "idempotency_key_missing"
    first = client.post(url, headers={**headers, "Idempotency-Key": "v1"})
    assert first.status_code == 200
    assert (first.get_json()["state"], first.get_json()["balance_after"]) == ("voided", 100)
    for key in ("v1", "v2"):
        again = client.post(url, headers={**headers, "Idempotency-Key": key})
        assert (again.status_code, again.data) == (200, first.data)
    assert counter.points() == 100


def test_a_void_of_another_shop_is_not_found(counter, client, writing):
    done = post(client, counter.headers(), counter.body()).get_json()
    with writing() as session:
        elsewhere = an_organization(session, "140303002001", name="别处社区")
        foreign_clerk = with_role(
            session, a_member(session), "clerk", None, a_merchant(session, "别家店")
        )
        foreign = with_role(session, a_member(session), "administrator", elsewhere)
        colleague = with_role(session, a_member(session), "clerk", None, counter.merchant_id)
    for who, status in ((foreign_clerk, 404), (foreign, 404), (colleague, 403)):
        answer = post(client, counter.headers(who), {}, url=f"{URL}/{done['id']}/void")
        assert answer.status_code == status
    unknown = post(client, counter.headers(), {}, key="u", url=f"{URL}/{10**12}/void")
    assert unknown.status_code == 404
    assert counter.points() == 80


def test_offering_changing_and_listing_rewards(counter, client, writing):
    headers = counter.headers()
    body = {
        "merchant_id": counter.merchant_id,
        "name": " 磨刀\u200b一次 ",
        "points": 5,
        "stock": 1,
    }
    made = client.post("/api/v1/rewards", json=body, headers=headers)
    assert made.status_code == 201
    url = f"/api/v1/rewards/{made.get_json()['id']}"
    changed = client.patch(url, json={"add_stock": 4}, headers=headers).get_json()
    assert (changed["stock"], changed["name"]) == (5, "磨刀一次")
    with writing() as session:
        dear = a_reward(session, counter.merchant_id, name="自行车", points=2000)
        a_reward(session, counter.merchant_id, name="售完", stock=0)
    mine = counter.headers(counter.member_id)
    listed = client.get("/api/v1/rewards", headers=mine).get_json()
    assert [(item["points"], item["affordable"]) for item in listed["items"]] == [
        (5, True),
        (20, True),
        (2000, False),
    ]
    assert listed["next"] is None
    first = client.get("/api/v1/rewards?limit=2", headers=mine).get_json()
    second = client.get(f"/api/v1/rewards?limit=2&cursor={first['next']}", headers=mine)
    assert [item["id"] for item in second.get_json()["items"]] == [dear]
    client.patch(url, json={"state": "withdrawn"}, headers=headers)
    query = f"/api/v1/rewards?merchant_id={counter.merchant_id}"
    names = [item["name"] for item in client.get(query, headers=mine).get_json()["items"]]
    assert names == ["洗洁精一瓶", "自行车"]
    assert client.get("/api/v1/rewards?merchant_id=999999", headers=mine).get_json() == {
        "items": [],
        "next": None,
    }


@pytest.mark.parametrize(
    "changes",
    [
        {"points": 0},
        {"points": -5},
        {"points": 2001},
        {"points": 1.5},
        {"points": "１０"},
        {"stock": -1},
        {"stock": 10**7},
        {"name": " \u200b "},
        {"name": "品" * 81},
        {"limit_per_member": 0},
        {"valid_from": "2026-11-21T12:00:00"},
        {"valid_until": "9999-12-31T23:59:59+00:00"},
        {"state": "withdrawn"},
    ],
    ids=str,
)
def test_a_reward_that_breaks_its_form_is_422(counter, client, changes):
    body = {"merchant_id": counter.merchant_id, "name": "磨刀", "points": 5, "stock": 1}
    answer = client.post("/api/v1/rewards", json={**body, **changes}, headers=counter.headers())
    assert answer.status_code == 422, answer.get_json()


def test_a_reward_that_ends_before_it_begins_is_refused(counter, client):
    body = {
        "merchant_id": counter.merchant_id,
        "name": "磨刀",
        "points": 5,
        "stock": 1,
        "valid_from": "2026-11-21T12:00:00+08:00",
        "valid_until": "2026-11-21T04:00:00Z",
    }
    answer = client.post("/api/v1/rewards", json=body, headers=counter.headers())
    assert (answer.status_code, answer.get_json()["code"]) == (400, "bad_validity")


@pytest.mark.parametrize("change", [{}, {"add_stock": 0}, {"add_stock": -1}, {"state": "x"}])
def test_a_change_that_is_none_is_422(counter, client, change):
    url = f"/api/v1/rewards/{counter.reward_id}"
    assert client.patch(url, json=change, headers=counter.headers()).status_code == 422


def test_a_stock_beyond_counting_is_refused(counter, client):
    url = f"/api/v1/rewards/{counter.reward_id}"
    answer = client.patch(url, json={"add_stock": 999_991}, headers=counter.headers())
    assert (answer.status_code, answer.get_json()["code"]) == (400, "stock_too_large")


def test_another_shops_offer_is_not_found(counter, client, writing):
    with writing() as session:
        foreign = with_role(session, a_member(session), "clerk", None, a_merchant(session))
    headers = counter.headers(foreign)
    body = {"merchant_id": counter.merchant_id, "name": "磨刀", "points": 5, "stock": 1}
    assert client.post("/api/v1/rewards", json=body, headers=headers).status_code == 404
    url = f"/api/v1/rewards/{counter.reward_id}"
    assert client.patch(url, json={"add_stock": 1}, headers=headers).status_code == 404
    url = f"/api/v1/merchants/{counter.merchant_id}/redemptions"
    assert client.get(url, headers=headers).status_code == 404


def test_a_day_lists_its_redemptions_and_their_sum(counter, client, writing):
    headers = counter.headers()
    ids = [
        post(client, headers, counter.body(), key=f"d{n}").get_json()["id"] for n in range(3)
    ]
    post(client, headers, {}, key="v", url=f"{URL}/{ids[0]}/void")
    with writing() as session:
        auditor = with_role(session, a_member(session), "auditor")
    url = f"/api/v1/merchants/{counter.merchant_id}/redemptions"
    for who in (counter.clerk_id, auditor):
        day = client.get(url, headers=counter.headers(who)).get_json()
        assert day["totals"] == {"redemptions": 2, "points": 40, "voided": 1}
        assert [item["id"] for item in day["items"]] == ids[::-1]
        assert {item["member"]["display_name"] for item in day["items"]} == {"王*兰"}
    first = client.get(f"{url}?limit=2", headers=headers).get_json()
    rest = client.get(f"{url}?limit=2&cursor={first['next']}", headers=headers).get_json()
    assert [item["id"] for item in rest["items"]] == ids[:1]
    empty = client.get(f"{url}?day=2020-01-01", headers=headers).get_json()
    assert (empty["items"], empty["totals"]["points"]) == ([], 0)
    for day in ("21.11.2026", "２０２６-11-21", "2026-13-01", "x"):
        assert client.get(f"{url}?day={day}", headers=headers).status_code == 422
    assert client.get(url, headers=counter.headers(counter.member_id)).status_code == 403


def test_a_member_sees_what_they_had_and_nobody_elses(counter, client, writing):
    done = post(client, counter.headers(), counter.body()).get_json()
    with writing() as session:
        other = with_points(session, a_member(session, "张伟"), 10)
    mine = client.get("/api/v1/me/redemptions", headers=counter.headers(counter.member_id))
    assert [item["number"] for item in mine.get_json()["items"]] == [done["number"]]
    others = client.get("/api/v1/me/redemptions", headers=counter.headers(other))
    assert others.get_json() == {"items": [], "next": None}
