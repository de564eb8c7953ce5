"""One small marketplace twice: the model and the service. After each step they must agree."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from flask import Flask
from sqlalchemy.orm import Session

from pointsbank.core.actor import Actor, Grant
from pointsbank.core.db import run, transaction
from pointsbank.core.errors import Refusal
from pointsbank.core.keys import draw_bytes
from pointsbank.jobs.table import JOBS
from pointsbank.ledger.posting import Posting
from pointsbank.ledger.queries import book_lines
from pointsbank.ledger.service import open_account, post
from pointsbank.ledger.verifying import verify
from pointsbank.members.codes import CARD_NUMBER_BYTES, card_text
from pointsbank.members.showing import issue_card
from pointsbank.merchants.models import TILL_HANDLE_BYTES
from pointsbank.merchants.shops import ShopFacts, add_shop
from pointsbank.merchants.tills import till_text
from pointsbank.rewards.offering import Offer
from pointsbank.rewards.service import offer_reward
from pointsbank.rewards.till import reward_by_points
from pointsbank.settlements.rules import RULES_OF_STATEMENTS
from pointsbank.web.idempotency import Answer
from proving.marketplace import deals, orders, statements
from proving.marketplace.foreseen import foreseen_by
from proving.marketplace.kept import Numbers, broken_laws, kept_by, months_of
from proving.marketplace.market import Market
from proving.marketplace.shelf import Merchant, Reward, month_of
from proving.reference import Refused
from proving.world import Disagreement, Rows, demand
from tests.builders import (
    COMMUNITY_CODE,
    SHANGHAI,
    a_member,
    a_merchant,
    an_organization,
    with_role,
)

# Persons by number. The third buyer is a clerk as well, who may not serve themself.
BUYERS = (0, 1, 2)
CLERKS = {2: (0,), 3: (0,), 4: (1,)}
ADMINISTRATORS = (5, 6)
NAMES = ("王桂兰", "赵铁柱", "李建军", "周小燕", "吴敏", "何书记", "郑主任")
MERCHANTS = ("惠民粮油店", "平潭街爱心超市")
WALLETS = [f"member:{number}" for number in range(len(NAMES))]
PIN = "246810"
# Five days before a month ends, a Tuesday.
BEGINS = datetime(2026, 10, 27, 9, 30, tzinfo=SHANGHAI)
STEP_SECONDS = 5
# By then no voucher stands any more, and every month that held something is over.
QUIET = timedelta(days=40)
ISSUER = f"issue:community:{COMMUNITY_CODE}"
FIRST_POINTS = 3000
FIRST_LASTS = timedelta(days=50)
OTHER_CODE = "140303001003"
REWARDS = (
    Reward(0, 20, stock=4, limit=3, period="month"),
    Reward(0, 90, stock=12),
    Reward(0, 700, kind="service", limit=2, period="week"),
    Reward(0, 150, kind="loan", stock=2, limit=1, period="month", loan_days=3),
    Reward(1, 30, stock=3, weekdays=frozenset({0, 2, 4}), monthdays=frozenset({15, 31})),
    Reward(1, 220, kind="coupon", stock=6, valid_until=BEGINS + timedelta(days=9)),
    Reward(1, 60, kind="loan", loan_days=30),
    Reward(1, 45, kind="fee_offset", limit=4, period="day"),
    Reward(0, 10, is_for_others=True),
    Reward(1, 10, stars=1),
)

FORESEEN_JOBS: dict[str, Callable[[Market, str], None]] = {
    "contracts": lambda market, _: market.copy_contracts(),
    "confirmations": lambda market, _: deals.lapse(market),
    "orders": lambda market, _: orders.expire_orders(market),
    "expiry": lambda market, _: orders.pass_night(market),
    "settlement": statements.close,
}


@dataclass
class Request:
    """What was sent under a key, so that it can be sent again."""

    who: int
    key: str
    asked: Any
    foresee: Callable[[], Any]
    act: Callable[[bytes], Answer]
    said: Callable[[dict[str, Any]], tuple[Any, ...]]


class World:
    """Three buyers, three clerks at two merchants, two administrators, and ten rewards.

    The application's context must be pushed. rows: a plain connection to its database. The
    clock is the world's own and moves with it.
    """

    def __init__(self, app: Flask, rows: Rows) -> None:
        self.rows = rows
        self.secret: str = app.extensions["settings"].secret_key
        self.requests: list[Request] = []
        self.codes: list[str] = []
        self.contract_ids: dict[tuple[int, date], int] = {}
        self.names = 0
        self.model = Market(WALLETS, CLERKS, ADMINISTRATORS, SHANGHAI, BEGINS)
        with transaction() as session:
            self._people(session)
        self._shelves()
        for person in BUYERS:
            self.earn(person, FIRST_POINTS, BEGINS.date() + FIRST_LASTS)

    @property
    def now(self) -> datetime:
        """The moment on both sides."""
        return self.model.now

    @property
    def today(self) -> date:
        """The local day."""
        return self.model.today

    def _people(self, session: Session) -> None:
        self.community = an_organization(session, now=BEGINS)
        self.elsewhere = an_organization(session, OTHER_CODE, name="东社区", now=BEGINS)
        merchants = [a_merchant(session, name, now=BEGINS) for name in MERCHANTS]
        persons = [a_member(session, name, now=BEGINS) for name in NAMES]
        self.numbers = Numbers(persons, merchants)
        self.model.merchants = [Merchant() for _ in merchants]
        for person in ADMINISTRATORS:
            with_role(session, persons[person], "administrator", now=BEGINS)
        for person, at in CLERKS.items():
            for each in at:
                with_role(session, persons[person], "clerk", None, merchants[each], now=BEGINS)
        self.actors = [self._actor(number) for number in range(len(persons))]
        self.cards = {each: self._card(session, each) for each in BUYERS}
        handles = [draw_bytes(TILL_HANDLE_BYTES) for _ in merchants]
        self.tills = [till_text(self.secret, each) for each in handles]
        for merchant_id, handle in zip(merchants, handles, strict=True):
            add_shop(
                session,
                actor=self.actors[ADMINISTRATORS[0]],
                merchant_id=merchant_id,
                facts=ShopFacts("总店"),
                handle=handle,
                now=BEGINS,
            )

    def _actor(self, person: int) -> Actor:
        grants = [
            Grant("clerk", None, self.numbers.merchants[each])
            for each in CLERKS.get(person, ())
        ]
        if person in ADMINISTRATORS:
            grants.append(Grant("administrator", "/"))
        member_id = self.numbers.persons[person]
        return Actor(member_id, NAMES[person], self.community, 0, tuple(grants))

    def _card(self, session: Session, person: int) -> str:
        number = draw_bytes(CARD_NUMBER_BYTES)
        issue_card(
            session,
            member_id=self.numbers.persons[person],
            number=number,
            pin=PIN,
            secret=self.secret,
            issued_by_id=None,
            now=BEGINS,
        )
        return card_text(self.secret, number)

    def _shelves(self) -> None:
        for each in REWARDS:
            self.offer(Reward(**vars(each)))
        for number, merchant_id in enumerate(self.numbers.merchants):
            self.numbers.rewards.append(reward_by_points(merchant_id, BEGINS))
            self.model.rewards.append(Reward(number, 1, kind="by_points"))

    def offer(self, reward: Reward) -> None:
        """Put a reward on the shelf on both sides."""
        offer = Offer(
            f"奖品{len(self.model.rewards)}",
            reward.points,
            kind=reward.kind,
            stock=reward.stock,
            limit_per_member=reward.limit,
            limit_period=reward.period,
            valid_until=reward.valid_until,
            weekdays=sum(1 << each for each in reward.weekdays),
            monthdays=sum(1 << each for each in reward.monthdays),
            audience_id=self.elsewhere if reward.is_for_others else None,
            stars_min=reward.stars,
            loan_days=reward.loan_days,
        )
        with transaction() as session:
            reward_id = offer_reward(
                session,
                actor=self.actors[ADMINISTRATORS[0]],
                merchant_id=self.numbers.merchants[reward.merchant],
                offer=offer,
                now=self.now,
            )
        self.numbers.rewards.append(reward_id)
        self.model.rewards.append(reward)

    def earn(self, person: int, points: int, expires_on: date) -> None:
        """Give somebody points on both sides."""
        wallet = f"member:{self.numbers.persons[person]}"
        posting = Posting(
            key=self.name(),
            kind="earn",
            source=ISSUER,
            target=wallet,
            wallet=wallet,
            points=points,
            occurred_at=self.now,
            reason="河道清洁",
            expires_on=expires_on,
            budget_month=month_of(self.today),
        )

        def act(session: Session) -> int:
            open_account(session, code=ISSUER, kind="issue")
            return post(session, posting, self.now).balance_after

        self.both(lambda: self.model.earn(person, points, expires_on), lambda: run(act))

    def name(self) -> str:
        """Return a key that nobody used."""
        self.names += 1
        return f"key:{self.names}"

    def move(self, to: datetime) -> None:
        """Set the clock."""
        self.model.now = to

    def both(self, model: Callable[[], Any], service: Callable[[], Any]) -> Any:
        """Do a step on both, compare their answers and all they hold; return the answer."""
        try:
            foreseen = model()
        except Refused as refusal:
            foreseen = refusal.code
        try:
            answer = service()
        except Refusal as refusal:
            answer = refusal.code
        if answer != foreseen:
            raise Disagreement(f"the service answered {answer}, the model {foreseen}")
        self.compare()
        self.move(self.now + timedelta(seconds=STEP_SECONDS))
        return answer

    def send(self, request: Request) -> Any:
        """Send a request on both sides, for the first time or again."""
        if all(each.key != request.key for each in self.requests):
            self.requests.append(request)

        def service() -> Any:
            answer = request.act(repr(request.asked).encode())
            return (*request.said(answer.body), answer.is_replay)

        return self.both(
            lambda: self.model.once(request.who, request.key, request.asked, request.foresee),
            service,
        )

    def compare(self) -> None:
        """Demand that what is kept is what the model says, and breaks no law."""
        self.numbers.learn(self.rows)
        demand("broken laws", broken_laws(self.rows), [])
        kept, foreseen = kept_by(self.rows, self.numbers), foreseen_by(self.model)
        for name, rows in foreseen.items():
            if kept[name] != rows:
                demand(name, *only_here_and_there(kept[name], rows))
        for counted, points in months_of(self.rows, self.numbers).items():
            demand(f"points of month {counted}", points, self.model.months[counted])

    def job(self, name: str, period: str = "") -> None:
        """Let a job do all that is due on both sides, a transaction a step; a month can be
        named.
        """
        job = JOBS[name]
        chosen = period or job.period_now(self.now, SHANGHAI)

        def one_step() -> bool:
            return run(lambda session: job.work(session, chosen, SHANGHAI, self.now)).is_last

        def service() -> None:
            while not one_step():
                continue

        self.both(lambda: FORESEEN_JOBS[name](self.model, chosen), service)

    def close(self) -> None:
        """Send again all that was answered, let all that waits come to its end, and let the
        ledger verify itself.
        """
        for each in list(self.requests):
            if (each.who, each.key) in self.model.answers:
                self.send(each)
        self.move(self.now + QUIET)
        self._settle_down()
        before = kept_by(self.rows, self.numbers)
        self._settle_down()
        demand(
            "what is kept after all jobs ran again", kept_by(self.rows, self.numbers), before
        )
        demand("what is still open", self._open_ends(), [])
        self._compare_books()

    def _settle_down(self) -> None:
        for name in FORESEEN_JOBS:
            self.job(name)

    def _open_ends(self) -> list[object]:
        """Return what is not over by now, and merchants whose statements are not their sums."""
        model = self.model
        ends: list[object] = [each for each in model.orders if each.state == "reserved"]
        ends += [each for each in model.deals if each.state == "waiting"]
        for number in range(len(model.merchants)):
            on_lines = sum(
                line.points
                for (merchant, _), each in model.statements.items()
                for line in each.lines
                if merchant == number
            )
            if on_lines != model.ledger.sums.get(f"merchant:{number}", 0):
                ends.append(f"merchant {number}")
        return ends

    def _compare_books(self) -> None:
        """Compare every line of every wallet, and let the ledger verify itself."""
        with transaction() as session:
            for person, (code, book) in enumerate(self.model.ledger.books.items()):
                account = f"member:{self.numbers.persons[person]}"
                lines = book_lines(session, account, limit=len(book.lines) + 1)[::-1]
                demand(f"lines of {code}", [line.points for line in lines], book.lines)
                afters = [line.balance_after for line in lines]
                demand(f"balances of {code}", afters, [after for _, after in book.afters])
            demand("offenders", verify(session, more=RULES_OF_STATEMENTS).offenders, [])


def only_here_and_there(found: list[Any], foreseen: list[Any]) -> tuple[list[Any], list[Any]]:
    """Return of two lists what is in the one only, and what is in the other only; both whole
    when only their order differs.
    """
    here = [each for each in found if each not in foreseen]
    there = [each for each in foreseen if each not in found]
    return (here, there) if here or there else (found, foreseen)
