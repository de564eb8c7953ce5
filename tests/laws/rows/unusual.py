"""Who may look at unusual patterns at counters."""

from tests.laws.doors import Row, asking, door

OVERSEERS = ("administrator", "auditor")

ROWS: list[Row] = [
    door("GET", "/api/v1/redemptions/unusual", OVERSEERS, asking(first="2026-11-01")),
    door("GET", "/redemptions/unusual", OVERSEERS),
]
