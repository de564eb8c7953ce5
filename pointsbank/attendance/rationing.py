"""What is left of awards when limits are asked: of the item, and of the month's budget."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from pointsbank.attendance.sheet import SheetLine
from pointsbank.scoring.capping import Room
from pointsbank.scoring.policy import Award

BUDGET_SPENT = "budget_spent"


def within_caps(awards: Mapping[int, Award], rooms: Mapping[int, Room]) -> dict[int, Award]:
    """Return awards with no more points than the item's limits leave each person.

    Minutes and evaluation stay as they are; a cut award says by which limit.
    """
    kept = dict(awards)
    for member_id, room in rooms.items():
        award = kept[member_id]
        if award.points > room.left:
            kept[member_id] = replace(award, points=room.left, cut=room.reason)
    return kept


def within_budget(
    lines: Sequence[SheetLine], awards: Mapping[int, Award], left: int | None
) -> dict[int, Award]:
    """Return what each gets when only so many points may still be issued, by member.

    Whoever came first is awarded first; whose points do not fit is held as a whole.
    """
    kept = dict(awards)
    if left is None:
        return kept
    paid = [line for line in lines if line.checked_in_at and kept[line.member_id].points]
    for line in sorted(paid, key=lambda line: (line.checked_in_at, line.claim_id)):
        points = kept[line.member_id].points
        if points > left:
            kept[line.member_id] = Award(reason=BUDGET_SPENT)
        else:
            left -= points
    return kept


def waits_for_budget(line: SheetLine) -> bool:
    """Tell whether a line is held only until the month's issue budget has room for it."""
    return line.held_reason == BUDGET_SPENT
