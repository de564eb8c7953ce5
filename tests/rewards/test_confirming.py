"""Above 200 points: nothing moves before the member says yes, and everything returns if not."""

import threading
from datetime import timedelta
from functools import partial

import pytest
from sqlalchemy import text

from pointsbank.core.actor import Actor, Grant
from pointsbank.core.db import reading, run, transaction
from pointsbank.core.errors import Refusal
from pointsbank.ledger.holding import expire_holds
from pointsbank.ledger.queries import balance_of, book_lines
from pointsbank.ledger.verifying import offenders
from pointsbank.members.codes import CONFIRM_ABOVE
from pointsbank.rewards import confirming as confirming_file
from pointsbank.rewards.confirming import (
    confirm_redemption,
    decline_redemption,
    lapse_next_confirmation,
)
from pointsbank.rewards.errors import (
    AlreadyConfirmed,
    ConfirmationOver,
    MemberConfirms,
    RedemptionNotFound,
)
from pointsbank.rewards.queries import RedemptionLine, had_by, redemption_of, reward_of
from pointsbank.rewards.redeeming import CONFIRM_SECONDS
from tests.builders import a_member, a_merchant, a_reward, with_points
from tests.moments import NOON
from tests.racing import MEET_SECONDS_MAX, after_looking, forget_guard, race, times
from tests.rewards.traces import everything

DEAR = 250
WAITS = "state = 'waiting' AND confirm_by > :now"
PAY = "UPDATE wallet SET posted = posted - 250, held = 0 WHERE held = 250"
IN_TIME = NOON + timedelta(seconds=CONFIRM_SECONDS - 1)
TOO_LATE = NOON + timedelta(seconds=CONFIRM_SECONDS)


@pytest.fixture
def dear(counter, writing) -> int:
    """A rice cooker of 250 points, four in stock, and a member who could pay for one."""
    with writing() as session:
        with_points(session, counter.member_id, 200)
        session.execute(text("UPDATE merchant SET month_points_max = 5000"))
        return a_reward(session, counter.merchant_id, "电饭煲", DEAR, 4, limit_per_member=2)


@pytest.fixture
def waiting(counter, writing, dear):
    """A deal that waits."""
    code = counter.code(now=NOON)
    with writing() as session:
        return counter.redeem(session, counter.order(code, reward_id=dear))


def someone(member_id: int, *grants: Grant) -> Actor:
    return Actor(member_id, "某人", 1, 1, grants)


def clerk_of(counter) -> Actor:
    return someone(counter.clerk_id, Grant("clerk", None, counter.merchant_id))


def counted(session, counter, reward_id) -> tuple[int, int, int, int]:
    """Return stock, share, day and month as they are counted."""
    day = session.scalar(text("SELECT COALESCE(SUM(points), 0) FROM spent_by_day"))
    month = session.scalar(text("SELECT COALESCE(SUM(points), 0) FROM merchant_month"))
    stock = reward_of(session, reward_id).stock
    return stock, had_by(session, reward_id, counter.member_id), day, month


def test_up_to_200_points_nobody_is_asked(counter, writing):
    with writing() as session:
        with_points(session, counter.member_id, 200)
        edge = a_reward(session, counter.merchant_id, points=CONFIRM_ABOVE)
        over = a_reward(session, counter.merchant_id, points=CONFIRM_ABOVE + 1)
    for reward_id, state in ((edge, "completed"), (over, "waiting")):
        code = counter.code(now=NOON)
        with writing() as session:
            with_points(session, counter.member_id, 200)
            done = counter.redeem(session, counter.order(code, reward_id=reward_id))
            assert done.state == state


