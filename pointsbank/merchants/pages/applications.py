"""The HTML door of applications: sent, looked at, decided, taken back."""

from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext

from pointsbank.core import clock
from pointsbank.core.db import reading, run, transaction
from pointsbank.core.errors import Conflict, Invalid
from pointsbank.core.keys import draw_bytes
from pointsbank.core.text import cleaned_lines
from pointsbank.merchants.applications import (
    application_of,
    applications_for,
    may_decide,
    paper_to_see,
    papers_of,
)
from pointsbank.merchants.applying import (
    KINDS_WITHOUT_LICENSE,
    NewApplication,
    add_paper,
    apply_as_merchant,
    approve_application,
    refuse_application,
    withdraw_application,
)
from pointsbank.merchants.errors import DecisionMissing, LicenseMissing, ReasonMissing
from pointsbank.merchants.models import PAPER_KINDS, TILL_HANDLE_BYTES
from pointsbank.merchants.paper_schemas import (
    BODY_BYTES_MAX,
    paper_answer,
    sent_as,
    uploaded,
)
from pointsbank.merchants.policy import may_see
from pointsbank.merchants.schemas import (
    ADDRESS_LENGTH_MAX,
    APPLICATION_WORDS,
    CODE_LENGTH_MAX,
    LICENSE_LENGTH_MAX,
    NAME_LENGTH_MAX,
    NOTE_LENGTH_MAX,
    PAPER_WORDS,
    REASON_LENGTH_MAX,
)
from pointsbank.organizations.errors import OrganizationNotFound
from pointsbank.organizations.queries import organization_of, organizations_within
from pointsbank.organizations.schemas import MERCHANT_KIND_WORDS
from pointsbank.web.access import current_actor, members_only, roles_only, takes_files
from pointsbank.web.contract import cursor_from, position_from
from pointsbank.web.errors import sentence_of
from pointsbank.web.forms import attempt, typed

pages = Blueprint("application_pages", __name__)

LINES_A_PAGE = 50
DECISIONS = ("approve", "refuse")
COMMUNITIES_MAX = 500
LENGTHS = {
    "name": NAME_LENGTH_MAX,
    "kind": CODE_LENGTH_MAX,
    "organization_code": CODE_LENGTH_MAX,
    "license_no": LICENSE_LENGTH_MAX,
    "address": ADDRESS_LENGTH_MAX,
}
# Which field of the form a refusal is about.
FIELD_OF = {
    "bad_license": "license_no",
    "license_missing": "license",
    "bad_paper": "license",
    "paper_too_large": "license",
    "unknown_kind": "kind",
    "organization_not_found": "organization_code",
    "already_applied": "name",
}


@pages.get("/merchant-applications")
@members_only
def list_applications() -> ResponseReturnValue:
    """List one's own applications and those within one's scope, newest first."""
    actor = current_actor()
    before = position_from(request.args.get("cursor"))
    with reading() as session:
        found = applications_for(session, actor, before_id=before, limit=LINES_A_PAGE + 1)
    shown = found[:LINES_A_PAGE]
    here = url_for("application_pages.list_applications")
    has_more = len(found) > LINES_A_PAGE
    return render_template(
        "merchants/applications.html",
        waiting=[line for line in shown if line.state == "waiting"],
        decided=[line for line in shown if line.state != "waiting"],
        states=APPLICATION_WORDS,
        links={
            "new": url_for("application_pages.ask_for_application"),
            "next": f"{here}?cursor={cursor_from(shown[-1].id)}" if has_more else "",
            "first": here if before else "",
        },
    )


@pages.get("/merchant-applications/new")
@members_only
def ask_for_application() -> ResponseReturnValue:
    """Ask what the shop is."""
    return application_form({}, {})


@pages.post("/merchant-applications/new")
@takes_files(BODY_BYTES_MAX)
@members_only
def new_application() -> ResponseReturnValue:
    """Send an application with the picture of its license."""
    actor, now = current_actor(), clock.now()
    form = {name: typed(name, most) for name, most in LENGTHS.items()}
    note = cleaned_lines(request.form.get("note", ""))[:NOTE_LENGTH_MAX]
    missing = {
        name: gettext("Please fill this in.") for name in ("name", "address") if not form[name]
    }
    if missing:
        return application_form({**form, "note": note}, missing)
    try:
        paper = sent_as("license", "license")
        if paper is None and form["kind"] not in KINDS_WITHOUT_LICENSE:
            raise LicenseMissing
        application_id = run(
            lambda session: apply_as_merchant(
                session,
                applicant_id=actor.member_id,
                application=NewApplication(**form, note=note),
                papers=[paper] if paper else [],
                now=now,
            )
        )
    except (Invalid, Conflict, OrganizationNotFound) as refusal:
        field = FIELD_OF.get(refusal.code, "name")
        return application_form({**form, "note": note}, {field: sentence_of(refusal)})
    flash(gettext("Your application was sent. You are told what becomes of it."), "success")
    return redirect(
        url_for("application_pages.show_application", application_id=application_id), 303
    )


