"""The pure rules that turn a plan and the time somebody was there into minutes and points."""

from dataclasses import dataclass

from pointsbank.scoring.models import Item

TOO_SHORT = "too_short"
DAY_FULL = "day_full"
MINUTES_AN_HOUR = 60


@dataclass(frozen=True)
class Award:
    """What one piece of work adds; when it adds nothing, reason tells why."""

    service_minutes: int = 0
    points: int = 0
    evaluation_hundredths: int = 0
    reason: str | None = None


def award_for(
    item: Item,
    *,
    planned_minutes: int,
    actual_minutes: int,
    day_minutes_before: int,
    overtime_minutes: int = 0,
) -> Award:
    """Return what a person gets who was planned for and was there for so many minutes.

    day_minutes_before: the minutes already counted on that local day, over all shifts.
    overtime_minutes: how much longer than planned was approved. Too little of the plan counts
    for nothing; beyond the plan with its overtime and beyond the day's limit nothing is added;
    points of an hour's item follow the counted minutes, rounded down. Rule: docs/scoring.md,
    "From time to points".
    """
    if actual_minutes * 100 < planned_minutes * item.share_min_percent:
        return Award(reason=TOO_SHORT)
    left_today = max(0, item.day_minutes_max - day_minutes_before)
    minutes = min(actual_minutes, planned_minutes + overtime_minutes, left_today)
    minutes -= minutes % item.unit_minutes
    if item.unit == "shift":
        return Award(
            service_minutes=minutes if item.counts_minutes else 0,
            points=item.points,
            evaluation_hundredths=item.evaluation_hundredths,
        )
    if minutes == 0:
        return Award(reason=DAY_FULL if left_today < item.unit_minutes else TOO_SHORT)
    return Award(
        service_minutes=minutes if item.counts_minutes else 0,
        points=item.points * minutes // MINUTES_AN_HOUR,
        evaluation_hundredths=item.evaluation_hundredths * minutes // MINUTES_AN_HOUR,
    )
