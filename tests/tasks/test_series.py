"""Series: planned from a shift, made ahead night by night, each date once."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import update
from sqlalchemy.exc import IntegrityError

from pointsbank.jobs.errors import DayNotOver
from pointsbank.jobs.running import run_slot
from pointsbank.jobs.table import Slot, due_series, job_named, work_series
from pointsbank.tasks import recurring
from pointsbank.tasks.errors import NotOpen, ShiftNotFound
from pointsbank.tasks.models import Series, Shift, ShiftRole, Task
from pointsbank.tasks.publishing import call_off_task
from pointsbank.tasks.recurring import make_shifts, next_series_due
from pointsbank.tasks.series_errors import (
    BadRule,
    BadSpan,
    DateCalledOff,
    ShiftRepeats,
    TooManySeries,
)
from pointsbank.tasks.series_queries import series_behind, series_of
from tests.builders import SHANGHAI, a_plan, a_shift, a_task, shifts_of
from tests.moments import NOON
from tests.tasks.repeating import (
    SATURDAYS,
    TODAY,
    a_night_later,
    a_series,
    days,
    draw,
    night,
    shifts,
)


def test_a_shift_recurs_at_its_time_and_place_with_its_roles(session):
    shift_id = a_shift(session, places=4, latitude=37.87, longitude=113.56)
    series_id = a_series(session, shift_id=shift_id)
    rows = shifts(session, series_id)
    assert [row.occurs_on.isoformat() for row in rows] == [
        "2026-11-21",
        "2026-11-28",
        "2026-12-05",
        "2026-12-12",
        "2026-12-19",
    ]
    assert rows[0].id == shift_id
    weeks = [row.starts_at - rows[0].starts_at for row in rows]
    assert weeks == [timedelta(weeks=n) for n in range(5)]
    assert {(row.places, row.place_name, row.latitude, row.claimed) for row in rows} == {
        (4, "东门桥头", 37.87, 0)
    }
    assert len({row.handle for row in rows}) == 5
    roles = session.query(ShiftRole).filter(ShiftRole.shift_id == rows[3].id).all()
    assert [(role.name, role.places) for role in roles] == [("", 4)]


def test_a_shift_whose_day_the_rule_does_not_say_stays_by_itself(session):
    shift_id = a_shift(session)
    series_id = a_series(session, "FREQ=MONTHLY;BYMONTHDAY=4,14,24", shift_id=shift_id)
    assert days(session, series_id) == ["2026-11-24", "2026-12-04", "2026-12-14"]
    assert session.get_one(Shift, shift_id).series_id is None


def test_night_by_night_the_dates_reach_as_far_ahead(session):
    series_id = a_series(session, weeks_ahead=1)
    assert days(session, series_id) == ["2026-11-21", "2026-11-28"]
    made = [a_night_later(session, series_id, nights) for nights in range(1, 9)]
    assert made == [0, 0, 0, 0, 0, 0, 1, 0]
    assert days(session, series_id)[-1] == "2026-12-05"


def test_after_days_of_downtime_what_is_to_come_is_made_good(session):
    series_id = a_series(session, "FREQ=DAILY", weeks_ahead=1)
    assert len(days(session, series_id)) == 8
    assert a_night_later(session, series_id, 10) == 8
    made = days(session, series_id)
    # Nobody could claim what is past: the two days in between are not made any more.
    assert (made[7], made[8], made[-1]) == ("2026-11-28", "2026-12-01", "2026-12-08")


def test_what_has_begun_today_is_not_made(session):
    shift_id = a_shift(
        session, starts_at=NOON - timedelta(days=1, hours=2), now=NOON - timedelta(days=2)
    )
    series_id = a_series(session, "FREQ=DAILY", shift_id=shift_id, weeks_ahead=1)
    assert days(session, series_id)[:2] == ["2026-11-20", "2026-11-22"]


def test_a_repeat_makes_nothing_twice(session):
    series_id = a_series(session)
    before = shifts(session, series_id)
    through = TODAY + timedelta(weeks=4)
    more = {"zone": SHANGHAI, "draw": draw, "now": NOON}
    assert make_shifts(session, series_id=series_id, through=through, **more) == 0
    session.execute(update(Series).values(made_through=None))
    assert make_shifts(session, series_id=series_id, through=through, **more) == 0
    assert shifts(session, series_id) == before


def test_a_date_that_was_called_off_is_not_made_again(session):
    series_id = a_series(session)
    session.execute(
        update(Shift).where(Shift.occurs_on == date(2026, 11, 28)).values(called_off_at=NOON)
    )
    session.execute(update(Series).values(made_through=None))
    assert a_night_later(session, series_id) == 0


def test_handles_come_from_whoever_calls(session):
    drawn = iter(bytes([n]) * 5 for n in range(1, 100))
    series_id = a_series(session, shift_id=a_shift(session))
    session.execute(update(Series).values(weeks_ahead=6))
    make_shifts(
        session,
        series_id=series_id,
        through=TODAY + timedelta(weeks=6),
        zone=SHANGHAI,
        draw=lambda: next(drawn),
        now=NOON,
    )
    assert [row.handle for row in shifts(session, series_id)][-2:] == [b"\1" * 5, b"\2" * 5]


def test_a_series_keeps_to_the_wall_clock_where_clocks_are_changed(session):
    berlin = ZoneInfo("Europe/Berlin")
    starts_at = datetime(2026, 3, 28, 8, 0, tzinfo=berlin).astimezone(UTC)
    now = starts_at - timedelta(days=1)
    series_id = a_series(
        session, "FREQ=DAILY", starts_at=starts_at, minutes=90, zone=berlin, now=now
    )
    first, second, *_ = shifts(session, series_id)
    assert second.starts_at - first.starts_at == timedelta(hours=23)
    assert second.starts_at.astimezone(berlin).hour == 8
    assert second.ends_at - second.starts_at == timedelta(minutes=90)


def test_a_time_that_the_clocks_skip_is_an_hour_later(session):
    berlin = ZoneInfo("Europe/Berlin")
    starts_at = datetime(2026, 3, 28, 2, 30, tzinfo=berlin).astimezone(UTC)
    series_id = a_series(
        session, "FREQ=DAILY", starts_at=starts_at, zone=berlin, now=starts_at - timedelta(1)
    )
    skipped = shifts(session, series_id)[1].starts_at.astimezone(berlin)
    assert (skipped.day, skipped.hour, skipped.minute) == (29, 3, 30)


def test_a_day_is_a_local_one(session):
    """At 00:30 in Shanghai it is still the day before in Greenwich."""
    starts_at = datetime(2026, 11, 27, 16, 30, tzinfo=UTC)
    series_id = a_series(session, starts_at=starts_at, minutes=60)
    assert days(session, series_id)[:2] == ["2026-11-28", "2026-12-05"]
    assert shifts(session, series_id)[1].starts_at == starts_at + timedelta(weeks=1)


def test_a_series_ends_by_itself_after_its_last_day(session):
    series_id = a_series(session, f"{SATURDAYS};COUNT=2")
    assert days(session, series_id) == ["2026-11-21", "2026-11-28"]
    a_night_later(session, series_id, 7)
    assert series_of(session, series_id).state == "active"
    a_night_later(session, series_id, 8)
    assert series_of(session, series_id).state == "ended"


def test_no_dates_for_a_task_that_was_called_off(session):
    series_id = a_series(session)
    task_id = series_of(session, series_id).task_id
    call_off_task(session, task_id=task_id, actor_id=1, paths=["/"], reason="雨", now=NOON)
    assert a_night_later(session, series_id, 20) == 0
    assert next_series_due(session, TODAY + timedelta(days=20)) is None
    assert series_behind(session, TODAY + timedelta(days=20)) == 0


def test_what_cannot_recur_is_refused(writing):
    with writing() as session:
        draft = shifts_of(session, a_task(session, is_open=False))[0]
        repeating = a_shift(session)
        a_series(session, shift_id=repeating)
        off, fit = a_shift(session), a_shift(session)
        session.execute(update(Shift).where(Shift.id == off).values(called_off_at=NOON))
    never = "FREQ=MONTHLY;INTERVAL=12;BYMONTHDAY=31"
    for shift_id, more, refusal in (
        (draft, {}, NotOpen),
        (repeating, {}, ShiftRepeats),
        (off, {}, DateCalledOff),
        (999_999, {}, ShiftNotFound),
        (fit, {"ends_on": TODAY - timedelta(days=1)}, BadSpan),
        (fit, {"rule": never}, BadRule),
    ):
        with pytest.raises(refusal), writing() as session:
            a_series(session, shift_id=shift_id, **more)


def test_a_task_has_so_many_series_at_most(session, monkeypatch):
    monkeypatch.setattr(recurring, "SERIES_A_TASK_MAX", 1)
    task_id = a_task(session, shifts=[a_plan(), a_plan()])
    one, other = shifts_of(session, task_id)
    a_series(session, shift_id=one)
    with pytest.raises(TooManySeries):
        a_series(session, shift_id=other)


def test_the_job_is_due_at_night_and_ahead_of_no_day(session):
    at = datetime.fromisoformat
    assert due_series(at("2026-11-21T00:19+08:00"), SHANGHAI)[0].key == "2026-11-20"
    assert due_series(at("2026-11-21T00:20+08:00"), SHANGHAI)[0].key == "2026-11-21"
    with pytest.raises(DayNotOver):
        work_series(session, "2026-11-22", SHANGHAI, NOON)


def test_the_job_keeps_every_series_ahead_one_a_step(session):
    one, other = a_series(session, "FREQ=DAILY"), a_series(session, "FREQ=DAILY")
    now = night(3)
    steps = [work_series(session, "2026-11-24", SHANGHAI, now) for _ in range(3)]
    assert [(step.count, step.is_last) for step in steps] == [(3, False), (3, False), (0, True)]
    assert len(days(session, one)) == len(days(session, other)) == 32


def test_a_run_of_the_job_makes_dates_and_a_second_one_none(app, writing, monkeypatch):
    with writing() as session:
        series_id = a_series(session, "FREQ=DAILY", weeks_ahead=1)
        session.execute(update(Series).values(weeks_ahead=2))
    job = job_named("series")
    monkeypatch.setattr("pointsbank.core.clock.now", lambda: NOON)
    with app.app_context():
        assert run_slot(job, Slot("2026-11-21", "2026-11-21"), zone=SHANGHAI) == 7
        assert run_slot(job, Slot("2026-11-21/again", "2026-11-21"), zone=SHANGHAI) == 0
    with writing() as session:
        assert len(days(session, series_id)) == 15


def test_a_series_is_behind_after_two_missed_nights(session):
    series_id = a_series(session)
    behind = [series_behind(session, TODAY + timedelta(days=n)) for n in range(4)]
    assert behind == [0, 0, 1, 1]
    a_night_later(session, series_id, 3)
    assert series_behind(session, TODAY + timedelta(days=3)) == 0


def test_the_database_itself_refuses_a_date_twice(writing):
    with writing() as session:
        series_id = a_series(session)
        one, other, *_ = shifts(session, series_id)
    with pytest.raises(IntegrityError), writing() as session:
        session.execute(
            update(Shift).where(Shift.id == other.id).values(occurs_on=one.occurs_on)
        )


def test_drafts_never_have_dates_made(session):
    series_id = a_series(session)
    session.execute(update(Task).values(state="draft"))
    assert a_night_later(session, series_id, 9) == 0
