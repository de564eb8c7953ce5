"""Who may see what stands behind a score, and rank by days of their own."""

from tests.laws.doors import RANKING_READERS, READERS, Row, asking, door, fields, form
from tests.laws.world import STANDING

SPAN = {"title": "主题月", "first_on": "2026-11-01", "last_on": "2026-11-20"}

ROWS: list[Row] = [
    door(
        "GET",
        "/api/v1/rankings/members/<id:member_id>/entries",
        RANKING_READERS,
        asking(period="2026-Q4", category="volunteer_service"),
        member_id=STANDING,
    ),
    door(
        "GET",
        "/rankings/members/<id:member_id>/entries",
        RANKING_READERS,
        asking(period="2026-Q4", category="volunteer_service"),
        member_id=STANDING,
    ),
    door("GET", "/api/v1/rankings/periods", RANKING_READERS),
    door("POST", "/api/v1/rankings/periods", READERS, fields(**SPAN)),
    door("GET", "/rankings/periods", READERS),
    door("POST", "/rankings/periods", READERS, form(**SPAN)),
]
