"""Races for orders, each with a control that shows what happens without the guard."""

import threading
from datetime import timedelta
from functools import partial

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from pointsbank.core.db import reading, run, transaction
from pointsbank.core.keys import draw_number
from pointsbank.ledger.verifying import offenders
from pointsbank.rewards import delivering as delivering_file
from pointsbank.rewards import ordering as ordering_file
from pointsbank.rewards.delivering import Delivered, redeem_voucher
from pointsbank.rewards.errors import OutOfStock
from pointsbank.rewards.ordering import (
    NewOrder,
    Ordered,
    cancel_order,
    expire_next_order,
    order_reward,
)
from pointsbank.rewards.orders_errors import (
    AlreadyRedeemed,
    FewerOrdered,
    OrderCancelled,
    VoucherExpired,
)
from pointsbank.rewards.orders_queries import OrderLine, order_of
from pointsbank.rewards.queries import reward_of
from tests.builders import a_member, a_reward, with_points
from tests.moments import NOON
from tests.racing import (
    MEET_SECONDS_MAX,
    after_looking,
    forget_guard,
    meet_after,
    race,
    times,
)
from tests.rewards.test_orders import (
    LAST_MOMENT,
    WEEK_LATER,
    balances,
    code_of,
    counted,
    handing,
    ordering,
    someone,
)

BUYERS = 50
ROUNDS = 3
DUELS = 5
RESERVED = """state = 'reserved' AND expires_at > :now
      AND delivered + :quantity <= quantity"""
PAY = "UPDATE wallet SET posted = posted - 20, held = 0 WHERE held = 20"


@pytest.fixture
def crowd(writing) -> list[int]:
    """Fifty members with 100 points each."""
    with writing() as session:
        return [with_points(session, a_member(session), 100) for _ in range(BUYERS)]


def buying(counter, member_id: int, reward_id: int):
    """Return a contestant who orders one piece."""
    new = NewOrder(reward_id, 1, member_id, draw_number(14))
    order = partial(order_reward, new=new, secret=counter.secret, today=NOON.date(), now=NOON)
    return partial(run, order)


def delivering(counter, ordered: Ordered, now=NOON, **changes):
    """Return a contestant who hands over what a voucher stands for."""
    return partial(
        run,
        lambda session: redeem_voucher(
            session,
            handing(counter, now, **changes),
            code=code_of(counter, ordered),
            secret=counter.secret,
        ),
    )


def how_many(answers: list, *kinds: type) -> int:
    return sum(isinstance(answer, kinds) for answer in answers)


def test_the_last_piece_is_ordered_by_one_of_fifty(counter, writing, crowd):
    for _ in range(ROUNDS):
        with writing() as session:
            last = a_reward(session, counter.merchant_id, points=1, stock=1)
        answers = race(counter.app, [buying(counter, each, last) for each in crowd])
        assert how_many(answers, Ordered) == 1, answers
        assert how_many(answers, OutOfStock) == BUYERS - 1, answers
        with writing() as session:
            assert reward_of(session, last).stock == 0
    with writing() as session:
        held = session.scalar(text("SELECT SUM(held) FROM wallet"))
        assert held == session.scalar(text("SELECT SUM(points) FROM hold")) == ROUNDS
        assert session.scalar(text("SELECT COUNT(*) FROM reward_order")) == ROUNDS
        assert offenders(session) == []


def test_without_the_guard_the_last_piece_is_set_aside_for_everyone_who_saw_it(
    counter, writing
):
    """Control: look at the stock, then write what was computed."""
    with writing() as session:
        last = a_reward(session, counter.merchant_id, stock=1)
    everyone_has_looked = threading.Barrier(4)

    def take() -> bool:
        with reading() as session:
            stock = reward_of(session, last).stock
        everyone_has_looked.wait(MEET_SECONDS_MAX)
        if stock is None or stock < 1:
            return False
        with transaction() as session:
            session.execute(
                text("UPDATE reward SET stock = :left WHERE id = :id"),
                {"left": stock - 1, "id": last},
            )
        return True

    assert race(counter.app, times(4, take)) == [True] * 4


def test_one_voucher_at_two_tills_is_paid_once(counter, writing):
    for _ in range(DUELS):
        with writing() as session:
            with_points(session, counter.member_id, 100)
            with_room(session)
            ordered = ordering(counter, session, quantity=2)
        with writing() as session:
            before = balances(session, counter)
        answers = race(counter.app, times(4, delivering(counter, ordered)))
        assert how_many(answers, Delivered) == 1, answers
        assert how_many(answers, AlreadyRedeemed) == 3, answers
        with writing() as session:
            posted, available, taken = balances(session, counter)
            assert (posted, taken) == (before[0] - 40, before[2] + 40)
            assert available == before[1]
            assert offenders(session) == []
            session.execute(text("UPDATE reward SET stock = 10"))


def test_without_the_guard_a_voucher_is_paid_at_both_tills(counter, writing):
    """Control: look whether it is reserved, then take the points."""
    with writing() as session:
        ordered = ordering(counter, session)
        with_points(session, counter.member_id, 100)

    def pay() -> bool:
        with transaction() as session:
            session.execute(text("UPDATE wallet SET posted = posted - 20 WHERE held = 20"))
        return True

    look = partial(is_reserved, ordered)
    assert race(counter.app, after_looking(look, times(2, pay))) == [True, True]
    with writing() as session:
        assert balances(session, counter)[0] == 200 - 40


