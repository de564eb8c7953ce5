"""Each morning's reminding: what expires, what lapses, and days that were missed."""

import threading
from datetime import date, datetime, timedelta
from itertools import count

import pytest
from sqlalchemy import select

from pointsbank.core import clock
from pointsbank.core.db import transaction
from pointsbank.jobs import reminding
from pointsbank.jobs.errors import DayNotOver
from pointsbank.jobs.models import JobRun
from pointsbank.jobs.reminding import REMINDERS
from pointsbank.jobs.running import run_slot
from pointsbank.jobs.table import Slot, due_reminders, job_named, work_reminders
from pointsbank.ledger.posting import Posting
from pointsbank.ledger.queries import balance_of
from pointsbank.ledger.service import expire_points, open_account, post
from pointsbank.ledger.verifying import offenders
from pointsbank.messages.models import Message
from pointsbank.messages.queries import inbox
from pointsbank.passbooks import expiring
from pointsbank.passbooks.expiring import notice_due, tell_of_expiry
from tests.builders import a_member, how_many, points_spent, with_points
from tests.moments import NOON
from tests.racing import MEET_SECONDS_MAX, race, times
from tests.scoring.hands import ZONE, asked, some_hands, state_of

TODAY = NOON.date()
EXPIRES_ON = date(2027, 12, 31)
REMINDERS_AT_ONCE = 6


def in_days(days):
    return TODAY + timedelta(days=days)


def reminded(session, today=TODAY, limit=500):
    now = NOON + (today - TODAY)
    return tell_of_expiry(session, today=today, now=now, limit=limit)


def told(session, member_id):
    """Return the points and days a member was told of, the oldest first."""
    lines = reversed(inbox(session, member_id))
    return [(line.facts["points"], line.facts["expires_on"]) for line in lines]


@pytest.mark.parametrize(
    ("days_left", "notice"),
    [(61, None), (60, 60), (31, 60), (30, 30), (8, 30), (7, 7), (0, 7), (-1, None)],
)
def test_the_latest_notice_that_applies_is_due(days_left, notice):
    assert notice_due(days_left) == notice


def test_each_lot_is_told_of_sixty_thirty_and_seven_days_before(session):
    member = with_points(session, a_member(session), 50, EXPIRES_ON)
    days = [(EXPIRES_ON - timedelta(days=left)) for left in range(65, -2, -1)]
    counts = [reminded(session, day) for day in days]
    told_with = [65 - number for number, count in enumerate(counts) if count]
    assert told_with == [60, 30, 7]
    assert told(session, member) == [(50, "2027-12-31")] * 3
    keys = session.scalars(select(Message.key).order_by(Message.id)).all()
    assert [key.rsplit(":", 2)[1:] for key in keys] == [
        ["2027-12-31", notice] for notice in ("60", "30", "7")
    ]
    assert all(key.startswith("expiry:") for key in keys)


def test_what_is_spent_by_then_is_not_spoken_of(session):
    member = with_points(session, a_member(session), 50, in_days(40))
    assert reminded(session) == 1
    points_spent(session, member, 30, "redeem:1")
    assert reminded(session, in_days(15)) == 1
    points_spent(session, member, 20, "redeem:2")
    assert reminded(session, in_days(35)) == 0
    assert [points for points, _ in told(session, member)] == [50, 20]


def test_each_lot_has_its_own_notice(session):
    member = a_member(session)
    for days, points in ((5, 10), (20, 20), (50, 30), (90, 40)):
        with_points(session, member, points, in_days(days))
    assert reminded(session) == 3
    assert told(session, member) == [
        (10, in_days(5).isoformat()),
        (20, in_days(20).isoformat()),
        (30, in_days(50).isoformat()),
    ]
    assert reminded(session) == 0


def test_after_days_without_a_run_one_message_makes_good(session):
    member = with_points(session, a_member(session), 50, in_days(70))
    assert reminded(session) == 0
    assert reminded(session, in_days(45)) == 1
    assert reminded(session, in_days(46)) == 0
    assert told(session, member) == [(50, in_days(70).isoformat())]
    assert ":30" in session.scalar(select(Message.key))


def test_what_expired_and_was_not_taken_yet_is_not_announced(session):
    with_points(session, a_member(session), 50, in_days(3))
    assert reminded(session, in_days(4)) == 0
    assert expire_points(session, today=in_days(4), now=NOON + timedelta(days=4)) == 1


