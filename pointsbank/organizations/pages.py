"""The HTML door of the tree and of the merchants."""

from collections.abc import Callable
from typing import Any

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext

from pointsbank.core import clock
from pointsbank.core.audit import note
from pointsbank.core.calendar import SATURDAY, local_day
from pointsbank.core.db import reading, run, transaction
from pointsbank.core.tables import BadTable, Problem, Report, Table
from pointsbank.core.text import cleaned
from pointsbank.organizations.calendar_importing import (
    day_from,
    import_calendar,
    read_calendar,
    remove_day,
)
from pointsbank.organizations.calendar_schemas import (
    DAY_LENGTH,
    SOURCE_WORDS,
    holiday_word,
    is_special,
    year_asked,
)
from pointsbank.organizations.errors import MerchantNameMissing, OrganizationNotFound
from pointsbank.organizations.importing import import_organizations, read_organizations
from pointsbank.organizations.queries import (
    children_of,
    lineage_of,
    merchants_within,
    organization_by_code,
    organizations_at,
)
from pointsbank.organizations.schemas import (
    CODE_LENGTH_MAX,
    KIND_WORDS,
    MERCHANT_KIND_WORDS,
    NAME_LENGTH_MAX,
)
from pointsbank.organizations.service import add_merchant
from pointsbank.organizations.workdays import calendar_of, is_year_known, year_to_load
from pointsbank.web.access import current_actor, members_only, roles_only, takes_files
from pointsbank.web.contract import cursor_from, position_from
from pointsbank.web.errors import sentence_of, status_of
from pointsbank.web.forms import attempt, settings, typed
from pointsbank.web.uploads import IMPORT_BYTES_MAX, FileMissing, read_upload, report_out

pages = Blueprint("organization_pages", __name__)

STAFF = ("administrator", "secretary", "organizer", "auditor")
PAGE_LINES = 50


@pages.get("/organizations")
@roles_only(*STAFF)
def show_tree() -> ResponseReturnValue:
    """Show one organization with what stands directly under it."""
    actor = current_actor()
    paths = actor.paths(*STAFF)
    code = request.args.get("code", "")[:CODE_LENGTH_MAX]
    with reading() as session:
        node = organization_by_code(session, code, paths) if code else None
        below = (
            children_of(session, node.id)
            if node is not None
            else organizations_at(session, paths)
        )
        above = lineage_of(session, node.path)[:-1] if node is not None else []
    return render_template(
        "organizations/tree.html",
        node=node,
        above=[each for each in above if any(each.path.startswith(path) for path in paths)],
        below=below,
        kinds=KIND_WORDS,
        may_import=actor.is_("administrator"),
    )


@pages.get("/organizations/import")
@roles_only("administrator")
def ask_for_tree() -> ResponseReturnValue:
    """Ask for a file of organizations."""
    return import_page(None)


@pages.post("/organizations/import")
@takes_files(IMPORT_BYTES_MAX)
@roles_only("administrator")
def import_tree() -> ResponseReturnValue:
    """Import a file of organizations, or only judge it, and show the report."""
    return imported(read_organizations, import_organizations, import_page)


def imported(
    read: Callable[[bytes, str], tuple[Table, list[Problem]]],
    take_in: Callable[..., Report],
    page: Callable[..., ResponseReturnValue],
) -> ResponseReturnValue:
    """Read the file that was sent, take it in or only judge it, and show the report.

    page: renders a report, an error in its place, or neither.
    """
    actor, now = current_actor(), clock.now()
    is_dry_run = "dry_run" in request.form
    try:
        table, problems = read_upload(read)
    except (BadTable, FileMissing) as refusal:
        return page(
            refusal.facts if "rejected" in refusal.facts else None,
            error="" if "rejected" in refusal.facts else sentence_of(refusal),
            is_dry_run=is_dry_run,
            status=status_of(refusal),
        )
    report = run(
        lambda session: take_in(
            session,
            table=table,
            problems=problems,
            paths=actor.paths("administrator"),
            actor_id=actor.member_id,
            now=now,
            is_dry_run=is_dry_run,
        )
    )
    return page(report_out(report), is_dry_run=is_dry_run)


def import_page(
    report: dict[str, Any] | None,
    *,
    error: str = "",
    is_dry_run: bool = True,
    status: int = 200,
) -> ResponseReturnValue:
    """Render the import's page, with a report when there is one."""
    page = render_template(
        "organizations/import.html", report=report, error=error, dry_run=is_dry_run
    )
    return page, status


@pages.get("/working-days")
@members_only
def show_calendar() -> ResponseReturnValue:
    """Show which days of a year are worked, and where that is known from."""
    return calendar_page()


