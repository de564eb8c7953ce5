"""What a shift gives to whoever does it from beginning to end."""

from typing import Protocol

from pointsbank.scoring.policy import award_for
from pointsbank.scoring.queries import Standard


class Lasting(Protocol):
    """A shift, as one list or another has it."""

    @property
    def planned_minutes(self) -> int:
        """How long it lasts."""

    @property
    def break_minutes(self) -> int:
        """How much of it is rest, which is no service time."""


class Work(Protocol):
    """A task, or a line that stands for its shift."""

    @property
    def scoring_item(self) -> str:
        """The item's code."""

    @property
    def coefficient_percent(self) -> int:
        """What the item is multiplied by."""


def whole_shift_gives(standard: Standard, work: Work, shift: Lasting) -> tuple[int, int]:
    """Return points and service minutes of a shift that is done from beginning to end."""
    item = next((item for item in standard.items if item.code == work.scoring_item), None)
    if item is None:
        return 0, 0
    minutes = max(0, shift.planned_minutes - shift.break_minutes)
    award = award_for(
        item,
        planned_minutes=minutes,
        actual_minutes=minutes,
        day_minutes_before=0,
        coefficient_percent=work.coefficient_percent,
    )
    return award.points, award.service_minutes
