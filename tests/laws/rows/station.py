"""Who may open a station and fetch what it takes along; its shell holds nobody's data."""

from tests.laws.doors import ANYONE, ORGANIZER, Row, door, fields
from tests.laws.world import SHIFT

ROWS: list[Row] = [
    door(
        "POST",
        "/api/v1/shifts/<id:shift_id>/station",
        ORGANIZER,
        fields(device_id="phone-1"),
        shift_id=SHIFT,
    ),
    door("GET", "/shifts/stations", ORGANIZER),
    door("GET", "/shifts/station-shell", ANYONE),
    door("GET", "/shifts/station-worker.js", ANYONE),
    door("GET", "/shifts/station.webmanifest", ANYONE),
]
