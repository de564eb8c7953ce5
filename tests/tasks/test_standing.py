"""Standing claims: a person's own wish, carried out night by night, never silently left out."""

from datetime import timedelta

import pytest
from sqlalchemy import select, update

from pointsbank.core.db import run
from pointsbank.members.models import Member
from pointsbank.tasks.claiming import give_up_claim
from pointsbank.tasks.dates import DateChange, change_date
from pointsbank.tasks.errors import NotOpen
from pointsbank.tasks.models import Claim, Series, Shift, ShiftRole, StandingClaim, Task
from pointsbank.tasks.publishing import call_off_shift
from pointsbank.tasks.series_errors import (
    BadSpan,
    NotOfTheSeries,
    SeriesEnded,
    SeriesNotFound,
    StandingClaimNotFound,
)
from pointsbank.tasks.series_queries import series_of, standing_claims_of
from pointsbank.tasks.standing import end_standing_claim
from tests.builders import a_claim, a_member, a_plan, a_shift, a_task, how_many, shifts_of
from tests.moments import NOON
from tests.racing import race, times
from tests.tasks.repeating import (
    EVERYWHERE,
    TODAY,
    a_night_later,
    a_series,
    a_standing,
    claims_by,
    shift_on,
    told,
)

SUNDAY = frozenset({6})


def test_the_dates_there_are_and_those_to_come_are_claimed(session):
    series_id, member_id = a_series(session, weeks_ahead=1), a_member(session)
    made = a_standing(session, series_id, member_id)
    assert (made.claimed, made.waitlisted, made.missed) == (2, 0, 0)
    a_night_later(session, series_id, 8)
    assert claims_by(session, member_id) == [
        ("2026-11-21", "claimed"),
        ("2026-11-28", "claimed"),
        ("2026-12-05", "claimed"),
    ]
    assert set(session.scalars(select(Claim.source))) == {"standing"}
    assert told(session, member_id) == []


def test_only_the_wished_weekdays_within_the_wished_span(session):
    series_id, member_id = a_series(session, "FREQ=WEEKLY;BYDAY=SA,SU"), a_member(session)
    since, until = TODAY + timedelta(days=2), TODAY + timedelta(days=15)
    a_standing(session, series_id, member_id, SUNDAY, since=since, until=until)
    assert [day for day, _ in claims_by(session, member_id)] == ["2026-11-29", "2026-12-06"]


def test_a_repeat_claims_nothing_twice_and_what_was_given_up_stays_so(session):
    series_id, member_id = a_series(session), a_member(session)
    a_standing(session, series_id, member_id)
    claim_id = session.scalars(
        select(Claim.id).where(Claim.shift_id == shift_on(session, series_id, "2026-12-05"))
    ).one()
    give_up_claim(session, claim_id=claim_id, member_id=member_id, now=NOON)
    a_night_later(session, series_id)
    assert [state for _, state in claims_by(session, member_id)].count("withdrawn") == 1
    assert len(claims_by(session, member_id)) == 5


def test_a_second_wish_takes_the_place_of_the_first(session):
    series_id = a_series(session, "FREQ=WEEKLY;BYDAY=SA,SU", weeks_ahead=1)
    member_id = a_member(session)
    first = a_standing(session, series_id, member_id)
    second = a_standing(session, series_id, member_id, SUNDAY)
    assert first.id == second.id
    assert how_many(session, StandingClaim) == 1
    (standing,) = standing_claims_of(session, member_id)
    assert standing.weekdays == (6,)
    # What was claimed for the first wish stays until the person gives it up.
    assert len(claims_by(session, member_id)) == 3


def test_on_full_dates_people_wait_in_line_and_are_told(session):
    series_id = a_series(session, places=1, weeks_ahead=1)
    first, second = a_member(session), a_member(session)
    a_standing(session, series_id, first)
    made = a_standing(session, series_id, second)
    assert (made.claimed, made.waitlisted) == (0, 2)
    assert told(session, second) == ["standing_waitlisted"] * 2
    a_night_later(session, series_id, 8)
    assert [state for _, state in claims_by(session, first)] == ["claimed"] * 3
    assert told(session, second) == ["standing_waitlisted"] * 3


