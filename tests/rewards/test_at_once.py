"""The two round trips on PostgreSQL: they do what the steps do, or nothing at all."""

import dataclasses
from collections import Counter as Multiset
from datetime import timedelta

import pytest
from psycopg._queries import MAX_CACHED_STATEMENT_LENGTH
from sqlalchemy import text

from pointsbank.core.db import db, glance, transaction
from pointsbank.ledger.posting import Posting
from pointsbank.ledger.service import post
from pointsbank.ledger.verifying import offenders
from pointsbank.members.codes import redemption_digits
from pointsbank.members.errors import ForgedCode, NotOurCode
from pointsbank.rewards.at_once import LOOK, TAKE, Deal, _take, redeem_at_once
from pointsbank.rewards.bounds import month_of
from pointsbank.web.idempotency import once
from tests.builders import a_member, with_points
from tests.moments import NOON
from tests.rewards.traces import everything

pytestmark = pytest.mark.engine("postgresql")

NUMBER = "26112112345678"


@pytest.fixture
def here(app):
    with app.app_context():
        yield app


def deal_of(counter, code=None, **changes) -> Deal:
    order = counter.order(code or counter.code(now=NOON), **changes)
    return Deal(order, counter.clerk_id, NUMBER, "k", b"sent", NOON.date(), NOON)


def steps(counter, deal):
    """Take the same deal step by step, as SQLite does."""

    def use_case(session):
        done = counter.redeem(session, deal.order)
        return {"points": done.points, "balance_after": done.balance_after}

    return once(use_case, member_id=deal.clerk_id, key=deal.key, sent=deal.sent, now=NOON)


def test_the_usual_deal_is_taken_at_once_and_answered_again_under_its_key(
    counter, here, writing
):
    deal = deal_of(counter, quantity=2)
    answer = redeem_at_once(deal, counter.secret)
    assert answer is not None
    assert (answer.status, answer.is_replay) == (201, False)
    assert answer.body["balance_after"] == 60
    assert redeem_at_once(deal, counter.secret) is None
    again = steps(counter, deal)
    assert (again.is_replay, again.body) == (True, answer.body)
    with writing() as session:
        assert offenders(session) == []
        noted = session.execute(text("SELECT action, facts FROM audit_entry")).all()
        assert ("redeem", {"points": 40, "merchant_id": counter.merchant_id}) in map(
            tuple, noted
        )


COLUMNS = {
    "reward_taken": "quantity",
    "wallet": "posted, held, seq",
    "transfer": "kind, points, wallet_seq, wallet_after, reason, expires_on, occurred_at,"
    " recorded_at, actor_id, source_id = wallet_id AS is_out",
    "lot": "expires_on, granted, used",
    "lot_use": "expires_on, points, returned",
    "redemption": "quantity, points, period, way, state, balance_after, hold_id, confirm_by,"
    " voided_quantity, redeemed_at, redeemed_on",
    "spent_by_day": "day, points",
    "audit_entry": "at, actor_id, action, subject_kind, CAST(facts AS text)",
    "idempotent_answer": "member_id, request_hash, status, answered_at",
}


def rows_of(session) -> Multiset[tuple[str, str]]:
    """Return all rows but for ids and what was drawn by chance, each with its table."""
    return Multiset(
        (table, repr(row))
        for table, wanted in COLUMNS.items()
        for row in session.execute(text(f"SELECT {wanted} FROM {table}"))
    )


def test_the_driver_keeps_what_it_makes_of_the_statement(here):
    """A longer one would be read anew for every deal."""
    assert len(str(TAKE.compile(db.engine))) <= MAX_CACHED_STATEMENT_LENGTH


def test_it_leaves_the_same_rows_as_the_steps_do(counter, here, writing):
    left = []
    for way in (lambda deal: redeem_at_once(deal, counter.secret), lambda d: steps(counter, d)):
        with writing() as session:
            buyer = with_points(session, a_member(session), 100)
            with_points(session, buyer, 30, expires_on=NOON.date())
            before = rows_of(session)
        deal = deal_of(counter, counter.code(buyer, now=NOON), quantity=2)
        assert way(dataclasses.replace(deal, key=f"k{len(left)}")) is not None
        with writing() as session:
            left.append(rows_of(session) - before)
    assert left[0] == left[1]
    assert {table for table, _ in left[0]} == set(COLUMNS)


UNUSUAL = {
    "none left": "UPDATE reward SET stock = 0",
    "withdrawn": "UPDATE reward SET state = 'withdrawn'",
    "over": "UPDATE reward SET valid_until = '2026-01-01'",
    "ahead": "UPDATE reward SET valid_from = '2027-01-01'",
    "dear": "UPDATE reward SET points = 101",
    "limited": "UPDATE reward SET limit_per_member = 1",
    "for Sundays": "UPDATE reward SET weekdays = 64",
    "for a day of the month": "UPDATE reward SET monthdays = 2",
    "for some": "UPDATE reward SET audience_id = (SELECT MIN(id) FROM organization)",
    "for stars": "UPDATE reward SET stars_min = 1",
    "merchant's months limited": "UPDATE merchant SET month_points_max = 1000",
    "a month counted under a limit that ended": (
        "INSERT INTO merchant_month (merchant_id, month, points)"
        " SELECT id, '2026-11', 20 FROM merchant"
    ),
    "contract over": "UPDATE merchant SET takes_until = '2026-11-20'",
    "day full": (
        "INSERT INTO spent_by_day (member_id, day, points)"
        " SELECT id, '2026-11-21', 1961 FROM member WHERE name = '王桂兰'"
    ),
    "to be confirmed": "UPDATE reward SET points = 101",
    "merchant stopped": "UPDATE merchant SET state = 'suspended'",
    "member stopped": "UPDATE member SET state = 'suspended'",
    "shop's account closed": "UPDATE account SET closed_at = now() WHERE kind = 'merchant'",
    "points held": (
        "WITH held AS (UPDATE wallet SET held = 61 WHERE posted > 61 RETURNING account_id)"
        " INSERT INTO hold"
        " (key, wallet_id, points, state, placed_at, expires_at)"
        " SELECT 'order:1', account_id, 61, 'open', now(), now() FROM held"
    ),
    "wrong codes before": (
        "INSERT INTO wrong_code (clerk_id, failures, failed_at)"
        " SELECT id, 1, now() FROM member WHERE name = '李建军'"
    ),
}


