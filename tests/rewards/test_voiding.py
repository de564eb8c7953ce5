"""Voiding: everything goes back once, by whom it may and when it may."""

from datetime import timedelta

import pytest
from sqlalchemy import text

from pointsbank.core.actor import Actor, Grant
from pointsbank.core.errors import Refusal
from pointsbank.ledger.queries import book_lines, expiring_points
from pointsbank.ledger.verifying import offenders
from pointsbank.rewards.models import STOCK_MAX
from pointsbank.rewards.queries import had_by, reward_of, totals_on
from pointsbank.rewards.voiding import void_redemption
from tests.builders import a_member, a_merchant, with_points
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


def void(session, redemption_id, actor, days_later=0):
    moment = NOON + timedelta(days=days_later)
    return void_redemption(
        session,
        redemption_id=redemption_id,
        actor=actor,
        reason="拿错了",
        today=moment.date(),
        now=moment,
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


def test_an_administrator_voids_later_too(counter, writing, done):
    with writing() as session:
        with_points(session, counter.member_id, 1)
        actor = administrator(a_member(session, "管理员"))
        assert void(session, done.id, actor, days_later=40).redemption.state == "voided"
        assert offenders(session) == []
    assert counter.points() == 101


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
