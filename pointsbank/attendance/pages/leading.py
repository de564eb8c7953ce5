"""The HTML door of the person in charge: the venue's screen, the sheet, settlement."""

import base64
from datetime import datetime
from typing import Any

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext
from sqlalchemy.orm import Session

from pointsbank.attendance.codes import (
    VENUE_SLOT_SECONDS,
    digits_slot_at,
    slot_at,
    slot_ends_at,
    venue_digits,
    venue_key,
    venue_text,
)
from pointsbank.attendance.differences import open_differences
from pointsbank.attendance.hours_schemas import CUT_WORDS, FLAG_WORDS, HELD_WORDS, closing_words
from pointsbank.attendance.overtimes import overtime_of
from pointsbank.attendance.queries import (
    arrivals_of,
    latest_arrivals,
)
from pointsbank.attendance.rationing import waits_for_budget
from pointsbank.attendance.schemas import (
    sheet_line_out,
)
from pointsbank.attendance.settling import (
    NOTHING_TO_ENTER,
    Settlement,
    ShiftRules,
    have_all_left,
    is_to_settle,
    settle_shift,
    shift_rules,
)
from pointsbank.attendance.sheet import SheetLine, sheet_lines
from pointsbank.attendance.vouching import vouching_of
from pointsbank.core import clock
from pointsbank.core.codes import Purpose, header_of, url_of
from pointsbank.core.db import reading, run
from pointsbank.core.text import masked_name
from pointsbank.scoring.policy import DAY_FULL
from pointsbank.tasks.queries import ShiftLine, TaskLine, shift_of
from pointsbank.web.access import current_actor, roles_only
from pointsbank.web.formats import clock_time
from pointsbank.web.forms import attempt, settings
from pointsbank.web.qr import qr_svg

pages = Blueprint("attendance_pages", __name__)


def own_shift(session: Session, shift_id: int) -> tuple[ShiftLine, TaskLine]:
    """Return a shift that the person in this request organizes, with its task.

    Raises ShiftNotFound.
    """
    return shift_of(session, shift_id, current_actor().paths("organizer"))


def asked_direction() -> str:
    """Return which way a screen stands."""
    return "out" if request.values.get("direction") == "out" else "in"


def shift_words(shift: ShiftLine, task: TaskLine) -> dict[str, Any]:
    """Return a shift as these pages print it."""
    return {
        "id": shift.id,
        "title": task.title,
        "place": shift.place_name,
        "starts_at": shift.starts_at,
        "ends_at": shift.ends_at,
        "places": shift.places,
    }


@pages.get("/shifts/<id:shift_id>/venue")
@roles_only("organizer")
def venue(shift_id: int) -> ResponseReturnValue:
    """Show the venue's screen: the code, new every 15 seconds, and how many have come."""
    direction, now = asked_direction(), clock.now()
    with reading() as session:
        shift, task = own_shift(session, shift_id)
        arrivals = arrivals_of(session, shift_id)
        latest = latest_arrivals(session, shift_id)
    return render_template(
        "attendance/venue.html",
        shift=shift_words(shift, task),
        organization=task.organization_name,
        lead=masked_name(task.organizer_name),
        direction=direction,
        arrived=arrivals.arrived,
        recent=[{"time": clock_time(at), "name": masked_name(name)} for at, name in latest],
        code=code_words(shift, direction, now),
        links={
            "station": url_for("attendance_pages.station", shift_id=shift_id),
            "in": url_for("attendance_pages.venue", shift_id=shift_id, direction="in"),
            "out": url_for("attendance_pages.venue", shift_id=shift_id, direction="out"),
            "live": url_for("attendance_api.show_arrivals", shift_id=shift_id),
            "api": url_for("attendance_api.show_venue_code", shift_id=shift_id),
            "poster": url_for("posters_api.show_poster", shift_id=shift_id),
            "print": url_for("poster_pages.download_poster", shift_id=shift_id),
        },
    )


def code_words(shift: ShiftLine, direction: str, now: datetime) -> dict[str, Any]:
    """Return what the screen needs to go on by itself: the key opens this one shift's codes
    only."""
    secret, public_url = settings().secret_key, settings().public_url
    text = venue_text(secret, shift.handle, slot_at(now), direction)
    url = url_of(public_url, Purpose.VENUE, text)
    key = base64url(venue_key(secret, shift.handle))
    return {
        "svg": qr_svg(url),
        "left": min(VENUE_SLOT_SECONDS, int((slot_ends_at(now) - now).total_seconds()) + 1),
        "header": header_of(Purpose.VENUE)[0],
        "handle": base64url(shift.handle),
        "key_in": key,
        "key_out": key,
        "url_prefix": url.removesuffix(text),
        "now_ms": int(now.timestamp() * 1000),
        "digits": venue_digits(secret, shift.handle, digits_slot_at(now)),
    }


def base64url(data: bytes) -> str:
    """Write bytes as a script reads them."""
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


