"""Who may knock at posters, at people registered on the spot, and at codes of one's own."""

from sqlalchemy.orm import Session

from pointsbank.attendance.codes import poster_text
from pointsbank.core.keys import draw_token
from pointsbank.tasks.models import Shift
from tests.laws.doors import ANYONE, MEMBERS, ORGANIZER, Row, door
from tests.laws.world import SHIFT, Kind, Made, World, a_shift_at_work


def make_poster_code(session: Session, world: World, place: str, actor: int, made: Made) -> str:
    shift_id = a_shift_at_work(session, world, place, actor, made)
    return poster_text(world.secret, session.get_one(Shift, shift_id).handle)


POSTER_CODE = Kind("shared", make_poster_code, "NONSENSE")

ROWS: list[Row] = [
    door("GET", "/P/<string:code>", ANYONE, code=POSTER_CODE),
    door("GET", "/p/<string:code>", ANYONE, code=POSTER_CODE),
    door("GET", "/shifts/<id:shift_id>/poster", ORGANIZER, shift_id=SHIFT),
    door("GET", "/api/v1/shifts/<id:shift_id>/poster", ORGANIZER, shift_id=SHIFT),
    door("GET", "/shifts/<id:shift_id>/walk-ins", ORGANIZER, shift_id=SHIFT),
    door(
        "POST",
        "/shifts/<id:shift_id>/walk-ins",
        ORGANIZER,
        lambda _made: {"data": {"name": "新来的", "nonce": draw_token()}},
        shift_id=SHIFT,
    ),
    door(
        "POST",
        "/api/v1/shifts/<id:shift_id>/walk-ins",
        ORGANIZER,
        lambda _made: {"json": {"name": "新来的", "nonce": draw_token()}},
        shift_id=SHIFT,
    ),
    door("GET", "/my-code/general", MEMBERS),
    door("GET", "/my-code-shell", ANYONE),
    door("GET", "/my-code-worker.js", ANYONE),
    door("GET", "/api/v1/me/shift-codes", MEMBERS),
]