def calendar_page(
    report: dict[str, Any] | None = None,
    *,
    error: str = "",
    is_dry_run: bool = True,
    status: int = 200,
) -> ResponseReturnValue:
    """Render a year's calendar, with the report of an import when there is one."""
    today = local_day(clock.now(), settings().zone)
    year = year_asked(request.args.get("year"), today)
    with reading() as session:
        days, is_known = calendar_of(session, year), is_year_known(session, year)
        missing = year_to_load(session, today)
    here = url_for("organization_pages.show_calendar")
    page = render_template(
        "organizations/calendar.html",
        year=year,
        is_known=is_known,
        missing=missing,
        working=sum(each.is_working for each in days),
        days=[(each, holiday_word(each)) for each in days if is_special(each, SATURDAY)],
        sources=SOURCE_WORDS,
        years=[
            {"href": f"{here}?year={each}", "label": str(each), "current": each == year}
            for each in range(today.year - 1, today.year + 2)
        ],
        report=report,
        error=error,
        dry_run=is_dry_run,
        may_load=current_actor().is_("administrator"),
    )
    return page, status


@pages.post("/working-days")
@takes_files(IMPORT_BYTES_MAX)
@roles_only("administrator")
def import_days() -> ResponseReturnValue:
    """Load holidays and worked weekends from a file, or only judge it, and show the report."""
    return imported(read_calendar, import_calendar, calendar_page)


@pages.post("/working-days/removal")
@roles_only("administrator")
def remove_loaded_day() -> ResponseReturnValue:
    """Forget a day that was loaded; the announced calendar counts again."""
    actor, now = current_actor(), clock.now()
    day = day_from(typed("day", DAY_LENGTH))
    attempt(
        lambda: run(
            lambda session: remove_day(
                session,
                day=day,
                paths=actor.paths("administrator"),
                actor_id=actor.member_id,
                now=now,
            )
        ),
        gettext("The day is as it was announced again."),
    )
    year = day.year if day else None
    return redirect(url_for("organization_pages.show_calendar", year=year))


@pages.get("/merchants")
@roles_only("administrator", "auditor")
def list_merchants() -> ResponseReturnValue:
    """List the merchants within the scope of whoever looks."""
    actor = current_actor()
    after_id = position_from(request.args.get("cursor")) or 0
    with reading() as session:
        found = merchants_within(
            session,
            actor.paths("administrator", "auditor"),
            after_id=after_id,
            limit=PAGE_LINES + 1,
        )
    shown = found[:PAGE_LINES]
    here = url_for("organization_pages.list_merchants")
    more = f"{here}?cursor={cursor_from(shown[-1].id)}" if len(found) > PAGE_LINES else ""
    return render_template(
        "organizations/merchants.html",
        merchants=shown,
        kinds=MERCHANT_KIND_WORDS,
        may_add=actor.is_("administrator"),
        links={"next": more, "first": here if after_id else ""},
    )


@pages.get("/merchants/new")
@roles_only("administrator")
def ask_for_merchant() -> ResponseReturnValue:
    """Ask for a new merchant."""
    return merchant_page({}, {})


@pages.post("/merchants/new")
@roles_only("administrator")
def new_merchant() -> ResponseReturnValue:
    """Add a merchant and go back to the list."""
    actor, now = current_actor(), clock.now()
    form = {
        name: cleaned(request.form.get(name, ""))
        for name in ("name", "organization_code", "kind")
    }
    if not 1 <= len(form["name"]) <= NAME_LENGTH_MAX:
        return merchant_page(form, {"name": sentence_of(MerchantNameMissing())})
    if form["kind"] not in MERCHANT_KIND_WORDS:
        return merchant_page(form, {"kind": gettext("This kind is not known.")})
    try:
        with transaction() as session:
            organization_by_code(
                session, form["organization_code"], actor.paths("administrator")
            )
            merchant_id = add_merchant(session, **form, now=now)
            note(
                session,
                at=now,
                actor_id=actor.member_id,
                action="add_merchant",
                subject=("merchant", merchant_id),
            )
    except OrganizationNotFound as refusal:
        return merchant_page(form, {"organization_code": sentence_of(refusal)})
    return redirect(url_for("organization_pages.list_merchants"))


def merchant_page(form: dict[str, str], errors: dict[str, str]) -> ResponseReturnValue:
    """Render the form of a new merchant, with what was wrong with it."""
    page = render_template(
        "organizations/new_merchant.html",
        form=form,
        errors=errors,
        kinds=list(MERCHANT_KIND_WORDS.items()),
    )
    return page, 422 if errors else 200
