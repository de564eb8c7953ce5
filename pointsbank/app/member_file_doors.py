"""The doors of a member's file: one's own; for the secretary of one's branch, written down."""

from typing import Any

from flask import Blueprint, Response, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext
from marshmallow import Schema, fields
from sqlalchemy.orm import Session

from pointsbank.app.member_file import WholeFile, file_of
from pointsbank.app.member_file_pdf import PrintedFile, member_file_pdf
from pointsbank.app.member_file_words import (
    as_json,
    profile_of,
    sections_of,
    timeline_of,
)
from pointsbank.core import clock
from pointsbank.core.audit import note
from pointsbank.core.db import reading, transaction
from pointsbank.core.printing import find_font
from pointsbank.members.queries import member_in_scope
from pointsbank.web.access import current_actor, members_only, roles_only
from pointsbank.web.contract import Blueprint as ApiBlueprint
from pointsbank.web.contract import Body, QueryWhole, Whole
from pointsbank.web.formats import clock_time, full_day, hours, points
from pointsbank.web.forms import settings, typed_whole
from pointsbank.web.languages import locale_name

pages = Blueprint("file_pages", __name__)
api = ApiBlueprint("file_api", __name__, description="A member's file.")

# Nobody else: an administrator looks after rules, a merchant after goods.
SECRETARY = ("secretary",)
YEAR_LEAST, YEAR_MOST = 2000, 2099


class FileQuery(Body):
    """Whose days are listed; the running year when none is named."""

    year = QueryWhole(least=YEAR_LEAST, most=YEAR_MOST)


class OpenedFile(Body):
    """Whose days are listed; the running year when none is named."""

    year = Whole(least=YEAR_LEAST, most=YEAR_MOST)


class FileSectionOut(Schema):
    """One part of the file as a table."""

    title = fields.String()
    columns = fields.List(fields.String())
    rows = fields.List(fields.List(fields.String()))


class FileFactOut(Schema):
    """One line about who the file is of."""

    label = fields.String()
    value = fields.String()


class MemberFileOut(Schema):
    """A member's file: the tables that the page and the paper show."""

    member_id = fields.Integer()
    name = fields.String()
    profile = fields.List(fields.Nested(FileFactOut))
    service_minutes = fields.Integer()
    points_available = fields.Integer()
    year = fields.Integer()
    years = fields.List(fields.Integer())
    sections = fields.List(fields.Nested(FileSectionOut))


def own_file(year: int | None) -> WholeFile:
    """Return one's own file."""
    with reading() as session:
        return file_of(
            session,
            current_actor().member_id,
            year=year,
            zone=settings().zone,
            now=clock.now(),
        )


def opened_file(session: Session, member_id: int, year: int | None, how: str) -> WholeFile:
    """Return the file of a member of one's branch, and write down that it was opened.

    how: opened or printed. Raises MemberNotFound.
    """
    actor, now = current_actor(), clock.now()
    member_in_scope(session, actor.paths(*SECRETARY), member_id)
    note(
        session,
        at=now,
        actor_id=actor.member_id,
        action=f"member_file_{how}",
        subject=("member", member_id),
    )
    return file_of(
        session,
        member_id,
        year=year,
        ranks_under=actor.paths(*SECRETARY),
        zone=settings().zone,
        now=now,
    )


def year_asked() -> int | None:
    """Return the year of the address or the form, None for what is none."""
    text = request.args.get("year", "")
    year = int(text) if text.isascii() and text.isdigit() and len(text) == 4 else None
    return year if year and YEAR_LEAST <= year <= YEAR_MOST else None


def year_typed() -> int | None:
    """Return the year of the form, None for what is none."""
    year = typed_whole("year", YEAR_MOST)
    return year if year and year >= YEAR_LEAST else None


@pages.get("/me/file")
@members_only
def show_own() -> ResponseReturnValue:
    """Show one's own file."""
    file = own_file(year_asked())
    here = url_for("file_pages.show_own")
    return render_template(
        "app/member_file.html",
        **printed(file),
        years=[(each, f"{here}?year={each}", each == file.year) for each in file.years],
        is_own=True,
        links={
            "back": url_for("member_pages.show_me"),
            "pdf": url_for("file_pages.print_own", year=file.year),
        },
    )


def printed(file: WholeFile) -> dict[str, Any]:
    """Return a file as the page prints it."""
    return {
        "member": file.member,
        "profile": profile_of(file),
        "figures": {
            "hours": hours(file.minutes),
            "points": points(file.balance.available),
            "honours": len(file.honours),
        },
        "sections": sections_of(file),
        "timeline": timeline_of(file),
        "year": file.year,
    }


@pages.get("/me/file.pdf")
@members_only
def print_own() -> ResponseReturnValue:
    """Hand one's own file out as a PDF."""
    return as_pdf(own_file(year_asked()), gettext("printed by the member"))


@pages.post("/members/<id:member_id>/file")
@roles_only(*SECRETARY)
def open_file(member_id: int) -> ResponseReturnValue:
    """Open the file of a member of one's branch; it is written down each time."""
    with transaction() as session:
        file = opened_file(session, member_id, year_typed(), "opened")
    return render_template(
        "app/member_file.html",
        **printed(file),
        years=[(each, "", each == file.year) for each in file.years],
        is_own=False,
        links={
            "back": url_for("people_pages.show_member", member_id=member_id),
            "here": url_for("file_pages.open_file", member_id=member_id),
            "pdf": url_for("file_pages.print_file", member_id=member_id),
        },
    )


@pages.post("/members/<id:member_id>/file.pdf")
@roles_only(*SECRETARY)
def print_file(member_id: int) -> ResponseReturnValue:
    """Print the file of a member of one's branch; it is written down each time."""
    with transaction() as session:
        file = opened_file(session, member_id, year_typed(), "printed")
    return as_pdf(file, gettext("printed by %(name)s", name=current_actor().display_name))


def as_pdf(file: WholeFile, by: str) -> Response:
    """Return a file as a PDF."""
    paper = PrintedFile(
        language="zh-CN" if locale_name() == "zh" else "en",
        title=gettext("Member file"),
        name=file.member.name,
        foot=f"{by} · {full_day(file.made_at)} {clock_time(file.made_at)}",
        page=gettext("Page {page} of {pages}"),
        nothing=gettext("Nothing is recorded."),
        profile=profile_of(file),
        sections=[*sections_of(file), timeline_of(file)],
    )
    made = member_file_pdf(paper, find_font(settings().pdf_font), file.made_at)
    response = Response(made, mimetype="application/pdf")
    response.headers["Content-Disposition"] = 'inline; filename="member-file.pdf"'
    return response


@api.get("/me/file")
@api.arguments(FileQuery, location="query")
@api.response(200, MemberFileOut)
@members_only
def answer_own(query: dict[str, Any]) -> dict[str, Any]:
    """Answer one's own file."""
    return as_json(own_file(query.get("year")))


@api.post("/members/<id:member_id>/file")
@api.arguments(OpenedFile)
@api.response(200, MemberFileOut)
@roles_only(*SECRETARY)
def answer_file(body: dict[str, Any], member_id: int) -> dict[str, Any]:
    """Open the file of a member of one's branch; it is written down each time."""
    with transaction() as session:
        return as_json(opened_file(session, member_id, body.get("year"), "opened"))
