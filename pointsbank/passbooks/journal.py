"""Transfers as a Beancount journal: a second set of books that another program can check."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

CURRENCY = "POINTS"
# Points that somebody holds are owed to them; what was issued is what they cost; what expired
# is owed no longer. docs/ledger.md, "Exports".
ROOTS = {
    "member": "Liabilities",
    "fund": "Liabilities",
    "merchant": "Liabilities",
    "issue": "Expenses",
    "expired": "Income",
    "clearing": "Equity",
}
PLAIN_PART = re.compile(r"[a-z0-9]+(?:_[a-z0-9]+)*")
UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f]+")


@dataclass(frozen=True)
class Entry:
    """One transfer with the codes and kinds of its accounts.

    line, balance_after, is_incoming: of the one account of the two that has a wallet, if any.
    """

    id: int
    key: str
    kind: str
    source: str
    source_kind: str
    target: str
    target_kind: str
    points: int
    is_incoming: bool | None
    line: int | None
    balance_after: int | None
    reverses_id: int | None
    reverses_line: int | None
    occurred_at: datetime
    recorded_at: datetime
    expires_on: date | None
    reason: str

    @property
    def wallet(self) -> str | None:
        """The name, in the journal, of the account that has a wallet."""
        if self.line is None:
            return None
        if self.is_incoming:
            return account_name(self.target, self.target_kind)
        return account_name(self.source, self.source_kind)


@dataclass
class Book:
    """What was written of one wallet so far: how many lines, and the newest of them."""

    lines: int = 0
    newest: int = 0
    balance: int = 0

    def add(self, line: int, balance: int) -> None:
        """Count a line, with the balance that is printed beside it."""
        self.lines += 1
        if line > self.newest:
            self.newest, self.balance = line, balance

    @property
    def is_whole(self) -> bool:
        """Whether every line up to the newest was written, so that its balance must follow."""
        return self.lines == self.newest


def account_name(code: str, kind: str) -> str:
    """Return the account's name in a journal: member:42 is Liabilities:Member:42.

    Two codes never share a name.
    """
    parts = (
        part[0].upper() + part[1:].replace("_", "-")
        if PLAIN_PART.fullmatch(part)
        else f"X--{part.encode().hex()}"
        for part in code.split(":")
    )
    return ":".join((ROOTS[kind], *parts))


def quoted(text: str) -> str:
    """Return text as a journal's string, on one line."""
    plain = UNPRINTABLE.sub(" ", text).replace("\\", "\\\\").replace('"', '\\"')
    return f'"{plain}"'


def journal_lines(
    entries: Iterable[Entry], *, zone: ZoneInfo, title: str, with_words: bool
) -> Iterator[str]:
    """Yield the journal of these transfers, which come in the order of their recording.

    Each account is opened on the day of its first transfer. At each month's end the wallets
    that moved in it, and at the end all of them, are asserted to hold what the passbook prints.
    with_words: whether the reasons are written, which people type.
    """
    yield f'option "title" {quoted(f"Pointsbank: {title}")}\n'
    yield f'option "operating_currency" "{CURRENCY}"\n'
    opened: set[str] = set()
    books: dict[str, Book] = {}
    moved: dict[str, Book] = {}
    day: date | None = None
    for entry in entries:
        on = entry.recorded_at.astimezone(zone).date()
        if day is not None and (on.year, on.month) != (day.year, day.month):
            yield from assertions(moved, on.replace(day=1))
            moved = {}
        day = on
        yield from _openings(entry, on, opened)
        yield from _transfer(entry, on, zone, with_words)
        wallet = entry.wallet
        if wallet is not None:
            moved[wallet] = books.setdefault(wallet, Book())
            moved[wallet].add(entry.line or 0, entry.balance_after or 0)
    if day is not None:
        yield from assertions(books, day + timedelta(days=1))


def assertions(books: dict[str, Book], on: date) -> Iterator[str]:
    """Yield what these wallets held when this day began.

    A book of which lines are missing is passed over: two lines that were recorded across
    midnight in the other order, or the file of a merchant, which holds a part of each book.
    """
    yield "\n"
    for name, book in books.items():
        if book.is_whole:
            yield f"{on.isoformat()} balance {name}  {-book.balance} {CURRENCY}\n"


def _openings(entry: Entry, on: date, opened: set[str]) -> Iterator[str]:
    """Yield what opens the accounts that come up for the first time."""
    for code, kind in (
        (entry.source, entry.source_kind),
        (entry.target, entry.target_kind),
    ):
        if code not in opened:
            opened.add(code)
            yield f"\n{on.isoformat()} open {account_name(code, kind)} {CURRENCY}\n"
            yield f"  code: {quoted(code)}\n"


def _transfer(entry: Entry, on: date, zone: ZoneInfo, with_words: bool) -> Iterator[str]:
    """Yield one transfer: what leaves the source is a debit there, for it is owed no longer."""
    words = entry.reason if with_words else entry.kind
    yield f"\n{on.isoformat()} * {quoted(words)}\n"
    yield f"  ledger: {entry.id}\n"
    if entry.line is not None:
        yield f"  line: {entry.line}\n"
    yield f"  key: {quoted(entry.key)}\n"
    yield f"  kind: {quoted(entry.kind)}\n"
    yield f"  recorded: {quoted(entry.recorded_at.astimezone(zone).isoformat())}\n"
    if entry.reverses_id is not None:
        yield f"  reverses: {entry.reverses_id}\n"
    source = account_name(entry.source, entry.source_kind)
    target = account_name(entry.target, entry.target_kind)
    yield f"  {source}  {entry.points} {CURRENCY}\n"
    yield f"  {target}  {-entry.points} {CURRENCY}\n"
