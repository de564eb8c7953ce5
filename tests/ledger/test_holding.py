"""Points set aside: placed once, counted in every check, decided by exactly one."""

import threading
from datetime import timedelta
from functools import partial

import pytest
from sqlalchemy import text

from pointsbank.core.db import reading, run, transaction
from pointsbank.core.errors import KeyReused
from pointsbank.ledger import holding, service
from pointsbank.ledger.errors import (
    AccountClosed,
    AccountNotFound,
    BadPoints,
    HoldDecided,
    HoldNotFound,
    NotEnoughPoints,
)
from pointsbank.ledger.holding import Placed
from pointsbank.ledger.models import TRANSFER_POINTS_MAX
from pointsbank.ledger.posting import Posted, Posting
from pointsbank.ledger.queries import balance_of, book_lines
from pointsbank.ledger.verifying import offenders
from tests.ledger.accounts import (
    MEMBER,
    SHOP,
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

TOMORROW = NOON + timedelta(days=1)


def place(session, key="order:1", points=25, *, code=MEMBER, expires_at=TOMORROW, now=NOON):
    """Set points aside until tomorrow."""
    return holding.place_hold(
        session, key=key, code=code, points=points, expires_at=expires_at, now=now
    )


def settle(session, hold_id, key="settle:1", *, points=None, now=NOON, reason="a towel"):
    """Pay the shop with what was set aside."""
    return holding.settle_hold(
        session,
        hold_id=hold_id,
        key=key,
        kind="spend",
        target=SHOP,
        reason=reason,
        actor_id=None,
        now=now,
        points=points,
    )


def state_of(session, hold_id):
    return session.scalar(text("SELECT state FROM hold WHERE id = :id"), {"id": hold_id})


def figures(session):
    balance = balance_of(session, MEMBER)
    return balance.available, balance.held, balance.posted


@pytest.fixture
def book(writing):
    """A member with thirty points: ten end in a week, twenty later."""
    with writing() as session:
        open_accounts(session)
        earn(session, "award:1", 20, expires_on=in_days(300))
        earn(session, "award:2", 10, expires_on=in_days(7))
    return writing


def test_a_hold_takes_points_from_what_is_available_and_from_nothing_else(book):
    with book() as session:
        placed = place(session)
        assert not placed.is_replay
        assert figures(session) == (5, 25, 30)
        assert sum(lots_of(session).values()) == 30
        assert len(book_lines(session, MEMBER)) == 2
        assert offenders(session) == []


def test_open_holds_count_in_every_check(book):
    with book() as session:
        place(session)
        award = session.scalar(text("SELECT id FROM transfer WHERE key = 'award:2'"))
    with pytest.raises(NotEnoughPoints) as refused, book() as session:
        spend(session, "redeem:1", 6)
    assert refused.value.facts == {"available": 5, "needed": 6}
    with pytest.raises(NotEnoughPoints) as refused, book() as session:
        place(session, "order:2", 6)
    assert refused.value.facts == {"available": 5, "needed": 6}
    with pytest.raises(NotEnoughPoints), book() as session:
        reverse(session, award, "takeback:1")
    with book() as session:
        place(session, "order:3", 5)
        assert figures(session) == (0, 30, 30)
        assert offenders(session) == []


def test_a_settled_hold_pays_with_the_points_that_end_first(book):
    with book() as session:
        placed = place(session)
    with book() as session:
        posted = settle(session, placed.id)
        assert (posted.points, posted.balance_after, posted.line) == (25, 5, 3)
        assert figures(session) == (5, 0, 5)
        assert lots_of(session) == {in_days(300): 5}
        assert state_of(session, placed.id) == "settled"
        assert offenders(session) == []


def test_what_is_not_settled_becomes_available_again(book):
    with book() as session:
        placed = place(session)
        settle(session, placed.id, points=7)
        assert figures(session) == (23, 0, 23)
        assert lots_of(session) == {in_days(300): 20, in_days(7): 3}
        assert offenders(session) == []


def test_a_settlement_can_be_reversed_like_any_spending(book):
    with book() as session:
        spent = settle(session, place(session).id, points=15)
        reverse(session, spent.id, "void:1", points=6)
        assert figures(session) == (21, 0, 21)
        assert offenders(session) == []


def test_a_settled_hold_pays_although_its_points_ended_meanwhile(book):
    """They were set aside in time; the night's expiry waits for the decision."""
    with book() as session:
        placed = place(session, expires_at=NOON + timedelta(days=20))
        assert service.expire_points(session, today=in_days(8), now=NOON) == 0
        settle(session, placed.id, now=NOON + timedelta(days=8))
        assert lots_of(session) == {in_days(300): 5}
        assert service.expire_points(session, today=in_days(8), now=NOON) == 0


def test_points_that_ended_go_once_the_hold_is_decided(book):
    with book() as session:
        placed = place(session, expires_at=NOON + timedelta(days=20))
        holding.void_hold(session, hold_id=placed.id, now=NOON)
        assert service.expire_points(session, today=in_days(8), now=NOON) == 1
        assert lots_of(session) == {in_days(300): 20}
        assert offenders(session) == []


def test_a_repeat_of_a_settlement_answers_the_first(book):
    with book() as session:
        placed = place(session)
        first = settle(session, placed.id, points=20)
    with book() as session:
        again = settle(session, placed.id, points=20, now=TOMORROW)
        assert again.is_replay
        assert again.id == first.id
    for other in ({"points": 19}, {"reason": "two towels"}):
        with pytest.raises(KeyReused), book() as session:
            settle(session, placed.id, **{"points": 20, **other})


def test_one_key_settles_one_hold(book):
    with book() as session:
        first, second = place(session, "order:1", 10), place(session, "order:2", 10)
        settle(session, first.id)
    with pytest.raises(KeyReused), book() as session:
        settle(session, second.id)


def test_a_repeat_of_a_placement_answers_the_first(book):
    with book() as session:
        first = place(session)
    with book() as session:
        again = place(session, expires_at=TOMORROW + timedelta(hours=1), now=TOMORROW)
        assert (again.id, again.is_replay, again.expires_at) == (first.id, True, TOMORROW)
        assert figures(session) == (5, 25, 30)
        service.open_account(session, code="member:2", kind="member")
    for other in ({"points": 24}, {"code": "member:2"}):
        with pytest.raises(KeyReused), book() as session:
            place(session, **other)


def test_a_decided_hold_is_not_decided_again(book):
    decisions = {
        "settled": lambda s, h: settle(s, h),
        "void": lambda s, h: holding.void_hold(s, hold_id=h, now=NOON),
        "expired": lambda s, h: holding.expire_holds(s, now=TOMORROW),
    }
    for number, (state, decide) in enumerate(decisions.items()):
        with book() as session:
            placed = place(session, f"order:each:{number}", 1)
            decide(session, placed.id)
            assert state_of(session, placed.id) == state
            before = rows_of_everything(session)
        with pytest.raises(HoldDecided) as refused, book() as session:
            settle(session, placed.id, f"settle:again:{number}")
        assert refused.value.facts == {"state": state}
        with pytest.raises(HoldDecided) as refused, book() as session:
            holding.void_hold(session, hold_id=placed.id, now=NOON)
        assert refused.value.facts == {"state": state}
        with book() as session:
            assert holding.expire_holds(session, now=TOMORROW) == 0
            assert rows_of_everything(session) == before
            assert offenders(session) == []


def test_a_hold_whose_time_is_over_is_not_settled_even_before_it_is_cleared(book):
    with book() as session:
        placed = place(session)
    with pytest.raises(HoldDecided) as refused, book() as session:
        settle(session, placed.id, now=TOMORROW)
    assert refused.value.facts == {"state": "expired"}
    with book() as session:
        assert state_of(session, placed.id) == "open"
        settle(session, placed.id, now=TOMORROW - timedelta(microseconds=1))


def test_expiry_frees_what_is_due_in_batches_and_nothing_else(book):
    with book() as session:
        for number in range(5):
            place(session, f"order:{number}", 2)
        place(session, "order:late", 3, expires_at=TOMORROW + timedelta(seconds=1))
        assert holding.expire_holds(session, now=TOMORROW - timedelta(seconds=1)) == 0
        assert holding.expire_holds(session, now=TOMORROW, limit=3) == 3
        assert figures(session) == (23, 7, 30)
        assert holding.expire_holds(session, now=TOMORROW) == 2
        assert holding.expire_holds(session, now=TOMORROW) == 0
        assert figures(session) == (27, 3, 30)
        assert offenders(session) == []


@pytest.mark.parametrize("points", [0, -1, 1.5, True, "7", 10**30, TRANSFER_POINTS_MAX + 1])
def test_a_hold_of_no_fair_number_is_refused(book, points):
    with book() as session:
        before = rows_of_everything(session)
    with pytest.raises(BadPoints), book() as session:
        place(session, points=points)
    with book() as session:
        assert rows_of_everything(session) == before


@pytest.mark.parametrize("points", [0, -1, 1.5, True, 26])
def test_no_more_is_settled_than_was_held(book, points):
    with book() as session:
        placed = place(session)
        before = rows_of_everything(session)
    with pytest.raises(BadPoints), book() as session:
        settle(session, placed.id, points=points)
    with book() as session:
        assert rows_of_everything(session) == before


def test_holds_need_an_open_account_with_a_wallet(book):
    with book() as session:
        closed = service.open_account(session, code="member:9", kind="member")
        service.close_account(session, account_id=closed, now=NOON)
    for code, refusal in (
        ("member:404", AccountNotFound),
        (SHOP, AccountNotFound),
        ("member:9", AccountClosed),
    ):
        with pytest.raises(refusal), book() as session:
            place(session, code=code)
    with pytest.raises(HoldNotFound), book() as session:
        settle(session, 404)
    with pytest.raises(HoldNotFound), book() as session:
        holding.void_hold(session, hold_id=404, now=NOON)


def test_a_settlement_to_a_closed_shop_leaves_the_hold_open(book):
    with book() as session:
        placed = place(session)
        shop = session.scalar(text("SELECT id FROM account WHERE code = :code"), {"code": SHOP})
        service.close_account(session, account_id=shop, now=NOON)
        before = rows_of_everything(session)
    with pytest.raises(AccountClosed), book() as session:
        settle(session, placed.id)
    with book() as session:
        assert rows_of_everything(session) == before


def test_what_no_caller_may_build_is_a_fault(book):
    with pytest.raises(ValueError, match="would have expired"), book() as session:
        place(session, expires_at=NOON)
    with pytest.raises(ValueError, match="releases what it set aside"):
        Posting("k", "spend", MEMBER, SHOP, MEMBER, 1, NOON, "x", hold_id=1)
    with pytest.raises(ValueError, match="no more than it set aside"):
        Posting("k", "spend", MEMBER, SHOP, MEMBER, 2, NOON, "x", hold_id=1, released=1)


def test_one_placement_sent_many_times_at_once_is_one(app, book):
    """With points for exactly one, nobody who repeats is told "not enough points"."""
    answers = race(app, times(8, partial(run, lambda session: place(session, points=30))))
    assert all(isinstance(answer, Placed) for answer in answers), answers
    assert len({answer.id for answer in answers}) == 1
    with book() as session:
        assert figures(session) == (0, 30, 30)
        assert offenders(session) == []


def test_holds_and_spendings_at_once_never_exceed_the_balance(app, book):
    contestants = [partial(run, lambda s, n=n: place(s, f"order:{n}", 7)) for n in range(5)]
    contestants += [partial(run, lambda s, n=n: spend(s, f"redeem:{n}", 7)) for n in range(5)]
    answers = race(app, contestants)
    assert sum(isinstance(answer, (Placed, Posted)) for answer in answers) == 4, answers
    assert sum(isinstance(answer, NotEnoughPoints) for answer in answers) == 6
    with book() as session:
        assert figures(session)[0] == 2
        assert offenders(session) == []


def test_settling_sent_many_times_at_once_is_one(app, book):
    with book() as session:
        placed = place(session, points=30)
    answers = race(app, times(8, partial(run, lambda session: settle(session, placed.id))))
    assert all(isinstance(answer, Posted) for answer in answers), answers
    assert len({answer.id for answer in answers}) == 1
    with book() as session:
        assert figures(session) == (0, 0, 0)
        assert offenders(session) == []


def decide_one_way(way, hold_id):
    """Decide a hold one way; tell which way it was, or None when another came first."""

    def decide(session):
        if way == "expired":
            return way if holding.expire_holds(session, now=TOMORROW) else None
        if way == "void":
            holding.void_hold(session, hold_id=hold_id, now=NOON)
        else:
            settle(session, hold_id)
        return way

    def attempt():
        try:
            return run(decide)
        except HoldDecided:
            return None

    return attempt


def test_of_settling_voiding_and_expiring_at_once_exactly_one_wins(app, book):
    """T9, many rounds, since chance decides who meets whom."""
    winners = set()
    for number in range(12):
        with book() as session:
            placed = place(session, f"order:{number}", 1)
        ways = ("settled", "void", "expired", "void")
        contestants = [decide_one_way(way, placed.id) for way in ways]
        # Settling needs a key of its own each round.
        contestants[0] = partial(settled_or_none, placed.id, f"settle:{number}")
        answers = race(app, contestants)
        won = [answer for answer in answers if answer is not None]
        assert len(won) == 1, answers
        with book() as session:
            assert state_of(session, placed.id) == won[0]
            assert balance_of(session, MEMBER).held == 0
            assert offenders(session) == []
        winners |= set(won)
    assert winners <= {"settled", "void", "expired"}


def settled_or_none(hold_id, key):
    try:
        run(lambda session: settle(session, hold_id, key))
    except HoldDecided:
        return None
    return "settled"


def test_expiry_of_many_holds_beside_their_voiding_ends_without_a_deadlock(app, book):
    """Every hold of a wallet is claimed before the wallet is; nobody waits in a circle."""
    with book() as session:
        service.open_account(session, code="member:2", kind="member")
        earn(session, "award:3", 30, member="member:2")
        codes = (MEMBER, "member:2")
        ids = [place(session, f"order:{n}", 1, code=codes[n % 2]).id for n in range(20)]

    def void_each(order):
        return [decide_one_way("void", hold_id)() for hold_id in order]

    expiry = partial(run, lambda session: holding.expire_holds(session, now=TOMORROW, limit=7))
    answers = race(
        app, [partial(void_each, ids), expiry, partial(void_each, ids[::-1]), expiry, expiry]
    )
    voided = sum(won is not None for each in (answers[0], answers[2]) for won in each)
    expired = sum(answers[n] for n in (1, 3, 4))
    assert voided + expired == 20, answers
    with book() as session:
        assert balance_of(session, MEMBER).held == 0
        assert balance_of(session, "member:2").held == 0
        assert offenders(session) == []


def test_without_the_guard_two_decisions_both_win(app, book):
    """Control: each reads that the hold is open, then decides it without asking again."""
    with book() as session:
        place(session, "order:other", 5)
        placed = place(session, "order:1", 5)
    both_have_looked = threading.Barrier(2)

    def void_unguarded():
        with reading() as session:
            was_open = state_of(session, placed.id) == "open"
        both_have_looked.wait(MEET_SECONDS_MAX)
        if not was_open:
            return False
        with transaction() as session:
            unguarded = str(holding.VOID).replace("AND state = 'open'", "")
            won = session.execute(
                text(unguarded), {"hold_id": placed.id, "now": "2026-11-21 04:00:00+00:00"}
            ).one()
            session.execute(holding.RELEASE, {"wallet_id": won.wallet_id, "points": won.points})
        return True

    assert race(app, times(2, void_unguarded)) == [True, True]
    with book() as session:
        # Ten were set aside, and both releases took five off: the other order lost its points.
        assert balance_of(session, MEMBER).held == 0
        assert "held is the sum of open holds" in {each.rule for each in offenders(session)}
