"""Who may look for shifts near a position: every member."""

from tests.laws.doors import MEMBERS, Row, door, fields, form

HERE = {"latitude": "37.87", "longitude": "113.56"}

ROWS: list[Row] = [
    door("POST", "/tasks/nearby", MEMBERS, form(**HERE)),
    door(
        "POST",
        "/api/v1/tasks/search",
        MEMBERS,
        fields(near={"latitude": 37.87, "longitude": 113.56}),
    ),
]
