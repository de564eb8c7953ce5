"""The JSON door of the tree and of the merchants."""

from typing import Any

from pointsbank.core import clock
from pointsbank.core.audit import note
from pointsbank.core.db import reading, run, transaction
from pointsbank.organizations.importing import import_organizations, read_organizations
from pointsbank.organizations.queries import (
    merchants_within,
    organization_by_code,
    organization_of,
    organizations_within,
)
from pointsbank.organizations.schemas import (
    MerchantAdded,
    MerchantsOut,
    NewMerchant,
    OrganizationLinesOut,
    OrganizationsQuery,
    merchant_out,
    organization_out,
)
from pointsbank.organizations.service import add_merchant
from pointsbank.web.access import current_actor, members_only, roles_only, takes_files
from pointsbank.web.contract import Blueprint, PageQuery, cursor_from, position_from
from pointsbank.web.uploads import (
    IMPORT_BYTES_MAX,
    ImportFile,
    ImportQuery,
    ReportOut,
    read_upload,
    report_out,
)

api = Blueprint("organizations_api", __name__, description="The tree and the merchants.")


@api.post("/organizations/import")
@api.arguments(ImportQuery, location="query")
@api.arguments(ImportFile, location="files")
@api.response(200, ReportOut)
@takes_files(IMPORT_BYTES_MAX)
@roles_only("administrator")
def import_tree(query: dict[str, Any], _file: dict[str, Any]) -> dict[str, Any]:
    """Add, rename and move organizations from a CSV or XLSX file, all or nothing."""
    actor = current_actor()
    table, problems = read_upload(read_organizations)
    now = clock.now()
    report = run(
        lambda session: import_organizations(
            session,
            table=table,
            problems=problems,
            paths=actor.paths("administrator"),
            actor_id=actor.member_id,
            now=now,
            is_dry_run=query["dry_run"],
        )
    )
    return report_out(report)


@api.get("/organizations")
@api.arguments(OrganizationsQuery, location="query")
@api.response(200, OrganizationLinesOut)
@members_only
def list_organizations(query: dict[str, Any]) -> dict[str, Any]:
    """List the organizations in the order of their codes."""
    limit = query["limit"]
    last_id = position_from(query.get("cursor"))
    with reading() as session:
        under = query.get("under")
        path = organization_by_code(session, under).path if under else "/"
        after = organization_of(session, last_id).code if last_id else None
        found = organizations_within(session, (path,), after=after, limit=limit + 1)
    return {
        "items": [organization_out(node) for node in found[:limit]],
        "next": cursor_from(found[limit - 1].id) if len(found) > limit else None,
    }


@api.post("/merchants")
@api.arguments(NewMerchant)
@api.response(201, MerchantAdded)
@roles_only("administrator")
def new_merchant(body: dict[str, Any]) -> dict[str, Any]:
    """Add a partner merchant."""
    actor = current_actor()
    now = clock.now()
    with transaction() as session:
        organization_by_code(session, body["organization_code"], actor.paths("administrator"))
        merchant_id = add_merchant(session, **body, now=now)
        note(
            session,
            at=now,
            actor_id=actor.member_id,
            action="add_merchant",
            subject=("merchant", merchant_id),
        )
    return {"id": merchant_id}


@api.get("/merchants")
@api.arguments(PageQuery, location="query")
@api.response(200, MerchantsOut)
@members_only
def list_merchants(query: dict[str, Any]) -> dict[str, Any]:
    """List the merchants where points can be redeemed."""
    limit = query["limit"]
    after_id = position_from(query.get("cursor")) or 0
    with reading() as session:
        found = merchants_within(session, ("/",), after_id=after_id, limit=limit + 1)
    return {
        "items": [merchant_out(line) for line in found[:limit]],
        "next": cursor_from(found[limit - 1].id) if len(found) > limit else None,
    }
