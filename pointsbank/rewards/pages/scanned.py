"""The HTML door of a redemption code that was scanned with WeChat or the system's camera."""

from datetime import datetime

from flask import Blueprint, render_template, request, url_for
from flask.typing import ResponseReturnValue

from pointsbank.core import clock
from pointsbank.core.db import reading
from pointsbank.core.errors import Refusal
from pointsbank.members.codes import digits_in
from pointsbank.members.errors import NotOurCode
from pointsbank.members.showing import member_of_redemption_code
from pointsbank.organizations.queries import merchants_within
from pointsbank.rewards.pages.counter import till_page
from pointsbank.web.access import current_actor, members_only
from pointsbank.web.forms import settings

pages = Blueprint("redemption_code_pages", __name__)

ID_DIGITS_MAX = 18


@pages.get("/R/<string:code>")
@pages.get("/r/<string:code>")
@members_only
def show_scanned(code: str) -> ResponseReturnValue:
    """Decide by who is signed in what a scanned code leads to; nothing is changed."""
    actor, now = current_actor(), clock.now()
    owner_id, refusal = owner_of(code, now)
    if owner_id == actor.member_id:
        return scanned_page("own", None)
    ids = actor.merchant_ids()
    if not ids:
        return scanned_page("foreign", None)
    if len(ids) > 1 and whole_asked("merchant") not in ids:
        return scanned_page("choose", code)
    merchant_id = whole_asked("merchant") if len(ids) > 1 else ids[0]
    form = {"quantity": 1, "code": "" if refusal else code.upper()}
    return till_page(merchant_id or ids[0], "code", form, refusal)


def owner_of(code: str, now: datetime) -> tuple[int | None, Refusal | None]:
    """Return whose code an address holds, or why it is not good.

    Only the long form stands in an address. The 18 digits could be tried out there without
    being counted.
    """
    if digits_in(code).isdigit():
        return None, NotOurCode()
    try:
        with reading() as session:
            secret = settings().secret_key
            return member_of_redemption_code(session, text=code, secret=secret, now=now), None
    except Refusal as refusal:
        return None, refusal


def whole_asked(name: str) -> int | None:
    """Return a number of the query, None for anything else."""
    text = request.args.get(name, "")
    is_number = text.isascii() and text.isdigit() and len(text) <= ID_DIGITS_MAX
    return int(text) if is_number else None


def scanned_page(whose: str, code: str | None) -> ResponseReturnValue:
    """Render what a code means to one who takes no points, or the choice of a counter."""
    entries = []
    if code is not None:
        with reading() as session:
            merchants = merchants_within(session, (), ids=current_actor().merchant_ids())
        entries = [
            (each, url_for("redemption_code_pages.show_scanned", code=code, merchant=each.id))
            for each in merchants
        ]
    return render_template(
        "rewards/scanned.html",
        whose=whose,
        entries=entries,
        links={
            "home": url_for("home"),
            "code": url_for("member_pages.ask_for_redemption_code"),
        },
    )
