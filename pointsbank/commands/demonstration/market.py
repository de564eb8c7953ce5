"""Members who redeem at the district's counters: merchants in turn, whoever has the points."""

from collections import deque
from datetime import datetime, timedelta

from sqlalchemy import text
from sqlalchemy.orm import Session

from pointsbank.commands.demonstration.agenda import Agenda
from pointsbank.commands.demonstration.partners import is_open_on
from pointsbank.commands.demonstration.people import District, Merchant
from pointsbank.commands.demonstration.stage import Stage
from pointsbank.core.actor import Actor, Grant
from pointsbank.core.calendar import local_day
from pointsbank.core.db import transaction
from pointsbank.members.codes import REDEMPTION_NUMBER_DIGITS, redemption_digits
from pointsbank.members.showing import draw_redemption_code
from pointsbank.rewards.redeeming import Order, Redeemed, redeem_reward
from pointsbank.rewards.voiding import void_redemption

# In the morning and in the afternoon, when counters are open.
DEALS_AT = (9, 10, 14, 16)
DEALS_A_DAY = 2
# At the store of the first community, beside its turn.
STORE_AT, STORE_EVERY = 11, 3
VOIDED_IN = 20
SHOWN_FIRST = 12
# Most have small things; what is dearer is had now and then.
SMALL_POINTS = 60
DEAR_IN = 4
# Of the first community: those who come to its work again and again.
KEPT = 20
SHOWS_CODE = timedelta(seconds=20)

PURSES = text(
    """
    SELECT account.code, wallet.posted - wallet.held
    FROM account JOIN wallet ON wallet.account_id = account.id
    WHERE account.code LIKE 'member:%' AND wallet.posted - wallet.held >= :points
    """
)


