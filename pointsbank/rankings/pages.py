"""The pages of the rankings: dashboard, list, one rank taken apart, and the XLSX file."""

import tempfile
from datetime import date, datetime
from typing import Any

from flask import Blueprint, current_app, render_template, request, send_file, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext, ngettext
from sqlalchemy.orm import Session

from pointsbank.core import clock
from pointsbank.core.actor import Actor
from pointsbank.core.audit import note
from pointsbank.core.calendar import Period, local_day, quarter_of, read_period
from pointsbank.core.db import reading, transaction
from pointsbank.core.settings import Settings
from pointsbank.core.sheets import XLSX_TYPE, Sheet, write_sheet
from pointsbank.ledger.verifying import offenders_last_found
from pointsbank.organizations.queries import organization_of, organizations_within
from pointsbank.rankings.errors import StandingNotFound
from pointsbank.rankings.overview import minutes_by_month, taking_part
from pointsbank.rankings.policy import (
    MONTHS_A_YEAR,
    VIEWER_ROLES,
    minutes_for,
    viewing_paths,
    yearly_factor,
)
from pointsbank.rankings.queries import (
    AsOf,
    Ranked,
    as_of,
    every_ranked,
    next_above,
    ranked_branches,
    ranked_members,
    rolled_up_periods,
    standing_count,
    tied_name,
)
from pointsbank.rankings.schemas import (
    figure,
    header_words,
    label_of,
    reason_of,
    row_cells,
    work_that_waits,
)
from pointsbank.rankings.viewing import View, view_for
from pointsbank.scoring.models import CATEGORIES
from pointsbank.scoring.queries import standard_on
from pointsbank.web.access import current_actor, members_only, roles_only
from pointsbank.web.contract import cursor_from, position_from
from pointsbank.web.formats import hours, hundredths, moment, month_label
from pointsbank.web.languages import locale_name

pages = Blueprint("ranking_pages", __name__)

LINES_A_PAGE = 50
# What a dashboard shows of a ranking; the rest is one tap away.
TOP_LINES = 7
MONTHS_SHOWN = 6
# An hour of this item is what "so many hours behind the next rank" is counted in.
HOUR_ITEM = "volunteer_hour"
# Finer than any tree that people read as a list to choose from.
CHOICES_MAX = 300
CHOICE_KINDS = ("district", "street", "community", "general_branch", "branch", "work_unit")


def settings() -> Settings:
    """Return the settings of the service."""
    found: Settings = current_app.extensions["settings"]
    return found


def asked_view(session: Session, of: str, source: Any) -> View:
    """Return what the person may see of the period and the organization they ask for."""
    return view_for(
        session,
        current_actor(),
        period=source.get("period") or None,
        organization_code=source.get("organization_code") or None,
        of=of,
        visibility=settings().ranking_visibility,
        zone=settings().zone,
        now=clock.now(),
    )


def wanted_of(source: Any) -> str:
    """Return whom the ranking is of: members, unless branches are asked for."""
    return "branches" if source.get("of") == "branches" else "members"


@pages.get("/rankings")
@members_only
def ranking() -> ResponseReturnValue:
    """List members or branches in order of evaluation score."""
    of = wanted_of(request.args)
    skip = position_from(request.args.get("cursor")) or 0
    actor = current_actor()
    with reading() as session:
        view = asked_view(session, of, request.args)
        counted = as_of(session, view.period.name)
        scope: dict[str, Any] = {"period": view.period.name, "paths": view.paths}
        cut: dict[str, Any] = {"skip": skip, "limit": LINES_A_PAGE + 1}
        rows = (
            ranked_branches(session, **scope, **cut)
            if of == "branches"
            else ranked_members(session, member_id=view.member_id, **scope, **cut)
        )
        total = len(rows) if view.member_id else standing_count(session, of=of, **scope)
        context = {
            "title": f"{period_name(view.period)} · {view.place or my_place(session, actor)}",
            "as_of": counted.moment if counted else None,
            "standard_version": counted.standard_version if counted else "",
            "filters": choices(session, actor, view),
        }
    asked: dict[str, Any] = {
        "period": view.period.name,
        "organization_code": code_asked(),
    }
    return render_template(
        "rankings/list.html",
        **context,
        of=of,
        total=total,
        lines=[printed_line(row, of, asked) for row in rows[:LINES_A_PAGE]],
        may_export=bool(viewing_paths(actor)),
        links=list_links(of, asked, skip, has_more=len(rows) > LINES_A_PAGE),
    )


def code_asked() -> str | None:
    """Return the code of the organization in the address, None when there is none."""
    return request.values.get("organization_code") or None


