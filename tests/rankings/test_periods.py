"""Which periods are counted, spans of one's own, and nights that were missed."""

from datetime import date, timedelta

import pytest
from sqlalchemy import func, select

from pointsbank.core.calendar import UnknownPeriod, local_day, midnight
from pointsbank.jobs.rolling import OVER, SPANS, due_rankings, work_rankings
from pointsbank.rankings import periods
from pointsbank.rankings.errors import BadPeriodSpan, TooManyPeriods
from pointsbank.rankings.models import RollUp
from pointsbank.rankings.periods import (
    make_period,
    period_named,
    periods_over,
    periods_running,
    spans_running,
)
from tests.builders import TODAY, a_member, a_score_entry
from tests.moments import NOON
from tests.rankings.boards import ZONE
from tests.rankings.naive import differences, kept_rows


def a_span(
    session,
    first_on=date(2026, 11, 1),
    last_on=date(2026, 11, 20),
    title="主题月",
    now=NOON,
):
    return make_period(
        session,
        title=title,
        first_on=first_on,
        last_on=last_on,
        made_by_id=a_member(session),
        today=local_day(now, ZONE),
        now=now,
    )


def worked(session, period, now):
    while not work_rankings(session, period, ZONE, now).is_last:
        pass


def test_a_span_is_a_period_by_its_days(session):
    name = a_span(session)
    assert name == "2026-11-01..2026-11-20"
    period = period_named(session, name)
    assert (period.first_on, period.end_on) == (date(2026, 11, 1), date(2026, 11, 21))
    assert a_span(session, title="Another title") == name
    assert periods.titles(session) == {name: "主题月"}
    assert period_named(session, "2026-Q4").name == "2026-Q4"


@pytest.mark.parametrize("name", ["2026-11-01..2026-11-30", "2026-13", "x" * 60, ""])
def test_a_span_that_nobody_made_is_unknown(session, name):
    a_span(session)
    with pytest.raises(UnknownPeriod):
        period_named(session, name)


@pytest.mark.parametrize(
    ("first_on", "last_on", "title"),
    [
        (date(2026, 11, 2), date(2026, 11, 1), "主题月"),
        (date(2026, 11, 1), date(2026, 11, 1), "主题月"),
        (date(2026, 1, 1), date(2027, 1, 2), "主题月"),
        (date(2026, 11, 1), date(2026, 11, 20), "  "),
    ],
)
def test_a_span_is_whole_and_has_a_title(session, first_on, last_on, title):
    with pytest.raises(BadPeriodSpan):
        a_span(session, first_on, last_on, title)
    assert a_span(session, date(2026, 1, 1), date(2027, 1, 1)) == "2026-01-01..2027-01-01"


def test_only_so_many_spans_run_at_once(session, monkeypatch):
    monkeypatch.setattr(periods, "RUNNING_MAX", 1)
    a_span(session, date(2026, 1, 1), TODAY - timedelta(days=1))
    a_span(session, last_on=TODAY)
    with pytest.raises(TooManyPeriods):
        a_span(session, last_on=TODAY + timedelta(days=1))


def test_a_span_is_over_when_its_last_day_is_by_the_wall_clock(session, monkeypatch):
    monkeypatch.setattr(periods, "RUNNING_MAX", 1)
    a_span(session, last_on=TODAY)
    # Half past midnight in Shanghai, still the evening before by UTC.
    now = midnight(TODAY + timedelta(days=1), ZONE) + timedelta(minutes=30)
    assert now.date() == TODAY
    assert a_span(session, last_on=TODAY + timedelta(days=9), now=now)


def test_what_is_over_is_counted_from_the_first_entry_on_for_a_year_and_more(session):
    assert periods_over(session, TODAY) == []
    a_score_entry(session, a_member(session), earned_on=date(2026, 8, 31))
    a_span(session)
    a_span(session, last_on=date(2026, 12, 1))
    found = [period.name for period in periods_over(session, TODAY)]
    assert found == ["2026-08", "2026-09", "2026-Q3", "2026-10", "2026-11-01..2026-11-20"]
    assert [period.name for period in spans_running(session, TODAY)] == [
        "2026-11-01..2026-12-01"
    ]
    later = [period.name for period in periods_over(session, date(2027, 12, 1))]
    assert later[0] == "2026-10"
    assert "2026" in later


def test_days_without_a_scheduler_come_to_the_rows_of_daily_runs(session):
    """Five weeks over a quarter's and a year's end, run daily, or once at their end."""
    member, other = a_member(session), a_member(session)
    a_span(session, date(2026, 12, 20), date(2027, 1, 10))
    first, last = date(2026, 12, 10), date(2027, 1, 15)

    def live(is_daily):
        point = session.begin_nested()
        day = first
        while day <= last:
            now = midnight(day, ZONE) + timedelta(hours=12)
            a_score_entry(
                session,
                member if day.day % 2 else other,
                earned_on=day - timedelta(days=day.day % 5),
                evaluation_hundredths=10 * day.day,
                now=now,
            )
            if is_daily or day == last:
                for slot in due_rankings(now, ZONE):
                    worked(session, slot.period, now)
            day += timedelta(days=1)
        meant = [*periods_running(last), *periods_over(session, last)]
        rows = {period.name: kept_rows(session, period)[0] for period in meant}
        for period in meant:
            assert differences(session, period, last) == {}
        point.rollback()
        return rows

    missed, daily = live(is_daily=False), live(is_daily=True)
    assert missed == daily
    assert {"2026-12", "2026-Q4", "2026", "2027-01", "2026-12-20..2027-01-10"} <= set(daily)
    assert all(daily[name] for name in ("2026-12", "2026-Q4", "2026", "2027-01"))


def test_each_kind_of_run_counts_its_own_periods(session):
    a_score_entry(session, a_member(session), earned_on=date(2026, 10, 2))
    a_span(session, last_on=date(2026, 12, 1))
    worked(session, SPANS, NOON)
    assert session.scalars(select(RollUp.period)).all() == ["2026-11-01..2026-12-01"]
    worked(session, OVER, NOON)
    worked(session, "2026", NOON)
    assert set(session.scalars(select(RollUp.period))) == {
        "2026-11-01..2026-12-01",
        "2026-10",
        "2026",
    }
    assert session.scalar(select(func.max(RollUp.entries))) == 1
    with pytest.raises(UnknownPeriod):
        work_rankings(session, "2026-11-02..2026-11-03", ZONE, NOON)
