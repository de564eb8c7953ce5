"""A work unit's quarter as a PDF, with places for the community and the unit to sign."""

from datetime import datetime

from flask_babel import gettext, ngettext

from pointsbank.core.printing import A4, GREY, Column, Document, Entry, Font
from pointsbank.rankings.reports_schemas import aim_words, unnamed_words
from pointsbank.rankings.unit_sheets import UnitLine, UnitSheet
from pointsbank.web.formats import clock_time, full_day, hours
from pointsbank.web.languages import locale_name


def unit_sheet_pdf(sheet: UnitSheet, title: str, font: Font, now: datetime) -> bytes:
    """Return the PDF of a unit's quarter, a row and a sentence for each who is named."""
    document = Document(
        font,
        A4,
        title=f"{title} · {sheet.name}",
        language="zh-CN" if locale_name() == "zh" else "en",
        made_at=now,
    )
    made = gettext("Printed %(moment)s", moment=f"{full_day(now)} {clock_time(now)}")
    document.begin((title, sheet.name), made, gettext("Page {page} of {pages}"))
    document.heading(title)
    document.text(gettext("To: %(unit)s", unit=sheet.name))
    document.gap(3)
    document.figures(
        [
            (gettext("People named"), str(len(sheet.lines))),
            (gettext("Service time"), hours(sheet.minutes)),
            (gettext("Times served"), str(sheet.tasks)),
        ]
    )
    document.gap(3)
    document.table(
        columns(),
        [entry for line in sheet.lines for entry in entries(line)] or [nothing()],
    )
    document.gap(4)
    if sheet.unnamed:
        document.text(unnamed_words(sheet.unnamed), scale=0.9)
    document.text(aim_words(), scale=0.9, colour=GREY)
    document.gap(10)
    document.figures(
        [
            (gettext("For the community (stamp)"), ""),
            (gettext("Received by the unit (stamp)"), ""),
        ]
    )
    return document.as_bytes()


def columns() -> list[Column]:
    """Return the columns of the people."""
    return [
        Column(gettext("Name"), 14),
        Column(gettext("Home community"), 28),
        Column(gettext("This quarter"), 18, "R"),
        Column(gettext("Times"), 11, "R"),
        Column(gettext("This year"), 18, "R"),
        Column(gettext("Times"), 11, "R"),
    ]


def entries(line: UnitLine) -> list[Entry]:
    """Return a person's row, and what the community says of them below it."""
    row = Entry(
        (
            line.name,
            line.community,
            hours(line.minutes),
            str(line.tasks),
            hours(line.year_minutes),
            str(line.year_tasks),
        )
    )
    said = gettext("The community says: %(comment)s", comment=line.comment)
    return [row, Entry((said,), GREY, True)] if line.comment else [row]


def nothing() -> Entry:
    """Return the one row of a sheet on which nobody is named."""
    return Entry((gettext("Nobody agreed to be named."),), GREY, True)


def people_words(count: int) -> str:
    """Write 3 people."""
    return str(ngettext("%(num)s person", "%(num)s people", count))
