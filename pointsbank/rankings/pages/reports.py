"""The pages of a secretary's reports: what there is, and the quarter's table for the wall."""

import io

from flask import Blueprint, render_template, request, send_file, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from pointsbank.core import clock
from pointsbank.core.audit import note
from pointsbank.core.calendar import Period, local_day, quarter_of, read_quarter
from pointsbank.core.db import reading, transaction
from pointsbank.core.errors import Conflict
from pointsbank.core.printing import find_font
from pointsbank.core.sheets import XLSX_TYPE, write_sheet
from pointsbank.organizations.queries import (
    OrganizationNode,
    organization_by_code,
    organizations_within,
)
from pointsbank.rankings.pages.archive import KEEPERS
from pointsbank.rankings.pages.facing import local_today, period_name
from pointsbank.rankings.pages.quarter_table_pdf import (
    basis_words,
    closing_words,
    draft_words,
    quarter_table_pdf,
)
from pointsbank.rankings.pages.scoping import PERIOD_LENGTH_MAX, PLACES_MAX
from pointsbank.rankings.pages.unit_sheets import quarters_offered
from pointsbank.rankings.policy import VIEWER_ROLES
from pointsbank.rankings.quarter_tables import QuarterTable, quarter_table
from pointsbank.rankings.reports_schemas import CODE_LENGTH_MAX, quarter_sheet
from pointsbank.web.access import current_actor, roles_only
from pointsbank.web.errors import sentence_of
from pointsbank.web.forms import settings

pages = Blueprint("secretary_report_pages", __name__)

# Whose members are evaluated: branches, and communities with members of no branch.
TABLE_KINDS = ("branch", "general_branch", "party_group", "community", "work_unit")


def asked_quarter() -> Period:
    """Return the quarter that is asked for, the running one when none is."""
    name = request.values.get("period", "")[:PERIOD_LENGTH_MAX]
    return read_quarter(name) if name else quarter_of(local_day(clock.now(), settings().zone))


def places_with_tables(session: Session) -> list[OrganizationNode]:
    """Return the organizations within one's scope whose table can be asked for."""
    paths = current_actor().paths(*VIEWER_ROLES)
    return organizations_within(session, paths, kinds=TABLE_KINDS, limit=PLACES_MAX)


def asked_place(session: Session, offered: list[OrganizationNode]) -> OrganizationNode | None:
    """Return the organization that is asked for, else the first branch that is offered.

    Raises OrganizationNotFound, for a foreign one as for an unknown one.
    """
    code = request.values.get("organization_code", "")[:CODE_LENGTH_MAX]
    if code:
        return organization_by_code(session, code, current_actor().paths(*VIEWER_ROLES))
    branches = [each for each in offered if each.kind == "branch"]
    return next(iter(branches or offered), None)


@pages.get("/reports")
@roles_only(*VIEWER_ROLES)
def show_reports() -> ResponseReturnValue:
    """List the reports that there are."""
    actor = current_actor()
    return render_template(
        "rankings/reports.html",
        has_archive=actor.is_(*KEEPERS),
        has_points_report=actor.is_("administrator", "auditor"),
    )


@pages.get("/reports/quarter-table")
@roles_only(*VIEWER_ROLES)
def show_table() -> ResponseReturnValue:
    """Show a quarter's table as it would hang on the wall."""
    period = asked_quarter()
    problem, table = "", None
    with reading() as session:
        offered = places_with_tables(session)
        place = asked_place(session, offered)
        try:
            table = (
                quarter_table(session, place=place, period=period, today=local_today())
                if place
                else None
            )
        except Conflict as refusal:
            problem = sentence_of(refusal)
    code = place.code if place else ""
    return render_template(
        "rankings/quarter_table.html",
        table=table,
        problem=problem,
        period=period_name(period),
        draft=draft_words(table) if table and not table.may_hang else "",
        basis=basis_words(table) if table else "",
        closing=closing_words(table) if table else [],
        filters={
            "periods": quarters_offered(),
            "period": period.name,
            "places": [(each.code, each.name) for each in offered],
            "code": code,
        },
        links={"here": url_for("secretary_report_pages.show_table")},
    )


@pages.post("/reports/quarter-table.pdf")
@roles_only(*VIEWER_ROLES)
def table_pdf() -> ResponseReturnValue:
    """Hand a quarter's table out for print, and keep that it was."""
    font = find_font(settings().pdf_font)
    table = asked_table()
    return sent(quarter_table_pdf(table, font, clock.now()), table, "pdf", "application/pdf")


@pages.post("/reports/quarter-table.xlsx")
@roles_only(*VIEWER_ROLES)
def table_xlsx() -> ResponseReturnValue:
    """Hand a quarter's table out for a spreadsheet, and keep that it was."""
    table = asked_table()
    file = io.BytesIO()
    notes = [draft_words(table)] if not table.may_hang else []
    write_sheet(file, quarter_sheet(table, [*notes, basis_words(table)], closing_words(table)))
    return sent(file.getvalue(), table, "xlsx", XLSX_TYPE)


def asked_table() -> QuarterTable:
    """Return the table that a form asks for, and keep that it is handed out.

    Raises OrganizationNotFound, NotAQuarter, NoTableYet.
    """
    period, actor = asked_quarter(), current_actor()
    code = request.form.get("organization_code", "")[:CODE_LENGTH_MAX]
    with reading() as session:
        place = organization_by_code(session, code, actor.paths(*VIEWER_ROLES))
        table = quarter_table(session, place=place, period=period, today=local_today())
    with transaction() as session:
        note(
            session,
            at=clock.now(),
            actor_id=actor.member_id,
            action="export_quarter_table",
            subject=("organization", place.id),
            period=period.name,
            source=table.source,
            version=table.version,
            rows=len(table.lines),
        )
    return table


def sent(data: bytes, table: QuarterTable, ending: str, mime_type: str) -> ResponseReturnValue:
    """Send a file under the name of its quarter."""
    return send_file(
        io.BytesIO(data),
        mimetype=mime_type,
        as_attachment=True,
        download_name=f"quarter-table-{table.period.name}.{ending}",
    )
