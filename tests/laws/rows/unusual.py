"""Who may look at unusual patterns at counters, and at voids that wait for a decision."""

from tests.laws.doors import ADMINISTRATOR, Row, asking, door

OVERSEERS = ("administrator", "auditor")

ROWS: list[Row] = [
    door("GET", "/api/v1/redemptions/unusual", OVERSEERS, asking(first="2026-11-01")),
    door("GET", "/redemptions/unusual", OVERSEERS),
    door("GET", "/api/v1/redemptions/voids", ADMINISTRATOR),
    door("GET", "/redemptions/voids", ADMINISTRATOR),
]
