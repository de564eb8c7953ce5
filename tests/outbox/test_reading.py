"""Reading in order: each position once, sealed ones only, and a late commit is never passed."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import select, text

from pointsbank.core.db import transaction
from pointsbank.core.keys import draw_bytes
from pointsbank.ledger.models import Transfer
from pointsbank.ledger.sealing import seal
from pointsbank.ledger.verifying import offenders
from pointsbank.outbox.queries import entries_after, newest_position
from tests.builders import a_member, points_for, points_spent, with_points
from tests.counting import statements_of
from tests.moments import NOON
from tests.outbox.sealed import sealed, some_transfers


def positions(session, after, limit):
    return [entry.position for entry in entries_after(session, after, limit=limit)]


def test_nothing_sealed_is_nothing_to_read(session):
    assert (newest_position(session), entries_after(session, 0, limit=10)) == (0, [])
    some_transfers(session, 3)
    assert (newest_position(session), entries_after(session, 0, limit=10)) == (0, [])


def test_positions_are_dense_and_in_order_whatever_the_page(session):
    ids = sealed(session, 3, 1, 1, 5, 2)
    some_transfers(session, 4)
    assert newest_position(session) == len(ids) == 12
    for limit in (1, 2, 3, 4, 5, 11, 12, 13, 200):
        at, read = 0, []
        while page := entries_after(session, at, limit=limit):
            assert len(page) <= limit
            read += page
            at = page[-1].position
        assert [entry.position for entry in read] == list(range(1, 13))
        assert [entry.id for entry in read] == ids
        assert [entry.block for entry in read] == [1] * 3 + [2, 3] + [4] * 5 + [5] * 2


def test_behind_the_newest_there_is_nothing_yet(session):
    sealed(session, 2)
    assert positions(session, 1, 10) == [2]
    assert positions(session, 2, 10) == []
    assert positions(session, 2**62, 10) == []
    sealed(session, 1)
    assert positions(session, 2, 10) == [3]


def test_an_entry_holds_codes_and_no_typed_text(session):
    member_id = a_member(session, "欧阳梓萱")
    points_for(session, member_id, 30, "award:1")
    points_spent(session, member_id, 12, "redeem:1")
    seal(session, now=NOON, salt=draw_bytes(32))
    came, went = entries_after(session, 0, limit=10)
    assert (came.source, came.target) == (
        "issue:community:140303001002",
        f"member:{member_id}",
    )
    assert (went.key, went.kind, went.points, went.line, went.balance_after) == (
        "redeem:1",
        "spend",
        12,
        2,
        18,
    )
    assert "欧阳" not in repr((came, went))
    assert "大米" not in repr(went)


@pytest.mark.parametrize("after", [0, 3, 59])
def test_a_far_position_costs_as_many_statements_as_the_first(app, writing, after):
    with writing() as session:
        sealed(session, *[1] * 60)
    with statements_of(app) as statements, writing() as session:
        assert len(entries_after(session, after, limit=1)) == 1
    asked = [each for each in statements if each.lstrip().upper().startswith("SELECT")]
    assert len(asked) == 5


@pytest.mark.engine("postgresql")
def test_a_far_position_is_found_by_its_index(app, writing):
    """The plan of the two look-ups of blocks does not read blocks that lie before or behind."""
    with writing() as session:
        sealed(session, *[1] * 300)
    with app.app_context(), transaction() as session:
        session.execute(text("ANALYZE block"))
        session.execute(text("SET LOCAL enable_seqscan = off"))
        plan = "\n".join(
            session.scalars(
                text(
                    "EXPLAIN ANALYZE SELECT no, up_to, total FROM block WHERE total > 290 AND"
                    " total <= (SELECT MIN(total) FROM block WHERE total >= 292) ORDER BY total"
                )
            )
        )
    assert "uq_block_total" in plan
    assert "rows=2" in plan


@pytest.mark.engine("postgresql")
def test_a_late_commit_is_never_passed(app, writing):
    """Who draws an id early and commits late is read all the same, in order."""
    with writing() as session:
        one, other = (with_points(session, a_member(session), 50) for _ in range(2))
        points_spent(session, one, 5, "redeem:before")
    with app.app_context(), transaction() as late:
        slow = points_spent(late, one, 5, "redeem:slow")
        # Meanwhile another commits with a higher id, a sealer runs, and a reader reads.
        quick = beside(app, lambda s: points_spent(s, other, 5, "redeem:quick"))
        assert quick > slow
        assert beside(app, lambda s: seal(s, now=NOON, salt=draw_bytes(32))) == 0
        assert beside(app, lambda s: entries_after(s, 0, limit=10)) == []
        # The control: who reads what is committed, by id, has now gone past the slow one.
        seen = beside(app, lambda s: ids_after(s, 0))
        assert seen[-1] == quick
    with writing() as session:
        assert ids_after(session, seen[-1]) == []
        assert slow not in seen
        assert seal(session, now=NOON, salt=draw_bytes(32)) == 5
        keys = [entry.key for entry in entries_after(session, 0, limit=10)]
        assert keys[2:] == ["redeem:before", "redeem:slow", "redeem:quick"]
        assert offenders(session) == []


def ids_after(session, last_id):
    return session.scalars(
        select(Transfer.id).where(Transfer.id > last_id).order_by(Transfer.id)
    ).all()


def beside(app, act):
    """Do something in a transaction of another connection, while this one stays open."""

    def work():
        with app.app_context(), transaction() as session:
            return act(session)

    with ThreadPoolExecutor(1) as pool:
        return pool.submit(work).result(30)
