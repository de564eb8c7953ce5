"""The pages of closed periods: the list, one's way to the archive, versions, corrections."""

import tempfile
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, send_file, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext

from pointsbank.core import clock
from pointsbank.core.audit import note
from pointsbank.core.db import reading, run, transaction
from pointsbank.core.sheets import XLSX_TYPE, write_book
from pointsbank.core.text import masked_name
from pointsbank.rankings.correcting import (
    CORRECTING_ROLES,
    ask_correction,
    correction_of,
    decide_correction,
    preview_of,
)
from pointsbank.rankings.courses import READING_ROLES, Way
from pointsbank.rankings.grades import review_about
from pointsbank.rankings.noticing import archive_period, draft_ranking_notice
from pointsbank.rankings.pages.course_facing import (
    may_of,
    printed_changes,
    printed_closed,
    printed_line,
    printed_way,
)
from pointsbank.rankings.pages.evaluation_sheets import workbook_of
from pointsbank.rankings.pages.facing import period_name
from pointsbank.rankings.period_schemas import (
    REASON_LENGTH_MAX,
    VERSION_MAX,
    asked_way,
    reads_names,
)
from pointsbank.rankings.snapshots import (
    closed_within,
    lines_of,
    snapshot_of,
)
from pointsbank.web.access import current_actor, roles_only
from pointsbank.web.contract import cursor_from, position_from
from pointsbank.web.forms import attempt, settings, typed, typed_id

pages = Blueprint("period_pages", __name__)

PERIODS_A_PAGE = 30
ONE = "/periods/<string:period>/<id:organization_id>"


@pages.get("/periods")
@roles_only(*READING_ROLES)
def list_periods() -> ResponseReturnValue:
    """List the closed periods of one's scope, the newest first."""
    skip = position_from(request.args.get("cursor")) or 0
    with reading() as session:
        found = closed_within(
            session,
            current_actor().paths(*READING_ROLES),
            skip=skip,
            limit=PERIODS_A_PAGE + 1,
        )
    here = url_for("period_pages.list_periods")
    more = len(found) > PERIODS_A_PAGE
    return render_template(
        "rankings/periods.html",
        periods=[printed_closed(each) for each in found[:PERIODS_A_PAGE]],
        links={
            "next": f"{here}?cursor={cursor_from(skip + PERIODS_A_PAGE)}" if more else "",
            "first": here if skip else "",
            "ranking": url_for("ranking_pages.ranking"),
        },
    )


@pages.get(ONE)
@roles_only(*READING_ROLES)
def show_period(period: str, organization_id: int) -> ResponseReturnValue:
    """Show how far a period is, with what comes next as one main button."""
    actor = current_actor()
    with reading() as session:
        way = asked_way(session, period, organization_id)
        lines = lines_of(session, way.versions[0].id) if way.versions else []
        review = review_about(
            session, period=way.period.name, organization_id=way.organization.id
        )
    is_full = reads_names(actor, way.organization.path)
    return render_template(
        "rankings/period.html",
        **printed_way(way, review, actor),
        lines=[printed_line(each, is_full=is_full) for each in lines],
    )


@pages.get(f"{ONE}/versions/<id:version>")
@roles_only(*READING_ROLES)
def show_version(period: str, organization_id: int, version: int) -> ResponseReturnValue:
    """Show one version of a closed period, and what it changed."""
    with reading() as session:
        way = asked_way(session, period, organization_id)
        about: dict[str, Any] = {"period": way.period.name, "organization_id": organization_id}
        found = snapshot_of(session, version=min(version, VERSION_MAX), **about)
        lines = lines_of(session, found.id)
        older = []
        if found.version > 1:
            before = snapshot_of(session, version=found.version - 1, **about)
            older = lines_of(session, before.id)
    is_full = reads_names(current_actor(), way.organization.path)
    return render_template(
        "rankings/snapshot.html",
        snapshot=found,
        title=period_name(way.period),
        place=way.organization.name,
        changes=printed_changes(older, lines, is_full=is_full) if older else [],
        lines=[printed_line(each, is_full=is_full) for each in lines],
        links={
            "back": link("show_period", way),
            "sheet": link("export_sheet", way),
        },
    )


def link(page: str, way: Way, **more: Any) -> str:
    """Return the address of a page about a period."""
    return url_for(
        f"period_pages.{page}",
        period=way.period.name,
        organization_id=way.organization.id,
        **more,
    )


@pages.post(f"{ONE}/sheet.xlsx")
@roles_only(*READING_ROLES)
def export_sheet(period: str, organization_id: int) -> ResponseReturnValue:
    """Hand a version out as a workbook, and keep that it was handed out."""
    actor, now = current_actor(), clock.now()
    with reading() as session:
        way = asked_way(session, period, organization_id)
        found = snapshot_of(
            session,
            period=way.period.name,
            organization_id=organization_id,
            version=typed_id("version"),
        )
        is_full = reads_names(actor, way.organization.path)
        # Made only for those who may have it: nothing would close it after a refusal.
        file = tempfile.TemporaryFile()  # noqa: SIM115 - sent after the view returns, closed then
        count = write_book(file, workbook_of(session, found, is_full=is_full))
    with transaction() as session:
        note(
            session,
            at=now,
            actor_id=actor.member_id,
            action="export_snapshot",
            subject=("snapshot", found.id),
            period=found.period,
            version=found.version,
            with_names=is_full,
            rows=count,
        )
    file.seek(0)
    return send_file(
        file,
        mimetype=XLSX_TYPE,
        as_attachment=True,
        download_name=f"evaluation-{found.period}-v{found.version}.xlsx",
    )