def test_who_stood_in_first_claims_first(session):
    series_id = a_series(session, places=1, weeks_ahead=1)
    early, late = a_member(session), a_member(session)
    since = TODAY + timedelta(days=14)
    a_standing(session, series_id, late, since=since)
    a_standing(session, series_id, early, since=since)
    a_night_later(session, series_id, 8)
    assert claims_by(session, late) == [("2026-12-05", "claimed")]
    assert claims_by(session, early) == [("2026-12-05", "waitlisted")]


def test_a_date_at_the_same_time_as_another_is_left_out_and_told(session):
    series_id, member_id = a_series(session), a_member(session)
    other = a_shift(session, starts_at=NOON + timedelta(days=7, hours=2))
    a_claim(session, other, member_id)
    made = a_standing(session, series_id, member_id)
    assert (made.claimed, made.missed) == (4, 1)
    assert told(session, member_id) == ["standing_overlaps"]
    a_night_later(session, series_id)
    assert told(session, member_id) == ["standing_overlaps"]
    assert len(claims_by(session, member_id)) == 5


def test_who_is_not_eligible_is_told_and_claimed_for_once_they_are(session):
    series_id, member_id = a_series(session), a_member(session)
    only_members = {"rule": "kind", "in": ["party_member"]}
    session.execute(update(Task).values(eligibility=only_members))
    made = a_standing(session, series_id, member_id)
    assert (made.claimed, made.missed) == (0, 5)
    assert told(session, member_id) == ["standing_not_eligible"] * 5
    session.execute(update(Member).where(Member.id == member_id).values(kind="party_member"))
    a_night_later(session, series_id)
    assert [state for _, state in claims_by(session, member_id)] == ["claimed"] * 4


def test_before_claims_open_it_waits_and_after_they_closed_it_tells(session):
    series_id, member_id = a_series(session, weeks_ahead=1), a_member(session)
    session.execute(update(Task).values(claims_open_at=NOON + timedelta(hours=12)))
    a_standing(session, series_id, member_id)
    assert set(told(session, member_id)) == {"standing_not_open"}
    a_night_later(session, series_id, 2)
    assert claims_by(session, member_id) == [("2026-11-28", "claimed")]
    session.execute(update(Task).values(claims_close_at=NOON + timedelta(days=3)))
    a_night_later(session, series_id, 8)
    assert told(session, member_id)[-1] == "standing_closed"


def test_a_date_at_another_time_than_usual_is_left_to_the_person(session):
    series_id, member_id = a_series(session), a_member(session)
    change_date(
        session,
        shift_id=shift_on(session, series_id, "2026-11-28"),
        change=DateChange(
            starts_at=NOON + timedelta(days=8), ends_at=NOON + timedelta(days=8, hours=2)
        ),
        actor_id=1,
        paths=EVERYWHERE,
        now=NOON,
    )
    change_date(
        session,
        shift_id=shift_on(session, series_id, "2026-12-05"),
        change=DateChange(place_name="西门"),
        actor_id=1,
        paths=EVERYWHERE,
        now=NOON,
    )
    made = a_standing(session, series_id, member_id)
    assert (made.claimed, made.missed) == (4, 1)
    assert told(session, member_id) == ["standing_moved"]


def test_what_was_called_off_is_passed_over(session):
    series_id = a_series(session)
    shift_id = shift_on(session, series_id, "2026-11-28")
    call_off_shift(
        session, shift_id=shift_id, actor_id=1, paths=EVERYWHERE, reason="节日", now=NOON
    )
    made = a_standing(session, series_id)
    assert (made.claimed, made.missed) == (4, 0)


def test_nobody_claims_for_a_stopped_account(session):
    series_id, member_id = a_series(session, weeks_ahead=1), a_member(session)
    a_standing(session, series_id, member_id)
    session.execute(update(Member).where(Member.id == member_id).values(state="suspended"))
    a_night_later(session, series_id, 8)
    assert len(claims_by(session, member_id)) == 2


