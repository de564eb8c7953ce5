"""The pages of the rankings: the list, one rank taken apart, and the XLSX file."""

import tempfile
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from flask import Blueprint, redirect, render_template, request, send_file, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext, lazy_gettext
from sqlalchemy.orm import Session

from pointsbank.core import clock
from pointsbank.core.actor import Actor
from pointsbank.core.audit import note
from pointsbank.core.calendar import local_day, quarter_of
from pointsbank.core.db import reading, transaction
from pointsbank.core.sheets import XLSX_TYPE, Sheet, write_sheet
from pointsbank.organizations.queries import organizations_within
from pointsbank.rankings.errors import StandingNotFound
from pointsbank.rankings.explaining import EntryLine, entries_behind
from pointsbank.rankings.models import MEASURES
from pointsbank.rankings.pages.facing import (
    asked_words,
    code_asked,
    explanation,
    local_today,
    my_place,
    period_name,
    printed_line,
    settings,
)
from pointsbank.rankings.periods import SPAN_MAKERS, period_named, titles
from pointsbank.rankings.policy import RANKING_ROLES, VIEWER_ROLES, viewing_paths
from pointsbank.rankings.queries import (
    AsOf,
    Ranked,
    Scope,
    as_of,
    count_branches,
    count_ranked,
    every_ranked,
    member_ranked,
    ranked_branches,
    ranked_members,
    rolled_up_periods,
    scope_of,
)
from pointsbank.rankings.schemas import (
    CUT_WORDS,
    header_words,
    item_name_of,
    label_of,
    row_cells,
)
from pointsbank.rankings.viewing import View, view_for
from pointsbank.scoring.models import CATEGORIES
from pointsbank.web.access import current_actor, members_only, roles_only
from pointsbank.web.contract import cursor_from, position_from
from pointsbank.web.formats import hundredths, several

pages = Blueprint("ranking_pages", __name__)

LINES_A_PAGE = 50
# Finer than any tree that people read as a list to choose from.
CHOICES_MAX = 300
CHOICE_KINDS = (
    "district",
    "street",
    "community",
    "general_branch",
    "branch",
    "grid",
    "work_unit",
)
MEASURE_WORDS = {
    "evaluation": lazy_gettext("Evaluation score"),
    "points": lazy_gettext("Points earned"),
    "minutes": lazy_gettext("Service time"),
}


def asked_view(
    session: Session, of: str, source: Any, roles: Sequence[str] = RANKING_ROLES
) -> View:
    """Return what the person may see of the period and the organization they ask for."""
    return view_for(
        session,
        current_actor(),
        period=source.get("period") or None,
        organization_code=source.get("organization_code") or None,
        of=of,
        visibility=settings().ranking_visibility,
        roles=roles,
        zone=settings().zone,
        now=clock.now(),
    )


def wanted_of(source: Any) -> str:
    """Return whom the ranking is of: members, unless branches are asked for."""
    return "branches" if source.get("of") == "branches" else "members"


def wanted_measure(source: Any) -> str:
    """Return what people are ranked by: the evaluation score, unless said otherwise."""
    measure = source.get("measure")
    return measure if measure in MEASURES else "evaluation"


