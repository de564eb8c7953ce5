"""The table of a branch's quarter as a PDF for the wall, ruled as such forms are."""

from datetime import datetime

from flask_babel import gettext

from pointsbank.core.printing import A4, GREY, RED, Column, Document, Entry, Font
from pointsbank.rankings.quarter_tables import QuarterTable
from pointsbank.web.formats import clock_time, full_day, root_groups
from pointsbank.web.languages import locale_name


def quarter_table_pdf(table: QuarterTable, font: Font, now: datetime) -> bytes:
    """Return the PDF of a table; one that may not hang on a wall says so in red on top."""
    document = Document(
        font,
        A4,
        title=table.title,
        language="zh-CN" if locale_name() == "zh" else "en",
        made_at=now,
    )
    made = gettext("Printed %(moment)s", moment=f"{full_day(now)} {clock_time(now)}")
    document.begin((table.place, table.period.name), made, gettext("Page {page} of {pages}"))
    document.text(table.title, scale=1.6, is_strong=True, align="C")
    document.gap(2)
    if not table.may_hang:
        document.text(draft_words(table), scale=0.95, colour=RED, align="C")
    document.text(basis_words(table), scale=0.9, colour=GREY, align="C")
    document.gap(3)
    document.table(
        [
            Column(gettext("No."), 12, "C"),
            Column(gettext("Name"), 34, "C"),
            Column(gettext("Band of the evaluation score"), 34, "C"),
            Column(gettext("Remark"), 20, "C"),
        ],
        [Entry((str(line.no), line.name, line.band, "")) for line in table.lines]
        or [Entry((gettext("Nobody is named."),), GREY, True)],
        is_boxed=True,
    )
    document.gap(4)
    for sentence in closing_words(table):
        document.text(sentence, scale=0.9)
    if table.digest:
        document.gap(1)
        document.text(f"SHA-256  {root_groups(table.digest)}", scale=0.75, colour=GREY)
    document.gap(10)
    document.figures(
        [(gettext("Secretary (signature)"), ""), (gettext("Party branch (stamp)"), "")]
    )
    return document.as_bytes()


# What is open by its state and hangs no more is over; the job that locks it comes at night.
ENDED_STATES = ("locked", "open", "contested")


def draft_words(table: QuarterTable) -> str:
    """Say why a table may not hang on a wall."""
    if table.state in ENDED_STATES:
        return str(gettext("Copy for the files: its time in public is over."))
    return str(gettext("Draft for checking, not to be hung up: no notice of it is open."))


def basis_words(table: QuarterTable) -> str:
    """Say what the table is made of, and how long it hangs."""
    said = {
        "notice": gettext("Public notice, version %(version)s", version=table.version),
        "snapshot": gettext("Closed period, version %(version)s", version=table.version),
        "standing": gettext("Counted so far; the period is not closed"),
    }[table.source]
    rules = gettext("scoring standard version %(version)s", version=table.standard_version)
    days = ""
    if table.opens_on and table.closes_on:
        days = " · " + gettext(
            "in public %(first)s to %(last)s",
            first=full_day(table.opens_on),
            last=full_day(table.closes_on),
        )
    return f"{said} · {rules}{days}"


def closing_words(table: QuarterTable) -> list[str]:
    """Return the sentences below a table."""
    said = [
        gettext(
            "In order of band, within a band in order of name. Nobody has a place, "
            "and redeeming points changes nothing here."
        )
    ]
    if table.unnamed:
        said.append(
            gettext(
                "%(count)s more are below the lowest band; they are not named.",
                count=table.unnamed,
            )
        )
    if table.may_hang:
        said.append(
            gettext(
                "Whoever disagrees tells the branch committee until the last day, "
                "with their name or with facts."
            )
        )
    return [str(each) for each in said]
