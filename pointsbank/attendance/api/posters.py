"""The JSON door of posters: the code that stays, and the digits of this moment."""

from typing import Any

from marshmallow import Schema, fields

from pointsbank.attendance.codes import (
    digits_end_at,
    digits_slot_at,
    poster_text,
    venue_digits,
)
from pointsbank.core import clock
from pointsbank.core.codes import Purpose, url_of
from pointsbank.core.db import reading
from pointsbank.tasks.queries import shift_of
from pointsbank.web.access import current_actor, roles_only
from pointsbank.web.contract import Blueprint
from pointsbank.web.forms import settings

api = Blueprint("posters_api", __name__, description="Posters and their digits.")


class PosterOut(Schema):
    """A shift's poster, with what the venue's screen shows beside it now."""

    code = fields.String()
    url = fields.String()
    digits = fields.String()
    digits_expire_at = fields.AwareDateTime(format="iso")


@api.get("/shifts/<id:shift_id>/poster")
@api.response(200, PosterOut)
@roles_only("organizer")
def show_poster(shift_id: int) -> dict[str, Any]:
    """Answer the code of a shift's poster, and the four digits that go with it now."""
    secret, now = settings().secret_key, clock.now()
    with reading() as session:
        shift, _ = shift_of(session, shift_id, current_actor().paths("organizer"))
    text = poster_text(secret, shift.handle)
    return {
        "code": text,
        "url": url_of(settings().public_url, Purpose.POSTER, text),
        "digits": venue_digits(secret, shift.handle, digits_slot_at(now)),
        "digits_expire_at": digits_end_at(now),
    }
