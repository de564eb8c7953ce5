"""Redemption, expiry, gifts and donations never change a score or a rank."""

from datetime import date, timedelta

import pytest
from sqlalchemy import update

from pointsbank.core.actor import Actor, Grant
from pointsbank.core.keys import draw_number
from pointsbank.ledger.queries import balance_of
from pointsbank.ledger.service import expire_points
from pointsbank.ledger.verifying import offenders
from pointsbank.members.queries import member_of
from pointsbank.passbooks.funds import donate, open_fund
from pointsbank.passbooks.giving import Wish, give, take_gift_back
from pointsbank.rankings.models import MEASURES, RollUp
from pointsbank.rankings.queries import (
    every_ranked,
    member_ranked,
    next_above,
    scope_of,
    value_of,
)
from pointsbank.rankings.rolling_up import roll_up
from pointsbank.rankings.snapshots import lines_of, snapshot_of
from pointsbank.rankings.sources import evaluation_of
from pointsbank.rewards.redeeming import Order, redeem_reward
from pointsbank.rewards.voiding import void_redemption
from tests.builders import a_member, a_merchant, a_reward, redemption_code, with_points
from tests.passbooks.family import a_household
from tests.rankings.closings import CLOSES, DURING, QUARTER, YEAR, ZONE, Branch, close
from tests.rankings.naive import kept_rows

TODAY = DURING.date()
ENDS_IN_THE_QUARTER = date(2026, 9, 10)
# After the points have ended, and still in the quarter.
AFTER_ITS_END = DURING + timedelta(days=15)


class Spenders:
    """The branch of five, who have points to spend, a shop, a household and a fund."""

    def __init__(self, app, session):
        self.app = app
        self.branch = Branch(session)
        for member_id in self.branch.members:
            with_points(session, member_id, 100, now=DURING)
            with_points(session, member_id, 30, ENDS_IN_THE_QUARTER, now=DURING)
        self.first, self.second, *_ = self.branch.members
        a_household(session, self.first, self.second)
        self.shop = a_merchant(session, organization_id=self.branch.id)
        self.clerk = a_member(session, "李建军", now=DURING)
        self.reward = a_reward(session, self.shop, points=40)
        self.keeper = Actor(
            self.branch.secretary, "赵书记", 0, 0, (Grant("administrator", "/"),)
        )
        self.fund = open_fund(
            session,
            actor=self.keeper,
            organization_code=member_of(session, self.first).organization_code,
            name="爱心基金",
            now=DURING,
        )

    def redeem(self, session):
        """Hand something over at the counter."""
        code = redemption_code(session, self.app, self.first, DURING)
        return redeem_reward(
            session,
            Order(self.shop, self.reward, 1, code=code),
            clerk_id=self.clerk,
            number=draw_number(14),
            secret=self.app.extensions["settings"].secret_key,
            today=TODAY,
            now=DURING,
        )

    def redeem_and_void(self, session):
        """Hand something over and take it back."""
        clerk = Actor(self.clerk, "李建军", 1, 1, (Grant("clerk", None, self.shop),))
        void_redemption(
            session,
            redemption_id=self.redeem(session).id,
            actor=clerk,
            reason=None,
            today=TODAY,
            now=DURING,
        )

    def expire(self, session):
        """Let the points end whose last day is past."""
        assert expire_points(session, today=AFTER_ITS_END.date(), now=AFTER_ITS_END)

    def give(self, session):
        """Give points to another member of the household."""
        wish = Wish(self.first, self.second, 50, "", "a-gift")
        return give(session, wish, zone=ZONE, now=DURING)

    def give_and_take_back(self, session):
        """Give points and let an administrator take the gift back."""
        take_gift_back(
            session,
            gift_id=self.give(session).id,
            actor=self.keeper,
            reason="送错了人",
            zone=ZONE,
            now=DURING,
        )

    def donate(self, session):
        """Donate points to the fund."""
        donor = Actor(self.second, "", self.branch.id, 0)
        return donate(
            session,
            fund_id=self.fund,
            actor=donor,
            points=60,
            is_anonymous=False,
            key="a-donation",
            now=DURING,
        )

    def all_of_it(self, session):
        """Do one after the other."""
        for act in (self.redeem_and_void, self.redeem, self.give_and_take_back, self.give):
            act(session)
        self.donate(session)
        self.expire(session)

    def balances(self, session):
        return [balance_of(session, f"member:{each}").available for each in self.branch.members]


