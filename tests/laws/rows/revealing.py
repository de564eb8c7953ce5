"""Who is told the full name behind a scan."""

from tests.laws.doors import ORGANIZER, Row, door
from tests.laws.rows.reviews import DIFFERENCE

ROWS: list[Row] = [
    door("POST", "/api/v1/scans/<id:scan_id>/name", ORGANIZER, scan_id=DIFFERENCE),
]