def list_links(of: str, asked: dict[str, Any], skip: int, *, has_more: bool) -> dict[str, str]:
    """Return where the list leads; next and first only where there is such a page."""
    here = "ranking_pages.ranking"
    found = {
        "here": url_for(here),
        "export": url_for("ranking_pages.export"),
    }
    if viewing_paths(current_actor()):
        found["members"] = url_for(here, of="members", **asked)
        found["branches"] = url_for(here, of="branches", **asked)
    if has_more:
        found["next"] = url_for(here, of=of, cursor=cursor_from(skip + LINES_A_PAGE), **asked)
    if skip:
        found["first"] = url_for(here, of=of, **asked)
    return found


def choices(session: Session, actor: Actor, view: View) -> dict[str, Any]:
    """Return the periods and places to choose from, and what is chosen."""
    running = quarter_of(local_day(clock.now(), settings().zone)).name
    periods = sorted({running, view.period.name, *rolled_up_periods(session)}, reverse=True)
    places = organizations_within(
        session, viewing_paths(actor), kinds=CHOICE_KINDS, limit=CHOICES_MAX
    )
    return {
        "periods": [(name, period_name(read_period(name))) for name in periods],
        "period": view.period.name,
        "organizations": [("", gettext("All I answer for"))]
        + [(place.code, place.name) for place in places]
        if places
        else [("", view.place or "")],
        "organization_code": code_asked() or "",
    }


def my_place(session: Session, actor: Actor) -> str:
    """Return the name of the one organization a person answers for, or words for several."""
    standing = organizations_within(session, viewing_paths(actor), limit=1)
    paths = viewing_paths(actor)
    if len(set(paths)) == 1 and standing and paths[0] != "/":
        return standing[0].name
    return str(gettext("All I answer for"))


def period_name(period: Period) -> str:
    """Write 2026年第四季度, or 2026-Q4."""
    if locale_name() != "zh":
        return period.name
    year, _, rest = period.name.partition("-")
    if rest.startswith("Q"):
        return f"{year}年第{'一二三四'[int(rest[1]) - 1]}季度"
    return f"{year}年{int(rest)}月" if rest else f"{year}年"


def printed_line(row: Ranked, of: str, asked: dict[str, Any]) -> dict[str, Any]:
    """Return a row as the rank table prints it; a member's leads to why it is so."""
    href = url_for("ranking_pages.why", member_id=row.id, **asked) if of == "members" else ""
    return {
        "rank": row.rank,
        "tied": row.is_tied,
        "name": row.name,
        "href": href,
        "score": hundredths(row.evaluation_hundredths),
        "points": row.points_earned,
        "minutes": row.service_minutes,
        "grade": "",
        "current": False,
    }


@pages.get("/rankings/members/<id:member_id>/why")
@members_only
def why(member_id: int) -> ResponseReturnValue:
    """Take one member's rank apart."""
    with reading() as session:
        view = asked_view(session, "members", request.args)
        if view.member_id not in (None, member_id):
            raise StandingNotFound
        counted = as_of(session, view.period.name)
        rows = ranked_members(
            session, period=view.period.name, paths=view.paths, member_id=member_id
        )
        if not rows or counted is None:
            raise StandingNotFound
        explained = explanation(session, view, rows[0])
    asked: dict[str, Any] = {
        "period": view.period.name,
        "organization_code": code_asked(),
    }
    return render_template(
        "rankings/why.html",
        why=explained,
        period=period_name(view.period),
        standard_version=counted.standard_version,
        links={"back": url_for("ranking_pages.ranking", **asked)},
    )


def explanation(session: Session, view: View, row: Ranked) -> dict[str, Any]:
    """Return a rank taken apart, as the component prints it."""
    scope: dict[str, Any] = {"period": view.period.name, "paths": view.paths}
    above = next_above(session, evaluation_hundredths=row.evaluation_hundredths, **scope)
    gap = None
    if above is not None:
        behind = above.evaluation_hundredths - row.evaluation_hundredths
        gap = {
            "points": hundredths(behind),
            "to_rank": above.rank,
            "in_words": gap_in_hours(session, view.period, row, behind),
        }
    tied_with = (
        tied_name(session, like=row, **scope) if row.is_tied and not view.member_id else ""
    )
    return {
        "name": row.name,
        "score": hundredths(row.evaluation_hundredths),
        "rank": row.rank,
        "tied_with": tied_with,
        "gap": gap,
        "parts": [
            {
                "name": label_of(part["category"]),
                "score": figure(part["score"]),
                "cap": figure(part["cap"]),
                "why": reason_of(part, view.period),
            }
            for part in row.parts
        ],
        "note": gettext("Caps are a year's; a shorter period is put on the year's scale."),
    }


def gap_in_hours(session: Session, period: Period, row: Ranked, behind: int) -> str:
    """Return the service time that would close a gap; empty when the cap leaves no room."""
    today = local_day(clock.now(), settings().zone)
    standard = standard_on(session, max(min(today, period.end_on), period.first_on))
    item = standard.item(HOUR_ITEM)
    had = next((p["score"] for p in row.parts if p["category"] == item.category), 0)
    room = int(standard.category_caps.get(item.category, 0)) - had
    if behind > room or not item.evaluation_hundredths:
        return ""
    return hours(
        minutes_for(
            behind, hundredths_an_hour=item.evaluation_hundredths, factor=yearly_factor(period)
        )
    )


