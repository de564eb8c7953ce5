"""A person's day and a merchant's month: kept to the point, also when many come at once."""

import threading
from datetime import timedelta

import pytest
from sqlalchemy import text

from pointsbank.core.actor import Actor, Grant
from pointsbank.core.db import reading, run, transaction
from pointsbank.ledger.verifying import offenders
from pointsbank.rewards import bounds
from pointsbank.rewards.bounds import DAY_POINTS_MAX, spendable
from pointsbank.rewards.errors import DayFull, MonthFull
from pointsbank.rewards.redeeming import Redeemed, preview_redemption
from pointsbank.rewards.voiding import Voided, void_redemption
from tests.builders import a_member, a_reward, with_points, with_role
from tests.moments import NOON
from tests.racing import MEET_SECONDS_MAX, after_looking, forget_guard, race, times
from tests.rewards.traces import everything

SPENT = "SELECT COALESCE(SUM(points), 0) FROM spent_by_day"
MONTH = "SELECT COALESCE(SUM(points), 0) FROM merchant_month"


@pytest.fixture
def rich(counter, writing) -> int:
    """A member with 5,000 points, a card with six digits, and rewards of 190 points."""
    with writing() as session:
        for _ in range(5):
            with_points(session, counter.member_id, 980)
        return a_reward(session, counter.merchant_id, "大米", 190, 100)


def refused(writing, act):
    """Return what an act raises, having made sure that it left no trace."""
    with writing() as session:
        before = everything(session)
    with pytest.raises((DayFull, MonthFull)) as refusal, writing() as session:
        act(session)
    with writing() as session:
        assert everything(session) == before
    return refusal.value


def test_a_person_spends_so_much_a_day_and_no_more(counter, writing, rich):
    order = counter.order(reward_id=rich, card=counter.card(), quantity=10)
    with writing() as session:
        counter.redeem(session, order)
        rest = a_reward(session, counter.merchant_id, points=101)
        edge = a_reward(session, counter.merchant_id, points=100)
    too_much = counter.order(reward_id=rest, card=order.card)
    found = refused(writing, lambda session: counter.redeem(session, too_much))
    assert found.facts == {"limit": DAY_POINTS_MAX, "left": 100}
    seen = refused(
        writing,
        lambda session: preview_redemption(
            session,
            too_much,
            clerk_id=counter.clerk_id,
            secret=counter.secret,
            today=NOON.date(),
            now=NOON,
        ),
    )
    assert seen.facts == found.facts
    with writing() as session:
        counter.redeem(session, counter.order(reward_id=edge, card=order.card))
        assert session.scalar(text(SPENT)) == DAY_POINTS_MAX
        session.execute(text("UPDATE spent_by_day SET day = '2026-11-20'"))
        # A new day begins anew.
        counter.redeem(session, too_much)
        assert offenders(session) == []


def test_the_day_holds_when_one_person_pays_many_times_at_once(counter, writing, rich):
    buy = counter.buying(card=counter.card(), reward_id=rich, quantity=5)
    answers = race(counter.app, times(6, buy))
    assert sum(isinstance(answer, Redeemed) for answer in answers) == 2, answers
    assert sum(isinstance(answer, DayFull) for answer in answers) == 4, answers
    with writing() as session:
        assert session.scalar(text(SPENT)) == 2 * 5 * 190
        assert offenders(session) == []


def test_without_the_guard_row_the_day_is_passed_by_everyone_who_counted(
    counter, writing, rich
):
    """Control: add up what was spent today, then take more."""
    everyone_has_counted = threading.Barrier(3)

    def take() -> bool:
        with reading() as session:
            spent = session.scalar(text(SPENT))
        everyone_has_counted.wait(MEET_SECONDS_MAX)
        if spent + 950 > DAY_POINTS_MAX:
            return False
        with transaction() as session:
            session.execute(
                text(
                    "INSERT INTO spent_by_day (member_id, day, points)"
                    " VALUES (:member_id, '2026-11-21', 950) ON CONFLICT (member_id, day)"
                    " DO UPDATE SET points = spent_by_day.points + 950"
                ),
                {"member_id": counter.member_id},
            )
        return True

    assert race(counter.app, times(3, take)) == [True] * 3
    with writing() as session:
        assert session.scalar(text(SPENT)) > DAY_POINTS_MAX


