"""Care funds: who gives, that two people spend, that a spending lapses, what members read."""

import threading
from datetime import UTC, datetime, timedelta
from functools import partial

import pytest
from sqlalchemy import text, update
from sqlalchemy.exc import IntegrityError

from pointsbank.core.actor import Actor, Grant
from pointsbank.core.db import reading, run, transaction
from pointsbank.core.errors import KeyReused
from pointsbank.ledger.errors import NotEnoughPoints
from pointsbank.ledger.holding import expire_holds
from pointsbank.ledger.posting import Posting
from pointsbank.ledger.queries import balance_of, book_lines, expiring_points
from pointsbank.ledger.service import expire_points, post
from pointsbank.ledger.verifying import offenders
from pointsbank.organizations.errors import MerchantNotFound, OrganizationNotFound
from pointsbank.organizations.models import Merchant
from pointsbank.passbooks.care import (
    SpendingLine,
    funds_to_see,
    months_of_donations,
    newest_donations,
    spending_of,
    spendings_of_fund,
)
from pointsbank.passbooks.errors import (
    CareFundNotFound,
    CareFundStands,
    GainingMerchant,
    MerchantNotTakingPart,
    OwnSpending,
    RefusalReasonMissing,
    SpendingDecided,
    SpendingNotFound,
)
from pointsbank.passbooks.funds import (
    NEVER,
    Donated,
    SpendingWish,
    ask_for_spending,
    decide_spending,
    donate,
    lapse_spendings,
    open_fund,
)
from pointsbank.passbooks.models import CareFundSpending, Donation
from tests.builders import (
    a_branch,
    a_member,
    a_merchant,
    an_organization,
    how_many,
    with_points,
    with_role,
)
from tests.moments import NOON
from tests.passbooks.family import ZONE, Family
from tests.racing import MEET_SECONDS_MAX, race, times

WEEK = timedelta(days=7)


class Street:
    """A community with a fund of 500 points, two secretaries, a merchant, and a donor."""

    def __init__(self, app, writing):
        self.app = app
        with writing() as session:
            district = an_organization(session, "140303", "district")
            self.community = an_organization(
                session, "140303001002", "community", district, "平潭街西社区"
            )
            self.other = an_organization(session, "140303005004", "community", district)
            self.path = f"/{district}/{self.community}/"
            self.merchant = a_merchant(session, organization_id=self.community)
            self.foreign_merchant = a_merchant(session, organization_id=self.other)
            home = a_branch(session, parent=self.community)
            self.donor = with_points(session, a_member(session, "王桂兰", home), 1000)
            self.stranger = with_points(session, a_member(session, "赵铁柱", self.other), 50)
            self.author = self.keeper(session, "陈志明")
            self.second = self.keeper(session, "孙立新")
            self.third = self.keeper(session, "何素芬")
            self.administrator = self.keeper(session, "郑明", "administrator")
            self.fund = open_fund(
                session,
                actor=self.administrator,
                organization_code="140303001002",
                name="平潭街西社区爱心基金",
                now=NOON,
            )
        self.donate(500)

    def keeper(self, session, name, role="secretary"):
        member_id = with_role(
            session, a_member(session, name, self.community), role, self.community
        )
        return Actor(member_id, name, self.community, 0, (Grant(role, self.path),))

    def as_donor(self, member_id):
        return Actor(member_id, "", 0, 0)

    def donating(self, points, donor=None, key="d", is_anonymous=False, now=NOON):
        return partial(
            run,
            lambda session: donate(
                session,
                fund_id=self.fund,
                actor=self.as_donor(donor or self.donor),
                points=points,
                is_anonymous=is_anonymous,
                key=key,
                now=now,
            ),
        )

    def donate(self, *args, **more):
        with self.app.app_context():
            return self.donating(*args, **more)()

    def asking(self, points=100, key="s", actor=None, merchant=None, purpose="给独居老人买米"):
        wish = SpendingWish(self.fund, merchant or self.merchant, points, purpose, key)
        return partial(
            run,
            lambda session: ask_for_spending(
                session, wish, actor=actor or self.author, now=NOON
            ),
        )

    def ask(self, *args, **more):
        with self.app.app_context():
            return self.asking(*args, **more)()

    def deciding(self, spending, actor=None, is_approved=True, reason="", now=NOON):
        return partial(
            run,
            lambda session: decide_spending(
                session,
                spending_id=spending.id,
                actor=actor or self.second,
                is_approved=is_approved,
                reason=reason,
                now=now,
            ),
        )

    def decide(self, *args, **more):
        with self.app.app_context():
            return self.deciding(*args, **more)()

    def balance(self, session):
        return balance_of(session, f"care_fund:{self.fund}")


