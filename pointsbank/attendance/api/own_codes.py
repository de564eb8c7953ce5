"""The JSON door of one's own codes for shifts: what a phone needs without a network."""

from typing import Any

from marshmallow import Schema, fields

from pointsbank.attendance.own_codes import OwnShift, own_shifts
from pointsbank.core import clock
from pointsbank.core.codes import Purpose, header_of, url_of
from pointsbank.core.db import reading
from pointsbank.core.keys import base64url
from pointsbank.members import codes
from pointsbank.web.access import current_actor, members_only
from pointsbank.web.contract import Blueprint
from pointsbank.web.forms import settings

api = Blueprint("own_codes_api", __name__, description="One's own codes for shifts.")


class OwnCodeOut(Schema):
    """A shift of one's own, the code of this moment, and the key that makes the next ones."""

    shift = fields.Dict()
    code = fields.String()
    url = fields.String()
    expires_at = fields.AwareDateTime(format="iso")
    header = fields.Integer()
    handle = fields.String()
    shift_handle = fields.String()
    key = fields.String()
    step_seconds = fields.Integer()
    keep_until = fields.AwareDateTime(format="iso")


class OwnCodesOut(Schema):
    """One's own codes for shifts, the soonest first."""

    items = fields.List(fields.Nested(OwnCodeOut))
    server_time = fields.AwareDateTime(format="iso")


@api.get("/me/shift-codes")
@api.response(200, OwnCodesOut)
@members_only
def show_own_codes() -> dict[str, Any]:
    """Answer the codes and keys of one's own shifts that run or begin within twelve hours."""
    now, secret = clock.now(), settings().secret_key
    with reading() as session:
        shifts = own_shifts(
            session, member_id=current_actor().member_id, secret=secret, now=now
        )

    def out(shift: OwnShift) -> dict[str, Any]:
        text = codes.personal_text(secret, shift.member_handle, shift.shift_handle, now)
        return {
            "shift": {
                "id": shift.id,
                "title": shift.title,
                "place_name": shift.place_name,
                "starts_at": shift.starts_at.isoformat(),
                "ends_at": shift.ends_at.isoformat(),
            },
            "code": text,
            "url": url_of(settings().public_url, Purpose.PERSONAL, text),
            "expires_at": codes.personal_ends_at(now),
            "header": header_of(Purpose.PERSONAL)[0],
            "handle": base64url(shift.member_handle),
            "shift_handle": base64url(shift.shift_handle),
            "key": base64url(shift.key),
            "step_seconds": codes.PERSONAL_STEP_SECONDS,
            "keep_until": shift.kept_until,
        }

    return {"items": [out(shift) for shift in shifts], "server_time": now}
