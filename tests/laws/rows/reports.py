"""Who may look at the reports of points."""

from tests.laws.doors import Row, asking, door

OVERSEERS = ("administrator", "auditor")

ROWS: list[Row] = [
    door("GET", "/api/v1/reports/points", OVERSEERS, asking(first="2026-10", last="2026-11")),
    door("GET", "/reports/points", OVERSEERS),
    door("GET", "/reports/points.xlsx", OVERSEERS, asking(by="rewards")),
]
