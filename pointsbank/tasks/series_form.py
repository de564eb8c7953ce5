"""Rules of recurrence as the plain choices of a form."""

import re
from collections.abc import Callable

from pointsbank.core.text import halfwidth
from pointsbank.tasks.recurrence import WEEKDAYS
from pointsbank.tasks.series_errors import BadRule

NTH = ("1", "2", "3", "4", "-1")
NUMBER_DIGITS_MAX = 3
SEPARATORS = re.compile(r"[,，、;；\s]+")
MONTH_DAY = re.compile(r"0?[1-9]|[12]\d|3[01]")

# Reads one field of the form, "" for one that is not there.
Read = Callable[[str], str]


def rule_from(read: Read) -> str:
    """Return the rule that a form chooses, as a program would send it.

    repeats: daily, weekly, month_days or nth; the fields of the others are passed over.
    Raises BadRule with a sentence that says what is missing.
    """
    kind = read("repeats")
    if kind == "daily":
        return f"FREQ=DAILY{_interval(read)}"
    if kind == "weekly":
        return f"FREQ=WEEKLY{_interval(read)};BYDAY={_weekdays(read)}"
    if kind == "month_days":
        return f"FREQ=MONTHLY{_interval(read)};BYMONTHDAY={_month_days(read)}"
    if kind == "nth":
        nth, day = read("nth"), read("nth_day")
        if nth in NTH and day in WEEKDAYS:
            return f"FREQ=MONTHLY{_interval(read)};BYDAY={nth}{day}"
    raise BadRule("Please choose how it repeats.")


def _interval(read: Read) -> str:
    text = halfwidth(read("every")) or "1"
    if not text.isascii() or not text.isdigit() or len(text) > NUMBER_DIGITS_MAX:
        raise BadRule("Every how many? Please write a whole number.")
    return f";INTERVAL={int(text)}"


def _weekdays(read: Read) -> str:
    chosen = [day for day in WEEKDAYS if read(f"weekday_{day}")]
    if not chosen:
        raise BadRule("Please choose on which weekdays.")
    return ",".join(chosen)


def _month_days(read: Read) -> str:
    words = [each for each in SEPARATORS.split(halfwidth(read("month_days"))) if each]
    days = [each.removesuffix("日").removesuffix("号") for each in words]
    if not all(MONTH_DAY.fullmatch(day) for day in days):
        raise BadRule("Write the days of the month as numbers, such as 4, 14, 24.")
    numbers = [str(int(day)) for day in days] + ["-1"] * bool(read("last_day"))
    if not numbers:
        raise BadRule("Write the days of the month as numbers, such as 4, 14, 24.")
    return ",".join(numbers)
