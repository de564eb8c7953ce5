"""A series changed from a day on: people keep their dates, free ones are replaced."""

from datetime import date, timedelta

import pytest
from sqlalchemy import select, update

from pointsbank.tasks.claiming import give_up_claim
from pointsbank.tasks.errors import BreakTooLong, NotOpen
from pointsbank.tasks.following import end_series
from pointsbank.tasks.models import Shift, StandingClaim, Task
from pointsbank.tasks.publishing import call_off_shift
from pointsbank.tasks.series_errors import (
    ApprovalMissing,
    BadRule,
    BadSpan,
    SeriesEnded,
    SeriesNotFound,
)
from pointsbank.tasks.series_queries import is_followed, series_of
from tests.builders import SHANGHAI, a_claim, a_member, how_many
from tests.moments import NOON
from tests.tasks.repeating import (
    EVERYWHERE,
    TODAY,
    a_night_later,
    a_series,
    a_standing,
    changed,
    claims_by,
    days,
    shift_on,
    shifts,
    told,
)

SUNDAYS = "FREQ=WEEKLY;BYDAY=SU"


def ended(session, series_id, from_on, paths=EVERYWHERE):
    return end_series(
        session,
        series_id=series_id,
        from_on=date.fromisoformat(from_on),
        actor_id=1,
        paths=paths,
        zone=SHANGHAI,
        now=NOON,
    )


def test_free_dates_are_replaced_and_claimed_ones_stay(session):
    old = a_series(session)
    claimed = shift_on(session, old, "2026-12-12")
    a_claim(session, claimed)
    result = changed(session, old, "2026-12-01", start_minute=9 * 60, place_name="西门")
    assert days(session, old) == ["2026-11-21", "2026-11-28", "2026-12-12"]
    assert days(session, result.series_id) == ["2026-12-05", "2026-12-19"]
    assert (result.kept, result.removed, result.made) == ((claimed,), 2, 2)
    kept, new = session.get_one(Shift, claimed), shifts(session, result.series_id)[0]
    assert (kept.starts_at.astimezone(SHANGHAI).hour, kept.place_name) == (13, "东门桥头")
    assert (new.starts_at.astimezone(SHANGHAI).hour, new.place_name) == (9, "西门")


def test_the_old_series_ends_the_day_before_and_the_new_one_follows_it(session):
    old = a_series(session)
    new = changed(session, old, "2026-12-01", rule=SUNDAYS).series_id
    assert series_of(session, old).ends_on == date(2026, 11, 30)
    assert (series_of(session, new).follows_id, series_of(session, new).starts_on) == (
        old,
        date(2026, 12, 1),
    )
    assert is_followed(session, old)
    assert days(session, new) == ["2026-12-06", "2026-12-13"]
    a_night_later(session, old, 30)
    assert series_of(session, old).state == "ended"
    assert days(session, old) == ["2026-11-21", "2026-11-28"]
    a_night_later(session, new, 30)
    assert days(session, new)[-1] == "2027-01-17"


def test_nights_later_the_new_series_still_leaves_kept_days_out(session):
    old = a_series(session)
    a_claim(session, shift_on(session, old, "2026-12-19"))
    new = changed(session, old, "2026-12-01", weeks_ahead=2, start_minute=540).series_id
    assert days(session, new) == ["2026-12-05"]
    a_night_later(session, new, 30)
    assert days(session, new) == ["2026-12-05", "2026-12-26", "2027-01-02"]


def test_a_change_of_a_change_knows_what_was_kept_before(session):
    old = a_series(session)
    a_claim(session, shift_on(session, old, "2026-12-12"))
    second = changed(session, old, "2026-12-01", start_minute=540).series_id
    a_claim(session, shift_on(session, second, "2026-12-05"))
    third = changed(session, second, "2026-12-01", start_minute=600).series_id
    assert days(session, third) == ["2026-12-19"]


def test_what_was_changed_by_itself_or_called_off_stays(session):
    old = a_series(session)
    moved, off = shift_on(session, old, "2026-12-05"), shift_on(session, old, "2026-12-12")
    session.execute(update(Shift).where(Shift.id == moved).values(is_detached=True))
    call_off_shift(session, shift_id=off, actor_id=1, paths=EVERYWHERE, reason="节日", now=NOON)
    result = changed(session, old, "2026-12-01", start_minute=540)
    assert result.kept == (moved,)
    assert days(session, result.series_id) == ["2026-12-19"]
    assert session.get_one(Shift, off).called_off_at == NOON


def test_a_free_date_with_a_past_is_called_off_instead_of_removed(session):
    from_a_claim = a_series(session)
    member_id = a_member(session)
    shift_id = shift_on(session, from_a_claim, "2026-12-05")
    claim = a_claim(session, shift_id, member_id)
    give_up_claim(session, claim_id=claim.id, member_id=member_id, now=NOON)
    result = changed(session, from_a_claim, "2026-12-01", start_minute=540)
    shift = session.get_one(Shift, shift_id)
    assert (shift.called_off_at, shift.series_id, shift.occurs_on) == (NOON, None, None)
    assert days(session, result.series_id) == ["2026-12-05", "2026-12-12", "2026-12-19"]