def test_what_waits_is_held_and_no_more(counter, writing, waiting, dear):
    assert (waiting.state, waiting.balance_after) == ("waiting", None)
    assert waiting.confirm_by == TOO_LATE
    with writing() as session:
        balance = balance_of(session, f"member:{counter.member_id}")
        assert (balance.posted, balance.available) == (300, 50)
        assert counted(session, counter, dear) == (3, 1, DEAR, DEAR)
        assert balance_of(session, f"merchant:{counter.merchant_id}").posted == 0
        states = session.scalars(text("SELECT state FROM redemption_code")).all()
        assert states == ["used"]
        assert offenders(session) == []


def test_a_yes_moves_the_points_once(counter, writing, waiting, dear):
    member = someone(counter.member_id)
    with writing() as session:
        line = confirm_redemption(session, redemption_id=waiting.id, actor=member, now=IN_TIME)
        assert (line.state, line.balance_after) == ("completed", 50)
    with writing() as session:
        before = everything(session)
    with writing() as session:
        again = confirm_redemption(
            session, redemption_id=waiting.id, actor=member, now=TOO_LATE
        )
        assert again == line
    with pytest.raises(AlreadyConfirmed), writing() as session:
        decline_redemption(session, redemption_id=waiting.id, actor=member, now=IN_TIME)
    with writing() as session:
        assert everything(session) == before
        booked = book_lines(session, f"member:{counter.member_id}")[0]
        assert (booked.points, booked.key) == (-DEAR, f"redeem:{waiting.number}")
        assert counted(session, counter, dear) == (3, 1, DEAR, DEAR)
        assert not lapse_next_confirmation(session, now=TOO_LATE)
        assert offenders(session) == []


@pytest.mark.parametrize("who", ["member", "clerk"])
def test_a_no_returns_everything_once(counter, writing, waiting, dear, who):
    actor = someone(counter.member_id) if who == "member" else clerk_of(counter)
    for _ in range(2):
        with writing() as session:
            line = decline_redemption(
                session, redemption_id=waiting.id, actor=actor, now=IN_TIME
            )
            assert line.state == "declined"
    with writing() as session:
        assert counted(session, counter, dear) == (4, 0, 0, 0)
        assert offenders(session) == []
    assert counter.points() == 300
    with pytest.raises(ConfirmationOver), writing() as session:
        confirm_redemption(
            session,
            redemption_id=waiting.id,
            actor=someone(counter.member_id),
            now=IN_TIME,
        )


def test_a_minute_that_goes_by_returns_everything(counter, writing, waiting, dear):
    with writing() as session:
        assert not lapse_next_confirmation(session, now=IN_TIME)
        assert redemption_of(session, waiting.id).state_at(IN_TIME) == "waiting"
        assert redemption_of(session, waiting.id).state_at(TOO_LATE) == "lapsed"
    with pytest.raises(ConfirmationOver), writing() as session:
        confirm_redemption(
            session,
            redemption_id=waiting.id,
            actor=someone(counter.member_id),
            now=TOO_LATE,
        )
    with writing() as session:
        assert lapse_next_confirmation(session, now=TOO_LATE)
        assert not lapse_next_confirmation(session, now=TOO_LATE)
    with writing() as session:
        assert redemption_of(session, waiting.id).state == "lapsed"
        assert counted(session, counter, dear) == (4, 0, 0, 0)
        assert offenders(session) == []
    assert counter.points() == 300


def test_a_no_that_comes_too_late_lapses_it(counter, writing, waiting, dear):
    with writing() as session:
        line = decline_redemption(
            session, redemption_id=waiting.id, actor=clerk_of(counter), now=TOO_LATE
        )
        assert line.state == "lapsed"
        assert counted(session, counter, dear) == (4, 0, 0, 0)


def test_the_nights_expiry_of_holds_may_come_first(counter, writing, waiting, dear):
    with writing() as session:
        assert expire_holds(session, now=TOO_LATE) == 1
    assert counter.points() == 300
    with writing() as session:
        assert lapse_next_confirmation(session, now=TOO_LATE)
        assert counted(session, counter, dear) == (4, 0, 0, 0)
        assert offenders(session) == []
    assert counter.points() == 300


