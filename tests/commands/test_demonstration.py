"""The demonstration district: its months close to the point, every state can be looked at."""

from collections import Counter
from datetime import datetime

import pytest
from sqlalchemy import bindparam, select, text

from pointsbank.budgets.months import month_now, months_from
from pointsbank.commands import main
from pointsbank.commands.demonstrating import is_loaded, load
from pointsbank.commands.demonstration.content import MERCHANTS
from pointsbank.commands.demonstration.grading import (
    DECIDED_SO_FAR,
    FINAL,
    RAISED,
    UNDER_WAY,
)
from pointsbank.core.db import Moment, db, reading
from pointsbank.ledger.recomputing import RULES_OF_BLOCKS
from pointsbank.ledger.verifying import RULES, verify
from pointsbank.merchants.models import MerchantApplication, MerchantContract
from pointsbank.organizations.models import Merchant
from pointsbank.rankings.grades import cases_of
from pointsbank.rankings.models import GradeReview
from pointsbank.rewards.models import Redemption, RedemptionVoid, Reward, TillClosing
from pointsbank.rewards.orders_models import Loan, RewardOrder
from pointsbank.rewards.watching import JUDGEMENTS, days_of, facts_of, judged
from pointsbank.rewards.wishes_models import RewardWish
from pointsbank.settlements.models import Statement, StatementLine
from pointsbank.settlements.queries import lines_of, month_totals, statements_of_month
from pointsbank.settlements.rules import RULES_OF_STATEMENTS
from tests.builders import SHANGHAI
from tests.databases import app_for, lent, settings_for
from tests.moments import DISTRICT_TIME

# Two months are over; a Sunday, on which some shops are closed, in the middle of the third.
NOW = datetime(2026, 11, 22, 13, 52, tzinfo=DISTRICT_TIME)
LAST = months_from(month_now(NOW, SHANGHAI), -1)
BEFORE = months_from(LAST, -1)
# What is looked at stays a short list: more would accuse everybody.
FINDINGS_MAX = 12

# What a merchant's account took and gave in a span of time, straight from the transfers.
MOVED = text(
    """
    SELECT account.code,
           SUM(CASE WHEN target_id = account.id THEN points ELSE -points END) AS net
    FROM transfer JOIN account ON account.id IN (transfer.source_id, transfer.target_id)
    WHERE account.kind = 'merchant' AND recorded_at >= :since AND recorded_at < :until
    GROUP BY account.code
    """
).bindparams(bindparam("since", type_=Moment()), bindparam("until", type_=Moment()))


def fill(database_url):
    app = app_for(settings_for(database_url))
    with app.app_context():
        load(app.extensions["settings"], NOW)
        db.engine.dispose()


@pytest.fixture
def district(engine_name, databases):
    """The demonstration, loaded once for all of these tests; they only read."""
    url = databases.filled(engine_name, "district", fill)
    yield from lent(app_for(settings_for(url)))


@pytest.fixture
def looking(district):
    """A session on the district in which whatever is changed is taken back."""
    with district.app_context():
        session = db.session()
        yield session
        session.rollback()
        session.close()


def moved_in(session, month):
    """Return what each merchant's account moved in a month, by merchant."""
    values = {"since": month.starts_at(SHANGHAI), "until": month.ends_at(SHANGHAI)}
    rows = session.execute(MOVED, values)
    return {int(code.removeprefix("merchant:")): int(net) for code, net in rows}


def states(session, column):
    """Return how many rows there are of each state."""
    return Counter(session.scalars(select(column)))


@pytest.mark.parametrize("month", [LAST, BEFORE], ids=lambda month: month.name)
def test_the_months_of_forty_merchants_close_to_the_point(looking, month):
    found = statements_of_month(looking, ("/",), month.name)
    net = {each.merchant_id: each.net_points for each in found}
    assert len(net) == MERCHANTS
    assert net == moved_in(looking, month)
    assert sum(net.values()) == sum(moved_in(looking, month).values()) > 0
    totals = month_totals(looking, ("/",), month.name)
    assert totals.net_points == sum(net.values())
    assert totals.due_fen == sum(each.due_fen for each in found)
    for each in found:
        assert each.net_points == sum(line.points for line in lines_of(looking, each.id))


def test_the_whole_ledger_is_right_by_every_rule(district):
    result = district.test_cli_runner().invoke(main, ["ledger", "verify"])
    rules = len(RULES) + len(RULES_OF_BLOCKS) + len(RULES_OF_STATEMENTS)
    assert result.exit_code == 0, result.output
    assert f"right by all {rules} rules" in result.output


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE statement SET amount_fen = amount_fen + 1",
        "UPDATE statement_line SET points = points + 1 WHERE no = 1",
        "DELETE FROM statement_line WHERE no = 1",
    ],
)
def test_one_point_beside_it_is_named(looking, change):
    assert verify(looking, more=RULES_OF_STATEMENTS).offenders == []
    looking.execute(text(change))
    named = {each.rule for each in verify(looking, more=RULES_OF_STATEMENTS).offenders}
    assert named
    assert named <= set(RULES_OF_STATEMENTS)


