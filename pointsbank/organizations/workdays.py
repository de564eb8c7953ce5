"""Working days: the announced calendar of China, overruled by what an administrator loaded.

The State Council announces each year's holidays, and the weekends worked for them (调休), late
in the year before. Package chinesecalendar carries the announcements; a year that it does not
know yet is Monday to Friday until an administrator loads the announcement.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta

import chinese_calendar
from sqlalchemy import select
from sqlalchemy.orm import Session

from pointsbank.core.calendar import SATURDAY
from pointsbank.organizations.models import CalendarDay

# On the same date every year (全国年节及纪念日放假办法): a loaded year that names them is an
# announcement and not a single correction.
FIXED_HOLIDAYS = ((1, 1), (5, 1), (10, 1))
DECEMBER = 12


@dataclass(frozen=True)
class DayOff:
    """One day as a calendar has it. source: loaded, announced, or weekday when nobody knows.

    name: of the holiday or of what was loaded; "" for any other day.
    """

    day: date
    is_working: bool
    source: str
    name: str


def is_working_day(session: Session, day: date) -> bool:
    """Tell whether this local day is worked."""
    return _judged(day, _loaded(session, day.year)).is_working


def working_day_after(session: Session, day: date, count: int) -> date:
    """Return the last of so many working days after a day, which does not count itself.

    count: at least 1.
    """
    loaded: dict[int, Mapping[date, CalendarDay]] = {}
    while count > 0:
        day += timedelta(days=1)
        if day.year not in loaded:
            loaded[day.year] = _loaded(session, day.year)
        count -= _judged(day, loaded[day.year]).is_working
    return day


def is_year_known(session: Session, year: int) -> bool:
    """Tell whether this year's holidays were announced: to the package, or loaded here.

    A loaded year counts once it names every holiday that has a fixed date.
    """
    return is_announced(year) or {date(year, *fixed) for fixed in FIXED_HOLIDAYS} <= set(
        _loaded(session, year)
    )


def is_announced(year: int) -> bool:
    """Tell whether the package carries this year's announcement."""
    try:
        chinese_calendar.is_workday(date(year, 1, 1))
    except NotImplementedError:
        return False
    return True


def calendar_of(session: Session, year: int) -> list[DayOff]:
    """Return every day of a year in order, with where each is known from."""
    loaded = _loaded(session, year)
    first = date(year, 1, 1)
    days = (date(year + 1, 1, 1) - first).days
    return [_judged(first + timedelta(days=each), loaded) for each in range(days)]


def year_to_load(session: Session, today: date) -> int | None:
    """Return the year whose calendar should be known by now and is not: this one, or from
    December on the coming one.
    """
    wanted = [today.year] + [today.year + 1] * (today.month == DECEMBER)
    return next((year for year in wanted if not is_year_known(session, year)), None)


def _loaded(session: Session, year: int) -> dict[date, CalendarDay]:
    rows = session.scalars(
        select(CalendarDay).where(
            CalendarDay.day >= date(year, 1, 1), CalendarDay.day <= date(year, 12, 31)
        )
    )
    return {row.day: row for row in rows}


def _judged(day: date, loaded: Mapping[date, CalendarDay]) -> DayOff:
    row = loaded.get(day)
    if row is not None:
        return DayOff(day, row.is_working, "loaded", row.name)
    try:
        # The package calls a Saturday that is worked by the name of its holiday as well.
        _, name = chinese_calendar.get_holiday_detail(day)
        return DayOff(day, chinese_calendar.is_workday(day), "announced", name or "")
    except NotImplementedError:
        return DayOff(day, day.weekday() < SATURDAY, "weekday", "")
