"""Unusual patterns: each judged by itself, read of real deals, shown to who oversees them."""

from datetime import date, datetime, timedelta

import pytest
from sqlalchemy import delete, select

from pointsbank.members.models import Household, HouseholdMember
from pointsbank.members.queries import role_holders_over
from pointsbank.merchants.models import Hours, Shop, ShopHours
from pointsbank.messages.models import Message
from pointsbank.organizations.queries import organization_of
from pointsbank.rewards.locking import ALERT_CODES, count_wrong_code
from pointsbank.rewards.models import WrongCode
from pointsbank.rewards.watching import (
    BURST_DEALS,
    DAYS_MAX,
    PAIR_DEALS_MIN,
    ROUND_DEALS_MIN,
    Alarm,
    Deal,
    Facts,
    TakenBack,
    days_of,
    facts_of,
    judged,
)
from pointsbank.rewards.watching_errors import BadDaySpan
from tests.builders import SHANGHAI, TODAY, a_member, an_organization, with_role
from tests.counting import statements_of
from tests.moments import NOON

# Opens from eight to six every day.
HOURS = {1: {1: [Hours(weekday, 480, 1080) for weekday in range(7)]}}
MINUTE = timedelta(minutes=1)


def deal(no, *, at=None, **changes):
    values = {
        "id": no,
        "merchant_id": 1,
        "shop_id": 1,
        "clerk_id": 10,
        "member_id": 100 + no,
        "points": 21,
        "at": at or NOON + no * timedelta(hours=30),
        "is_typed": False,
        "is_family": False,
    }
    return Deal(**{**values, **changes})


def at_eight(no):
    return NOON.astimezone(SHANGHAI).replace(hour=9) + timedelta(days=no)


def void(no, at, closed_at=None):
    return TakenBack(no, 1, 1, 10, 20, at, closed_at)


def kinds(deals=(), voids=(), alarms=(), shops=None):
    in_order = sorted(deals, key=lambda each: each.at)
    facts = Facts(SHANGHAI, in_order, voids, alarms, HOURS if shops is None else shops)
    return [finding.kind for finding in judged(facts)]


def daily(count, **changes):
    return [deal(no, at=at_eight(no), **changes) for no in range(count)]


def test_an_ordinary_month_has_nothing_unusual():
    assert kinds(daily(60), [void(1, NOON)]) == []
    assert kinds() == []


def test_one_clerk_and_one_member_again_and_again():
    regular = daily(PAIR_DEALS_MIN, member_id=7)
    assert kinds(regular) == ["same_pair"]
    assert kinds(regular[1:]) == []
    others = [deal(100 + no, at=at_eight(no) + MINUTE) for no in range(3 * PAIR_DEALS_MIN)]
    assert kinds([*regular, *others]) == ["same_pair"]
    assert kinds([*regular, *others, deal(999, at=at_eight(0))]) == []


def test_round_amounts_are_judged_where_they_are_typed():
    typed = daily(ROUND_DEALS_MIN, points=100, is_typed=True)
    assert kinds(typed) == ["round_amounts"]
    assert kinds(daily(ROUND_DEALS_MIN, points=100)) == []
    assert kinds(typed[1:]) == []
    bills = [deal(50 + no, at=at_eight(no), is_typed=True) for no in range(ROUND_DEALS_MIN)]
    assert kinds([*typed, *bills]) == ["round_amounts"]
    assert kinds([*typed, *bills, deal(99, at=at_eight(1), is_typed=True)]) == []


@pytest.mark.parametrize(
    ("hour", "minute", "is_unusual"),
    [
        (7, 44, True),
        (7, 46, False),
        (12, 0, False),
        (18, 14, False),
        (18, 15, True),
        (3, 0, True),
    ],
)
def test_deals_while_the_shop_is_closed(hour, minute, is_unusual):
    at = datetime(2026, 11, 21, hour, minute, tzinfo=SHANGHAI)
    assert kinds([deal(1, at=at)]) == ["after_hours"] * is_unusual
    for not_known in ({}, {1: {1: []}}):
        assert kinds([deal(1, at=at)], shops=not_known) == []
    # Which of two shops it was is not known: one of them was open.
    both = {1: {**HOURS[1], 2: [Hours(weekday, 0, 1440) for weekday in range(7)]}}
    assert kinds([deal(1, at=at, shop_id=None)], shops=both) == []


def test_bursts():
    start = at_eight(0)
    fast = [deal(no, at=start + no * timedelta(seconds=20)) for no in range(BURST_DEALS)]
    assert kinds(fast) == ["bursts"]
    assert kinds(fast[1:]) == []
    calm = [deal(no, at=start + no * timedelta(seconds=21)) for no in range(BURST_DEALS)]
    assert kinds(calm) == []
    finding = judged(Facts(SHANGHAI, [*fast, deal(77, at=start + 60 * MINUTE)]))[0]
    assert (finding.times, finding.points) == (BURST_DEALS, 21 * BURST_DEALS)


def test_a_clerks_own_family():
    assert kinds(daily(2, member_id=7, is_family=True)) == ["own_family"]
    assert kinds(daily(1, member_id=7, is_family=True)) == []
    assert kinds(daily(2, is_family=True)) == []


def test_voids_right_before_closing():
    end = datetime(2026, 11, 21, 17, 50, tzinfo=SHANGHAI)
    assert kinds(voids=[void(1, end), void(2, end)]) == ["late_voids"]
    assert kinds(voids=[void(1, end)]) == []
    closed = [void(no, NOON, NOON + 15 * MINUTE) for no in (1, 2)]
    assert kinds(voids=closed) == ["late_voids"]
    early = [void(no, end, end + 16 * MINUTE) for no in (1, 2)]
    assert kinds(voids=early) == []
    afterwards = [void(no, end, end - MINUTE) for no in (1, 2)]
    assert kinds(voids=afterwards) == []
    assert kinds(voids=[void(1, end), void(2, end)], shops={}) == []


