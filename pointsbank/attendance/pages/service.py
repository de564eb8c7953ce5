"""A person's own services: the list, "I did not take part", and the answer to a no-show."""

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext

from pointsbank.attendance.errors import NotAttended
from pointsbank.attendance.hours_schemas import (
    NO_SHOW_WORDS,
    REASON_LENGTH_MAX,
    no_show_out,
    service_words,
)
from pointsbank.attendance.no_shows import OPEN_STATES, answer_no_show, no_shows_of
from pointsbank.attendance.own_service import services_of, shift_of_claim
from pointsbank.attendance.rejecting import own_line, reject_attendance
from pointsbank.attendance.review_errors import WhyMissing
from pointsbank.core import clock
from pointsbank.core.calendar import local_day
from pointsbank.core.db import reading, run
from pointsbank.web.access import current_actor, members_only
from pointsbank.web.contract import cursor_from, position_from
from pointsbank.web.forms import attempt, settings, typed

pages = Blueprint("service_pages", __name__)

SERVICES_A_PAGE = 20


@pages.get("/service")
@members_only
def list_services() -> ResponseReturnValue:
    """List the shifts one came to, with what counted and why, and those one missed."""
    member_id, now = current_actor().member_id, clock.now()
    before_id = position_from(request.args.get("cursor"))
    with reading() as session:
        found = services_of(session, member_id, before_id=before_id, limit=SERVICES_A_PAGE + 1)
        missed = no_shows_of(session, member_id) if before_id is None else []
    shown = found[:SERVICES_A_PAGE]
    more = cursor_from(shown[-1].id) if len(found) > SERVICES_A_PAGE else None
    return render_template(
        "attendance/service.html",
        services=[
            {
                **service_words(each),
                "reject": url_for("service_pages.ask_rejection", shift_id=each.shift_id),
            }
            for each in shown
        ],
        missed=[
            {
                **no_show_out(each),
                "word": str(NO_SHOW_WORDS[each.state]),
                "may_answer": each.state in OPEN_STATES and now <= each.answer_by,
                "action": url_for("service_pages.answer", claim_id=each.claim_id),
            }
            for each in missed
        ],
        length_max=REASON_LENGTH_MAX,
        links={
            "home": url_for("home"),
            "next": url_for("service_pages.list_services", cursor=more) if more else "",
            "first": url_for("service_pages.list_services") if before_id else "",
        },
    )


@pages.get("/service/claims/<id:claim_id>")
@members_only
def of_claim(claim_id: int) -> ResponseReturnValue:
    """Lead from a line of the passbook, which names a claim, to its shift."""
    with reading() as session:
        shift_id = shift_of_claim(session, claim_id, current_actor().member_id)
    if shift_id is None:
        raise NotAttended
    return redirect(url_for("service_pages.ask_rejection", shift_id=shift_id))


@pages.get("/service/<id:shift_id>/rejection")
@members_only
def ask_rejection(shift_id: int) -> ResponseReturnValue:
    """Ask once more before one's own entry is struck out."""
    with reading() as session:
        shift, task, line = own_line(session, shift_id, current_actor().member_id)
    return render_template(
        "attendance/rejection.html",
        shift={
            "title": task.title,
            "place": shift.place_name,
            "starts_at": shift.starts_at,
            "ends_at": shift.ends_at,
        },
        came=line.checked_in_at,
        left=line.checked_out_at,
        points=line.points or 0,
        is_struck=not line.standing,
        length_max=REASON_LENGTH_MAX,
        links={
            "back": url_for("service_pages.list_services"),
            "here": url_for("service_pages.reject", shift_id=shift_id),
        },
    )


@pages.post("/service/<id:shift_id>/rejection")
@members_only
def reject(shift_id: int) -> ResponseReturnValue:
    """Strike one's own entry out."""
    actor, now = current_actor(), clock.now()
    today = local_day(now, settings().zone)
    note = typed("note", REASON_LENGTH_MAX) or None
    attempt(
        lambda: run(
            lambda session: reject_attendance(
                session,
                member_id=actor.member_id,
                shift_id=shift_id,
                note=note,
                today=today,
                now=now,
            )
        ),
        gettext("Struck out. The organizer and the branch were told."),
    )
    return redirect(url_for("service_pages.list_services"), 303)


@pages.post("/service/claims/<id:claim_id>/answer")
@members_only
def answer(claim_id: int) -> ResponseReturnValue:
    """Say why one did not come."""
    actor, now = current_actor(), clock.now()
    words = typed("answer", REASON_LENGTH_MAX)

    def act() -> object:
        if not words:
            raise WhyMissing
        return run(
            lambda session: answer_no_show(
                session,
                claim_id=claim_id,
                member_id=actor.member_id,
                answer=words,
                now=now,
            )
        )

    attempt(act, gettext("Your answer was sent."))
    return redirect(url_for("service_pages.list_services"), 303)
