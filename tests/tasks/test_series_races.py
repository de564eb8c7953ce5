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
from tests.racing import race, times
from tests.tasks.repeating import TODAY, a_series, days, draw


def make_at_once(app, writing):
    """Let eight schedulers make the same dates at once; return their answers and the days."""
    with writing() as session:
        series_id = a_series(session, "FREQ=DAILY", weeks_ahead=1)

    def make(session):
        return make_shifts(
            session,
            series_id=series_id,
            through=TODAY + timedelta(days=14),
            zone=SHANGHAI,
            draw=draw,
            now=NOON,
        )

    answers = race(app, times(8, lambda: run(make)))
    with writing() as session:
        return answers, days(session, series_id)


def test_of_many_who_make_at_once_each_date_is_made_once(app, writing):
    answers, made = make_at_once(app, writing)
    assert sorted(answers) == [0] * 7 + [7]
    assert made == sorted(set(made))
    assert len(made) == 15


@pytest.mark.changes_schema
@pytest.mark.engine("postgresql")
def test_control_without_lock_and_constraint_dates_are_made_twice(app, writing, monkeypatch):
    def unlocked(session, series_id, paths):
        found = series_of(session, series_id, paths)
        session.execute(text("SELECT pg_sleep(0.2)"))
        return found

    monkeypatch.setattr(recurring, "locked_series", unlocked)
    with writing() as session:
        session.execute(text("ALTER TABLE shift DROP CONSTRAINT uq_shift_series_id_occurs_on"))
    _answers, made = make_at_once(app, writing)
    assert len(made) > len(set(made))