def application_form(form: dict[str, str], errors: dict[str, Any]) -> ResponseReturnValue:
    """Render the form of an application, with what was wrong with it."""
    actor = current_actor()
    with reading() as session:
        communities = organizations_within(
            session, ("/",), kinds=("community",), limit=COMMUNITIES_MAX
        )
        home = organization_of(session, actor.organization_id)
    nearest = [node.code for node in communities if home.path.startswith(node.path)]
    page = render_template(
        "merchants/new_application.html",
        form={"organization_code": nearest[0] if nearest else "", **form},
        errors=errors,
        kinds=list(MERCHANT_KIND_WORDS.items()),
        communities=[(node.code, node.name) for node in communities],
        links={"back": url_for("application_pages.list_applications")},
    )
    return page, 422 if errors else 200


@pages.get("/merchant-applications/<id:application_id>")
@members_only
def show_application(application_id: int) -> ResponseReturnValue:
    """Show an application with its papers, and what the reader may do about it."""
    actor = current_actor()
    with reading() as session:
        line = application_of(session, application_id, actor)
        papers = papers_of(session, line.id)
    is_own = line.applicant_id == actor.member_id
    return render_template(
        "merchants/application.html",
        line=line,
        papers=papers,
        states=APPLICATION_WORDS,
        kinds=MERCHANT_KIND_WORDS,
        paper_words=PAPER_WORDS,
        paper_kinds=list(PAPER_WORDS.items()),
        needs_license=line.kind not in KINDS_WITHOUT_LICENSE
        and all(paper.kind != "license" for paper in papers),
        may={
            "decide": may_decide(actor, line),
            "see_shop": line.merchant_id is not None
            and may_see(actor, line.merchant_id, line.path),
            "change": is_own and line.state == "waiting",
            "ask_another": is_own
            and line.state == "waiting"
            and actor.oversees(line.path, "administrator"),
        },
    )


@pages.post("/merchant-applications/<id:application_id>/papers")
@takes_files(BODY_BYTES_MAX)
@members_only
def new_paper(application_id: int) -> ResponseReturnValue:
    """Attach a paper to one's own application."""
    kind = request.form.get("kind", "")

    def act() -> None:
        paper = uploaded(kind if kind in PAPER_KINDS else "other")
        with transaction() as session:
            add_paper(
                session,
                actor=current_actor(),
                application_id=application_id,
                paper=paper,
                now=clock.now(),
            )

    attempt(act, gettext("The paper was attached."))
    return back_to(application_id)


@pages.get("/merchant-papers/<id:paper_id>")
@members_only
def show_paper(paper_id: int) -> ResponseReturnValue:
    """Answer the contents of a paper."""
    with reading() as session:
        return paper_answer(paper_to_see(session, paper_id, current_actor()))


@pages.post("/merchant-applications/<id:application_id>/withdrawal")
@members_only
def withdraw(application_id: int) -> ResponseReturnValue:
    """Take one's own application back."""

    def act() -> None:
        with transaction() as session:
            withdraw_application(
                session,
                actor=current_actor(),
                application_id=application_id,
                now=clock.now(),
            )

    attempt(act, gettext("Your application was taken back."))
    return back_to(application_id)


@pages.post("/merchant-applications/<id:application_id>/decision")
@roles_only("administrator")
def decide(application_id: int) -> ResponseReturnValue:
    """Approve an application, or refuse it with a reason."""
    actor, now = current_actor(), clock.now()
    decision = request.form.get("decision")
    is_approved = decision == "approve"
    reason = typed("reason", REASON_LENGTH_MAX)

    def act() -> None:
        if decision not in DECISIONS:
            raise DecisionMissing
        with transaction() as session:
            if is_approved:
                approve_application(
                    session,
                    actor=actor,
                    application_id=application_id,
                    handle=draw_bytes(TILL_HANDLE_BYTES),
                    now=now,
                )
                return
            if not reason:
                raise ReasonMissing
            refuse_application(
                session, actor=actor, application_id=application_id, reason=reason, now=now
            )

    done = gettext("The shop is a merchant now. Agree on a contract next.")
    attempt(act, done if is_approved else gettext("The application was refused."))
    return back_to(application_id)


def back_to(application_id: int) -> ResponseReturnValue:
    """Lead back to an application."""
    return redirect(
        url_for("application_pages.show_application", application_id=application_id), 303
    )
