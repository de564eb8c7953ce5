"""The ledger against a small model in plain Python, driven by random sequences."""

from dataclasses import dataclass, field
from datetime import date, timedelta
from itertools import count

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    precondition,
    rule,
    run_state_machine_as_test,
)

from pointsbank.core.db import transaction
from pointsbank.core.errors import KeyReused
from pointsbank.ledger.errors import AlreadyReversed, NotEnoughPoints
from pointsbank.ledger.queries import balance_of, book_lines
from pointsbank.ledger.service import RETURN_GRACE_DAYS, expire_points
from pointsbank.ledger.verifying import offenders
from tests.ledger.accounts import TODAY, earn, lots_of, open_accounts, reverse, spend
from tests.moments import NOON

POINTS = st.integers(1, 60)
DAYS = st.integers(0, 80)
BOOKS = count(1)


@dataclass
class Spent:
    """A spending of the model: what it took from which lot, and is still owed back."""

    points: int
    taken: dict[date, int]


@dataclass
class Book:
    """What a wallet must look like, in the plainest words."""

    lots: dict[date, int] = field(default_factory=dict)
    lines: list[int] = field(default_factory=list)
    spent: dict[str, Spent] = field(default_factory=dict)

    @property
    def balance(self) -> int:
        return sum(self.lots.values())

    def earn(self, points: int, expires_on: date) -> None:
        self.lots[expires_on] = self.lots.get(expires_on, 0) + points
        self.lines.append(points)

    def take(self, points: int) -> dict[date, int]:
        taken = {}
        self.lines.append(-points)
        for day in sorted(self.lots):
            part = min(points, self.lots[day])
            points -= part
            self.lots[day] -= part
            taken[day] = part
        self.lots = {day: left for day, left in self.lots.items() if left}
        return {day: part for day, part in taken.items() if part}

    def spend(self, key: str, points: int) -> None:
        self.spent[key] = Spent(points, self.take(points))

    def give_back(self, key: str, points: int, today: date) -> None:
        spent = self.spent[key]
        spent.points -= points
        self.lines.append(points)
        for day in sorted(spent.taken, reverse=True):
            part = min(points, spent.taken[day])
            points -= part
            spent.taken[day] -= part
            good_through = max(day, today + timedelta(days=RETURN_GRACE_DAYS))
            if part:
                self.lots[good_through] = self.lots.get(good_through, 0) + part

    def expire(self, today: date) -> None:
        for day in sorted(day for day in self.lots if day < today):
            self.take(self.lots[day])


class Ledger(RuleBasedStateMachine):
    """The same steps on the model and on the database; after each they must agree."""

    app = None

    def __init__(self) -> None:
        super().__init__()
        number = next(BOOKS)
        self.member = f"member:model{number}"
        self.names = (f"{self.member}:{n}" for n in count(1))
        self.book = Book()
        self.ids: dict[str, int] = {}
        self.today = TODAY
        self.do(lambda session: open_accounts(session, self.member))

    def do(self, step):
        with self.app.app_context(), transaction() as session:
            answer = step(session)
        with self.app.app_context(), transaction() as session:
            lines = book_lines(session, self.member, limit=1000)
            assert [line.points for line in reversed(lines)] == self.book.lines
            assert lots_of(session, self.member) == self.book.lots
            assert balance_of(session, self.member).available == self.book.balance
        return answer

    @rule(points=POINTS, days=DAYS)
    def earn(self, points, days):
        expires_on = self.today + timedelta(days=days)
        self.book.earn(points, expires_on)
        key = next(self.names)
        self.do(lambda s: earn(s, key, points, member=self.member, expires_on=expires_on))

    @rule(points=POINTS)
    def spend(self, points):
        key = next(self.names)
        if points > self.book.balance:
            self.refused(NotEnoughPoints, key, points)
            return
        self.book.spend(key, points)
        posted = self.do(lambda s: spend(s, key, points, member=self.member))
        self.ids[key] = posted.id

    @precondition(lambda self: self.ids)
    @rule(data=st.data(), points=POINTS)
    def send_a_spending_again(self, data, points):
        key = data.draw(st.sampled_from(sorted(self.ids)))
        asked = -self.book.lines[self.line_of(key) - 1]
        if points == asked:
            posted = self.do(lambda s: spend(s, key, points, member=self.member))
            assert posted.is_replay
        else:
            self.refused(KeyReused, key, points)

    def refused(self, refusal, key, points):
        try:
            self.do(lambda s: spend(s, key, points, member=self.member))
        except refusal:
            return
        raise AssertionError(f"{refusal.__name__} was expected")

    def line_of(self, key):
        with self.app.app_context(), transaction() as session:
            lines = book_lines(session, self.member, limit=1000)
            return next(line.line for line in lines if line.key == key)

    @precondition(lambda self: self.ids)
    @rule(data=st.data(), points=POINTS)
    def give_back(self, data, points):
        key = data.draw(st.sampled_from(sorted(self.ids)))
        name = next(self.names)
        fits = points <= self.book.spent[key].points
        if fits:
            self.book.give_back(key, points, self.today)
        try:
            self.do(lambda s: reverse(s, self.ids[key], name, points=points, today=self.today))
        except AlreadyReversed:
            assert not fits
        else:
            assert fits

    @rule(days=st.integers(0, 40))
    def let_days_pass(self, days):
        self.today += timedelta(days=days)
        self.book.expire(self.today)
        self.do(lambda s: expire_points(s, today=self.today, now=NOON, limit=10_000))

    def teardown(self) -> None:
        with self.app.app_context(), transaction() as session:
            assert offenders(session) == []


def test_the_ledger_behaves_as_the_model(app):
    machine = type("LedgerHere", (Ledger,), {"app": app})
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=12,
            stateful_step_count=20,
            deadline=None,
            database=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
