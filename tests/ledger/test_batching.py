"""Many transfers at once are what the same postings would be one by one."""

import random
import threading
import time
from contextlib import suppress
from functools import partial

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from pointsbank.core.db import run, transaction
from pointsbank.core.errors import KeyReused
from pointsbank.ledger import batching, budgets, service
from pointsbank.ledger.batching import batches, post_many
from pointsbank.ledger.errors import (
    AccountClosed,
    AccountNotFound,
    BadPoints,
    BudgetSpent,
    NotEnoughPoints,
)
from pointsbank.ledger.posting import Posted, Posting
from pointsbank.ledger.queries import balance_of, book_lines
from pointsbank.ledger.verifying import offenders
from tests.ledger.accounts import (
    ISSUER,
    MONTH,
    earning,
    in_days,
    lots_of,
    open_accounts,
    rows_of_everything,
    spending,
)
from tests.moments import NOON
from tests.racing import MEET_SECONDS_MAX, race

MEMBERS = tuple(f"member:{number}" for number in range(1, 7))
WAITING = text(
    "SELECT COUNT(*) FROM pg_locks"
    " WHERE NOT granted AND pg_backend_pid() = ANY(pg_blocking_pids(pid))"
)
# Beside the ids of rows, two ledgers of the same postings differ in nothing.
SEEDS = range(4)


@pytest.fixture
def opened(writing) -> None:
    """Open the accounts of six members."""
    with writing() as session:
        open_accounts(session, *MEMBERS)


def some_postings(dice: random.Random, count: int) -> list[Posting]:
    """Return earnings with several days of expiry, then as many spendings that they cover."""
    made = []
    for number in range(count):
        member = dice.choice(MEMBERS)
        expires_on = in_days(dice.choice((30, 60, 400)))
        made.append(earning(f"award:{number}", 20, member=member, expires_on=expires_on))
        made.append(spending(f"redeem:{number}", dice.randint(1, 20), member=member))
    return made


def books(session) -> dict[str, tuple]:
    """Return each member's lines and lots, without the ids of rows."""
    return {
        member: (
            [(x.key, x.points, x.balance_after, x.line) for x in book_lines(session, member)],
            lots_of(session, member),
        )
        for member in MEMBERS
    }


@pytest.mark.parametrize("seed", SEEDS)
def test_a_batch_is_what_its_postings_are_one_by_one(seed, app, opened):
    postings = some_postings(random.Random(seed), 20)

    class Never(Exception):
        """Undoes what was only tried."""

    with app.app_context():
        with suppress(Never), transaction() as session:
            single = [service.post(session, posting, NOON) for posting in postings]
            one_by_one = books(session)
            raise Never
        with transaction() as session:
            together = post_many(session, postings, NOON)
            assert books(session) == one_by_one
            assert offenders(session) == []
    assert [(x.line, x.balance_after) for x in together] == [
        (x.line, x.balance_after) for x in single
    ]


def test_a_repeat_answers_what_stands_and_adds_the_rest(writing, opened):
    with writing() as session:
        first = service.post(session, earning("award:1", 20), NOON)
    with writing() as session:
        answers = post_many(
            session,
            [earning("award:1", 20), earning("award:2", 5), earning("award:2", 5)],
            NOON,
        )
        assert [answer.is_replay for answer in answers] == [True, False, True]
        assert answers[0].id == first.id
        assert answers[1].id == answers[2].id
        assert balance_of(session, "member:1").posted == 25
        assert offenders(session) == []


@pytest.mark.parametrize(
    ("wrong", "refusal"),
    [
        (spending("redeem:2", 21), NotEnoughPoints),
        (spending("redeem:2", 5, member="member:99"), AccountNotFound),
        (spending("redeem:2", 5, shop="merchant:2"), AccountClosed),
        (spending("redeem:2", 0), BadPoints),
        (spending("award:0", 20), KeyReused),
    ],
)
def test_one_refusal_leaves_nothing_of_a_batch(app, writing, opened, wrong, refusal):
    with writing() as session:
        closed = service.open_account(session, code="merchant:2", kind="merchant")
        service.close_account(session, account_id=closed, now=NOON)
        service.post(session, earning("award:0", 20), NOON)
        before = rows_of_everything(session)
    with app.app_context():
        with pytest.raises(refusal):
            run(
                lambda session: post_many(
                    session, [earning("award:1", 20, member="member:2"), wrong], NOON
                )
            )
    with writing() as session:
        assert rows_of_everything(session) == before


