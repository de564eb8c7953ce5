"""One date changed by itself: claims stay, people are told, nobody loses a place."""

from datetime import timedelta

import pytest
from sqlalchemy import select, update

from pointsbank.core.db import run
from pointsbank.messages.models import Message
from pointsbank.tasks.claiming import claim_shift, give_up_claim
from pointsbank.tasks.dates import DateChange, change_date
from pointsbank.tasks.errors import (
    NotOpen,
    RoleNotFound,
    ShiftEndsBeforeStart,
    ShiftInThePast,
    ShiftNotFound,
    ShiftTooLong,
)
from pointsbank.tasks.models import Claim, Shift, ShiftRole, Task
from pointsbank.tasks.publishing import Changes, call_off_shift, change_open_task
from pointsbank.tasks.series_errors import (
    ApprovalMissing,
    DateCalledOff,
    DateUnderWay,
    PlacesBelowClaims,
)
from tests.builders import a_claim, a_member, a_shift
from tests.moments import NOON
from tests.racing import race
from tests.tasks.repeating import EVERYWHERE, a_series, claims_by, shift_on, told

LATER = NOON + timedelta(days=8, hours=1)


def change(session, shift_id, *, now=NOON, paths=EVERYWHERE, **what):
    return change_date(
        session,
        shift_id=shift_id,
        change=DateChange(**what),
        actor_id=1,
        paths=paths,
        now=now,
    )


def role_of(session, shift_id):
    return session.scalars(select(ShiftRole.id).where(ShiftRole.shift_id == shift_id)).one()


def test_a_date_moves_by_itself_and_keeps_its_claims(session):
    series_id = a_series(session, places=1)
    shift_id = shift_on(session, series_id, "2026-11-28")
    member_id, waiting, elsewhere = (a_member(session) for _ in range(3))
    a_claim(session, shift_id, member_id)
    a_claim(session, shift_id, waiting)
    a_claim(session, shift_on(session, series_id, "2026-12-05"), elsewhere)
    assert change(session, shift_id, starts_at=LATER, ends_at=LATER + timedelta(hours=2))
    shift = session.get_one(Shift, shift_id)
    assert (shift.starts_at, shift.is_detached) == (LATER, True)
    assert shift.occurs_on.isoformat() == "2026-11-28"
    assert [state for _, state in claims_by(session, member_id)] == ["claimed"]
    assert told(session, member_id) == told(session, waiting) == ["date_changed"]
    assert told(session, elsewhere) == []
    facts = session.scalars(select(Message.facts)).first()
    assert facts["starts_at"] == LATER.isoformat()
    assert facts["was_at"] != facts["starts_at"]


def test_nothing_other_is_no_change(session):
    shift_id = shift_on(session, a_series(session), "2026-11-28")
    member_id = a_member(session)
    a_claim(session, shift_id, member_id)
    assert not change(session, shift_id, place_name="东门桥头")
    assert not change(session, shift_id, places={role_of(session, shift_id): 25})
    assert not session.get_one(Shift, shift_id).is_detached
    assert told(session, member_id) == []


def test_more_places_go_to_those_who_wait_in_their_order(session):
    shift_id = shift_on(session, a_series(session, places=1), "2026-11-28")
    members = [a_member(session) for _ in range(4)]
    for member_id in members:
        a_claim(session, shift_id, member_id)
    change(session, shift_id, places={role_of(session, shift_id): 3})
    states = [claims_by(session, member_id)[0][1] for member_id in members]
    assert states == ["claimed", "claimed", "claimed", "waitlisted"]
    shift = session.get_one(Shift, shift_id)
    assert (shift.places, shift.claimed) == (3, 3)
    change(session, shift_id, places={role_of(session, shift_id): 9})
    shift = session.get_one(Shift, shift_id, populate_existing=True)
    assert (shift.places, shift.claimed) == (9, 4)


def test_there_are_never_fewer_places_than_claims(session):
    shift_id = shift_on(session, a_series(session, places=5), "2026-11-28")
    for _ in range(3):
        a_claim(session, shift_id)
    change(session, shift_id, places={role_of(session, shift_id): 3})
    with pytest.raises(PlacesBelowClaims) as refused:
        change(session, shift_id, places={role_of(session, shift_id): 2})
    assert refused.value.facts == {"claimed": 3}


def test_a_shift_without_a_series_changes_too(session):
    shift_id = a_shift(session)
    assert change(session, shift_id, place_name="西门")
    shift = session.get_one(Shift, shift_id)
    assert (shift.place_name, shift.is_detached) == ("西门", False)


def test_what_cannot_be_is_refused(writing):
    with writing() as session:
        shift_id = shift_on(session, a_series(session), "2026-11-28")
        role_id = role_of(session, shift_id)
        off, under_way, closed = (a_shift(session) for _ in range(3))
        call_off_shift(
            session, shift_id=off, actor_id=1, paths=EVERYWHERE, reason="雨", now=NOON
        )
        task_id = session.get_one(Shift, closed).task_id
        session.execute(update(Task).where(Task.id == task_id).values(state="cancelled"))
    begun = NOON + timedelta(minutes=91)
    for act, refusal in (
        (lambda s: change(s, off, place_name="西门"), DateCalledOff),
        (lambda s: change(s, under_way, place_name="西门", now=begun), DateUnderWay),
        (lambda s: change(s, closed, place_name="西门"), NotOpen),
        (lambda s: change(s, 999_999, place_name="西门"), ShiftNotFound),
        (lambda s: change(s, shift_id, place_name="西门", paths=["/99/"]), ShiftNotFound),
        (lambda s: change(s, shift_id, starts_at=NOON), ShiftInThePast),
        (lambda s: change(s, shift_id, starts_at=LATER + timedelta(1)), ShiftEndsBeforeStart),
        (lambda s: change(s, shift_id, ends_at=LATER + timedelta(2)), ShiftTooLong),
        (lambda s: change(s, shift_id, places={999_999: 3}), RoleNotFound),
        (lambda s: change(s, shift_id, places={role_id: 51}), ApprovalMissing),
    ):
        with pytest.raises(refusal), writing() as session:
            act(session)


