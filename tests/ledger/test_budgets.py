"""Issue budgets: a month gives out what was set for it, counted once, and no more."""

import threading
from datetime import datetime, timedelta
from functools import partial
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from pointsbank.core.calendar import local_month
from pointsbank.core.db import reading, run, transaction
from pointsbank.core.errors import KeyReused
from pointsbank.ledger import budgets, service
from pointsbank.ledger.errors import (
    AccountClosed,
    AccountNotFound,
    BadPoints,
    BudgetBelowIssued,
    BudgetSpent,
)
from pointsbank.ledger.posting import Posted, Posting
from pointsbank.ledger.queries import balance_of
from pointsbank.ledger.verifying import offenders
from tests.ledger.accounts import (
    ISSUER,
    MEMBER,
    MONTH,
    NEXT_YEAR,
    earn,
    earning,
    open_accounts,
    reverse,
    rows_of_everything,
    spend,
)
from tests.moments import NOON
from tests.racing import MEET_SECONDS_MAX, race, times

SHANGHAI = ZoneInfo("Asia/Shanghai")


def limit(session, points_max, *, month=MONTH, code=ISSUER):
    budgets.set_budget(session, code=code, month=month, points_max=points_max)


def issued_of(session, month=MONTH):
    return session.scalar(
        text("SELECT issued FROM issue_budget WHERE month = :month"), {"month": month}
    )


@pytest.fixture
def issuer(writing):
    """An issuing account with a hundred points for this month."""
    with writing() as session:
        open_accounts(session, MEMBER, "member:2")
        limit(session, 100)
    return writing


def test_what_is_issued_counts_and_the_budget_refuses_the_rest(issuer):
    with issuer() as session:
        earn(session, "award:1", 60)
        assert budgets.budget_left(session, ISSUER, MONTH) == 40
        before = rows_of_everything(session)
    with pytest.raises(BudgetSpent) as refused, issuer() as session:
        earn(session, "award:2", 41)
    assert refused.value.facts == {"left": 40, "month": MONTH}
    with issuer() as session:
        assert rows_of_everything(session) == before
        earn(session, "award:3", 40)
        assert budgets.budget_left(session, ISSUER, MONTH) == 0
        assert offenders(session) == []


def test_a_repeat_counts_once_also_when_nothing_is_left(issuer):
    with issuer() as session:
        first = earn(session, "award:1", 100)
    with issuer() as session:
        again = earn(session, "award:1", 100)
        assert (again.id, again.is_replay) == (first.id, True)
        assert issued_of(session) == 100
    # The key is judged before the budget.
    with pytest.raises(KeyReused), issuer() as session:
        earn(session, "award:1", 99)


def test_a_repeat_in_the_next_month_answers_the_first(issuer):
    with issuer() as session:
        earn(session, "award:1", 100)
        late = Posting(**{**vars(earning("award:1", 100)), "budget_month": "2026-12"})
        assert service.post(session, late, NOON).is_replay
        assert budgets.budget_left(session, ISSUER, "2026-12") is None
        assert issued_of(session, "2026-12") is None


def test_what_is_taken_back_does_not_come_back_to_the_budget(issuer):
    with issuer() as session:
        award = earn(session, "award:1", 100)
        reverse(session, award.id, "takeback:1", points=30)
        assert budgets.budget_left(session, ISSUER, MONTH) == 0
        assert offenders(session) == []


def test_spending_and_giving_back_touch_no_budget(issuer):
    with issuer() as session:
        earn(session, "award:1", 50)
        reverse(session, spend(session, "redeem:1", 20).id, "void:1")
        assert issued_of(session) == 50


def test_without_a_limit_everything_fits_and_is_counted(writing):
    with writing() as session:
        open_accounts(session)
        assert budgets.budget_left(session, ISSUER, MONTH) is None
        earn(session, "award:1", 100_000)
        earn(session, "award:2", 100_000)
        assert budgets.budget_left(session, ISSUER, MONTH) is None
        assert issued_of(session) == 200_000
        limit(session, 200_000)
        assert budgets.budget_left(session, ISSUER, MONTH) == 0