def test_wrong_codes_are_listed():
    assert kinds(alarms=[Alarm(1, 10, NOON)]) == ["wrong_codes"]


@pytest.fixture
def pattern(counter, writing):
    """A household of clerk and member, two deals of theirs, and a shop closed at noon."""
    with writing() as session:
        home = Household(
            organization_id=an_organization(session),
            registered_by_id=counter.clerk_id,
            registered_at=NOON,
        )
        session.add(home)
        session.flush()
        for member_id in (counter.clerk_id, counter.member_id):
            session.add(
                HouseholdMember(
                    member_id=member_id,
                    household_id=home.id,
                    added_by_id=counter.clerk_id,
                    added_at=NOON,
                )
            )
        shop = Shop(
            merchant_id=counter.merchant_id, name="本店", till_handle=b"12345678", added_at=NOON
        )
        session.add(shop)
        session.flush()
        session.add(ShopHours(shop_id=shop.id, weekday=0, opens=480, closes=600))
    made = []
    for _ in range(2):
        code = counter.code(now=NOON)
        with writing() as session:
            made.append(counter.redeem(session, counter.order(code)))
    return made


def test_what_is_read_is_what_happened(counter, pattern, writing):
    with writing() as session:
        facts = facts_of(session, ["/"], TODAY, TODAY, SHANGHAI)
        assert [(each.id, each.points, each.is_family) for each in facts.deals] == [
            (each.id, 20, True) for each in pattern
        ]
        assert {each.kind for each in judged(facts)} == {"own_family", "after_hours"}
        assert facts_of(session, ["/99/"], TODAY, TODAY, SHANGHAI).deals == []
        yesterday = TODAY - timedelta(days=1)
        assert facts_of(session, ["/"], yesterday, yesterday, SHANGHAI).deals == []


def test_voids_are_read_with_their_tills_closing(counter, pattern, writing):
    with writing() as session:
        counter.void(session, pattern[0].id)
    with writing() as session:
        facts = facts_of(session, ["/"], TODAY, TODAY, SHANGHAI)
        assert [(each.deal_id, each.clerk_id, each.closed_at) for each in facts.voids] == [
            (pattern[0].id, counter.clerk_id, None)
        ]


def test_the_number_of_statements_does_not_grow(counter, pattern, writing, app):
    with statements_of(app) as seen, writing() as session:
        facts_of(session, ["/"], TODAY, TODAY, SHANGHAI)
    assert len([each for each in seen if each.startswith("SELECT")]) == 4


def try_codes(writing, clerk_id, count, start=NOON, apart=timedelta(minutes=2)):
    """Try wrong codes, with a right one after each fourth so that no lock comes in between."""
    for no in range(count):
        with writing() as session:
            if no % 4 == 3:
                session.execute(delete(WrongCode))
            count_wrong_code(session, clerk_id, start + no * apart)


def path_of(session):
    return organization_of(session, an_organization(session)).path


def told(session, kind="many_wrong_codes"):
    return [
        (each.member_id, each.facts["shop"])
        for each in session.scalars(
            select(Message).where(Message.kind == kind).order_by(Message.member_id)
        )
    ]


def test_twenty_wrong_codes_in_a_day_alert_administrators_once(counter, writing):
    with writing() as session:
        over = set(role_holders_over(session, path_of(session), ("administrator",)))
        over.add(with_role(session, a_member(session, "周文"), "administrator"))
        elsewhere = an_organization(session, "140303009", name="别处")
        with_role(session, a_member(session, "钱多"), "administrator", elsewhere)
    try_codes(writing, counter.clerk_id, ALERT_CODES - 1)
    with writing() as session:
        assert told(session) == []
    try_codes(writing, counter.clerk_id, 3, NOON + timedelta(hours=20))
    with writing() as session:
        found = told(session)
        assert set(found) == {(each, "惠民粮油店") for each in over}
        assert len(found) == len(over)
        facts = facts_of(session, ["/"], TODAY, TODAY + timedelta(days=1), SHANGHAI)
        assert [(each.merchant_id, each.clerk_id) for each in facts.alarms] == [
            (counter.merchant_id, counter.clerk_id)
        ]


def test_wrong_codes_of_another_day_begin_anew(counter, writing):
    try_codes(writing, counter.clerk_id, ALERT_CODES - 1)
    try_codes(writing, counter.clerk_id, 1, NOON + timedelta(days=1))
    with writing() as session:
        assert told(session) == []
    try_codes(writing, counter.clerk_id, ALERT_CODES - 1, NOON + timedelta(days=1, hours=1))
    with writing() as session:
        assert told(session) != []


@pytest.mark.parametrize(
    ("first", "last", "days"),
    [(None, None, 30), ("2026-11-01", None, 21), ("2026-11-01", "2026-11-01", 1)],
)
def test_spans_of_days(first, last, days):
    start, end = days_of(first, last, NOON, SHANGHAI)
    assert (end - start).days + 1 == days


@pytest.mark.parametrize(
    ("first", "last"),
    [
        ("2026-11-02", "2026-11-01"),
        ("2026", None),
        ("昨天", None),
        ("0001-01-01", None),
        (None, "0001-01-01"),
        (str(date(2026, 11, 21) - timedelta(days=DAYS_MAX)), "2026-11-21"),
    ],
)
def test_spans_of_days_that_are_none(first, last):
    with pytest.raises(BadDaySpan):
        days_of(first, last, NOON, SHANGHAI)
