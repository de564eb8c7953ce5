"""Orders of the demonstration: by voucher and at a till, in every state they can have."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

from pointsbank.commands.demonstration.agenda import Agenda
from pointsbank.commands.demonstration.market import Market, clerk_of
from pointsbank.commands.demonstration.people import Merchant
from pointsbank.commands.demonstration.stage import Stage
from pointsbank.core.actor import Actor
from pointsbank.core.calendar import local_day
from pointsbank.core.db import transaction
from pointsbank.rewards.delivering import Handing, deliver_order, redeem_voucher
from pointsbank.rewards.handing_schemas import WORD_DIGITS
from pointsbank.rewards.ordering import (
    COUNTER_MINUTES,
    VOUCHER_DAYS,
    NewOrder,
    cancel_order,
    expire_next_order,
    order_at_counter,
    order_reward,
)
from pointsbank.rewards.vouchers import voucher_code

DELIVERED, CANCELLED, EXPIRED, WAITING = "delivered", "cancelled", "expired", "waiting"


@dataclass(frozen=True)
class Voucher:
    """One order by voucher: which merchant's which reward, how many, and what becomes of it.

    handed: how many pieces of it are fetched, by default all; is_printed: by the volunteer who
    is printed. merchant, reward: by their places.
    """

    days_ago: int
    merchant: int
    reward: int
    quantity: int
    end: str
    handed: int | None = None
    is_printed: bool = False


VOUCHERS = (
    Voucher(33, 2, 1, 1, DELIVERED, is_printed=True),
    Voucher(21, 0, 4, 1, EXPIRED, is_printed=True),
    Voucher(12, 3, 1, 1, CANCELLED, is_printed=True),
    Voucher(2, 0, 4, 1, WAITING, is_printed=True),
    Voucher(30, 0, 2, 1, DELIVERED),
    Voucher(15, 4, 0, 1, EXPIRED),
    Voucher(6, 7, 1, 2, CANCELLED),
    Voucher(5, 0, 4, 3, DELIVERED, handed=1),
    Voucher(3, 0, 2, 1, WAITING),
    Voucher(1, 1, 0, 1, WAITING),
    Voucher(1, 2, 1, 2, WAITING),
)
# At the till of the community's own store: the last one stands there now.
AT_TILL = ((10, DELIVERED), (7, CANCELLED), (4, EXPIRED), (2, DELIVERED), (0, WAITING))
TILL_REWARD = 4
FETCHED_AFTER = timedelta(days=2)
SHOWN_AGO = timedelta(minutes=2)


def plan_vouchers(agenda: Agenda, stage: Stage, market: Market) -> None:
    """Put down every order."""
    orders = Orders(agenda, stage, market)
    for voucher in VOUCHERS:
        agenda.add(stage.ago(voucher.days_ago, 12, 25), partial(orders.by_voucher, voucher))
    for days_ago, end in AT_TILL:
        at = stage.ago(days_ago, 15, 35) if days_ago else stage.at_counters() - SHOWN_AGO
        agenda.add(at, partial(orders.at_till, end))


class Orders:
    """Makes orders and brings them to their ends."""

    def __init__(self, agenda: Agenda, stage: Stage, market: Market) -> None:
        """Keep what every act needs."""
        self.agenda = agenda
        self.stage = stage
        self.market = market

    def buyer(self, merchant: Merchant, reward: int, quantity: int) -> int | None:
        """Draw who orders."""
        reward_id, points = merchant.rewards[reward]
        with transaction() as session:
            purses = self.market.purses(session)
            return self.market.buyer(purses, merchant, reward_id, quantity * points)

    def printed(self, points: int) -> int | None:
        """Return the volunteer who is printed, if they have so many points."""
        printed = self.market.district.communities[0].members[0]
        with transaction() as session:
            return printed if self.market.can_pay(session, printed, points) else None

    def by_voucher(self, voucher: Voucher, at: datetime) -> None:
        """Let somebody order, and put down how it goes on."""
        merchant = self.market.district.merchants[voucher.merchant]
        if voucher.is_printed:
            buyer = self.printed(merchant.rewards[voucher.reward][1] * voucher.quantity)
        else:
            buyer = self.buyer(merchant, voucher.reward, voucher.quantity)
        if buyer is None:
            return
        day = local_day(at, self.stage.zone)
        reward_id, _points = merchant.rewards[voucher.reward]
        new = NewOrder(reward_id, voucher.quantity, buyer, self.stage.number(day))
        secret = self.stage.settings.secret_key
        with transaction() as session:
            ordered = order_reward(session, new, secret=secret, today=day, now=at)
        if voucher.end == DELIVERED:
            act = partial(self.fetch, merchant, new.number, voucher.handed)
            self.agenda.add(at + FETCHED_AFTER, act)
        elif voucher.end == CANCELLED:
            self.agenda.add(at + timedelta(hours=20), partial(self.cancel, ordered.id, buyer))
        elif voucher.end == EXPIRED:
            self.agenda.add(at + timedelta(days=VOUCHER_DAYS, minutes=1), self.expire)

    def at_till(self, end: str, at: datetime) -> None:
        """Let somebody scan the code at the store's till and order there."""
        store = self.market.district.merchants[0]
        buyer = self.buyer(store, TILL_REWARD, 1)
        if buyer is None:
            return
        day = local_day(at, self.stage.zone)
        reward_id, _points = store.rewards[TILL_REWARD]
        new = NewOrder(reward_id, 1, buyer, self.stage.number(day))
        word = self.stage.digits(WORD_DIGITS)
        with transaction() as session:
            order_id = order_at_counter(
                session, new, shop_id=store.shop_id, word=word, today=day, now=at
            ).id
        if end == DELIVERED:
            act = partial(self.hand_over, store, order_id)
            self.agenda.add(at + timedelta(minutes=1), act)
        elif end == CANCELLED:
            act = partial(self.cancel, order_id, buyer)
            self.agenda.add(at + timedelta(minutes=2), act)
        elif end == EXPIRED:
            self.agenda.add(at + timedelta(minutes=COUNTER_MINUTES + 1), self.expire)

    def fetch(
        self, merchant: Merchant, number: str, quantity: int | None, at: datetime
    ) -> None:
        """Let the clerk hand over against the voucher's code."""
        secret = self.stage.settings.secret_key
        with transaction() as session:
            redeem_voucher(
                session,
                self.handing(merchant, at, quantity),
                code=voucher_code(secret, number),
                secret=secret,
            )

    def hand_over(self, merchant: Merchant, order_id: int, at: datetime) -> None:
        """Let the clerk hand over what was ordered at the till."""
        with transaction() as session:
            deliver_order(session, self.handing(merchant, at), order_id=order_id)

    def handing(self, merchant: Merchant, at: datetime, quantity: int | None = None) -> Handing:
        """Return who hands over, and under which number."""
        day = local_day(at, self.stage.zone)
        return Handing(clerk_of(merchant), self.stage.number(day), day, at, quantity)

    def cancel(self, order_id: int, member_id: int, at: datetime) -> None:
        """Let the member call off what they ordered."""
        with transaction() as session:
            cancel_order(session, order_id=order_id, actor=Actor(member_id, "", 0, 0), now=at)

    def expire(self, at: datetime) -> None:
        """Do what the job does within a minute of an order's end."""
        with transaction() as session:
            expire_next_order(session, now=at)
