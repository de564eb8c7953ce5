"""Who may take a whole book along, and ask what it showed once."""

from tests.laws.doors import MEMBERS, Row, asking, door

ROWS: list[Row] = [
    door("GET", "/api/v1/me/passbook/export", MEMBERS, asking(format="csv")),
    door(
        "GET",
        "/api/v1/me/passbook/balance",
        MEMBERS,
        asking(at="2026-11-21T12:00:00+08:00"),
    ),
]
