"""Voiding: everything goes back once, by whom it may and when it may."""

from datetime import timedelta

import pytest
from sqlalchemy import text

from pointsbank.core.actor import Actor, Grant
from pointsbank.core.errors import Refusal
from pointsbank.ledger.queries import book_lines, expiring_points
from pointsbank.ledger.verifying import offenders
from pointsbank.rewards.errors import (
    NothingLeftToVoid,
    OwnVoid,
    VoidDiffers,
    VoidNotAllowed,
    VoidNotAsked,
)
from pointsbank.rewards.models import STOCK_MAX
from pointsbank.rewards.queries import had_by, redemption_of, reward_of, totals_on
from pointsbank.rewards.voiding import refuse_void, void_redemption
from tests.builders import a_member, a_merchant, with_points, with_role
from tests.moments import NOON


@pytest.fixture
def done(counter, writing):
    """One redemption of two bottles."""
    code = counter.code(now=NOON)
    with writing() as session:
        return counter.redeem(session, counter.order(code, quantity=2))


def clerk_of(counter, member_id=None, merchant_id=None) -> Actor:
    grant = Grant("clerk", None, merchant_id or counter.merchant_id)
    return Actor(member_id or counter.clerk_id, "李建军", 1, 1, (grant,))


def administrator(member_id=999_999, path="/") -> Actor:
    return Actor(member_id, "管理员", 1, 1, (Grant("administrator", path),))


def void(session, redemption_id, actor, days_later=0, quantity=None):
    moment = NOON + timedelta(days=days_later)
    return void_redemption(
        session,
        redemption_id=redemption_id,
        actor=actor,
        reason="拿错了",
        today=moment.date(),
        now=moment,
        quantity=quantity,
    )


def test_points_stock_and_share_return_the_way_they_came(counter, writing, done):
    with writing() as session:
        voided = void(session, done.id, clerk_of(counter))
    assert (voided.redemption.state, voided.balance_after) == ("voided", 100)
    with writing() as session:
        assert reward_of(session, counter.reward_id).stock == 10
        assert had_by(session, counter.reward_id, counter.member_id, "") == 0
        line = book_lines(session, f"member:{counter.member_id}")[0]
        assert (line.points, line.kind, line.key) == (40, "reversal", f"void:{done.id}")
        assert line.reverses_line == 2
        assert [lot.points for lot in expiring_points(session, f"member:{counter.member_id}")]
        totals = totals_on(session, counter.merchant_id, NOON.date())
        assert (totals.redemptions, totals.points, totals.voided) == (0, 0, 1)
        kept = session.execute(text("SELECT void_reason, voided_by_id FROM redemption")).one()
        assert tuple(kept) == ("拿错了", counter.clerk_id)
        assert offenders(session) == []


def test_a_repeat_answers_the_same_and_returns_nothing_more(counter, writing, done):
    with writing() as session:
        first = void(session, done.id, clerk_of(counter))
    with writing() as session:
        # What is spent in between does not change what the repeat answers.
        with_points(session, counter.member_id, 7)
    with writing() as session:
        assert void(session, done.id, clerk_of(counter)) == first
        assert reward_of(session, counter.reward_id).stock == 10
        noted = text("SELECT COUNT(*) FROM audit_entry WHERE action = 'void'")
        assert session.scalar(noted) == 1
        assert offenders(session) == []
    assert counter.points() == 107


def test_the_code_of_a_voided_redemption_stays_used(counter, writing, done):
    with writing() as session:
        void(session, done.id, clerk_of(counter))
        states = session.scalars(text("SELECT state FROM redemption_code")).all()
    assert states == ["used"]


@pytest.mark.parametrize(
    ("who", "days_later", "code"),
    [
        (lambda c: clerk_of(c), 1, "void_not_allowed"),
        (lambda c: clerk_of(c, member_id=888_888), 0, "void_not_allowed"),
        (lambda c: clerk_of(c, merchant_id=777_777), 0, "redemption_not_found"),
        (lambda c: administrator(path="/777777/"), 0, "redemption_not_found"),
        (lambda c: administrator(member_id=c.member_id), 0, "not_for_oneself"),
    ],
    ids=["next day", "other clerk", "other shop", "other district", "for oneself"],
)
def test_who_may_not_void(counter, writing, done, who, days_later, code):
    with pytest.raises(Refusal) as refused, writing() as session:
        void(session, done.id, who(counter), days_later)
    assert refused.value.code == code
    assert counter.points() == 60


