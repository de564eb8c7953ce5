"""Who may see and set issue budgets, and see what is owed."""

from sqlalchemy.orm import Session

from tests.laws.doors import ADMINISTRATOR, Row, asking, door, fields, form
from tests.laws.world import ORGANIZATION, SHARED, Kind, Made, World

READERS = ("administrator", "auditor")


def name_month(_session: Session, _world: World, _place: str, _actor: int, _made: Made) -> str:
    """A month far ahead, since one that is over takes no budget."""
    return "2099-12"


MONTH = Kind(SHARED, name_month, "2099-13")

ROWS: list[Row] = [
    door("GET", "/api/v1/issue-budgets", READERS, asking(month="2026-11")),
    door(
        "GET",
        "/api/v1/organizations/<code>/issue-budget/<month:month>",
        READERS,
        code=ORGANIZATION,
        month=MONTH,
    ),
    door(
        "PUT",
        "/api/v1/organizations/<code>/issue-budget/<month:month>",
        ADMINISTRATOR,
        fields(points_max=1000),
        code=ORGANIZATION,
        month=MONTH,
    ),
    door("GET", "/api/v1/liability", READERS),
    door("GET", "/budgets", READERS),
    door("POST", "/budgets", ADMINISTRATOR, form(month="2099-12")),
    door("GET", "/budgets/<code>/<month:month>", ADMINISTRATOR, code=ORGANIZATION, month=MONTH),
    door(
        "POST",
        "/budgets/<code>/<month:month>",
        ADMINISTRATOR,
        form(points_max="1,000"),
        code=ORGANIZATION,
        month=MONTH,
    ),
    door("GET", "/liability", READERS),
    door("GET", "/liability.xlsx", READERS),
]
