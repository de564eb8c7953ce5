"""A shop with one piece of a reward, and fifty people who want it at the same moment."""

import random
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from flask import Flask
from sqlalchemy import bindparam, text
from sqlalchemy.orm import Session

from pointsbank.app import create_app
from pointsbank.core.actor import Actor, Grant
from pointsbank.core.db import reading, run, transaction
from pointsbank.core.keys import draw_number
from pointsbank.ledger.verifying import offenders
from pointsbank.rewards.errors import OutOfStock
from pointsbank.rewards.ordering import NewOrder, cancel_order, order_at_counter, order_reward
from pointsbank.rewards.queries import reward_of
from pointsbank.rewards.redeeming import Order
from pointsbank.rewards.till import take_deal
from pointsbank.rewards.voiding import void_redemption
from tests.builders import (
    a_member,
    a_merchant,
    a_reward,
    redemption_code,
    with_points,
    with_role,
)
from tests.databases import let_go, settings_for
from tests.merchants.partners import a_shop
from tests.moments import NOON
from tests.racing import race

BUYERS = 50
TILLS = 5
PRICE = 20
HAD_POINTS = 100
# A clerk hands over for a code; a member orders with a voucher, or at a till whose code they
# scanned.
WAYS = ("till", "voucher", "counter")
# Whoever goes to the counter asks for the most before the stock is reached: were all ways
# always mixed, a clerk would hardly ever win.
MIXES: tuple[tuple[str, ...], ...] = (WAYS, ("till",), WAYS, ("voucher",), WAYS, ("counter",))
# How far apart the fifty begin, in seconds, besides what the machine does to them.
SPREADS = (0.0, 0.002, 0.02)

REST = text(
    """
    SELECT member.id, wallet.posted, wallet.held,
           (SELECT CAST(COALESCE(SUM(quantity), 0) AS integer) FROM reward_taken
            WHERE member_id = member.id) AS had,
           (SELECT CAST(COALESCE(SUM(points), 0) AS integer) FROM spent_by_day
            WHERE member_id = member.id) AS spent,
           (SELECT COUNT(*) FROM hold
            WHERE wallet_id = wallet.account_id AND state = 'open') AS holds,
           (SELECT COUNT(*) FROM reward_order
            WHERE member_id = member.id AND state = 'reserved') AS orders,
           (SELECT COUNT(*) FROM redemption
            WHERE member_id = member.id AND state = 'completed') AS redemptions,
           (SELECT COUNT(*) FROM redemption_code
            WHERE member_id = member.id AND state = 'fresh') AS codes
    FROM member
    JOIN account ON account.code = 'member:' || member.id
    JOIN wallet ON wallet.account_id = account.id
    WHERE member.id IN :members
    """
).bindparams(bindparam("members", expanding=True))
# What REST says of somebody who got nothing, and of somebody who got the piece.
UNTOUCHED = (HAD_POINTS, 0, 0, 0, 0, 0, 0, 1)
SERVED = (HAD_POINTS - PRICE, 0, 1, PRICE, 0, 0, 1, 0)
RESERVED = (HAD_POINTS, PRICE, 1, 0, 1, 1, 0, 1)


@dataclass(frozen=True)
class Round:
    """What fifty people were answered: who won in which way, and what was wrong about it."""

    seed: str
    winner: str
    wrong: list[str]


