"""A merchant's statement as a PDF, with places for both sides to sign and stamp."""

from collections.abc import Iterable, Sequence
from datetime import datetime

from flask_babel import gettext

from pointsbank.core.money import yuan
from pointsbank.core.printing import (
    A4,
    BLACK,
    GREY,
    RED,
    Column,
    Document,
    Entry,
    Font,
)
from pointsbank.settlements.policy import fen_of
from pointsbank.settlements.queries import LineFile
from pointsbank.settlements.viewing import MonthSeen
from pointsbank.settlements.words import DISPUTES, KINDS, STATES
from pointsbank.web.formats import (
    clock_time,
    full_day,
    moment,
    month_name,
    points,
    root_groups,
    signed,
)
from pointsbank.web.languages import locale_name


def statement_pdf(
    seen: MonthSeen,
    lines: Sequence[LineFile],
    facts: Iterable[tuple[str, str]],
    font: Font,
    now: datetime,
) -> bytes:
    """Return the PDF; facts are the words and values printed below the lines."""
    title = gettext("Merchant statement %(month)s", month=month_name(seen.month.first_on))
    document = Document(
        font,
        A4,
        title=f"{title} · {seen.merchant_name}",
        language="zh-CN" if locale_name() == "zh" else "en",
        made_at=now,
    )
    made = gettext("Printed %(moment)s", moment=f"{full_day(now)} {clock_time(now)}")
    document.begin((title, seen.merchant_name), made, gettext("Page {page} of {pages}"))
    document.heading(title)
    document.text(f"{seen.merchant_name} · {STATES[seen.state]}")
    document.gap(2)
    document.figures(figures(seen))
    document.gap(3)
    document.table(columns(), [entry(line) for line in lines] or [nothing()])
    document.gap(4)
    for word, value in facts:
        document.text(f"{word}  {value}", scale=0.9)
    if seen.statement is not None:
        document.text(
            f"SHA-256  {root_groups(seen.statement.digest.hex())}", scale=0.75, colour=GREY
        )
    document.gap(8)
    document.figures(
        [(gettext("For the merchant (stamp)"), ""), (gettext("For the community (stamp)"), "")]
    )
    return document.as_bytes()


def figures(seen: MonthSeen) -> list[tuple[str, str]]:
    """Return the totals; the first two come to the third."""
    return [
        (gettext("Points taken"), points(seen.sums.redeemed)),
        (gettext("Points given back"), signed(-seen.sums.voided)),
        (gettext("Net points"), points(seen.sums.net)),
        (gettext("To be paid"), yuan(seen.due_fen)),
    ]


def columns() -> list[Column]:
    """Return the columns of the lines."""
    return [
        Column(gettext("Line"), 6),
        Column(gettext("Time"), 15),
        Column(gettext("For what"), 35),
        Column(gettext("Redemption number"), 20),
        Column(gettext("Points"), 10, "R"),
        Column(gettext("Amount"), 14, "R"),
    ]


def entry(line: LineFile) -> Entry:
    """Return one line as a row; what came back is red."""
    remarks = [line.what]
    if line.kind != "redemption":
        remarks.insert(0, f"[{KINDS[line.kind]}]")
    if line.dispute is not None:
        remarks.append(f"({DISPUTES[line.dispute]})")
    if line.correction_fen:
        remarks.append(gettext("Correction %(money)s", money=yuan(line.correction_fen)))
    return Entry(
        (
            str(line.no),
            moment(line.occurred_at),
            " ".join(remarks),
            line.number or "",
            points(line.points),
            yuan(fen_of(line.points * line.rate_fen)),
        ),
        RED if line.points < 0 else BLACK,
    )


def nothing() -> Entry:
    """Return the one row of a month with nothing on it."""
    return Entry((gettext("Nothing was taken in this month."),), GREY, True)
