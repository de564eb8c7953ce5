"""The sales guard and what it answers: both say the same of every reward."""

from datetime import timedelta

import pytest
from sqlalchemy import update

from pointsbank.members.models import Member
from pointsbank.organizations.models import Merchant
from pointsbank.rewards.errors import (
    LimitReached,
    MerchantStopped,
    OutOfStock,
    RewardForOthers,
    RewardNotToday,
    RewardNotYet,
    RewardOver,
    RewardWithdrawn,
    StarsMissing,
)
from pointsbank.rewards.guarding import CAN_BE_HAD, guard_values, guarded, may_have
from pointsbank.rewards.models import Reward, RewardTaken
from pointsbank.rewards.policy import STAR_HOURS, share_period
from tests.builders import SHANGHAI, TODAY, a_member, a_reward, a_score_entry, an_organization
from tests.counting import statements_of
from tests.moments import NOON

SATURDAY, FRIDAY = 1 << 5, 1 << 4
TWENTY_FIRST, FIFTEENTH, THIRTY_FIRST = 1 << 21, 1 << 15, 1 << 31

DAY_MINUTES = 24 * 60

CAN_BE = guarded(f"SELECT COUNT(*) FROM reward WHERE reward.id = :reward_id AND {CAN_BE_HAD}")
SELL = guarded(
    f"UPDATE reward SET stock = stock - :quantity WHERE id = :reward_id AND {CAN_BE_HAD}"
)


def changed(session, reward_id, **values):
    if values:
        session.execute(update(Reward).where(Reward.id == reward_id).values(**values))


def served(session, member_id, minutes):
    """Enter so many minutes of service, a day's at most at a time."""
    while minutes > 0:
        a_score_entry(session, member_id, service_minutes=min(minutes, DAY_MINUTES))
        minutes -= DAY_MINUTES


def guard_lets(session, reward_id, member_id, quantity=1, now=NOON, statement=CAN_BE):
    values = {
        "reward_id": reward_id,
        "member_id": member_id,
        "quantity": quantity,
        "now": now,
        **guard_values(now.astimezone(SHANGHAI).date()),
    }
    result = session.execute(statement, values)
    return bool(result.rowcount if statement is SELL else result.scalar())


def obstacle(session, reward_id, member_id, quantity=1, now=NOON):
    """Ask both and return what stands in the way; they must agree."""
    found = may_have(session, [reward_id], member_id, now, SHANGHAI, quantity=quantity)
    stands = found[reward_id]
    is_limit = isinstance(stands, LimitReached)
    assert guard_lets(session, reward_id, member_id, quantity, now) == (
        stands is None or is_limit
    )
    return stands


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        ({}, None),
        ({"stock": None}, None),
        ({"stock": 0}, OutOfStock),
        ({"state": "draft"}, RewardWithdrawn),
        ({"state": "withdrawn"}, RewardWithdrawn),
        ({"valid_from": NOON}, None),
        ({"valid_from": NOON + timedelta(seconds=1)}, RewardNotYet),
        ({"valid_until": NOON + timedelta(seconds=1)}, None),
        ({"valid_until": NOON}, RewardOver),
        ({"weekdays": SATURDAY}, None),
        ({"weekdays": FRIDAY}, RewardNotToday),
        ({"weekdays": FRIDAY | SATURDAY}, None),
        ({"monthdays": TWENTY_FIRST}, None),
        ({"monthdays": FIFTEENTH | THIRTY_FIRST}, RewardNotToday),
        ({"weekdays": FRIDAY, "monthdays": TWENTY_FIRST}, None),
        ({"weekdays": FRIDAY, "monthdays": FIFTEENTH}, RewardNotToday),
        ({"weekdays": SATURDAY, "monthdays": FIFTEENTH}, None),
        ({"stars_min": 1}, StarsMissing),
        ({"stars_min": 5}, StarsMissing),
    ],
    ids=str,
)
def test_each_condition_is_judged_alike_by_guard_and_answer(counter, writing, values, kind):
    with writing() as session:
        changed(session, counter.reward_id, **values)
        stands = obstacle(session, counter.reward_id, counter.member_id)
        assert type(stands) is (kind or type(None))


