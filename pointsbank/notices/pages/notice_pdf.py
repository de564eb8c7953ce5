"""A notice as a PDF for the wall."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from flask_babel import gettext

from pointsbank.core.printing import A4, GREY, Column, Document, Entry, Font
from pointsbank.notices.queries import NoticeFile
from pointsbank.web.formats import clock_time, full_day, root_groups
from pointsbank.web.languages import locale_name
from pointsbank.web.qr import qr_matrix

QR_MM = 34
# The code with the digest beside it.
FOOT_MM = 40


def notice_pdf(shown: Mapping[str, Any], address: str, font: Font, now: datetime) -> bytes:
    """Return the PDF; shown is what facing.printed returns, address what the code carries."""
    found: NoticeFile = shown["notice"]
    word = gettext("Public notice")
    document = Document(
        font,
        A4,
        title=f"{word} · {found.title}",
        language="zh-CN" if locale_name() == "zh" else "en",
        made_at=now,
    )
    made = gettext("Printed %(moment)s", moment=f"{full_day(now)} {clock_time(now)}")
    document.begin((word, found.organization_name), made, gettext("Page {page} of {pages}"))
    document.text(word, scale=2.4, is_strong=True)
    document.heading(found.title, scale=1.5)
    for sentence in shown["sentences"]:
        document.text(sentence)
    document.gap(3)
    headings: list[str] = shown["columns"]
    columns = [Column(heading, 1) for heading in headings]
    document.table(columns, [Entry(tuple(cells)) for cells in shown["lines"]])
    document.gap(4)
    for sentence in remarks(found, shown):
        document.text(sentence)
    document.gap(6)
    document.text(found.organization_name)
    if found.opened_on is not None:
        document.text(full_day(found.opened_on))
    document.gap(4)
    document.qr(qr_matrix(address), QR_MM, room=FOOT_MM)
    document.text(
        gettext("Scan to read it online while it is shown, and to object there."),
        scale=0.85,
        inset=QR_MM + 4,
    )
    document.text(
        f"SHA-256  {root_groups(found.digest)}", scale=0.75, colour=GREY, inset=QR_MM + 4
    )
    return document.as_bytes()


def remarks(found: NoticeFile, shown: Mapping[str, Any]) -> list[str]:
    """Return the sentences below the lines: masks, days, and where to object."""
    said = []
    if shown["has_masked"]:
        said.append(gettext("Names without consent to be published are masked."))
    if found.opened_on is not None and found.closes_on is not None:
        said.append(
            gettext(
                "Shown from %(first)s through %(last)s, %(days)s working days. Whoever objects"
                " tells the branch committee or scans the code, with a name or without one but"
                " with facts; an answer comes within three working days, a decision within"
                " five.",
                first=full_day(found.opened_on),
                last=full_day(found.closes_on),
                days=len(shown["days"]),
            )
        )
    else:
        said.append(gettext("A draft: it is not shown in public yet."))
    return said