@pytest.fixture
def street(app, writing):
    return Street(app, writing)


def paid_to(session, merchant_id):
    return session.scalar(
        text(
            "SELECT COALESCE(SUM(points), 0) FROM transfer JOIN account"
            " ON account.id = transfer.target_id WHERE account.code = :code"
        ),
        {"code": f"merchant:{merchant_id}"},
    )


def test_an_organization_has_one_fund(street, writing):
    with pytest.raises(CareFundStands), writing() as session:
        open_fund(
            session,
            actor=street.administrator,
            organization_code="140303001002",
            name="又一个",
            now=NOON,
        )
    with pytest.raises(OrganizationNotFound), writing() as session:
        open_fund(
            session,
            actor=street.administrator,
            organization_code="140303005004",
            name="别处的",
            now=NOON,
        )


def test_a_donation_leaves_the_book_and_never_expires_in_the_fund(street, writing):
    with writing() as session:
        assert balance_of(session, f"member:{street.donor}").available == 500
        assert street.balance(session).available == 500
        lots = expiring_points(session, f"care_fund:{street.fund}")
        assert [(lot.expires_on, lot.points) for lot in lots] == [(NEVER, 500)]
        line = book_lines(session, f"member:{street.donor}")[0]
        assert (line.kind, line.points, line.reason) == (
            "donate",
            -500,
            "平潭街西社区爱心基金",
        )
        expire_points(session, today=NOON.date() + timedelta(days=3650), now=NOON)
        assert street.balance(session).available == 500
        assert offenders(session) == []


def test_members_donate_to_funds_of_their_own_and_of_what_stands_above(street, writing):
    with pytest.raises(CareFundNotFound):
        street.donate(10, donor=street.stranger, key="x")
    with writing() as session:
        district = open_fund(
            session,
            actor=Actor(
                street.administrator.member_id, "", 0, 0, (Grant("administrator", "/"),)
            ),
            organization_code="140303",
            name="矿区爱心基金",
            now=NOON,
        )
        given = donate(
            session,
            fund_id=district,
            actor=street.as_donor(street.stranger),
            points=10,
            is_anonymous=False,
            key="x",
            now=NOON,
        )
        assert given.balance_after == 40
        seen = [fund.id for fund in funds_to_see(session, street.as_donor(street.donor))]
        assert seen == [street.fund, district]
        seen = [fund.id for fund in funds_to_see(session, street.as_donor(street.stranger))]
        assert seen == [district]
        auditor = Actor(street.stranger, "", 0, 0, (Grant("auditor", street.path),))
        assert street.fund in [fund.id for fund in funds_to_see(session, auditor)]


def test_received_gifts_may_be_donated(app, street, writing):
    family = Family(app)
    with writing() as session:
        family.settle_in(session)
        with_points(session, family.grandmother, 100)
    family.give(family.grandmother, family.son, 80)
    assert street.donate(80, donor=family.son, key="g").balance_after == 0


def test_a_repeated_donation_is_one(street, writing):
    first = street.donate(20, key="tap")
    again = street.donate(20, key="tap")
    assert (again.id, again.balance_after, again.is_replay) == (first.id, 480, True)
    with pytest.raises(KeyReused):
        street.donate(21, key="tap")
    with pytest.raises(KeyReused):
        street.donate(20, key="tap", is_anonymous=True)
    with pytest.raises(NotEnoughPoints):
        street.donate(481, key="more")
    with writing() as session:
        assert how_many(session, Donation) == 2


def test_donations_at_once_take_what_there_is(app, street, writing):
    answers = race(app, [street.donating(200, key=f"k{n}") for n in range(5)])
    assert sum(isinstance(answer, Donated) for answer in answers) == 2
    assert sum(isinstance(answer, NotEnoughPoints) for answer in answers) == 3, answers
    same = race(app, times(8, street.donating(100, key="one")))
    assert len({answer.id for answer in same}) == 1, same
    with writing() as session:
        assert street.balance(session).available == 1000
        assert offenders(session) == []


