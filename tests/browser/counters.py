"""A shop's counter as browsers meet it: a till, a phone and a paper card, on small screens."""

import re
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from playwright.sync_api import Page, expect
from sqlalchemy import func, select

from pointsbank.core import clock
from pointsbank.core.codes import Purpose, url_of
from pointsbank.core.db import reading, transaction
from pointsbank.core.keys import draw_bytes
from pointsbank.ledger.queries import balance_of
from pointsbank.ledger.verifying import offenders
from pointsbank.members.codes import CARD_NUMBER_BYTES, card_text
from pointsbank.members.showing import issue_card
from pointsbank.merchants.models import TILL_HANDLE_BYTES, Shop
from pointsbank.merchants.tills import till_text
from pointsbank.rewards.models import Redemption, Reward
from pointsbank.rewards.orders_models import RewardOrder
from tests.browser.people import People, code_in
from tests.builders import a_merchant, a_reward, with_points, with_role

SMALL_PHONE: dict[str, Any] = {
    "viewport": {"width": 360, "height": 640},
    "has_touch": True,
    "is_mobile": True,
    # Nobody waits for a page that glides.
    "reduced_motion": "reduce",
}
PIN = "246810"
# A day at counters bounds the points; a slow machine plays some deals again.
BALANCE, STOCK = 1900, 50
SOAP, COOKER = "洗洁精一瓶", "电饭煲一台"
SOAP_POINTS, COOKER_POINTS = 20, 250


@dataclass
class CounterScene:
    """One shop at work, its people and what they hold."""

    people: People
    merchant_id: int
    clerk_id: int
    colleague_id: int
    member_id: int
    till_address: str
    card_address: str

    def till(self, **options: Any) -> Page:
        """Open the clerk's till on a small phone, as it stands between two members."""
        page = self.people.page_of(self.clerk_id, **{**SMALL_PHONE, **options})
        self.to_till(page)
        return page

    def to_till(self, page: Page) -> None:
        """Go to the till as it stands between two members."""
        page.goto(f"/till/{self.merchant_id}")

    def phone(self, **options: Any) -> Page:
        """Open the member's small phone at their own first page."""
        page = self.people.page_of(self.member_id, **{**SMALL_PHONE, **options})
        page.goto("/")
        return page

    def redemptions(self) -> int:
        """Return how many redemptions the database holds."""
        return self.people.count(Redemption)

    def orders(self) -> int:
        """Return how many orders the database holds."""
        return self.people.count(RewardOrder)

    def kept(self) -> tuple[int, int, int]:
        """Return redemptions that are completed, points the member can spend, and bottles on
        the shelf; the ledger is sound.
        """
        with self.people.app.app_context(), reading() as session:
            assert offenders(session) == []
            done = session.scalar(
                select(func.count())
                .select_from(Redemption)
                .where(Redemption.state == "completed")
            )
            stock = session.scalar(select(Reward.stock).where(Reward.name == SOAP))
            left = balance_of(session, f"member:{self.member_id}").available
            return done or 0, left, stock or 0


def a_counter(people: People) -> CounterScene:
    """Return a shop with two clerks, and a member with points, a phone and a card."""
    clerk, colleague = people.join("赵小梅"), people.join("孙丽华")
    member = people.join("王桂兰")
    handle, number = draw_bytes(TILL_HANDLE_BYTES), draw_bytes(CARD_NUMBER_BYTES)
    secret, now = people.settings.secret_key, clock.now()
    with people.app.app_context(), transaction() as session:
        merchant = a_merchant(session)
        for each in (clerk, colleague):
            with_role(session, each, "clerk", merchant_id=merchant, now=now - timedelta(days=1))
        a_reward(session, merchant, SOAP, SOAP_POINTS, STOCK)
        a_reward(session, merchant, "大米 5 公斤", 150, STOCK)
        a_reward(session, merchant, COOKER, COOKER_POINTS, STOCK)
        with_points(session, member, BALANCE)
        session.add(Shop(merchant_id=merchant, name="总店", till_handle=handle, added_at=now))
        issue_card(
            session,
            member_id=member,
            number=number,
            pin=PIN,
            secret=secret,
            issued_by_id=None,
            now=now,
        )
    till, card = till_text(secret, handle), card_text(secret, number)
    return CounterScene(
        people,
        merchant,
        clerk,
        colleague,
        member,
        url_of(people.address, Purpose.TILL, till),
        url_of(people.address, Purpose.CARD, card),
    )


def digits_on(phone: Page) -> str:
    """Return the 18 digits of the redemption code that a phone shows."""
    expect(phone.locator("[data-digits]")).to_contain_text(re.compile("^77"))
    return phone.locator("[data-digits]").inner_text()


def code_on(phone: Page) -> str:
    """Return what a scanner reads from the redemption code that a phone shows."""
    digits_on(phone)
    return code_in(phone.locator("[data-qr]"))