@pages.get("/shifts/<id:shift_id>/attendance")
@roles_only("organizer")
def sheet(shift_id: int) -> ResponseReturnValue:
    """Show everyone on a shift, what each would get, and the settlement."""
    now, zone, actor_id = clock.now(), settings().zone, current_actor().member_id
    with reading() as session:
        shift, task = own_shift(session, shift_id)
        lines = sheet_lines(session, shift_id)
        arrivals = arrivals_of(session, shift_id)
        rules = shift_rules(session, lines, shift, task, zone)
        differences = open_differences(session, shift_id)
        vouching = vouching_of(session, shift_id)
        overtime = overtime_of(session, shift_id)
    rows = [line_words(line, sheet_line_out(line, rules, now)) for line in lines]
    came = [line for line in lines if line.has_come]
    open_lines = [line for line in came if line.settled_at is None]
    is_over = now >= shift.ends_at or have_all_left(came)
    return render_template(
        "attendance/sheet.html",
        shift={**shift_words(shift, task), "is_over": is_over},
        counts={
            "arrived": arrivals.arrived,
            "present": arrivals.present,
            "claimed": len(lines),
        },
        lines=rows,
        total={
            "points": sum(row["points"] for row in rows if row["counts"]),
            "people": sum(1 for row in rows if row["counts"]),
            "held": sum(1 for row in rows if row["waits"]),
            "nothing": sum(1 for row in rows if row["is_nothing"]),
            "waiting": sum(1 for line in came if waits_for_budget(line)),
            "again": sum(
                1 for line in came if is_to_settle(line, actor_id) and has_news(line, rules)
            ),
        },
        closing=closing_words(lines, overtime, actor_id),
        settled_at=max((line.settled_at for line in came if line.settled_at), default=None)
        if not open_lines
        else None,
        is_open=task.state == "open" and shift.called_off_at is None,
        differences=differences,
        vouching=vouching,
        links={
            "back": url_for("organizing_pages.show_plan", task_id=task.id),
            "people": url_for("looking_up_pages.look_up", shift_id=shift_id),
            "watching": url_for("watching_pages.watch", shift_id=shift_id),
            "vouching": url_for("watching_pages.vouch", shift_id=shift_id),
            "differences": url_for("difference_pages.list_differences", shift_id=shift_id),
            "station": url_for("attendance_pages.station", shift_id=shift_id),
            "venue": url_for("attendance_pages.venue", shift_id=shift_id),
            "settle": url_for("attendance_pages.settle", shift_id=shift_id),
            "check_outs": url_for("closing_pages.enter", shift_id=shift_id),
            "standing": url_for("closing_pages.let_stand", shift_id=shift_id),
            "overtime": url_for("closing_pages.ask", shift_id=shift_id),
            "overtime_back": url_for("closing_pages.withdraw", shift_id=shift_id),
            "no_shows": url_for("closing_pages.record", shift_id=shift_id),
        },
    )


def has_news(line: SheetLine, rules: ShiftRules) -> bool:
    """Tell whether settling again may decide otherwise: a full day may have room by now."""
    return line.held_reason != DAY_FULL or rules.award_of(line).reason != DAY_FULL


def line_words(line: SheetLine, shown: dict[str, Any]) -> dict[str, Any]:
    """Return a person of the sheet as its page prints them."""
    gives = shown["would_award"]
    is_held = line.state == "held"
    has_left = line.checked_out_at is not None
    counts = has_left and not is_held and any(gives.values())
    reason = line.held_reason if is_held else shown["would_hold"]
    is_nothing = line.has_come and reason in NOTHING_TO_ENTER
    return {
        "name": shown["display_name"],
        "state": shown["state"],
        "checked_in_at": line.checked_in_at,
        "checked_out_at": line.checked_out_at,
        "minutes": shown["minutes"],
        "flags": [str(FLAG_WORDS[flag]) for flag in shown["flags"] if flag in FLAG_WORDS],
        "points": 0 if is_held else gives["points"],
        "service_minutes": 0 if is_held else gives["service_minutes"],
        "held": str(HELD_WORDS.get(line.held_reason or "", "")) if is_held else None,
        "cut": str(CUT_WORDS.get(line.cut_reason or "", "")),
        "would_hold": str(HELD_WORDS.get(shown["would_hold"] or "", "")),
        "came": line.has_come,
        "times": len(line.pairs),
        "counts": counts,
        "is_nothing": is_nothing,
        "waits": line.has_come and not counts and not is_nothing,
    }


@pages.post("/shifts/<id:shift_id>/settlement")
@roles_only("organizer")
def settle(shift_id: int) -> ResponseReturnValue:
    """Settle a shift, and show its sheet again."""
    actor, now = current_actor(), clock.now()

    def act() -> Settlement:
        return run(
            lambda session: settle_shift(
                session,
                shift_id=shift_id,
                actor_id=actor.member_id,
                paths=actor.paths("organizer"),
                zone=settings().zone,
                now=now,
            )
        )

    attempt(act, gettext("The shift is settled."))
    return redirect(url_for("attendance_pages.sheet", shift_id=shift_id), 303)
