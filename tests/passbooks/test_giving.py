"""Gifts: to whom, how much, of which points, once, and how one is taken back."""

import threading
from datetime import UTC, date, datetime, timedelta
from functools import partial

import pytest
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from pointsbank.core.actor import Actor, Grant
from pointsbank.core.db import reading, run, transaction
from pointsbank.core.errors import KeyReused
from pointsbank.ledger.errors import NotEnoughPoints, PartOfMove
from pointsbank.ledger.models import Transfer
from pointsbank.ledger.moving import Moved, move
from pointsbank.ledger.queries import balance_of, book_lines, expiring_points
from pointsbank.ledger.service import reverse
from pointsbank.ledger.verifying import offenders
from pointsbank.members.errors import MemberSuspended
from pointsbank.members.models import Member
from pointsbank.passbooks.errors import (
    GiftMonthFull,
    GiftNotFound,
    GiftToOneself,
    NotOfHousehold,
    OwnGift,
    ReceivedPoints,
)
from pointsbank.passbooks.gifts import entries_of, gift_of, gifts_of, month_left
from pointsbank.passbooks.giving import Given, move_of, take_gift_back
from pointsbank.passbooks.models import Gift, GiftMonth
from pointsbank.passbooks.policy import giftable_points
from tests.builders import (
    an_organization,
    how_many,
    points_spent,
    with_points,
)
from tests.moments import NOON
from tests.passbooks.family import ZONE, Family, a_keeper
from tests.racing import MEET_SECONDS_MAX, race, times

# The last minute of November in Yangquan, and the first of December.
NOVEMBER = datetime(2026, 11, 30, 15, 59, tzinfo=UTC)
DECEMBER = NOVEMBER + timedelta(minutes=1)


@pytest.fixture
def family(app, writing):
    people = Family(app)
    with writing() as session:
        people.settle_in(session)
        with_points(session, people.grandmother, 500)
    return people


def balance(session, member_id):
    return balance_of(session, f"member:{member_id}").available


def test_a_gift_moves_points_between_two_books(family, writing):
    given = family.give(family.grandmother, family.granddaughter, 50, words="买本子")
    assert (given.points, given.balance_after, given.is_replay) == (50, 450, False)
    with writing() as session:
        assert balance(session, family.granddaughter) == 50
        out = book_lines(session, f"member:{family.grandmother}")[0]
        into = book_lines(session, f"member:{family.granddaughter}")[0]
        assert (out.kind, out.points, out.key) == ("gift_out", -50, f"gift:{given.id}:out")
        assert (into.kind, into.points, into.key) == ("gift_in", 50, f"gift:{given.id}:in")
        # The words stay out of the ledger, which is sealed and shown to others.
        assert "买本子" not in out.reason + into.reason
        line = gift_of(session, given.id)
        assert (line.giver_name, line.receiver_name, line.words) == ("王*兰", "李*雨", "买本子")
        assert month_left(session, family.grandmother, "2026-11") == 150
        assert offenders(session) == []


def test_lots_keep_the_days_on_which_they_expire(family, writing):
    soon = date(2026, 12, 15)
    with writing() as session:
        with_points(session, family.son, 30, expires_on=soon)
        with_points(session, family.son, 100)
    family.give(family.son, family.granddaughter, 40)
    with writing() as session:
        lots = expiring_points(session, f"member:{family.granddaughter}")
        assert [(lot.expires_on, lot.points) for lot in lots] == [
            (soon, 30),
            (date(2027, 12, 31), 10),
        ]


def test_gifts_stay_within_the_household(family, writing):
    with pytest.raises(NotOfHousehold):
        family.give(family.grandmother, family.neighbour, 10)
    with pytest.raises(NotOfHousehold):
        family.give(family.neighbour, family.grandmother, 10)
    with pytest.raises(NotOfHousehold):
        family.give(family.grandmother, 9_000_000, 10)
    with pytest.raises(GiftToOneself):
        family.give(family.grandmother, family.grandmother, 10)
    with writing() as session:
        session.get_one(Member, family.son).state = "suspended"
    with pytest.raises(MemberSuspended):
        family.give(family.grandmother, family.son, 10)
    with writing() as session:
        assert how_many(session, Gift) == how_many(session, GiftMonth) == 0