def test_asking_sets_points_aside_and_a_second_person_spends_them(street, writing):
    asked = street.ask(120)
    assert (asked.state, asked.points, asked.decide_by) == ("pending", 120, NOON + WEEK)
    with writing() as session:
        assert (street.balance(session).available, street.balance(session).held) == (380, 120)
    decided = street.decide(asked)
    assert (decided.state, decided.author_name, decided.decided_by_name) == (
        "approved",
        "陈*明",
        "孙*新",
    )
    with writing() as session:
        assert (street.balance(session).available, street.balance(session).held) == (380, 0)
        assert paid_to(session, street.merchant) == 120
        line = book_lines(session, f"care_fund:{street.fund}")[0]
        assert (line.kind, line.points) == ("spend", -120)
        # Whom it helps stands on the statement, not in the ledger for ever.
        assert "老人" not in line.reason
        assert offenders(session) == []


def test_a_refused_spending_gives_the_points_free(street, writing):
    asked = street.ask(120)
    with pytest.raises(RefusalReasonMissing):
        street.decide(asked, is_approved=False)
    decided = street.decide(asked, is_approved=False, reason="这个月已经买过")
    assert (decided.state, decided.decision_reason) == ("refused", "这个月已经买过")
    with writing() as session:
        assert (street.balance(session).available, street.balance(session).held) == (500, 0)
        assert paid_to(session, street.merchant) == 0
        assert offenders(session) == []


def test_a_decision_is_repeated_by_the_same_person_and_changed_by_nobody(street):
    asked = street.ask()
    first = street.decide(asked)
    assert street.decide(asked, now=NOON + WEEK) == first
    with pytest.raises(SpendingDecided) as refused:
        street.decide(asked, actor=street.third)
    assert refused.value.facts == {"state": "approved"}
    with pytest.raises(SpendingDecided):
        street.decide(asked, is_approved=False, reason="不同意")


def test_whoever_asked_does_not_decide(street, writing):
    asked = street.ask()
    with pytest.raises(OwnSpending):
        street.decide(asked, actor=street.author)
    by_the_author = {"state": "approved", "decided_by_id": street.author.member_id}
    with pytest.raises(IntegrityError), writing() as session:
        session.execute(
            update(CareFundSpending)
            .where(CareFundSpending.id == asked.id)
            .values(**by_the_author)
        )


def test_a_clerk_neither_asks_nor_decides_for_their_own_merchant(street):
    def as_clerk(actor):
        return Actor(
            actor.member_id,
            "",
            0,
            0,
            (*actor.grants, Grant("clerk", merchant_id=street.merchant)),
        )

    with pytest.raises(GainingMerchant):
        street.ask(actor=as_clerk(street.author))
    asked = street.ask()
    with pytest.raises(GainingMerchant):
        street.decide(asked, actor=as_clerk(street.second))


def test_spendings_stay_within_the_scope(street, writing):
    with pytest.raises(MerchantNotFound):
        street.ask(merchant=street.foreign_merchant)
    with writing() as session:
        session.get_one(Merchant, street.merchant).state = "suspended"
    with pytest.raises(MerchantNotTakingPart):
        street.ask()
    with writing() as session:
        session.get_one(Merchant, street.merchant).state = "active"
    outsider = Actor(street.stranger, "", 0, 0, (Grant("secretary", f"/{street.other}/"),))
    with pytest.raises(CareFundNotFound):
        street.ask(actor=outsider)
    asked = street.ask()
    with pytest.raises(SpendingNotFound):
        street.decide(asked, actor=outsider)
    with pytest.raises(NotEnoughPoints):
        street.ask(401, key="more")


def test_a_repeated_wish_is_one_spending(app, street, writing):
    asked = street.ask(key="tap")
    assert street.ask(key="tap").id == asked.id
    with pytest.raises(KeyReused):
        street.ask(101, key="tap")
    same = race(app, times(6, street.asking(300, key="burst")))
    assert len({answer.id for answer in same}) == 1, same
    with writing() as session:
        assert street.balance(session).held == 400
        assert offenders(session) == []


