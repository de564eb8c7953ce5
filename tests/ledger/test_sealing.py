"""Every transfer is sealed exactly once, whatever else is being written."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from functools import partial

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import IntegrityError

from pointsbank.core.db import run, transaction
from pointsbank.ledger import leaves, sealing, service
from pointsbank.ledger.models import Block, MerchantCheckpoint
from pointsbank.ledger.queries import block_of, blocks, unstored_balance
from pointsbank.ledger.verifying import offenders
from tests.ledger.accounts import ISSUER, SHOP, earn, open_accounts, spend
from tests.moments import NOON
from tests.racing import MEET_SECONDS_MAX, race

SALT = bytes(range(32))
LATER = NOON + timedelta(minutes=1)


def seal(session, *, limit=100, salt=SALT, now=LATER):
    return sealing.seal(session, now=now, salt=salt, limit=limit)


@pytest.fixture
def book(writing):
    """Five transfers, nothing sealed."""
    with writing() as session:
        open_accounts(session)
        for n in range(1, 5):
            earn(session, f"award:{n}", 10 * n)
        spend(session, "redeem:1", 25)
    return writing


def sealed_ids(session) -> list[int]:
    """The ids that the blocks cover, recomputed from the leaves themselves."""
    found, after = [], 0
    for block in session.scalars(select(Block).order_by(Block.no)):
        rows = session.execute(
            leaves.texts_after(session.get_bind().dialect.name),
            {"after": after, "up_to": block.up_to, "limit": 1000},
        ).all()
        stored = leaves.split_leaves(block.leaves)
        found += [
            row.id
            for row in rows
            if leaves.leaf_of(leaves.blind_of(block.salt, row.id), bytes(row.text)) in stored
        ]
        after = block.up_to
    return found


def all_ids(session) -> list[int]:
    return list(session.scalars(text("SELECT id FROM transfer ORDER BY id")))


def test_blocks_bind_every_row_and_each_other(book):
    with book() as session:
        assert [seal(session, limit=2) for _ in range(4)] == [2, 2, 1, 0]
    with book() as session:
        heads = blocks(session)[::-1]
        assert [(head.no, head.count, head.total) for head in heads] == [
            (1, 2, 2),
            (2, 2, 4),
            (3, 1, 5),
        ]
        assert [head.up_to for head in heads] == [all_ids(session)[n] for n in (1, 3, 4)]
        assert [head.previous_hash for head in heads] == [
            bytes(32),
            heads[0].root,
            heads[1].root,
        ]
        assert len({head.root for head in heads}) == 3
        assert sealed_ids(session) == all_ids(session)
        assert blocks(session, before_no=3, limit=1) == [heads[1]]
        assert block_of(session, 2) == heads[1]
        assert block_of(session, 4) is None
        assert offenders(session) == []


def test_nothing_to_seal_writes_nothing(writing):
    with writing() as session:
        open_accounts(session)
        assert seal(session) == 0
        assert blocks(session) == []


def test_a_salt_of_another_length_is_our_own_mistake(book):
    with book() as session, pytest.raises(ValueError, match="32 bytes"):
        seal(session, salt=b"short")


def test_a_checkpoint_is_the_full_sum_at_its_block(book):
    with book() as session:
        while seal(session, limit=2):
            pass
        spend(session, "redeem:2", 5)
    with book() as session:
        rows = session.execute(
            select(MerchantCheckpoint.block_no, MerchantCheckpoint.balance)
            .join_from(MerchantCheckpoint, Block)
            .join(service.Account, service.Account.id == MerchantCheckpoint.account_id)
            .where(service.Account.code == ISSUER)
            .order_by(MerchantCheckpoint.block_no)
        ).all()
        assert [tuple(row) for row in rows] == [(1, -30), (2, -100)]
        assert unstored_balance(session, ISSUER) == -100
        assert unstored_balance(session, SHOP) == 30
        assert unstored_balance(session, "merchant:99") == 0
        moved = session.execute(text("SELECT COUNT(*) FROM merchant_checkpoint")).scalar()
        assert moved == 3


@contextmanager
def slow_purchase(app, key: str) -> Iterator[None]:
    """A transaction that has drawn its id and commits when the block ends."""
    has_drawn, may_commit = threading.Event(), threading.Event()
    faults = []

    def buy() -> None:
        try:
            with app.app_context(), transaction() as session:
                spend(session, key, 7, member="member:2")
                has_drawn.set()
                may_commit.wait(MEET_SECONDS_MAX)
        except Exception as fault:  # noqa: BLE001  # raised again below
            faults.append(fault)
            has_drawn.set()

    worker = threading.Thread(target=buy)
    worker.start()
    assert has_drawn.wait(MEET_SECONDS_MAX)
    try:
        yield
    finally:
        may_commit.set()
        worker.join(MEET_SECONDS_MAX)
    assert faults == []
    assert not worker.is_alive()


def fast_purchase(app, key: str) -> None:
    with app.app_context():
        run(lambda session: spend(session, key, 3))


def seal_by_watermark(session) -> int:
    """A sealer as one writes it first: everything up to the newest id that it sees."""
    newest = session.execute(text("SELECT COALESCE(MAX(id), 0) FROM transfer")).scalar_one()
    last = session.execute(sealing.LAST_BLOCK.limit(1)).first()
    return sealing._seal_after(session, last, newest, LATER, SALT, 100)


@pytest.fixture
def two_members(writing):
    """Each with points to spend, sealed."""
    with writing() as session:
        open_accounts(session, "member:1", "member:2")
        earn(session, "award:1", 50, member="member:1")
        earn(session, "award:2", 50, member="member:2")
        assert seal(session) == 2
    return writing


@pytest.mark.engine("postgresql")
def test_a_slow_transaction_is_sealed_too(app, two_members):
    """T12: its id was drawn first and committed last; the sealer waits for it."""
    with slow_purchase(app, "redeem:slow"):
        fast_purchase(app, "redeem:fast")
        with two_members() as session:
            assert seal(session) == 0
    with two_members() as session:
        assert seal(session) == 2
    with two_members() as session:
        assert sealed_ids(session) == all_ids(session)
        assert len(all_ids(session)) == 4
        assert unstored_balance(session, SHOP) == 10
        assert offenders(session) == []


@pytest.mark.engine("postgresql")
def test_without_the_lock_a_slow_transaction_is_never_sealed(app, two_members):
    """Control: the watermark passes the row over, and nothing ever goes back for it."""
    with slow_purchase(app, "redeem:slow"):
        fast_purchase(app, "redeem:fast")
        with two_members() as session:
            assert seal_by_watermark(session) == 1
    with two_members() as session:
        assert seal_by_watermark(session) == 0
        assert seal(session) == 0
        slow = session.scalar(text("SELECT id FROM transfer WHERE key = 'redeem:slow'"))
        assert sorted(set(all_ids(session)) - set(sealed_ids(session))) == [slow]
        assert unstored_balance(session, SHOP) == 3
        assert f"transfer {slow}" in {found.subject for found in offenders(session)}


@pytest.mark.engine("postgresql")
def test_the_sealer_keeps_posters_waiting_no_longer_than_it_waits(app, two_members):
    """It gives the lock back at once: a posting needs no more of it than its moment."""
    fast_purchase(app, "redeem:1")
    with two_members() as session:
        assert seal(session) == 1
        # The sealing transaction is still open here, and others post.
        poster = threading.Thread(target=fast_purchase, args=(app, "redeem:2"))
        poster.start()
        poster.join(MEET_SECONDS_MAX)
        assert not poster.is_alive()
    with two_members() as session:
        assert seal(session) == 1


@pytest.mark.engine("sqlite")
def test_on_sqlite_ids_are_drawn_by_whoever_writes_alone(app, two_members):
    """The watermark is right there: no id is drawn before the writer before has committed."""
    with slow_purchase(app, "redeem:slow"):
        waiting = threading.Thread(target=fast_purchase, args=(app, "redeem:fast"))
        waiting.start()
    waiting.join(MEET_SECONDS_MAX)
    with two_members() as session:
        keys = session.scalars(text("SELECT key FROM transfer WHERE id > 2 ORDER BY id")).all()
        assert keys == ["redeem:slow", "redeem:fast"]
        assert seal_by_watermark(session) == 2


def test_two_sealers_at_once_write_each_number_once(app, book):
    answers = race(app, [partial(run, lambda session: seal(session, limit=3))] * 4)
    assert sorted(answers) == [0, 0, 2, 3], answers
    with book() as session:
        assert [head.no for head in blocks(session)] == [2, 1]
        assert sealed_ids(session) == all_ids(session)
        assert offenders(session) == []


@pytest.mark.engine("postgresql")
def test_of_two_sealers_with_one_number_the_second_is_refused(app, book):
    """Control of the race above: the number is what they meet at."""
    with book() as session:
        last = session.execute(sealing.LAST_BLOCK.limit(1)).first()
        newest = all_ids(session)[-1]
    with book() as session:
        assert seal(session) == 5
    with pytest.raises(IntegrityError, match="pk_block"), book() as session:
        sealing._seal_after(session, last, newest, LATER, SALT, 100)