@pages.get(f"{ONE}/correction")
@roles_only(*CORRECTING_ROLES)
def ask_for_correction(period: str, organization_id: int) -> ResponseReturnValue:
    """Show what counting the period anew would change, and ask why it is to be done."""
    return correction_page(period, organization_id, reason="", problem="")


def correction_page(
    period: str, organization_id: int, *, reason: str, problem: str
) -> ResponseReturnValue:
    """Render the form of a correction, or the decision on the one that waits."""
    actor, zone, now = current_actor(), settings().zone, clock.now()
    with reading() as session:
        way = asked_way(session, period, organization_id)
        found = preview_of(
            session,
            organization_id=organization_id,
            period=way.period.name,
            zone=zone,
            now=now,
        )
        before = lines_of(session, found.snapshot.id)
        after = found.named(session)
    is_full = reads_names(actor, way.organization.path)
    page = render_template(
        "rankings/correction.html",
        title=period_name(way.period),
        place=way.organization.name,
        late=way.late,
        waiting=way.waiting,
        asked_by=masked_name(way.waiting.asked_by_name) if way.waiting else "",
        upheld=way.upheld,
        may=may_of(way, actor),
        changes=printed_changes(before, after, is_full=is_full),
        reason=reason,
        problem=problem,
        limits={"reason": REASON_LENGTH_MAX},
        links={
            "back": link("show_period", way),
            "ask": link("ask", way),
            "decide": way.waiting
            and url_for("period_pages.decide", correction_id=way.waiting.id),
            "papers": url_for("evaluation_paper_pages.show_all"),
        },
    )
    return page, 422 if problem else 200


@pages.post(f"{ONE}/correction")
@roles_only(*CORRECTING_ROLES)
def ask(period: str, organization_id: int) -> ResponseReturnValue:
    """Ask for a correction; another person decides."""
    actor, zone, now = current_actor(), settings().zone, clock.now()
    reason = typed("reason", REASON_LENGTH_MAX)
    if not reason:
        problem = str(gettext("Please say why this period is to be counted anew."))
        return correction_page(period, organization_id, reason=reason, problem=problem)
    attempt(
        lambda: run(
            lambda session: ask_correction(
                session,
                organization_id=organization_id,
                period=period,
                reason=reason,
                objection_id=typed_id("objection_id"),
                actor=actor,
                zone=zone,
                now=now,
            )
        ),
        gettext("Asked for. Another person looks at it and decides."),
    )
    return to_period(period, organization_id)


def to_period(period: str, organization_id: int) -> ResponseReturnValue:
    """Lead back to the page of a period."""
    here = url_for("period_pages.show_period", period=period, organization_id=organization_id)
    return redirect(here, 303)


@pages.post("/corrections/<id:correction_id>/decision")
@roles_only(*CORRECTING_ROLES)
def decide(correction_id: int) -> ResponseReturnValue:
    """Confirm or refuse a correction that somebody else asked for."""
    actor, zone, now = current_actor(), settings().zone, clock.now()
    choice, reason = request.form.get("decision", ""), typed("reason", REASON_LENGTH_MAX)
    with reading() as session:
        asked = correction_of(session, correction_id, actor.paths(*CORRECTING_ROLES))
    if choice not in ("confirm", "refuse") or not reason:
        flash(gettext("Please say why, and choose confirm or refuse."), "error")
        form = url_for(
            "period_pages.ask_for_correction",
            period=asked.period,
            organization_id=asked.organization_id,
        )
        return redirect(form, 303)
    attempt(
        lambda: run(
            lambda session: decide_correction(
                session,
                correction_id=correction_id,
                actor=actor,
                is_confirmed=choice == "confirm",
                reason=reason,
                zone=zone,
                now=now,
            )
        ),
        gettext("Corrected. The earlier version stays readable.")
        if choice == "confirm"
        else gettext("Refused. What stood still stands."),
    )
    return to_period(asked.period, asked.organization_id)


@pages.post(f"{ONE}/notice")
@roles_only(*CORRECTING_ROLES)
def draft(period: str, organization_id: int) -> ResponseReturnValue:
    """Draft the notice of a period, or replace the one that shows an older version."""
    actor, now, visibility = current_actor(), clock.now(), settings().ranking_visibility
    attempt(
        lambda: run(
            lambda session: draft_ranking_notice(
                session,
                organization_id=organization_id,
                period=period,
                visibility=visibility,
                actor=actor,
                now=now,
            )
        ),
        gettext("The notice is drafted. Another person reviews it before it is shown."),
    )
    return to_period(period, organization_id)


@pages.post(f"{ONE}/archive")
@roles_only(*CORRECTING_ROLES)
def archive(period: str, organization_id: int) -> ResponseReturnValue:
    """Archive a period of which nothing is shown in public."""
    actor, now, visibility = current_actor(), clock.now(), settings().ranking_visibility
    attempt(
        lambda: run(
            lambda session: archive_period(
                session,
                organization_id=organization_id,
                period=period,
                visibility=visibility,
                actor=actor,
                now=now,
            )
        ),
        gettext("Archived. The period stays readable."),
    )
    return to_period(period, organization_id)