@pytest.fixture
def administrators(writing):
    """Two who may decide together."""
    with writing() as session:
        return [
            administrator(with_role(session, a_member(session, name), "administrator"))
            for name in ("管理员", "副管理员")
        ]


def asked(session, redemption_id):
    return session.execute(
        text(
            "SELECT quantity, points, needs_second, decision, reason FROM redemption_void"
            f" WHERE redemption_id = {redemption_id}"
        )
    ).all()


def test_later_two_administrators_void_together(counter, writing, done, administrators):
    first, second = administrators
    with writing() as session:
        with_points(session, counter.member_id, 1)
        for _ in range(2):
            waiting = void(session, done.id, first, days_later=40)
            assert (waiting.is_asked, waiting.redemption.state) == (True, "completed")
        assert reward_of(session, counter.reward_id).stock == 8
        told = session.execute(
            text("SELECT member_id FROM message WHERE kind = 'void_asked'")
        ).scalars()
        assert second.member_id in set(told)
    assert counter.points() == 61
    with writing() as session:
        answer = void(session, done.id, second, days_later=40)
        assert (answer.is_asked, answer.redemption.state) == (False, "voided")
        assert answer.balance_after == 101
        assert void(session, done.id, first, days_later=41) == answer
        assert void(session, done.id, second, days_later=41) == answer
    with writing() as session:
        assert [tuple(row) for row in asked(session, done.id)] == [
            (2, 40, True, "approved", "拿错了")
        ]
        assert reward_of(session, counter.reward_id).stock == 10
        assert spent(session, counter.member_id) == 0
        assert offenders(session) == []


def test_an_administrator_is_not_enough_on_the_same_day_either(
    counter, writing, done, administrators
):
    with writing() as session:
        assert void(session, done.id, administrators[0]).is_asked
    assert counter.points() == 60


def test_the_second_person_agrees_to_what_was_asked_or_refuses(
    counter, writing, done, administrators
):
    first, second = administrators
    day = {"today": NOON.date(), "now": NOON}
    for who in administrators:
        with pytest.raises(VoidNotAsked), writing() as session:
            refuse_void(session, redemption_id=done.id, actor=who, **day)
    with writing() as session:
        void(session, done.id, first, days_later=1, quantity=1)
    for who in administrators:
        with pytest.raises(VoidDiffers), writing() as session:
            void(session, done.id, who, days_later=1, quantity=2)
    with pytest.raises(OwnVoid), writing() as session:
        refuse_void(session, redemption_id=done.id, actor=first, **day)
    with writing() as session:
        refuse_void(session, redemption_id=done.id, actor=second, **day)
        assert [row.decision for row in asked(session, done.id)] == ["refused"]
    assert counter.points() == 60
    with writing() as session:
        # Refused once, it may be asked for again, by the other too.
        assert void(session, done.id, second, days_later=2, quantity=1).is_asked
        assert void(session, done.id, first, days_later=2, quantity=1).balance_after == 80
        assert redemption_of(session, done.id).state == "completed"
        assert offenders(session) == []


def test_a_clerk_does_not_agree_for_an_administrator(counter, writing, done, administrators):
    with writing() as session:
        void(session, done.id, administrators[0], days_later=1)
    with pytest.raises(VoidNotAllowed), writing() as session:
        void(session, done.id, clerk_of(counter), days_later=1)
    with pytest.raises(VoidNotAllowed), writing() as session:
        refuse_void(
            session,
            redemption_id=done.id,
            actor=clerk_of(counter),
            today=NOON.date(),
            now=NOON,
        )


def spent(session, member_id) -> int:
    """Return what counts in this member's day."""
    return session.scalar(
        text(f"SELECT COALESCE(SUM(points), 0) FROM spent_by_day WHERE member_id = {member_id}")
    )


