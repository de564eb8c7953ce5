"""Posting: what one transfer changes, what a repeat answers, what leaves no trace."""

import pytest
from sqlalchemy import text

from pointsbank.core.errors import KeyReused
from pointsbank.ledger import service
from pointsbank.ledger.errors import (
    AccountClosed,
    AccountNotFound,
    BadPoints,
    NotEnoughPoints,
)
from pointsbank.ledger.models import TRANSFER_POINTS_MAX
from pointsbank.ledger.posting import Posting
from pointsbank.ledger.queries import balance_of, book_lines, expiring_points
from pointsbank.ledger.verifying import offenders
from tests.ledger.accounts import (
    ISSUER,
    MEMBER,
    MONTH,
    NEXT_YEAR,
    SHOP,
    earn,
    earning,
    open_accounts,
    reverse,
    rows_of_everything,
    spend,
    spending,
)
from tests.moments import NOON


def test_earning_and_spending_print_lines_with_a_running_balance(writing):
    with writing() as session:
        open_accounts(session)
        earn(session, "award:1", 30)
        earn(session, "award:2", 12)
        spent = spend(session, "redeem:1", 40)
    assert (spent.line, spent.balance_after, spent.is_replay) == (3, 2, False)
    with writing() as session:
        lines = book_lines(session, MEMBER)
        assert [(line.line, line.points, line.balance_after) for line in lines] == [
            (3, -40, 2),
            (2, 12, 42),
            (1, 30, 30),
        ]
        assert lines[0].key == "redeem:1"
        assert lines[0].occurred_at == NOON
        assert [line.line for line in book_lines(session, MEMBER, before_line=3, limit=1)] == [
            2
        ]
        assert balance_of(session, MEMBER).available == 2
        assert [(lot.expires_on, lot.points) for lot in expiring_points(session, MEMBER)] == [
            (NEXT_YEAR, 2)
        ]
        assert offenders(session) == []


def test_a_repeat_answers_the_first_transfer_and_changes_nothing(writing):
    with writing() as session:
        open_accounts(session)
        first = earn(session, "award:1", 30)
        spent = spend(session, "redeem:1", 20)
    with writing() as session:
        before = rows_of_everything(session)
        again = spend(session, "redeem:1", 20)
        assert again.is_replay
        assert (again.id, again.line, again.balance_after, again.points) == (
            spent.id,
            2,
            10,
            20,
        )
        assert earn(session, "award:1", 30).id == first.id
        assert rows_of_everything(session) == before


def test_the_same_key_with_another_body_is_refused_even_when_points_are_short(writing):
    with writing() as session:
        open_accounts(session)
        earn(session, "award:1", 30)
        spend(session, "redeem:1", 20)
    others = [
        spending("redeem:1", 21),
        # Far above the balance: the key is judged first.
        spending("redeem:1", 9_000),
        earning("redeem:1", 20),
        earning("award:1", 30, expires_on=NEXT_YEAR.replace(year=2028)),
    ]
    for other in others:
        with pytest.raises(KeyReused), writing() as session:
            service.post(session, other, NOON)


@pytest.mark.parametrize("points", [0, -1, 1.5, True, "7", 10**30, TRANSFER_POINTS_MAX + 1])
def test_points_that_are_no_fair_number_are_refused(writing, points):
    with writing() as session:
        open_accounts(session)
        before = rows_of_everything(session)
    with pytest.raises(BadPoints), writing() as session:
        service.post(session, earning("award:1", points), NOON)
    with writing() as session:
        assert rows_of_everything(session) == before


def test_the_most_that_one_transfer_may_hold_is_taken(writing):
    with writing() as session:
        open_accounts(session)
        earn(session, "award:1", TRANSFER_POINTS_MAX)
        assert balance_of(session, MEMBER).available == TRANSFER_POINTS_MAX


