"""What the lead does after a shift: missing check-outs, overtime, who did not come, who
counts."""

from collections.abc import Callable
from datetime import datetime

from flask import Blueprint, redirect, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext
from sqlalchemy.orm import Session

from pointsbank.attendance.completing import enter_check_outs, let_count
from pointsbank.attendance.errors import CheckOutOutOfBounds, OvertimeOutOfBounds
from pointsbank.attendance.hours_schemas import REASON_LENGTH_MAX
from pointsbank.attendance.no_shows import record_no_shows
from pointsbank.attendance.overtimes import (
    OVERTIME_HOURS_MAX,
    ask_overtime,
    withdraw_overtime,
)
from pointsbank.attendance.review_errors import WhyMissing
from pointsbank.core import clock
from pointsbank.core.db import run
from pointsbank.web.access import current_actor, roles_only
from pointsbank.web.forms import attempt, settings, typed, typed_id

pages = Blueprint("closing_pages", __name__)

MOMENT_TYPED_MAX = len("2026-11-21T16:00")


def typed_moment(name: str) -> datetime | None:
    """Return a local moment as a date and time field sends it, None for anything else."""
    try:
        moment = datetime.fromisoformat(typed(name, MOMENT_TYPED_MAX))
    except ValueError:
        return None
    return moment.replace(tzinfo=settings().zone) if moment.tzinfo is None else None


def why() -> str:
    """Return the reason that was typed.

    Raises WhyMissing.
    """
    reason = typed("reason", REASON_LENGTH_MAX)
    if not reason:
        raise WhyMissing
    return reason


def done(shift_id: int, act: Callable[[Session], object], words: str) -> ResponseReturnValue:
    """Carry out an act, and show the sheet again with what became of it."""
    attempt(lambda: run(act), words)
    return redirect(url_for("attendance_pages.sheet", shift_id=shift_id), 303)


@pages.post("/shifts/<id:shift_id>/check-outs")
@roles_only("organizer")
def enter(shift_id: int) -> ResponseReturnValue:
    """Enter the check-out of one person, or of everyone who lacks it: they left at the end."""
    actor, now = current_actor(), clock.now()
    member_id = typed_id("member_id")

    def act(session: Session) -> int:
        left_at = typed_moment("left_at") if request.form.get("left_at") else None
        if request.form.get("left_at") and left_at is None:
            raise CheckOutOutOfBounds
        return enter_check_outs(
            session,
            shift_id=shift_id,
            actor_id=actor.member_id,
            paths=actor.paths("organizer"),
            reason=why(),
            secret=settings().secret_key,
            now=now,
            left_at=left_at,
            only=[member_id] if member_id is not None else None,
        )

    return done(shift_id, act, gettext("The check-outs are entered."))


@pages.post("/shifts/<id:shift_id>/standing")
@roles_only("organizer")
def let_stand(shift_id: int) -> ResponseReturnValue:
    """Say that somebody was there who had given their place up."""
    actor, now = current_actor(), clock.now()

    def act(session: Session) -> None:
        let_count(
            session,
            shift_id=shift_id,
            member_id=typed_id("member_id") or 0,
            actor_id=actor.member_id,
            paths=actor.paths("organizer"),
            reason=why(),
            now=now,
        )

    return done(shift_id, act, gettext("They count. Settle again to enter their points."))


@pages.post("/shifts/<id:shift_id>/overtime")
@roles_only("organizer")
def ask(shift_id: int) -> ResponseReturnValue:
    """Ask that time after the end counts."""
    actor, now = current_actor(), clock.now()

    def act(session: Session) -> None:
        until = typed_moment("until")
        if until is None:
            raise OvertimeOutOfBounds(hours=OVERTIME_HOURS_MAX)
        ask_overtime(
            session, shift_id=shift_id, actor=actor, until=until, reason=why(), now=now
        )

    return done(shift_id, act, gettext("Asked for. Somebody else decides, then settle."))


@pages.post("/shifts/<id:shift_id>/overtime/withdrawal")
@roles_only("organizer")
def withdraw(shift_id: int) -> ResponseReturnValue:
    """Take back what was asked for and not decided."""
    actor, now = current_actor(), clock.now()

    def act(session: Session) -> None:
        withdraw_overtime(session, shift_id=shift_id, actor=actor, now=now)

    return done(shift_id, act, gettext("Taken back."))


@pages.post("/shifts/<id:shift_id>/no-shows")
@roles_only("organizer")
def record(shift_id: int) -> ResponseReturnValue:
    """Record one person, or everyone, who had a place and did not come."""
    actor, now = current_actor(), clock.now()
    member_id = typed_id("member_id")

    def act(session: Session) -> int:
        return record_no_shows(
            session,
            shift_id=shift_id,
            actor_id=actor.member_id,
            paths=actor.paths("organizer"),
            now=now,
            only=[member_id] if member_id is not None else None,
        )

    return done(shift_id, act, gettext("Recorded. Each was told and can answer for 7 days."))
