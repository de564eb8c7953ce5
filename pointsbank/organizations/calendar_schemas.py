"""Days of the calendar as programs and pages see them."""

from datetime import date
from typing import Any

from flask_babel import lazy_gettext
from marshmallow import Schema, fields

from pointsbank.organizations.workdays import DayOff
from pointsbank.web.contract import Body, Text

YEAR_MIN, YEAR_MAX = 2004, 2099
DAY_LENGTH = 10

SOURCE_WORDS = {
    "loaded": lazy_gettext("Loaded by an administrator"),
    "announced": lazy_gettext("As announced by the State Council"),
    "weekday": lazy_gettext("Nobody has announced this year yet"),
}
# What the package calls the holidays.
HOLIDAY_WORDS = {
    "New Year's Day": lazy_gettext("New Year's Day"),
    "Spring Festival": lazy_gettext("Spring Festival"),
    "Tomb-sweeping Day": lazy_gettext("Tomb-sweeping Day"),
    "Labour Day": lazy_gettext("Labour Day"),
    "Dragon Boat Festival": lazy_gettext("Dragon Boat Festival"),
    "Mid-autumn Festival": lazy_gettext("Mid-autumn Festival"),
    "National Day": lazy_gettext("National Day"),
    "Anti-Fascist 70th Day": lazy_gettext("Victory Day"),
}


class CalendarDayOut(Schema):
    """A day that is not what its weekday says, or that was loaded."""

    day = fields.Date()
    is_working = fields.Boolean()
    source = fields.String()
    name = fields.String()


class CalendarOut(Schema):
    """A year: whether it is known, and its days that differ from Monday to Friday."""

    year = fields.Integer()
    is_known = fields.Boolean()
    working_days = fields.Integer()
    items = fields.List(fields.Nested(CalendarDayOut))
    next = fields.String(allow_none=True)


class CalendarDayToForget(Body):
    """A loaded day that is to count by the announced calendar again."""

    day = Text(length_max=DAY_LENGTH, required=True)


def holiday_word(each: DayOff) -> str:
    """Return what a day is called: loaded names as they were typed."""
    return str(HOLIDAY_WORDS.get(each.name, each.name))


def is_special(each: DayOff, saturday: int) -> bool:
    """Tell whether a day is not what its weekday says, or was loaded."""
    return each.source == "loaded" or each.is_working != (each.day.weekday() < saturday)


def day_out(each: DayOff) -> dict[str, Any]:
    """Return a day as programs see it."""
    return {**vars(each), "name": holiday_word(each)}


def year_asked(text: str | None, today: date) -> int:
    """Return the year that an address asks for, this one when it asks for none that is kept."""
    is_year = (
        text is not None and text.isascii() and text.isdigit() and len(text) == len("2026")
    )
    year = int(text or 0) if is_year else today.year
    return year if YEAR_MIN <= year <= YEAR_MAX else today.year
