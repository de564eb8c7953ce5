"""Contracts: two people sign, days do not overlap, and the merchant holds what is in force."""

from datetime import date, timedelta

import pytest
from sqlalchemy import select

from pointsbank.core.actor import Actor, Grant
from pointsbank.merchants.contracting import (
    NewContract,
    decide_contract,
    end_contract,
    keep_terms,
    propose_contract,
    years_after,
)
from pointsbank.merchants.contracts import contract_of, contracts_of
from pointsbank.merchants.errors import (
    BadLastDay,
    BadTerm,
    ContractDecided,
    ContractNotFound,
    ContractNotInForce,
    ContractOverlaps,
    OwnMerchant,
    SecondPersonNeeded,
)
from pointsbank.merchants.queries import rate_on, terms_on
from pointsbank.merchants.standing import (
    let_merchant_return,
    standing_of,
    stop_merchant,
)
from pointsbank.messages.models import Message
from pointsbank.organizations.errors import MerchantNotFound
from tests.builders import TODAY, a_member, a_merchant, with_role
from tests.merchants.partners import a_clerk, a_contract, an_administrator
from tests.moments import NOON

DAY = timedelta(days=1)
YEAR_END = date(2026, 12, 31)


@pytest.fixture
def merchant_id(session):
    return a_merchant(session)


@pytest.fixture
def first(session):
    return an_administrator(session)


@pytest.fixture
def second(session):
    return an_administrator(session)


def propose(
    session, actor, merchant_id, valid_from=TODAY, valid_until=YEAR_END, rate=1_200, points=None
):
    contract = NewContract("2026-07", valid_from, valid_until, rate, points)
    return propose_contract(
        session, actor=actor, merchant_id=merchant_id, contract=contract, today=TODAY, now=NOON
    )


def sign(session, actor, contract_id, is_signed=True):
    return decide_contract(
        session,
        actor=actor,
        contract_id=contract_id,
        is_signed=is_signed,
        today=TODAY,
        now=NOON,
    )


def end(session, actor, contract_id, last_on):
    return end_contract(
        session, actor=actor, contract_id=contract_id, last_on=last_on, today=TODAY, now=NOON
    )


def copied(session, merchant_id):
    standing = standing_of(session, merchant_id)
    return standing.takes_until, standing.month_points_max


def told(session, member_id):
    kinds = select(Message.kind).where(Message.member_id == member_id).order_by(Message.id)
    return list(session.scalars(kinds))


def test_a_contract_holds_when_a_second_administrator_has_signed(
    session, merchant_id, first, second
):
    clerk = a_clerk(session, merchant_id)
    contract_id = propose(session, first, merchant_id, points=5_000)
    assert told(session, second.member_id) == ["contract_proposed"]
    assert (rate_on(session, merchant_id, TODAY), copied(session, merchant_id)) == (
        1_000,
        (None, None),
    )
    with pytest.raises(SecondPersonNeeded):
        sign(session, first, contract_id)
    assert sign(session, second, contract_id).state == "in_force"
    assert terms_on(session, merchant_id, TODAY).contract_id == contract_id
    assert copied(session, merchant_id) == (YEAR_END, 5_000)
    assert told(session, clerk.member_id) == ["contract_signed"]
    for is_signed in (True, False):
        with pytest.raises(ContractDecided):
            sign(session, second, contract_id, is_signed)


def test_a_refused_contract_changes_nothing(session, merchant_id, first, second):
    contract_id = propose(session, first, merchant_id)
    assert sign(session, second, contract_id, is_signed=False).state == "refused"
    assert copied(session, merchant_id) == (None, None)
    assert propose(session, first, merchant_id) > contract_id


@pytest.mark.parametrize(
    ("valid_from", "valid_until"),
    [
        (date(2026, 10, 31), YEAR_END),
        (TODAY.replace(day=1), TODAY - DAY),
        (YEAR_END, TODAY),
        (TODAY, date(2036, 11, 21)),
        (TODAY, date.max),
    ],
)
def test_days_that_cannot_be_signed(session, merchant_id, first, valid_from, valid_until):
    with pytest.raises(BadTerm):
        propose(session, first, merchant_id, valid_from, valid_until)


@pytest.mark.parametrize(
    ("day", "after"),
    [
        (date(2026, 11, 21), date(2036, 11, 21)),
        (date(2028, 2, 29), date(2038, 3, 1)),
        (date(9999, 1, 1), date.max),
    ],
)
def test_ten_years_are_ten_years(day, after):
    assert years_after(day, 10) == after


def test_a_contract_may_begin_with_the_running_month(session, merchant_id, first, second):
    contract_id = propose(session, first, merchant_id, TODAY.replace(day=1))
    sign(session, second, contract_id)
    assert rate_on(session, merchant_id, TODAY.replace(day=1)) == 1_200


@pytest.mark.parametrize(
    ("valid_from", "valid_until"),
    [
        (YEAR_END, YEAR_END),
        (TODAY, TODAY),
        (TODAY, date(2027, 6, 30)),
        (TODAY.replace(day=1), date(2027, 6, 30)),
    ],
)
def test_two_contracts_do_not_hold_on_one_day(
    session, merchant_id, first, second, valid_from, valid_until
):
    waiting = propose(session, first, merchant_id, valid_from, valid_until)
    sign(session, second, propose(session, first, merchant_id))
    with pytest.raises(ContractOverlaps):
        propose(session, first, merchant_id, valid_from, valid_until)
    # It was proposed when nothing stood in its way; signing looks again.
    with pytest.raises(ContractOverlaps):
        sign(session, second, waiting)
    other = a_merchant(session)
    assert sign(session, second, propose(session, first, other)).state == "in_force"