def test_only_the_member_says_yes(counter, writing, waiting):
    with writing() as session:
        stranger = someone(a_member(session, "张伟"))
        elsewhere = someone(
            a_member(session), Grant("clerk", None, a_merchant(session, "别家店"))
        )
    cases = [
        (confirm_redemption, clerk_of(counter), MemberConfirms),
        (confirm_redemption, stranger, RedemptionNotFound),
        (decline_redemption, stranger, RedemptionNotFound),
        (decline_redemption, elsewhere, RedemptionNotFound),
    ]
    for act, actor, refusal in cases:
        with pytest.raises(refusal), writing() as session:
            act(session, redemption_id=waiting.id, actor=actor, now=IN_TIME)
    with writing() as session:
        assert redemption_of(session, waiting.id).state == "waiting"


@pytest.mark.parametrize("way", ["card", "pin"])
def test_six_digits_are_a_yes(counter, writing, dear, way):
    shown = {"card": counter.card()} if way == "card" else {"code": counter.code(now=NOON)}
    order = counter.order(reward_id=dear, **shown)
    with writing() as session:
        done = counter.redeem(session, order, is_confirmed=way == "pin")
    assert (done.state, done.balance_after) == ("completed", 50)


def test_what_was_confirmed_can_be_voided(counter, writing, waiting, dear):
    with writing() as session:
        confirm_redemption(
            session,
            redemption_id=waiting.id,
            actor=someone(counter.member_id),
            now=IN_TIME,
        )
    with writing() as session:
        counter.void(session, waiting.id)
        assert counted(session, counter, dear) == (4, 0, 0, 0)
        assert offenders(session) == []
    assert counter.points() == 300


def test_what_waits_cannot_be_voided(counter, writing, waiting):
    with pytest.raises(RedemptionNotFound), writing() as session:
        counter.void(session, waiting.id)


def confirming(counter, waiting):
    return partial(
        run,
        partial(
            confirm_redemption,
            redemption_id=waiting.id,
            actor=someone(counter.member_id),
            now=IN_TIME,
        ),
    )


def test_many_yeses_at_once_move_the_points_once(counter, writing, waiting, dear):
    answers = race(counter.app, times(8, confirming(counter, waiting)))
    assert {answer.state for answer in answers} == {"completed"}, answers
    assert counter.points() == 50
    with writing() as session:
        booked = book_lines(session, f"member:{counter.member_id}")
        assert [line.points for line in booked].count(-DEAR) == 1
        assert counted(session, counter, dear) == (3, 1, DEAR, DEAR)
        assert noted(session, "confirm_redemption") == 1
        assert offenders(session) == []


def noted(session, action: str) -> int:
    asked = text("SELECT COUNT(*) FROM audit_entry WHERE action = :action")
    return session.scalar(asked, {"action": action})


def it_waits(waiting):
    """Return a look whether a deal waits."""
    return lambda session: redemption_of(session, waiting.id).state == "waiting"


def test_without_the_claim_a_yes_counts_as_often_as_it_was_seen_to_wait(
    counter, writing, waiting, monkeypatch
):
    """Control: the ledger's hold keeps the points, but two are told that they decided."""
    forget_guard(monkeypatch, confirming_file, "CLAIM", WAITS)
    yeses = times(2, confirming(counter, waiting))
    answers = race(counter.app, after_looking(it_waits(waiting), yeses))
    assert [answer.state for answer in answers] == ["completed"] * 2, answers
    with writing() as session:
        assert noted(session, "confirm_redemption") == 2
        assert offenders(session) == []


@pytest.fixture
def calling_off(counter, waiting):
    """The member's no and the counter's."""
    return [
        partial(
            run,
            partial(decline_redemption, redemption_id=waiting.id, actor=who, now=IN_TIME),
        )
        for who in (someone(counter.member_id), clerk_of(counter))
    ]


