"""The usual redemption in two round trips on PostgreSQL: a look, then one statement for all.

A clerk who hands a reward over for a fresh code is the hot call, and nearly always nothing
stands in the way. LOOK finds everything that the deal needs, in one statement; TAKE then writes
everything, in one statement that is a transaction of its own: code, stock, share, wallet,
transfer, lots, redemption, audit and the answer kept under the key. Its expressions hang on
each other in the order in which rows are locked everywhere, and each guard is judged on the row
as it is when its turn comes. Were one of them to fail, the last line divides by zero, and
PostgreSQL takes back what the others did.

Whatever is not usual, an answer given before, a lock, a refusal, a lost race, a card, more
points than go without a confirmation, a reward for some days or some people, a merchant whose
months are limited, SQLite, is none of this file's business: it returns None, and
redeeming.redeem_reward judges the deal step by step.
"""

import json
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection, Date, Row, TextClause, bindparam, text
from sqlalchemy.exc import DBAPIError

from pointsbank.core.db import Moment, db, glance, state_of
from pointsbank.core.text import masked_name
from pointsbank.ledger.composing import spending, spending_values
from pointsbank.ledger.posting import Posting
from pointsbank.members.codes import CONFIRM_ABOVE
from pointsbank.members.showing import hash_of_redemption_code
from pointsbank.rewards.bounds import DAY_POINTS_MAX, NO_LIMIT, month_of
from pointsbank.rewards.policy import share_period
from pointsbank.rewards.redeeming import Order, reason_of
from pointsbank.web.idempotency import Answer, sent_hash

STATUS_CREATED = 201
# Division by zero, a broken constraint (class 23), a deadlock: what TAKE ends in when it lost a
# race.
LOST = ("22012", "40P01")
BROKEN_CONSTRAINT = "23"


def _typed(statement: str) -> TextClause:
    return text(statement).bindparams(bindparam("now", type_=Moment()))


LOOK = _typed(
    """
    SELECT code.member_id, member.name AS member_name,
           wallet.account_id AS wallet_id, wallet.seq AS wallet_seq, shop.id AS payee_id,
           reward.name AS reward_name, reward.kind AS reward_kind, reward.points,
           reward.limit_per_member, reward.limit_period,
           merchant.name AS merchant_name
    FROM redemption_code AS code
    JOIN member ON member.id = code.member_id AND member.state = 'active'
    JOIN account AS mine
      ON mine.code = 'member:' || code.member_id AND mine.closed_at IS NULL
    JOIN wallet ON wallet.account_id = mine.id
    JOIN reward ON reward.id = :reward_id AND reward.merchant_id = :merchant_id
      AND reward.kind <> 'loan'
    JOIN merchant ON merchant.id = reward.merchant_id AND merchant.state = 'active'
      AND merchant.month_points_max IS NULL
      AND NOT EXISTS (
          SELECT 1 FROM merchant_month AS counted
          WHERE counted.merchant_id = merchant.id AND counted.month = :month)
      AND (merchant.takes_until IS NULL OR merchant.takes_until >= :today)
    JOIN account AS shop
      ON shop.code = 'merchant:' || merchant.id AND shop.closed_at IS NULL
    WHERE code.number_hash = :number_hash AND code.state = 'fresh' AND code.expires_at > :now
      AND code.member_id <> :clerk_id
      AND NOT EXISTS (SELECT 1 FROM wrong_code WHERE clerk_id = :clerk_id)
      AND NOT EXISTS (
          SELECT 1 FROM idempotent_answer WHERE member_id = :clerk_id AND key = :key)
    """
).bindparams(bindparam("today", type_=Date()))

TAKE_WORDS = f"""
    WITH used AS (
        UPDATE redemption_code SET state = 'used', used_at = :now
        WHERE number_hash = :number_hash AND state = 'fresh' AND expires_at > :now
        RETURNING member_id
    ), goods AS (
        UPDATE reward SET stock = stock - :quantity
        FROM used
        WHERE id = :reward_id AND state = 'offered' AND points = :price
          AND (stock IS NULL OR stock >= :quantity)
          AND (valid_from IS NULL OR valid_from <= :now)
          AND (valid_until IS NULL OR valid_until > :now)
          AND weekdays = 0 AND monthdays = 0 AND audience_id IS NULL AND stars_min = 0
        RETURNING id
    ), share AS (
        INSERT INTO reward_taken (reward_id, member_id, period, quantity)
        SELECT id, :member_id, :period, :quantity FROM goods
        ON CONFLICT (reward_id, member_id, period) DO UPDATE
            SET quantity = reward_taken.quantity + :quantity
            WHERE reward_taken.quantity + :quantity <= :most
        RETURNING reward_id
    ), day AS (
        INSERT INTO spent_by_day (member_id, day, points)
        SELECT :member_id, :today, :points FROM share
        ON CONFLICT (member_id, day) DO UPDATE
            SET points = spent_by_day.points + :points
            WHERE spent_by_day.points + :points <= {DAY_POINTS_MAX}
        RETURNING member_id
    ), {spending("day")}, kept AS (
        INSERT INTO redemption (number, merchant_id, reward_id, member_id, clerk_id, way,
                                quantity, points, period, state, transfer_id, balance_after,
                                redeemed_at, redeemed_on, voided_quantity)
        SELECT :number, :merchant_id, :reward_id, :member_id, :clerk_id, 'code', :quantity,
               :points, :period, 'completed', id, balance_after, :now, :today, 0
        FROM transferred
        RETURNING id, balance_after
    ), noted AS (
        INSERT INTO audit_entry (at, actor_id, action, subject_kind, subject_id, facts)
        SELECT :now, :clerk_id, 'redeem', 'redemption', id, CAST(:facts AS json) FROM kept
    ), answered AS (
        INSERT INTO idempotent_answer (member_id, key, request_hash, status, body, answered_at)
        SELECT :clerk_id, :key, :request_hash, {STATUS_CREATED},
               CAST(CAST(:body AS jsonb)
                    || jsonb_build_object('id', id, 'balance_after', balance_after) AS json),
               :now
        FROM kept
    )
    SELECT 1 / (SELECT CAST(COUNT(*) AS integer) FROM kept) AS done, kept.id, kept.balance_after
    FROM (VALUES (1)) AS always (row) LEFT JOIN kept ON true
    """
