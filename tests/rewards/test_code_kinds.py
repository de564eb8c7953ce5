"""Codes at a counter: each opens the one door that it was made for, and no other."""

import pytest
from sqlalchemy import text

from pointsbank.attendance.codes import slot_at, venue_text
from pointsbank.core import clock
from pointsbank.core.codes import Purpose, seal
from pointsbank.core.db import transaction
from pointsbank.core.keys import derive_key, draw_bytes, draw_number, draw_token
from pointsbank.ledger.verifying import offenders
from pointsbank.members.codes import (
    GENERAL,
    REDEMPTION_NUMBER_DIGITS,
    personal_text,
    redemption_text,
)
from pointsbank.members.showing import draw_redemption_code
from pointsbank.merchants.tills import till_text
from pointsbank.rewards.ordering import NewOrder, order_reward
from pointsbank.rewards.vouchers import voucher_code
from tests.browsing import Browser
from tests.builders import a_member, a_merchant, a_reward, with_points, with_role
from tests.merchants.partners import a_shop
from tests.rewards.traces import everything

PIN = "246810"
# Which of them opens which door. All of the others are refused, and nothing is left of it.
OPENS = {
    "till": {"redemption", "digits"},
    "card": {"card"},
    "voucher": {"voucher"},
    "loan": {"redemption", "digits"},
    "shop": {"till"},
}
KINDS = ("card", "digits", "personal", "poster", "redemption", "till", "venue", "voucher")


@pytest.fixture
def drill(counter, writing) -> int:
    """A tool that is lent against 10 points."""
    with writing() as session:
        return a_reward(session, counter.merchant_id, "电钻", 10, 5, kind="loan", loan_days=7)


def codes(counter) -> dict[str, str]:
    """Make one good code of every kind, of a member with points."""
    secret, now = counter.secret, clock.now()
    card = counter.card(PIN)
    digits = counter.code()
    with counter.app.app_context(), transaction() as session:
        other = with_points(session, a_member(session), 100)
        number = draw_number(REDEMPTION_NUMBER_DIGITS)
        draw_redemption_code(session, member_id=other, number=number, secret=secret, now=now)
        ordered = order_reward(
            session,
            NewOrder(counter.reward_id, 1, counter.member_id, draw_number(14)),
            secret=secret,
            today=now.date(),
            now=now,
        )
        shop_id = a_shop(session, counter.merchant_id, draw_token())
        handle = session.scalar(
            text("SELECT till_handle FROM shop WHERE id = :id"), {"id": shop_id}
        )
    short = draw_bytes(5)
    return {
        "card": card,
        "digits": digits,
        "personal": personal_text(secret, short, GENERAL, now),
        "poster": seal(Purpose.POSTER, short, derive_key(secret, "poster")),
        "redemption": redemption_text(secret, number),
        "till": till_text(secret, bytes(handle)),
        "venue": venue_text(secret, short, slot_at(now), "in"),
        "voucher": voucher_code(secret, ordered.number),
    }


def knock(counter, client, drill, door: str, code: str) -> int:
    """Show a code at a door, and return the status."""
    if door == "shop":
        page = Browser(counter.app, counter.member_id).client.get(f"/T/{code}")
        return page.status_code
    deal = {"merchant_id": counter.merchant_id, "reward_id": counter.reward_id, "quantity": 1}
    path, body = {
        "till": ("/redemptions", {**deal, "code": code}),
        "card": ("/redemptions", {**deal, "card": code, "pin": PIN}),
        "voucher": (f"/vouchers/{code}/redemption", {}),
        "loan": (
            "/loans",
            {"merchant_id": counter.merchant_id, "reward_id": drill, "code": code},
        ),
    }[door]
    headers = {**counter.headers(), "Idempotency-Key": draw_token()}
    return client.post(f"/api/v1{path}", json=body, headers=headers).status_code


def traces(session) -> dict[str, list[str]]:
    """Return what a deal leaves behind, but for the count of wrong codes."""
    return {name: rows for name, rows in everything(session).items() if name != "wrong_code"}


@pytest.mark.parametrize("door", OPENS)
def test_no_code_opens_the_door_of_another(counter, client, writing, drill, door):
    made = codes(counter)
    assert set(made) == set(KINDS)
    with writing() as session:
        before = traces(session)
    for kind in set(KINDS) - OPENS[door]:
        status = knock(counter, client, drill, door, made[kind])
        assert 400 <= status < 500, (kind, status)
        with writing() as session:
            assert traces(session) == before, kind
            # Else the fifth would be refused for the till that is locked.
            session.execute(text("DELETE FROM wrong_code"))
    for kind in sorted(OPENS[door]):
        assert knock(counter, client, drill, door, made[kind]) in (200, 201), kind
    with writing() as session:
        assert (traces(session) != before) is (door != "shop")
        assert offenders(session) == []


def test_each_merchant_hands_over_its_own_vouchers_and_no_other(counter, client, writing):
    """Three merchants and three vouchers: another's looks like one that there is not."""
    clerks, vouchers = [], []
    for name in ("第一家", "第二家", "第三家"):
        with writing() as session:
            merchant_id = a_merchant(session, name)
            reward_id = a_reward(session, merchant_id, points=5)
            clerks.append(with_role(session, a_member(session), "clerk", None, merchant_id))
            new = NewOrder(reward_id, 1, counter.member_id, draw_number(14))
            now = clock.now()
            order_reward(session, new, secret=counter.secret, today=now.date(), now=now)
        vouchers.append(voucher_code(counter.secret, new.number))

    def show(clerk_id: int, code: str):
        headers = {**counter.headers(clerk_id), "Idempotency-Key": draw_token()}
        with writing() as session:
            session.execute(text("DELETE FROM wrong_code"))
        answer = client.post(f"/api/v1/vouchers/{code}/redemption", json={}, headers=headers)
        told = answer.get_json()
        return answer.status_code, told.get("code"), told.get("detail"), told.get("title")

    for number, clerk_id in enumerate(clerks):
        unknown = show(clerk_id, "0" * 12)
        assert unknown[:2] == (404, "voucher_not_found")
        others = [code for place, code in enumerate(vouchers) if place != number]
        assert [show(clerk_id, code) for code in others] == [unknown] * 2
    for clerk_id, code in zip(clerks, vouchers, strict=True):
        assert show(clerk_id, code)[0] == 201
