"""What an auditor should look at in the demonstration: one of each unusual pattern."""

from datetime import date, datetime, timedelta
from functools import partial

from pointsbank.commands.demonstration.agenda import Agenda
from pointsbank.commands.demonstration.counters import Counters
from pointsbank.commands.demonstration.market import Market, clerk_of
from pointsbank.commands.demonstration.partners import SUNDAY
from pointsbank.commands.demonstration.people import Merchant
from pointsbank.commands.demonstration.stage import Stage
from pointsbank.core.calendar import local_day
from pointsbank.core.db import transaction
from pointsbank.members.households import register_household
from pointsbank.rewards.closing import close_day
from pointsbank.rewards.locking import (
    ALERT_CODES,
    LOCK_SECONDS,
    WRONG_CODES_MAX,
    count_wrong_code,
)
from pointsbank.rewards.watching import (
    BURST_DEALS,
    FAMILY_DEALS_MIN,
    LATE_VOIDS_MIN,
    PAIR_DEALS_MIN,
)

# Merchants by their places: each pattern at another's till.
NOODLES, PHARMACY, REPAIRS, BAKERY, BREAKFAST, CAR_PARK, STALL = 2, 3, 6, 7, 9, 11, 13
ROUND_BILLS = (50, 50, 50, 50, 50, 50)
SECONDS = timedelta(seconds=1)
MINUTES = timedelta(minutes=1)
# A till that is opened again at once after each lock, and tried on.
TRY_SECONDS = 9


class Patterns:
    """Plans one of each; every one is modest."""

    def __init__(
        self, agenda: Agenda, stage: Stage, market: Market, counters: Counters
    ) -> None:
        """Keep what every act needs."""
        self.agenda = agenda
        self.stage = stage
        self.market = market
        self.counters = counters
        self.merchants = market.district.merchants

    def plan(self) -> None:
        """Put all of them down, on days of the last month on which the shops are open."""
        self.agenda.add(self.workday(28, 17, 5), self.same_two)
        self.agenda.add(self.workday(13, 8, 40), self.queue_at_once)
        for place, points in enumerate(ROUND_BILLS):
            repairs = self.merchants[REPAIRS]
            pay = partial(self.counters.pay, repairs, points)
            self.agenda.add(self.workday(20 - 3 * place, 11, 10), pay)
        for minutes in (5, 31):
            self.agenda.add(self.workday(11, 22, minutes), self.at_night)
        self.agenda.add(self.workday(26, 9, 0), self.family)
        self.agenda.add(self.workday(8, 20, 47), self.taken_back_late)
        self.agenda.add(self.workday(6, 16, 20), self.wrong_codes)

    def workday(self, days_ago: int, hour: int, minutes: int) -> datetime:
        """Return a moment so many days ago, or on the day before that where it is a Sunday."""
        day: date = self.stage.today - timedelta(days=days_ago)
        return self.stage.ago(days_ago + (day.weekday() == SUNDAY), hour, minutes)

    def have(self, merchant: Merchant, at: datetime, seconds: int = 0) -> int | None:
        """Let somebody have the merchant's cheapest reward; return the redemption."""
        reward_id, points = min(merchant.rewards, key=lambda reward: reward[1])
        with transaction() as session:
            purses = self.market.purses(session)
            buyer = self.market.buyer(purses, merchant, reward_id, points)
            if buyer is None:
                return None
            at += seconds * SECONDS
            return self.market.redeem(session, merchant, reward_id, buyer, at).id

    def same_two(self, at: datetime) -> None:
        """Let one clerk and one member meet again and again."""
        merchant = self.merchants[PHARMACY]
        member = self.market.district.home_of(merchant).members[0]
        for number in range(PAIR_DEALS_MIN):
            days_ago = 2 * (PAIR_DEALS_MIN - number) + 3
            act = partial(self.hand_over, merchant, member)
            self.agenda.add(self.workday(days_ago, 17, 5), act)

    def queue_at_once(self, at: datetime) -> None:
        """Let more people be served within minutes than can be."""
        for number in range(BURST_DEALS):
            self.have(self.merchants[BREAKFAST], at, 15 * number)

    def at_night(self, at: datetime) -> None:
        """Let a till take points long after the shop was closed."""
        self.have(self.merchants[NOODLES], at)

    def family(self, at: datetime) -> None:
        """Let a clerk hand over to their own family, days after it was registered."""
        merchant = self.merchants[BAKERY]
        relative = self.market.district.home_of(merchant).members[0]
        with transaction() as session:
            register_household(
                session,
                actor=self.market.district.first,
                member_ids=(relative, merchant.clerk_id),
                now=at,
            )
        for number in range(1, FAMILY_DEALS_MIN + 1):
            day = local_day(at, self.stage.zone) + timedelta(days=6 * number)
            act = partial(self.hand_over, merchant, relative)
            self.agenda.add(self.stage.moment(day, 16, 45), act)

    def hand_over(self, merchant: Merchant, member_id: int, at: datetime) -> None:
        """Let a member have the merchant's cheapest reward."""
        reward_id, points = min(merchant.rewards, key=lambda reward: reward[1])
        with transaction() as session:
            if self.market.can_pay(session, member_id, points):
                self.market.redeem(session, merchant, reward_id, member_id, at)

    def taken_back_late(self, at: datetime) -> None:
        """Let deals be taken back minutes before the till is closed."""
        merchant = self.merchants[STALL]
        reward_id, points = min(merchant.rewards, key=lambda reward: reward[1])
        day = local_day(at, self.stage.zone)
        with transaction() as session:
            for number in range(LATE_VOIDS_MIN):
                purses = self.market.purses(session)
                buyer = self.market.buyer(purses, merchant, reward_id, points)
                if buyer is None:
                    return
                begun = at + 3 * number * MINUTES
                done = self.market.redeem(session, merchant, reward_id, buyer, begun)
                self.market.void(session, merchant, done, begun + MINUTES, "不要了")
            close_day(
                session,
                actor=clerk_of(merchant),
                merchant_id=merchant.id,
                day=day,
                words=None,
                today=day,
                now=at + 9 * MINUTES,
            )

    def wrong_codes(self, at: datetime) -> None:
        """Let many wrong codes be tried at one till, five before each lock."""
        clerk_id = self.merchants[CAR_PARK].clerk_id
        with transaction() as session:
            for number in range(ALERT_CODES):
                locks = number // WRONG_CODES_MAX * (LOCK_SECONDS + TRY_SECONDS)
                now = at + (TRY_SECONDS * number + locks) * SECONDS
                count_wrong_code(session, clerk_id, now)
