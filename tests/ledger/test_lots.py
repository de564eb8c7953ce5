"""Lots: the earliest is spent first, what comes back can be spent, expiry happens once."""

import pytest
from sqlalchemy import text

from pointsbank.core.errors import KeyReused
from pointsbank.ledger.errors import AlreadyReversed, NotEnoughPoints, TransferNotFound
from pointsbank.ledger.queries import balance_of, book_lines
from pointsbank.ledger.service import RETURN_GRACE_DAYS, expire_points
from pointsbank.ledger.verifying import offenders
from tests.ledger.accounts import (
    MEMBER,
    NEXT_YEAR,
    earn,
    in_days,
    lots_of,
    open_accounts,
    reverse,
    rows_of_everything,
    spend,
)
from tests.moments import NOON

SOON, LATER = in_days(10), in_days(200)


@pytest.fixture
def book(writing):
    """A wallet of ten points that end soon, ten later, ten next year, earned out of order."""
    with writing() as session:
        open_accounts(session)
        earn(session, "award:1", 10, expires_on=LATER)
        earn(session, "award:2", 10, expires_on=NEXT_YEAR)
        earn(session, "award:3", 10, expires_on=SOON)
    return writing


def test_points_that_expire_first_are_spent_first(book):
    with book() as session:
        spend(session, "redeem:1", 14)
        assert lots_of(session) == {LATER: 6, NEXT_YEAR: 10}
        spend(session, "redeem:2", 6)
        assert lots_of(session) == {NEXT_YEAR: 10}
        spend(session, "redeem:3", 10)
        assert lots_of(session) == {}
        assert offenders(session) == []


def test_points_of_one_day_stand_in_one_lot(book):
    with book() as session:
        earn(session, "award:4", 5, expires_on=SOON)
        assert lots_of(session)[SOON] == 15


def test_a_refund_goes_back_to_its_lots_and_never_ends_too_soon(book):
    with book() as session:
        spent = spend(session, "redeem:1", 14)
    with book() as session:
        back = reverse(session, spent.id, "void:1")
        assert (back.points, back.balance_after) == (14, 30)
        assert lots_of(session) == {
            in_days(RETURN_GRACE_DAYS): 10,
            LATER: 10,
            NEXT_YEAR: 10,
        }
        assert offenders(session) == []


def test_the_last_day_of_grace_is_decided_by_the_day_of_the_refund(book):
    with book() as session:
        spent = spend(session, "redeem:1", 10)
        on_the_edge = in_days(10 - RETURN_GRACE_DAYS)
        reverse(session, spent.id, "void:1", today=on_the_edge)
        assert lots_of(session) == {SOON: 10, LATER: 10, NEXT_YEAR: 10}


def test_a_refund_in_parts_gives_each_point_back_once(book):
    with book() as session:
        spent = spend(session, "redeem:1", 14)
        reverse(session, spent.id, "part:1", points=4)
        assert lots_of(session) == {LATER: 10, NEXT_YEAR: 10}
        reverse(session, spent.id, "part:2", points=3)
        assert lots_of(session) == {in_days(RETURN_GRACE_DAYS): 3, LATER: 10, NEXT_YEAR: 10}
    with pytest.raises(AlreadyReversed) as refused, book() as session:
        reverse(session, spent.id, "part:3", points=8)
    assert refused.value.facts == {"left": 7}
    with book() as session:
        assert reverse(session, spent.id, "part:4").points == 7
        assert balance_of(session, MEMBER).available == 30
        assert offenders(session) == []


def test_a_repeated_refund_answers_the_first_and_changes_nothing(book):
    with book() as session:
        spent = spend(session, "redeem:1", 14)
        other = spend(session, "redeem:2", 1)
        first = reverse(session, spent.id, "void:1")
    with book() as session:
        before = rows_of_everything(session)
        again = reverse(session, spent.id, "void:1")
        assert (again.id, again.line, again.is_replay) == (first.id, first.line, True)
        assert rows_of_everything(session) == before
    with pytest.raises(KeyReused), book() as session:
        reverse(session, other.id, "void:1")
    with pytest.raises(KeyReused), book() as session:
        reverse(session, spent.id, "void:1", points=3)
    with pytest.raises(AlreadyReversed), book() as session:
        reverse(session, spent.id, "void:another")


def test_an_earning_is_taken_back_only_while_it_is_unspent(book):
    with book() as session:
        earned = earn(session, "award:4", 8)
        spend(session, "redeem:1", 33)
        before = rows_of_everything(session)
    with pytest.raises(NotEnoughPoints), book() as session:
        reverse(session, earned.id, "mistake:1")
    with book() as session:
        assert rows_of_everything(session) == before
        back = reverse(session, earned.id, "mistake:2", points=5)
        assert (back.points, back.balance_after) == (5, 0)
        assert book_lines(session, MEMBER)[0].points == -5
        assert offenders(session) == []


def test_a_reversal_is_not_reversed_and_unknown_lines_are_not_found(book):
    with book() as session:
        spent = spend(session, "redeem:1", 14)
        back = reverse(session, spent.id, "void:1")
    for transfer_id in (back.id, 10**9):
        with pytest.raises(TransferNotFound), book() as session:
            reverse(session, transfer_id, "void:2")


def test_points_are_good_through_their_last_day_and_expire_once(book):
    with book() as session:
        assert expire_points(session, today=SOON, now=NOON) == 0
        assert expire_points(session, today=in_days(11), now=NOON) == 1
        assert expire_points(session, today=in_days(11), now=NOON) == 0
    with book() as session:
        assert lots_of(session) == {LATER: 10, NEXT_YEAR: 10}
        newest = book_lines(session, MEMBER)[0]
        assert (newest.kind, newest.points, newest.balance_after) == ("expire", -10, 20)
        assert newest.key == f"expire:{_wallet_id(session)}:{SOON.isoformat()}"
        assert expire_points(session, today=NEXT_YEAR.replace(year=2028), now=NOON) == 2
        assert balance_of(session, MEMBER).posted == 0
        assert offenders(session) == []


def test_what_arrives_in_a_lot_after_its_end_expires_as_well(book):
    with book() as session:
        expire_points(session, today=in_days(11), now=NOON)
        earn(session, "award:late", 7, expires_on=SOON)
        assert expire_points(session, today=in_days(11), now=NOON) == 1
        assert expire_points(session, today=in_days(11), now=NOON) == 0
        assert lots_of(session) == {LATER: 10, NEXT_YEAR: 10}
        assert offenders(session) == []


def test_a_wallet_with_an_open_hold_waits(book):
    with book() as session:
        wallet_id = _wallet_id(session)
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
        assert expire_points(session, today=in_days(11), now=NOON) == 0
        session.execute(
            text("UPDATE wallet SET held = 0 WHERE account_id = :id"), {"id": wallet_id}
        )
        session.execute(text("UPDATE hold SET state = 'void'"))
        assert expire_points(session, today=in_days(11), now=NOON) == 1


def test_expiry_takes_as_many_wallets_as_it_is_told(writing):
    with writing() as session:
        open_accounts(session, "member:1", "member:2", "member:3")
        for number in (1, 2, 3):
            earn(session, f"award:{number}", 5, member=f"member:{number}", expires_on=SOON)
        assert expire_points(session, today=LATER, now=NOON, limit=2) == 2
        assert expire_points(session, today=LATER, now=NOON, limit=2) == 1
        assert expire_points(session, today=LATER, now=NOON, limit=2) == 0


def _wallet_id(session):
    return session.execute(
        text("SELECT id FROM account WHERE code = :code"), {"code": MEMBER}
    ).scalar_one()