def test_the_database_refuses_a_gift_to_oneself_and_a_month_above_the_limit(family, writing):
    rows = [
        Gift(
            key="k",
            giver_id=family.son,
            receiver_id=family.son,
            points=1,
            words="",
            given_at=NOON,
        ),
        GiftMonth(member_id=family.son, month="2026-11", points=201),
    ]
    for row in rows:
        with pytest.raises(IntegrityError), writing() as session:
            session.add(row)


def test_a_month_holds_so_many_points_and_a_new_one_begins_at_local_midnight(family, writing):
    family.give(family.grandmother, family.son, 150, now=NOVEMBER)
    with pytest.raises(GiftMonthFull) as refused:
        family.give(family.grandmother, family.granddaughter, 51, now=NOVEMBER)
    assert refused.value.facts == {"left": 50, "limit": 200}
    family.give(family.grandmother, family.granddaughter, 50, now=NOVEMBER)
    family.give(family.grandmother, family.granddaughter, 200, now=DECEMBER)
    with pytest.raises(GiftMonthFull):
        family.give(family.grandmother, family.son, 1, now=DECEMBER)
    with writing() as session:
        months = session.scalars(select(GiftMonth).order_by(GiftMonth.month))
        assert [(each.month, each.points) for each in months] == [
            ("2026-11", 200),
            ("2026-12", 200),
        ]
        assert balance(session, family.grandmother) == 100


def test_more_than_a_month_holds_is_refused_at_once(family):
    with pytest.raises(GiftMonthFull):
        family.give(family.grandmother, family.son, 201)
    with pytest.raises(ValueError, match="a gift of 0 points"):
        family.give(family.grandmother, family.son, 0)


def test_more_than_there_is_cannot_be_given(family, writing):
    with writing() as session:
        with_points(session, family.son, 20)
    with pytest.raises(NotEnoughPoints):
        family.give(family.son, family.granddaughter, 21)
    with writing() as session:
        assert how_many(session, Gift) == how_many(session, GiftMonth) == 0


def test_what_was_received_is_not_given_on(family, writing):
    with writing() as session:
        with_points(session, family.son, 30)
    family.give(family.grandmother, family.son, 100)
    with pytest.raises(ReceivedPoints) as refused:
        family.give(family.son, family.granddaughter, 31)
    assert refused.value.facts == {"giftable": 30}
    family.give(family.son, family.granddaughter, 30)


def test_redeeming_and_voiding_does_not_make_a_gift_one_s_own(family, writing):
    family.give(family.grandmother, family.son, 100)
    with writing() as session:
        spent = points_spent(session, family.son, 100, "redeem:R1")
        reverse(
            session,
            transfer_id=spent,
            key="void:1",
            reason="拿错了",
            actor_id=None,
            today=NOON.date(),
            now=NOON,
        )
        assert balance(session, family.son) == 100
    with pytest.raises(ReceivedPoints):
        family.give(family.son, family.granddaughter, 1)


def test_a_repeat_gives_once_and_another_wish_under_the_key_is_refused(family, writing):
    first = family.give(family.grandmother, family.son, 200, key="tap")
    again = family.give(family.grandmother, family.son, 200, key="tap")
    assert (again.id, again.balance_after, again.is_replay) == (first.id, 300, True)
    with pytest.raises(KeyReused):
        family.give(family.grandmother, family.son, 199, key="tap")
    with writing() as session:
        assert how_many(session, Gift) == 1
        with_points(session, family.son, 10)
    # Another person's same key is another wish.
    assert not family.give(family.son, family.grandmother, 5, key="tap").is_replay


def taking_back(gift_id, actor, reason="按错了人", now=NOON):
    return partial(
        run,
        lambda session: take_gift_back(
            session, gift_id=gift_id, actor=actor, reason=reason, zone=ZONE, now=now
        ),
    )