def test_an_undecided_spending_lapses_with_its_hold(street, writing):
    asked = street.ask(120)
    with pytest.raises(SpendingDecided) as refused:
        street.decide(asked, now=NOON + WEEK)
    assert refused.value.facts == {"state": "lapsed"}
    with writing() as session:
        assert expire_holds(session, now=NOON + WEEK - timedelta(seconds=1)) == 0
        assert lapse_spendings(session, now=NOON + WEEK) == 0
    with writing() as session:
        assert expire_holds(session, now=NOON + WEEK) == 1
        assert lapse_spendings(session, now=NOON + WEEK) == 1
        assert lapse_spendings(session, now=NOON + WEEK) == 0
        assert spending_of(session, asked.id).state == "lapsed"
        assert street.balance(session).available == 500
        assert offenders(session) == []
    with pytest.raises(SpendingDecided):
        street.decide(asked, is_approved=False, reason="晚了", now=NOON + WEEK)


def test_two_people_and_the_end_of_the_hold_at_once_decide_once(app, street, writing):
    """Approval, refusal and lapse meet at the hold; none of them is half done."""

    def lapse(session):
        expired = expire_holds(session, now=NOON + WEEK)
        return expired, lapse_spendings(session, now=NOON + WEEK)

    for number in range(4):
        asked = street.ask(50, key=f"race:{number}")
        just_before = NOON + WEEK - timedelta(seconds=1)
        answers = race(
            app,
            [
                street.deciding(asked, street.second, now=just_before),
                street.deciding(
                    asked, street.third, is_approved=False, reason="不同意", now=just_before
                ),
                partial(run, lapse),
            ],
        )
        won = [isinstance(each, SpendingLine) for each in answers[:2]] + [answers[2] == (1, 1)]
        assert sum(won) == 1, answers
        lost = [each for each, is_won in zip(answers[:2], won[:2], strict=True) if not is_won]
        assert all(isinstance(each, SpendingDecided) for each in lost), answers
        with writing() as session:
            assert spending_of(session, asked.id).state == (
                "approved" if won[0] else "refused" if won[1] else "lapsed"
            )
            assert street.balance(session).held == 0
            assert offenders(session) == []


def test_without_the_hold_two_people_pay_twice(app, street, writing):
    """Control: each looks whether the spending waits, then moves the points."""
    asked = street.ask(50)
    both_have_looked = threading.Barrier(2)

    def approve_unguarded(number: int) -> bool:
        with reading() as session:
            state = spending_of(session, asked.id).state
        both_have_looked.wait(MEET_SECONDS_MAX)
        if state != "pending":
            return False
        with transaction() as session:
            pay_without_guard(session, street, number)
        return True

    assert race(app, [partial(approve_unguarded, n) for n in range(2)]) == [True, True]
    with writing() as session:
        assert paid_to(session, street.merchant) == 100


def pay_without_guard(session, street, number):
    from_fund = f"care_fund:{street.fund}"
    posting = Posting(
        key=f"unguarded:{number}",
        kind="spend",
        source=from_fund,
        target=f"merchant:{street.merchant}",
        wallet=from_fund,
        points=50,
        occurred_at=NOON,
        reason="爱心基金支出",
    )
    post(session, posting, NOON)


def test_a_statement_names_donors_by_masks_and_leaves_the_unnamed_out(street, writing):
    street.donate(30, key="quiet", is_anonymous=True)
    with writing() as session:
        lines = newest_donations(session, street.fund)
        assert [(line.donor_name, line.points) for line in lines] == [
            (None, 30),
            ("王*兰", 500),
        ]


def test_months_of_a_statement_end_at_local_midnight(street, writing):
    november = datetime(2026, 11, 30, 15, 59, 59, tzinfo=UTC)
    street.donate(10, key="a", now=november)
    street.donate(20, key="b", now=november + timedelta(seconds=1))
    with writing() as session:
        months = months_of_donations(
            session, street.fund, now=november + timedelta(days=1), zone=ZONE
        )
        assert [(f"{each.first_on:%Y-%m}", each.points, each.donations) for each in months] == [
            ("2026-12", 20, 1),
            ("2026-11", 510, 2),
        ]
        later = months_of_donations(
            session, street.fund, now=november + timedelta(days=366), zone=ZONE
        )
        assert [f"{each.first_on:%Y-%m}" for each in later] == []


def test_spendings_are_listed_by_state_newest_first(street, writing):
    first, second = street.ask(10, key="1"), street.ask(20, key="2")
    street.decide(first, is_approved=False, reason="不同意")
    with writing() as session:
        every = spendings_of_fund(session, street.fund)
        assert [each.id for each in every] == [second.id, first.id]
        shown = spendings_of_fund(session, street.fund, states=("pending", "approved"))
        assert [each.id for each in shown] == [second.id]