def test_a_budget_is_not_set_below_what_was_issued(issuer):
    with issuer() as session:
        earn(session, "award:1", 60)
    with pytest.raises(BudgetBelowIssued) as refused, issuer() as session:
        limit(session, 59)
    assert refused.value.facts == {"issued": 60, "month": MONTH}
    with issuer() as session:
        limit(session, 60)
        assert budgets.budget_left(session, ISSUER, MONTH) == 0
        limit(session, None)
        assert budgets.budget_left(session, ISSUER, MONTH) is None
    with pytest.raises(AccountNotFound), issuer() as session:
        limit(session, 1, code="issue:community:404")


def test_a_budget_of_nothing_lets_nothing_out(issuer):
    with issuer() as session:
        limit(session, 0)
    with pytest.raises(BudgetSpent), issuer() as session:
        earn(session, "award:1", 1)


def test_each_month_has_its_own_budget(issuer):
    with issuer() as session:
        limit(session, 10, month="2026-12")
        earn(session, "award:1", 100)
        december = Posting(**{**vars(earning("award:2", 10)), "budget_month": "2026-12"})
        service.post(session, december, NOON)
        assert (issued_of(session), issued_of(session, "2026-12")) == (100, 10)


@pytest.mark.parametrize(
    ("moment", "month"),
    [
        ("2026-11-30T23:59:59.999999+08:00", "2026-11"),
        ("2026-12-01T00:00:00+08:00", "2026-12"),
        ("2026-11-30T16:00:00+00:00", "2026-12"),
        ("2026-11-30T15:59:59+00:00", "2026-11"),
        ("2026-12-31T23:59:59+08:00", "2026-12"),
        ("2027-01-01T00:00:00+08:00", "2027-01"),
    ],
)
def test_a_month_begins_at_midnight_of_the_wall_clock(moment, month):
    assert local_month(datetime.fromisoformat(moment), SHANGHAI) == month


@pytest.mark.parametrize("points", [0, -1, 1.5, True, "7", 10**30, 100_001])
def test_points_that_are_no_fair_number_charge_nothing(issuer, points):
    with issuer() as session:
        before = rows_of_everything(session)
    with pytest.raises(BadPoints), issuer() as session:
        earn(session, "award:1", points)
    with issuer() as session:
        assert rows_of_everything(session) == before


@pytest.mark.parametrize("month", ["2026-13", "2026-1", "2026", "1999-01", "x", "2026-11\n"])
def test_a_month_that_is_none_is_a_fault(month):
    with pytest.raises(ValueError, match="is no month"):
        Posting(**{**vars(earning("award:1", 1)), "budget_month": month})


def test_points_are_not_issued_outside_every_budget():
    with pytest.raises(ValueError, match="has a budget month"):
        Posting("award:1", "earn", ISSUER, MEMBER, MEMBER, 1, NOON, "x", expires_on=NEXT_YEAR)
    with pytest.raises(ValueError, match="has a budget month"):
        Posting("k", "spend", MEMBER, "expired", MEMBER, 1, NOON, "x", budget_month=MONTH)


def test_a_refused_award_charges_nothing(issuer):
    with issuer() as session:
        closed = service.open_account(session, code="member:9", kind="member")
        service.close_account(session, account_id=closed, now=NOON)
        before = rows_of_everything(session)
    for member, refusal in (("member:9", AccountClosed), ("member:404", AccountNotFound)):
        with pytest.raises(refusal), issuer() as session:
            earn(session, "award:1", 5, member=member)
    with issuer() as session:
        assert rows_of_everything(session) == before


