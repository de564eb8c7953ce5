"""A whole account, or the whole ledger, written to a file row by row."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import IO, Any
from zoneinfo import ZoneInfo

from sqlalchemy import Select, or_, select
from sqlalchemy.orm import Session, aliased

from pointsbank.core.sheets import Cell, Sheet, write_csv, write_sheet
from pointsbank.ledger.errors import AccountNotFound
from pointsbank.ledger.models import Account, Transfer, Wallet
from pointsbank.passbooks.journal import Entry, journal_lines

FORMATS = ("csv", "xlsx", "beancount")
# So many rows are fetched at a time, however many there are.
ROWS_A_FETCH = 1000


@dataclass(frozen=True)
class Words:
    """What stands in a table beside the figures.

    kinds: the word for each kind of transfer; a kind without one stands for itself.
    """

    name: str
    note: str
    headers: Sequence[str]
    kinds: Mapping[str, str]


@dataclass(frozen=True)
class AccountFound:
    """An account; with a wallet its transfers are numbered lines."""

    id: int
    code: str
    has_wallet: bool


def no_tick() -> None:
    """Tell nobody that one more row was written."""


def account_named(session: Session, code: str) -> AccountFound:
    """Return the account with this code.

    Raises AccountNotFound.
    """
    row = session.execute(
        select(Account.id, Wallet.account_id.is_not(None).label("has_wallet"))
        .outerjoin(Wallet, Wallet.account_id == Account.id)
        .where(Account.code == code)
    ).first()
    if row is None:
        raise AccountNotFound
    return AccountFound(row.id, code, row.has_wallet)


def write_account(
    session: Session,
    file: IO[bytes],
    *,
    code: str,
    form: str,
    zone: ZoneInfo,
    words: Words,
    tick: Callable[[], None] = no_tick,
) -> int:
    """Write every transfer of one account, the oldest first, and return how many.

    form: csv, xlsx or beancount. tick: called after each row.
    Raises AccountNotFound, SheetTooLong.
    """
    account = account_named(session, code)
    if form == "beancount":
        entries = _entries(session, _of(account).order_by(*_by_time()), tick)
        return _write_journal(file, entries, zone, code, with_words=True)
    order = (Transfer.wallet_seq,) if account.has_wallet else (Transfer.id,)
    entries = _entries(session, _of(account).order_by(*order), tick)
    sheet = Sheet(words.name, words.note, words.headers, _rows(entries, account, zone, words))
    return write_sheet(file, sheet) if form == "xlsx" else write_csv(file, sheet)


def write_everything(
    session: Session, file: IO[bytes], *, zone: ZoneInfo, tick: Callable[[], None] = no_tick
) -> int:
    """Write every transfer of every account as one journal, and return how many.

    People are numbers in it: what somebody typed as a reason is left out.
    """
    entries = _entries(session, _transfers().order_by(*_by_time()), tick)
    return _write_journal(file, entries, zone, "every account", with_words=False)


def _write_journal(
    file: IO[bytes], entries: Iterator[Entry], zone: ZoneInfo, title: str, *, with_words: bool
) -> int:
    count = 0

    def counted() -> Iterator[Entry]:
        nonlocal count
        for entry in entries:
            count += 1
            yield entry

    for line in journal_lines(counted(), zone=zone, title=title, with_words=with_words):
        file.write(line.encode())
    return count


def _by_time() -> tuple[Any, ...]:
    """Return the order in which a journal is dated; ids may have been drawn before a wait."""
    return Transfer.recorded_at, Transfer.id


def _transfers() -> Select[Any]:
    """Return the statement that reads transfers, in the order of the record's fields."""
    source, target, original = aliased(Account), aliased(Account), aliased(Transfer)
    columns: tuple[Any, ...] = (
        Transfer.id,
        Transfer.key,
        Transfer.kind,
        source.code,
        source.kind,
        target.code,
        target.kind,
        Transfer.points,
        Transfer.wallet_id == Transfer.target_id,
        Transfer.wallet_seq,
        Transfer.wallet_after,
        Transfer.reverses_id,
        original.wallet_seq,
        Transfer.occurred_at,
        Transfer.recorded_at,
        Transfer.expires_on,
        Transfer.reason,
    )
    return (
        select(*columns)
        .select_from(Transfer)
        .join(source, source.id == Transfer.source_id)
        .join(target, target.id == Transfer.target_id)
        .outerjoin(original, original.id == Transfer.reverses_id)
    )


def _of(account: AccountFound) -> Select[Any]:
    """Return the statement that reads the transfers of one account."""
    if account.has_wallet:
        return _transfers().where(Transfer.wallet_id == account.id)
    return _transfers().where(
        or_(Transfer.source_id == account.id, Transfer.target_id == account.id)
    )


def _entries(
    session: Session, statement: Select[Any], tick: Callable[[], None]
) -> Iterator[Entry]:
    """Yield transfers as they are fetched; one statement, so one moment of the ledger."""
    for row in session.execute(statement, execution_options={"yield_per": ROWS_A_FETCH}):
        yield Entry(*row)
        tick()


def _rows(
    entries: Iterator[Entry], account: AccountFound, zone: ZoneInfo, words: Words
) -> Iterator[list[Cell]]:
    """Yield the rows of a table: from this account's side, with its balance after each."""
    balance = 0
    for entry in entries:
        is_in = entry.target == account.code
        balance += entry.points if is_in else -entry.points
        is_line = account.has_wallet
        kind = words.kinds.get(entry.kind, entry.kind)
        yield [
            entry.line if is_line else None,
            _moment(entry.recorded_at, zone),
            _day(entry.occurred_at.astimezone(zone).date()),
            kind,
            kind if entry.kind == "expire" else entry.reason,
            entry.points if is_in else None,
            None if is_in else entry.points,
            entry.balance_after if is_line else balance,
            entry.reverses_line if is_line else None,
            _day(entry.expires_on),
            entry.source if is_in else entry.target,
            entry.id,
        ]


def _moment(moment: datetime, zone: ZoneInfo) -> str:
    """Write 2026-11-21 12:00:00, on the wall clock."""
    return f"{moment.astimezone(zone):%Y-%m-%d %H:%M:%S}"


def _day(day: date | None) -> str | None:
    return day.isoformat() if day else None
