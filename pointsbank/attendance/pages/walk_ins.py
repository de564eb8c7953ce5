"""The HTML door of people who are registered on the spot and checked in at once."""

from flask import Blueprint, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext
from sqlalchemy.orm import Session

from pointsbank.attendance.errors import WalkInNotTaken
from pointsbank.attendance.schemas import desk_here, verdict_out
from pointsbank.attendance.walk_ins import NewWalkIn, WalkIn, take_walk_in
from pointsbank.attendance.words import result_words, title_of
from pointsbank.core import clock
from pointsbank.core.db import reading, run
from pointsbank.core.errors import Conflict, Invalid, NotAllowed, Refusal
from pointsbank.core.keys import draw_bytes, draw_token
from pointsbank.core.text import phone_from
from pointsbank.members.errors import NameMissing, NotAPhone
from pointsbank.members.models import HANDLE_BYTES
from pointsbank.members.schemas import NAME_LENGTH_MAX, PHONE_LENGTH_MAX
from pointsbank.tasks.queries import shift_of
from pointsbank.web.access import current_actor, roles_only
from pointsbank.web.errors import sentence_of, status_of
from pointsbank.web.forms import typed

pages = Blueprint("walk_in_pages", __name__)

NONCE_TYPED_MAX = 64
REASON_LENGTH_MAX = 200


@pages.get("/shifts/<id:shift_id>/walk-ins")
@roles_only("organizer")
def ask(shift_id: int) -> ResponseReturnValue:
    """Ask who stands there."""
    return walk_in_page(shift_id, {})


def walk_in_page(
    shift_id: int, words: dict[str, str], refusal: Refusal | None = None
) -> ResponseReturnValue:
    """Render the form, with what was typed and what was wrong with it."""
    with reading() as session:
        _, task = shift_of(session, shift_id, current_actor().paths("organizer"))
    error = sentence_of(refusal) if refusal else ""
    if isinstance(refusal, WalkInNotTaken):
        error = f"{title_of(refusal.facts['reason'])} · {error}"
    page = render_template(
        "attendance/walk_in.html",
        title=task.title,
        organization=task.organization_name,
        words=words,
        error=error,
        needs_reason=isinstance(refusal, WalkInNotTaken),
        nonce=draw_token(),
        action=url_for("walk_in_pages.take", shift_id=shift_id),
        links={"back": url_for("attendance_pages.station", shift_id=shift_id)},
    )
    return page, status_of(refusal) if refusal else 200


@pages.post("/shifts/<id:shift_id>/walk-ins")
@roles_only("organizer")
def take(shift_id: int) -> ResponseReturnValue:
    """Register the person and check them in, and show their new number."""
    actor, now, desk = current_actor(), clock.now(), desk_here()
    words = {
        "name": typed("name", NAME_LENGTH_MAX),
        "phone": typed("phone", PHONE_LENGTH_MAX),
        "reason": typed("reason", REASON_LENGTH_MAX),
    }

    def act(session: Session) -> WalkIn:
        return take_walk_in(session, actor, shift_id, walk_in, desk, now=now)

    try:
        walk_in = asked_of(words)
        taken = run(act)
    except (Invalid, Conflict, NotAllowed) as refusal:
        return walk_in_page(shift_id, words, refusal)
    shown = verdict_out(taken.verdict)
    number = gettext("Member no. %(number)s", number=taken.volunteer_no)
    shown["detail"] = f"{number} · {shown['detail']}"
    acts = [
        {
            "label": gettext("Register another person"),
            "href": url_for("walk_in_pages.ask", shift_id=shift_id),
        },
        {
            "label": gettext("Back to scanning"),
            "href": url_for("attendance_pages.station", shift_id=shift_id),
        },
    ]
    return render_template("attendance/result.html", **result_words(shown, acts=acts))


def asked_of(words: dict[str, str]) -> NewWalkIn:
    """Return who was typed.

    Raises NameMissing, NotAPhone.
    """
    phone = phone_from(words["phone"])
    if not words["name"]:
        raise NameMissing
    if words["phone"] and phone is None:
        raise NotAPhone
    nonce = typed("nonce", NONCE_TYPED_MAX)
    is_good = nonce and nonce.isascii() and nonce.isprintable() and " " not in nonce
    return NewWalkIn(
        nonce=nonce if is_good else draw_token(),
        name=words["name"],
        phone=phone,
        handle=draw_bytes(HANDLE_BYTES),
        reason=words["reason"] or None,
    )
