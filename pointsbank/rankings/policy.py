"""Pure rules of the rankings: a period's scale, who may see what, how far the next rank is."""

from dataclasses import dataclass

from pointsbank.core.actor import Actor
from pointsbank.core.calendar import PERIOD_PATTERN, Period
from pointsbank.scoring.tables import GRADES_WITH_FLOORS, EvaluationTable

MONTHS_A_YEAR = 12
# Who answers for a branch, and who checks on those who do.
VIEWER_ROLES = ("secretary", "administrator", "auditor")
# A branch committee reads the ranking of its branch, on which it grades, and no report beside.
RANKING_ROLES = (*VIEWER_ROLES, "committee")
# Settings under which a member sees their own row, and never another's.
OWN_ROW_VISIBLE = ("self_only", "published_notice")


def months_in(period: Period) -> int:
    """Return how many months a period has: 1, 3 or 12."""
    years = period.end_on.year - period.first_on.year
    return years * MONTHS_A_YEAR + period.end_on.month - period.first_on.month


def yearly_factor(period: Period) -> int:
    """Return how often the period fits into a year, which puts it on the year's scale of 100.

    Caps are a year's; three months at a steady pace earn a quarter of them (docs/scoring.md).
    A period with a name of its own stands for itself: 1.
    """
    if PERIOD_PATTERN.fullmatch(period.name) is None:
        return 1
    return MONTHS_A_YEAR // months_in(period)


def viewing_paths(actor: Actor) -> tuple[str, ...]:
    """Return the organization paths whose ranking this person reads; none for a member."""
    return actor.paths(*RANKING_ROLES)


def reporting_paths(actor: Actor) -> tuple[str, ...]:
    """Return the organization paths whose reports and files this person reads."""
    return actor.paths(*VIEWER_ROLES)


def may_see_own_row(visibility: str) -> bool:
    """Tell whether a member may see their own rank under this setting."""
    return visibility in OWN_ROW_VISIBLE


def minutes_for(hundredths: int, *, hundredths_an_hour: int, factor: int) -> int:
    """Return the service minutes that earn so many hundredths of the score, rounded up."""
    return -(-hundredths * 60 // (hundredths_an_hour * factor))


@dataclass(frozen=True)
class Band:
    """A range of scores that a score lies in; upper is exclusive but for the best band.

    In hundredths. upper: None above the best floor.
    """

    lower: int
    upper: int | None


def band_of(hundredths: int, table: EvaluationTable) -> Band:
    """Return the band between two grades' floors; members are shown bands, and no places."""
    floors = sorted((table.floors[grade] for grade in GRADES_WITH_FLOORS), reverse=True)
    upper = None
    for floor in floors:
        if hundredths >= floor:
            return Band(floor, upper)
        upper = floor
    return Band(0, upper)
