"""The nightly job of contracts: due after midnight, done for the day that it is."""

from datetime import date, datetime, timedelta

import pytest

from pointsbank.jobs.errors import DayNotOver
from pointsbank.jobs.table import job_named
from pointsbank.merchants.contracts import contract_of
from pointsbank.merchants.standing import standing_of
from tests.builders import SHANGHAI, TODAY, a_merchant
from tests.merchants.partners import a_contract
from tests.moments import NOON

NEW_YEAR = date(2027, 1, 1)
JUST_AFTER = datetime(2027, 1, 1, 0, 5, tzinfo=SHANGHAI)


def test_the_job_is_due_five_minutes_after_midnight():
    job = job_named("contracts")
    assert [slot.key for slot in job.due(JUST_AFTER, SHANGHAI)] == ["2027-01-01"]
    before = JUST_AFTER - timedelta(minutes=1)
    assert [slot.key for slot in job.due(before, SHANGHAI)] == ["2026-12-31"]


def test_a_night_that_was_missed_is_made_good(session):
    merchant_id = a_merchant(session)
    over = a_contract(session, merchant_id, date(2026, 1, 1), date(2026, 12, 31))
    a_contract(session, merchant_id, NEW_YEAR, date(2027, 12, 31), month_points_max=50)
    work, late = job_named("contracts").work, JUST_AFTER + timedelta(days=3)
    step = work(session, "2027-01-01", SHANGHAI, late)
    assert (step.count, step.is_last) == (2, True)
    assert contract_of(session, over).state == "ended"
    standing = standing_of(session, merchant_id)
    assert (standing.takes_until, standing.month_points_max) == (date(2027, 12, 31), 50)
    assert work(session, "2027-01-01", SHANGHAI, late).count == 0


def test_a_day_that_has_not_come_is_refused(session):
    tomorrow = (TODAY + timedelta(days=1)).isoformat()
    with pytest.raises(DayNotOver):
        job_named("contracts").work(session, tomorrow, SHANGHAI, NOON)