def limited(writing, points) -> None:
    with writing() as session:
        session.execute(text(f"UPDATE merchant SET month_points_max = {points}"))


def test_a_limit_counts_what_the_month_brought_before_it(counter, writing):
    card = counter.card()
    with writing() as session:
        whole = counter.redeem(session, counter.order(card=card))
        part = counter.redeem(session, counter.order(card=card, quantity=2))
        counter.void(session, whole.id)
        voided_part(session, counter, part.id)
        old = counter.redeem(session, counter.order(card=card))
        session.execute(
            text("UPDATE redemption SET redeemed_on = '2026-10-31' WHERE id = :id"),
            {"id": old.id},
        )
    limited(writing, 39)
    found = refused(writing, lambda session: counter.redeem(session, counter.order(card=card)))
    assert (found.code, found.facts) == ("month_full", {"left": 19})
    limited(writing, 40)
    with writing() as session:
        counter.redeem(session, counter.order(card=card))
        assert session.scalar(text(MONTH)) == 40
        # What was voided of another month leaves this one as it is.
        counter.void(session, part.id)
        assert session.scalar(text(MONTH)) == 20
        assert offenders(session) == []


def test_a_limit_that_ended_is_forgotten_and_a_new_one_counts_anew(counter, writing):
    card = counter.card()
    limited(writing, 100)
    with writing() as session:
        counter.redeem(session, counter.order(card=card))
        assert session.scalar(text(MONTH)) == 20
    limited(writing, "NULL")
    with writing() as session:
        uncounted = counter.redeem(session, counter.order(card=card, quantity=2))
    with writing() as session:
        # More than was counted goes back: taken off the old sum it would end below zero.
        counter.void(session, uncounted.id)
    limited(writing, 50)
    with writing() as session:
        counter.redeem(session, counter.order(card=card))
        assert session.scalar(text(MONTH)) == 40
    refused(writing, lambda session: counter.redeem(session, counter.order(card=card)))


def test_a_void_of_more_than_the_month_counts_ends_at_nothing(counter, writing):
    """As when the limit began while the deal was under way."""
    card = counter.card()
    limited(writing, 100)
    with writing() as session:
        done = counter.redeem(session, counter.order(card=card))
        session.execute(text("UPDATE merchant_month SET points = 5"))
    with writing() as session:
        counter.void(session, done.id)
        assert session.scalar(text(MONTH)) == 0
        assert offenders(session) == []


def test_a_look_knows_what_the_month_brought_before_its_limit(counter, writing):
    card = counter.card()
    with writing() as session:
        counter.redeem(session, counter.order(card=card, quantity=2))
    limited(writing, 59)
    found = refused(writing, lambda session: looked_over(session, counter, card))
    assert found.facts == {"left": 19}
    limited(writing, 60)
    with writing() as session:
        assert looked_over(session, counter, card).points == 20


def looked_over(session, counter, card):
    return preview_redemption(
        session,
        counter.order(card=card),
        clerk_id=counter.clerk_id,
        secret=counter.secret,
        today=NOON.date(),
        now=NOON,
    )


@pytest.mark.parametrize(
    ("month_points_max", "left"), [("NULL", 1960), (2000, 1960), (45, 5), (30, 0)]
)
def test_what_is_left_to_spend_is_the_lesser_of_day_and_month(
    counter, writing, month_points_max, left
):
    order = counter.order(card=counter.card(), quantity=2)
    with writing() as session:
        counter.redeem(session, order)
    limited(writing, month_points_max)
    with writing() as session:
        limit = session.scalar(text("SELECT month_points_max FROM merchant"))
        merchant_id, member_id = counter.merchant_id, counter.member_id
        found = spendable(session, merchant_id, member_id, NOON.date(), limit)
        assert found == left