def test_no_batch_holds_a_wallet_twice(opened):
    dice = random.Random(7)
    postings = [
        spending(f"redeem:{number}", 1, member=dice.choice(MEMBERS)) for number in range(500)
    ]
    gathered = batches(postings)
    for batch in gathered:
        assert len({posting.wallet for posting in batch}) == len(batch)
        assert len(batch) <= batching.BATCH_MAX
    for member in MEMBERS:
        own = [p for p in postings if p.wallet == member]
        assert [p for batch in gathered for p in batch if p.wallet == member] == own


def test_batches_in_opposite_order_do_not_stop_each_other(app, writing, opened):
    """Each locks all its wallets in the order of their ids before it moves the first."""
    with writing() as session:
        post_many(session, [earning(f"award:{m}", 500, member=m) for m in MEMBERS], NOON)

    def spend_all(number: int) -> list[Posted]:
        members = MEMBERS if number % 2 else MEMBERS[::-1]
        postings = [spending(f"redeem:{number}:{m}", 10, member=m) for m in members]
        with transaction() as session:
            return post_many(session, postings, NOON)

    answers = race(app, [partial(spend_all, number) for number in range(8)])
    assert all(isinstance(answer, list) for answer in answers), answers
    with writing() as session:
        assert {balance_of(session, m).posted for m in MEMBERS} == {420}
        assert offenders(session) == []


def spend_while_another_waits(app, writing) -> list[Exception | None]:
    """Let one transaction spend from a wallet and stay open until a batch waits for it.

    Returns what became of both.
    """
    with writing() as session:
        # One point a lot: two that read the same lots charge the same ones.
        post_many(
            session,
            [earning(f"award:{n}", 1, expires_on=in_days(30 + n)) for n in range(40)],
            NOON,
        )
    has_spent = threading.Event()

    def spend_slowly() -> None:
        with transaction() as session:
            service.post(session, spending("redeem:1", 4), NOON)
            has_spent.set()
            deadline = time.monotonic() + MEET_SECONDS_MAX
            while not session.scalar(WAITING):
                assert time.monotonic() < deadline, "nobody waits"
                time.sleep(0.01)

    def spend_together() -> None:
        has_spent.wait(MEET_SECONDS_MAX)
        pair = [spending("redeem:2", 4), earning("award:x", 1, member="member:2")]
        with transaction() as session:
            post_many(session, pair, NOON)

    return race(app, [spend_slowly, spend_together])


@pytest.mark.engine("postgresql")
def test_a_batch_that_waited_charges_the_lots_that_stand(app, writing, opened):
    assert spend_while_another_waits(app, writing) == [None, None]
    with writing() as session:
        assert offenders(session) == []
        assert lots_of(session) == {in_days(30 + n): 1 for n in range(8, 40)}


@pytest.mark.engine("postgresql")
def test_without_the_locks_a_batch_charges_lots_as_they_were(app, writing, opened, monkeypatch):
    """Control: a statement that waits for a wallet read the lots before it waited."""
    monkeypatch.setattr(batching, "lock_wallets", lambda session, wallets: None)
    _slow, together = spend_while_another_waits(app, writing)
    assert isinstance(together, IntegrityError)
    assert "ck_lot_used" in str(together)


def test_a_batch_that_a_budget_has_no_room_for_leaves_nothing(app, writing, opened):
    with writing() as session:
        budgets.set_budget(session, code=ISSUER, month=MONTH, points_max=30)
        before = rows_of_everything(session)
    postings = [earning(f"award:{n}", 20, member=MEMBERS[n]) for n in range(2)]
    with app.app_context():
        with pytest.raises(BudgetSpent):
            run(lambda session: post_many(session, postings, NOON))
    with writing() as session:
        assert rows_of_everything(session) == before
        assert budgets.budget_left(session, ISSUER, MONTH) == 30


def test_the_last_of_a_budget_that_went_to_the_same_batch_is_a_repeat(app, writing, opened):
    """Of twins with room for one, the other finds what the first wrote."""
    with writing() as session:
        budgets.set_budget(session, code=ISSUER, month=MONTH, points_max=40)
    postings = [earning(f"award:{n}", 20, member=MEMBERS[n]) for n in range(2)]
    twin = partial(run, lambda session: post_many(session, postings, NOON))
    answers = race(app, [twin] * 6)
    assert all(isinstance(answer, list) for answer in answers), answers
    assert len({tuple(posted.id for posted in answer) for answer in answers}) == 1
    with writing() as session:
        assert budgets.budget_left(session, ISSUER, MONTH) == 0
        assert offenders(session) == []
