"""The HTML door of the tree and of the merchants."""

from typing import Any

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext

from pointsbank.core import clock
from pointsbank.core.audit import note
from pointsbank.core.db import reading, run, transaction
from pointsbank.core.tables import BadTable
from pointsbank.core.text import cleaned
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
from pointsbank.web.access import current_actor, roles_only, takes_files
from pointsbank.web.contract import cursor_from, position_from
from pointsbank.web.errors import sentence_of, status_of
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
    actor, now = current_actor(), clock.now()
    is_dry_run = "dry_run" in request.form
    try:
        table, problems = read_upload(read_organizations)
    except (BadTable, FileMissing) as refusal:
        return import_page(
            refusal.facts if "rejected" in refusal.facts else None,
            error="" if "rejected" in refusal.facts else sentence_of(refusal),
            is_dry_run=is_dry_run,
            status=status_of(refusal),
        )
    report = run(
        lambda session: import_organizations(
            session,
            table=table,
            problems=problems,
            paths=actor.paths("administrator"),
            actor_id=actor.member_id,
            now=now,
            is_dry_run=is_dry_run,
        )
    )
    return import_page(report_out(report), is_dry_run=is_dry_run)


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