def test_one_date_is_called_off_and_the_others_stay(session):
    series_id, member_id = a_series(session), a_member(session)
    for day in ("2026-11-28", "2026-12-05"):
        a_claim(session, shift_on(session, series_id, day), member_id)
    shift_id = shift_on(session, series_id, "2026-11-28")
    call_off_shift(
        session, shift_id=shift_id, actor_id=1, paths=EVERYWHERE, reason="大雪", now=NOON
    )
    assert claims_by(session, member_id) == [
        ("2026-11-28", "withdrawn"),
        ("2026-12-05", "claimed"),
    ]
    reasons = session.scalars(select(Claim.withdrawal).order_by(Claim.id)).all()
    assert reasons == ["task_called_off", None]
    assert told(session, member_id) == ["shift_called_off"]
    with pytest.raises(NotOpen):
        claim_shift(session, shift_id=shift_id, member_id=a_member(session), now=NOON)


def test_claims_and_a_change_at_once_never_break_the_count(app, writing):
    """Six people claim while the organizer gives two places more and two fewer."""
    with writing() as session:
        shift_id = shift_on(session, a_series(session, places=4), "2026-11-28")
        role_id = role_of(session, shift_id)
        members = [a_member(session) for _ in range(6)]

    def resize(places):
        return run(lambda session: change(session, shift_id, places={role_id: places}))

    def come(member_id):
        return run(lambda session: a_claim(session, shift_id, member_id))

    answers = race(
        app,
        [lambda each=each: come(each) for each in members]
        + [lambda places=places: resize(places) for places in (6, 2, 5)],
    )
    faults = [each for each in answers if isinstance(each, Exception)]
    assert all(isinstance(fault, PlacesBelowClaims) for fault in faults), answers
    with writing() as session:
        shift, role = session.get_one(Shift, shift_id), session.get_one(ShiftRole, role_id)
        claimed = session.query(Claim).filter_by(shift_id=shift_id, state="claimed").count()
        waiting = session.query(Claim).filter_by(shift_id=shift_id, state="waitlisted").count()
        assert (shift.places, shift.claimed) == (role.places, role.claimed)
        assert role.claimed == claimed == min(6, role.places)
        assert claimed + waiting == 6


@pytest.mark.parametrize(
    ("change_what", "in_time"),
    [
        ({"starts_at": LATER, "ends_at": LATER + timedelta(hours=2)}, True),
        ({"place_name": "西门"}, True),
        ({"break_minutes": 10}, False),
    ],
)
def test_whoever_gives_up_what_the_organizer_moved_is_in_time(session, change_what, in_time):
    member_id = a_member(session)
    shift_id = a_shift(session, NOON + timedelta(days=8), 120)
    claim_id = a_claim(session, shift_id, member_id).id
    shortly = session.get_one(Shift, shift_id).starts_at - timedelta(hours=5)
    assert change(session, shift_id, now=shortly, **change_what)
    late = shortly + timedelta(hours=2)
    give_up_claim(session, claim_id=claim_id, member_id=member_id, now=late)
    assert session.get_one(Claim, claim_id).told_in_time is in_time


def test_whoever_claimed_after_the_move_is_late_as_ever(session):
    shift_id = a_shift(session, NOON + timedelta(days=8), 120)
    starts_at = session.get_one(Shift, shift_id).starts_at
    assert change(session, shift_id, now=starts_at - timedelta(hours=9), place_name="西门")
    member_id = a_member(session)
    claim_id = a_claim(session, shift_id, member_id, starts_at - timedelta(hours=8)).id
    give_up_claim(
        session, claim_id=claim_id, member_id=member_id, now=starts_at - timedelta(hours=3)
    )
    assert session.get_one(Claim, claim_id).told_in_time is False


def test_a_date_of_a_series_that_was_moved_on_the_tasks_page_is_passed_over(session):
    series_id = a_series(session)
    moved, other = (shift_on(session, series_id, f"2026-{day}") for day in ("11-28", "12-05"))
    single = a_shift(session, NOON + timedelta(days=9))
    for shift_id in (moved, single):
        member_id = a_member(session)
        claim_id = a_claim(session, shift_id, member_id, NOON).id
        shift = session.get_one(Shift, shift_id)
        change_open_task(
            session,
            task_id=shift.task_id,
            changes=Changes(place_names={shift_id: "西门"}),
            actor_id=1,
            paths=EVERYWHERE,
            now=shift.starts_at - timedelta(hours=4),
        )
        give_up_claim(
            session,
            claim_id=claim_id,
            member_id=member_id,
            now=shift.starts_at - timedelta(hours=2),
        )
        assert session.get_one(Claim, claim_id).told_in_time is True
    session.expire_all()
    detached = [session.get_one(Shift, each).is_detached for each in (moved, other, single)]
    assert detached == [True, False, False]
