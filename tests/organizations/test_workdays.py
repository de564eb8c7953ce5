"""Working days: announced holidays, weekends that are worked for them, what is loaded."""

from datetime import date, timedelta

import pytest
from chinese_calendar.constants import holidays

from pointsbank.core.calendar import SATURDAY
from pointsbank.organizations.models import CalendarDay
from pointsbank.organizations.workdays import (
    calendar_of,
    is_working_day,
    is_year_known,
    working_day_after,
    year_to_load,
)
from tests.builders import a_member

# The first year whose announcement the installed package does not carry.
UNKNOWN = max(holidays).year + 1


def load(session, now, *days):
    loader = a_member(session)
    for day, is_working, name in days:
        session.add(
            CalendarDay(
                day=day, is_working=is_working, name=name, loaded_by_id=loader, loaded_at=now
            )
        )
    session.flush()


def by_weekdays_only(day, count):
    """Return what Monday to Friday alone would answer: the control of the golden days."""
    for _ in range(count):
        day += timedelta(days=1)
        while day.weekday() >= SATURDAY:
            day += timedelta(days=1)
    return day


@pytest.mark.parametrize(
    ("from_day", "count", "expected"),
    [
        # Spring Festival 2026: off from Sunday 15 to Monday 23 February, worked on both
        # Saturdays around it (国务院办公厅, 2025-11-04).
        (date(2026, 2, 13), 1, date(2026, 2, 14)),
        (date(2026, 2, 13), 2, date(2026, 2, 24)),
        (date(2026, 2, 13), 5, date(2026, 2, 27)),
        (date(2026, 2, 13), 6, date(2026, 2, 28)),
        # National Day 2026: off from 1 to 7 October, worked on Saturday 10 October.
        (date(2026, 9, 30), 1, date(2026, 10, 8)),
        (date(2026, 9, 30), 3, date(2026, 10, 10)),
        (date(2026, 9, 30), 7, date(2026, 10, 15)),
        # Mid-Autumn is a Friday, and Sunday 20 September is worked for National Day.
        (date(2026, 9, 18), 1, date(2026, 9, 20)),
        (date(2026, 9, 24), 1, date(2026, 9, 28)),
    ],
)
def test_holidays_and_the_weekends_worked_for_them(session, from_day, count, expected):
    assert working_day_after(session, from_day, count) == expected
    assert by_weekdays_only(from_day, count) != expected


def test_an_ordinary_week_is_monday_to_friday(session):
    friday = date(2026, 11, 20)
    assert working_day_after(session, friday, 5) == date(2026, 11, 27)
    assert working_day_after(session, date(2026, 11, 22), 1) == date(2026, 11, 23)
    assert not is_working_day(session, date(2026, 11, 22))


def test_across_the_years_end_into_a_year_nobody_has_announced(session):
    assert is_year_known(session, UNKNOWN - 1)
    assert not is_year_known(session, UNKNOWN)
    # Nobody has said that New Year's Day is off; a weekday counts until somebody does.
    last = date(UNKNOWN - 1, 12, 31)
    assert working_day_after(session, last, 1) == by_weekdays_only(last, 1)
    assert working_day_after(session, last, 30) == by_weekdays_only(last, 30)
    assert {each.source for each in calendar_of(session, UNKNOWN)} == {"weekday"}
    assert {each.source for each in calendar_of(session, UNKNOWN - 1)} == {"announced"}


def test_what_an_administrator_loaded_overrules_both_calendars(session, now):
    load(
        session,
        now,
        (date(UNKNOWN, 1, 1), False, "元旦"),
        (date(UNKNOWN, 1, 2), True, "元旦调休"),
        (date(2026, 11, 23), False, "停工"),
        (date(2026, 2, 14), False, "改了"),
    )
    assert working_day_after(session, date(UNKNOWN - 1, 12, 31), 1) == date(UNKNOWN, 1, 2)
    assert not is_working_day(session, date(UNKNOWN, 1, 1))
    assert not is_working_day(session, date(2026, 11, 23))
    assert working_day_after(session, date(2026, 11, 20), 5) == date(2026, 11, 30)
    assert working_day_after(session, date(2026, 2, 13), 1) == date(2026, 2, 24)
    named = {each.day: each for each in calendar_of(session, 2026)}
    assert (named[date(2026, 11, 23)].source, named[date(2026, 11, 23)].name) == (
        "loaded",
        "停工",
    )
    assert len(named) == 365


def test_a_year_is_known_once_every_fixed_holiday_is_loaded(session, now):
    fixed = [(1, 1, "元旦"), (5, 1, "劳动节"), (10, 1, "国庆节")]
    for position, (month, day, name) in enumerate(fixed):
        assert not is_year_known(session, UNKNOWN), position
        load(session, now, (date(UNKNOWN, month, day), False, name))
    assert is_year_known(session, UNKNOWN)


def test_the_coming_year_is_asked_for_from_december_on(session, now):
    assert year_to_load(session, date(UNKNOWN - 1, 11, 30)) is None
    assert year_to_load(session, date(UNKNOWN - 1, 12, 1)) == UNKNOWN
    assert year_to_load(session, date(UNKNOWN, 3, 1)) == UNKNOWN
    assert year_to_load(session, date(2025, 12, 31)) is None
