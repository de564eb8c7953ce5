"""Races at the counter, each with a control that shows what happens without the guard."""

import threading
from functools import partial

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from pointsbank.core.actor import Actor, Grant
from pointsbank.core.db import reading, run, transaction
from pointsbank.ledger.errors import NotEnoughPoints
from pointsbank.ledger.verifying import offenders
from pointsbank.members.errors import CodeUsed
from pointsbank.rewards import voiding as voiding_file
from pointsbank.rewards.errors import LimitReached, NothingLeftToVoid, OutOfStock
from pointsbank.rewards.queries import had_by, redemption_of, reward_of, totals_on
from pointsbank.rewards.redeeming import Redeemed
from pointsbank.rewards.voiding import Voided, void_redemption
from tests.builders import a_member, a_reward, redemption_code, with_points
from tests.moments import NOON
from tests.racing import MEET_SECONDS_MAX, forget_guard, meet_after, race, times

BUYERS = 50
STANDS = "state = 'completed' AND voided_quantity + :quantity <= quantity"


def done(answers: list) -> list[Redeemed]:
    return [answer for answer in answers if isinstance(answer, Redeemed)]


def how_many(answers: list, refusal: type) -> int:
    return sum(isinstance(answer, refusal) for answer in answers)


@pytest.fixture
def crowd(counter, writing):
    """Fifty members with 100 points and a code each."""
    with writing() as session:
        members = [with_points(session, a_member(session), 100) for _ in range(BUYERS)]
        codes = [redemption_code(session, counter.app, each, NOON) for each in members]
    return dict(zip(members, codes, strict=True))


def test_the_last_item_goes_to_one_of_fifty(counter, writing, crowd):
    with writing() as session:
        last = a_reward(session, counter.merchant_id, stock=1)
    answers = race(
        counter.app, [counter.buying(code, reward_id=last) for code in crowd.values()]
    )
    assert len(done(answers)) == 1
    assert how_many(answers, OutOfStock) == BUYERS - 1, answers
    with writing() as session:
        assert reward_of(session, last).stock == 0
        assert totals_on(session, counter.merchant_id, NOON.date()).redemptions == 1
        fresh = session.scalar(
            text("SELECT COUNT(*) FROM redemption_code WHERE state = 'fresh'")
        )
        assert fresh == BUYERS - 1
        assert offenders(session) == []


def test_without_the_guard_the_last_item_is_sold_to_everyone_who_saw_it(counter, writing):
    """Control: look at the stock, then write what was computed."""
    with writing() as session:
        last = a_reward(session, counter.merchant_id, stock=1)
    everyone_has_looked = threading.Barrier(4)

    def buy() -> bool:
        with reading() as session:
            stock = reward_of(session, last).stock
        everyone_has_looked.wait(MEET_SECONDS_MAX)
        if stock < 1:
            return False
        with transaction() as session:
            session.execute(
                text("UPDATE reward SET stock = :left WHERE id = :id"),
                {"left": stock - 1, "id": last},
            )
        return True

    assert race(counter.app, times(4, buy)) == [True] * 4


def test_one_code_in_fifty_threads_pays_once(counter, writing):
    code = counter.code(now=NOON)
    answers = race(counter.app, times(BUYERS, counter.buying(code)))
    assert len(done(answers)) == 1
    assert how_many(answers, CodeUsed) == BUYERS - 1, answers
    assert counter.points() == 80
    with writing() as session:
        assert reward_of(session, counter.reward_id).stock == 9
        assert offenders(session) == []


def test_a_balance_for_one_pays_for_one(counter, writing):
    """By card, since of a member's codes only one is alive."""
    with writing() as session:
        dear = a_reward(session, counter.merchant_id, points=60, stock=100)
    buy = counter.buying(card=counter.card(), reward_id=dear)
    answers = race(counter.app, times(12, buy))
    assert len(done(answers)) == 1
    assert how_many(answers, NotEnoughPoints) == 11, answers
    assert counter.points() == 40
    with writing() as session:
        assert reward_of(session, dear).stock == 99
        assert offenders(session) == []


