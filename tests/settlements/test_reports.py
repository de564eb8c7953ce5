"""Reports of points: they tie to the ledger to the last point, whatever moved."""

import random
from datetime import date, timedelta

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import aliased

from pointsbank.core.calendar import read_period
from pointsbank.core.errors import Refusal
from pointsbank.ledger.models import Account, Transfer, Wallet
from pointsbank.ledger.moving import Move, move
from pointsbank.ledger.posting import Posting
from pointsbank.ledger.queries import balance_at, balance_of, unstored_balance
from pointsbank.ledger.service import expire_points, open_account, post, reverse
from pointsbank.organizations.models import Organization
from pointsbank.passbooks.models import CareFund
from pointsbank.settlements.closing import close_month
from pointsbank.settlements.queries import month_totals
from pointsbank.settlements.reporting import Flow, report_of, span_of
from pointsbank.settlements.reports_errors import BadMonthSpan
from tests.builders import (
    COMMUNITY_CODE,
    SHANGHAI,
    a_branch,
    a_member,
    a_merchant,
    an_organization,
    with_points,
)
from tests.settlements.months import at, redeem, take_back

MONTHS = [read_period(f"2026-{month:02}") for month in range(6, 12)]
END = at(11, 30)
MOVES_MADE = 120


def report(session, paths=("/",), months=MONTHS):
    return report_of(session, paths, months, SHANGHAI)


def path_of(session, organization_id):
    return session.scalar(select(Organization.path).where(Organization.id == organization_id))


class History:
    """Two communities with a fund, two shops, and whatever chance lets people do."""

    def __init__(self, session, dice):
        self.session, self.dice, self.made, self.tries = session, dice, [], 0
        top = an_organization(session, "140303", "district", name="矿区")
        self.west = an_organization(session, COMMUNITY_CODE, parent=top)
        self.east = an_organization(session, "140303005004", parent=top, name="东社区")
        branch = a_branch(session, "B1", self.west)
        people = [a_member(session, organization_id=p) for p in (self.west, branch, self.east)]
        self.people = [f"member:{each}" for each in people]
        self.shops = [
            a_merchant(session, "西店", self.west),
            a_merchant(session, "东店", self.east),
        ]
        for shop in self.shops:
            open_account(session, code=f"merchant:{shop}", kind="merchant")
        self.issuers = [f"issue:community:{code}" for code in (COMMUNITY_CODE, "140303005004")]
        for issuer in self.issuers:
            open_account(session, code=issuer, kind="issue")
        fund = CareFund(organization_id=self.west, name="爱心基金", created_at=at(5, 1))
        session.add(fund)
        session.flush()
        self.fund = f"care_fund:{fund.id}"
        open_account(session, code=self.fund, kind="fund")

    def write(self, kind, source, target, wallet, moment, **more):
        self.tries += 1
        posting = Posting(
            key=f"history:{self.tries}",
            kind=kind,
            source=source,
            target=target,
            wallet=wallet,
            points=self.dice.randint(1, 60),
            occurred_at=moment,
            reason="随机",
            **more,
        )
        self.made.append(post(self.session, posting, moment).id)

    def earn(self, moment):
        person = self.dice.choice(self.people)
        expires_on = self.dice.choice(
            [date(2026, 8, 31), date(2026, 10, 31), date(2027, 12, 31)]
        )
        if expires_on > moment.date():
            self.write(
                "earn",
                self.dice.choice(self.issuers),
                person,
                person,
                moment,
                expires_on=expires_on,
                budget_month=f"{moment:%Y-%m}",
            )

    def spend(self, moment):
        payer = self.dice.choice([*self.people, self.fund])
        self.write("spend", payer, f"merchant:{self.dice.choice(self.shops)}", payer, moment)

    def give(self, moment):
        source, target = self.dice.sample([*self.people, self.fund], 2)
        is_donation = target == self.fund
        if source == self.fund:
            return
        asked = Move(
            key=f"gift:{self.dice.random()}",
            source=source,
            target=target,
            points=self.dice.randint(1, 30),
            occurred_at=moment,
            kind_out="donate" if is_donation else "gift_out",
            kind_in="gift_in",
            reason_out="赠",
            reason_in="赠",
            expires_on=date.max if is_donation else None,
        )
        move(self.session, asked, moment)

    def take_back(self, moment):
        if self.made:
            reverse(
                self.session,
                transfer_id=self.made.pop(self.dice.randrange(len(self.made))),
                key=f"back:{self.dice.random()}",
                reason="撤回",
                actor_id=None,
                today=moment.date(),
                now=moment,
            )

    def expire(self, moment):
        expire_points(self.session, today=moment.date(), now=moment)


def held_in_all(session):
    return int(session.scalar(select(func.sum(Wallet.posted))))


def from_the_ledger(session, month):
    """Return what a month moved, added up row by row, without the report's statement."""
    source, target = aliased(Account), aliased(Account)
    rows = session.execute(
        select(source.kind, target.kind, Transfer.points, Transfer.recorded_at)
        .join(source, source.id == Transfer.source_id)
        .join(target, target.id == Transfer.target_id)
    )
    found = Flow()
    for from_kind, to_kind, points, recorded_at in rows:
        if f"{recorded_at.astimezone(SHANGHAI):%Y-%m}" != month:
            continue
        found.issued += points * (from_kind == "issue")
        found.taken_back += points * (to_kind == "issue")
        found.redeemed += points * (to_kind == "merchant")
        found.voided += points * (from_kind == "merchant")
        found.expired += points * (to_kind == "expired")
    return found


