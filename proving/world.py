"""One small ledger twice: the model and the database. After each step they must agree."""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date, datetime, timedelta
from itertools import count
from typing import Any, Protocol

import psycopg
from sqlalchemy import make_url
from sqlalchemy.orm import Session

from pointsbank.core.db import transaction
from pointsbank.core.errors import Refusal
from pointsbank.ledger.holding import Placed
from pointsbank.ledger.moving import Move, Moved
from pointsbank.ledger.posting import Posted
from pointsbank.ledger.queries import book_lines
from pointsbank.ledger.service import open_account
from pointsbank.ledger.verifying import offenders
from proving.reference import Entry, Hold, Reference, Refused
from tests.moments import NOON

MEMBERS = ("member:1", "member:2", "member:3")
FUNDS = ("care_fund:1",)
PAYEES = ("merchant:1", "merchant:2")
ISSUERS = ("issue:community:1", "issue:community:2")
OTHERS = {"expired": "expired", "clearing": "clearing"}

WALLETS = """
    SELECT account.code, wallet.posted, wallet.held, wallet.seq
    FROM wallet JOIN account ON account.id = wallet.account_id
"""
LOTS = """
    SELECT account.code, lot.expires_on, lot.granted - lot.used
    FROM lot JOIN account ON account.id = lot.wallet_id WHERE lot.granted > lot.used
"""
TOTALS = """
    SELECT (SELECT COUNT(*) FROM transfer), (SELECT COUNT(*) FROM hold),
           (SELECT COUNT(*) FROM hold WHERE state = 'open'),
           (SELECT COALESCE(SUM(reversed), 0) FROM reversed),
           (SELECT COALESCE(SUM(issued), 0) FROM issue_budget),
           (SELECT COALESCE(SUM(count), 0) FROM block)
"""
SUMS = """
    SELECT account.code, SUM(CASE WHEN account.id = transfer.target_id THEN points
                                  ELSE -points END)
    FROM account JOIN transfer ON account.id IN (transfer.source_id, transfer.target_id)
    WHERE account.kind NOT IN ('member', 'fund')
    GROUP BY account.code
"""


class Disagreement(AssertionError):
    """The ledger and the model differ."""


class Rows(Protocol):
    """A plain connection beside the application's own: it sees what was committed, no more."""

    def execute(self, statement: str) -> Any: ...


@contextmanager
def plain_connection(database_url: str) -> Iterator[Rows]:
    """Open a connection that knows nothing of the application."""
    url = make_url(database_url)
    if url.get_backend_name() == "sqlite":
        connection: Any = sqlite3.connect(url.database or "", isolation_level=None, timeout=30)
    else:
        plain = url.set(drivername="postgresql").render_as_string(hide_password=False)
        connection = psycopg.connect(plain, autocommit=True)
    try:
        yield connection
    finally:
        connection.close()


class World:
    """Three members, a fund, two shops, two issuers; steps.py moves points among them.

    The application's context must be pushed. Time passes a second a step.
    """

    def __init__(self, rows: Rows) -> None:
        self.rows = rows
        self.model = Reference([*MEMBERS, *FUNDS])
        self.names = count(1)
        self.now: datetime = NOON
        self.ids: dict[str, int] = {}
        self.hold_ids: dict[str, int] = {}
        self.moves: dict[str, Move] = {}
        with transaction() as session:
            for kind, codes in (
                ("member", MEMBERS),
                ("fund", FUNDS),
                ("merchant", PAYEES),
                ("issue", ISSUERS),
            ):
                for code in codes:
                    open_account(session, code=code, kind=kind)
            for code, kind in OTHERS.items():
                open_account(session, code=code, kind=kind)

    @property
    def today(self) -> date:
        return self.now.date()

    @property
    def month(self) -> str:
        return f"{self.now:%Y-%m}"

    def name(self) -> str:
        """Return a key that nobody used."""
        return f"key:{next(self.names)}"

    def both(
        self, model: Callable[[], Any], ledger: Callable[[Session], Any], key: str = ""
    ) -> Any:
        """Do a step on both, compare their answers and everything they hold.

        Answers are made comparable by facts_of. Returns what the ledger answered.
        """
        try:
            foreseen = facts_of(model())
        except Refused as refusal:
            foreseen = refusal.code
        given = None
        try:
            with transaction() as session:
                given = ledger(session)
            answer = facts_of(given)
        except Refusal as refusal:
            answer = refusal.code
        if answer != foreseen:
            raise Disagreement(f"the ledger answered {answer}, the model {foreseen}")
        if isinstance(given, Posted):
            self.ids[key] = given.id
        if isinstance(given, Moved):
            self.ids |= {f"{key}:out": given.out.id, f"{key}:in": given.into.id}
        self.compare()
        self.now += timedelta(seconds=1)
        return given

    def compare(self) -> None:
        """Demand that wallets, lots and sums are what the model says."""
        books = self.model.books
        wallets = {
            code: (posted, held, seq)
            for code, posted, held, seq in self.rows.execute(WALLETS).fetchall()
        }
        demand(
            "wallets",
            wallets,
            {code: (b.posted, b.held, len(b.lines)) for code, b in books.items()},
        )
        lots: dict[str, dict[date, int]] = {code: {} for code in books}
        for code, day, points in self.rows.execute(LOTS).fetchall():
            lots[code][day if isinstance(day, date) else date.fromisoformat(day)] = points
        demand("lots", lots, {code: book.lots for code, book in books.items()})
        holds = self.model.holds.values()
        totals = (
            self.model.count,
            len(holds),
            sum(hold.state == "open" for hold in holds),
            sum(abs(e.change) - e.left for e in self.model.entries.values() if not e.reverses),
            sum(self.model.issued.values()),
            self.model.sealed,
        )
        demand("totals", tuple(map(int, self.rows.execute(TOTALS).fetchone())), totals)

    def close(self) -> None:
        """Compare every line and every sum, and let the ledger verify itself."""
        sums = {code: int(total) for code, total in self.rows.execute(SUMS).fetchall() if total}
        demand("sums", sums, {code: total for code, total in self.model.sums.items() if total})
        with transaction() as session:
            for code, book in self.model.books.items():
                lines = book_lines(session, code, limit=len(book.lines) + 1)[::-1]
                demand(f"lines of {code}", [line.points for line in lines], book.lines)
                afters = [line.balance_after for line in lines]
                demand(f"balances of {code}", afters, [after for _, after in book.afters])
            demand("offenders", offenders(session), [])


def demand(what: str, found: object, foreseen: object) -> None:
    """Raise Disagreement unless both are the same."""
    if found != foreseen:
        raise Disagreement(f"{what}: the ledger holds {found}, the model {foreseen}")


def facts_of(answer: Any) -> object:
    """Return what an answer of either side says, in the same words."""
    if isinstance(answer, Posted):
        return (answer.line, answer.balance_after, answer.points, answer.is_replay)
    if isinstance(answer, Moved):
        return (facts_of(answer.out), facts_of(answer.into))
    if isinstance(answer, Placed):
        return (answer.points, answer.expires_at, answer.is_replay)
    match answer:
        case (Entry() as entry, bool() as is_replay):
            return (entry.line, entry.after, abs(entry.change), is_replay)
        case (Hold() as hold, bool() as is_replay):
            return (hold.points, hold.expires_at, is_replay)
        case (tuple() as out, tuple() as into):
            return (facts_of(out), facts_of(into))
    return answer
