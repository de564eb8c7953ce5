"""The model of arrivals and departures by turns, whichever station uploads first."""

from collections.abc import Iterable
from datetime import datetime

from proving.attendance.presence import Mark

Pairs = list[tuple[datetime | None, datetime | None]]


def way_of(mark: Mark) -> str | None:
    """Return which way a mark goes: as it counts, or as its station showed it."""
    if mark.counts:
        return mark.direction
    shown = mark.shown
    if shown is None or shown.result != "ok" or shown.reason not in ("ok_in", "ok_out"):
        return None
    return shown.direction


def in_turn(marks: Iterable[Mark]) -> list[Mark]:
    """Return one mark of each stretch in one direction, what counts before what does not."""
    turns: list[Mark] = []
    # The sort is stable: what was sent first stands first.
    for mark in sorted(marks, key=lambda each: each.ask.at):
        if not turns and way_of(mark) == "out":
            continue
        if not turns or way_of(turns[-1]) != way_of(mark):
            turns.append(mark)
        elif mark.counts and not turns[-1].counts:
            turns[-1] = mark
    return turns


def pairs_of(turns: list[Mark]) -> Pairs:
    """Return when a person came and left each time."""
    return [
        (turns[each].ask.at, turns[each + 1].ask.at if each + 1 < len(turns) else None)
        for each in range(0, len(turns), 2)
    ]
