"""Races on the ledger, each with a control that shows what happens without the guard."""

import threading
from functools import partial

import pytest
from sqlalchemy import text

from pointsbank.core.db import reading, run, transaction
from pointsbank.ledger import service
from pointsbank.ledger.errors import AlreadyReversed, NotEnoughPoints
from pointsbank.ledger.posting import Posted, Posting, write_transfer
from pointsbank.ledger.queries import balance_of, book_lines
from pointsbank.ledger.verifying import offenders
from tests.ledger.accounts import (
    ISSUER,
    MEMBER,
    SHOP,
    earn,
    in_days,
    lots_of,
    open_accounts,
    reverse,
    spend,
)
from tests.moments import NOON
from tests.racing import (
    LOOKS_BESIDE_WRITERS,
    MEET_SECONDS_MAX,
    MeetWatcher,
    race,
    seen_beside,
    times,
)


@pytest.fixture
def with_balance(writing):
    """Give the member so many points."""

    def give(points: int) -> None:
        with writing() as session:
            open_accounts(session)
            earn(session, "award:1", points)

    return give


def succeeded(answers: list) -> list[Posted]:
    return [answer for answer in answers if isinstance(answer, Posted)]


def test_an_overspend_race_accepts_exactly_what_the_balance_holds(app, writing, with_balance):
    with_balance(70)
    buyers = [
        partial(run, lambda session, n=n: spend(session, f"redeem:{n}", 20)) for n in range(12)
    ]
    answers = race(app, buyers)
    assert len(succeeded(answers)) == 3
    assert sum(isinstance(answer, NotEnoughPoints) for answer in answers) == 9
    with writing() as session:
        assert balance_of(session, MEMBER).available == 10
        assert [line.line for line in book_lines(session, MEMBER)] == [4, 3, 2, 1]
        assert offenders(session) == []


def test_without_the_guard_everyone_who_read_the_balance_spends_it(app, writing, with_balance):
    """Control: read, then write what was computed, as a program without the guard does."""
    with_balance(20)
    everyone_has_read = threading.Barrier(4)

    def buy(number: int) -> bool:
        with reading() as session:
            posted = balance_of(session, MEMBER).posted
        everyone_has_read.wait(MEET_SECONDS_MAX)
        if posted < 20:
            return False
        with transaction() as session:
            session.execute(text("UPDATE wallet SET posted = :left"), {"left": posted - 20})
        return True

    assert race(app, [partial(buy, n) for n in range(4)]) == [True] * 4
    with writing() as session:
        assert balance_of(session, MEMBER).posted == 0


def test_one_key_in_many_threads_moves_points_once(app, writing, with_balance):
    """T6: with the balance for exactly one, nobody who repeats is told "not enough points"."""
    with_balance(20)
    answers = race(app, times(16, partial(run, lambda session: spend(session, "redeem:1", 20))))
    assert len(succeeded(answers)) == 16, answers
    assert len({answer.id for answer in answers}) == 1
    assert sum(not answer.is_replay for answer in answers) == 1
    with writing() as session:
        assert balance_of(session, MEMBER).available == 0
        assert offenders(session) == []


def test_one_key_in_many_threads_with_points_to_spare(app, writing, with_balance):
    with_balance(2_000)
    answers = race(app, times(16, partial(run, lambda session: spend(session, "redeem:1", 20))))
    assert len({answer.id for answer in succeeded(answers)}) == 1
    assert len(succeeded(answers)) == 16, answers
    with writing() as session:
        assert balance_of(session, MEMBER).available == 1_980
        assert offenders(session) == []


def test_two_reversals_at_once_give_back_once(app, writing, with_balance):
    with_balance(20)
    with writing() as session:
        spent = spend(session, "redeem:1", 20)
    contestants = [
        partial(run, lambda session, n=n: reverse(session, spent.id, f"void:{n}"))
        for n in range(8)
    ]
    answers = race(app, contestants)
    assert len(succeeded(answers)) == 1
    assert sum(isinstance(answer, AlreadyReversed) for answer in answers) == 7
    with writing() as session:
        assert balance_of(session, MEMBER).available == 20
        assert offenders(session) == []


@pytest.mark.parametrize("part", [None, 3])
def test_one_reversal_sent_many_times_at_once_is_one(app, writing, with_balance, part):
    with_balance(20)
    with writing() as session:
        spent = spend(session, "redeem:1", 20)
    answers = race(
        app,
        times(
            8,
            partial(run, lambda session: reverse(session, spent.id, "void:1", points=part)),
        ),
    )
    assert len(succeeded(answers)) == 8, answers
    assert len({answer.id for answer in answers}) == 1
    with writing() as session:
        assert balance_of(session, MEMBER).available == (part or 20)
        assert sum(lots_of(session).values()) == (part or 20)
        assert offenders(session) == []


