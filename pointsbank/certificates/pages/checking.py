"""The page on which anybody looks up what the number on a certificate proves."""

from flask import Blueprint, make_response, render_template, request, url_for
from flask.typing import ResponseReturnValue

from pointsbank.certificates.checking import checked, count_check
from pointsbank.certificates.errors import StarNumberNotFound, TooManyNumbers
from pointsbank.certificates.queries import Award
from pointsbank.certificates.schemas import NUMBER_TYPED_MAX
from pointsbank.certificates.words import stars_words
from pointsbank.core import clock
from pointsbank.core.db import reading, transaction
from pointsbank.web.access import anyone
from pointsbank.web.errors import sentence_of, status_of
from pointsbank.web.forms import settings, typed

pages = Blueprint("number_pages", __name__)


@pages.get("/stars/check")
@anyone
def ask() -> ResponseReturnValue:
    """Ask for the number; it stands in no address."""
    return page("", None, "", 200)


@pages.post("/stars/check")
@anyone
def check() -> ResponseReturnValue:
    """Say whether the number is valid or revoked, the stars and a masked name."""
    number = typed("number", NUMBER_TYPED_MAX)
    try:
        with transaction() as session:
            count_check(
                session,
                client=request.remote_addr or "",
                secret=settings().secret_key,
                now=clock.now(),
            )
        with reading() as session:
            award = checked(session, number)
    except (StarNumberNotFound, TooManyNumbers) as refusal:
        return page(number, None, sentence_of(refusal), status_of(refusal))
    return page(number, award, "", 200)


def page(number: str, award: Award | None, error: str, status: int) -> ResponseReturnValue:
    """Render the page, and keep it out of search engines."""
    response = make_response(
        render_template(
            "certificates/check.html",
            number=number,
            award=award,
            stars=stars_words(award.stars) if award else "",
            error=error,
            length_max=NUMBER_TYPED_MAX,
            links={"here": url_for("number_pages.ask"), "home": url_for("home")},
        ),
        status,
    )
    response.headers["X-Robots-Tag"] = "noindex, nofollow"
    return response