@pages.get("/dashboard")
@roles_only(*VIEWER_ROLES)
def dashboard() -> ResponseReturnValue:
    """Show what waits, then figures, then the ranking and why its first line is so."""
    now = clock.now()
    today = local_day(now, settings().zone)
    period = quarter_of(today)
    actor = current_actor()
    paths = viewing_paths(actor)
    with reading() as session:
        work = work_that_waits(session, actor, paths, now)
        months = months_shown(session, paths, today)
        place = my_place(session, actor)
        view = View(period, paths, None, place)
        wrong = offenders_last_found(session) if actor.is_("administrator") else 0
        context = {
            "branch": place
            if paths != ("/",)
            else organization_of(session, actor.organization_id).name,
            "figures": figures(session, paths, period, months[-1]["value"]),
            **top_of_ranking(session, view),
        }
    return render_template(
        "rankings/dashboard.html",
        **context,
        today=today,
        waiting=sum(item["number"] for item in work),
        wrong=wrong,
        work=work,
        months=months,
        links={"ranking": url_for("ranking_pages.ranking", period=period.name)},
    )


def months_shown(session: Session, paths: tuple[str, ...], today: date) -> list[dict[str, Any]]:
    """Return the last months' service hours as the chart prints them, the running one last."""
    count = MONTHS_A_YEAR * today.year + today.month - 1
    shown = [divmod(count - back, MONTHS_A_YEAR) for back in reversed(range(MONTHS_SHOWN))]
    first_year, first_month = shown[0]
    minutes = minutes_by_month(session, paths, date(first_year, first_month + 1, 1))
    found = []
    for year, month in shown:
        value = round(minutes.get((year, month + 1), 0) / 60, 1)
        found.append(
            {
                "label": month_label(month + 1),
                "value": value,
                "text": f"{value:g}",
                "now": (year, month + 1) == (today.year, today.month),
            }
        )
    return found


def figures(
    session: Session, paths: tuple[str, ...], period: Period, month_hours: float
) -> list[dict[str, Any]]:
    """Return the figures on top: taking part, this month's service, the quarter's points."""
    part = taking_part(session, paths, period.name)
    share = round(100 * part.active / part.members) if part.members else 0
    return [
        {
            "label": gettext("Taking part"),
            "figure": f"{share}%",
            "unit": f"{part.active}/{part.members}",
        },
        {
            "label": gettext("Service this month"),
            "figure": f"{month_hours:g}",
            "unit": gettext("hours"),
        },
        {
            "label": gettext("Points earned this quarter"),
            "figure": f"{part.points_earned:,}",
            "unit": gettext("points"),
        },
    ]


def top_of_ranking(session: Session, view: View) -> dict[str, Any]:
    """Return the first lines of the ranking and why the first is so; none before a roll-up."""
    counted = as_of(session, view.period.name)
    rows = ranked_members(session, period=view.period.name, paths=view.paths, limit=TOP_LINES)
    if counted is None or not rows:
        return {"ranking": None, "why": None}
    total = standing_count(session, period=view.period.name, paths=view.paths, of="members")
    asked: dict[str, Any] = {"period": view.period.name}
    lines = [printed_line(row, "members", asked) for row in rows]
    lines[0]["current"] = True
    return {
        "ranking": {
            "title": gettext("%(period)s, evaluation", period=period_name(view.period)),
            "note": gettext("as of %(time)s", time=moment(counted.moment)),
            "lead": ngettext(
                "%(num)s person took part. Ranks are shown to you alone.",
                "%(num)s people took part. Ranks are shown to you alone.",
                total,
            ),
            "lines": lines,
        },
        "why": explanation(session, view, rows[0]),
    }


@pages.post("/rankings/export.xlsx")
@roles_only(*VIEWER_ROLES)
def export() -> ResponseReturnValue:
    """Hand the whole ranking out as a file, and keep that it was handed out."""
    of = wanted_of(request.form)
    now = clock.now()
    with reading() as session:
        view = asked_view(session, of, request.form)
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
    rows = every_ranked(session, of=of, period=view.period.name, paths=view.paths)
    return Sheet(
        name=view.period.name,
        note=f"{period_name(view.period)} · {view.place or ''} · {said}",
        headers=[*header_words(of), *(label_of(category) for category in CATEGORIES)],
        rows=(row_cells(row, of) for row in rows),
    )


def as_of_words(at: datetime) -> str:
    """Write 2026-11-21 12:00, on the wall clock."""
    return f"{at.astimezone(settings().zone):%Y-%m-%d %H:%M}"
