"""Reads of one person's book: its cover, its lines, and what each month came to."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo

from sqlalchemy import case, func, select
from sqlalchemy.orm import Session

from pointsbank.core.calendar import local_day, midnight
from pointsbank.ledger.models import Reversed, Transfer
from pointsbank.ledger.queries import (
    Balance,
    Expiring,
    Line,
    balance_of,
    book_lines,
    expiring_points,
    id_of_code,
)

# A member's account in the ledger is named by the member's id.
ACCOUNT_PREFIX = "member:"


@dataclass(frozen=True)
class Cover:
    """What stands on the cover; expiring is in the order of its days, the earliest first."""

    balance: Balance
    expiring: tuple[Expiring, ...]


@dataclass(frozen=True)
class MonthSums:
    """What a whole month put in, took out, and took back; all at least 0."""

    deposited: int = 0
    withdrawn: int = 0
    reversed: int = 0


def account_code(member_id: int) -> str:
    """Return the code of a member's account in the ledger."""
    return f"{ACCOUNT_PREFIX}{member_id}"


def cover_of(session: Session, member_id: int) -> Cover:
    """Return the cover of a member's book; all zero for someone who has no account yet."""
    code = account_code(member_id)
    return Cover(balance_of(session, code), tuple(expiring_points(session, code)))


def lines_of(
    session: Session,
    member_id: int,
    *,
    before_line: int | None = None,
    limit: int = 50,
    kinds: Sequence[str] = (),
    span: tuple[datetime, datetime] | None = None,
) -> list[Line]:
    """Return lines of a member's book, newest first, below before_line when it is given.

    kinds: only these, all when empty. span: only what was written in these half-open bounds.
    """
    since, until = span or (None, None)
    return book_lines(
        session,
        account_code(member_id),
        before_line=before_line,
        limit=limit,
        kinds=kinds,
        since=since,
        until=until,
    )


def years_of(session: Session, member_id: int, zone: ZoneInfo) -> list[int]:
    """Return the calendar years from a book's first line to its last, the latest first."""
    is_own = Transfer.wallet_id == id_of_code(account_code(member_id))
    # Each end apart is one look into an index; both in one statement read the whole book.
    ends = session.execute(
        select(
            select(func.min(Transfer.recorded_at))
            .where(is_own)
            .scalar_subquery()
            .label("first"),
            select(func.max(Transfer.recorded_at))
            .where(is_own)
            .scalar_subquery()
            .label("last"),
        )
    ).one()
    if ends.first is None:
        return []
    first, last = local_day(ends.first, zone).year, local_day(ends.last, zone).year
    return list(range(last, first - 1, -1))


def month_sums(
    session: Session, member_id: int, months: Sequence[date], zone: ZoneInfo
) -> dict[date, MonthSums]:
    """Return what each of these months came to as a whole, whichever lines are shown.

    months: their first days.
    """
    if not months:
        return {}
    spans = [_span(month, zone) for month in months]
    number = case(
        *(
            ((Transfer.recorded_at >= since) & (Transfer.recorded_at < until), place)
            for place, (since, until) in enumerate(spans)
        )
    )
    is_in = Transfer.wallet_id == Transfer.target_id
    is_reversal = Transfer.kind == "reversal"
    rows = session.execute(
        select(
            number.label("place"),
            func.sum(case((~is_reversal & is_in, Transfer.points), else_=0)).label("put_in"),
            func.sum(case((~is_reversal & ~is_in, Transfer.points), else_=0)).label("out"),
            func.sum(case((is_reversal, Transfer.points), else_=0)).label("back"),
        )
        .where(
            Transfer.wallet_id == id_of_code(account_code(member_id)),
            Transfer.recorded_at >= min(since for since, _ in spans),
            Transfer.recorded_at < max(until for _, until in spans),
        )
        .group_by(number)
    )
    return {
        months[row.place]: MonthSums(int(row.put_in), int(row.out), int(row.back))
        for row in rows
        if row.place is not None
    }


def taken_back(session: Session, lines: Sequence[Line]) -> dict[int, int]:
    """Return how many points of these lines were reversed, by transfer id."""
    rows = session.execute(
        select(Reversed.transfer_id, Reversed.reversed).where(
            Reversed.transfer_id.in_([line.transfer_id for line in lines])
        )
    )
    return {row.transfer_id: row.reversed for row in rows}


def _span(first_on: date, zone: ZoneInfo) -> tuple[datetime, datetime]:
    year, month = divmod(12 * first_on.year + first_on.month, 12)
    return midnight(first_on, zone), midnight(date(year, month + 1, 1), zone)