def is_reserved(ordered: Ordered, session) -> bool:
    return order_of(session, ordered.id).state == "reserved"


def with_room(session) -> None:
    """Let a day hold more than one duel takes."""
    session.execute(text("DELETE FROM spent_by_day"))


def test_parts_at_once_are_no_more_than_the_whole(counter, writing):
    with writing() as session:
        ordered = ordering(counter, session, quantity=3)
    answers = race(counter.app, times(5, delivering(counter, ordered, quantity=1)))
    assert how_many(answers, Delivered) == 3, answers
    assert how_many(answers, AlreadyRedeemed, FewerOrdered) == 2, answers
    with writing() as session:
        assert balances(session, counter) == (40, 40, 60)
        assert counted(session, counter) == (7, 3, 60)
        assert offenders(session) == []


def test_without_the_guard_parts_are_stopped_by_the_table_alone(counter, writing, monkeypatch):
    """Control: look how many are left, then hand one over. Who comes too late breaks on the
    row's bound instead of being told that it was handed over.
    """
    with writing() as session:
        ordered = ordering(counter, session, quantity=3)
    forget_guard(monkeypatch, delivering_file, "DELIVER", RESERVED)
    hands = times(5, delivering(counter, ordered, quantity=1))
    answers = race(counter.app, after_looking(partial(is_reserved, ordered), hands))
    assert how_many(answers, Delivered) == 3, answers
    assert how_many(answers, IntegrityError) == 2, answers


@pytest.mark.parametrize("opponent", ["expires", "is cancelled"])
def test_what_is_handed_over_as_it_ends_does_one_of_them(counter, writing, opponent):
    """Expiry is judged by a clock that is ahead."""
    for _ in range(DUELS):
        with writing() as session:
            ordered = ordering(counter, session)
        with writing() as session:
            before = balances(session, counter)
            stock, had, day = counted(session, counter)
        cancel = partial(
            cancel_order,
            order_id=ordered.id,
            actor=someone(counter.member_id),
            now=LAST_MOMENT,
        )
        expire = partial(expire_next_order, now=WEEK_LATER)
        end = partial(run, expire if opponent == "expires" else cancel)
        answers = race(counter.app, [delivering(counter, ordered, LAST_MOMENT), end, end])
        is_done = isinstance(answers[0], Delivered)
        with writing() as session:
            standing: OrderLine = order_of(session, ordered.id)
            posted, available, taken = balances(session, counter)
            if is_done:
                assert standing.state == "delivered", answers
                assert (posted, available) == (before[0] - 20, before[1]), answers
                assert (taken, counted(session, counter)) == (
                    before[2] + 20,
                    (stock, had, day + 20),
                )
            else:
                assert standing.state in ("expired", "cancelled"), answers
                assert how_many(answers, VoucherExpired, OrderCancelled) == 1, answers
                assert (posted, available, taken) == (before[0], before[1] + 20, before[2])
                assert counted(session, counter) == (stock + 1, had - 1, day)
            assert offenders(session) == []


def test_without_the_guard_a_voucher_is_paid_and_returned(counter, writing):
    """Control: look whether it is reserved, then write what was decided."""
    with writing() as session:
        ordered = ordering(counter, session)

    def write(statement: str) -> bool:
        with transaction() as session:
            session.execute(text(statement))
        return True

    acts = [partial(write, PAY), partial(write, "UPDATE reward SET stock = stock + 1")]
    look = partial(is_reserved, ordered)
    assert race(counter.app, after_looking(look, acts)) == [True, True]
    with writing() as session:
        assert reward_of(session, counter.reward_id).stock == 10
        assert balances(session, counter)[0] == 80


def test_many_expiries_at_once_return_each_order_once(counter, writing, crowd):
    with writing() as session:
        session.execute(text("UPDATE reward SET stock = 12"))
    for member_id in crowd[:12]:
        with writing() as session:
            ordering(counter, session, member_id=member_id)
    late = WEEK_LATER + timedelta(hours=1)

    def expire_all() -> int:
        count = 0
        while run(partial(expire_next_order, now=late)):
            count += 1
        return count

    answers = race(counter.app, times(4, expire_all))
    assert sum(answers) == 12, answers
    with writing() as session:
        assert reward_of(session, counter.reward_id).stock == 12
        assert session.scalar(text("SELECT SUM(held) FROM wallet")) == 0
        assert session.scalar(text("SELECT SUM(quantity) FROM reward_taken")) == 0
        assert offenders(session) == []


@pytest.mark.engine("postgresql")
def test_without_the_claim_one_order_expires_twice(counter, writing, monkeypatch):
    """Control: two look for what is due at once, and the second ends it once more: another
    order's piece is on the shelf though it stands.
    """
    with writing() as session:
        over = ordering(counter, session)
        ordering(counter, session)
    monkeypatch.setattr(ordering_file, "CLAIM_DUE", ordering_file.DUE)
    meet_after(monkeypatch, ordering_file, "_claimed_due", 2)
    forget_guard(monkeypatch, ordering_file, "EXPIRE", "state = 'reserved'")
    expire = partial(run, partial(expire_next_order, now=over.expires_at))
    assert race(counter.app, times(2, expire)) == [True, True]
    with writing() as session:
        assert reward_of(session, counter.reward_id).stock == 10
        assert session.scalar(text("SELECT SUM(held) FROM wallet")) == 20