def test_ending_removes_free_dates_and_tells_which_are_kept(session):
    series_id = a_series(session)
    claimed = shift_on(session, series_id, "2026-12-05")
    a_claim(session, claimed)
    result = ended(session, series_id, "2026-11-28")
    assert (result.kept, result.removed) == ((claimed,), 3)
    assert days(session, series_id) == ["2026-11-21", "2026-12-05"]
    assert ended(session, series_id, "2026-11-28").removed == 0
    a_night_later(session, series_id, 9)
    assert series_of(session, series_id).state == "ended"
    assert days(session, series_id) == ["2026-11-21", "2026-12-05"]


def test_ending_today_ends_at_once(session):
    series_id = a_series(session)
    ended(session, series_id, TODAY.isoformat())
    assert series_of(session, series_id).state == "ended"
    assert how_many(session, Shift) == 0


def test_what_cannot_be_changed_is_refused(writing):
    with writing() as session:
        series_id = a_series(session, f"{SUNDAYS};UNTIL=20261220")
        over, followed = a_series(session), a_series(session)
        ended(session, over, TODAY.isoformat())
        changed(session, followed, "2026-12-01")
        closed = a_series(session)
        closed_task = series_of(session, closed).task_id
        session.execute(update(Task).where(Task.id == closed_task).values(state="cancelled"))
        bounded = a_series(session, ends_on=date(2026, 12, 1))
    day, crowd = "2026-12-01", ({"name": "", "places": 51, "eligibility": {}},)
    for act, refusal in (
        (lambda s: changed(s, over, day), SeriesEnded),
        (lambda s: changed(s, followed, "2026-11-25"), SeriesEnded),
        (lambda s: changed(s, closed, day), NotOpen),
        (lambda s: changed(s, series_id, "2026-11-20"), BadSpan),
        (lambda s: changed(s, bounded, "2026-12-02"), BadSpan),
        (lambda s: changed(s, series_id, day, ends_on=date(2026, 11, 1)), BadSpan),
        (lambda s: changed(s, series_id, "2026-12-21"), BadRule),
        (lambda s: changed(s, series_id, day, break_minutes=150), BreakTooLong),
        (lambda s: changed(s, series_id, day, roles=crowd), ApprovalMissing),
        (lambda s: ended(s, series_id, "2026-11-20"), BadSpan),
        (lambda s: ended(s, series_id, day, paths=["/99/"]), SeriesNotFound),
        (lambda s: ended(s, 999_999, day), SeriesNotFound),
    ):
        with pytest.raises(refusal), writing() as session:
            act(session)


def standing_rows(session):
    return session.execute(
        select(StandingClaim.series_id, StandingClaim.until, StandingClaim.ended_at).order_by(
            StandingClaim.id
        )
    ).all()


def test_standing_claims_go_on_at_the_same_times(session):
    old, member_id = a_series(session), a_member(session)
    a_standing(session, old, member_id)
    new = changed(session, old, "2026-12-01", place_name="西门", weeks_ahead=6).series_id
    assert standing_rows(session) == [(old, date(2026, 11, 30), None), (new, None, None)]
    assert told(session, member_id) == ["standing_carried"]
    # Their own claims kept the old dates; what the new series adds is claimed for them too.
    assert days(session, new) == ["2026-12-26", "2027-01-02"]
    assert claims_by(session, member_id)[-1] == ("2027-01-02", "claimed")
    a_night_later(session, old, 10)
    assert told(session, member_id) == ["standing_carried"]
    assert [row.ended_at is None for row in standing_rows(session)] == [False, True]


def test_standing_claims_end_where_the_times_change_and_people_are_told(session):
    old, member_id = a_series(session), a_member(session)
    a_standing(session, old, member_id)
    new = changed(session, old, "2026-12-01", start_minute=540, weeks_ahead=6).series_id
    assert told(session, member_id) == ["standing_ends"]
    assert claims_by(session, member_id)[-1] == ("2026-12-19", "claimed")
    assert days(session, new) == ["2026-12-26", "2027-01-02"]
    a_night_later(session, old, 10)
    assert told(session, member_id) == ["standing_ends"]


def test_a_change_from_today_ends_them_at_once(session):
    old, member_id = a_series(session), a_member(session)
    a_standing(session, old, member_id)
    changed(session, old, TODAY.isoformat(), rule=SUNDAYS)
    assert told(session, member_id) == ["standing_ended"]
    assert all(row.ended_at == NOON for row in standing_rows(session))


def test_whoever_wished_for_no_longer_is_not_carried_on(session):
    old, member_id = a_series(session), a_member(session)
    a_standing(session, old, member_id, until=TODAY + timedelta(days=8))
    changed(session, old, "2026-12-01", place_name="西门")
    assert len(standing_rows(session)) == 1
    assert told(session, member_id) == []
