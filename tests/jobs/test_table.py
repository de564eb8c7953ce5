"""What is due when, and what each job does."""

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import select

from pointsbank.jobs import nights
from pointsbank.jobs.errors import DayNotOver, JobUnknown
from pointsbank.jobs.occasions import periods_over
from pointsbank.jobs.table import (
    JOBS,
    Slot,
    due_expiry,
    due_rankings,
    job_named,
    slot_by_hand,
    work_expiry,
    work_rankings,
)
from pointsbank.ledger.queries import balance_of
from pointsbank.ledger.verifying import offenders
from pointsbank.rankings.models import MemberStanding
from tests.builders import a_member, a_score_entry, points_for
from tests.moments import NOON

ZONE = ZoneInfo("Asia/Shanghai")


def at(text):
    return datetime.fromisoformat(f"{text}+08:00")


def test_what_runs_is_counted_every_quarter_of_an_hour_and_what_is_over_every_night():
    keys = [slot.key for slot in due_rankings(at("2026-11-21T12:14:59"), ZONE)]
    assert keys == [
        "2026-11/2026-11-21T12:00",
        "2026-Q4/2026-11-21T12:00",
        "2026/2026-11-21T12:00",
        "spans/2026-11-21T12:00",
        "over/2026-11-21",
    ]
    assert due_rankings(at("2026-11-21T12:15:00"), ZONE)[1].key == "2026-Q4/2026-11-21T12:15"


@pytest.mark.parametrize(
    ("moment", "night"),
    [("2026-10-01T00:29", "over/2026-09-30"), ("2026-10-01T00:30", "over/2026-10-01")],
)
def test_a_night_covers_those_before_it(moment, night):
    assert due_rankings(at(moment), ZONE)[-1].key == night


def test_a_local_day_decides_not_one_of_greenwich():
    moment = datetime(2026, 12, 31, 16, 45, tzinfo=UTC)
    periods = [slot.period for slot in due_rankings(moment, ZONE)]
    assert periods == ["2027-01", "2027-Q1", "2027", "spans", "over"]


@pytest.mark.parametrize(
    ("moment", "night"),
    [("2026-11-21T00:09", "2026-11-20"), ("2026-11-21T00:10", "2026-11-21")],
)
def test_points_expire_soon_after_midnight(moment, night):
    assert due_expiry(at(moment), ZONE) == [Slot(night, night)]


def test_each_period_that_ended_within_the_look_back_is_an_occasion_of_its_own():
    def over(moment, months=(1, 3, 12), days=62):
        back = timedelta(days=days)
        return [
            (slot.period, f"{slot.due_at:%m-%dT%H:%M}")
            for slot in periods_over(at(moment), ZONE, months=months, at=time(0, 40), back=back)
        ]

    assert over("2027-01-01T00:39", days=30) == []
    assert over("2027-01-01T00:40", days=30) == [
        ("2026-12", "01-01T00:40"),
        ("2026-Q4", "01-01T00:40"),
        ("2026", "01-01T00:40"),
    ]
    assert [name for name, _ in over("2027-01-05T12:00")] == [
        "2026-11",
        "2026-12",
        "2026-Q4",
        "2026",
    ]
    assert [name for name, _ in over("2027-03-31T23:59", months=(3,), days=460)] == [
        "2025-Q4",
        "2026-Q1",
        "2026-Q2",
        "2026-Q3",
        "2026-Q4",
    ]


def test_every_key_fits_its_column():
    slots = [(job.name, slot.key) for job in JOBS.values() for slot in job.due(NOON, ZONE)]
    slots += [(job.name, slot_by_hand(job, None, NOON, ZONE).key) for job in JOBS.values()]
    assert all(len(key) <= 40 for _, key in slots)
    assert len(set(slots)) == len(slots)


def test_a_run_by_hand_is_an_occasion_of_its_own():
    job = job_named("rankings")
    one = slot_by_hand(job, "2026-Q4", NOON, ZONE)
    other = slot_by_hand(job, "2026-Q4", NOON + timedelta(microseconds=1), ZONE)
    assert one.period == other.period == "2026-Q4"
    assert one.key != other.key
    assert slot_by_hand(job, None, NOON, ZONE).period == "2026-Q4"


def test_an_unknown_job_is_refused_with_the_names_of_those_there_are():
    with pytest.raises(JobUnknown, match="rankings, rankings_check, reminders"):
        job_named("nightly")


def test_rankings_rolls_its_period_up(session):
    member = a_member(session)
    a_score_entry(session, member)
    assert work_rankings(session, "2026-Q4", ZONE, NOON).count == 1
    assert session.scalar(select(MemberStanding.member_id)) == member


def test_expiry_takes_what_was_good_through_the_day_before(session):
    member = a_member(session)
    points_for(session, member, 30, "award:1", now=NOON - timedelta(days=400))
    points_for(session, member, 5, "award:2")
    assert balance_of(session, f"member:{member}").available == 35
    before = work_expiry(session, "2026-11-21", ZONE, NOON)
    assert (before.count, before.is_last) == (0, True)
    new_year = at("2027-01-01T00:10")
    assert work_expiry(session, "2027-01-01", ZONE, new_year).count == 1
    assert balance_of(session, f"member:{member}").available == 5
    assert work_expiry(session, "2027-01-01", ZONE, new_year).count == 0
    assert offenders(session) == []


def test_expiry_works_in_batches(session, monkeypatch):
    monkeypatch.setattr(nights, "EXPIRY_BATCH", 2)
    for n in range(3):
        points_for(session, a_member(session), 10, f"award:{n}", now=NOON - timedelta(days=400))
    night = at("2027-01-01T00:10")
    first = work_expiry(session, "2027-01-01", ZONE, night)
    rest = work_expiry(session, "2027-01-01", ZONE, night)
    assert [(s.count, s.is_last) for s in (first, rest)] == [(2, False), (1, True)]


@pytest.mark.parametrize("period", ["2026-11-22", "2026-Q4", "tomorrow", ""])
def test_nothing_expires_ahead_of_its_day(session, period):
    with pytest.raises(DayNotOver):
        work_expiry(session, period, ZONE, NOON)