# On one line, because the driver keeps what it makes of a statement up to 4,096 bytes and would
# read a longer one anew for every deal.
TAKE = _typed(" ".join(TAKE_WORDS.split())).bindparams(bindparam("today", type_=Date()))


@dataclass(frozen=True)
class Deal:
    """A deal at the door: who takes it, under which key, and when."""

    order: Order
    clerk_id: int
    number: str
    key: str
    sent: bytes
    today: date
    now: datetime


def redeem_at_once(deal: Deal, secret: str) -> Answer | None:
    """Redeem in two round trips, or return None when something is not as usual; then nothing
    was done.

    Raises what a text raises that is no redemption code: NotOurCode, ForgedCode,
    WrongCodePurpose.
    """
    order = deal.order
    if order.code is None or db.engine.dialect.name != "postgresql":
        return None
    values = {
        "number_hash": hash_of_redemption_code(order.code, secret),
        "merchant_id": order.merchant_id,
        "reward_id": order.reward_id,
        "clerk_id": deal.clerk_id,
        "key": deal.key,
        "today": deal.today,
        "month": month_of(deal.today),
        "now": deal.now,
    }
    with glance() as connection:
        seen = connection.execute(LOOK, values).first()
        if seen is None or not _is_usual(seen, order.quantity):
            return None
        return _take(connection, deal, seen, values)


def _is_usual(seen: Row[Any], quantity: int) -> bool:
    is_within_limit = quantity <= (seen.limit_per_member or NO_LIMIT)
    return is_within_limit and seen.points * quantity <= CONFIRM_ABOVE


def _take(
    connection: Connection, deal: Deal, seen: Row[Any], values: dict[str, Any]
) -> Answer | None:
    order, points = deal.order, seen.points * deal.order.quantity
    body = {
        "number": deal.number,
        "state": "completed",
        "points": points,
        "member": {"display_name": masked_name(seen.member_name)},
        "reward": {"id": order.reward_id, "name": seen.reward_name},
        "quantity": order.quantity,
        "merchant_id": order.merchant_id,
        "created_at": deal.now.isoformat(),
        "confirm_by": None,
    }
    values |= {
        "quantity": order.quantity,
        "price": seen.points,
        "member_id": seen.member_id,
        "most": seen.limit_per_member or NO_LIMIT,
        "period": share_period(seen.limit_period, deal.today),
        "number": deal.number,
        "request_hash": sent_hash(deal.sent),
        "body": json.dumps(body, ensure_ascii=False),
        "facts": json.dumps({"merchant_id": order.merchant_id, "points": points}),
        **spending_values(
            _posting(deal, seen, points),
            wallet_id=seen.wallet_id,
            wallet_seq=seen.wallet_seq,
            payee_id=seen.payee_id,
        ),
    }
    try:
        done = connection.execute(TAKE, values).one()
    except DBAPIError as error:
        state = state_of(error) or ""
        if state in LOST or state.startswith(BROKEN_CONSTRAINT):
            return None
        raise
    body |= {"id": done.id, "balance_after": done.balance_after}
    return Answer(STATUS_CREATED, body, is_replay=False)


def _posting(deal: Deal, seen: Row[Any], points: int) -> Posting:
    member = f"member:{seen.member_id}"
    return Posting(
        key=f"redeem:{deal.number}",
        kind="spend",
        source=member,
        target=f"merchant:{deal.order.merchant_id}",
        wallet=member,
        points=points,
        occurred_at=deal.now,
        reason=reason_of(
            seen.reward_name, deal.order.quantity, seen.merchant_name, seen.reward_kind
        ),
        actor_id=deal.clerk_id,
    )
