"""Applications for stars as those see them who look after members: the list, one, decisions."""

from collections.abc import Callable, Mapping
from typing import Any

from flask import Blueprint, Response, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext
from sqlalchemy.orm import Session

from pointsbank.certificates.applying import KEEPERS, READERS, refuse_application
from pointsbank.certificates.certificate_pdf import certificate_pdf
from pointsbank.certificates.levels import oversees_the_whole
from pointsbank.certificates.models import BAR_YEARS_MAX, REASON_LENGTH_MAX
from pointsbank.certificates.noticing import draft_star_notice, take_star_out
from pointsbank.certificates.pages.printing import certificate_of
from pointsbank.certificates.queries import (
    ApplicationFile,
    RevocationFile,
    application_of,
    applications_within,
    minutes_of,
    revocation_of,
    revocations_of,
    revocations_waiting,
)
from pointsbank.certificates.revoking import ask_revocation, decide_revocation
from pointsbank.certificates.schemas import LINES_MAX
from pointsbank.certificates.words import (
    REVOCATIONS,
    STATES,
    correction_problem,
    reason_words,
    stars_words,
)
from pointsbank.core import clock
from pointsbank.core.actor import Actor
from pointsbank.core.calendar import local_day
from pointsbank.core.db import reading, run
from pointsbank.core.printing import find_font
from pointsbank.notices.queries import notice_of, upheld_without_correction
from pointsbank.web.access import current_actor, roles_only
from pointsbank.web.contract import ID_MAX, cursor_from, position_from
from pointsbank.web.formats import hours
from pointsbank.web.forms import attempt, settings, typed, typed_id, typed_whole

pages = Blueprint("star_pages", __name__)

APPLICATIONS_A_PAGE = 30
LIST = "star_pages.list_applications"


@pages.get("/stars/applications")
@roles_only(*READERS)
def list_applications() -> ResponseReturnValue:
    """List what waits, by organization, with one notice for each; then the rest."""
    return list_page(), 200


def list_page(kept: Mapping[str, Any] | None = None) -> str:
    """Render the list; kept: a correction that was refused, as it was typed."""
    actor = current_actor()
    before = position_from(request.args.get("cursor"))
    paths = actor.paths(*READERS)
    with reading() as session:
        waiting = applications_within(session, paths, states=["applied"], limit=LINES_MAX)
        minutes = minutes_of(session, [each.member_id for each in waiting])
        others = applications_within(
            session,
            paths,
            states=["noticed", "awarded", "refused", "withdrawn", "revoked"],
            before_id=before,
            limit=APPLICATIONS_A_PAGE + 1,
        )
        revocations = revocations_waiting(session, actor.paths(*KEEPERS))
        upheld = upheld_in_scope(session, actor)
    shown, here = others[:APPLICATIONS_A_PAGE], url_for(LIST)
    return render_template(
        "certificates/applications.html",
        groups=grouped(waiting, minutes, actor),
        others=[listed(each) for each in shown],
        revocations=[waiting_revocation(each) for each in revocations],
        upheld=upheld,
        kept=kept or {},
        links={
            "levels": url_for("level_pages.show") if oversees_the_whole(actor) else "",
            "plans": url_for("plan_pages.list_plans"),
            "draft": url_for("star_pages.draft"),
            "first": here if before else "",
            "next": f"{here}?cursor={cursor_from(shown[-1].id)}"
            if len(others) > APPLICATIONS_A_PAGE
            else "",
        },
    )


def upheld_in_scope(session: Session, actor: Actor) -> list[dict[str, Any]]:
    """Return the notices to which an objection as a whole was upheld: who is taken out?"""
    found = []
    for each in upheld_without_correction(session, kind="star"):
        if each.member_id is not None:
            continue
        notice = notice_of(session, each.notice_id)
        if actor.oversees(notice.path, *KEEPERS):
            shown = applications_within(
                session, [notice.path], states=["noticed"], limit=LINES_MAX
            )
            found.append(
                {
                    "id": notice.id,
                    "title": notice.title,
                    "decision": each.decision,
                    "href": url_for("star_pages.correct", notice_id=each.notice_id),
                    "lines": [listed(a) for a in shown if a.notice_id == each.notice_id],
                }
            )
    return found


