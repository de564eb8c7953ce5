"""What the model says that the service keeps, in the words of kept.ROWS."""

from collections import Counter
from typing import Any

from proving.marketplace.kept import in_order
from proving.marketplace.market import Market
from proving.marketplace.statements import amount

Rows = list[tuple[Any, ...]]


def foreseen_by(market: Market) -> dict[str, Rows]:
    """Return all rows that there must be."""
    rows = {**_shelves(market), **_had(market), **_books(market), **_settled(market)}
    return {name: in_order(name, each) for name, each in rows.items()}


def _shelves(market: Market) -> dict[str, Rows]:
    return {
        "merchants": [
            (
                no,
                "suspended" if e.is_stopped else "active",
                e.takes_until and e.takes_until.isoformat(),
                e.most,
            )
            for no, e in enumerate(market.merchants)
        ],
        "rewards": [(no, e.stock, e.state) for no, e in enumerate(market.rewards)],
        "shares": [(*key, quantity) for key, quantity in market.shares.items() if quantity],
        "days": [
            (member, day.isoformat(), points)
            for (member, day), points in market.days.items()
            if points
        ],
    }


def _had(market: Market) -> dict[str, Rows]:
    return {
        "deals": [
            (
                e.merchant,
                e.reward,
                e.member,
                e.clerk,
                e.way,
                e.quantity,
                e.points,
                e.period,
                e.state,
                e.voided,
                e.after,
                e.day.isoformat(),
            )
            for e in market.deals
        ],
        "voids": [
            (
                e.deal,
                e.quantity,
                e.points,
                e.asked_by,
                e.needs_second,
                e.decision,
                e.decided_by,
            )
            for e in market.voids
        ],
        "orders": [
            (
                e.reward,
                e.merchant,
                e.member,
                e.way,
                e.quantity,
                e.unit,
                e.period,
                e.delivered,
                e.state,
            )
            for e in market.orders
        ],
        "loans": [
            (
                e.reward,
                e.merchant,
                e.member,
                e.clerk,
                e.deposit,
                e.due_on.isoformat(),
                e.state,
                e.charged,
            )
            for e in market.loans
        ],
    }


def _books(market: Market) -> dict[str, Rows]:
    books, holds = market.ledger.books, market.ledger.holds.values()
    states = Counter(each.state for each in holds)
    return {
        "wallets": [(code, e.posted, e.held, len(e.lines)) for code, e in books.items()],
        "lots": [
            (code, day.isoformat(), points)
            for code, each in books.items()
            for day, points in each.lots.items()
            if points
        ],
        "holds": [
            (state, count, sum(each.points for each in holds if each.state == state))
            for state, count in states.items()
        ],
        "takings": [
            (code, points)
            for code, points in market.ledger.sums.items()
            if code.startswith("merchant:")
        ],
    }


def _settled(market: Market) -> dict[str, Rows]:
    statements = sorted(market.statements.items())
    rows, lines = [], []
    for (merchant, month), each in statements:
        points = [line.points for line in each.lines]
        taken, back = sum(p for p in points if p > 0), -sum(p for p in points if p < 0)
        rows.append(
            (
                merchant,
                month,
                each.state,
                len(points),
                taken,
                back,
                taken - back,
                amount(each),
                sum(line.correction for line in each.lines),
                each.approved_by,
                each.paid[0] if each.paid else None,
            )
        )
        lines += [
            (merchant, month, no, e.kind, e.points, e.rate, e.dispute, e.correction)
            for no, e in enumerate(each.lines, start=1)
        ]
    return {"statements": rows, "lines": lines}