def test_an_administrator_takes_both_rows_back(app, family, writing):
    given = family.give(family.grandmother, family.son, 120)
    with writing() as session:
        keeper = a_keeper(session)
    with app.app_context():
        moved = taking_back(given.id, keeper)()
        again = taking_back(given.id, keeper, now=NOON + timedelta(days=40))()
    assert isinstance(moved, Moved)
    assert (again.out.id, again.out.is_replay) == (moved.out.id, True)
    with writing() as session:
        assert balance(session, family.grandmother) == 500
        assert balance(session, family.son) == 0
        assert month_left(session, family.grandmother, "2026-11") == 200
        assert gift_of(session, given.id).is_taken_back
        # What came back is the giver's own again, and no line of the receiver's is.
        assert offenders(session) == []
    assert family.give(family.grandmother, family.granddaughter, 200).points == 200


def test_one_row_of_a_gift_is_not_taken_back_alone(family, writing):
    given = family.give(family.grandmother, family.son, 120)
    with writing() as session:
        row = session.scalar(select(Transfer.id).where(Transfer.key == f"gift:{given.id}:in"))
    with pytest.raises(PartOfMove), writing() as session:
        reverse(
            session,
            transfer_id=row,
            key="void:1",
            reason="按错了",
            actor_id=None,
            today=NOON.date(),
            now=NOON,
        )


def test_a_gift_that_was_spent_cannot_be_taken_back(app, family, writing):
    given = family.give(family.grandmother, family.son, 120)
    with writing() as session:
        points_spent(session, family.son, 1, "redeem:R1")
        keeper = a_keeper(session)
    with pytest.raises(NotEnoughPoints), app.app_context():
        taking_back(given.id, keeper)()
    with writing() as session:
        assert month_left(session, family.grandmother, "2026-11") == 80
        assert not gift_of(session, given.id).is_taken_back


def test_whoever_takes_a_gift_back_oversees_both_and_is_neither(app, family, writing):
    given = family.give(family.grandmother, family.son, 20)
    with writing() as session:
        home = session.get_one(Member, family.son).organization_id
        other = an_organization(session, "140303001003", "community")
        session.get_one(Member, family.son).organization_id = other
        own_only = Actor(1, "", 0, 0, (Grant("administrator", f"/{home}/"),))
    for foreign in (
        own_only,
        Actor(1, "", 0, 0),
        Actor(1, "", 0, 0, (Grant("secretary", "/"),)),
    ):
        with pytest.raises(GiftNotFound), app.app_context():
            taking_back(given.id, foreign)()
    with pytest.raises(GiftNotFound), app.app_context():
        taking_back(999_999, Actor(1, "", 0, 0, (Grant("administrator", "/"),)))()
    for part in (family.grandmother, family.son):
        with pytest.raises(OwnGift), app.app_context():
            taking_back(given.id, Actor(part, "", 0, 0, (Grant("administrator", "/"),)))()


def given_of(answers):
    return [answer for answer in answers if isinstance(answer, Given)]


def test_gifts_at_once_stay_within_the_month(app, family, writing):
    answers = race(
        app,
        [
            family.giving(family.grandmother, to, 50)
            for to in (family.son, family.granddaughter) * 4
        ],
    )
    assert len(given_of(answers)) == 4, answers
    assert sum(isinstance(answer, GiftMonthFull) for answer in answers) == 4
    with writing() as session:
        assert month_left(session, family.grandmother, "2026-11") == 0
        assert balance(session, family.grandmother) == 300
        assert offenders(session) == []


def test_without_the_row_of_the_month_gifts_at_once_pass_its_limit(app, family, writing):
    """Control: each looks what is left of the month, then gives without counting it."""
    everyone_has_looked = threading.Barrier(3)

    def give_unguarded(number: int) -> bool:
        with reading() as session:
            left = month_left(session, family.grandmother, "2026-11")
        everyone_has_looked.wait(MEET_SECONDS_MAX)
        if left < 150:
            return False
        with transaction() as session:
            give_without_guard(session, family, 150, number)
        return True

    assert race(app, [partial(give_unguarded, n) for n in range(3)]) == [True] * 3
    with writing() as session:
        assert balance(session, family.son) == 450