def test_the_guard_holds_in_an_update_too(counter, writing):
    with writing() as session:
        sell = {"statement": SELL, "quantity": 4}
        assert guard_lets(session, counter.reward_id, counter.member_id, **sell)
        assert guard_lets(session, counter.reward_id, counter.member_id, **sell)
        assert not guard_lets(session, counter.reward_id, counter.member_id, **sell)
        stands = obstacle(session, counter.reward_id, counter.member_id, quantity=3)
        assert stands.facts == {"left": 2}
        changed(session, counter.reward_id, weekdays=FRIDAY)
        assert not guard_lets(
            session, counter.reward_id, counter.member_id, statement=SELL, quantity=1
        )


def test_the_day_is_the_local_one(counter, writing):
    with writing() as session:
        changed(session, counter.reward_id, weekdays=SATURDAY)
        midnight = NOON.replace(hour=0)
        for moment, is_let in (
            (midnight - timedelta(seconds=1), False),
            (midnight, True),
            (midnight + timedelta(days=1), False),
        ):
            stands = obstacle(session, counter.reward_id, counter.member_id, now=moment)
            assert (stands is None) is is_let


def test_a_merchant_takes_points_while_active_and_through_the_last_day(counter, writing):
    with writing() as session:
        for values, kind in (
            ({"takes_until": TODAY}, type(None)),
            ({"takes_until": TODAY - timedelta(days=1)}, MerchantStopped),
            ({"takes_until": None, "state": "suspended"}, MerchantStopped),
        ):
            session.execute(
                update(Merchant).where(Merchant.id == counter.merchant_id).values(**values)
            )
            assert type(obstacle(session, counter.reward_id, counter.member_id)) is kind


def test_an_audience_is_everyone_under_it_by_belonging_or_by_living_there(counter, writing):
    with writing() as session:
        street = an_organization(session, "140303009", "street", name="别的街道")
        community = an_organization(session, "140303009001", parent=street, name="别的社区")
        changed(session, counter.reward_id, audience_id=street)
        assert type(obstacle(session, counter.reward_id, counter.member_id)) is RewardForOthers
        belongs = a_member(session, organization_id=community)
        lives_there = a_member(session)
        session.execute(
            update(Member).where(Member.id == lives_there).values(grid_id=community)
        )
        for member_id in (belongs, lives_there):
            assert obstacle(session, counter.reward_id, member_id) is None
        changed(session, counter.reward_id, audience_id=community)
        at_street = a_member(session, organization_id=street)
        assert type(obstacle(session, counter.reward_id, at_street)) is RewardForOthers


@pytest.mark.parametrize(("stars", "hours"), list(enumerate(STAR_HOURS, 1)))
def test_stars_come_with_the_hour_and_not_a_minute_before(counter, writing, stars, hours):
    with writing() as session:
        changed(session, counter.reward_id, stars_min=stars)
        served(session, counter.member_id, hours * 60 - 1)
        stands = obstacle(session, counter.reward_id, counter.member_id)
        assert stands.facts == {"stars": stars, "hours": hours}
        served(session, counter.member_id, 1)
        assert obstacle(session, counter.reward_id, counter.member_id) is None


@pytest.mark.parametrize("period", ["ever", "year", "quarter", "month", "week", "day"])
def test_a_limit_counts_in_its_own_period(counter, writing, period):
    with writing() as session:
        changed(session, counter.reward_id, limit_per_member=3, limit_period=period)
        session.add(
            RewardTaken(
                reward_id=counter.reward_id,
                member_id=counter.member_id,
                period=share_period(period, TODAY),
                quantity=2,
            )
        )
        session.flush()
        assert obstacle(session, counter.reward_id, counter.member_id) is None
        stands = obstacle(session, counter.reward_id, counter.member_id, quantity=2)
        assert stands.facts == {"limit": 3}
        next_year = NOON + timedelta(days=366)
        later = obstacle(session, counter.reward_id, counter.member_id, 2, next_year)
        assert (later is None) == (period != "ever")


def test_many_rewards_are_judged_in_one_statement(counter, writing):
    with writing() as session:
        ids = [a_reward(session, counter.merchant_id, stock=number) for number in range(5)]
        with statements_of(counter.app) as statements:
            found = may_have(session, [*ids, 10**12], counter.member_id, NOON, SHANGHAI)
        assert len(statements) == 1
        assert set(found) == set(ids)
        assert [found[each] is None for each in ids] == [False, True, True, True, True]
        assert may_have(session, [], counter.member_id, NOON, SHANGHAI) == {}
