"""Moves from one wallet to another: two rows in one moment, lots with their days."""

import threading
from functools import partial

import pytest
from sqlalchemy import text

from pointsbank.core.db import run, transaction
from pointsbank.core.errors import KeyReused
from pointsbank.ledger import moving, service
from pointsbank.ledger.errors import (
    AccountClosed,
    AccountNotFound,
    AlreadyReversed,
    BadPoints,
    NotEnoughPoints,
    PartOfMove,
    TransferNotFound,
)
from pointsbank.ledger.moving import Move, Moved
from pointsbank.ledger.posting import write_transfer
from pointsbank.ledger.queries import balance_of, book_lines
from pointsbank.ledger.service import RETURN_GRACE_DAYS
from pointsbank.ledger.verifying import offenders
from tests.ledger.accounts import (
    MEMBER,
    SHOP,
    TODAY,
    earn,
    in_days,
    lots_of,
    open_accounts,
    reverse,
    rows_of_everything,
    spend,
)
from tests.moments import NOON
from tests.racing import MEET_SECONDS_MAX, race, times

OTHER = "member:2"
FUND = "care_fund:1"


def a_gift(key="gift:1", points=25, *, source=MEMBER, target=OTHER, **more):
    return Move(
        key=key,
        source=source,
        target=target,
        points=points,
        occurred_at=NOON,
        kind_out="gift_out",
        kind_in="gift_in",
        reason_out="to the family",
        reason_in="from the family",
        **more,
    )


def give(session, *args, **more):
    return moving.move(session, a_gift(*args, **more), NOON)


def take_back(session, key="gift:1", reversal_key="undo:1"):
    return moving.reverse_move(
        session,
        key=key,
        reversal_key=reversal_key,
        reason="a mistake",
        actor_id=None,
        today=TODAY,
        now=NOON,
    )


def balances(session, *codes):
    return tuple(balance_of(session, code).posted for code in codes or (MEMBER, OTHER))


@pytest.fixture
def books(writing):
    """One with thirty points, ten of which end in a week; another with nothing; a fund."""
    with writing() as session:
        open_accounts(session, MEMBER, OTHER)
        service.open_account(session, code=FUND, kind="fund")
        earn(session, "award:1", 20, expires_on=in_days(300))
        earn(session, "award:2", 10, expires_on=in_days(7))
    return writing


def test_points_travel_with_their_days(books):
    with books() as session:
        moved = give(session)
        assert balances(session) == (5, 25)
        assert lots_of(session) == {in_days(300): 5}
        assert lots_of(session, OTHER) == {in_days(7): 10, in_days(300): 15}
        out, into = book_lines(session, MEMBER)[0], book_lines(session, OTHER)[0]
        assert (out.points, out.kind, out.reason) == (-25, "gift_out", "to the family")
        assert (into.points, into.kind, into.reason) == (25, "gift_in", "from the family")
        assert (moved.out.id, moved.into.id) == (out.transfer_id, into.transfer_id)
        assert (out.key, into.key) == ("gift:1:out", "gift:1:in")
        assert offenders(session) == []


def test_points_may_arrive_with_a_day_of_their_own(books):
    with books() as session:
        give(session, target=FUND, expires_on=in_days(400))
        assert lots_of(session, FUND) == {in_days(400): 25}
        assert balances(session, MEMBER, FUND) == (5, 25)
        assert offenders(session) == []


def test_a_repeat_answers_the_first(books):
    with books() as session:
        first = give(session)
    with books() as session:
        before = rows_of_everything(session)
        again = give(session)
        assert (again.out.id, again.into.id) == (first.out.id, first.into.id)
        assert again.out.is_replay
        assert again.into.is_replay
        assert rows_of_everything(session) == before


@pytest.mark.parametrize("other", [{"points": 24}, {"target": FUND}, {"source": FUND}])
def test_the_key_with_another_body_is_refused(books, other):
    with books() as session:
        give(session)
        before = rows_of_everything(session)
    with pytest.raises(KeyReused), books() as session:
        give(session, **{"points": 25, **other})
    with books() as session:
        assert rows_of_everything(session) == before


@pytest.mark.parametrize(
    ("asked", "refusal"),
    [
        ({"points": 31}, NotEnoughPoints),
        ({"points": 0}, BadPoints),
        ({"points": -1}, BadPoints),
        ({"points": 2.5}, BadPoints),
        ({"target": "member:404"}, AccountNotFound),
        ({"target": SHOP}, AccountNotFound),
        ({"source": SHOP}, AccountNotFound),
        ({"target": "member:9"}, AccountClosed),
        ({"source": "member:9"}, AccountClosed),
    ],
)
def test_what_is_refused_leaves_no_trace(books, asked, refusal):
    with books() as session:
        closed = service.open_account(session, code="member:9", kind="member")
        service.close_account(session, account_id=closed, now=NOON)
        before = rows_of_everything(session)
    with pytest.raises(refusal), books() as session:
        give(session, **asked)
    with books() as session:
        assert rows_of_everything(session) == before


def test_a_move_to_itself_is_a_fault():
    with pytest.raises(ValueError, match="two different wallets"):
        a_gift(target=MEMBER)


def test_a_single_row_of_a_move_is_not_reversed(books):
    with books() as session:
        moved = give(session)
        before = rows_of_everything(session)
    for row in (moved.out, moved.into):
        with pytest.raises(PartOfMove), books() as session:
            reverse(session, row.id, "undo:part")
    with books() as session:
        assert rows_of_everything(session) == before


