"""The terms of a day: before, in, between and after contracts."""

from datetime import date, timedelta

import pytest

from pointsbank.merchants.queries import Terms, rate_on, terms_on
from tests.builders import a_merchant
from tests.merchants.partners import a_contract

JULY, DECEMBER = date(2026, 7, 1), date(2026, 12, 31)
DAY = timedelta(days=1)


@pytest.fixture
def merchant_id(session):
    return a_merchant(session)


def test_without_a_contract_the_usual_rate_holds(session, merchant_id):
    assert terms_on(session, merchant_id, JULY) == Terms(1_000, None, None)


@pytest.mark.parametrize("state", ["proposed", "refused"])
def test_what_was_not_signed_does_not_hold(session, merchant_id, state):
    a_contract(session, merchant_id, JULY, DECEMBER, state=state)
    assert rate_on(session, merchant_id, JULY) == 1_000


def test_a_contract_holds_on_both_of_its_end_days(session, merchant_id):
    contract_id = a_contract(session, merchant_id, JULY, DECEMBER, 1_250, 5_000)
    assert terms_on(session, merchant_id, JULY - DAY) == Terms(1_000, None, None)
    for day in (JULY, DECEMBER):
        assert terms_on(session, merchant_id, day) == Terms(1_250, 5_000, contract_id)
    assert terms_on(session, merchant_id, DECEMBER + DAY) == Terms(1_250, None, None)


def test_the_contract_of_the_day_counts_and_an_ended_one_did(session, merchant_id):
    a_contract(session, merchant_id, JULY, date(2026, 9, 30), 1_100, state="ended")
    a_contract(session, merchant_id, date(2026, 11, 1), DECEMBER, 900)
    a_contract(session, a_merchant(session), JULY, DECEMBER, 7)
    rates = [rate_on(session, merchant_id, date(2026, month, 15)) for month in (6, 9, 10, 11)]
    assert rates == [1_000, 1_100, 1_100, 900]
