"""The pure rules that turn a plan and the time somebody was there into minutes and points."""

from dataclasses import dataclass

from pointsbank.scoring.models import Item

TOO_SHORT = "too_short"
DAY_FULL = "day_full"
MINUTES_AN_HOUR = 60
# In percent: a task multiplies its item by nothing.
NO_COEFFICIENT = 100


@dataclass(frozen=True)
class Award:
    """What one piece of work adds; when it adds nothing, reason tells why.

    cut: which limit of the item left fewer points than the work is worth.
    """

    service_minutes: int = 0
    points: int = 0
    evaluation_hundredths: int = 0
    reason: str | None = None
    cut: str | None = None


def award_for(
    item: Item,
    *,
    planned_minutes: int,
    actual_minutes: int,
    day_minutes_before: int,
    overtime_minutes: int = 0,
    coefficient_percent: int = NO_COEFFICIENT,
) -> Award:
    """Return what a person gets who was planned for and was there for so many minutes.

    day_minutes_before: the minutes already counted on that local day, over all shifts.
    overtime_minutes: how much longer than planned was approved. coefficient_percent: what the
    task multiplies by, cut at the item's bound. Too little of the plan counts for nothing;
    beyond the plan with its overtime and beyond the day's limit nothing is added; points of an
    hour's item follow the counted minutes. The coefficient multiplies points and evaluation,
    never minutes, and all is rounded once, as the standard rounds. Rule: docs/scoring.md, "From
    time to points".
    """
    if actual_minutes * 100 < planned_minutes * item.share_min_percent:
        return Award(reason=TOO_SHORT)
    left_today = max(0, item.day_minutes_max - day_minutes_before)
    minutes = min(actual_minutes, planned_minutes + overtime_minutes, left_today)
    minutes -= minutes % item.unit_minutes
    if item.unit == "hour" and minutes == 0:
        return Award(reason=DAY_FULL if left_today < item.unit_minutes else TOO_SHORT)
    points, hundredths = worth_of(item, minutes, coefficient_percent)
    return Award(
        service_minutes=minutes if item.counts_minutes else 0,
        points=points,
        evaluation_hundredths=hundredths,
    )


def worth_of(
    item: Item, minutes: int, coefficient_percent: int = NO_COEFFICIENT
) -> tuple[int, int]:
    """Return the points and hundredths of so many counted minutes, or of one shift or case.

    A coefficient below 100 lowers nothing; one above the item's bound is cut at it.
    """
    percent = max(NO_COEFFICIENT, min(coefficient_percent, item.coefficient_percent_max))
    share, whole = percent, NO_COEFFICIENT
    if item.unit == "hour":
        share, whole = percent * minutes, NO_COEFFICIENT * MINUTES_AN_HOUR
    return (
        rounded(item.points * share, whole, item.rounding),
        rounded(item.evaluation_hundredths * share, whole, item.rounding),
    )


def rounded(dividend: int, divisor: int, rounding: str) -> int:
    """Return a quotient of what is not negative: rounded down, or half_up to the nearest."""
    if rounding == "half_up":
        return (2 * dividend + divisor) // (2 * divisor)
    return dividend // divisor