def test_a_move_is_taken_back_as_a_whole(books):
    with books() as session:
        give(session)
        undone = take_back(session)
        assert balances(session) == (30, 0)
        assert (undone.out.balance_after, undone.into.balance_after) == (0, 30)
        # Ten would end sooner than the days of grace, and get these.
        assert lots_of(session) == {in_days(RETURN_GRACE_DAYS): 10, in_days(300): 20}
        assert lots_of(session, OTHER) == {}
        assert offenders(session) == []


def test_a_repeat_of_taking_back_answers_the_first_and_another_key_finds_nothing_left(books):
    with books() as session:
        give(session)
        first = take_back(session)
    with books() as session:
        again = take_back(session)
        assert again.out.is_replay
        assert (again.out.id, again.into.id) == (first.out.id, first.into.id)
    with pytest.raises(AlreadyReversed), books() as session:
        take_back(session, reversal_key="undo:2")
    with books() as session:
        give(session, "gift:2", 1)
    with pytest.raises(KeyReused), books() as session:
        take_back(session, "gift:2", "undo:1")
    with pytest.raises(TransferNotFound), books() as session:
        take_back(session, "gift:404")


def test_what_the_receiver_spent_is_not_taken_back(books):
    with books() as session:
        give(session)
        spend(session, "redeem:1", 1, member=OTHER)
        before = rows_of_everything(session)
    with pytest.raises(NotEnoughPoints) as refused, books() as session:
        take_back(session)
    assert refused.value.facts == {"available": 24, "needed": 25}
    with books() as session:
        assert rows_of_everything(session) == before


def test_opposite_gifts_at_once_end_without_a_deadlock(app, books):
    """Both take the two wallets in the order of their ids. No attempt is repeated here."""
    with books() as session:
        earn(session, "award:3", 30, member=OTHER)

    def give_often(name, source, target):
        for number in range(12):
            with transaction() as session:
                give(session, f"gift:{name}:{number}", 1, source=source, target=target)

    ways = [(MEMBER, OTHER), (OTHER, MEMBER)] * 2
    answers = race(app, [partial(give_often, name, *way) for name, way in enumerate(ways)])
    assert answers == [None] * 4
    with books() as session:
        assert balances(session) == (30, 30)
        assert offenders(session) == []


@pytest.mark.engine("postgresql")
def test_without_the_order_opposite_gifts_wait_for_each_other(app, books):
    """Control: each takes the giver's wallet first, which is a circle of two.

    SQLite has one writer at a time, so nobody can wait in a circle there.
    """
    with books() as session:
        give(session, "gift:0", 10)
    each_has_one = threading.Barrier(2)

    def give_unordered(name, source, target):
        asked = a_gift(f"gift:{name}", 1, source=source, target=target)
        with transaction() as session:
            write_transfer(session, asked.leaving, NOON)
            each_has_one.wait(MEET_SECONDS_MAX)
            write_transfer(session, asked.arriving, NOON)

    answers = race(
        app,
        [partial(give_unordered, 1, MEMBER, OTHER), partial(give_unordered, 2, OTHER, MEMBER)],
    )
    lost = [answer for answer in answers if answer is not None]
    assert len(lost) == 1, answers
    assert "deadlock detected" in str(lost[0])


def test_gifts_at_once_never_exceed_the_balance(app, books):
    answers = race(
        app, [partial(run, lambda s, n=n: give(s, f"gift:{n}", 7)) for n in range(8)]
    )
    assert sum(isinstance(answer, Moved) for answer in answers) == 4, answers
    assert sum(isinstance(answer, NotEnoughPoints) for answer in answers) == 4
    with books() as session:
        assert balances(session) == (2, 28)
        assert offenders(session) == []


def test_one_gift_sent_many_times_at_once_is_one(app, books):
    """With points for exactly one, nobody who repeats is told "not enough points"."""
    answers = race(app, times(8, partial(run, lambda session: give(session, points=30))))
    assert all(isinstance(answer, Moved) for answer in answers), answers
    assert len({(answer.out.id, answer.into.id) for answer in answers}) == 1
    with books() as session:
        assert balances(session) == (0, 30)
        assert offenders(session) == []


@pytest.mark.parametrize("keys", [1, 6])
def test_taking_back_at_once_gives_back_once(app, books, keys):
    with books() as session:
        give(session)
    answers = race(
        app,
        [
            partial(run, lambda s, n=n: take_back(s, reversal_key=f"undo:{n % keys}"))
            for n in range(6)
        ],
    )
    moved = [answer for answer in answers if isinstance(answer, Moved)]
    assert len({answer.into.id for answer in moved}) == 1, answers
    assert len(moved) == (6 if keys == 1 else 1)
    assert sum(isinstance(answer, AlreadyReversed) for answer in answers) == 6 - len(moved)
    with books() as session:
        assert balances(session) == (30, 0)
        assert offenders(session) == []


def test_what_passes_through_does_not_stay(books):
    with books() as session:
        give(session)
        give(session, "gift:2", 5, target=FUND)
        take_back(session)
        left = session.scalar(
            text(
                "SELECT SUM(CASE WHEN target_id = account.id THEN points ELSE -points END)"
                " FROM transfer JOIN account ON account.id IN (source_id, target_id)"
                " WHERE account.code = 'clearing'"
            )
        )
        assert left == 0
