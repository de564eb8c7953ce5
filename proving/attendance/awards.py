"""The model of settling: minutes, points, and what waits for somebody else to look."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from proving.attendance.lines import Places
from proving.attendance.presence import Coming, Mark

MINUTE = timedelta(minutes=1)
QUICK = timedelta(seconds=10)
# docs/scanning.md, "Review"; what else is weighed there cannot happen in this small world.
WEIGHTS = {
    "quick_pair": 40,
    "poster_unconfirmed": 60,
    "clock_skew": 10,
    "typed_once": 20,
    "typed_throughout": 40,
    "typed_crowd": 20,
    "walk_in": 10,
    "let_in": 20,
}
REVIEW_FROM = 60
CROWD = 5
# docs/scoring.md: volunteer_hour is 10 points an hour, in steps of half an hour, from 60 % on.
POINTS_AN_HOUR, STEP_MINUTES, SHARE_PERCENT = 10, 30, 60
# Of this world's standard: less than the afternoon and the evening are worth together.
POINTS_DAY_MAX = 25


def whole(moment: datetime) -> datetime:
    """Return a moment as a clock without seconds shows it."""
    return moment.replace(second=0, microsecond=0)


def minutes_there(shift: Places, comings: Iterable[Coming]) -> int:
    """Return the minutes of the shift that somebody was there, minute by minute."""
    there: set[int] = set()
    for each in comings:
        if each.left_at is not None:
            came = (whole(max(each.came_at, shift.starts_at)) - shift.starts_at) // MINUTE
            left = (whole(min(each.left_at, shift.ends_at)) - shift.starts_at) // MINUTE
            there.update(range(came, left))
    if not there:
        return 0
    away = max(there) - min(there) + 1 - len(there)
    return max(0, len(there) - max(0, shift.break_minutes - away))


def counted(shift: Places, comings: Iterable[Coming]) -> int | None:
    """Return the minutes that are awarded, None when they are too few."""
    planned = (shift.ends_at - shift.starts_at) // MINUTE - shift.break_minutes
    there = minutes_there(shift, comings)
    minutes = min(there, planned) // STEP_MINUTES * STEP_MINUTES
    return minutes if there * 100 >= planned * SHARE_PERCENT and minutes else None


def points_for(minutes: int) -> int:
    """Return what so many minutes give."""
    return POINTS_AN_HOUR * minutes // 60


def is_doubtful(member: int, comings: list[Coming], marks: list[Mark]) -> bool:
    """Tell whether somebody else has to look; marks: all counting scans of the shift."""
    signs = {sign for each in comings for sign in each.flags if sign in WEIGHTS}
    if any(e.left_at is not None and e.left_at - e.came_at < QUICK for e in comings):
        signs.add("quick_pair")
    typed = {each.member for each in marks if each.ask.kind == "manual"}
    if member in typed:
        own = {each.ask.kind for each in marks if each.member == member}
        signs.add("typed_throughout" if own == {"manual"} else "typed_once")
        people = {each.member for each in marks}
        if len(people) >= CROWD and 2 * len(typed) > len(people):
            signs.add("typed_crowd")
    return sum(WEIGHTS[sign] for sign in signs) >= REVIEW_FROM