def test_two_noes_at_once_return_everything_once(counter, writing, waiting, dear, calling_off):
    answers = race(counter.app, calling_off * 3)
    assert [answer.state for answer in answers] == ["declined"] * 6, answers
    assert counter.points() == 300
    with writing() as session:
        assert counted(session, counter, dear) == (4, 0, 0, 0)
        assert noted(session, "decline_redemption") == 1
        assert offenders(session) == []


def test_without_the_guard_two_noes_return_a_piece_twice(
    counter, writing, waiting, dear, calling_off, monkeypatch
):
    """Control: another deal waits, whose piece and share the second no gives back."""
    with writing() as session:
        with_points(session, counter.member_id, 200)
    code = counter.code(now=NOON)
    with writing() as session:
        counter.redeem(session, counter.order(code, reward_id=dear))
        assert counted(session, counter, dear)[:2] == (2, 2)
    forget_guard(monkeypatch, confirming_file, "DECLINE", "state = 'waiting'")
    answers = race(counter.app, after_looking(it_waits(waiting), calling_off))
    assert [answer.state for answer in answers] == ["declined"] * 2, answers
    with writing() as session:
        assert counted(session, counter, dear)[:2] == (4, 0)


@pytest.mark.parametrize("opponent", ["declines", "lapses"])
def test_a_yes_and_its_opposite_at_once_end_in_one_of_them(counter, writing, dear, opponent):
    """Six deals, each with a yes and a no, or a lapse judged by a clock that is ahead."""
    for _ in range(6):
        code = counter.code(now=NOON)
        with writing() as session:
            deal = counter.redeem(session, counter.order(code, reward_id=dear))
        decline = partial(
            decline_redemption, redemption_id=deal.id, actor=clerk_of(counter), now=IN_TIME
        )
        lapse = partial(lapse_next_confirmation, now=TOO_LATE)
        no = partial(run, decline if opponent == "declines" else lapse)
        answers = race(counter.app, [confirming(counter, deal), no, no])
        is_yes = isinstance(answers[0], RedemptionLine)
        with writing() as session:
            line = redemption_of(session, deal.id)
            taken = (3, 1, DEAR, DEAR) if is_yes else (4, 0, 0, 0)
            assert counted(session, counter, dear) == taken, answers
            assert line.state == ("completed" if is_yes else line.state)
            assert (line.state in ("declined", "lapsed")) is not is_yes, answers
            assert offenders(session) == []
        if is_yes:
            with writing() as session:
                counter.void(session, deal.id)
        else:
            assert isinstance(answers[0], ConfirmationOver), answers
    assert counter.points() == 300


def test_without_the_guard_a_yes_and_a_lapse_both_count(counter, writing, waiting, dear):
    """Control: look whether it waits, then write what was decided."""

    both_have_looked = threading.Barrier(2)

    def it_waits() -> bool:
        with reading() as session:
            is_waiting = redemption_of(session, waiting.id).state == "waiting"
        both_have_looked.wait(MEET_SECONDS_MAX)
        return is_waiting

    def yes() -> bool:
        if it_waits():
            with transaction() as session:
                session.execute(text(PAY))
            return True
        return False

    def lapse() -> bool:
        if it_waits():
            with transaction() as session:
                session.execute(
                    text("UPDATE reward SET stock = stock + 1 WHERE id = :id"), {"id": dear}
                )
            return True
        return False

    assert race(counter.app, [yes, lapse]) == [True, True]
    with writing() as session:
        # Handed over and paid for, and back on the shelf.
        assert reward_of(session, dear).stock == 4


def test_a_refused_deal_above_200_leaves_nothing(counter, writing, dear):
    with writing() as session:
        session.execute(text("UPDATE merchant SET month_points_max = 249"))
    order = counter.order(counter.code(now=NOON), reward_id=dear)
    with writing() as session:
        before = everything(session)
    with pytest.raises(Refusal) as refused, writing() as session:
        counter.redeem(session, order)
    assert refused.value.code == "month_full"
    with writing() as session:
        assert everything(session) == before
