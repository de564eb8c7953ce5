"""Redeeming: what moves, what is refused, and that a refusal leaves nothing behind."""

from datetime import timedelta

import pytest
from sqlalchemy import text

from pointsbank.core.errors import Refusal
from pointsbank.ledger.queries import book_lines
from pointsbank.ledger.verifying import offenders
from pointsbank.members.codes import redemption_digits, redemption_text
from pointsbank.rewards.models import REWARD_POINTS_MAX
from pointsbank.rewards.queries import had_by, redemption_of, reward_of, totals_on
from pointsbank.rewards.redeeming import Order, preview_redemption
from tests.builders import a_member, a_merchant, a_reward, with_points
from tests.moments import NOON
from tests.rewards.traces import everything


def refused(writing, act) -> Refusal:
    """Return the refusal of an act, having made sure that it left no trace."""
    with writing() as session:
        before = everything(session)
    with pytest.raises(Refusal) as refusal, writing() as session:
        act(session)
    with writing() as session:
        assert everything(session) == before
    return refusal.value


def test_points_stock_share_and_code_move_together(counter, writing):
    code = counter.code(now=NOON)
    with writing() as session:
        done = counter.redeem(session, counter.order(code, quantity=2))
    assert (done.points, done.balance_after, done.member_name) == (40, 60, "王*兰")
    with writing() as session:
        assert reward_of(session, counter.reward_id).stock == 8
        assert had_by(session, counter.reward_id, counter.member_id, "") == 2
        line = book_lines(session, f"member:{counter.member_id}")[0]
        assert (line.points, line.balance_after, line.key) == (-40, 60, f"redeem:{done.number}")
        assert line.reason == "洗洁精一瓶 × 2 · 惠民粮油店"
        kept = redemption_of(session, done.id)
        assert (kept.state, kept.clerk_name, kept.redeemed_on) == (
            "completed",
            "李*军",
            NOON.date(),
        )
        totals = totals_on(session, counter.merchant_id, NOON.date())
        assert (totals.redemptions, totals.points, totals.voided) == (1, 40, 0)
        noted = session.execute(
            text("SELECT actor_id, subject_id FROM audit_entry WHERE action = 'redeem'")
        ).one()
        assert tuple(noted) == (counter.clerk_id, done.id)
        assert offenders(session) == []
    used = refused(writing, lambda s: counter.redeem(s, counter.order(code)))
    assert used.code == "code_used"


@pytest.mark.parametrize(
    "spelled",
    [
        lambda digits: digits,
        lambda digits: f"  {digits[:4]} {digits[4:8]} {digits[8:12]} {digits[12:]} ",
        lambda digits: "".join(chr(ord(d) + 0xFEE0) for d in digits),
    ],
    ids=["plain", "spaced", "full-width"],
)
def test_digits_are_read_as_people_type_them(counter, writing, spelled):
    code = spelled(counter.code(now=NOON))
    with writing() as session:
        assert counter.redeem(session, counter.order(code)).balance_after == 80


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"stock": 1}, "out_of_stock"),
        ({"limit_per_member": 1}, "limit_reached"),
        ({"points": 51}, "not_enough_points"),
        ({"points": REWARD_POINTS_MAX // 2 + 1}, "too_many_points"),
        ({"valid_from": NOON + timedelta(seconds=1)}, "reward_not_yet"),
        ({"valid_until": NOON}, "reward_over"),
    ],
)
def test_two_of_a_reward_that_does_not_allow_it_are_refused(counter, writing, changes, code):
    with writing() as session:
        reward_id = a_reward(session, counter.merchant_id, **changes)
    shown = counter.code(now=NOON)
    order = counter.order(shown, reward_id=reward_id, quantity=2)
    assert refused(writing, lambda s: counter.redeem(s, order)).code == code
    look = refused(
        writing,
        lambda s: preview_redemption(
            s,
            order,
            clerk_id=counter.clerk_id,
            secret=counter.secret,
            today=NOON.date(),
            now=NOON,
        ),
    )
    assert look.code == code
    with writing() as session:
        # The code of a refused redemption is as good as before.
        assert counter.redeem(session, counter.order(shown)).balance_after == 80


def test_the_edges_of_stock_limit_validity_and_balance_are_allowed(counter, writing):
    with writing() as session:
        reward_id = a_reward(
            session,
            counter.merchant_id,
            points=50,
            stock=2,
            limit_per_member=2,
            valid_from=NOON,
            valid_until=NOON + timedelta(seconds=1),
        )
    order = counter.order(counter.code(now=NOON), reward_id=reward_id, quantity=2)
    with writing() as session:
        assert counter.redeem(session, order).balance_after == 0
        assert reward_of(session, reward_id).stock == 0