def grouped(
    waiting: list[ApplicationFile], minutes: dict[int, int], actor: Actor
) -> list[dict[str, Any]]:
    """Return what waits by organization, the oldest first; one's own is not to be ticked."""
    groups: dict[int, dict[str, Any]] = {}
    for each in reversed(waiting):
        group = groups.setdefault(
            each.organization_id,
            {
                "id": each.organization_id,
                "name": each.organization_name,
                "lines": [],
                "may_draft": actor.oversees(each.path, *KEEPERS),
            },
        )
        now = minutes[each.member_id]
        group["lines"].append(
            {
                **listed(each),
                "now": hours(now),
                "is_enough": now >= 60 * each.hours_needed,
                "is_own": each.member_id == actor.member_id,
            }
        )
    return list(groups.values())


def listed(found: ApplicationFile) -> dict[str, Any]:
    """Return an application as a list prints it."""
    return {
        "id": found.id,
        "href": url_for("star_pages.show_application", application_id=found.id),
        "name": found.display_name,
        "organization": found.organization_name,
        "stars": stars_words(found.stars),
        "hours": hours(found.service_minutes),
        "applied_at": found.applied_at,
        "state": found.state,
        "state_word": str(STATES[found.state]),
    }


def waiting_revocation(found: RevocationFile) -> dict[str, Any]:
    """Return a revocation that waits, as the list prints it."""
    return {
        "href": url_for("star_pages.show_application", application_id=found.application_id),
        "name": found.member_name,
        "stars": stars_words(found.stars),
        "reason": found.reason,
    }


@pages.get("/stars/applications/<id:application_id>")
@roles_only(*READERS)
def show_application(application_id: int) -> ResponseReturnValue:
    """Show one application, and what the reader may decide about it."""
    actor = current_actor()
    with reading() as session:
        found = application_of(session, application_id, actor.paths(*READERS))
        minutes = minutes_of(session, [found.member_id])[found.member_id]
        revocations = revocations_of(session, application_id)
    pending = next((each for each in revocations if each.state == "pending"), None)
    is_keeper = actor.oversees(found.path, *KEEPERS) and actor.member_id != found.member_id
    return render_template(
        "certificates/application.html",
        application=found,
        reason=reason_words(found.decision_reason),
        stars=stars_words(found.stars),
        state_word=STATES[found.state],
        minutes_now=hours(minutes),
        revocations=[
            {"file": each, "state_word": str(REVOCATIONS[each.state])} for each in revocations
        ],
        may={
            "refuse": is_keeper and found.state == "applied",
            "revoke": is_keeper and found.state == "awarded" and pending is None,
            "decide": is_keeper
            and pending is not None
            and actor.member_id != pending.asked_by_id,
            "print": is_keeper and found.state == "awarded",
        },
        limits={"reason": REASON_LENGTH_MAX, "years": BAR_YEARS_MAX},
        links=links_of(application_id, pending),
    )


def links_of(application_id: int, pending: RevocationFile | None) -> dict[str, str]:
    """Return where the forms of an application's page lead."""
    found = {
        name: url_for(f"star_pages.{name}", application_id=application_id)
        for name in ("refuse", "revoke", "print_certificate")
    }
    found["back"] = url_for(LIST)
    if pending is not None:
        found["decide"] = url_for("star_pages.decide", revocation_id=pending.id)
    return found


def acted(
    act: Callable[[Session], object], done: str, application_id: int | None = None
) -> ResponseReturnValue:
    """Carry out an act in a transaction, say what came of it, and go on to a page."""
    attempt(lambda: run(act), done)
    if application_id is None:
        return redirect(url_for(LIST), 303)
    return redirect(url_for("star_pages.show_application", application_id=application_id), 303)


def ticked(name: str) -> list[int]:
    """Return the ids that were ticked, without what is none."""
    found = [each for each in request.form.getlist(name)[:LINES_MAX] if each.isascii()]
    return [int(each) for each in found if each.isdigit() and 1 <= int(each[:19]) <= ID_MAX]


def corrected(act: Callable[[Session], int | None], kept: dict[str, Any]) -> bool:
    """Correct a notice and say so; else leave in what was typed why it was not."""
    kept["problem"] = correction_problem(kept["ids"], kept["reason"])
    if kept["problem"]:
        return False
    return attempt(
        lambda: run(act), gettext("Corrected. Somebody else reviews the new version.")
    )


