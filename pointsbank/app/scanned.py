"""What a volunteer's code means to whoever opened its address; who is signed in decides.

Opening an address changes nothing, because link scanners open them too; a form does.
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from flask import Blueprint, current_app, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext
from itsdangerous import BadSignature, URLSafeTimedSerializer
from sqlalchemy import ScalarSelect, func, select
from sqlalchemy.orm import Session, aliased

from pointsbank.attendance.codes import look_at
from pointsbank.attendance.finding import NewScan
from pointsbank.attendance.models import Attendance
from pointsbank.attendance.recording import Verdict, record_scan
from pointsbank.attendance.schemas import desk_here, verdict_out
from pointsbank.attendance.words import result_words
from pointsbank.core import clock
from pointsbank.core.actor import Actor
from pointsbank.core.db import reading, run
from pointsbank.core.errors import Refusal
from pointsbank.core.keys import draw_token
from pointsbank.members.errors import ForgedCode, NotOurCode, WrongCodePurpose
from pointsbank.members.queries import display_names, member_id_of_handle
from pointsbank.members.showing import member_of_card
from pointsbank.organizations.models import Organization
from pointsbank.organizations.queries import within
from pointsbank.rewards.pages.counter import till_page
from pointsbank.tasks.models import Shift, Task
from pointsbank.web.access import (
    anyone,
    current_actor,
    roles_only,
    sign_in_address,
    visiting_actor,
)
from pointsbank.web.forms import settings, typed, typed_id
from pointsbank.web.metrics import SCANS

pages = Blueprint("scanned_pages", __name__)

# So long may the organizer look at the page before pressing; the code is judged as of its
# opening.
TICKET_SECONDS = 300
SHIFTS_SHOWN = 20
CODE_TYPED_MAX = 500
NONCE_TYPED_MAX = 64
REASON_LENGTH_MAX = 200


@pages.get("/M/<string:code>")
@pages.get("/m/<string:code>")
@anyone
def show_personal(code: str) -> ResponseReturnValue:
    """Show what a personal code means to the person who opened it."""
    return scanned(code, owner_of_personal)


@pages.get("/K/<string:code>")
@pages.get("/k/<string:code>")
@anyone
def show_card(code: str) -> ResponseReturnValue:
    """Show what a paper card means to the person who opened it."""
    actor = visiting_actor()
    if actor is None or actor.is_("organizer") or not actor.merchant_ids():
        return scanned(code, owner_of_card)
    ids = actor.merchant_ids()
    if len(ids) > 1:
        return redirect(url_for("till_pages.choose_till"))
    # The till judges the card, with its PIN; here it is only put where it would be typed.
    return till_page(ids[0], "code", {"quantity": 1, "code": code})


def scanned(code: str, owner_of: Callable[[str, datetime], int]) -> ResponseReturnValue:
    """Decide by who is signed in: the owner, an organizer, a clerk, or anybody else."""
    actor, now = visiting_actor(), clock.now()
    is_organizer = actor is not None and actor.is_("organizer")
    owner_id: int | None = None
    try:
        owner_id = owner_of(code, now)
    except Refusal:
        # Whether a code is genuine is an organizer's to know, and nobody else's.
        if is_organizer:
            raise
    if actor is not None and owner_id == actor.member_id:
        return redirect(url_for("own_code_pages.show_code"))
    if actor is not None and owner_id is not None and is_organizer:
        return organizers_page(actor, code.upper(), owner_id, now)
    is_clerk = actor is not None and bool(actor.merchant_ids())
    return render_template(
        "app/scanned.html",
        whose="clerk" if is_clerk else "stranger",
        links={
            "home": url_for("home"),
            "sign_in": "" if actor else sign_in_address(),
            "till": url_for("till_pages.choose_till") if is_clerk else "",
        },
    )


def owner_of_personal(code: str, now: datetime) -> int:
    """Return whose personal code this is, fresh or not.

    Raises NotOurCode, WrongCodePurpose, ForgedCode.
    """
    sight = look_at(code, secret=settings().secret_key, at=now)
    if sight.kind == "unknown":
        raise NotOurCode
    if sight.kind != "personal" or sight.member_handle is None:
        raise WrongCodePurpose
    with reading() as session:
        owner_id = member_id_of_handle(session, sight.member_handle)
    if not sight.is_genuine or owner_id is None:
        raise ForgedCode
    return owner_id


def owner_of_card(code: str, now: datetime) -> int:
    """Return whose card this is.

    Raises what member_of_card raises.
    """
    with reading() as session:
        return member_of_card(session, text=code, secret=settings().secret_key, now=now)


def organizers_page(
    actor: Actor, code: str, owner_id: int, now: datetime
) -> ResponseReturnValue:
    """Show an organizer the shifts under way, each with a button that checks in or out."""
    with reading() as session:
        name = display_names(session, [owner_id])[owner_id]
        shifts = shifts_under_way(session, actor, owner_id, now)
    return render_template(
        "app/scanned.html",
        whose="organizer",
        name=name,
        ticket=tickets().dumps(code),
        shifts=shifts,
        action=url_for("scanned_pages.scan_here"),
        links={"home": url_for("home")},
    )


def shifts_under_way(
    session: Session, actor: Actor, member_id: int, now: datetime
) -> list[dict[str, Any]]:
    """Return the shifts at which this organizer may scan now, with the way that comes next."""
    rules = settings()
    rows = session.execute(
        select(
            Shift.id,
            Shift.starts_at,
            Shift.ends_at,
            Shift.place_name,
            Task.title,
            Attendance.checked_in_at,
            Attendance.checked_out_at,
        )
        .join(Task, Task.id == Shift.task_id)
        .join(Organization, Organization.id == Task.organization_id)
        .outerjoin(
            Attendance,
            (Attendance.shift_id == Shift.id)
            & (Attendance.member_id == member_id)
            & (Attendance.occurrence == last_coming(member_id)),
        )
        .where(
            Task.state == "open",
            Shift.called_off_at.is_(None),
            within(Organization.path, actor.paths("organizer")),
            Shift.starts_at <= now + timedelta(minutes=rules.check_in_opens_minutes),
            Shift.ends_at >= now - timedelta(minutes=rules.check_out_stays_minutes),
        )
        .order_by(Shift.starts_at, Shift.id)
        .limit(SHIFTS_SHOWN)
    )
    return [
        {
            "id": row.id,
            "title": row.title,
            "place_name": row.place_name,
            "starts_at": row.starts_at,
            "ends_at": row.ends_at,
            "checked_in_at": row.checked_in_at,
            "checked_out_at": row.checked_out_at,
            "direction": "out" if row.checked_in_at and not row.checked_out_at else "in",
            "may_return": row.checked_out_at is not None and now < row.ends_at,
            "nonce": draw_token(),
        }
        for row in rows
    ]


def last_coming(member_id: int) -> ScalarSelect[int | None]:
    """Return the number of the last time that a person came to a shift and did not say
    otherwise."""
    came = aliased(Attendance)
    return (
        select(func.max(came.occurrence))
        .where(came.shift_id == Shift.id, came.member_id == member_id, came.state != "rejected")
        .scalar_subquery()
    )


@pages.post("/scanned")
@roles_only("organizer")
def scan_here() -> ResponseReturnValue:
    """Check the person of an opened code in or out at one shift, and show the verdict."""
    ticket = typed("ticket", CODE_TYPED_MAX)
    code, seen_at = read_ticket(ticket)
    nonce = typed("nonce", NONCE_TYPED_MAX)
    direction = request.form.get("direction", "")
    scan = NewScan(
        nonce=nonce if nonce and nonce.isascii() and nonce.isprintable() else draw_token(),
        code=code,
        shift_id=typed_id("shift_id"),
        direction=direction if direction in ("in", "out") else "auto",
        confirm=request.form.get("confirm") == "1",
        note=typed("reason", REASON_LENGTH_MAX) or None,
    )
    actor, desk, now = current_actor(), desk_here(), clock.now()
    verdict = run(
        lambda session: record_scan(session, actor, scan, desk, now=now, seen_at=seen_at)
    )
    SCANS.labels(verdict.facts["result"], verdict.facts["reason"]).inc()
    return verdict_page(verdict, ticket, scan)


def verdict_page(verdict: Verdict, ticket: str, scan: NewScan) -> ResponseReturnValue:
    """Show a verdict on the whole screen, with the one way on that it allows."""
    shown = verdict_out(verdict)
    acts: list[dict[str, Any]] = [
        {"label": gettext("To the home page"), "href": url_for("home")}
    ]
    if shown["may_confirm"]:
        fields = {
            "ticket": ticket,
            "shift_id": scan.shift_id or "",
            "direction": shown["direction"] or scan.direction,
            "nonce": draw_token(),
            "confirm": "1",
        }
        action = url_for("scanned_pages.scan_here")
        acts.insert(0, {"label": shown["action"], "action": action, "fields": fields})
    undo = None
    if shown["undo_until"] and scan.shift_id is not None:
        address = url_for(
            "attendance_pages.undo", shift_id=scan.shift_id, scan_id=verdict.scan_id
        )
        undo = {"action": address}
    return render_template(
        "attendance/result.html", **result_words(shown, acts=acts, undo=undo)
    )


def tickets() -> URLSafeTimedSerializer:
    """Return what signs the code and the moment at which an organizer opened it."""
    return URLSafeTimedSerializer(current_app.config["SECRET_KEY"], salt="scanned code")


def read_ticket(ticket: str) -> tuple[str, datetime | None]:
    """Return the code of a ticket and when it was opened; of one that is none, nothing good."""
    try:
        code, opened_at = tickets().loads(ticket, max_age=TICKET_SECONDS, return_timestamp=True)
    except BadSignature:
        return "", None
    return str(code), opened_at
