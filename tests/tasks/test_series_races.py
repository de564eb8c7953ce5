"""Many who make the dates of a series at once: each date stands once."""

from datetime import timedelta

import pytest
from sqlalchemy import text

from pointsbank.core.db import run
from pointsbank.tasks import recurring
from pointsbank.tasks.recurring import make_shifts
from pointsbank.tasks.series_queries import series_of
from tests.builders import SHANGHAI
from tests.moments import NOON
from tests.racing import meet_after, race, times
from tests.tasks.repeating import TODAY, a_series, days, draw

SCHEDULERS = 8
DAYS_MADE = 8
DAYS_MORE = 7


@pytest.fixture
def series_id(writing):
    """A daily series with its first eight dates."""
    with writing() as session:
        return a_series(session, "FREQ=DAILY", weeks_ahead=1)


def make_at_once(app, writing, series_id):
    """Let eight schedulers make the next week; return their answers and all days."""

    def make(session):
        return make_shifts(
            session,
            series_id=series_id,
            through=TODAY + timedelta(days=14),
            zone=SHANGHAI,
            draw=draw,
            now=NOON,
        )

    answers = race(app, times(SCHEDULERS, lambda: run(make)))
    with writing() as session:
        return answers, days(session, series_id)


def test_of_many_who_make_at_once_each_date_is_made_once(app, writing, series_id):
    answers, made = make_at_once(app, writing, series_id)
    assert sorted(answers) == [0] * (SCHEDULERS - 1) + [DAYS_MORE]
    assert made == sorted(set(made))
    assert len(made) == DAYS_MADE + DAYS_MORE


@pytest.mark.changes_schema
@pytest.mark.engine("postgresql")
def test_control_without_lock_and_constraint_dates_are_made_by_all(
    app, writing, series_id, monkeypatch
):
    monkeypatch.setattr(recurring, "locked_series", series_of)
    meet_after(monkeypatch, recurring, "_days_taken", SCHEDULERS)
    with writing() as session:
        session.execute(text("ALTER TABLE shift DROP CONSTRAINT uq_shift_series_id_occurs_on"))
    answers, made = make_at_once(app, writing, series_id)
    assert answers == [DAYS_MORE] * SCHEDULERS
    assert len(made) == DAYS_MADE + DAYS_MORE * SCHEDULERS
    assert len(set(made)) == DAYS_MADE + DAYS_MORE