@dataclass
class Scene:
    """A shop with one piece of a reward, its tills, and fifty members with a code each."""

    app: Flask
    merchant_id: int
    shop_id: int
    reward_id: int
    clerks: list[Actor]
    codes: dict[int, str]

    @property
    def secret(self) -> str:
        """The service's secret."""
        secret: str = self.app.extensions["settings"].secret_key
        return secret

    def has_stock(self, session: Session) -> bool:
        """Look whether there is a piece."""
        return (reward_of(session, self.reward_id).stock or 0) > 0

    def buying(self, member_id: int, way: str, clerk: Actor, delay: float) -> Callable[[], int]:
        """Return a contestant who buys one piece, and returns what it is kept under."""
        new = NewOrder(self.reward_id, 1, member_id, draw_number(14))
        day: dict[str, Any] = {"today": NOON.date(), "now": NOON}
        word = draw_number(4)

        def at_till() -> int:
            answer = take_deal(
                Order(self.merchant_id, self.reward_id, 1, code=self.codes[member_id]),
                pin=None,
                clerk_id=clerk.member_id,
                key=new.number,
                sent=new.number.encode(),
                secret=self.secret,
                **day,
            )
            return int(answer.body["id"])

        order = partial(order_reward, new=new, secret=self.secret, **day)
        counter = partial(order_at_counter, new=new, shop_id=self.shop_id, word=word, **day)
        acts: dict[str, Callable[[], int]] = {
            "till": at_till,
            "voucher": lambda: run(order).id,
            "counter": lambda: run(counter).id,
        }

        def buy() -> int:
            time.sleep(delay)
            return acts[way]()

        return buy

    def play(
        self,
        seed: str,
        mix: Sequence[str],
        prepare: Callable[[list[Callable[[], int]]], list[Any]] = list,
    ) -> Round:
        """Let fifty race for the one piece, judge what is left, and put the piece back.

        prepare: makes other contestants of them, for controls.
        """
        dice = random.Random(seed)
        spread = dice.choice(SPREADS)
        ways = {each: mix[n % len(mix)] for n, each in enumerate(self.codes)}
        order = dice.sample(list(ways), len(ways))
        contestants = [
            self.buying(each, ways[each], dice.choice(self.clerks), dice.random() * spread)
            for each in order
        ]
        answers = dict(zip(order, race(self.app, prepare(contestants)), strict=True))
        winners = {who: got for who, got in answers.items() if not isinstance(got, Exception)}
        wrong = self._judged(ways, answers, list(winners))
        if not wrong:
            ((winner, got),) = winners.items()
            self._put_back(winner, ways[winner], int(got))
            return Round(seed, ways[winner], [])
        return Round(seed, "", wrong)

    def _judged(
        self, ways: dict[int, str], answers: dict[int, Any], winners: list[int]
    ) -> list[str]:
        """Return what is wrong after a round, in words; at most one line a person."""
        wrong = [] if len(winners) == 1 else [f"{len(winners)} of {len(ways)} won"]
        wrong += [
            f"a {ways[who]} buyer was answered {type(got).__name__}: {got}"
            for who, got in answers.items()
            if who not in winners and not isinstance(got, OutOfStock)
        ]
        with self.app.app_context(), reading() as session:
            stock = reward_of(session, self.reward_id).stock
            rows = session.execute(REST, {"members": list(ways)}).all()
        if stock != 0:
            wrong.append(f"{stock} pieces are in stock")
        if len(rows) != len(ways):
            wrong.append(f"{len(rows)} of {len(ways)} members are there")
        for who, *found in rows:
            has_won = {"till": SERVED}.get(ways[who], RESERVED)
            expected = has_won if who in winners else UNTOUCHED
            if tuple(found) != expected:
                wrong.append(f"a {ways[who]} buyer is left with {found}, not {expected}")
        return wrong

    def _put_back(self, winner: int, way: str, got: int) -> None:
        """Take the piece back as its clerk or its owner does: the shelf holds one again."""
        with self.app.app_context(), transaction() as session:
            if way != "till":
                actor = Actor(winner, "某人", 1, 1, ())
                cancel_order(session, order_id=got, actor=actor, now=NOON)
                return
            clerk_id = session.execute(
                text("SELECT clerk_id FROM redemption WHERE id = :id"), {"id": got}
            ).scalar_one()
            void_redemption(
                session,
                redemption_id=got,
                actor=next(each for each in self.clerks if each.member_id == clerk_id),
                reason=None,
                today=NOON.date(),
                now=NOON,
            )
            self.codes[winner] = redemption_code(session, self.app, winner, NOON)

    def closing(self) -> list[str]:
        """Return what is wrong with the ledger, and with anybody, when all was put back."""
        with self.app.app_context(), reading() as session:
            wrong = [f"ledger: {each.rule}" for each in offenders(session)]
            stock = reward_of(session, self.reward_id).stock
            rows = session.execute(REST, {"members": list(self.codes)}).all()
        wrong += [] if stock == 1 else [f"{stock} pieces are in stock after the last round"]
        return wrong + [
            f"somebody ends with {found}" for _, *found in rows if tuple(found) != UNTOUCHED
        ]


@contextmanager
def scene(database_url: str) -> Iterator[Scene]:
    """Set up the shop and its people on a migrated database, a connection for everyone."""
    settings = replace(settings_for(database_url), pool_size=BUYERS, log_level="ERROR")
    app = create_app(settings)
    with app.app_context(), transaction() as session:
        merchant_id = a_merchant(session)
        clerks = [
            with_role(session, a_member(session, "李建军"), "clerk", None, merchant_id)
            for _ in range(TILLS)
        ]
        members = [with_points(session, a_member(session), HAD_POINTS) for _ in range(BUYERS)]
        grants = (Grant("clerk", None, merchant_id),)
        made = Scene(
            app,
            merchant_id,
            a_shop(session, merchant_id),
            a_reward(session, merchant_id, points=PRICE, stock=1),
            [Actor(each, "李建军", 1, 1, grants) for each in clerks],
            {each: redemption_code(session, app, each, NOON) for each in members},
        )
    try:
        yield made
    finally:
        let_go(app)
