"""The HTML door of one's own code: the shift's, which needs no network, or the general one."""

from datetime import timedelta
from typing import Any

from flask import Blueprint, render_template, request, url_for
from flask.typing import ResponseReturnValue

from pointsbank.attendance.own_codes import OwnShift, own_shifts
from pointsbank.core import clock
from pointsbank.core.codes import Purpose, header_of, url_of
from pointsbank.core.db import reading
from pointsbank.core.keys import base64url
from pointsbank.members import codes
from pointsbank.members.pages.own import general_code_page
from pointsbank.members.queries import member_of
from pointsbank.web.access import current_actor, members_only
from pointsbank.web.forms import settings
from pointsbank.web.qr import qr_svg

pages = Blueprint("own_code_pages", __name__)


@pages.get("/my-code")
@members_only
def show_code() -> ResponseReturnValue:
    """Show the code for the shift that runs or comes next, or the general one without such."""
    actor, now = current_actor(), clock.now()
    with reading() as session:
        shifts = own_shifts(
            session, member_id=actor.member_id, secret=settings().secret_key, now=now
        )
        member = member_of(session, actor.member_id)
    if not shifts:
        return general_code_page()
    asked = request.args.get("shift", "")
    shift = next((each for each in shifts if str(each.id) == asked), shifts[0])
    opens = timedelta(minutes=settings().check_in_opens_minutes)
    return render_template(
        "attendance/my_code.html",
        shift=shift,
        others=[each for each in shifts if each.id != shift.id],
        opens_at=shift.starts_at - opens,
        member={"name": member.display_name, "number": member.volunteer_no},
        code=code_words(shift),
        links={
            "home": url_for("home"),
            "attend": url_for("own_code_pages.show_code"),
            "redeem": url_for("member_pages.ask_for_redemption_code"),
            "general": url_for("member_pages.show_code"),
            "api": url_for("own_codes_api.show_own_codes"),
        },
    )


def code_words(shift: OwnShift) -> dict[str, Any]:
    """Return the code of this moment, and what the page needs to go on by itself."""
    now, secret = clock.now(), settings().secret_key
    text = codes.personal_text(secret, shift.member_handle, shift.shift_handle, now)
    url = url_of(settings().public_url, Purpose.PERSONAL, text)
    left = (codes.personal_ends_at(now) - now).total_seconds()
    return {
        "svg": qr_svg(url),
        "left": max(1, round(left)),
        "total": codes.PERSONAL_STEP_SECONDS,
        "header": header_of(Purpose.PERSONAL)[0],
        "handle": base64url(shift.member_handle),
        "shift_handle": base64url(shift.shift_handle),
        "key": base64url(shift.key),
        "url_prefix": url.removesuffix(text),
        "now_ms": int(now.timestamp() * 1000),
        "until_ms": int(shift.kept_until.timestamp() * 1000),
    }
