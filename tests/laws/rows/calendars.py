"""Who may read calendars: oneself, and whoever holds the secret address."""

from sqlalchemy.orm import Session

from pointsbank.core.keys import draw_token, plain_hash
from pointsbank.tasks.calendars import make_feed
from tests.builders import a_member
from tests.laws.doors import ANYONE, MEMBERS, Row, door
from tests.laws.world import SHARED, Kind, Made, World
from tests.moments import NOON


def make_address(session: Session, world: World, _place: str, _actor: int, _made: Made) -> str:
    """The secret part of a calendar address that somebody made."""
    token = draw_token()
    member_id = a_member(session, "吴海燕", world.own.branch_id)
    make_feed(session, member_id=member_id, token_hash=plain_hash(token), now=NOON)
    return token


ADDRESS = Kind(SHARED, make_address, "nobodys-address")

ROWS: list[Row] = [
    door("GET", "/api/v1/me/calendar.ics", MEMBERS),
    door("POST", "/api/v1/me/calendar-address", MEMBERS),
    door("DELETE", "/api/v1/me/calendar-address", MEMBERS),
    door("GET", "/my-calendar", MEMBERS),
    door("POST", "/my-calendar", MEMBERS),
    door("POST", "/my-calendar/withdrawal", MEMBERS),
    door("GET", "/calendars/<token>.ics", ANYONE, token=ADDRESS),
]