def a_random_history(session, seed):
    """Let chance act for half a year; return what it made."""
    dice = random.Random(seed)
    history = History(session, dice)
    acts = [history.earn] * 5 + [history.spend] * 3
    acts += [history.give] * 2 + [history.take_back, history.expire]
    moments = sorted(
        at(5, 1) + timedelta(minutes=dice.randrange(213 * 24 * 60)) for _ in range(MOVES_MADE)
    )
    for moment in moments:
        try:
            with session.begin_nested():
                dice.choice(acts)(moment)
        except Refusal:
            continue
    return history


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_random_history_ties_to_the_ledger(writing, seed):
    with writing() as session:
        history = a_random_history(session, seed)
        found = report(session)
        assert min(found.opening, found.total.redeemed, found.total.issued) > 0
        assert [line.flow for line in found.months] == [
            from_the_ledger(session, month.name) for month in MONTHS
        ]
        assert found.outstanding == held_in_all(session)
        assert found.outstanding == found.opening + found.total.change
        assert min(vars(found.total).values()) == found.total.moved == 0
        assert found.total.expired > 0 < found.total.voided
        for line in found.months:
            assert line.outstanding == held_at(session, line.month.ends_at(SHANGHAI))
        assert sum(each.sums.outstanding for each in found.places) == found.outstanding
        assert sum(each.sums.issued for each in found.places) == found.total.issued
        assert sum(each.sums.taken_back for each in found.places) == found.total.taken_back
        assert sum(each.net for each in found.merchants) == found.total.net_redeemed
        whole = report(session, months=span_of("2026-05", "2026-11", END, SHANGHAI))
        assert {each.merchant_id: each.net for each in whole.merchants} == {
            shop: unstored_balance(session, f"merchant:{shop}") for shop in history.shops
        }
        assert whole.opening == 0


@pytest.mark.parametrize("seed", [4, 5])
def test_a_part_of_the_tree_ties_to_its_own_wallets(writing, seed):
    with writing() as session:
        history = a_random_history(session, seed)
        parts = [
            report(session, [path_of(session, each)]) for each in (history.west, history.east)
        ]
        sides = ((*history.people[:2], history.fund), history.people[2:])
        for part, people in zip(parts, sides, strict=True):
            assert part.outstanding == sum(balance_of(session, each).posted for each in people)
            assert len(part.places) == len(part.merchants) == 1
        assert parts[0].total.moved == -parts[1].total.moved != 0
        whole = report(session)
        assert sum(part.total.issued for part in parts) == whole.total.issued
        assert [each.place.code for each in whole.places] == [COMMUNITY_CODE, "140303005004"]
        assert report(session, []).outstanding == 0


def held_at(session, moment):
    """Return what all wallets together held at a moment."""
    codes = session.scalars(select(Account.code).join(Wallet, Wallet.account_id == Account.id))
    return sum(balance_at(session, code, moment - timedelta(microseconds=1)) for code in codes)


def test_each_reward_has_what_was_taken_for_it_and_a_month_is_its_statement(counter, writing):
    first = redeem(counter, writing, "A1", at(11, 3))
    redeem(counter, writing, "A2", at(11, 4))
    redeem(counter, writing, "A3", at(10, 31, 23))
    take_back(writing, first.id, at(11, 5))
    with writing() as session:
        points_beside_rewards(session, counter.merchant_id)
        found = report(session, months=[read_period("2026-11")])
        assert [(each.reward_id, each.redeemed, each.voided) for each in found.rewards] == [
            (counter.reward_id, 40, 20),
            (None, 7, 0),
        ]
        assert [(each.merchant, each.net) for each in found.merchants] == [("惠民粮油店", 27)]
        october = read_period("2026-10")
        for month in (october, read_period("2026-11")):
            close_month(
                session,
                merchant_id=counter.merchant_id,
                month=month,
                zone=SHANGHAI,
                now=at(12, 1),
            )
            assert (
                month_totals(session, ["/"], month.name).net_points
                == report(session, months=[month]).merchants[0].net
            )


def points_beside_rewards(session, merchant_id):
    """Let somebody pay the merchant with no redemption behind it, as a care fund does."""
    donor = with_points(session, a_member(session), 30, now=at(11, 2))
    post(
        session,
        Posting(
            key="fund:1",
            kind="spend",
            source=f"member:{donor}",
            target=f"merchant:{merchant_id}",
            wallet=f"member:{donor}",
            points=7,
            occurred_at=at(11, 6),
            reason="慰问品",
        ),
        at(11, 6),
    )


@pytest.mark.parametrize(
    ("first", "last", "names"),
    [
        (None, None, (12, "2025-12", "2026-11")),
        ("2026-11", None, (1, "2026-11", "2026-11")),
        (None, "2026-03", (12, "2025-04", "2026-03")),
        ("2026-01", "2026-03", (3, "2026-01", "2026-03")),
    ],
)
def test_spans_of_months(first, last, names):
    found = span_of(first, last, END, SHANGHAI)
    assert (len(found), found[0].name, found[-1].name) == names


@pytest.mark.parametrize(
    ("first", "last"),
    [("2026-03", "2026-02"), ("2025-10", "2026-10"), ("2026-11", "2026-12"), ("2020-01", None)],
)
def test_spans_that_are_none(first, last):
    with pytest.raises(BadMonthSpan):
        span_of(first, last, END, SHANGHAI)
