"""Reminders of shifts: a day and two hours before, each once, not to whoever just claimed."""

from datetime import timedelta

import pytest
from sqlalchemy import select, update

from pointsbank.core.db import run
from pointsbank.jobs.shifts import look_ahead
from pointsbank.jobs.table import job_named
from pointsbank.messages.models import Message
from pointsbank.messages.queries import inbox
from pointsbank.tasks.models import Claim, Invitation, Shift, Task
from pointsbank.tasks.reminding import remind_of_shifts, warn_of_unclaimed
from tests.builders import SHANGHAI, a_claim, a_member, a_shift, with_role
from tests.moments import NOON
from tests.racing import race, times
from tests.tasks.inviting_scene import IN_THREE_DAYS, a_scene, an_invitation, kept

STARTS = NOON + timedelta(days=2)
SECOND = timedelta(seconds=1)


def reminded(session, member_id):
    return sum(line.kind == "shift_soon" for line in inbox(session, member_id))


def remind(session, now):
    return remind_of_shifts(session, now=now, limit=100)


def test_a_person_is_reminded_a_day_and_two_hours_before_each_once(session):
    shift_id, member_id = a_shift(session, STARTS), a_member(session)
    a_claim(session, shift_id, member_id)
    steps = [
        (timedelta(hours=24) + SECOND, 0),
        (timedelta(hours=24), 1),
        (timedelta(hours=23), 1),
        (timedelta(hours=2) + SECOND, 1),
        (timedelta(hours=2), 2),
        (timedelta(minutes=1), 2),
        (timedelta(0), 2),
    ]
    for before, told in steps:
        for _ in range(2):
            remind(session, STARTS - before)
        assert reminded(session, member_id) == told, before
    facts = inbox(session, member_id)[0].facts
    assert (facts["task"], facts["place"]) == ("河道清洁", "东门桥头")


def test_who_claims_later_than_that_knows_it_still(session):
    shift_id = a_shift(session, STARTS)
    day, hours = a_member(session), a_member(session)
    a_claim(session, shift_id, day, now=STARTS - timedelta(hours=23))
    a_claim(session, shift_id, hours, now=STARTS - timedelta(hours=1))
    for before in (timedelta(hours=22), timedelta(minutes=59)):
        remind(session, STARTS - before)
    assert (reminded(session, day), reminded(session, hours)) == (1, 0)


def test_who_moved_up_counts_from_then(session):
    shift_id, member_id = a_shift(session, STARTS), a_member(session)
    claim = a_claim(session, shift_id, member_id)
    moved = {"promoted_at": STARTS - timedelta(hours=20)}
    session.execute(update(Claim).where(Claim.id == claim.id).values(**moved))
    assert remind(session, STARTS - timedelta(hours=19)) == 0
    assert remind(session, STARTS - timedelta(hours=2)) == 1


@pytest.mark.parametrize(
    "change",
    [
        (Task, {"state": "cancelled"}),
        (Shift, {"called_off_at": NOON}),
        (Claim, {"state": "withdrawn"}),
        (Claim, {"state": "waitlisted"}),
    ],
    ids=str,
)
def test_nobody_is_reminded_of_what_they_do_not_go_to(session, change):
    a_claim(session, a_shift(session, STARTS))
    table, values = change
    session.execute(update(table).values(**values))
    assert remind(session, STARTS - timedelta(hours=20)) == 0


def test_after_a_pause_only_what_still_applies_is_told(session):
    member_id = a_member(session)
    a_claim(session, a_shift(session, STARTS), member_id)
    assert remind(session, STARTS - timedelta(hours=1)) == 1
    assert reminded(session, member_id) == 1


def test_a_moved_shift_is_a_new_occasion(session):
    shift_id, member_id = a_shift(session, STARTS), a_member(session)
    a_claim(session, shift_id, member_id)
    assert remind(session, STARTS - timedelta(hours=20)) == 1
    session.execute(update(Shift).values(starts_at=STARTS + timedelta(hours=1)))
    assert remind(session, STARTS - timedelta(hours=20)) == 1


def test_a_batch_bounds_a_transaction_and_the_next_goes_on(session):
    shift_id = a_shift(session, STARTS)
    for _ in range(5):
        a_claim(session, shift_id)
    now = STARTS - timedelta(hours=20)
    assert [remind_of_shifts(session, now=now, limit=2) for _ in range(4)] == [2, 2, 1, 0]


def warned(session, member_id):
    return [line.facts for line in inbox(session, member_id) if line.kind == "shift_unclaimed"]


def an_organizer(session):
    return with_role(session, a_member(session, "李敏"), "organizer")


def test_an_organizer_hears_once_of_a_shift_that_nobody_claimed(session):
    organizer = an_organizer(session)
    shift_id = a_shift(session, STARTS, organizer_id=organizer)
    waiting = a_claim(session, shift_id)
    session.execute(update(Claim).where(Claim.id == waiting.id).values(state="waitlisted"))
    for before, told in ((timedelta(hours=24) + SECOND, 0), (timedelta(hours=24), 1)):
        for _ in range(2):
            warn_of_unclaimed(session, now=STARTS - before, limit=10)
        assert len(warned(session, organizer)) == told
    assert warned(session, organizer)[0]["task_id"] == session.scalar(select(Task.id))


def test_a_claimed_shift_and_one_that_was_just_published_warn_nobody(session):
    claimed = a_shift(session, NOON + timedelta(hours=20))
    a_claim(session, claimed)
    a_shift(session, NOON + timedelta(hours=20), is_open=True)
    assert warn_of_unclaimed(session, now=NOON + timedelta(hours=1), limit=10) == 0
    assert warn_of_unclaimed(session, now=NOON + timedelta(hours=2), limit=10) == 1


def test_the_job_closes_releases_and_reminds(session):
    scene = a_scene(session)
    kept(session, scene, 2)
    _, invitation_id = an_invitation(session, scene, answer_by=NOON + timedelta(hours=1))
    a_claim(session, scene.shift_id)
    now = IN_THREE_DAYS - timedelta(hours=24)
    # An invitation lapsed, a group released, one person reminded.
    assert look_ahead(session, now) == (3, True)
    assert look_ahead(session, now) == (0, True)
    assert session.get_one(Invitation, invitation_id).state == "lapsed"


@pytest.mark.parametrize(
    ("minute", "slot"), [("11:59", "11:50"), ("12:00", "12:00"), ("12:09", "12:00")]
)
def test_shifts_are_looked_at_every_ten_minutes(minute, slot):
    hour, minutes = (int(part) for part in minute.split(":"))
    moment = NOON.replace(hour=hour, minute=minutes)
    keys = [each.key for each in job_named("shift_reminders").due(moment, SHANGHAI)]
    assert keys == [f"2026-11-21T{slot}"]


def test_two_schedulers_at_once_tell_everyone_once(app, writing):
    with writing() as session:
        organizer = an_organizer(session)
        a_shift(session, STARTS, organizer_id=organizer)
        shift_id = a_shift(session, STARTS)
        people = [a_member(session) for _ in range(10)]
        for member_id in people:
            a_claim(session, shift_id, member_id)
    now = STARTS - timedelta(hours=20)
    answers = race(app, times(4, lambda: run(lambda session: look_ahead(session, now)[0])))
    assert not [answer for answer in answers if isinstance(answer, Exception)], answers
    assert sum(answers) == len(people) + 1
    with writing() as session:
        assert [reminded(session, each) for each in people] == [1] * len(people)
        assert len(warned(session, organizer)) == 1
        assert len(session.scalars(select(Message.id)).all()) == len(people) + 1