def test_points_in_a_fund_belong_to_nobody_who_could_be_told(session):
    open_account(session, code="fund:1", kind="fund")
    issuer = "issue:community:140303001002"
    open_account(session, code=issuer, kind="issue")
    posting = Posting(
        key="test:fund",
        kind="earn",
        source=issuer,
        target="fund:1",
        wallet="fund:1",
        points=10,
        occurred_at=NOON,
        reason="捐赠",
        expires_on=in_days(5),
        budget_month="2026-11",
    )
    post(session, posting, NOON)
    assert reminded(session) == 0


def test_notices_go_in_batches(session):
    for _ in range(5):
        with_points(session, a_member(session), 10, in_days(5))
    assert [reminded(session, limit=2) for _ in range(4)] == [2, 2, 1, 0]


def test_a_step_that_did_a_whole_batch_is_not_the_last(session, monkeypatch):
    monkeypatch.setattr(reminding, "REMINDING_BATCH", 2)
    for _ in range(3):
        with_points(session, a_member(session), 10, in_days(5))
    steps = [work_reminders(session, "2026-11-21", ZONE, NOON) for _ in range(2)]
    assert [(s.count, s.is_last) for s in steps] == [(2, False), (1, True)]


def test_of_many_who_remind_at_once_each_member_is_told_once(app, writing):
    with writing() as session:
        members = [with_points(session, a_member(session), 10, in_days(5)) for _ in range(4)]

    def remind_once():
        with transaction() as session:
            return reminded(session)

    answers = race(app, times(REMINDERS_AT_ONCE, remind_once))
    assert sum(answers) == len(members)
    with writing() as session:
        assert how_many(session, Message) == len(members)
        assert offenders(session) == []


@pytest.mark.engine("postgresql")
def test_control_without_the_key_several_are_told(app, writing, monkeypatch):
    """Name each message anew: all have seen that nobody was told before one tells."""
    everyone_has_looked = threading.Barrier(REMINDERS_AT_ONCE, timeout=MEET_SECONDS_MAX)
    numbers, expiring_tell = count(), expiring.tell

    def tell_anew(session, *, key, **more):
        everyone_has_looked.wait()
        return expiring_tell(session, key=f"{key}:{next(numbers)}", **more)

    monkeypatch.setattr(expiring, "tell", tell_anew)
    with writing() as session:
        with_points(session, a_member(session), 10, in_days(5))

    def remind_once():
        with transaction() as session:
            return reminded(session)

    assert race(app, times(REMINDERS_AT_ONCE, remind_once)) == [1] * REMINDERS_AT_ONCE


def at(text):
    return datetime.fromisoformat(f"{text}+08:00")


@pytest.mark.parametrize(
    ("moment", "morning"),
    [("2026-11-21T07:59", "2026-11-20"), ("2026-11-21T08:00", "2026-11-21")],
)
def test_people_are_reminded_in_the_morning(moment, morning):
    assert due_reminders(at(moment), ZONE) == [Slot(morning, morning)]


@pytest.mark.parametrize("period", ["2026-11-22", "2026-Q4", "", "２０２６-11-21"])
def test_nobody_is_reminded_ahead_of_the_day(session, period):
    with pytest.raises(DayNotOver):
        work_reminders(session, period, ZONE, NOON)


def test_the_job_lapses_reminds_and_tells(session):
    hands = some_hands(session)
    with_points(session, hands.member_id, 10, in_days(30))
    old = asked(session, hands, now=NOON - timedelta(days=7))
    soon = asked(session, hands, now=NOON - timedelta(days=6))
    assert len(REMINDERS) >= 3
    work_reminders(session, "2026-11-21", ZONE, NOON)
    assert state_of(session, old.id) == "lapsed"
    assert state_of(session, soon.id) == "pending"
    kinds = [line.kind for line in inbox(session, hands.secretary_id)]
    assert kinds[0] == "adjustment_lapsing"
    assert [line.kind for line in inbox(session, hands.member_id)] == ["points_expire"]
    assert work_reminders(session, "2026-11-21", ZONE, NOON).count == 0


def test_the_scheduler_makes_a_missed_morning_good(app, writing):
    """Run what is due in real time, as after days without a scheduler."""
    today = clock.now().astimezone(ZONE).date()
    with writing() as session:
        member = with_points(session, a_member(session), 10, today + timedelta(days=5))
    job = job_named("reminders")
    [slot] = job.due(clock.now(), ZONE)
    with app.app_context():
        assert run_slot(job, slot, zone=ZONE) == 1
        assert run_slot(job, slot, zone=ZONE) is None
    with writing() as session:
        assert len(inbox(session, member)) == 1
        assert session.scalars(select(JobRun.state)).all() == ["done"]
        assert balance_of(session, f"member:{member}").available == 10
