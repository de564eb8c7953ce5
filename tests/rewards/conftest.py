"""A counter: a merchant with a clerk and a reward, and a member with points."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any

import pytest
import time_machine
from flask import Flask
from sqlalchemy.orm import Session

from pointsbank.core import clock
from pointsbank.core.actor import Actor, Grant
from pointsbank.core.db import run, transaction
from pointsbank.core.keys import draw_bytes, draw_number
from pointsbank.ledger.queries import balance_of
from pointsbank.members.codes import CARD_NUMBER_BYTES, card_text
from pointsbank.members.showing import issue_card
from pointsbank.rewards.redeeming import Order, Redeemed, redeem_reward
from pointsbank.rewards.voiding import Voided, void_redemption
from tests.builders import (
    a_member,
    a_merchant,
    a_reward,
    redemption_code,
    signed_in,
    with_points,
    with_role,
)
from tests.moments import NOON


@dataclass
class Counter:
    """One shop at work. Moments are those of the test unless a request needs the clock's."""

    app: Flask
    merchant_id: int
    clerk_id: int
    member_id: int
    reward_id: int

    def code(self, member_id: int | None = None, now: datetime | None = None) -> str:
        """Draw a redemption code, in real time unless said otherwise."""
        with self.app.app_context(), transaction() as session:
            return redemption_code(
                session, self.app, member_id or self.member_id, now or clock.now()
            )

    def card(self, pin: str | None = "246810") -> str:
        """Issue the member a paper card and return its code."""
        number = draw_bytes(CARD_NUMBER_BYTES)
        with self.app.app_context(), transaction() as session:
            issue_card(
                session,
                member_id=self.member_id,
                number=number,
                pin=pin,
                secret=self.secret,
                issued_by_id=None,
                now=NOON,
            )
        return card_text(self.secret, number)

    def order(self, code: str | None = None, **changes: Any) -> Order:
        """Ask for one reward."""
        body = {"merchant_id": self.merchant_id, "reward_id": self.reward_id, "quantity": 1}
        return Order(**{**body, **changes}, code=code)

    def redeem(
        self,
        session: Session,
        order: Order,
        clerk_id: int | None = None,
        *,
        is_confirmed: bool = False,
    ) -> Redeemed:
        """Hand over at the moment of the test."""
        return redeem_reward(
            session,
            order,
            clerk_id=clerk_id or self.clerk_id,
            number=draw_number(14),
            secret=self.secret,
            today=NOON.date(),
            now=NOON,
            is_confirmed=is_confirmed,
        )

    def void(self, session: Session, redemption_id: int) -> Voided:
        """Take a redemption back as its clerk, at the moment of the test."""
        return void_redemption(
            session,
            redemption_id=redemption_id,
            actor=Actor(
                self.clerk_id, "李建军", 1, 1, (Grant("clerk", None, self.merchant_id),)
            ),
            reason=None,
            today=NOON.date(),
            now=NOON,
        )

    def buying(self, code: str | None = None, **changes: Any) -> Callable[[], Redeemed]:
        """Return a contestant who hands over for this code or card."""
        return partial(run, lambda session: self.redeem(session, self.order(code, **changes)))

    @property
    def secret(self) -> str:
        return self.app.extensions["settings"].secret_key

    def points(self, member_id: int | None = None) -> int:
        """Return what the member can spend."""
        with self.app.app_context(), transaction() as session:
            return balance_of(session, f"member:{member_id or self.member_id}").available

    def headers(self, member_id: int | None = None) -> dict[str, str]:
        """Return the headers of a program, the clerk's unless said otherwise."""
        return signed_in(self.app, member_id or self.clerk_id)

    def body(self, **changes: object) -> dict[str, object]:
        """Return the body of a redemption with a fresh code; None takes a field away."""
        body = {
            "merchant_id": self.merchant_id,
            "reward_id": self.reward_id,
            "quantity": 1,
            **({} if "code" in changes else {"code": self.code()}),
            **changes,
        }
        return {name: value for name, value in body.items() if value is not None}


@pytest.fixture(autouse=True)
def noon() -> Iterator[None]:
    """Let the clock's time go on from the test's moment: no deal falls on two days."""
    with time_machine.travel(NOON):
        yield


@pytest.fixture
def counter(app: Flask) -> Counter:
    """A shop with ten bottles at 20 points, its clerk, and a member with 100 points."""
    return open_counter(app)


def open_counter(app: Flask) -> Counter:
    """Make the shop and its people."""
    with app.app_context(), transaction() as session:
        merchant_id = a_merchant(session)
        clerk_id = with_role(session, a_member(session, "李建军"), "clerk", None, merchant_id)
        member_id = with_points(session, a_member(session), 100)
        reward_id = a_reward(session, merchant_id, points=20, stock=10)
    return Counter(app, merchant_id, clerk_id, member_id, reward_id)