def test_the_limit_holds_when_one_person_pays_many_times_at_once(counter, writing):
    with writing() as session:
        rare = a_reward(session, counter.merchant_id, points=1, limit_per_member=3)
    buy = counter.buying(card=counter.card(), reward_id=rare)
    answers = race(counter.app, times(10, buy))
    assert len(done(answers)) == 3
    assert how_many(answers, LimitReached) == 7, answers
    with writing() as session:
        assert had_by(session, rare, counter.member_id) == 3
        assert reward_of(session, rare).stock == 7
        assert offenders(session) == []


def test_without_the_guard_row_the_limit_is_passed_by_everyone_who_counted(counter, writing):
    """Control: count what was had, then add to it."""
    everyone_has_counted = threading.Barrier(4)

    def take() -> bool:
        with reading() as session:
            had = had_by(session, counter.reward_id, counter.member_id)
        everyone_has_counted.wait(MEET_SECONDS_MAX)
        if had + 1 > 1:
            return False
        with transaction() as session:
            session.execute(
                text(
                    "INSERT INTO reward_taken (reward_id, member_id, period, quantity)"
                    " VALUES (:reward, :member, '', 1)"
                    " ON CONFLICT (reward_id, member_id, period)"
                    " DO UPDATE SET quantity = reward_taken.quantity + 1"
                ),
                {"reward": counter.reward_id, "member": counter.member_id},
            )
        return True

    assert race(counter.app, times(4, take)) == [True] * 4
    with writing() as session:
        assert had_by(session, counter.reward_id, counter.member_id) == 4


@pytest.fixture
def redeemed(counter, writing) -> Redeemed:
    """One bottle handed over."""
    code = counter.code(now=NOON)
    with writing() as session:
        return counter.redeem(session, counter.order(code))


def voiding(counter, redemption_id: int, quantity: int | None = None):
    """Return a contestant who takes a redemption back as its clerk, all of it or some."""
    clerk = Actor(
        counter.clerk_id, "李建军", 1, 1, (Grant("clerk", None, counter.merchant_id),)
    )
    void = partial(void_redemption, redemption_id=redemption_id, actor=clerk, reason=None)
    return partial(run, partial(void, today=NOON.date(), now=NOON, quantity=quantity))


def test_many_voids_at_once_return_everything_once(counter, writing, redeemed):
    answers = race(counter.app, times(8, voiding(counter, redeemed.id)))
    assert [answer.balance_after for answer in answers] == [100] * 8, answers
    with writing() as session:
        assert redemption_of(session, redeemed.id).state == "voided"
        assert reward_of(session, counter.reward_id).stock == 10
        assert had_by(session, counter.reward_id, counter.member_id) == 0
        assert offenders(session) == []


def test_one_bottle_is_taken_back_once(counter, redeemed):
    answers = race(counter.app, times(8, voiding(counter, redeemed.id, quantity=1)))
    assert how_many(answers, Voided) == 1, answers
    assert how_many(answers, NothingLeftToVoid) == 7, answers


@pytest.mark.engine("postgresql")
def test_without_the_guard_a_void_is_stopped_by_the_table_alone(counter, redeemed, monkeypatch):
    """Control: both see that the one bottle can be taken back. Who comes second breaks on the
    row's bound instead of being told that nothing is left.
    """
    forget_guard(monkeypatch, voiding_file, "VOID", STANDS)
    meet_after(monkeypatch, voiding_file, "_to_void", 2)
    answers = race(counter.app, times(2, voiding(counter, redeemed.id, quantity=1)))
    assert how_many(answers, Voided) == how_many(answers, IntegrityError) == 1, answers


def test_selling_voiding_and_restocking_at_once_add_up(counter, writing, crowd):
    def buy_and_void(code: str) -> None:
        voiding(counter, counter.buying(code)().id)()

    codes = list(crowd.values())[:12]
    keepers = [counter.buying(code) for code in codes[:4]]
    returners = [partial(buy_and_void, code) for code in codes[4:]]
    answers = race(counter.app, [*keepers, *returners])
    kept = len(done(answers))
    sold_out = how_many(answers, OutOfStock)
    assert kept + sold_out + answers.count(None) == 12, answers
    with writing() as session:
        assert reward_of(session, counter.reward_id).stock == 10 - kept
        assert offenders(session) == []
