"""Statements of one's own book: the list of periods, the printed page, the two files."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from flask import Blueprint, Response, current_app, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext
from sqlalchemy.orm import Session

from pointsbank.core import clock
from pointsbank.core.calendar import Period, local_day
from pointsbank.core.db import reading
from pointsbank.core.printing import A4, A5, find_font
from pointsbank.core.settings import Settings
from pointsbank.members.queries import MemberFile, display_names, member_of
from pointsbank.passbooks.policy import by_month
from pointsbank.passbooks.queries import MonthSums, month_sums, taken_back
from pointsbank.passbooks.schemas import printed_line
from pointsbank.passbooks.statement_pdf import Printed, Words, statement_pdf
from pointsbank.passbooks.statements import (
    Statement,
    months_of,
    read_statement_period,
    statement_file,
    statement_of,
)
from pointsbank.web.access import current_actor, members_only
from pointsbank.web.formats import (
    clock_time,
    full_day,
    month_name,
    root_groups,
)
from pointsbank.web.languages import locale_name
from pointsbank.web.qr import qr_svg

pages = Blueprint("statement_pages", __name__)

PAPERS = {"a4": A4, "a5": A5}


@dataclass(frozen=True)
class Asked:
    """One's own statement with its holder, as of one moment."""

    statement: Statement
    person: MemberFile
    now: datetime

    @property
    def is_running(self) -> bool:
        """Whether more lines may come."""
        return self.statement.period.ends_at(own_settings().zone) > self.now


def own_settings() -> Settings:
    """Return the settings of this service."""
    settings: Settings = current_app.extensions["settings"]
    return settings


def asked_statement(session: Session, name: str) -> Asked:
    """Return the statement that was asked for.

    Raises BadStatementPeriod, FuturePeriod.
    """
    zone, now = own_settings().zone, clock.now()
    period = read_statement_period(name, local_day(now, zone))
    member_id = current_actor().member_id
    statement = statement_of(session, member_id, period, zone)
    return Asked(statement, member_of(session, member_id), now)


def wanted_paper() -> str:
    """Return the size of paper that was asked for."""
    paper = request.args.get("paper", "")
    return paper if paper in PAPERS else "a4"


@pages.get("/passbook/statements")
@members_only
def list_statements() -> ResponseReturnValue:
    """List the months of a year with what each came to, and the other years."""
    zone, member_id = own_settings().zone, current_actor().member_id
    with reading() as session:
        months = months_of(session, member_id, zone, local_day(clock.now(), zone))
        years = sorted({month.year for month in months}, reverse=True)
        text = request.args.get("year", "")
        year = next((each for each in years if str(each) == text), years[0])
        shown = [month for month in months if month.year == year]
        sums = month_sums(session, member_id, shown, zone)
    return render_template(
        "passbooks/statements.html",
        year=year,
        years=[
            {
                "label": str(each),
                "href": url_for("statement_pages.list_statements", year=each),
                "current": each == year,
            }
            for each in years
        ],
        months=[month_row(month, sums.get(month, MonthSums())) for month in shown],
        links={
            "book": url_for("book_pages.book"),
            "year": url_for("statement_pages.show_statement", period=year),
            "blocks": url_for("block_pages.list_blocks"),
        },
    )


def month_row(month: date, sums: MonthSums) -> dict[str, Any]:
    """Return one month as the list prints it."""
    return {
        "title": month_name(month),
        "href": url_for("statement_pages.show_statement", period=f"{month:%Y-%m}"),
        **vars(sums),
    }


@pages.get("/passbook/statements/<string:period>")
@members_only
def show_statement(period: str) -> ResponseReturnValue:
    """Show a statement as it is printed."""
    with reading() as session:
        asked = asked_statement(session, period)
        months = printed_months(session, asked.statement)
    name = asked.statement.period.name
    paper = wanted_paper()
    newest = asked.statement.newest
    return render_template(
        "passbooks/statement.html",
        statement=asked.statement,
        months=months,
        words=words_of(asked),
        qr=qr_svg(block_address(newest.no)) if newest else None,
        root=root_groups(newest.root.hex()) if newest else "",
        print_size=paper,
        papers=[
            {
                "label": each.upper(),
                "href": url_for("statement_pages.show_statement", period=name, paper=each),
                "current": each == paper,
            }
            for each in PAPERS
        ],
        links={
            "all": url_for("statement_pages.list_statements"),
            "pdf": url_for("statement_pages.download_pdf", period=name, paper=paper),
            "file": url_for("statement_pages.download_file", period=name),
            "blocks": url_for("block_pages.list_blocks"),
        },
    )


@pages.get("/passbook/statements/<string:period>/file")
@members_only
def download_file(period: str) -> ResponseReturnValue:
    """Send the statement file that the checking tool reads."""
    with reading() as session:
        asked = asked_statement(session, period)
        data = file_bytes(session, asked)
    return download(data, "application/json", f"statement-{asked.statement.period.name}.json")


