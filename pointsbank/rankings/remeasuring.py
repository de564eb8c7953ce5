"""What an entry would have been worth by a draft's items; pure.

Rule: docs/scoring.md, "Trying a draft".
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from pointsbank.scoring.evaluating import Scored
from pointsbank.scoring.models import Item
from pointsbank.scoring.policy import worth_of

# Neither work nor a decision: points by hand, and points that the ledger took back.
POINTS_ONLY = ("adjust:", "reversal:")
# Entered by a document: no points by any standard, and how many times is in no entry.
LATE = ("late_entry:", "lift:late_entry:")


@dataclass(frozen=True)
class Kept:
    """A score entry as it stands, with the worth of the item that it was made by."""

    member_id: int
    cause: str
    item_code: str
    item_hundredths: int
    category: str
    earned_on: date
    hundredths: int
    points: int
    service_minutes: int

    @property
    def scored(self) -> Scored:
        """What the evaluation reads of it."""
        return Scored(
            self.item_code,
            self.category,
            self.earned_on,
            self.hundredths,
            self.points,
            self.service_minutes,
        )


def remeasured(entry: Kept, items: Mapping[str, Item]) -> Scored | None:
    """Return what an entry would count by these items; None where they have no such item.

    By the hour its own minutes count, in the item's steps; a shift counts once, whatever
    coefficient its task had. What people decided case by case keeps its share of the item's
    worth, and its amount where the item has none; so does work of which the entry has no size.
    Points by hand stay what they are, and what took something away goes on taking it.
    """
    item = items.get(entry.item_code)
    if item is None:
        return None
    if entry.cause.startswith(POINTS_ONLY):
        return _as(entry, item, entry.points, entry.hundredths)
    is_late, minutes = entry.cause.startswith(LATE), abs(entry.service_minutes)
    has_size = bool(minutes) if item.unit == "hour" else not is_late
    if item.unit == "each" or not has_size:
        return _as(entry, item, entry.points, _share(entry, item))
    points, hundredths = worth_of(item, minutes - minutes % item.unit_minutes)
    sign = -1 if min(entry.hundredths, entry.points, entry.service_minutes) < 0 else 1
    return _as(entry, item, entry.points if is_late else sign * points, sign * hundredths)


def _share(entry: Kept, item: Item) -> int:
    if not entry.item_hundredths or not item.evaluation_hundredths:
        return entry.hundredths
    share = abs(entry.hundredths) * item.evaluation_hundredths // entry.item_hundredths
    return -share if entry.hundredths < 0 else share


def _as(entry: Kept, item: Item, points: int, hundredths: int) -> Scored:
    return Scored(
        entry.item_code,
        item.category,
        entry.earned_on,
        hundredths,
        points,
        entry.service_minutes,
    )