def with_roles(session):
    """Return a series with drivers and cleaners, a date of which has no drivers."""
    shift_id = shifts_of(session, a_task(session, shifts=[a_plan(places=2)]))[0]
    session.execute(update(ShiftRole).values(name="清洁"))
    session.add(ShiftRole(shift_id=shift_id, name="司机", places=1, eligibility={}))
    session.execute(update(Shift).values(places=3))
    session.flush()
    series_id = a_series(session, shift_id=shift_id, weeks_ahead=2)
    other = shift_on(session, series_id, "2026-12-05")
    session.execute(
        update(ShiftRole)
        .where(ShiftRole.shift_id == other, ShiftRole.name == "司机")
        .values(name="登记")
    )
    return series_id


def test_the_wished_role_is_claimed_and_no_other(session):
    series_id, member_id = with_roles(session), a_member(session)
    made = a_standing(session, series_id, member_id, role_name="司机")
    assert (made.claimed, made.missed) == (2, 1)
    roles = session.scalars(
        select(ShiftRole.name).join(Claim, Claim.role_id == ShiftRole.id)
    ).all()
    assert roles == ["司机", "司机"]
    assert told(session, member_id) == ["standing_no_role"]


def test_a_person_ends_their_own_and_keeps_what_is_claimed(session):
    series_id, member_id = a_series(session, weeks_ahead=1), a_member(session)
    standing_id = a_standing(session, series_id, member_id).id
    for stranger in (a_member(session), 999_999):
        with pytest.raises(StandingClaimNotFound):
            end_standing_claim(session, standing_id=standing_id, member_id=stranger, now=NOON)
    for _ in range(2):
        end_standing_claim(session, standing_id=standing_id, member_id=member_id, now=NOON)
    a_night_later(session, series_id, 8)
    assert [state for _, state in claims_by(session, member_id)] == ["claimed"] * 2
    assert standing_claims_of(session, member_id) == []
    assert a_standing(session, series_id, member_id).id != standing_id


def test_what_cannot_be_wished_for_is_refused(writing):
    with writing() as session:
        series_id, over, closed, hidden = (a_series(session) for _ in range(4))
        session.execute(update(Series).where(Series.id == over).values(state="ended"))
        for each, state in ((closed, "cancelled"), (hidden, "draft")):
            task_id = series_of(session, each).task_id
            session.execute(update(Task).where(Task.id == task_id).values(state=state))
    yesterday = TODAY - timedelta(days=1)
    for act, refusal in (
        (lambda s: a_standing(s, series_id, weekdays=SUNDAY), NotOfTheSeries),
        (lambda s: a_standing(s, series_id, weekdays=()), NotOfTheSeries),
        (lambda s: a_standing(s, series_id, role_name="司机"), NotOfTheSeries),
        (lambda s: a_standing(s, series_id, until=yesterday), BadSpan),
        (lambda s: a_standing(s, over), SeriesEnded),
        (lambda s: a_standing(s, closed), NotOpen),
        (lambda s: a_standing(s, hidden), SeriesNotFound),
        (lambda s: a_standing(s, 999_999), SeriesNotFound),
    ):
        with pytest.raises(refusal), writing() as session:
            act(session)


def test_the_end_of_a_series_is_told_to_whoever_counted_on_it(session):
    series_id = a_series(session, "FREQ=WEEKLY;BYDAY=SA;COUNT=2")
    member_id, knows = a_member(session), a_member(session)
    a_standing(session, series_id, member_id)
    a_standing(session, series_id, knows, until=TODAY + timedelta(days=7))
    a_night_later(session, series_id, 8)
    assert told(session, member_id) == ["standing_ended"]
    assert told(session, knows) == []


def test_one_person_wishing_many_times_at_once_has_one_standing_claim(app, writing):
    with writing() as session:
        series_id, member_id = a_series(session), a_member(session)
    answers = race(
        app, times(6, lambda: run(lambda session: a_standing(session, series_id, member_id)))
    )
    assert len({answer.id for answer in answers}) == 1, answers
    with writing() as session:
        assert how_many(session, StandingClaim) == 1
        assert len(claims_by(session, member_id)) == 5
        assert session.scalars(select(Shift.claimed)).all() == [1] * 5
