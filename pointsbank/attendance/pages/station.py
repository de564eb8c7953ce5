"""The HTML door of the station: scanning, and what makes the page go on without a network."""

import json
from datetime import datetime, timedelta
from typing import Any

from flask import Response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext

from pointsbank.attendance.finding import NewScan
from pointsbank.attendance.pages.leading import own_shift, pages, shift_words
from pointsbank.attendance.pages.station_words import station_words
from pointsbank.attendance.queries import ScanLine, arrivals_of, latest_scans
from pointsbank.attendance.recording import record_scan
from pointsbank.attendance.schemas import CODE_LENGTH_MAX, desk_here, verdict_out
from pointsbank.attendance.snapshot import actor_tag, shifts_to_lead
from pointsbank.attendance.undoing import undo_scan
from pointsbank.attendance.verdicts import UNDO_SECONDS
from pointsbank.attendance.words import result_words, title_of
from pointsbank.core import clock
from pointsbank.core.db import reading, run
from pointsbank.core.keys import draw_token
from pointsbank.core.text import masked_name
from pointsbank.web.access import anyone, current_actor, roles_only
from pointsbank.web.formats import clock_time
from pointsbank.web.forms import attempt, settings, typed
from pointsbank.web.keeping import NOBODYS_FRAME, KeptPage, worker_of
from pointsbank.web.metrics import SCANS

# One door in two files: whoever registers it by this one has the pages of both.
__all__ = ["pages"]

NONCE_TYPED_MAX = 60
DIRECTIONS = ("in", "out", "auto")
STATION = KeptPage(
    name="pointsbank-station",
    entries=("js/station.js", "js/station/offline.js", "vendor/qr/decode.js"),
    pages=r"^/shifts/(\d+/station|stations)$",
    shell="attendance_pages.station_shell",
)
APP_COLOUR = "#f6f0e3"


def asked_way() -> str:
    """Return which way the station stands: in, out, or auto, which is the next step."""
    way = request.values.get("direction", "in")
    return way if way in DIRECTIONS else "in"


@pages.get("/shifts/<id:shift_id>/station")
@roles_only("organizer")
def station(shift_id: int) -> ResponseReturnValue:
    """Show the station: camera, typed codes, the last five scans."""
    way, actor, now = asked_way(), current_actor(), clock.now()
    with reading() as session:
        shift, task = own_shift(session, shift_id)
        arrivals = arrivals_of(session, shift_id)
        scans = latest_scans(session, shift_id, actor.member_id)
    return render_template(
        "attendance/station.html",
        shift=shift_words(shift, task),
        # The camera needs the room that the menus would take; "back" leads to them.
        nav=[],
        bar=[],
        direction=way,
        counts={
            "arrived": arrivals.arrived,
            "places": shift.places,
            "present": arrivals.present,
        },
        last=last_words(scans),
        undo=undo_words(scans, shift_id, now),
        nonce=draw_token(),
        words=json.dumps(station_words(), ensure_ascii=False),
        actor_tag=actor_tag(actor.member_id, settings().secret_key),
        links={
            "back": url_for("organizing_pages.show_plan", task_id=task.id),
            "sheet": url_for("attendance_pages.sheet", shift_id=shift_id),
            "venue": url_for("attendance_pages.venue", shift_id=shift_id),
            "ways": ways(shift_id),
            "post": url_for("attendance_pages.scan_here", shift_id=shift_id),
        },
    )


def ways(shift_id: int) -> dict[str, str]:
    """Return the station's address for each direction."""
    return {
        way: url_for("attendance_pages.station", shift_id=shift_id, direction=way)
        for way in DIRECTIONS
    }


@pages.get("/shifts/station-shell")
@anyone
def station_shell() -> ResponseReturnValue:
    """Show the station without any shift or person: what a device keeps for later."""
    return render_template(
        "attendance/station.html",
        shift=None,
        **NOBODYS_FRAME,
        direction="",
        counts={"arrived": 0, "places": 0, "present": 0},
        last=[],
        undo=None,
        nonce="",
        words=json.dumps(station_words(), ensure_ascii=False),
        actor_tag="",
        links={
            "back": url_for("attendance_pages.stations"),
            "sheet": "",
            "venue": "",
            "ways": {way: f"?direction={way}" for way in DIRECTIONS},
            "post": "",
        },
    )


