"""The model of settlement: months cut off, disputed, confirmed, approved and paid."""

from collections.abc import Iterator
from datetime import datetime, time, timedelta

from proving.marketplace.market import Line, Market, Move, Statement
from proving.marketplace.shelf import first_after, month_of
from proving.reference import Refused

CONFIRM_DAYS = 5
UNSIGNED = ("closed", "disputed")


def over_at(market: Market, month: str) -> datetime:
    """Return the first moment after a month."""
    return datetime.combine(first_after(month), time(), market.zone)


def close(market: Market, month: str) -> None:
    """Cut off every merchant's months through this one."""
    if market.now < over_at(market, month):
        raise Refused("month_not_over")
    for merchant in range(len(market.merchants)):
        if (merchant, month) not in market.statements:
            for each in _months_through(market, merchant, month):
                _close(market, merchant, each)


def _months_through(market: Market, merchant: int, month: str) -> Iterator[str]:
    """Yield the months from the oldest that holds something through this one."""
    waiting = [each.at for each in _unsettled(market, merchant, month)]
    if waiting:
        running = month_of(min(waiting).astimezone(market.zone).date())
        while running <= month:
            yield running
            running = month_of(first_after(running))


def _unsettled(market: Market, merchant: int, month: str) -> list[Move]:
    """Return what moved before a month was over and is on no statement."""
    over = over_at(market, month)
    return [
        e for e in market.moves if e.merchant == merchant and not e.is_settled and e.at < over
    ]


def _close(market: Market, merchant: int, month: str) -> None:
    moves = _unsettled(market, merchant, month)
    if not moves or (merchant, month) in market.statements:
        return
    rate = market.merchants[merchant].rate
    lines = [Line(each.kind, each.points, rate(each.taken_on)) for each in moves]
    for each in moves:
        each.is_settled = True
    confirm_by = over_at(market, month) + timedelta(days=CONFIRM_DAYS)
    market.statements[merchant, month] = Statement(lines, confirm_by)


def fen(worth: int) -> int:
    """Return points times their rate as fen, half up."""
    return (worth + 50) // 100


def amount(statement: Statement) -> int:
    """Return what the lines of a statement come to in fen."""
    return fen(sum(each.points * each.rate for each in statement.lines))


def dispute(
    market: Market, merchant: int, month: str, number: int, actor: int, reason: str
) -> None:
    """Say for the merchant that a line is wrong."""
    statement = _seen(market, merchant, month, actor)
    if not market.stands_at(actor, merchant):
        raise Refused("statement_second_person")
    line = _line(statement, number)
    if line.dispute is not None:
        if line.disputed == (actor, reason):
            return
        raise Refused("statement_line_disputed")
    if statement.state not in UNSIGNED:
        raise Refused("statement_signed")
    line.dispute, line.disputed, statement.state = "open", (actor, reason), "disputed"


def answer(
    market: Market, merchant: int, month: str, number: int, actor: int, correction: int
) -> None:
    """Answer a dispute; without a correction it is rejected."""
    statement = _seen(market, merchant, month, actor)
    if actor not in market.administrators:
        raise Refused("statement_second_person")
    line = _line(statement, number)
    if line.dispute != "open":
        raise Refused("line_not_disputed")
    if abs(correction) > 2 * abs(fen(line.points * line.rate)):
        raise Refused("correction_too_large")
    line.dispute = "accepted" if correction else "rejected"
    line.correction = correction
    if not _open_disputes(statement):
        statement.state = "closed"


def confirm(market: Market, merchant: int, month: str, actor: int) -> None:
    """Sign for the merchant."""
    statement = _seen(market, merchant, month, actor)
    if not market.stands_at(actor, merchant):
        raise Refused("statement_second_person")
    if statement.state in UNSIGNED:
        if _open_disputes(statement):
            raise Refused("disputes_open")
        statement.state = "confirmed"


def approve(market: Market, merchant: int, month: str, actor: int) -> None:
    """Sign for the community; silence counts as a yes when the time is over."""
    statement = _seen(market, merchant, month, actor)
    if actor not in market.administrators:
        raise Refused("statement_second_person")
    if statement.state in ("approved", "paid"):
        return
    if statement.state in UNSIGNED:
        if _open_disputes(statement):
            raise Refused("disputes_open")
        if market.now < statement.confirm_by:
            raise Refused("not_confirmed_yet")
    statement.state, statement.approved_by = "approved", actor


def pay(market: Market, merchant: int, month: str, actor: int, reference: str) -> None:
    """Keep that a statement was paid."""
    statement = _seen(market, merchant, month, actor)
    if actor not in market.administrators:
        raise Refused("statement_second_person")
    if statement.state == "paid":
        if statement.paid is not None and statement.paid[1] != reference:
            raise Refused("statement_paid")
        return
    if statement.state != "approved":
        raise Refused("not_approved_yet")
    if statement.approved_by == actor:
        raise Refused("statement_second_person")
    statement.state, statement.paid = "paid", (actor, reference)


def _seen(market: Market, merchant: int, month: str, actor: int) -> Statement:
    found = market.statements.get((merchant, month))
    if found is None or not market.may_see(actor, merchant):
        raise Refused("statement_not_found")
    return found


def _line(statement: Statement, number: int) -> Line:
    if not 1 <= number <= len(statement.lines):
        raise Refused("statement_line_not_found")
    return statement.lines[number - 1]


def _open_disputes(statement: Statement) -> int:
    return sum(each.dispute == "open" for each in statement.lines)