def give_without_guard(session, family, points, number, giver=None, receiver=None):
    gift = Gift(
        key=f"unguarded:{number}",
        giver_id=giver or family.grandmother,
        receiver_id=receiver or family.son,
        points=points,
        words="",
        given_at=NOON,
    )
    session.add(gift)
    session.flush()
    move(session, move_of(gift), NOON)


def test_one_key_in_many_threads_gives_once(app, family, writing):
    act = family.giving(family.grandmother, family.son, 200, key="tap")
    answers = race(app, times(12, act))
    assert len(given_of(answers)) == 12, answers
    assert len({answer.id for answer in answers}) == 1
    assert sum(not answer.is_replay for answer in answers) == 1
    with writing() as session:
        assert how_many(session, Gift) == 1
        assert balance(session, family.son) == 200
        assert offenders(session) == []


def chain(family, writing, own, received):
    """Let the son have points of both kinds; return nothing."""
    with writing() as session:
        with_points(session, family.son, own)
    family.give(family.grandmother, family.son, received)


def test_two_gifts_at_once_do_not_give_on_what_was_received(app, family, writing):
    """At the turn of a month the two have different rows of the month: the book is locked."""
    chain(family, writing, 60, 100)
    answers = race(
        app,
        [
            family.giving(family.son, family.granddaughter, 60, now=moment)
            for moment in (NOVEMBER, DECEMBER) * 3
        ],
    )
    assert len(given_of(answers)) == 1, answers
    assert sum(isinstance(answer, ReceivedPoints) for answer in answers) == 5
    with writing() as session:
        assert balance(session, family.granddaughter) == 60
        assert offenders(session) == []


def test_without_the_lock_on_the_book_received_points_are_given_on(app, family, writing):
    """Control: each reads what was earned before the other has written."""
    chain(family, writing, 60, 100)
    everyone_has_read = threading.Barrier(2)

    def give_unguarded(number: int) -> bool:
        from_pocket = earned_points(family.son)
        everyone_has_read.wait(MEET_SECONDS_MAX)
        if from_pocket < 60:
            return False
        with transaction() as session:
            give_without_guard(
                session, family, 60, number, giver=family.son, receiver=family.granddaughter
            )
        return True

    assert race(app, [partial(give_unguarded, n) for n in range(2)]) == [True] * 2
    with writing() as session:
        assert balance(session, family.granddaughter) == 120


def earned_points(member_id):
    with reading() as session:
        return giftable_points(entries_of(session, member_id), balance(session, member_id))


def test_opposite_gifts_at_once_do_not_wait_for_each_other_for_ever(app, family, writing):
    with writing() as session:
        with_points(session, family.son, 500)
    acts = []
    for _ in range(4):
        acts.append(family.giving(family.grandmother, family.son, 10))
        acts.append(family.giving(family.son, family.grandmother, 10))
    answers = race(app, acts)
    assert len(given_of(answers)) == 8, answers
    with writing() as session:
        assert balance(session, family.son) == balance(session, family.grandmother) == 500
        assert offenders(session) == []


def test_a_gift_is_taken_back_once_by_many_at_once(app, family, writing):
    given = family.give(family.grandmother, family.son, 50)
    with writing() as session:
        keepers = [a_keeper(session) for _ in range(3)]
    acts = [taking_back(given.id, keeper, reason="按错了人") for keeper in keepers * 2]
    acts.append(family.giving(family.grandmother, family.son, 10))
    answers = race(app, acts)
    assert [type(answer) for answer in answers] == [Moved] * 6 + [Given], answers
    assert sum(not answer.out.is_replay for answer in answers[:6]) == 1
    with writing() as session:
        assert month_left(session, family.grandmother, "2026-11") == 190
        assert balance(session, family.grandmother) == 490
        assert offenders(session) == []


def test_one_s_gifts_are_listed_newest_first(family, writing):
    ids = [family.give(family.grandmother, family.son, 10).id for _ in range(3)]
    with writing() as session:
        mine = gifts_of(session, family.son, limit=2)
        assert [gift.id for gift in mine] == ids[:0:-1]
        assert [g.id for g in gifts_of(session, family.son, before_id=ids[1])] == ids[:1]
        assert gifts_of(session, family.granddaughter) == []