def test_not_enough_points_says_what_there_is_and_leaves_no_trace(writing):
    with writing() as session:
        open_accounts(session)
        earn(session, "award:1", 30)
        before = rows_of_everything(session)
    with pytest.raises(NotEnoughPoints) as refused, writing() as session:
        spend(session, "redeem:1", 31)
    assert refused.value.facts == {"available": 30, "needed": 31}
    with writing() as session:
        assert rows_of_everything(session) == before
        # The key of a refused posting names nothing: it may be sent again with another body.
        assert not spend(session, "redeem:1", 30).is_replay


def test_held_points_cannot_be_spent(writing):
    with writing() as session:
        open_accounts(session)
        wallet_id = earn(session, "award:1", 30).wallet_id
        session.execute(
            text(
                "INSERT INTO hold (key, wallet_id, points, state, placed_at, expires_at)"
                " VALUES ('order:1', :id, 25, 'open', '2026-11-21', '2026-11-22')"
            ),
            {"id": wallet_id},
        )
        session.execute(
            text("UPDATE wallet SET held = 25 WHERE account_id = :id"), {"id": wallet_id}
        )
    with pytest.raises(NotEnoughPoints) as refused, writing() as session:
        spend(session, "redeem:1", 6)
    assert refused.value.facts["available"] == 5
    with writing() as session:
        spend(session, "redeem:2", 5)
        balance = balance_of(session, MEMBER)
        assert (balance.available, balance.held, balance.posted) == (0, 25, 25)
        assert offenders(session) == []


def test_unknown_and_closed_accounts_are_refused(writing):
    with writing() as session:
        open_accounts(session)
        earn(session, "award:1", 30)
        closed = service.open_account(session, code="merchant:2", kind="merchant")
        service.close_account(session, account_id=closed, now=NOON)
    with pytest.raises(AccountNotFound), writing() as session:
        spend(session, "redeem:1", 1, shop="merchant:404")
    with pytest.raises(AccountNotFound), writing() as session:
        earn(session, "award:2", 1, member="member:404")
    with pytest.raises(AccountClosed), writing() as session:
        spend(session, "redeem:1", 1, shop="merchant:2")
    with pytest.raises(AccountNotFound), writing() as session:
        # An account without a wallet has no passbook that a transfer could be printed in.
        service.post(session, earning("award:3", 1, member=SHOP), NOON)
    with writing() as session:
        assert balance_of(session, MEMBER).available == 30
        assert balance_of(session, "member:404").available == 0


def test_what_no_caller_may_build_is_a_fault():
    with pytest.raises(ValueError, match="two different accounts"):
        spending("redeem:1", 1, shop=MEMBER)
    with pytest.raises(ValueError, match="two different accounts"):
        Posting("award:1", "earn", ISSUER, MEMBER, "member:2", 1, NOON, "work")


def test_points_without_a_last_day_are_a_fault(writing):
    with writing() as session:
        open_accounts(session)
    with pytest.raises(ValueError, match="day on which they expire"), writing() as session:
        service.post(session, earning("award:1", 1, expires_on=None), NOON)


def test_an_account_is_opened_once(writing):
    with writing() as session:
        first = service.open_account(session, code=MEMBER, kind="member")
        assert service.open_account(session, code=MEMBER, kind="member") == first
        assert balance_of(session, MEMBER).posted == 0


def test_text_of_any_kind_is_kept_as_it_was_given(writing):
    reason = "清洁河道 \U0001f600 <script>'\"; DROP TABLE transfer; --"
    with writing() as session:
        open_accounts(session)
        posting = Posting(
            "award:1",
            "earn",
            ISSUER,
            MEMBER,
            MEMBER,
            1,
            NOON,
            reason,
            expires_on=NEXT_YEAR,
            budget_month=MONTH,
        )
        service.post(session, posting, NOON)
        assert book_lines(session, MEMBER)[0].reason == reason


def test_a_reversed_line_names_the_line_it_takes_back(writing):
    with writing() as session:
        open_accounts(session)
        earn(session, "award:1", 30)
        spent = spend(session, "redeem:1", 20)
        reverse(session, spent.id, "void:1")
        newest = book_lines(session, MEMBER)[0]
        assert (newest.points, newest.kind, newest.reverses_line) == (20, "reversal", 2)