def test_the_limit_counts_what_was_had_before(counter, writing):
    with writing() as session:
        reward_id = a_reward(session, counter.merchant_id, points=1, limit_per_member=3)
    for quantity in (2, 1):
        order = counter.order(counter.code(now=NOON), reward_id=reward_id, quantity=quantity)
        with writing() as session:
            counter.redeem(session, order)
    order = counter.order(counter.code(now=NOON), reward_id=reward_id)
    assert refused(writing, lambda s: counter.redeem(s, order)).facts == {"limit": 3}


@pytest.mark.parametrize(
    ("statement", "code"),
    [
        ("UPDATE reward SET state = 'withdrawn'", "reward_withdrawn"),
        ("UPDATE merchant SET state = 'suspended'", "merchant_stopped"),
        ("UPDATE member SET state = 'suspended'", "member_suspended"),
    ],
)
def test_what_was_stopped_takes_and_gives_no_points(counter, writing, statement, code):
    order = counter.order(counter.code(now=NOON))
    with writing() as session:
        session.execute(text(statement))
    assert refused(writing, lambda s: counter.redeem(s, order)).code == code


def test_another_merchants_reward_looks_like_an_unknown_one(counter, writing):
    with writing() as session:
        foreign = a_reward(session, a_merchant(session, "别家店"))
    for reward_id in (foreign, 10**9):
        order = counter.order(counter.code(now=NOON), reward_id=reward_id)
        refusal = refused(writing, lambda s, o=order: counter.redeem(s, o))
        assert refusal.code == "reward_not_found"


def test_a_clerk_takes_no_points_from_themselves(counter, writing):
    with writing() as session:
        with_points(session, counter.clerk_id, 100)
    order = counter.order(counter.code(counter.clerk_id, now=NOON))
    assert refused(writing, lambda s: counter.redeem(s, order)).code == "not_for_oneself"
    look = refused(
        writing,
        lambda s: preview_redemption(
            s,
            order,
            clerk_id=counter.clerk_id,
            secret=counter.secret,
            today=NOON.date(),
            now=NOON,
        ),
    )
    assert look.code == "not_for_oneself"


def test_codes_that_are_old_forged_or_none_are_refused(counter, writing):
    expired = counter.code(now=NOON - timedelta(seconds=60))
    replaced = counter.code(now=NOON)
    counter.code(now=NOON)
    never_drawn = redemption_digits("123456789012345")
    forged = redemption_text("another service's key, of fair length", "123456789012345")
    for code, expected in [
        (expired, "code_expired"),
        (replaced, "code_expired"),
        (never_drawn, "bad_signature"),
        (forged, "bad_signature"),
        (never_drawn[:-1], "bad_code"),
        ("hello", "bad_code"),
    ]:
        refusal = refused(writing, lambda s, c=code: counter.redeem(s, counter.order(c)))
        assert refusal.code == expected


def test_a_card_pays_as_a_code_does(counter, writing):
    card = counter.card()
    order = counter.order(card=card)
    with writing() as session:
        assert counter.redeem(session, order).balance_after == 80
    as_code = refused(writing, lambda s: counter.redeem(s, counter.order(card)))
    assert as_code.code == "wrong_purpose"


def test_a_preview_says_what_would_be_and_changes_nothing(counter, writing):
    order = counter.order(counter.code(now=NOON), quantity=3)
    with writing() as session:
        before = everything(session)
        seen = preview_redemption(
            session,
            order,
            clerk_id=counter.clerk_id,
            today=NOON.date(),
            secret=counter.secret,
            now=NOON,
        )
        assert everything(session) == before
    assert (seen.points, seen.balance_before, seen.balance_after) == (60, 100, 40)
    assert (seen.member_name, seen.reward_name) == ("王*兰", "洗洁精一瓶")


def test_a_long_name_still_fits_the_passbook(counter, writing):
    with writing() as session:
        merchant_id = a_merchant(session, "店" * 120)
        reward_id = a_reward(session, merchant_id, name="品" * 80)
        member_id = with_points(session, a_member(session), 50)
    order = Order(merchant_id, reward_id, 2, code=counter.code(member_id, now=NOON))
    with writing() as session:
        counter.redeem(session, order)
        assert len(book_lines(session, f"member:{member_id}")[0].reason) == 200
