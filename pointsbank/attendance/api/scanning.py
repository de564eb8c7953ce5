"""The JSON door of attendance: venue codes, scans, the sheet, settlement."""

from typing import Any

from flask import Response, current_app, jsonify
from flask_babel import gettext
from sqlalchemy.orm import Session

from pointsbank.attendance.codes import (
    VENUE_SLOT_SECONDS,
    slot_at,
    slot_ends_at,
    venue_text,
)
from pointsbank.attendance.differences import Shown, open_differences, record_from_station
from pointsbank.attendance.finding import NewScan
from pointsbank.attendance.queries import arrivals_of, latest_arrivals
from pointsbank.attendance.recording import Verdict
from pointsbank.attendance.revealing import reveal_name
from pointsbank.attendance.review_schemas import ScanBatch, shown_from
from pointsbank.attendance.schemas import (
    ArrivalsOut,
    NameOut,
    NewScanIn,
    SettlementOut,
    SheetOut,
    UndoneOut,
    VenueCodeOut,
    VenueCodeQuery,
    VerdictOut,
    VerdictsOut,
    desk_here,
    scan_from,
    sheet_line_out,
    verdict_out,
)
from pointsbank.attendance.settling import settle_shift, shift_rules
from pointsbank.attendance.sheet import sheet_lines
from pointsbank.attendance.undoing import undo_scan
from pointsbank.core import clock
from pointsbank.core.actor import Actor
from pointsbank.core.codes import Purpose, url_of
from pointsbank.core.db import reading, run, transaction
from pointsbank.core.text import masked_name
from pointsbank.tasks.queries import shift_of
from pointsbank.web.access import current_actor, members_only, roles_only
from pointsbank.web.contract import Blueprint, PageQuery, cursor_from, position_from
from pointsbank.web.formats import clock_time
from pointsbank.web.metrics import SCANS

api = Blueprint("attendance_api", __name__, description="Scans, attendance, settlement.")


@api.get("/shifts/<id:shift_id>/venue-code")
@api.arguments(VenueCodeQuery, location="query")
@api.response(200, VenueCodeOut)
@roles_only("organizer")
def show_venue_code(query: dict[str, Any], shift_id: int) -> dict[str, Any]:
    """Answer the code that the venue's screen shows now; a new one every 15 seconds."""
    settings = current_app.extensions["settings"]
    now = clock.now()
    with reading() as session:
        shift, _ = shift_of(session, shift_id, current_actor().paths("organizer"))
    code = venue_text(settings.secret_key, shift.handle, slot_at(now), query["direction"])
    return {
        "code": code,
        "url": url_of(settings.public_url, Purpose.VENUE, code),
        "expires_at": slot_ends_at(now),
        "refresh_seconds": VENUE_SLOT_SECONDS,
    }


def judged(actor: Actor, scan: NewScan, shown: Shown | None = None) -> Verdict:
    """Judge and keep one scan in a transaction of its own, and count it.

    shown: what a station without a network showed for it.
    """
    desk, now = desk_here(), clock.now()
    verdict = run(
        lambda session: record_from_station(session, actor, scan, shown, desk, now=now)
    )
    SCANS.labels(verdict.facts["result"], verdict.facts["reason"]).inc()
    return verdict


# The schema is made once here: a class would be made anew for every scan.
@api.post("/scans")
@api.arguments(NewScanIn())  # type: ignore[arg-type]  # an instance serves as well
@api.response(200, VerdictOut)
@members_only
def scan(body: dict[str, Any]) -> Response:
    """Answer the verdict of a scan; the same nonce answers the same."""
    return jsonify(verdict_out(judged(current_actor(), scan_from(body))))


