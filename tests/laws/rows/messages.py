"""Who may knock at the inbox."""

from tests.laws.doors import MEMBERS, Row, door, fields, form

MESSAGES = "/api/v1/me/messages"

ROWS: list[Row] = [
    door("GET", MESSAGES, MEMBERS),
    door("POST", f"{MESSAGES}/reading", MEMBERS, fields(up_to=7)),
    door("GET", "/messages", MEMBERS),
    door("POST", "/messages/reading", MEMBERS, form(up_to=7)),
]