def test_without_the_guard_row_two_reversals_give_back_twice(app, writing, with_balance):
    """Control: each looks whether the line is already reversed, then reverses it."""
    with_balance(20)
    with writing() as session:
        spent = spend(session, "redeem:1", 20)
    both_have_looked = threading.Barrier(2)

    def reverse_unguarded(number: int) -> None:
        with reading() as session:
            taken = session.scalar(
                text("SELECT COUNT(*) FROM transfer WHERE reverses_id IS NOT NULL")
            )
        both_have_looked.wait(MEET_SECONDS_MAX)
        assert taken == 0
        posting = Posting(
            key=f"void:{number}",
            kind="reversal",
            source=SHOP,
            target=MEMBER,
            wallet=MEMBER,
            points=20,
            occurred_at=NOON,
            reason="a mistake",
            reverses_id=spent.id,
        )
        with transaction() as session:
            write_transfer(session, posting, NOON)

    assert race(app, [partial(reverse_unguarded, n) for n in range(2)]) == [None, None]
    with writing() as session:
        assert balance_of(session, MEMBER).posted == 40
        assert "no more is reversed than was transferred" in {
            offender.rule for offender in offenders(session)
        }


def test_expiry_beside_spending_takes_only_what_is_left_of_the_lot(app, writing):
    """Ten that end soon and ten that stay: whoever comes first, twenty never leave wrongly."""
    with writing() as session:
        open_accounts(session)
        earn(session, "award:1", 10, expires_on=in_days(1))
        earn(session, "award:2", 10, expires_on=in_days(300))
    expiry = partial(
        run, lambda session: service.expire_points(session, today=in_days(2), now=NOON)
    )
    buyer = partial(run, lambda session: spend(session, "redeem:1", 10))
    race(app, [expiry, expiry, buyer, expiry])
    with writing() as session:
        gone = {line.kind: line.points for line in book_lines(session, MEMBER)}
        left = balance_of(session, MEMBER).posted
        # Spent before the end: the lot that ends paid. Spent after it: the lot that stays did.
        assert (gone.get("expire"), gone["spend"], left) in [(None, -10, 10), (-10, -10, 0)]
        assert offenders(session) == []


def test_expiry_judges_again_when_it_gets_the_lock(app, writing):
    """A buyer holds the wallet while expiry looks for what is due: it is not taken twice."""
    with writing() as session:
        open_accounts(session)
        earn(session, "award:1", 10, expires_on=in_days(1))
        earn(session, "award:2", 10, expires_on=in_days(300))
    spent_not_committed, expiry_has_begun = threading.Event(), threading.Event()

    def buy() -> None:
        with transaction() as session:
            spend(session, "redeem:1", 10)
            spent_not_committed.set()
            # On SQLite expiry cannot even begin, on PostgreSQL it waits at the wallet.
            expiry_has_begun.wait(0.5)

    def expire() -> int:
        spent_not_committed.wait(MEET_SECONDS_MAX)
        return run(lambda session: service.expire_points(session, today=in_days(2), now=NOON))

    answers = race(app, [buy, expire])
    assert answers == [None, 0]
    with writing() as session:
        assert balance_of(session, MEMBER).posted == 10
        assert offenders(session) == []


def test_one_account_opened_by_many_at_once_is_one(app, writing):
    def open_it() -> int:
        with transaction() as session:
            return service.open_account(session, code=ISSUER, kind="issue")

    answers = race(app, times(8, open_it))
    assert len(set(answers)) == 1
    assert isinstance(answers[0], int)


def test_every_read_while_writers_run_sees_a_whole_ledger(app, writing):
    """T1 and T2: each rule is one statement, so each read is one moment."""
    members = ("member:1", "member:2", "member:3")
    with writing() as session:
        open_accounts(session, *members)
        for member in members:
            earn(session, f"award:{member}", 500, member=member)

    def write(number: int, meet_watcher: MeetWatcher) -> None:
        member = members[number % 3]
        for step in range(12):
            if step % 6 == 0:
                meet_watcher()
            spent = run(lambda s, n=step: spend(s, f"redeem:{number}:{n}", 7, member=member))
            if step % 3 == 0:
                run(lambda s, i=spent.id: reverse(s, i, f"void:{i}"))

    seen = seen_beside(app, [partial(write, n) for n in range(6)], offenders)
    assert len(seen) >= LOOKS_BESIDE_WRITERS
    assert seen == [[]] * len(seen)
    with writing() as session:
        assert offenders(session) == []
        spent = 6 * (12 - 4) * 7
        assert sum(balance_of(session, member).posted for member in members) == 1500 - spent