def voided_part(session, counter, redemption_id) -> Voided:
    grants = (Grant("clerk", None, counter.merchant_id),)
    return void_redemption(
        session,
        redemption_id=redemption_id,
        actor=Actor(counter.clerk_id, "李建军", 1, 1, grants),
        reason=None,
        today=NOON.date(),
        now=NOON,
        quantity=1,
    )


@pytest.fixture
def six_buyers(counter, writing):
    """Six people with a code each, at a shop that may take 50 points this month."""
    limited(writing, 50)
    with writing() as session:
        buyers = [with_points(session, a_member(session), 100) for _ in range(6)]
    return [counter.buying(counter.code(each, now=NOON)) for each in buyers]


def test_the_month_holds_when_many_pay_at_once(counter, writing, six_buyers):
    answers = race(counter.app, six_buyers)
    assert sum(isinstance(answer, Redeemed) for answer in answers) == 2, answers
    assert sum(isinstance(answer, MonthFull) for answer in answers) == 4, answers
    with writing() as session:
        assert session.scalar(text(MONTH)) == 40
        assert offenders(session) == []


def test_without_the_guard_row_the_month_is_passed_by_everyone_who_counted(
    counter, writing, six_buyers, monkeypatch
):
    """Control: add up what the month brought, then take more."""
    forget_guard(monkeypatch, bounds, "TAKE_MONTH", "points + :points <= :most")

    def has_room(session) -> bool:
        return session.scalar(text(MONTH)) + 20 <= 50

    answers = race(counter.app, after_looking(has_room, six_buyers))
    assert sum(isinstance(answer, Redeemed) for answer in answers) == 6, answers
    with writing() as session:
        assert session.scalar(text(MONTH)) == 120


def test_two_administrators_who_agree_at_once_void_once(counter, writing):
    """One asked for a piece of three; two others agree in the same moment."""
    with writing() as session:
        code_owner = counter.member_id
        actors = [
            Actor(each, "管理员", 1, 1, (Grant("administrator", "/"),))
            for each in (
                with_role(session, a_member(session), "administrator") for _ in range(3)
            )
        ]
    code = counter.code(code_owner, now=NOON)
    with writing() as session:
        done = counter.redeem(session, counter.order(code, quantity=3))
    later = NOON + timedelta(days=3)

    def act(actor: Actor):
        return lambda: run(
            lambda session: void_redemption(
                session,
                redemption_id=done.id,
                actor=actor,
                reason="坏了",
                today=later.date(),
                now=later,
                quantity=1,
            )
        )

    with counter.app.app_context():
        assert act(actors[0])().is_asked
    answers = race(counter.app, [act(actors[1]), act(actors[2])])
    carried_out = [each for each in answers if isinstance(each, Voided) and not each.is_asked]
    assert carried_out, answers
    with writing() as session:
        assert session.scalar(text("SELECT voided_quantity FROM redemption")) == 1
        assert session.scalar(text("SELECT stock FROM reward WHERE points = 20")) == 8
        approved = "SELECT COUNT(*) FROM redemption_void WHERE decision = 'approved'"
        assert session.scalar(text(approved)) == 1
        assert offenders(session) == []
    assert counter.points() == 60


def test_without_the_claim_both_who_agree_take_a_piece_back(counter, writing):
    """Control: look whether it is undecided, then void so many pieces."""
    code = counter.code(now=NOON)
    with writing() as session:
        done = counter.redeem(session, counter.order(code, quantity=3))
    both_have_looked = threading.Barrier(2)

    def agree() -> bool:
        with reading() as session:
            decided = session.scalar(text("SELECT COUNT(*) FROM redemption_void"))
        both_have_looked.wait(MEET_SECONDS_MAX)
        if decided:
            return False
        run(lambda session: voided_part(session, counter, done.id))
        return True

    assert race(counter.app, times(2, agree)) == [True, True]
    assert counter.points() == 80