SPENDING = ["redeem", "redeem_and_void", "expire", "give", "give_and_take_back", "donate"]


@pytest.fixture
def spenders(app, writing):
    with writing() as session:
        return Spenders(app, session)


def rolled_up(session, *, is_full=False, now=DURING):
    """Bring quarter and year up to date: by what is new, or everybody anew."""
    for period in (QUARTER, YEAR):
        if is_full:
            doubted = update(RollUp).where(RollUp.period == period.name)
            session.execute(doubted.values(is_doubted=True))
        roll_up(session, period=period, zone=ZONE, now=now)


def what_people_read(session, spenders):
    """Return all that the rankings answer: rows, ranks, distances, evaluations."""
    found = {}
    paths = (spenders.branch.path,)
    for period in (QUARTER, YEAR):
        # How far entries are read is no result: two roll-ups that counted nothing new agree.
        found[period.name, "kept"] = kept_rows(session, period)[0]
        for member_id in spenders.branch.members:
            found[period.name, "evaluation", member_id] = evaluation_of(
                session, member_id=member_id, period=period, today=TODAY
            )
        for measure in MEASURES:
            scope = scope_of(session, period=period.name, paths=paths, measure=measure)
            found[period.name, measure] = list(
                every_ranked(session, of="members", scope=scope, paths=paths)
            )
            found[period.name, measure, "branches"] = list(
                every_ranked(session, of="branches", scope=scope, paths=paths)
            )
            for member_id in spenders.branch.members:
                own = member_ranked(session, scope, member_id)
                found[period.name, measure, member_id] = (
                    own,
                    own and next_above(session, scope, value_of(own, measure)),
                )
    return found


def closed(session, spenders):
    """Return the frozen lines of the quarter and their digest."""
    lines = lines_of(session, close(session, spenders.branch, now=CLOSES))
    head = snapshot_of(session, period=QUARTER.name, organization_id=spenders.branch.id)
    return head.digest, [each.line for each in lines]


def closed_and_forgotten(writing, spenders):
    """Return what a closing would freeze at this moment, and freeze nothing."""
    with writing() as session:
        found = closed(session, spenders)
        session.rollback()
    return found


@pytest.mark.parametrize("act", [*SPENDING, "all_of_it"])
def test_spending_changes_no_score_and_no_rank(writing, spenders, act):
    with writing() as session:
        rolled_up(session)
        before, balances = what_people_read(session, spenders), spenders.balances(session)
    frozen = closed_and_forgotten(writing, spenders)
    assert sorted(line.rank for line in frozen[1]) == [1, 2, 2, 4, 5]
    with writing() as session:
        getattr(spenders, act)(session)
    with writing() as session:
        # What was taken back is back; everything else left somebody's book.
        is_undone = act in ("redeem_and_void", "give_and_take_back")
        assert (spenders.balances(session) == balances) is is_undone
        rolled_up(session, now=AFTER_ITS_END)
        assert what_people_read(session, spenders) == before
        rolled_up(session, is_full=True, now=AFTER_ITS_END)
        assert what_people_read(session, spenders) == before
        assert closed(session, spenders) == frozen
        assert offenders(session) == []


def test_an_entry_changes_each_of_them(writing, spenders):
    """The control: the comparison sees a single entry, incrementally, anew and when closed."""
    with writing() as session:
        rolled_up(session)
        before = what_people_read(session, spenders)
    frozen = closed_and_forgotten(writing, spenders)
    with writing() as session:
        spenders.branch.entry(session, spenders.branch.members[4], 300)
        rolled_up(session, now=AFTER_ITS_END)
        after = what_people_read(session, spenders)
        assert {key for key in before if after[key] != before[key]} >= {
            (QUARTER.name, "kept"),
            (QUARTER.name, "evaluation"),
            (YEAR.name, "points"),
            (QUARTER.name, "evaluation", spenders.branch.members[4]),
            (QUARTER.name, "evaluation", "branches"),
        }
        rolled_up(session, is_full=True, now=AFTER_ITS_END)
        assert what_people_read(session, spenders) == after
        assert closed(session, spenders) != frozen