def test_pieces_are_taken_back_one_by_one(counter, writing):
    with writing() as session:
        session.execute(text("UPDATE merchant SET month_points_max = 1000"))
    code = counter.code(now=NOON)
    with writing() as session:
        done = counter.redeem(session, counter.order(code, quantity=3))
        assert spent(session, counter.member_id) == 60
    clerk = clerk_of(counter)
    with writing() as session:
        first = void(session, done.id, clerk, quantity=1)
        assert (first.redemption.state, first.balance_after) == ("completed", 60)
        assert (first.redemption.voided_quantity, first.redemption.points_kept) == (1, 40)
        assert reward_of(session, counter.reward_id).stock == 8
        assert had_by(session, counter.reward_id, counter.member_id) == 2
        assert spent(session, counter.member_id) == 40
        assert session.scalar(text("SELECT points FROM merchant_month")) == 40
        totals = totals_on(session, counter.merchant_id, NOON.date())
        assert (totals.redemptions, totals.points, totals.voided) == (1, 40, 0)
    with pytest.raises(NothingLeftToVoid) as refused, writing() as session:
        void(session, done.id, clerk, quantity=3)
    assert refused.value.facts == {"left": 2}


def test_the_last_pieces_void_the_redemption(counter, writing, done):
    clerk = clerk_of(counter)
    with writing() as session:
        void(session, done.id, clerk, quantity=1)
    with writing() as session:
        last = void(session, done.id, clerk)
        assert (last.redemption.state, last.balance_after) == ("voided", 100)
        assert void(session, done.id, clerk) == last
    with pytest.raises(NothingLeftToVoid), writing() as session:
        void(session, done.id, clerk, quantity=1)
    with writing() as session:
        keys = [line.key for line in book_lines(session, f"member:{counter.member_id}")[:2]]
        assert keys == [f"void:{done.id}", f"void:{done.id}:1"]
        rows = asked(session, done.id)
        assert [(row.quantity, row.points, row.needs_second) for row in rows] == [
            (1, 20, False),
            (1, 20, False),
        ]
        assert spent(session, counter.member_id) == 0
        assert offenders(session) == []


def test_what_expires_comes_back_to_its_own_day(counter, writing):
    """Two lots paid; a part goes back to the one that expires last, with its own day."""
    with writing() as session:
        with_points(session, counter.member_id, 30, expires_on=NOON.date())
    code = counter.code(now=NOON)
    with writing() as session:
        before = expiring_points(session, f"member:{counter.member_id}")
        done = counter.redeem(session, counter.order(code, quantity=3))
    with writing() as session:
        void(session, done.id, clerk_of(counter), quantity=1)
        void(session, done.id, clerk_of(counter), quantity=1)
        void(session, done.id, clerk_of(counter), quantity=1)
    with writing() as session:
        after = expiring_points(session, f"member:{counter.member_id}")
        assert sum(lot.points for lot in after) == sum(lot.points for lot in before) == 130
        assert min(lot.expires_on for lot in after) >= NOON.date() + timedelta(days=30)
        assert offenders(session) == []


def test_an_unknown_redemption_is_not_found(counter, writing):
    with pytest.raises(Refusal) as refused, writing() as session:
        void(session, 10**9, administrator())
    assert refused.value.code == "redemption_not_found"


def test_a_shelf_filled_to_its_bound_meanwhile_stays_there(counter, writing, done):
    with writing() as session:
        session.execute(text("UPDATE reward SET stock = :most"), {"most": STOCK_MAX})
    with writing() as session:
        void(session, done.id, clerk_of(counter))
        assert reward_of(session, counter.reward_id).stock == STOCK_MAX


def test_a_clerk_of_two_shops_voids_only_where_it_was_done(counter, writing, done):
    with writing() as session:
        other = a_merchant(session, "别家店")
    grants = (Grant("clerk", None, other),)
    with pytest.raises(Refusal) as refused, writing() as session:
        void(session, done.id, Actor(counter.clerk_id, "李建军", 1, 1, grants))
    assert refused.value.code == "redemption_not_found"
