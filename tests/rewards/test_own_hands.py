"""Nobody serves themselves at a counter: the tables refuse it even when a service forgot to."""

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from pointsbank.core.actor import Actor, Grant
from pointsbank.core.keys import draw_number
from pointsbank.rewards.lending import Ending, end_loan, lend_tool
from pointsbank.rewards.voiding import void_redemption
from tests.builders import a_reward
from tests.merchants.partners import an_administrator
from tests.moments import NOON

TODAY = {"today": NOON.date(), "now": NOON}


@pytest.fixture
def deals(counter, writing) -> None:
    """A redemption whose void two administrators decided, and a loan that came back."""
    with writing() as session:
        drill = a_reward(session, counter.merchant_id, "电钻", 10, 5, kind="loan", loan_days=7)
        first, second = an_administrator(session), an_administrator(session)
    code = counter.code(now=NOON)
    with writing() as session:
        done = counter.redeem(session, counter.order(code))
    for actor in (first, second):
        with writing() as session:
            void_redemption(session, redemption_id=done.id, actor=actor, reason=None, **TODAY)
    code = counter.code(now=NOON)
    with writing() as session:
        loan = lend_tool(
            session,
            counter.order(code, reward_id=drill),
            clerk_id=counter.clerk_id,
            number=draw_number(14),
            secret=counter.secret,
            **TODAY,
        )
        clerk = Actor(
            counter.clerk_id, "李建军", 1, 1, (Grant("clerk", None, counter.merchant_id),)
        )
        end_loan(session, loan_id=loan.id, ending=Ending("returned"), actor=clerk, now=NOON)


@pytest.mark.parametrize(
    ("statement", "constraint"),
    [
        ("UPDATE redemption SET clerk_id = member_id", "not_for_oneself"),
        ("UPDATE loan SET clerk_id = member_id", "not_for_oneself"),
        ("UPDATE loan SET decided_by_id = member_id", "not_by_oneself"),
        ("UPDATE redemption_void SET decided_by_id = asked_by_id", "second_person"),
    ],
)
def test_the_tables_know_who_may_not(writing, deals, statement, constraint):
    with pytest.raises(IntegrityError, match=constraint), writing() as session:
        session.execute(text(statement))
