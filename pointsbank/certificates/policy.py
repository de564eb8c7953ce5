"""What so many hours or marks come to, and how far the next star is; nothing is read."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from pointsbank.certificates.models import STARS_MAX
from pointsbank.notices.policy import OBJECTION_UPHELD

MINUTES_AN_HOUR = 60

# Why an application ended without a person saying so: kept as a code in place of typed words,
# with the application's own figures, and worded for its reader (certificates/words.py).
TIME_FELL = "service_time_fell"
ACCOUNT_STOPPED = "account_stopped"
BARRED = "star_revoked"
OWN_REASONS = (TIME_FELL, ACCOUNT_STOPPED, BARRED, OBJECTION_UPHELD)


@dataclass(frozen=True)
class Way:
    """How far somebody is: the star reached, the next one and what is missing for it.

    needed_hours: of the next star. missing_minutes and next_stars are 0 once all are reached.
    percent: of the way from the last star to the next, rounded down.
    """

    reached: int
    next_stars: int
    needed_hours: int
    missing_minutes: int
    percent: int


def stars_for(levels: Mapping[int, int], have: int) -> int:
    """Return the most stars whose level is reached, 0 for none."""
    return max((stars for stars, least in levels.items() if have >= least), default=0)


def way_of(levels: Mapping[int, int], minutes: int) -> Way:
    """Return how far service time has come on these levels."""
    hours = minutes // MINUTES_AN_HOUR
    reached = stars_for(levels, hours)
    if reached == STARS_MAX:
        return Way(reached, 0, 0, 0, 100)
    following = reached + 1
    begin, needed = 60 * levels.get(reached, 0), 60 * levels[following]
    percent = max(0, 100 * (minutes - begin) // (needed - begin))
    return Way(reached, following, levels[following], needed - minutes, percent)


def is_rising(levels: Mapping[int, int], most: int) -> bool:
    """Tell whether these are levels for one star to five, each above the one before it."""
    if set(levels) != set(range(1, STARS_MAX + 1)):
        return False
    least = [levels[stars] for stars in range(1, STARS_MAX + 1)]
    return (
        least[0] >= 1
        and least[-1] <= most
        and all(one < two for one, two in zip(least, least[1:], strict=False))
    )


def years_after(day: date, years: int) -> date:
    """Return the same day so many years later; 29 February becomes 1 March."""
    try:
        return day.replace(year=day.year + years)
    except ValueError:
        return date(day.year + years, 3, 1)
