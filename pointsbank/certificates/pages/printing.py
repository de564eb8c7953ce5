"""An award as it is printed, for its member and for who looks after them."""

from flask import url_for

from pointsbank.certificates.certificate_pdf import Certificate
from pointsbank.certificates.errors import StarApplicationNotFound
from pointsbank.certificates.queries import ApplicationFile
from pointsbank.web.forms import settings


def certificate_of(found: ApplicationFile) -> Certificate:
    """Return the certificate of a star that stands.

    Raises StarApplicationNotFound.
    """
    if found.state != "awarded" or found.number is None or found.awarded_on is None:
        raise StarApplicationNotFound
    return Certificate(
        name=found.member_name,
        volunteer_no=found.volunteer_no,
        organization=found.organization_name,
        stars=found.stars,
        hours_needed=found.hours_needed,
        number=found.number,
        awarded_on=found.awarded_on,
        url=f"{settings().public_url.rstrip('/')}{url_for('number_pages.ask')}",
    )
