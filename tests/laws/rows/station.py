"""Who may fetch what a station takes along: whoever organizes the shift."""

from tests.laws.doors import ORGANIZER, Row, door, fields
from tests.laws.world import SHIFT

ROWS: list[Row] = [
    door(
        "POST",
        "/api/v1/shifts/<id:shift_id>/station",
        ORGANIZER,
        fields(device_id="phone-1"),
        shift_id=SHIFT,
    ),
]