@pages.get("/rankings")
@members_only
def ranking() -> ResponseReturnValue:
    """List members or branches in order of a measure; a member's own row alone."""
    of, measure = wanted_of(request.args), wanted_measure(request.args)
    skip = position_from(request.args.get("cursor")) or 0
    actor = current_actor()
    with reading() as session:
        view = asked_view(session, of, request.args)
        if view.member_id is not None:
            return redirect(
                url_for("ranking_pages.why", member_id=view.member_id, **asked_words())
            )
        counted = as_of(session, view.period.name)
        scope = scope_of(session, period=view.period.name, paths=view.paths, measure=measure)
        cut: dict[str, Any] = {"skip": skip, "limit": LINES_A_PAGE + 1}
        rows = (
            ranked_branches(session, scope=scope, paths=view.paths, **cut)
            if of == "branches"
            else ranked_members(session, scope, **cut)
        )
        total = (
            count_branches(session, period=view.period.name, paths=view.paths)
            if of == "branches"
            else count_ranked(session, scope)
        )
        context = {
            "title": f"{period_name(view.period)} · {view.place or my_place(session, actor)}",
            "as_of": counted.moment if counted else None,
            "standard_version": counted.standard_version if counted else "",
            "filters": choices(session, actor, view, measure),
        }
    asked: dict[str, Any] = {
        "period": view.period.name,
        "organization_code": code_asked(),
        "measure": None if measure == "evaluation" else measure,
    }
    return render_template(
        "rankings/list.html",
        **context,
        of=of,
        total=total,
        lines=[printed_line(row, of, asked) for row in rows[:LINES_A_PAGE]],
        may_export=actor.is_(*VIEWER_ROLES),
        links=list_links(of, asked, skip, has_more=len(rows) > LINES_A_PAGE),
    )


def list_links(of: str, asked: dict[str, Any], skip: int, *, has_more: bool) -> dict[str, str]:
    """Return where the list leads; next and first only where there is such a page."""
    here = "ranking_pages.ranking"
    found = {
        "here": url_for(here),
        "export": url_for("ranking_pages.export"),
        "members": url_for(here, of="members", **asked),
        "branches": url_for(here, of="branches", **asked),
    }
    if current_actor().is_(*SPAN_MAKERS):
        found["span"] = url_for("span_pages.ask_for_span")
    if has_more:
        found["next"] = url_for(here, of=of, cursor=cursor_from(skip + LINES_A_PAGE), **asked)
    if skip:
        found["first"] = url_for(here, of=of, **asked)
    return found


def choices(session: Session, actor: Actor, view: View, measure: str) -> dict[str, Any]:
    """Return the periods, places and measures to choose from, and what is chosen."""
    running = quarter_of(local_day(clock.now(), settings().zone)).name
    made = titles(session)
    periods = sorted(
        {running, view.period.name, *rolled_up_periods(session), *made}, reverse=True
    )
    places = organizations_within(
        session, viewing_paths(actor), kinds=CHOICE_KINDS, limit=CHOICES_MAX
    )
    return {
        "periods": [
            (name, made.get(name) or period_name(period_named(session, name)))
            for name in periods
        ],
        "period": view.period.name,
        "organizations": [("", gettext("All I answer for"))]
        + [(place.code, place.name) for place in places]
        if places
        else [("", view.place or "")],
        "organization_code": code_asked() or "",
        "measures": [(each, str(MEASURE_WORDS[each])) for each in MEASURES],
        "measure": measure,
    }


@pages.get("/rankings/members/<id:member_id>/why")
@members_only
def why(member_id: int) -> ResponseReturnValue:
    """Take one member's rank apart; for the member the band, and no place."""
    with reading() as session:
        view, scope, row = asked_row(session, member_id)
        counted = as_of(session, view.period.name)
        explained = explanation(session, view, scope, row)
    back = "" if view.member_id else url_for("ranking_pages.ranking", **asked_words())
    return render_template(
        "rankings/why.html",
        why=explained,
        period=period_name(view.period),
        standard_version=counted.standard_version if counted else "",
        links={"back": back},
    )


def asked_row(session: Session, member_id: int) -> tuple[View, Scope, Ranked]:
    """Return one member's standing in what was asked for.

    Raises StandingNotFound, for another member's where only one's own may be seen as well.
    """
    view = asked_view(session, "members", request.args)
    scope = scope_of(
        session,
        period=view.period.name,
        paths=view.reach,
        measure=wanted_measure(request.args),
    )
    row = member_ranked(session, scope, member_id)
    if row is None or view.member_id not in (None, member_id):
        raise StandingNotFound
    return view, scope, row


