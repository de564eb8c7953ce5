"""The HTML door of one's own code: the shift's, which needs no network, or the general one."""

import json
from datetime import timedelta
from typing import Any

from flask import Blueprint, Response, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext

from pointsbank.attendance.own_codes import OwnShift, own_shifts
from pointsbank.core import clock
from pointsbank.core.codes import Purpose, header_of, url_of
from pointsbank.core.db import reading
from pointsbank.core.keys import base64url
from pointsbank.members import codes
from pointsbank.members.pages.own import general_code_page
from pointsbank.members.queries import member_of
from pointsbank.web.access import anyone, current_actor, members_only
from pointsbank.web.formats import clock_time, moment
from pointsbank.web.forms import settings
from pointsbank.web.keeping import NOBODYS_FRAME, KeptPage, worker_of
from pointsbank.web.qr import qr_svg

pages = Blueprint("own_code_pages", __name__)

MY_CODE = KeptPage(
    name="pointsbank-own-codes",
    entries=("js/shiftcode.js",),
    pages=r"^/my-code$",
    shell="own_code_pages.code_shell",
)


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
    words = [code_words(each, member.display_name, member.volunteer_no) for each in shifts]
    return render_template(
        "attendance/my_code.html",
        shift=shift,
        others=[each for each in shifts if each.id != shift.id],
        where=where_words(shift),
        member={"name": member.display_name, "number": member.volunteer_no},
        code=code_now(shift),
        codes=json.dumps(words, ensure_ascii=False),
        links=own_links(),
    )


@pages.get("/my-code-shell")
@anyone
def code_shell() -> ResponseReturnValue:
    """Show the page without any shift or person: what a phone keeps for later."""
    return render_template(
        "attendance/my_code.html",
        shift=None,
        **NOBODYS_FRAME,
        others=[],
        where="",
        member={"name": "", "number": ""},
        code={"left": 0, "total": codes.PERSONAL_STEP_SECONDS},
        links=own_links(),
    )


@pages.get("/my-code-worker.js")
@anyone
def code_worker() -> Response:
    """Answer the service worker, with the names of the files that it keeps."""
    return worker_of(MY_CODE)


def own_links() -> dict[str, str]:
    """Return where the page leads to."""
    return {
        "home": url_for("home"),
        "attend": url_for("own_code_pages.show_code"),
        "redeem": url_for("member_pages.ask_for_redemption_code"),
        "general": url_for("member_pages.show_code"),
        "api": url_for("own_codes_api.show_own_codes"),
    }


def where_words(shift: OwnShift) -> str:
    """Return when check-in opens, and where."""
    opens_at = shift.starts_at - timedelta(minutes=settings().check_in_opens_minutes)
    opens = gettext("Check-in opens at %(time)s", time=clock_time(opens_at))
    return f"{opens} · {shift.place_name}"


def code_words(shift: OwnShift, name: str, number: str) -> dict[str, Any]:
    """Return what a phone keeps of a shift: the key of its codes, and the words beside them."""
    begins = moment(shift.starts_at)
    return {
        "id": shift.id,
        "header": header_of(Purpose.PERSONAL)[0],
        "handle": base64url(shift.member_handle),
        "shiftHandle": base64url(shift.shift_handle),
        "key": base64url(shift.key),
        "until": int(shift.kept_until.timestamp() * 1000),
        "name": name,
        "number": number,
        "when": f"{begins} {shift.title}",
        "where": where_words(shift),
        "label": gettext("Code for %(time)s · %(title)s", time=begins, title=shift.title),
    }


def code_now(shift: OwnShift) -> dict[str, Any]:
    """Return the code of this moment as the page prints it."""
    now, secret = clock.now(), settings().secret_key
    text = codes.personal_text(secret, shift.member_handle, shift.shift_handle, now)
    url = url_of(settings().public_url, Purpose.PERSONAL, text)
    left = (codes.personal_ends_at(now) - now).total_seconds()
    return {
        "svg": qr_svg(url),
        "left": max(1, round(left)),
        "total": codes.PERSONAL_STEP_SECONDS,
        "url_prefix": url.removesuffix(text),
        "now_ms": int(now.timestamp() * 1000),
    }