def test_contracts_without_a_gap_count_as_one(session, merchant_id, first, second):
    sign(session, second, propose(session, first, merchant_id, points=100))
    next_year = propose(
        session, first, merchant_id, date(2027, 1, 1), date(2027, 12, 31), points=900
    )
    later = propose(session, first, merchant_id, date(2028, 2, 1), date(2028, 3, 1))
    for contract_id in (next_year, later):
        sign(session, second, contract_id)
    assert copied(session, merchant_id) == (date(2027, 12, 31), 100)
    new_year = date(2027, 1, 1)
    assert keep_terms(session, today=new_year, now=NOON) == 2
    assert copied(session, merchant_id) == (date(2027, 12, 31), 900)
    assert keep_terms(session, today=new_year, now=NOON) == 0
    states = {line.valid_from.year: line.state for line in contracts_of(session, merchant_id)}
    assert states == {2026: "ended", 2027: "in_force", 2028: "in_force"}


def test_after_the_last_day_a_merchant_takes_no_points(session, merchant_id):
    a_contract(session, merchant_id, date(2026, 1, 1), TODAY, month_points_max=7)
    keep_terms(session, today=TODAY, now=NOON)
    assert standing_of(session, merchant_id).takes_points_on(TODAY)
    keep_terms(session, today=TODAY + DAY, now=NOON)
    assert copied(session, merchant_id) == (TODAY, 7)
    assert not standing_of(session, merchant_id).takes_points_on(TODAY + DAY)
    assert rate_on(session, merchant_id, TODAY) == 1_200


def test_both_sides_are_told_once_that_a_contract_ends(session, merchant_id):
    clerk, judge = a_clerk(session, merchant_id), an_administrator(session)
    a_contract(session, merchant_id, date(2026, 1, 1), TODAY + 31 * DAY)
    keep_terms(session, today=TODAY, now=NOON)
    assert told(session, clerk.member_id) == []
    for _ in range(2):
        keep_terms(session, today=TODAY + DAY, now=NOON)
    assert told(session, clerk.member_id) == ["contract_ends"]
    assert told(session, judge.member_id) == ["contract_ends"]


def test_a_contract_is_ended_early(session, merchant_id, first, second):
    contract_id = propose(session, first, merchant_id)
    with pytest.raises(ContractNotInForce):
        end(session, second, contract_id, TODAY)
    sign(session, second, contract_id)
    for last_on in (TODAY - DAY, YEAR_END, YEAR_END + DAY):
        with pytest.raises(BadLastDay):
            end(session, first, contract_id, last_on)
    ended = end(session, first, contract_id, TODAY + DAY)
    assert (ended.state, ended.valid_until) == ("in_force", TODAY + DAY)
    assert copied(session, merchant_id) == (TODAY + DAY, None)
    assert rate_on(session, merchant_id, TODAY) == 1_200


def test_a_contract_that_has_not_begun_is_dropped(session, merchant_id, first, second):
    contract_id = propose(session, first, merchant_id, TODAY + 5 * DAY)
    sign(session, second, contract_id)
    assert end(session, first, contract_id, TODAY).state == "refused"
    assert rate_on(session, merchant_id, TODAY + 6 * DAY) == 1_000
    with pytest.raises(ContractNotInForce):
        end(session, first, contract_id, TODAY)


def test_those_who_work_there_decide_nothing(session, merchant_id, first):
    own = Actor(
        with_role(session, a_member(session), "clerk", merchant_id=merchant_id),
        "赵店员",
        0,
        0,
        (Grant("administrator", "/"), Grant("clerk", merchant_id=merchant_id)),
    )
    contract_id = propose(session, first, merchant_id)
    with pytest.raises(OwnMerchant):
        propose(session, own, merchant_id)
    with pytest.raises(OwnMerchant):
        sign(session, own, contract_id)


def test_nobody_from_elsewhere_decides(session, merchant_id, first):
    far, clerk = an_administrator(session, "/404/"), a_clerk(session, merchant_id)
    contract_id = propose(session, first, merchant_id)
    for actor in (far, clerk):
        with pytest.raises(MerchantNotFound):
            propose(session, actor, merchant_id)
        with pytest.raises(ContractNotFound):
            sign(session, actor, contract_id)
        with pytest.raises(ContractNotFound):
            end(session, actor, contract_id, TODAY)
        with pytest.raises(MerchantNotFound):
            stop_merchant(session, actor=actor, merchant_id=merchant_id, reason="x", now=NOON)
    assert contract_of(session, contract_id).state == "proposed"


def test_a_merchant_is_stopped_with_a_reason_and_returns(session, merchant_id, first):
    clerk = a_clerk(session, merchant_id)
    for reason in ("价格不符", "again"):
        stop_merchant(session, actor=first, merchant_id=merchant_id, reason=reason, now=NOON)
    standing = standing_of(session, merchant_id)
    assert (standing.state, standing.stopped_reason) == ("suspended", "价格不符")
    assert not standing.takes_points_on(TODAY)
    for _ in range(2):
        let_merchant_return(session, actor=first, merchant_id=merchant_id, now=NOON)
    assert standing_of(session, merchant_id).takes_points_on(TODAY)
    assert told(session, clerk.member_id) == ["merchant_stopped", "merchant_returned"]
