"""The JSON door of applications and their papers."""

from typing import Any

from flask.typing import ResponseReturnValue

from pointsbank.core import clock
from pointsbank.core.db import reading, run, transaction
from pointsbank.core.keys import draw_bytes
from pointsbank.merchants.applications import (
    application_of,
    applications_for,
    paper_to_see,
    papers_of,
    papers_of_each,
)
from pointsbank.merchants.applying import (
    NewApplication,
    add_paper,
    apply_as_merchant,
    approve_application,
    refuse_application,
    withdraw_application,
)
from pointsbank.merchants.errors import ReasonMissing
from pointsbank.merchants.models import TILL_HANDLE_BYTES
from pointsbank.merchants.paper_schemas import BODY_BYTES_MAX, paper_answer, uploaded
from pointsbank.merchants.schemas import (
    ApplicationDecision,
    ApplicationOut,
    ApplicationsOut,
    ApplicationsQuery,
    NewApplicationBody,
    PaperFile,
    PaperForm,
    PaperOut,
    application_out,
)
from pointsbank.web.access import current_actor, members_only, roles_only, takes_files
from pointsbank.web.contract import Blueprint, cursor_from, position_from

api = Blueprint(
    "merchant_applications_api", __name__, description="Shops that apply to become merchants."
)


@api.post("/merchant-applications")
@api.arguments(NewApplicationBody)
@api.response(201, ApplicationOut)
@members_only
def new_application(body: dict[str, Any]) -> dict[str, Any]:
    """Apply to become a merchant; papers are attached afterwards."""
    actor, now = current_actor(), clock.now()
    application_id = run(
        lambda session: apply_as_merchant(
            session, applicant_id=actor.member_id, application=NewApplication(**body), now=now
        )
    )
    return shown(application_id)


@api.get("/merchant-applications")
@api.arguments(ApplicationsQuery, location="query")
@api.response(200, ApplicationsOut)
@members_only
def list_applications(query: dict[str, Any]) -> dict[str, Any]:
    """List one's own applications and those within one's scope, newest first."""
    limit = query["limit"]
    with reading() as session:
        found = applications_for(
            session,
            current_actor(),
            state=query.get("state"),
            before_id=position_from(query.get("cursor")),
            limit=limit + 1,
        )
        papers = papers_of_each(session, [line.id for line in found[:limit]])
        items = [application_out(line, papers.get(line.id, [])) for line in found[:limit]]
    return {
        "items": items,
        "next": cursor_from(found[limit - 1].id) if len(found) > limit else None,
    }


@api.get("/merchant-applications/<id:application_id>")
@api.response(200, ApplicationOut)
@members_only
def show_application(application_id: int) -> dict[str, Any]:
    """Show an application with its papers."""
    return shown(application_id)


@api.delete("/merchant-applications/<id:application_id>")
@api.response(204)
@members_only
def withdraw(application_id: int) -> None:
    """Take one's own application back while it waits."""
    with transaction() as session:
        withdraw_application(
            session, actor=current_actor(), application_id=application_id, now=clock.now()
        )


@api.post("/merchant-applications/<id:application_id>/papers")
@api.arguments(PaperFile, location="files")
@api.arguments(PaperForm, location="form")
@api.response(201, PaperOut)
@takes_files(BODY_BYTES_MAX)
@members_only
def new_paper(
    _file: dict[str, Any], form: dict[str, Any], application_id: int
) -> dict[str, Any]:
    """Attach a picture or a PDF to one's own application."""
    paper = uploaded(form["kind"])
    with transaction() as session:
        paper_id = add_paper(
            session,
            actor=current_actor(),
            application_id=application_id,
            paper=paper,
            now=clock.now(),
        )
    with reading() as session:
        papers = papers_of(session, application_id)
    return vars(next(each for each in papers if each.id == paper_id))


@api.get("/merchant-papers/<id:paper_id>")
@api.doc(responses={"200": {"description": "The picture or PDF itself."}})
@members_only
def show_paper(paper_id: int) -> ResponseReturnValue:
    """Answer the contents of a paper."""
    with reading() as session:
        return paper_answer(paper_to_see(session, paper_id, current_actor()))


@api.post("/merchant-applications/<id:application_id>/decision")
@api.arguments(ApplicationDecision)
@api.response(200, ApplicationOut)
@roles_only("administrator")
def decide(body: dict[str, Any], application_id: int) -> dict[str, Any]:
    """Approve an application, which adds the merchant, or refuse it with a reason."""
    actor, now = current_actor(), clock.now()
    with transaction() as session:
        if body["decision"] == "approve":
            approve_application(
                session,
                actor=actor,
                application_id=application_id,
                handle=draw_bytes(TILL_HANDLE_BYTES),
                now=now,
            )
        else:
            if "reason" not in body:
                raise ReasonMissing
            refuse_application(
                session,
                actor=actor,
                application_id=application_id,
                reason=body["reason"],
                now=now,
            )
    return shown(application_id)


def shown(application_id: int) -> dict[str, Any]:
    """Return an application with its papers, as the person who asks may see it."""
    with reading() as session:
        line = application_of(session, application_id, current_actor())
        return application_out(line, papers_of(session, application_id))
