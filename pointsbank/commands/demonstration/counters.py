"""What else happens at its counters: large deals, bills in points, voids, ends of days."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

from sqlalchemy.orm import Session

from pointsbank.budgets.months import month_now, months_from
from pointsbank.commands.demonstration.agenda import Agenda
from pointsbank.commands.demonstration.market import Market, clerk_of
from pointsbank.commands.demonstration.people import Merchant
from pointsbank.commands.demonstration.stage import Stage
from pointsbank.core.actor import Actor
from pointsbank.core.calendar import local_day
from pointsbank.core.db import transaction
from pointsbank.rewards.closing import close_day
from pointsbank.rewards.confirming import (
    confirm_redemption,
    decline_redemption,
    lapse_next_confirmation,
)
from pointsbank.rewards.redeeming import CONFIRM_SECONDS, Redeemed
from pointsbank.rewards.till import reward_by_points
from pointsbank.rewards.voiding import refuse_void, void_redemption

# The community's own store: the clerk who is printed stands there.
STORE = 0
# Rewards of the store by their places on its shelf.
OIL, ROLLS, BAGS = 0, 3, 4
LARGE_BILL = 206
SECONDS = timedelta(seconds=1)
# Bills in points at the store, so many days ago; the last ones are today's.
BILLS = ((6, 18), (5, 35), (3, 12), (2, 26), (1, 40))
BILLS_TODAY = ((95, 15), (40, 22))
# What the volunteer who is printed had there: days ago, place on the shelf, whether it was
# taken back.
PRINTED_HAD = ((19, BAGS, False), (6, BAGS, False), (1, BAGS, True))
CLOSED_DAYS = range(1, 8)
CLOSED_ELSEWHERE = 6
NOTES = {3: "有一位老人忘带手机，改日再来", 6: "卷纸只剩十提，已告诉社区补货"}


@dataclass(frozen=True)
class LaterVoid:
    """A deal of the store that administrators look at later; all in days before today.

    reward: its place on the shelf. decided: None while it waits for the second one.
    """

    days_ago: int
    reward: int
    reason: str
    asked: int
    decided: int | None
    is_refused: bool = False


def later_voids(stage: Stage) -> tuple[LaterVoid, ...]:
    """Return the deals that are looked at later; the first one was taken in one month and given
    back in the next, which is cut off too.
    """
    last = months_from(month_now(stage.now, stage.zone), -1)
    days_ago = (stage.today - last.first_on).days
    return (
        LaterVoid(
            days_ago + 3, BAGS, "垃圾袋破了一卷，居民拿回来了", days_ago - 2, days_ago - 3
        ),
        LaterVoid(17, BAGS, "居民说没有领到", 15, 14, is_refused=True),
        LaterVoid(4, ROLLS, "拿错了规格，要换一提", 2, None),
    )


class Counters:
    """Plans what happens beside the usual deals."""

    def __init__(self, agenda: Agenda, stage: Stage, market: Market) -> None:
        """Open the reward of one point at the store, as its first bill would."""
        self.agenda = agenda
        self.stage = stage
        self.market = market
        self.district = market.district
        self.store = self.district.merchants[STORE]

    def plan(self) -> None:
        """Put down all of it."""
        for days_ago, reward, quantity, answer in (
            (12, OIL, 2, self.no),
            (8, OIL, 2, self.silence),
            (3, None, LARGE_BILL, self.yes),
        ):
            act = partial(self.large_deal, reward, quantity, answer)
            self.agenda.add(self.stage.ago(days_ago, 15, 10), act)
        self.agenda.add(self.stage.ago(8, 16, 5), self.some_pieces_back)
        for later in later_voids(self.stage):
            at = self.stage.ago(later.days_ago, 11, 20)
            self.agenda.add(at, partial(self.void_later, later))
        for days_ago, points in BILLS:
            self.agenda.add(self.stage.ago(days_ago, 10, 40), partial(self.bill, points))
        for minutes, points in BILLS_TODAY:
            at = self.stage.at_counters() - timedelta(minutes=minutes)
            self.agenda.add(at, partial(self.bill, points))
        for days_ago, reward, is_voided in PRINTED_HAD:
            act = partial(self.printed_has, reward, is_voided)
            self.agenda.add(self.stage.ago(days_ago, 17, 40), act)
        for days_ago in CLOSED_DAYS:
            closed = self.district.merchants[: CLOSED_ELSEWHERE if days_ago == 1 else 1]
            act = partial(self.close, closed, NOTES.get(days_ago))
            self.agenda.add(self.stage.ago(days_ago, 20, 3), act)

    def large_deal(
        self,
        reward: int | None,
        quantity: int,
        answer: Callable[[Session, Redeemed, datetime], None],
        at: datetime,
    ) -> None:
        """Let somebody want so much at the store that they are asked on their own phone.

        reward: its place on the shelf; None for a bill in points.
        """
        by_points = (reward_by_points(self.store.id, at), 1)
        reward_id, points = by_points if reward is None else self.store.rewards[reward]
        with transaction() as session:
            buyer = self.market.saver(session, quantity * points)
            if buyer is None:
                return
            asked = self.market.redeem(
                session, self.store, reward_id, buyer, at, quantity=quantity
            )
            answer(session, asked, at)

    def yes(self, session: Session, asked: Redeemed, at: datetime) -> None:
        """Let the member say yes."""
        member = Actor(asked.member_id, "", 0, 0)
        confirm_redemption(session, redemption_id=asked.id, actor=member, now=at + 41 * SECONDS)

    def no(self, session: Session, asked: Redeemed, at: datetime) -> None:
        """Let the member say no."""
        member = Actor(asked.member_id, "", 0, 0)
        decline_redemption(session, redemption_id=asked.id, actor=member, now=at + 35 * SECONDS)

    def silence(self, session: Session, _asked: Redeemed, at: datetime) -> None:
        """Let the minute go by."""
        lapse_next_confirmation(session, now=at + 2 * CONFIRM_SECONDS * SECONDS)

    def some_pieces_back(self, at: datetime) -> None:
        """Let somebody have three of something, and bring one back within the hour."""
        reward_id, points = self.store.rewards[BAGS]
        with transaction() as session:
            purses = self.market.purses(session)
            buyer = self.market.buyer(purses, self.store, reward_id, 3 * points)
            if buyer is None:
                return
            done = self.market.redeem(session, self.store, reward_id, buyer, at, quantity=3)
            later = at + timedelta(minutes=25)
            self.market.void(session, self.store, done, later, "多拿了一份", quantity=1)

    def void_later(self, later: LaterVoid, at: datetime) -> None:
        """Let a deal be brought before the administrators days after it."""
        reward_id, points = self.store.rewards[later.reward]
        with transaction() as session:
            purses = self.market.purses(session)
            buyer = self.market.buyer(purses, self.store, reward_id, points)
            if buyer is None:
                return
            done = self.market.redeem(session, self.store, reward_id, buyer, at)
        ask = partial(self.decide, self.district.first, done.id, later.reason)
        self.agenda.add(self.stage.ago(later.asked, 9, 15), ask)
        if later.decided is not None:
            answer = self.refuse if later.is_refused else self.decide
            act = partial(answer, self.district.second, done.id, later.reason)
            self.agenda.add(self.stage.ago(later.decided, 14, 30), act)

    def decide(self, actor: Actor, redemption_id: int, reason: str, at: datetime) -> None:
        """Let an administrator ask for a void, or agree to it."""
        with transaction() as session:
            void_redemption(
                session,
                redemption_id=redemption_id,
                actor=actor,
                reason=reason,
                today=local_day(at, self.stage.zone),
                now=at,
            )

    def refuse(self, actor: Actor, redemption_id: int, _reason: str, at: datetime) -> None:
        """Let the second administrator refuse what the first asked for."""
        with transaction() as session:
            refuse_void(
                session,
                redemption_id=redemption_id,
                actor=actor,
                today=local_day(at, self.stage.zone),
                now=at,
            )

    def printed_has(self, reward: int, is_voided: bool, at: datetime) -> None:
        """Let the volunteer who is printed have something at the store, or nearly."""
        buyer = self.district.communities[0].members[0]
        reward_id, points = self.store.rewards[reward]
        with transaction() as session:
            if not self.market.can_pay(session, buyer, points):
                return
            done = self.market.redeem(session, self.store, reward_id, buyer, at)
            if is_voided:
                self.market.void(session, self.store, done, at + timedelta(minutes=3))

    def bill(self, points: int, at: datetime) -> None:
        """Let somebody pay a bill at the store in points."""
        self.pay(self.store, points, at)

    def pay(self, merchant: Merchant, points: int, at: datetime) -> None:
        """Let somebody pay a merchant a bill in points."""
        reward_id = reward_by_points(merchant.id, at)
        with transaction() as session:
            purses = self.market.purses(session)
            buyer = self.market.buyer(purses, merchant, reward_id, points)
            if buyer is not None:
                self.market.redeem(session, merchant, reward_id, buyer, at, quantity=points)

    def close(self, merchants: list[Merchant], words: str | None, at: datetime) -> None:
        """Let clerks close their day."""
        day = local_day(at, self.stage.zone)
        with transaction() as session:
            for merchant in merchants:
                close_day(
                    session,
                    actor=clerk_of(merchant),
                    merchant_id=merchant.id,
                    day=day,
                    words=words,
                    today=day,
                    now=at,
                )
