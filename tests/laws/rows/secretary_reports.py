"""Who may knock at a secretary's reports: the quarter's table and the year's archive."""

from sqlalchemy.orm import Session

from pointsbank.core.calendar import read_period
from pointsbank.rankings.rolling_up import roll_up
from tests.builders import SHANGHAI, a_member, a_score_entry
from tests.laws.doors import READERS, VIEWERS, Row, asking, door, form
from tests.laws.world import COMMUNITY, UNKNOWN_CODE, Kind, Made, World
from tests.moments import NOON


def make_counted(session: Session, world: World, place: str, _actor: int, _made: Made) -> str:
    """A community on that side in which somebody has a standing this quarter."""
    ground = world.ground(place)
    a_score_entry(session, a_member(session, "吴海燕", ground.community_id))
    roll_up(session, period=read_period("2026-Q4"), zone=SHANGHAI, now=NOON)
    return ground.code


COUNTED = Kind(COMMUNITY, make_counted, UNKNOWN_CODE)

ROWS: list[Row] = [
    door("GET", "/reports", VIEWERS),
    door(
        "GET",
        "/reports/quarter-table",
        VIEWERS,
        asking(organization_code="CODE"),
        code=COUNTED,
    ),
    door(
        "POST",
        "/reports/quarter-table.pdf",
        VIEWERS,
        form(organization_code="CODE"),
        code=COUNTED,
    ),
    door(
        "POST",
        "/reports/quarter-table.xlsx",
        VIEWERS,
        form(organization_code="CODE"),
        code=COUNTED,
    ),
    door(
        "GET",
        "/api/v1/reports/quarter-table",
        VIEWERS,
        asking(organization_code="CODE"),
        code=COUNTED,
    ),
    door(
        "GET",
        "/api/v1/reports/partaking",
        VIEWERS,
        asking(organization_code="CODE"),
        code=COUNTED,
    ),
    door("GET", "/reports/archive", READERS),
    door(
        "POST",
        "/reports/archive.zip",
        READERS,
        form(organization_code="CODE", year="2026"),
        code=COUNTED,
    ),
]