class Market:
    """Finds who can pay, and lets them. Nobody has the same reward twice of their own accord.

    Whoever comes first in a community saves for large deals; those of the first community have
    books that other acts write, and nobody sends them shopping.
    """

    def __init__(self, stage: Stage, district: District) -> None:
        """Let every merchant have its turn, in their order."""
        first, *others = district.communities
        self.stage = stage
        self.district = district
        self._savers = [community.members[0] for community in others]
        kept = {*self._savers, *first.members[:KEPT]}
        self._had: set[tuple[int, int]] = set()
        self._turns = deque(district.merchants)
        self._homes = [
            [each for each in community.members if each not in kept]
            for community in district.communities
        ]

    def plan(self, agenda: Agenda, days: range) -> None:
        """Put down some deals for each of the days so many days ago."""
        dice = self.stage.dice
        for days_ago in days:
            if days_ago % STORE_EVERY == 0:
                at = self.stage.ago(days_ago, STORE_AT, dice.randrange(60))
                agenda.add(at, self.deal_at_store)
            for hour in dice.sample(DEALS_AT, DEALS_A_DAY):
                agenda.add(self.stage.ago(days_ago, hour, dice.randrange(60)), self.next_deal)

    def deal_at_store(self, at: datetime) -> None:
        """Let the community's own store be redeemed at beside its turn: it has most to do."""
        store = self.district.merchants[0]
        with transaction() as session:
            self._deal(session, store, self.purses(session), at)

    def next_deal(self, at: datetime) -> None:
        """Let the next merchant in turn be redeemed at; one that cannot stays the next."""
        day = local_day(at, self.stage.zone)
        with transaction() as session:
            purses = self.purses(session)
            for merchant in list(self._turns):
                if merchant.is_stopped or not is_open_on(merchant.number, day):
                    continue
                if self._deal(session, merchant, purses, at):
                    self._turns.remove(merchant)
                    self._turns.append(merchant)
                    return

    def _deal(
        self, session: Session, merchant: Merchant, purses: dict[int, int], at: datetime
    ) -> bool:
        """Tell whether somebody had something there; now and then it is taken back at once."""
        for reward_id, points in self._wishes(merchant):
            buyer = self.buyer(purses, merchant, reward_id, points)
            if buyer is not None:
                done = self.redeem(session, merchant, reward_id, buyer, at)
                is_voided = self.stage.dice.randrange(VOIDED_IN) == 0
                # What is looked at first shall not come to nothing.
                if is_voided and merchant.number >= SHOWN_FIRST:
                    self.void(session, merchant, done, at + timedelta(minutes=3))
                return True
        return False

    def _wishes(self, merchant: Merchant) -> list[tuple[int, int]]:
        """Return what somebody would like to have there, and what else would do."""
        small = [each for each in merchant.rewards if each[1] <= SMALL_POINTS]
        is_dear = not small or self.stage.dice.randrange(DEAR_IN) == 0
        wish = self.stage.dice.choice(merchant.rewards if is_dear else small)
        return [wish, min(merchant.rewards, key=lambda reward: reward[1])]

    def purses(self, session: Session, points: int = 1) -> dict[int, int]:
        """Return what each member has who has so many points."""
        rows = session.execute(PURSES, {"points": points})
        return {int(code.removeprefix("member:")): available for code, available in rows}

    def buyer(
        self, purses: dict[int, int], merchant: Merchant, reward_id: int, points: int
    ) -> int | None:
        """Draw somebody who can pay, a neighbour of the shop first; None without anybody."""
        home = merchant.number % len(self._homes)
        others = [
            each for at, people in enumerate(self._homes) if at != home for each in people
        ]
        for people in (self._homes[home], others):
            able = [
                each
                for each in people
                if purses.get(each, 0) >= points
                and (reward_id, each) not in self._had
                and each != merchant.clerk_id
            ]
            if able:
                buyer = self.stage.dice.choice(able)
                self._had.add((reward_id, buyer))
                return buyer
        return None

    def can_pay(self, session: Session, member_id: int, points: int) -> bool:
        """Tell whether a member has so many points to spend."""
        return self.purses(session, points).get(member_id, 0) >= points

    def saver(self, session: Session, points: int) -> int | None:
        """Return who of the savers has most, if it is so many points."""
        purses = self.purses(session, points)
        able = [each for each in self._savers if each in purses]
        return max(able, key=lambda each: (purses[each], each), default=None)

    def redeem(
        self,
        session: Session,
        merchant: Merchant,
        reward_id: int,
        buyer: int,
        at: datetime,
        quantity: int = 1,
    ) -> Redeemed:
        """Let a member show a code and the clerk take it."""
        code = self.code(session, buyer, at)
        day = local_day(at, self.stage.zone)
        return redeem_reward(
            session,
            Order(merchant.id, reward_id, quantity, code=code),
            clerk_id=merchant.clerk_id,
            number=self.stage.number(day),
            secret=self.stage.settings.secret_key,
            today=day,
            now=at + SHOWS_CODE,
        )

    def code(self, session: Session, member_id: int, at: datetime) -> str:
        """Let a member draw a redemption code, and return its digits."""
        number = self.stage.digits(REDEMPTION_NUMBER_DIGITS)
        secret = self.stage.settings.secret_key
        draw_redemption_code(session, member_id=member_id, number=number, secret=secret, now=at)
        return redemption_digits(number)

    def void(
        self,
        session: Session,
        merchant: Merchant,
        done: Redeemed,
        at: datetime,
        reason: str = "拿错了",
        quantity: int | None = None,
    ) -> None:
        """Let the clerk take a deal of the day back, or some pieces of it."""
        void_redemption(
            session,
            redemption_id=done.id,
            actor=clerk_of(merchant),
            reason=reason,
            today=local_day(at, self.stage.zone),
            now=at,
            quantity=quantity,
        )


def clerk_of(merchant: Merchant) -> Actor:
    """Return a merchant's clerk as one who acts."""
    return Actor(
        member_id=merchant.clerk_id,
        name="",
        organization_id=0,
        session_id=0,
        grants=(Grant("clerk", merchant_id=merchant.id),),
    )
