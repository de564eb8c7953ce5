"""Statements as sheets: one merchant's lines, and a month of all merchants."""

from collections.abc import Iterable, Iterator
from datetime import datetime
from zoneinfo import ZoneInfo

from flask_babel import gettext

from pointsbank.core.calendar import Period
from pointsbank.core.money import FEN_A_YUAN, yuan
from pointsbank.core.sheets import Cell, Sheet
from pointsbank.merchants.models import RATE_POINTS
from pointsbank.settlements.queries import LineFile, StatementFile
from pointsbank.settlements.viewing import MonthSeen
from pointsbank.settlements.words import DISPUTES, KINDS, LATE, STATES
from pointsbank.web.formats import month_name, points

FEN_POINTS_A_YUAN = FEN_A_YUAN * RATE_POINTS


def statement_sheet(
    seen: MonthSeen, lines: Iterable[LineFile], zone: ZoneInfo, now: datetime
) -> Sheet:
    """Return a merchant's month: a row for each line, points and money as numbers.

    A row's money is not rounded, so that the column adds up to what is rounded once.
    """
    return Sheet(
        name=f"{seen.merchant_name} {seen.month.name}",
        note=gettext(
            "%(merchant)s, %(month)s: %(state)s. Net %(points)s points, %(money)s to be paid."
            " As of %(moment)s.",
            merchant=seen.merchant_name,
            month=month_name(seen.month.first_on),
            state=STATES[seen.state],
            points=points(seen.sums.net),
            money=yuan(seen.due_fen),
            moment=written(now, zone),
        ),
        headers=[
            gettext("Line"),
            gettext("Kind"),
            gettext("Time"),
            gettext("Redemption number"),
            gettext("For what"),
            gettext("Points"),
            gettext("Yuan for 100 points"),
            gettext("Amount (yuan)"),
            gettext("Correction (yuan)"),
            gettext("Dispute"),
            gettext("Reason"),
            gettext("Answer"),
            gettext("Transfer"),
        ],
        rows=rows_of(lines, zone),
    )


def rows_of(lines: Iterable[LineFile], zone: ZoneInfo) -> Iterator[list[Cell]]:
    """Yield a row for each line."""
    for line in lines:
        yield [
            line.no,
            str(KINDS[line.kind]),
            written(line.occurred_at, zone),
            line.number,
            line.what,
            line.points,
            line.rate_fen / FEN_A_YUAN,
            line.points * line.rate_fen / FEN_POINTS_A_YUAN,
            line.correction_fen / FEN_A_YUAN if line.correction_fen else None,
            str(DISPUTES[line.dispute]) if line.dispute else None,
            line.dispute_reason,
            line.answer,
            line.transfer_id,
        ]


def month_sheet(
    month: Period, found: Iterable[StatementFile], zone: ZoneInfo, now: datetime
) -> Sheet:
    """Return a month of all merchants, a row for each."""
    return Sheet(
        name=gettext("Merchant statements"),
        note=gettext(
            "%(month)s, as of %(moment)s.",
            month=month_name(month.first_on),
            moment=written(now, zone),
        ),
        headers=[
            gettext("Merchant"),
            gettext("State"),
            gettext("Late"),
            gettext("Lines"),
            gettext("Points taken"),
            gettext("Points given back"),
            gettext("Net points"),
            gettext("Amount (yuan)"),
            gettext("Correction (yuan)"),
            gettext("To be paid (yuan)"),
            gettext("Payment reference"),
        ],
        rows=(month_row(each, now) for each in found),
    )


def month_row(each: StatementFile, now: datetime) -> list[Cell]:
    """Return a merchant's month as a row."""
    late = each.lateness(now)
    return [
        each.merchant_name,
        str(STATES[each.state]),
        str(LATE[late]) if late else None,
        each.line_count,
        each.redeemed_points,
        each.voided_points,
        each.net_points,
        each.amount_fen / FEN_A_YUAN,
        each.correction_fen / FEN_A_YUAN,
        each.due_fen / FEN_A_YUAN,
        each.payment_reference,
    ]


def written(moment: datetime, zone: ZoneInfo) -> str:
    """Write 2026-11-21 12:00:00, on the wall clock."""
    return f"{moment.astimezone(zone):%Y-%m-%d %H:%M:%S}"
