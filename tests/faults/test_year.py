"""Days around a year's end lived twice, interrupted and not: nothing may differ."""

import logging
from datetime import date

import pytest

from proving.year.calendar import interruptions_of
from proving.year.twins import DAYS, FIRST, live_twice

# make prove lives a whole year (proving/year/twins.py, DAYS).
SHORT_FIRST, SHORT_DAYS = date(2025, 12, 22), 20
CONTROL_FIRST, CONTROL_DAYS = date(2025, 12, 28), 7


@pytest.fixture(autouse=True)
def silence():
    """Spare the thousands of lines that two lives log."""
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(logging.NOTSET)


@pytest.mark.slow
def test_days_around_a_years_end_leave_the_same(create_database_from_template, dice):
    urls = (create_database_from_template(), create_database_from_template())
    lives = live_twice(urls, str(dice.random()), SHORT_FIRST, SHORT_DAYS)
    assert lives.wrong == {}, lives
    for name in ("snapshot", "statement", "lot", "member_standing", "message"):
        assert lives.rows[name] > 0, name


@pytest.mark.slow
def test_a_scheduler_that_forgets_what_it_missed_is_found_out(
    create_database_from_template, dice
):
    """The control: on its triggers alone it would have run every night that it looked."""
    urls = (create_database_from_template(), create_database_from_template())
    lives = live_twice(urls, str(dice.random()), CONTROL_FIRST, CONTROL_DAYS, is_forgetful=True)
    assert {"statement"} <= set(lives.wrong), lives


def test_a_year_meets_its_end_and_three_jumps_of_the_clock():
    met = interruptions_of(FIRST, DAYS)
    assert sorted(met.down) == [
        date(2025, 12, 30),
        date(2025, 12, 31),
        *(date(2026, 1, day) for day in (1, 2, 3)),
    ]
    assert len(met.gone) == 3
    assert met.forward is not None
    assert met.back is not None
    assert not {met.forward, met.back} & (met.down | met.gone)