@pytest.mark.parametrize("statement", UNUSUAL.values(), ids=UNUSUAL.keys())
def test_what_is_not_usual_is_left_alone(counter, here, writing, statement):
    deal = deal_of(counter, quantity=2)
    with writing() as session:
        session.execute(text(statement))
        before = everything(session)
    assert redeem_at_once(deal, counter.secret) is None
    with writing() as session:
        assert everything(session) == before


def test_codes_and_cards_that_are_not_usual_are_left_alone(counter, here, writing):
    with writing() as session:
        with_points(session, counter.clerk_id, 100)
    orders = [
        deal_of(counter, counter.code(now=NOON - timedelta(seconds=60))),
        deal_of(counter, redemption_digits("123456789012345")),
        deal_of(counter, counter.code(counter.clerk_id, now=NOON)),
        dataclasses.replace(deal_of(counter), order=counter.order(card=counter.card())),
        deal_of(counter, quantity=99),
        deal_of(counter, reward_id=10**9),
        deal_of(counter, merchant_id=10**9),
    ]
    with writing() as session:
        before = everything(session)
    assert [redeem_at_once(deal, counter.secret) for deal in orders] == [None] * len(orders)
    with writing() as session:
        assert everything(session) == before
    for text_shown, refusal in (("nonsense", NotOurCode), ("R" * 29, (NotOurCode, ForgedCode))):
        with pytest.raises(refusal):
            redeem_at_once(deal_of(counter, text_shown), counter.secret)


MEANWHILE = {
    "the code was used": "UPDATE redemption_code SET state = 'used'",
    "the last one went": "UPDATE reward SET stock = 0",
    "the price changed": "UPDATE reward SET points = 21",
    "the share was had": (
        "INSERT INTO reward_taken (reward_id, member_id, period, quantity)"
        " SELECT reward.id, member.id, '', 9 FROM reward, member WHERE member.name = '王桂兰'"
    ),
    "a day began for members only": "UPDATE reward SET weekdays = 64",
    "the day was filled": (
        "INSERT INTO spent_by_day (member_id, day, points)"
        " SELECT id, '2026-11-21', 1981 FROM member WHERE name = '王桂兰'"
    ),
    "the number was drawn": (
        "INSERT INTO transfer (key, request_hash, kind, source_id, target_id, points,"
        " occurred_at, recorded_at, reason) SELECT 'redeem:26112112345678', request_hash, kind,"
        " source_id, target_id, points, occurred_at, recorded_at, reason FROM transfer"
    ),
    "the key was used": (
        "INSERT INTO idempotent_answer"
        " (member_id, key, request_hash, status, body, answered_at)"
        " SELECT id, 'k', CAST('x' AS bytea), 201, '{}', now() FROM member"
        " WHERE name = '李建军'"
    ),
}


@pytest.mark.parametrize("meanwhile", MEANWHILE.values(), ids=MEANWHILE.keys())
def test_what_changed_after_the_look_takes_everything_back(counter, here, writing, meanwhile):
    with writing() as session:
        session.execute(text("UPDATE reward SET limit_per_member = 9"))
    deal = deal_of(counter)
    values, seen = looked(counter, deal)
    with writing() as session:
        session.execute(text(meanwhile))
        before = everything(session)
    with glance() as connection:
        assert _take(connection, deal, seen, values) is None
    with writing() as session:
        assert everything(session) == before


def test_a_wallet_that_moved_after_the_look_is_judged_step_by_step(counter, here, writing):
    """Its lots may have moved too, and this statement's snapshot would not know."""
    deal = deal_of(counter)
    values, seen = looked(counter, deal)
    with writing() as session:
        member = f"member:{counter.member_id}"
        spent = Posting(
            "redeem:other",
            "spend",
            member,
            f"merchant:{counter.merchant_id}",
            member,
            5,
            NOON,
            "x",
        )
        post(session, spent, NOON)
        before = everything(session)
    with glance() as connection:
        assert _take(connection, deal, seen, values) is None
    with writing() as session:
        assert everything(session) == before
    assert steps(counter, deal).body["balance_after"] == 75


def looked(counter, deal):
    """Return what the look finds, and the values it was asked with."""
    with transaction() as session:
        number_hash = session.scalar(
            text("SELECT number_hash FROM redemption_code WHERE state = 'fresh'")
        )
    values = {
        "number_hash": number_hash,
        "merchant_id": counter.merchant_id,
        "reward_id": counter.reward_id,
        "clerk_id": counter.clerk_id,
        "key": deal.key,
        "today": NOON.date(),
        "month": month_of(NOON.date()),
        "now": NOON,
    }
    with glance() as connection:
        return values, connection.execute(LOOK, values).one()
