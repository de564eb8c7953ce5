"""A merchant's month as it is looked at: cut off, or what is on its way into it."""

from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from pointsbank.budgets.months import month_now, months_from, read_month
from pointsbank.core.actor import Actor
from pointsbank.core.calendar import Period, read_period
from pointsbank.members.queries import display_names
from pointsbank.merchants.scope import merchant_to_see
from pointsbank.settlements.closing import has_statement, unsettled
from pointsbank.settlements.errors import MonthAhead
from pointsbank.settlements.policy import Moved, Sums, sums_of
from pointsbank.settlements.queries import (
    LineFile,
    StatementFile,
    lines_of,
    numbers_of,
    rates_of,
    statement_of,
)


@dataclass(frozen=True)
class MonthSeen:
    """A merchant's month at one moment.

    state: "open" while nothing is cut off, "empty" where the month is over and nothing is on
    it, else the statement's. moved: what an open month holds.
    """

    merchant_id: int
    merchant_name: str
    month: Period
    state: str
    sums: Sums
    statement: StatementFile | None
    moved: tuple[Moved, ...] = ()

    @property
    def due_fen(self) -> int:
        """What is to be paid as it stands, corrections included."""
        return self.statement.due_fen if self.statement else self.sums.amount_fen

    @property
    def correction_fen(self) -> int:
        """What accepted disputes add, or take below zero."""
        return self.statement.correction_fen if self.statement else 0


def month_seen(
    session: Session, actor: Actor, merchant_id: int, name: str, zone: ZoneInfo, now: datetime
) -> MonthSeen:
    """Return a month of a merchant that this person may look at.

    Raises MerchantNotFound, UnknownPeriod, MonthAhead.
    """
    merchant = merchant_to_see(session, actor, merchant_id)
    month = read_period(name)
    if month.starts_at(zone) > now:
        raise MonthAhead
    found = statement_of(session, merchant_id, name)
    if found is not None:
        sums = Sums(
            found.line_count, found.redeemed_points, found.voided_points, found.amount_fen
        )
        return MonthSeen(merchant_id, merchant.name, month, found.state, sums, found)
    moved = on_its_way(session, merchant_id, month, zone)
    state = "open" if moved or month.ends_at(zone) > now else "empty"
    return MonthSeen(
        merchant_id, merchant.name, month, state, sums_of(moved), None, tuple(moved)
    )


def on_its_way(
    session: Session, merchant_id: int, month: Period, zone: ZoneInfo
) -> list[Moved]:
    """Return what a cut-off of this month would take up if it came at this moment.

    While the month before is not cut off, what was recorded before this month began goes there.
    """
    moved = unsettled(session, merchant_id, month.ends_at(zone), zone)
    if not moved or has_statement(session, merchant_id, months_from(month, -1).name):
        return moved
    earlier = {
        each.transfer_id
        for each in unsettled(session, merchant_id, month.starts_at(zone), zone)
    }
    return [each for each in moved if each.transfer_id not in earlier]


def lines_seen(
    session: Session, seen: MonthSeen, *, after_no: int = 0, limit: int | None = None
) -> list[LineFile]:
    """Return the lines of a month in their order, behind one of them."""
    if seen.statement is not None:
        return lines_of(session, seen.statement.id, after_no=after_no, limit=limit)
    until = None if limit is None else after_no + limit
    shown = list(enumerate(seen.moved, start=1))[after_no:until]
    numbers = numbers_of(session, (each.redemption_id or 0 for _, each in shown))
    return [
        LineFile(
            no=no,
            kind=each.kind,
            transfer_id=each.transfer_id,
            number=numbers.get(each.redemption_id or 0),
            occurred_at=each.occurred_at,
            what=each.what,
            points=each.points,
            rate_fen=each.rate_fen,
            correction_fen=0,
            dispute=None,
            dispute_reason=None,
            answer=None,
        )
        for no, each in shown
    ]


def rates_seen(session: Session, seen: MonthSeen) -> list[int]:
    """Return the rates at which the lines of a month count, in fen, the lowest first."""
    if seen.statement is not None:
        return rates_of(session, seen.statement.id)
    return sorted({each.rate_fen for each in seen.moved})


def signers_of(session: Session, seen: MonthSeen) -> dict[int, str]:
    """Return the masked names of who signed a month, by id."""
    found = seen.statement
    if found is None:
        return {}
    ids = (found.confirmed_by_id, found.approved_by_id, found.paid_by_id)
    return display_names(session, [each for each in ids if each is not None])


def month_named(name: str | None, zone: ZoneInfo, now: datetime) -> Period:
    """Return a month; without a name the one before the running one.

    Raises NotAMonth.
    """
    return read_month(name) if name else months_from(month_now(now, zone), -1)
