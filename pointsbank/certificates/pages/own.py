"""One's own way to a star: how far, applying, withdrawing, the certificate."""

from datetime import date
from typing import Any

from flask import Blueprint, Response, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext

from pointsbank.certificates.applying import apply_for_star, withdraw_application
from pointsbank.certificates.certificate_pdf import certificate_pdf
from pointsbank.certificates.errors import StarApplicationNotFound
from pointsbank.certificates.models import OPEN_STATES
from pointsbank.certificates.pages.printing import certificate_of
from pointsbank.certificates.policy import way_of
from pointsbank.certificates.queries import (
    ApplicationFile,
    applications_of_member,
    barred_until,
    levels_on,
    own_application,
    stars_held,
)
from pointsbank.certificates.words import STATES, reason_words, star_count, stars_words
from pointsbank.core import clock
from pointsbank.core.calendar import local_day
from pointsbank.core.db import reading, run, transaction
from pointsbank.core.printing import find_font
from pointsbank.scoring.queries import service_minutes_of
from pointsbank.web.access import current_actor, members_only
from pointsbank.web.formats import hours
from pointsbank.web.forms import attempt, settings, typed_whole
from pointsbank.web.qr import qr_svg

pages = Blueprint("own_star_pages", __name__)

MAIN = "own_star_pages.show"


@pages.get("/stars")
@members_only
def show() -> ResponseReturnValue:
    """Show how many hours were served, how far the next star is, and what was applied for."""
    member_id, today = current_actor().member_id, local_day(clock.now(), settings().zone)
    with reading() as session:
        minutes = service_minutes_of(session, member_id)
        levels = levels_on(session, "volunteer", today)
        held = stars_held(session, member_id)
        until = barred_until(session, member_id, today)
        applications = applications_of_member(session, member_id)
    way = way_of(levels, minutes)
    is_open = any(each.state in OPEN_STATES for each in applications)
    may_apply = way.reached > held and not is_open and until is None
    return render_template(
        "certificates/own.html",
        minutes=minutes,
        way=way,
        next_words=star_count(way.next_stars),
        missing=hours(way.missing_minutes),
        held=stars_words(held),
        has_star=held > 0,
        apply_for={"stars": way.reached, "words": star_count(way.reached)}
        if may_apply
        else None,
        until=until,
        levels=[
            {"words": stars_words(stars), "hours": least, "is_reached": stars <= way.reached}
            for stars, least in levels.items()
        ],
        applications=[printed(each) for each in applications],
        links={"me": url_for("member_pages.show_me"), "apply": url_for("own_star_pages.apply")},
    )


def printed(found: ApplicationFile) -> dict[str, Any]:
    """Return one's own application as the page prints it."""
    return {
        "title": stars_words(found.stars),
        "state": found.state,
        "state_word": str(STATES[found.state]),
        "applied_at": found.applied_at,
        "hours": hours(found.service_minutes),
        "reason": reason_words(found.decision_reason) if found.state == "refused" else "",
        "number": found.number,
        "withdraw": url_for("own_star_pages.withdraw", application_id=found.id)
        if found.state in OPEN_STATES
        else "",
        "certificate": url_for("own_star_pages.show_certificate", application_id=found.id)
        if found.state == "awarded"
        else "",
    }


@pages.post("/stars")
@members_only
def apply() -> ResponseReturnValue:
    """Apply for the star that was reached."""
    member_id, now = current_actor().member_id, clock.now()
    stars = typed_whole("stars", 5)
    today: date = local_day(now, settings().zone)

    def act() -> None:
        run(
            lambda session: apply_for_star(
                session, member_id=member_id, stars=stars or 1, today=today, now=now
            )
        )

    attempt(act, gettext("Applied for. Your branch looks at it and shows it in public."))
    return redirect(url_for(MAIN), 303)


@pages.post("/stars/<id:application_id>/withdrawal")
@members_only
def withdraw(application_id: int) -> ResponseReturnValue:
    """Withdraw one's own application."""
    member_id, now = current_actor().member_id, clock.now()

    def act() -> None:
        with transaction() as session:
            withdraw_application(
                session, member_id=member_id, application_id=application_id, now=now
            )

    attempt(act, gettext("The application was withdrawn."))
    return redirect(url_for(MAIN), 303)


def awarded_to_me(application_id: int) -> ApplicationFile:
    """Return one's own star that stands.

    Raises StarApplicationNotFound.
    """
    with reading() as session:
        found = own_application(session, application_id, current_actor().member_id)
    if found.state != "awarded":
        raise StarApplicationNotFound
    return found


@pages.get("/stars/<id:application_id>/certificate")
@members_only
def show_certificate(application_id: int) -> ResponseReturnValue:
    """Show one's certificate as it is printed."""
    found = awarded_to_me(application_id)
    certificate = certificate_of(found)
    return render_template(
        "certificates/certificate.html",
        certificate=certificate,
        svg=qr_svg(certificate.url),
        links={
            "back": url_for(MAIN),
            "pdf": url_for("own_star_pages.print_certificate", application_id=application_id),
        },
    )


@pages.get("/stars/<id:application_id>/certificate.pdf")
@members_only
def print_certificate(application_id: int) -> ResponseReturnValue:
    """Hand one's certificate out as a PDF."""
    found = awarded_to_me(application_id)
    font = find_font(settings().pdf_font)
    made = certificate_pdf(certificate_of(found), font, clock.now())
    response = Response(made, mimetype="application/pdf")
    response.headers["Content-Disposition"] = 'inline; filename="star-certificate.pdf"'
    return response