def test_many_awards_at_once_never_exceed_the_budget(app, issuer):
    awards = [
        partial(run, lambda s, n=n: earn(s, f"award:{n}", 30, member=f"member:{1 + n % 2}"))
        for n in range(8)
    ]
    answers = race(app, awards)
    assert sum(isinstance(answer, Posted) for answer in answers) == 3, answers
    assert sum(isinstance(answer, BudgetSpent) for answer in answers) == 5
    with issuer() as session:
        assert issued_of(session) == 90
        assert balance_of(session, MEMBER).posted + balance_of(session, "member:2").posted == 90
        assert offenders(session) == []


@pytest.mark.parametrize("points", [100, 7])
def test_one_award_sent_many_times_at_once_counts_once(app, issuer, points):
    """Also when the budget holds it exactly once: nobody who repeats is told it is spent."""
    answers = race(
        app, times(8, partial(run, lambda session: earn(session, "award:1", points)))
    )
    assert all(isinstance(answer, Posted) for answer in answers), answers
    assert len({answer.id for answer in answers}) == 1
    with issuer() as session:
        assert issued_of(session) == points
        assert offenders(session) == []


def test_whoever_asks_with_the_lock_gets_what_they_were_told(app, issuer):
    """Two settlements at once: the second learns what is left after the first."""

    def settle(number):
        with transaction() as session:
            left = budgets.budget_left(session, ISSUER, MONTH, lock=True)
            points = min(60, left)
            earn(session, f"award:{number}", points)
            return points

    assert sorted(race(app, [partial(settle, 1), partial(settle, 2)])) == [40, 60]
    with issuer() as session:
        assert issued_of(session) == 100
        assert offenders(session) == []


def test_a_month_without_a_row_can_be_locked_too(app, issuer):
    """Somebody who sets the first budget of a month waits for the settlement that has begun."""
    month, has_asked = "2026-12", threading.Event()

    def settle():
        with transaction() as session:
            left = budgets.budget_left(session, ISSUER, month, lock=True)
            has_asked.set()
            # On SQLite the other cannot even begin, on PostgreSQL it waits at the row.
            threading.Event().wait(0.3)
            asked = {**vars(earning("award:1", 50)), "budget_month": month}
            service.post(session, Posting(**asked), NOON)
            return left

    def set_it():
        has_asked.wait(MEET_SECONDS_MAX)
        with transaction() as session:
            limit(session, 10, month=month)

    answers = race(app, [settle, set_it])
    assert answers[0] is None
    assert isinstance(answers[1], BudgetBelowIssued), answers


def test_without_the_guard_awards_at_once_exceed_the_budget(app, issuer):
    """Control: the limit stands in the program, which asks what was issued before it posts."""
    limit_of_the_program = 100
    with issuer() as session:
        limit(session, None)
        earn(session, "award:0", 70)
    both_have_asked = threading.Barrier(2)

    def award_unguarded(number):
        with reading() as session:
            issued = issued_of(session)
        both_have_asked.wait(MEET_SECONDS_MAX)
        if issued + 30 > limit_of_the_program:
            return False
        with transaction() as session:
            earn(session, f"award:late:{number}", 30)
        return True

    assert race(app, [partial(award_unguarded, n) for n in range(2)]) == [True, True]
    with issuer() as session:
        assert issued_of(session) == 130


def test_the_table_itself_refuses_more_than_the_budget(issuer):
    with issuer() as session:
        earn(session, "award:0", 70)
    with pytest.raises(IntegrityError, match="issue_budget_within"), issuer() as session:
        session.execute(text("UPDATE issue_budget SET issued = issued + 31"))


def test_points_of_the_last_moment_count_in_the_month_of_their_posting(issuer):
    """A shift of November that is settled in December spends December's budget."""
    settled_at = NOON + timedelta(days=15)
    with issuer() as session:
        earn(session, "award:1", 100)
        late = Posting(
            **{
                **vars(earning("award:2", 5)),
                "budget_month": local_month(settled_at, SHANGHAI),
            }
        )
        service.post(session, late, settled_at)
        assert issued_of(session, "2026-12") == 5
