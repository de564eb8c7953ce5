"""The pages of the sheets that work units get: one on the screen, and its files."""

import io
from collections.abc import Callable
from typing import Any

from flask import Blueprint, render_template, request, send_file, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext

from pointsbank.core import clock
from pointsbank.core.audit import note
from pointsbank.core.calendar import Period, local_day, quarter_before, quarter_of, read_quarter
from pointsbank.core.db import reading, transaction
from pointsbank.core.printing import find_font
from pointsbank.core.sheets import XLSX_TYPE, write_sheet
from pointsbank.rankings.pages.facing import period_name
from pointsbank.rankings.pages.unit_sheet_pdf import people_words, unit_sheet_pdf
from pointsbank.rankings.policy import VIEWER_ROLES
from pointsbank.rankings.reports_schemas import aim_words, unit_table, unnamed_words
from pointsbank.rankings.unit_sheets import UnitSheet, unit_sheet, units_with_people
from pointsbank.web.access import current_actor, roles_only
from pointsbank.web.forms import settings, typed, typed_id

pages = Blueprint("unit_sheet_pages", __name__)

CODE_LENGTH_MAX = 32
PERIOD_LENGTH_MAX = 24
QUARTERS_OFFERED = 8


def asked_quarter(source: Any) -> Period:
    """Return the quarter that is asked for, the running one when none is."""
    name = source.get("period", "")[:PERIOD_LENGTH_MAX]
    return read_quarter(name) if name else quarter_of(local_day(clock.now(), settings().zone))


def quarters_offered() -> list[tuple[str, str]]:
    """Return the quarters to choose from, the running one first."""
    period = quarter_of(local_day(clock.now(), settings().zone))
    found = []
    for _ in range(QUARTERS_OFFERED):
        found.append((period.name, period_name(period)))
        period = quarter_before(period)
    return found


def title_of(period: Period) -> str:
    """Write what stands on top of a sheet."""
    return str(
        gettext("Service at home of registered members, %(period)s", period=period_name(period))
    )


@pages.get("/reports/unit-sheet")
@roles_only(*VIEWER_ROLES)
def show_sheet() -> ResponseReturnValue:
    """Show what one work unit reads of a quarter."""
    period = asked_quarter(request.args)
    code = request.args.get("work_unit_code", "")[:CODE_LENGTH_MAX]
    paths = current_actor().paths(*VIEWER_ROLES)
    with reading() as session:
        units = units_with_people(session, paths, period)
        code = code or (units[0].code if units else "")
        sheet = (
            unit_sheet(session, code=code, paths=paths, period=period)
            if any(each.code == code for each in units)
            else None
        )
    return render_template(
        "rankings/unit_sheet.html",
        title=title_of(period),
        sheet=sheet,
        unnamed=unnamed_words(sheet.unnamed) if sheet and sheet.unnamed else "",
        aim=aim_words(),
        filters={
            "periods": quarters_offered(),
            "period": period.name,
            "units": [
                (each.code, f"{each.name} · {people_words(each.people)}") for each in units
            ]
            or [("", gettext("Nobody has registered yet."))],
            "code": code,
        },
        links={"here": url_for("unit_sheet_pages.show_sheet")},
    )


@pages.post("/reports/unit-sheet.xlsx")
@roles_only(*VIEWER_ROLES)
def sheet_xlsx() -> ResponseReturnValue:
    """Hand a unit's sheet out for a spreadsheet, and keep that it was."""

    def made(sheet: UnitSheet) -> bytes:
        file = io.BytesIO()
        today = local_day(clock.now(), settings().zone)
        write_sheet(file, unit_table(sheet, f"{title_of(sheet.period)} · {sheet.name}", today))
        return file.getvalue()

    return handed_out(made, "xlsx", XLSX_TYPE)


@pages.post("/reports/unit-sheet.pdf")
@roles_only(*VIEWER_ROLES)
def sheet_pdf() -> ResponseReturnValue:
    """Hand a unit's sheet out for print, and keep that it was."""
    font = find_font(settings().pdf_font)
    now = clock.now()
    return handed_out(
        lambda sheet: unit_sheet_pdf(sheet, title_of(sheet.period), font, now),
        "pdf",
        "application/pdf",
    )


def handed_out(
    make: Callable[[UnitSheet], bytes], ending: str, mime_type: str
) -> ResponseReturnValue:
    """Make the file of the unit that a form names, of one person where it names one."""
    period = asked_quarter(request.form)
    code = typed("work_unit_code", CODE_LENGTH_MAX)
    actor = current_actor()
    with reading() as session:
        sheet = unit_sheet(
            session,
            code=code,
            paths=actor.paths(*VIEWER_ROLES),
            period=period,
            registration_id=typed_id("registration_id"),
        )
    data = make(sheet)
    with transaction() as session:
        note(
            session,
            at=clock.now(),
            actor_id=actor.member_id,
            action="export_unit_sheet",
            subject=("dual_registration", typed_id("registration_id")),
            work_unit_code=code,
            period=period.name,
            rows=len(sheet.lines),
        )
    return send_file(
        io.BytesIO(data),
        mimetype=mime_type,
        as_attachment=True,
        download_name=f"unit-sheet-{code}-{period.name}.{ending}",
    )