@pages.get("/rankings/members/<id:member_id>/entries")
@members_only
def list_entries(member_id: int) -> ResponseReturnValue:
    """List the entries behind one part of a member's score, with the caps they reached."""
    category = request.args.get("category", "")
    skip = position_from(request.args.get("cursor")) or 0
    if category not in CATEGORIES:
        raise StandingNotFound
    with reading() as session:
        view, _scope, row = asked_row(session, member_id)
        found = entries_behind(
            session,
            member_id=member_id,
            period=view.period,
            category=category,
            table_name=row.table_name,
            today=local_today(),
        )
    asked = {"member_id": member_id, **asked_words()}
    here = "ranking_pages.list_entries"
    return render_template(
        "rankings/entries.html",
        name=row.name,
        part=label_of(category),
        period=period_name(view.period),
        total=len(found),
        entries=[printed_entry(line) for line in found[skip : skip + LINES_A_PAGE]],
        links={
            "back": url_for("ranking_pages.why", **asked),
            "next": url_for(
                here, category=category, cursor=cursor_from(skip + LINES_A_PAGE), **asked
            )
            if len(found) > skip + LINES_A_PAGE
            else "",
            "first": url_for(here, category=category, **asked) if skip else "",
        },
    )


def printed_entry(line: EntryLine) -> dict[str, Any]:
    """Return an entry as the list prints it."""
    return {
        "title": line.title,
        "item": item_name_of(line),
        "earned_on": line.earned_on,
        "version": line.standard_version,
        "score": hundredths(line.hundredths),
        "points": line.points,
        "minutes": line.service_minutes,
        "cuts": several(str(CUT_WORDS[each]) for each in line.cuts),
    }


@pages.post("/rankings/export.xlsx")
@roles_only(*VIEWER_ROLES)
def export() -> ResponseReturnValue:
    """Hand the whole ranking out as a file, and keep that it was handed out."""
    of = wanted_of(request.form)
    now = clock.now()
    with reading() as session:
        view = asked_view(session, of, request.form, VIEWER_ROLES)
        counted = as_of(session, view.period.name)
        # Made only for those who may have it: nothing would close it after a refusal.
        file = tempfile.TemporaryFile()  # noqa: SIM115 - sent after the view returns, closed then
        count = write_sheet(file, sheet_of(session, view, of, counted))
    with transaction() as session:
        note(
            session,
            at=now,
            actor_id=current_actor().member_id,
            action="export_ranking",
            subject=("ranking", None),
            period=view.period.name,
            of=of,
            organization_code=code_asked(),
            rows=count,
        )
    file.seek(0)
    return send_file(
        file,
        mimetype=XLSX_TYPE,
        as_attachment=True,
        download_name=f"rankings-{view.period.name}-{of}.xlsx",
    )


def sheet_of(session: Session, view: View, of: str, counted: AsOf | None) -> Sheet:
    """Return the sheet of a ranking; its rows are read while it is written."""
    said = (
        gettext(
            "As of %(time)s, scoring standard version %(version)s",
            time=as_of_words(counted.moment),
            version=counted.standard_version,
        )
        if counted
        else gettext("Nothing has been counted for this period yet.")
    )
    scope = scope_of(
        session,
        period=view.period.name,
        paths=view.paths,
        measure=wanted_measure(request.form),
    )
    rows = every_ranked(session, of=of, scope=scope, paths=view.paths)
    return Sheet(
        name=view.period.name,
        note=f"{period_name(view.period)} · {view.place or ''} · {said}",
        headers=[*header_words(of), *(label_of(category) for category in CATEGORIES)],
        rows=(row_cells(row, of) for row in rows),
    )


def as_of_words(at: datetime) -> str:
    """Write 2026-11-21 12:00, on the wall clock."""
    return f"{at.astimezone(settings().zone):%Y-%m-%d %H:%M}"