def test_what_is_had_ordered_and_lent_stands_in_every_state(looking):
    assert {*states(looking, Redemption.state)} == {
        "completed", "voided", "declined", "lapsed"
    }  # fmt: skip
    assert {*states(looking, Redemption.way)} == {"code", "voucher", "counter"}
    ends = {tuple(row) for row in looking.execute(select(RewardOrder.way, RewardOrder.state))}
    states_of_orders = ("reserved", "delivered", "cancelled", "expired")
    assert ends == {(way, end) for way in ("voucher", "counter") for end in states_of_orders}
    partly = select(RewardOrder.id).where(
        RewardOrder.delivered > 0, RewardOrder.delivered < RewardOrder.quantity
    )
    assert looking.scalars(partly).all()
    assert {*states(looking, Loan.state)} == {"out", "returned", "damaged", "lost"}
    overdue = select(Loan.id).where(Loan.state == "out", Loan.due_on < NOW.date())
    assert looking.scalars(overdue).all()
    large = select(Redemption.id).where(
        Redemption.points > 200, Redemption.state == "completed"
    )
    assert looking.scalars(large).all()


def test_voids_are_of_the_same_day_or_of_two_administrators(looking):
    voids = select(RedemptionVoid.needs_second, RedemptionVoid.decision)
    assert {tuple(row) for row in looking.execute(voids)} == {
        (False, "approved"),
        (True, "approved"),
        (True, "refused"),
        (True, None),
    }
    in_part = select(Redemption.id).where(
        Redemption.voided_quantity > 0, Redemption.state == "completed"
    )
    assert looking.scalars(in_part).all()
    given_back = select(StatementLine.points).where(StatementLine.kind == "void")
    assert all(points < 0 for points in looking.scalars(given_back).all())
    assert looking.scalars(select(TillClosing.day)).all()


def test_merchants_contracts_and_applications_show_how_they_can_stand(looking):
    assert states(looking, Merchant.state) == {"active": MERCHANTS - 1, "suspended": 1}
    assert {*states(looking, MerchantApplication.state)} == {"waiting", "approved", "refused"}
    assert states(looking, MerchantContract.state) == {"in_force": MERCHANTS - 1, "proposed": 1}
    ending = select(MerchantContract.id).where(
        MerchantContract.valid_until < NOW.date().replace(year=2027, month=1)
    )
    assert len(looking.scalars(ending).all()) == 1
    assert {*states(looking, RewardWish.state)} == {"open", "fulfilled", "declined"}
    kinds = {"goods", "service", "fee_offset", "coupon", "loan", "by_points"}
    assert {*states(looking, Reward.kind)} == kinds


def test_statements_stand_at_every_stage_and_some_are_late(looking):
    last = statements_of_month(looking, ("/",), LAST.name)
    assert {each.state for each in last} == {
        "closed", "disputed", "confirmed", "approved", "paid"
    }  # fmt: skip
    before = statements_of_month(looking, ("/",), BEFORE.name)
    assert {each.lateness(NOW) for each in before} == {None, "confirmation", "payment"}
    assert any(each.is_by_silence for each in before)
    assert any(each.correction_fen for each in last)
    assert {*states(looking, StatementLine.dispute)} == {None, "open", "accepted", "rejected"}
    assert {*states(looking, Statement.state)} <= {each.state for each in last}


def test_each_unusual_pattern_is_there_and_few_of_each(looking):
    first, last = days_of(None, None, NOW, SHANGHAI)
    found = judged(facts_of(looking, ("/",), first, last, SHANGHAI))
    assert {each.kind for each in found} == {judge.__name__ for judge in JUDGEMENTS}
    assert len(found) <= FINDINGS_MAX


def test_last_years_grades_are_final_in_one_branch_and_under_way_in_another(looking):
    reviews = looking.execute(
        select(GradeReview.id, GradeReview.state, GradeReview.period).order_by(GradeReview.id)
    ).all()
    assert [tuple(row)[1:] for row in reviews] == [("final", "2025"), ("open", "2025")]
    for review, branch in zip(reviews, (FINAL, UNDER_WAY), strict=True):
        cases = cases_of(looking, review.id)
        assert Counter(each.advised for each in cases) == Counter(branch.years)
    final, running = (cases_of(looking, review.id) for review in reviews)
    raised = [each for each in final if each.grade != each.advised]
    assert [(each.advised, each.grade, each.reason) for each in raised] == [
        ("basic", RAISED.grade, RAISED.reason)
    ]
    assert all(each.decided_by_id not in (None, each.member_id) for each in final)
    assert sum(each.grade is not None for each in running) == DECIDED_SO_FAR
    assert any(each.voices and each.grade is None for each in running)


def test_it_is_loaded_once(district):
    with district.app_context():
        assert is_loaded()
        with reading() as session:
            assert session.scalar(select(Merchant.id).order_by(Merchant.id.desc())) == MERCHANTS
