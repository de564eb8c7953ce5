"""Who may have statements and proofs: members, of their own book."""

from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from tests.laws.doors import MEMBERS, Row, door
from tests.laws.rows.disputes import LINE
from tests.laws.world import SHARED, Kind, Made, World


def make_period(_session: Session, _world: World, _place: str, _actor: int, _made: Made) -> str:
    return "2026-11"


def is_printed(answer: TestResponse) -> bool:
    """Tell whether a PDF came; a machine without a Chinese font says so."""
    is_pdf = answer.status_code == 200 and answer.get_data().startswith(b"%PDF-")
    return is_pdf or answer.status_code == 409


PERIOD = Kind(SHARED, make_period)

ROWS: list[Row] = [
    door("GET", "/api/v1/me/passbook/<id:line>/proof", MEMBERS, line=LINE),
    door("GET", "/api/v1/me/passbook/statements/<string:period>", MEMBERS, period=PERIOD),
    door("GET", "/passbook/statements", MEMBERS),
    door("GET", "/passbook/statements/<string:period>", MEMBERS, period=PERIOD),
    door("GET", "/passbook/statements/<string:period>/file", MEMBERS, period=PERIOD),
    door(
        "GET",
        "/passbook/statements/<string:period>/pdf",
        MEMBERS,
        is_done=is_printed,
        period=PERIOD,
    ),
]
