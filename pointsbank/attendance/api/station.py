"""The JSON door of the station: what it takes along to where there is no network."""

from typing import Any

from flask import Response, current_app, jsonify

from pointsbank.attendance.schemas import desk_here
from pointsbank.attendance.snapshot import fetch_station
from pointsbank.attendance.station_schemas import StationIn, StationOut
from pointsbank.core import clock
from pointsbank.core.db import transaction
from pointsbank.web.access import current_actor, roles_only
from pointsbank.web.contract import Blueprint

api = Blueprint("station_api", __name__, description="What a station takes along.")


@api.post("/shifts/<id:shift_id>/station")
@api.arguments(StationIn)
@api.response(200, StationOut)
@roles_only("organizer")
def fetch(body: dict[str, Any], shift_id: int) -> Response:
    """Hand the lead one shift's people, marks and keys; it is noted who fetched them."""
    secret = current_app.extensions["settings"].secret_key
    with transaction() as session:
        snapshot = fetch_station(
            session,
            shift_id=shift_id,
            actor=current_actor(),
            device_id=body.get("device_id"),
            secret=secret,
            rules=desk_here().rules,
            now=clock.now(),
        )
    return jsonify(snapshot)
