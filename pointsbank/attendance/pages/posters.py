"""The HTML door of a shift's wall poster, to print and to hang up."""

from flask import Blueprint, Response
from flask.typing import ResponseReturnValue

from pointsbank.attendance.codes import poster_text
from pointsbank.attendance.poster_pdf import Poster, poster_pdf
from pointsbank.core import clock
from pointsbank.core.codes import Purpose, url_of
from pointsbank.core.db import reading
from pointsbank.core.printing import find_font
from pointsbank.tasks.queries import shift_of
from pointsbank.web.access import current_actor, roles_only
from pointsbank.web.formats import clock_time, day, weekday
from pointsbank.web.forms import settings

pages = Blueprint("poster_pages", __name__)


@pages.get("/shifts/<id:shift_id>/poster")
@roles_only("organizer")
def download_poster(shift_id: int) -> ResponseReturnValue:
    """Answer the poster of a shift as a PDF; it may be had as often as it is wanted.

    Raises NoPrintFont.
    """
    font = find_font(settings().pdf_font)
    with reading() as session:
        shift, task = shift_of(session, shift_id, current_actor().paths("organizer"))
    text = poster_text(settings().secret_key, shift.handle)
    hours = f"{clock_time(shift.starts_at)}–{clock_time(shift.ends_at)}"
    poster = Poster(
        title=task.title,
        place=shift.place_name,
        when=f"{day(shift.starts_at)} {weekday(shift.starts_at)} {hours}",
        organization=task.organization_name,
        url=url_of(settings().public_url, Purpose.POSTER, text),
    )
    response = Response(poster_pdf(poster, font, clock.now()), mimetype="application/pdf")
    response.headers.set("Content-Disposition", "attachment", filename=f"poster-{shift_id}.pdf")
    return response