@pages.get("/passbook/statements/<string:period>/pdf")
@members_only
def download_pdf(period: str) -> ResponseReturnValue:
    """Send the statement as a PDF that carries the statement file."""
    font = find_font(own_settings().pdf_font)
    with reading() as session:
        asked = asked_statement(session, period)
        data = file_bytes(session, asked)
        months = printed_months(session, asked.statement)
    newest = asked.statement.newest
    printed = Printed(
        statement=asked.statement,
        months=months,
        words=words_of(asked),
        address=block_address(newest.no) if newest else "",
        file_name=f"statement-{asked.statement.period.name}.json",
        file=data,
        made_at=asked.now,
    )
    pdf = statement_pdf(printed, font, PAPERS[wanted_paper()])
    return download(pdf, "application/pdf", f"statement-{asked.statement.period.name}.pdf")


def file_bytes(session: Session, asked: Asked) -> bytes:
    """Return the statement file as it is downloaded and attached."""
    content = statement_file(
        session,
        asked.statement,
        service=own_settings().public_url,
        holder_name=asked.person.name,
        volunteer_no=asked.person.volunteer_no,
    )
    return (json.dumps(content, ensure_ascii=False, indent=1) + "\n").encode()


def download(data: bytes, mime_type: str, name: str) -> Response:
    """Return a file under a name."""
    response = Response(data, mimetype=mime_type)
    response.headers.set("Content-Disposition", "attachment", filename=name)
    return response


def block_address(no: int) -> str:
    """Return the public page of a block, where a phone can reach it."""
    path = url_for("block_pages.show_block", no=no)
    return own_settings().public_url.rstrip("/") + path


def printed_months(session: Session, statement: Statement) -> list[dict[str, Any]]:
    """Return the lines under their months, the oldest first, as page and PDF print them."""
    reversals = taken_back(session, statement.lines)
    people = display_names(
        session, {line.actor_id for line in statement.lines if line.actor_id}
    )
    on_page = {line.line for line in statement.lines}
    return [
        {
            "title": month_name(month.first_on),
            "lines": [
                with_seal(
                    printed_line(line, reversals.get(line.transfer_id, 0), people, on_page),
                    statement.is_sealed(line),
                )
                for line in month.lines
            ],
        }
        for month in by_month(statement.lines, own_settings().zone)
    ]


def with_seal(line: dict[str, Any], is_sealed: bool) -> dict[str, Any]:
    """Return a printed line that says so while it is not sealed."""
    remarks = [line["why"], "" if is_sealed else gettext("not sealed yet")]
    return {**line, "why": " · ".join(remark for remark in remarks if remark)}


def words_of(asked: Asked) -> Words:
    """Return what is printed beside the figures, on the page and in the PDF."""
    statement, person = asked.statement, asked.person
    made = f"{full_day(asked.now)} {clock_time(asked.now)}"
    return Words(
        language="zh-CN" if locale_name() == "zh" else "en",
        book=gettext("Points Passbook"),
        title=gettext("Statement %(period)s", period=period_name(statement.period)),
        page=gettext("Page {page} of {pages}"),
        holder=person.name,
        number=person.volunteer_no,
        place=person.organization_name,
        made=gettext("Printed %(moment)s", moment=made),
        head=tuple(remarks(asked, made)),
        line=gettext("Line"),
        date=gettext("Date"),
        what=gettext("For what"),
        deposit=gettext("Deposit"),
        withdrawal=gettext("Withdrawal"),
        reversal=gettext("Reversal"),
        balance=gettext("Balance"),
        opening=gettext("Opening balance"),
        closing=gettext("Closing balance"),
        nothing=gettext("Nothing was written in this period."),
        unsealed=gettext("Nothing has been sealed yet."),
        how=gettext("How to check"),
        steps=(
            gettext(
                "Scan the code: the root shown there must be the one printed here, digit for "
                "digit."
            ),
            gettext(
                "There you also find the checking tool: with it and the statement file anyone "
                "finds out whether a single character of a line was changed."
            ),
        ),
        block=gettext("Newest block: %(no)s", no=statement.newest.no)
        if statement.newest
        else "",
    )


def period_name(period: Period) -> str:
    """Write 2026年11月 or 2026年."""
    if "-" in period.name:
        return month_name(period.first_on)
    return str(gettext("the year %(year)s", year=period.name))


def remarks(asked: Asked, made: str) -> Iterator[str]:
    """Yield what has to be said above the lines, where it is true."""
    if asked.is_running:
        yield gettext("This period is not over; lines up to %(moment)s.", moment=made)
    if asked.statement.unsealed:
        yield gettext(
            "%(count)s lines are so new that they are not sealed yet. Get this statement again "
            "in a few minutes to have them proven, too.",
            count=asked.statement.unsealed,
        )
