"""Forty merchants' month closes to the point: statements, accounts and the report agree."""

import secrets

from sqlalchemy import bindparam, text

from pointsbank.core.calendar import read_period
from pointsbank.core.db import Moment
from pointsbank.jobs.months import close_next
from pointsbank.ledger.posting import Posting
from pointsbank.ledger.service import open_account, post, reverse
from pointsbank.ledger.verifying import verify
from pointsbank.merchants.models import DEFAULT_RATE_FEN
from pointsbank.settlements.queries import lines_of, month_totals, statements_of_month
from pointsbank.settlements.rules import RULES_OF_STATEMENTS
from tests.builders import SHANGHAI, a_member, a_merchant, with_points
from tests.settlements.months import CUT_OFF, NOVEMBER, SOON_AFTER, at

MERCHANTS = 40
DEALS = 400
BACK_IN = 9
DECEMBER = read_period("2026-12")

ACCOUNTS = text(
    """
    SELECT merchant.id,
           (SELECT COALESCE(SUM(points), 0) FROM transfer WHERE target_id = account.id)
           - (SELECT COALESCE(SUM(points), 0) FROM transfer WHERE source_id = account.id)
    FROM merchant JOIN account ON account.code = 'merchant:' || merchant.id
    """
)

RECORDED = text(
    "SELECT COUNT(*) FROM transfer WHERE kind <> 'earn' AND recorded_at < :at"
).bindparams(bindparam("at", type_=Moment()))


def a_deal(session, dice, member, merchant):
    """Let the member give some points on some day of the month; some come back, some later."""
    moment = at(11, dice.randint(1, 30), dice.randint(8, 20))
    done = post(
        session,
        Posting(
            key=f"spend:test:{secrets.token_hex(8)}",
            kind="spend",
            source=f"member:{member}",
            target=f"merchant:{merchant}",
            wallet=f"member:{member}",
            points=dice.randint(1, 60),
            occurred_at=moment,
            reason="大米 5 公斤",
        ),
        moment,
    )
    if dice.randrange(BACK_IN) == 0:
        back = moment if dice.random() < 0.5 else at(12, 2)
        reverse(
            session,
            transfer_id=done.id,
            key=f"void:{done.id}",
            reason="拿错了",
            actor_id=None,
            today=back.date(),
            now=back,
        )


def close_all(writing, month, now):
    closed = 0
    while True:
        with writing() as session:
            more = close_next(session, month.name, SHANGHAI, now)
        if not more:
            return closed
        closed += more


def test_forty_merchants_tie_to_the_ledger(writing, dice):
    with writing() as session:
        merchants = [a_merchant(session, f"商户{n}") for n in range(MERCHANTS)]
        for merchant in merchants:
            open_account(session, code=f"merchant:{merchant}", kind="merchant")
        member = with_points(session, a_member(session), DEALS * 60, now=at(11, 1, 0))
        for number in range(DEALS):
            a_deal(session, dice, member, merchants[number % MERCHANTS])
    assert close_all(writing, NOVEMBER, SOON_AFTER) == MERCHANTS
    assert close_all(writing, NOVEMBER, SOON_AFTER) == 0
    with writing() as session:
        verified = verify(session, more=RULES_OF_STATEMENTS)
        assert verified.offenders == []
        found = statements_of_month(session, ("/",), NOVEMBER.name)
        recorded = session.scalar(RECORDED, {"at": CUT_OFF})
        assert sum(each.line_count for each in found) == recorded
        for each in found:
            assert each.net_points == sum(line.points for line in lines_of(session, each.id))
            # At one rate of whole fen a point the money is the points', without any rounding.
            assert each.amount_fen == each.net_points * DEFAULT_RATE_FEN // 100
        totals = month_totals(session, ("/",), NOVEMBER.name)
        assert totals.net_points == sum(each.net_points for each in found)
        assert totals.due_fen == sum(each.due_fen for each in found)
    close_all(writing, DECEMBER, DECEMBER.ends_at(SHANGHAI))
    with writing() as session:
        both = [
            each
            for month in (NOVEMBER, DECEMBER)
            for each in statements_of_month(session, ("/",), month.name)
        ]
        balances = dict(session.execute(ACCOUNTS).all())
        assert verify(session, more=RULES_OF_STATEMENTS).offenders == []
    settled = dict.fromkeys(merchants, 0)
    for each in both:
        settled[each.merchant_id] += each.net_points
    assert settled == balances