@pages.post("/stars/notices")
@roles_only(*KEEPERS)
def draft() -> ResponseReturnValue:
    """Draft one notice for what was ticked."""
    actor, now, zone = current_actor(), clock.now(), settings().zone
    place, ids = typed_id("organization_id") or 0, ticked("application_id")

    def act(session: Session) -> int:
        return draft_star_notice(
            session,
            actor=actor,
            organization_id=place,
            application_ids=ids,
            zone=zone,
            now=now,
        )

    return acted(act, gettext("The notice is drafted. Somebody else reviews it."))


@pages.post("/stars/notices/<id:notice_id>/corrections")
@roles_only(*KEEPERS)
def correct(notice_id: int) -> ResponseReturnValue:
    """Take those who were ticked out of a notice, and show the others again."""
    actor, now = current_actor(), clock.now()
    ids, reason = ticked("application_id"), typed("reason", REASON_LENGTH_MAX)

    def act(session: Session) -> int | None:
        notice_of(session, notice_id, actor.paths(*KEEPERS))
        return take_star_out(
            session,
            notice_id=notice_id,
            application_ids=ids,
            reason=reason,
            by_id=actor.member_id,
            now=now,
        )

    kept: dict[str, Any] = {"id": notice_id, "ids": ids, "reason": reason}
    if not corrected(act, kept):
        return list_page(kept), 422
    return redirect(url_for(LIST), 303)


def without_reason(application_id: int) -> ResponseReturnValue:
    """Ask for the reason that was left out."""
    flash(gettext("Please say in a few words why."), "error")
    return redirect(url_for("star_pages.show_application", application_id=application_id), 303)


@pages.post("/stars/applications/<id:application_id>/refusal")
@roles_only(*KEEPERS)
def refuse(application_id: int) -> ResponseReturnValue:
    """Refuse an application with a reason."""
    actor, now = current_actor(), clock.now()
    reason = typed("reason", REASON_LENGTH_MAX)
    if not reason:
        return without_reason(application_id)
    return acted(
        lambda session: refuse_application(
            session, actor=actor, application_id=application_id, reason=reason, now=now
        ),
        gettext("Refused. The member reads why."),
        application_id,
    )


@pages.post("/stars/applications/<id:application_id>/revocations")
@roles_only(*KEEPERS)
def revoke(application_id: int) -> ResponseReturnValue:
    """Ask that a star is revoked."""
    actor, now = current_actor(), clock.now()
    reason = typed("reason", REASON_LENGTH_MAX)
    if not reason:
        return without_reason(application_id)
    years = typed_whole("bar_years", BAR_YEARS_MAX) or 1
    return acted(
        lambda session: ask_revocation(
            session,
            actor=actor,
            application_id=application_id,
            reason=reason,
            bar_years=years,
            now=now,
        ),
        gettext("Asked for. A second person decides."),
        application_id,
    )


@pages.post("/stars/revocations/<id:revocation_id>/decision")
@roles_only(*KEEPERS)
def decide(revocation_id: int) -> ResponseReturnValue:
    """Confirm or reject a revocation that somebody else asked for."""
    actor, now = current_actor(), clock.now()
    reason = typed("reason", REASON_LENGTH_MAX)
    is_confirmed = request.form.get("decision") == "confirm"
    with reading() as session:
        found = revocation_of(session, revocation_id, actor.paths(*KEEPERS))
    if not reason:
        return without_reason(found.application_id)
    return acted(
        lambda session: decide_revocation(
            session,
            actor=actor,
            revocation_id=revocation_id,
            is_confirmed=is_confirmed,
            reason=reason,
            today=local_day(now, settings().zone),
            now=now,
        ),
        gettext("The star is revoked. Its number says so from now on.")
        if is_confirmed
        else gettext("Rejected. The star stands."),
        found.application_id,
    )


@pages.get("/stars/applications/<id:application_id>/certificate.pdf")
@roles_only(*KEEPERS)
def print_certificate(application_id: int) -> ResponseReturnValue:
    """Hand a member's certificate out, for those who have no phone."""
    with reading() as session:
        found = application_of(session, application_id, current_actor().paths(*KEEPERS))
    font = find_font(settings().pdf_font)
    made = certificate_pdf(certificate_of(found), font, clock.now())
    response = Response(made, mimetype="application/pdf")
    response.headers["Content-Disposition"] = 'inline; filename="star-certificate.pdf"'
    return response