@api.post("/scans/batch")
@api.arguments(ScanBatch)
@api.response(200, VerdictsOut)
@members_only
def scan_many(body: dict[str, Any]) -> Response:
    """Answer a verdict for each scan, in order; each is a transaction of its own."""
    actor = current_actor()
    verdicts = [
        {"nonce": each["nonce"]} | verdict_out(judged(actor, scan_from(each), shown_from(each)))
        for each in body["scans"]
    ]
    return jsonify(verdicts=verdicts)


@api.post("/scans/<id:scan_id>/undo")
@api.response(200, UndoneOut)
@members_only
def undo(scan_id: int) -> dict[str, Any]:
    """Take one's own scan back within 60 seconds; it stays on record as undone."""
    actor, now = current_actor(), clock.now()
    undone = run(
        lambda session: undo_scan(session, scan_id=scan_id, actor_id=actor.member_id, now=now)
    )
    return {
        "scan_id": undone.scan_id,
        "undone_at": undone.undone_at,
        "counts": {"arrived": undone.arrivals.arrived, "present": undone.arrivals.present},
        "detail": gettext("The scan stays on record as taken back."),
    }


@api.post("/scans/<id:scan_id>/name")
@api.response(200, NameOut)
@roles_only("organizer")
def reveal(scan_id: int) -> dict[str, Any]:
    """Tell the shift's lead the full name behind a scan; each look is noted."""
    actor, now = current_actor(), clock.now()
    with transaction() as session:
        name = reveal_name(session, scan_id=scan_id, actor=actor, now=now)
    return {"scan_id": scan_id, "name": name}


@api.get("/shifts/<id:shift_id>/attendance")
@api.arguments(PageQuery, location="query")
@api.response(200, SheetOut)
@roles_only("organizer")
def show_sheet(query: dict[str, Any], shift_id: int) -> dict[str, Any]:
    """Answer everyone with a place on a shift, when they came and left, and what they would
    get."""
    zone = current_app.extensions["settings"].zone
    now = clock.now()
    with reading() as session:
        shift, task = shift_of(session, shift_id, current_actor().paths("organizer"))
        lines = sheet_lines(
            session,
            shift_id,
            after_id=position_from(query.get("cursor")) or 0,
            limit=query["limit"] + 1,
        )
        shown = lines[: query["limit"]]
        rules = shift_rules(session, shown, shift, task, zone)
    more = len(lines) > query["limit"]
    return {
        "items": [sheet_line_out(line, rules, now) for line in shown],
        "next": cursor_from(shown[-1].claim_id) if more else None,
    }


@api.get("/shifts/<id:shift_id>/arrivals")
@api.response(200, ArrivalsOut)
@roles_only("organizer")
def show_arrivals(shift_id: int) -> dict[str, Any]:
    """Answer how many came and who came last, for the venue's screen."""
    with reading() as session:
        shift, _ = shift_of(session, shift_id, current_actor().paths("organizer"))
        arrivals = arrivals_of(session, shift_id)
        latest = latest_arrivals(session, shift_id)
    return {
        "arrived": arrivals.arrived,
        "present": arrivals.present,
        "places": shift.places,
        "recent": [{"time": clock_time(at), "name": masked_name(name)} for at, name in latest],
    }


@api.post("/shifts/<id:shift_id>/settlement")
@api.response(200, SettlementOut)
@roles_only("organizer")
def settle(shift_id: int) -> dict[str, Any]:
    """Award everyone who came and went, once; a repeat changes nothing and answers the
    same."""
    actor, now = current_actor(), clock.now()
    zone = current_app.extensions["settings"].zone

    def act(session: Session) -> dict[str, Any]:
        settlement = settle_shift(
            session,
            shift_id=shift_id,
            actor_id=actor.member_id,
            paths=actor.paths("organizer"),
            zone=zone,
            now=now,
        )
        answer: dict[str, Any] = {
            "awarded": [vars(each) for each in settlement.awarded],
            "held": [vars(each) for each in settlement.held],
        }
        if waiting := open_differences(session, shift_id):
            answer["open_differences"] = waiting
        return answer

    return run(act)
