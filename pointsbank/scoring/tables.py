"""How a year is evaluated: the tables of a standard, read from the form they are kept in."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pointsbank.scoring.errors import NoSuchTable

DEFAULT_TABLE = "default"
# Members who live elsewhere (流动党员) are evaluated by a table of their own.
MOBILE_TABLE = "mobile"
BASE_MODES = ("earn", "start_full_and_deduct")
FULL_HUNDREDTHS = 100 * 100
GRADES_WITH_FLOORS = ("excellent", "qualified", "basic")


@dataclass(frozen=True)
class EvaluationTable:
    """One way to evaluate a year; everything in hundredths.

    base, bonus: the most each category can give, of a year; a category stands in one of them at
    most, and one that stands in neither gives nothing. base_mode start_full_and_deduct: the
    base is given in full and only deductions lower it. floors: the lowest score of excellent,
    qualified and basic; below the last is unqualified.
    """

    name: str
    base_mode: str
    base: Mapping[str, int]
    bonus: Mapping[str, int]
    floors: Mapping[str, int]

    def cap_of(self, category: str) -> int:
        """Return the most that a category can give."""
        return self.base.get(category, self.bonus.get(category, 0))

    def advised_grade(self, hundredths: int, *, is_vetoed: bool = False) -> str:
        """Return the grade that the rules advise; people decide (research/domain.md 0.9)."""
        if is_vetoed:
            return "unqualified"
        reached = (g for g in GRADES_WITH_FLOORS if hundredths >= self.floors[g])
        return next(reached, "unqualified")


def table_named(tables: Mapping[str, Any], name: str) -> EvaluationTable:
    """Return a standard's table by its name; a standard without it uses its default one.

    tables: ScoringStandard.evaluation_tables. Raises NoSuchTable without even a default one.
    """
    chosen = name if name in tables else DEFAULT_TABLE
    if chosen not in tables:
        raise NoSuchTable
    kept = tables[chosen]
    return EvaluationTable(
        name=chosen,
        base_mode=str(kept["base_mode"]),
        base={str(key): int(value) for key, value in kept["base"].items()},
        bonus={str(key): int(value) for key, value in kept["bonus"].items()},
        floors={grade: int(kept["grades"][grade]) for grade in GRADES_WITH_FLOORS},
    )
