"""A statement as a PDF: what the page shows, with the statement file attached."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

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
from pointsbank.web.qr import qr_matrix

QR_MM = 32
# What stands beside the code: two sentences, the block, its root.
CHECK_MM = 44


@dataclass(frozen=True)
class Words:
    """What is printed beside the figures, in the reader's language.

    language: zh-CN or en. title: the period's name as a statement. page: with the places {page}
    and {pages}. head: what stands above the lines, where it is true.
    """

    language: str
    book: str
    title: str
    page: str
    holder: str
    number: str
    place: str
    made: str
    head: tuple[str, ...]
    line: str
    date: str
    what: str
    deposit: str
    withdrawal: str
    reversal: str
    balance: str
    opening: str
    closing: str
    nothing: str
    unsealed: str
    how: str
    steps: tuple[str, ...]
    block: str


@dataclass(frozen=True)
class Printed:
    """All that is printed. months are as the page has them."""

    statement: Statement
    months: list[dict[str, Any]]
    words: Words
    address: str
    file_name: str
    file: bytes
    made_at: datetime


def statement_pdf(printed: Printed, font: Font, paper: Paper) -> bytes:
    """Return the PDF. The same statement at the same moment gives the same bytes."""
    words, statement = printed.words, printed.statement
    title, holder = f"{words.book} · {words.title}", f"{words.holder} No. {words.number}"
    document = Document(
        font,
        paper,
        title=f"{words.title} · {words.holder}",
        language=words.language,
        made_at=printed.made_at,
    )
    document.begin((title, holder), f"{words.place} · {words.made}", words.page)
    document.heading(title)
    document.text(f"{holder}  {words.place}")
    for sentence in words.head:
        document.text(sentence, scale=0.9, colour=GREY)
    document.gap(2)
    document.figures(figures(statement, words))
    document.gap(2)
    document.table(columns(words), entries(printed))
    document.gap(4)
    check(document, printed)
    document.attach(printed.file_name, printed.file, "application/json")
    return document.as_bytes()


def figures(statement: Statement, words: Words) -> list[tuple[str, str]]:
    """Return the sums; the first and the next three come to the last."""
    return [
        (words.opening, points(statement.opening)),
        (words.deposit, signed(statement.deposited)),
        (words.withdrawal, signed(-statement.withdrawn)),
        (words.reversal, signed(statement.taken_back)),
        (words.closing, points(statement.closing)),
    ]


def columns(words: Words) -> list[Column]:
    """Return the columns of a book."""
    return [
        Column(words.line, 7),
        Column(words.date, 9),
        Column(words.what, 42),
        Column(words.deposit, 11, "R"),
        Column(words.withdrawal, 13, "R"),
        Column(words.balance, 12, "R"),
    ]


def entries(printed: Printed) -> list[Entry]:
    """Return the rows of the table between the two balances."""
    statement, words = printed.statement, printed.words
    rows = [Entry(("", "", words.opening, "", "", points(statement.opening)))]
    for month in printed.months:
        if len(printed.months) > 1:
            rows.append(Entry((month["title"],), is_band=True))
        rows.extend(entry(line, words.reversal) for line in month["lines"])
    if not printed.months:
        rows.append(Entry((words.nothing,), GREY, True))
    rows.append(Entry(("", "", words.closing, "", "", points(statement.closing))))
    return rows


def entry(line: dict[str, Any], reversal: str) -> Entry:
    """Return one line as a row."""
    is_reversal = line["kind"] == "reversal"
    title = f"[{reversal}] {line['title']}" if is_reversal else line["title"]
    amount = signed(line["amount"])
    return Entry(
        (
            str(line["line"]),
            line["date"],
            f"{title} ({line['why']})" if line["why"] else title,
            amount if line["amount"] > 0 else "",
            amount if line["amount"] < 0 else "",
            points(line["balance"]),
        ),
        RED if is_reversal else BLACK,
    )


def check(document: Document, printed: Printed) -> None:
    """Print the newest root with its code, and how to check."""
    newest, words = printed.statement.newest, printed.words
    if newest is None:
        document.text(words.unsealed, scale=0.9, colour=GREY)
        return
    document.qr(qr_matrix(printed.address), QR_MM, room=CHECK_MM)
    inset = QR_MM + 4
    document.text(words.how, is_strong=True, inset=inset)
    for sentence in words.steps:
        document.text(sentence, scale=0.9, inset=inset)
    document.gap(1.5)
    document.text(words.block, scale=0.9, inset=inset)
    document.text(root_groups(newest.root.hex()), scale=0.85, inset=inset)
    document.text(printed.address, scale=0.8, colour=GREY, inset=inset)