@pages.get("/shifts/stations")
@roles_only("organizer")
def stations() -> ResponseReturnValue:
    """Go to the station of the shift that runs now, or let its lead choose among several."""
    now = clock.now()
    with reading() as session:
        shifts = shifts_to_lead(session, current_actor(), now)
    running = [each for each in shifts if each.starts_at - timedelta(hours=1) <= now]
    if len(running) == 1:
        return redirect(url_for("attendance_pages.station", shift_id=running[0].id))
    return render_template("attendance/stations.html", shifts=shifts)


@pages.get("/shifts/station-worker.js")
@anyone
def station_worker() -> Response:
    """Answer the service worker, with the names of the files that it keeps."""
    return worker_of(STATION)


@pages.get("/shifts/station.webmanifest")
@anyone
def station_manifest() -> Response:
    """Answer what makes the station an app of its own on a phone's screen."""
    icons = [
        {
            "src": url_for("static", filename=f"img/station-{side}.png"),
            "sizes": f"{side}x{side}",
            "type": "image/png",
        }
        for side in (192, 512)
    ]
    manifest = {
        "name": gettext("Scan people in"),
        "short_name": gettext("Scan"),
        "start_url": url_for("attendance_pages.stations"),
        "scope": "/shifts/",
        "display": "standalone",
        "orientation": "any",
        "background_color": APP_COLOUR,
        "theme_color": APP_COLOUR,
        "icons": icons,
    }
    return Response(
        json.dumps(manifest, ensure_ascii=False), mimetype="application/manifest+json"
    )


def last_words(scans: list[ScanLine]) -> list[dict[str, Any]]:
    """Return the last scans as the list below the camera prints them."""
    return [
        {
            "result": scan.result,
            "reason": scan.reason,
            "time": clock_time(scan.recorded_at),
            "name": masked_name(scan.name) if scan.name else "",
            "word": title_of(scan.reason),
        }
        for scan in scans
    ]


def undo_words(scans: list[ScanLine], shift_id: int, now: datetime) -> dict[str, Any] | None:
    """Return how the newest scan is taken back while it can be."""
    for scan in scans[:1]:
        if scan.counts and now <= scan.recorded_at + timedelta(seconds=UNDO_SECONDS):
            action = url_for("attendance_pages.undo", shift_id=shift_id, scan_id=scan.id)
            return {"action": action}
    return None


@pages.post("/shifts/<id:shift_id>/station")
@roles_only("organizer")
def scan_here(shift_id: int) -> ResponseReturnValue:
    """Record a code that was typed without script, and show the verdict."""
    actor, desk, now = current_actor(), desk_here(), clock.now()
    with reading() as session:
        own_shift(session, shift_id)
    nonce = typed("nonce", NONCE_TYPED_MAX)
    scan = NewScan(
        nonce=nonce if nonce.isascii() and nonce.isprintable() and nonce else draw_token(),
        # One more than the longest code: what is cut must not become one.
        code=typed("code", CODE_LENGTH_MAX + 1),
        shift_id=shift_id,
        direction=asked_way(),
        confirm=request.form.get("confirm") == "1",
        note=typed("reason", 200) or None,
    )
    verdict = run(lambda session: record_scan(session, actor, scan, desk, now=now))
    SCANS.labels(verdict.facts["result"], verdict.facts["reason"]).inc()
    shown = verdict_out(verdict)
    back = {
        "label": gettext("Back to scanning"),
        "href": url_for("attendance_pages.station", shift_id=shift_id, direction=asked_way()),
    }
    insist = {
        "label": shown["action"],
        "action": url_for("attendance_pages.scan_here", shift_id=shift_id),
        "fields": {
            "code": scan.code,
            "direction": shown["direction"] or "in",
            "confirm": "1",
            "nonce": draw_token(),
        },
    }
    undo = None
    if shown["undo_until"]:
        undo = {
            "action": url_for(
                "attendance_pages.undo", shift_id=shift_id, scan_id=verdict.scan_id
            )
        }
    acts = [insist, back] if shown["may_confirm"] else [back]
    return render_template(
        "attendance/result.html", **result_words(shown, acts=acts, undo=undo)
    )


@pages.post("/shifts/<id:shift_id>/scans/<id:scan_id>/undo")
@roles_only("organizer")
def undo(shift_id: int, scan_id: int) -> ResponseReturnValue:
    """Take one's own scan back, and show the station again."""
    actor, now = current_actor(), clock.now()
    with reading() as session:
        own_shift(session, shift_id)
    attempt(
        lambda: run(
            lambda session: undo_scan(
                session, scan_id=scan_id, actor_id=actor.member_id, now=now
            )
        ),
        gettext("The scan stays on record as taken back."),
    )
    return redirect(url_for("attendance_pages.station", shift_id=shift_id), 303)
