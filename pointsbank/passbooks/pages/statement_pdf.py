"""A statement as a PDF: what the page shows, with the statement file attached."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flask_babel import gettext

from pointsbank.core.printing import (
    BLACK,
    GREY,
    RED,
    Column,
    Document,
    Entry,
    Font,
    Paper,
)
from pointsbank.passbooks.statements import Statement
from pointsbank.web.formats import points, root_groups, signed
from pointsbank.web.languages import locale_name
from pointsbank.web.qr import qr_matrix

QR_MM = 32
# What stands beside the code: two sentences, the block, its root.
CHECK_MM = 44


@dataclass(frozen=True)
class Printed:
    """All that is printed. months and words are as the page has them."""

    statement: Statement
    months: list[dict[str, Any]]
    words: dict[str, str]
    address: str
    file_name: str
    file: bytes
    made_at: datetime


def statement_pdf(printed: Printed, font: Font, paper: Paper) -> bytes:
    """Return the PDF. The same statement at the same moment gives the same bytes."""
    words, statement = printed.words, printed.statement
    title = gettext("Statement %(period)s", period=words["period"])
    document = Document(
        font,
        paper,
        title=f"{title} · {words['name']}",
        language="zh-CN" if locale_name() == "zh" else "en",
        made_at=printed.made_at,
    )
    document.begin(
        (
            f"{gettext('Points Passbook')} · {title}",
            f"{words['name']} No. {words['number']}",
        ),
        f"{words['place']} · {words['made']}",
        gettext("Page {page} of {pages}"),
    )
    document.heading(f"{gettext('Points Passbook')} · {title}")
    document.text(f"{words['name']}  No. {words['number']}  {words['place']}")
    for key in ("running", "unsealed"):
        if words[key]:
            document.text(words[key], scale=0.9, colour=GREY)
    document.gap(2)
    document.figures(figures(statement))
    document.gap(2)
    document.table(columns(), entries(printed))
    document.gap(4)
    check(document, printed)
    document.attach(printed.file_name, printed.file, "application/json")
    return document.as_bytes()


def figures(statement: Statement) -> list[tuple[str, str]]:
    """Return the sums; the first and the next three come to the last."""
    return [
        (gettext("Opening balance"), points(statement.opening)),
        (gettext("Deposit"), signed(statement.deposited)),
        (gettext("Withdrawal"), signed(-statement.withdrawn)),
        (gettext("Reversal"), signed(statement.taken_back)),
        (gettext("Closing balance"), points(statement.closing)),
    ]


def columns() -> list[Column]:
    """Return the columns of a book."""
    return [
        Column(gettext("Line"), 7),
        Column(gettext("Date"), 9),
        Column(gettext("For what"), 44),
        Column(gettext("Deposit"), 11, "R"),
        Column(gettext("Withdrawal"), 11, "R"),
        Column(gettext("Balance"), 12, "R"),
    ]


def entries(printed: Printed) -> list[Entry]:
    """Return the rows of the table between the two balances."""
    statement = printed.statement
    opening, closing = gettext("Opening balance"), gettext("Closing balance")
    rows = [Entry(("", "", opening, "", "", points(statement.opening)))]
    for month in printed.months:
        if len(printed.months) > 1:
            rows.append(Entry((month["title"],), is_band=True))
        rows.extend(entry(line) for line in month["lines"])
    if not printed.months:
        rows.append(Entry((gettext("Nothing was written in this period."),), GREY, True))
    rows.append(Entry(("", "", closing, "", "", points(statement.closing))))
    return rows


def entry(line: dict[str, Any]) -> Entry:
    """Return one line as a row."""
    is_reversal = line["kind"] == "reversal"
    title = f"[{gettext('Reversal')}] {line['title']}" if is_reversal else line["title"]
    what = f"{title} ({line['why']})" if line["why"] else title
    amount = signed(line["amount"])
    return Entry(
        (
            str(line["line"]),
            line["date"],
            what,
            amount if line["amount"] > 0 else "",
            amount if line["amount"] < 0 else "",
            points(line["balance"]),
        ),
        RED if is_reversal else BLACK,
    )


def check(document: Document, printed: Printed) -> None:
    """Print the newest root with its code, and how to check."""
    newest = printed.statement.newest
    if newest is None:
        document.text(gettext("Nothing has been sealed yet."), scale=0.9, colour=GREY)
        return
    document.qr(qr_matrix(printed.address), QR_MM, room=CHECK_MM)
    inset = QR_MM + 4
    document.text(gettext("How to check"), is_strong=True, inset=inset)
    for sentence in (
        gettext(
            "Scan the code: the root shown there must be the one printed here, digit for digit."
        ),
        gettext(
            "There you also find the checking tool: with it and the statement file anyone "
            "finds out whether a single character of a line was changed."
        ),
    ):
        document.text(sentence, scale=0.9, inset=inset)
    document.gap(1.5)
    document.text(printed.words["block"], scale=0.9, inset=inset)
    document.text(root_groups(newest.root.hex()), scale=0.85, inset=inset)
    document.text(printed.address, scale=0.8, colour=GREY, inset=inset)
